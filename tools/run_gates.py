# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the checks ("gates") of make: lint, package, sanity, matrix, others, unit, functional.

Each gate is one or more sessions of nox. A session that passes prints one line, and why tests were skipped; one that
fails prints all its output. Two sessions run in parallel. After them, pytest runs alone and prints while it runs, so that
its summary comes last.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import importlib.metadata
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
NOX = ["-m", "nox", "--no-stop-on-first-error", "--session"]
GATES = {  # sessions by the name of the make target; those that take longest come first
    "sanity": ["sanity"],
    "matrix": [],  # all sessions with this tag in noxfile.py
    "others": [],  # the same, without those that repeat "make test" with another Python
    "package": ["release-check", "molecule", "docs", "ansible-lint", "report-in-browser", "execution-environment"],
    "rulebook": ["rulebook"],
    "rulebook-smoke": ["rulebook-smoke"],
    "lint": [
        "docs-check",
        "typing",
        "license-check",
        "extra-checks",
        "formatters",
        "codeqa",
        "yamllint",
        "workflows",
        "changelog",
        "antsibull-nox-config",
    ],
}
PATIENCE = 10.0  # seconds between SIGINT and SIGKILL
SUITES = {"unit": "tests/unit", "functional": "tests/functional"}


def environment() -> dict[str, str]:
    """Returns the environment of the gates, with our Ansible settings in place of the user's."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "CLOUDWAIT_"))}
    ours["ANSIBLE_CONFIG"] = str(ROOT / "ansible.cfg")
    ours["CI"] = "true"  # with it, nox only checks the format, and a missing Python is an error
    ours["PATH"] = os.pathsep.join((str(pathlib.Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    return ours


def skip_reasons(output: str) -> list[str]:
    """Returns why tests of pytest were skipped, each reason once."""
    reasons = (line.partition(": ")[2] for line in output.splitlines() if line.startswith("SKIPPED ["))
    return [f"skipped: {reason}" for reason in dict.fromkeys(reasons)]


class Gates:
    """Runs sessions, each in its own process group, so that an interrupt can end all their processes."""

    def __init__(self) -> None:
        self.red: list[str] = []
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def run(self, name: str, *arguments: str, streamed: bool = False) -> None:
        """Run one session, and print whether it passed, with all its output if it failed.

        :param streamed: whether it prints its output itself, while it runs.
        """
        start = time.monotonic()
        process = self._start([sys.executable, *NOX, name, *arguments], streamed=streamed)
        if process is None:
            return
        output = "".join(filter(None, process.communicate()))
        with self._lock:
            self._running.discard(process)
            if process.returncode:
                self.red.append(name)
            if self._stopped:
                return
            if not streamed:
                verdict = "RED" if process.returncode else "ok "
                print(
                    f"{verdict} {name} ({time.monotonic() - start:.1f} s)",
                    *skip_reasons(output),
                    sep="\n    ",
                    flush=True,
                )
            if process.returncode:
                print(output, flush=True)

    def stop(self) -> None:
        """End all running sessions, first with SIGINT, and start no more."""
        with self._lock:
            self._stopped = True
            running = list(self._running)
        for sign in (signal.SIGINT, signal.SIGKILL):
            for process in running:
                if process.poll() is None or sign == signal.SIGKILL:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, sign)
            for process in running:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=PATIENCE)

    def _start(self, command: list[str], *, streamed: bool) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=None if streamed else subprocess.PIPE,
                stderr=subprocess.PIPE if streamed else subprocess.STDOUT,  # the messages of nox itself
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            self._running.add(process)
            return process


def gates_of(name: str) -> list[str]:
    """Returns the sessions of a make target."""
    if name not in ("matrix", "others"):
        return GATES[name]
    command = [sys.executable, "-m", "nox", "--list", "--json", "--tags", "matrix"]
    listed = subprocess.run(command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, check=True).stdout
    core = importlib.metadata.version("ansible-core").rpartition(".")[0]
    tested = [f"sanity-{core}", f"pytest-{core}"] if name == "others" else []
    return [session["session"] for session in json.loads(listed) if session["session"] not in tested]


def run_all(gates: Gates, wanted: list[str]) -> None:
    """Run the sessions of the given make targets, two at a time, then the test suites."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        try:
            names = [gate for name in GATES if name in wanted for gate in gates_of(name)]
            for gate in concurrent.futures.as_completed([pool.submit(gates.run, name) for name in names]):
                gate.result()
        except BaseException:
            gates.stop()
            raise
    suites = [suite for name, suite in SUITES.items() if name in wanted]
    if suites:
        gates.run("pytest", "--", *suites, streamed=True)


def main(wanted: list[str]) -> int:
    """Run the gates of the given make targets. Returns the exit status: 0 only if all have passed."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gates = Gates()
    try:
        run_all(gates, wanted)
    except KeyboardInterrupt:
        gates.stop()
        print("interrupted", file=sys.stderr)
        return 130
    if gates.red:
        print("red: " + ", ".join(gates.red), file=sys.stderr)
    return 1 if gates.red else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
