# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits as Ansible tasks, what every result of one must have, and runs that can be killed on the way."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..cases._case import RECORD, STATUSES
from .ansible_runs import NEEDS, ROOT, Ansible, Run

WAIT = "cloudwait.conversion.wait_for_task"
#: quick polls, and an end that no test should ever meet, also if the machine stands still for a minute
QUICK: dict[str, Any] = {"sleep": 0.05, "max_sleep": 0.2, "timeout": 200}
ENDLESS = [{"status": "running"}]
RESULT = {
    "outcome",
    "msg",
    "tasks",
    "failed_tasks",
    "unfinished_tasks",
    "summary",
    "elapsed",
    "polls",
    "api_calls",
    "changed",
}
WAITED = {*RECORD, "outcome", "polls", "elapsed", "history"}
FAILED = ("failed", "not_found", "error")
PATIENCE = 180.0


def wait(*, keywords: Mapping[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """An Ansible task that waits; an option with the value None is left out.

    :param keywords: keywords of the Ansible task, such as ``check_mode``.
    """
    arguments = {name: value for name, value in {**QUICK, **options}.items() if value is not None}
    return {WAIT: arguments, **(keywords or {})}


def item(provider: str, task_id: str, **more: Any) -> dict[str, Any]:
    """An item of ``tasks``."""
    return {"provider": provider, "task_id": task_id, **NEEDS[provider], **more}


def life(task_id: str, *steps: str | Mapping[str, Any], provider: str = "mps") -> dict[str, Any]:
    """A cloud task of a scenario; a step that is a word is a status for one poll."""
    played = [{"status": step} if isinstance(step, str) else dict(step) for step in steps]
    return {"provider": provider, "task_id": task_id, "life": played}


def check_whole(result: Mapping[str, Any]) -> None:
    """All keys are there, good end or bad, and they agree with each other."""
    assert set(result) >= RESULT, sorted(RESULT - set(result))
    assert result["changed"] is False
    tasks = result["tasks"]
    for task in tasks:
        assert set(task) >= WAITED, sorted(WAITED - set(task))
        assert task["status"] in STATUSES
        for change in task["history"]:
            assert {*change} - {"error"} == {"at", "status", "native_status", "progress"}
    assert result["failed_tasks"] == [task["ref"] for task in tasks if task["outcome"] in FAILED]
    rest = ("timed_out", "stalled", "unfinished")
    assert result["unfinished_tasks"] == [task["ref"] for task in tasks if task["outcome"] in rest]
    counts = {status: sum(task["status"] == status for task in tasks) for status in STATUSES}
    assert result["summary"] == {"total": len(tasks), **counts}
    assert ("task" in result) == (len(tasks) == 1)
    text = result["msg"]
    assert text.endswith(".")
    assert text.isprintable()


def outcomes(result: Mapping[str, Any]) -> list[str]:
    """What became of each cloud task."""
    check_whole(result)
    return [task["outcome"] for task in result["tasks"]]


def free_of(secrets: Iterable[str], run: Run) -> None:
    """Nothing secret is printed or in a result."""
    shown = run.output + json.dumps(run.results, ensure_ascii=False)
    for secret in secrets:
        assert secret not in shown, "a secret is shown"


def polls_of(simulator: Any, task_id: str) -> int:
    """How often the cloud was asked for one of its tasks."""
    return sum(entry["task_id"] == task_id for entry in simulator.journal())


def until(happened: Callable[[], Any], what: str) -> Any:
    """Wait for something that must come soon, and give it back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = happened()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen")


def lines_of(output: str) -> list[str]:
    """The progress lines."""
    return [line for line in output.splitlines() if "] cloudwait: " in line]


class Running:
    """A wait that can be watched and killed; the environment of all its processes carries a mark of its own.

    :param waiting: what ``wait`` made.
    :param arguments: of ``ansible-playbook``.
    :param keywords: of the play.
    """

    def __init__(
        self, ansible: Ansible, waiting: Mapping[str, Any], *arguments: str, name: str = "run", **keywords: Any
    ) -> None:
        wait_task = {"name": "Wait", "register": "waited", "ignore_errors": True, **waiting}
        show = {"ansible.builtin.debug": {"msg": "<<<{{ waited | to_json | b64encode }}>>>"}}
        play = {"name": "Waits", "hosts": "localhost", "gather_facts": False, "tasks": [wait_task, show], **keywords}
        path = ansible.folder / f"{name}.json"
        path.write_text(json.dumps([play]), encoding="utf-8")
        self._output = ansible.folder / f"{name}.output"
        self._mark = f"WAIT_RUN={path}"
        python = f"ansible_python_interpreter={ansible.python}"
        with self._output.open("w", encoding="utf-8") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ansible", "playbook", "--extra-vars", python, *arguments, str(path)],
                cwd=ROOT,
                env={**ansible.environment, "WAIT_RUN": str(path)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        """What was printed so far."""
        return self._output.read_text(encoding="utf-8")

    def result(self) -> dict[str, Any]:
        """Let it end, and give back what the wait gave."""
        status = self.process.wait(timeout=PATIENCE)
        found = re.search("<<<([A-Za-z0-9+/=]+)>>>", self.output)
        assert status == 0, self.output
        assert found, self.output
        result: dict[str, Any] = json.loads(base64.b64decode(found[1]))
        return result

    def processes(self, *, modules: bool = False) -> list[int]:
        """What it has started and still runs: all of it, or modules, not the shells around them."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().decode("utf-8", "replace")
                command = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            except OSError:
                continue
            is_module = "python" in command[0] and command[1:2] and command[1].endswith("AnsiballZ_wait_for_task.py")
            if self._mark in environment.split("\0") and (is_module or not modules):
                found.append(int(folder.name))
        return found

    def modules(self) -> list[int]:
        """The processes of the module."""
        return self.processes(modules=True)

    def kill(self) -> None:
        """Kill ``ansible-playbook``, and nothing that it has started."""
        self.process.kill()
        self.process.wait(timeout=PATIENCE)

    def stop(self) -> None:
        """End it and all that it has started, and print what it has printed: pytest shows that where a test fails."""
        self.kill()
        sys.stdout.write(self.output)
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
