# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules as processes of their own, without a playbook, and kills them at a known step.

One process imports the modules once and forks for each run, so that a run costs hundredths of a second. A run is killed
with SIGKILL by itself, so that nothing of Python gets a chance to clean up.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from .ansible_runs import FOREIGN, PROXIES, ROOT, STAY_HERE

HERE = "ansible_collections.cloudwait.conversion"
UTILS = f"{HERE}.plugins.module_utils"
#: the steps of a start at which a run can be killed, in their order
STEPS = ("before the intent", "after the intent", "after sending", "after the answer", "after writing the id")


class Ended(NamedTuple):
    """How a run ended: with a result, or killed by a signal."""

    killed_by: int
    result: dict[str, Any]


class Modules:
    """Starts runs of modules."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        foreign = tuple(name for name in os.environ if name.startswith(FOREIGN) or name.upper() in PROXIES)
        own = {name: value for name, value in os.environ.items() if name not in foreign}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.functional.module_runs"],
            cwd=ROOT,
            env={**own, **STAY_HERE, **environment, "HOME": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, module: str, options: Mapping[str, Any], **more: Any) -> Ended:
        """Run a module.

        :param more: see :func:`_work`.
        """
        return self.run_many([{"module": module, "options": dict(options), **more}])[0]

    def run_many(self, runs: Sequence[Mapping[str, Any]]) -> list[Ended]:
        """Run modules side by side."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(list(runs)) + "\n")
        self._process.stdin.flush()
        return [Ended(*each) for each in json.loads(self._process.stdout.readline())]

    def stop(self) -> None:
        """End the process."""
        self._process.communicate(timeout=20)


# --- The process that forks ----------------------------------------------------------------------------------------


def main() -> None:
    """Read lists of runs, one a line, and write how they ended."""
    from ..unit import conftest  # noqa: F401 # makes the collection importable

    starts = importlib.import_module(f"{UTILS}._module.ledgered")
    assert starts
    for line in sys.stdin:
        ends = [_fork(run) for run in json.loads(line)]
        sys.stdout.write(json.dumps([end() for end in ends]) + "\n")
        sys.stdout.flush()


def _fork(run: Mapping[str, Any]) -> Callable[[], list[Any]]:
    """Begin a run. Returns a function that waits for its end."""
    importlib.import_module(f"{HERE}.plugins.modules.{run['module']}")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        os.dup2(writer, 1)
        _work(**run)
    os.close(writer)

    def end() -> list[Any]:
        with open(reader, encoding="utf-8") as file:
            text = file.read()
        status = os.waitpid(pid, 0)[1]
        return [os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, json.loads(text) if text.strip() else {}]

    return end


def _work(
    module: str,
    options: Mapping[str, Any],
    kill: str = "",
    check_mode: bool = False,
    diff: bool = False,
    as_user: int | None = None,
    file_size: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run a module in this process, and end it.

    :param kill: the step at which it is killed, one of ``STEPS``.
    :param as_user: the number of the user to run as.
    :param file_size: most bytes that a file may have, as on a disk that is full.
    :param environment: more variables.
    """
    from ansible.module_utils import basic

    os.environ.update(environment or {})
    given = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
    basic._ANSIBLE_PROFILE = "legacy"
    if file_size is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))
    if as_user is not None:
        os.setuid(as_user)
    if kill:
        _arm(kill)
    try:
        importlib.import_module(f"{HERE}.plugins.modules.{module}").main()
    except SystemExit:
        sys.stdout.flush()
    finally:
        os._exit(0)


def _arm(step: str) -> None:
    """Let this process kill itself at a step of a start."""
    import http.client

    ledger = importlib.import_module(f"{UTILS}._ledger")
    put, read = ledger.Ledger.put, http.client.HTTPConnection.getresponse

    def killing_put(self: Any, *entries: Any) -> None:
        when = {"before the intent": "reserved", "after the intent": "sent", "after writing the id": "started"}
        put(self, *entries)
        if any(entry.state == when.get(step) for entry in entries):
            os.kill(os.getpid(), signal.SIGKILL)

    def killing_read(self: Any, *args: Any, **kwargs: Any) -> Any:
        select.select([self.sock], [], [], 20)  # the cloud has answered
        if step == "after sending":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = read(self, *args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    ledger.Ledger.put = killing_put
    if step in ("after sending", "after the answer"):
        http.client.HTTPConnection.getresponse = killing_read  # type: ignore[method-assign] # on purpose


@contextlib.contextmanager
def modules(environment: Mapping[str, str], folder: Path) -> Iterator[Modules]:
    """Yields what starts runs of modules, and ends it afterwards."""
    running = Modules(environment, folder)
    try:
        yield running
    finally:
        running.stop()


if __name__ == "__main__":
    main()
