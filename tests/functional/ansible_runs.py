# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real runs of Ansible, as a user would start them: many polls in one playbook, for many small tests to read."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..cases import CASES

ROOT = Path(__file__).resolve().parents[2]
#: seconds after which a program counts as one that hangs; a slow machine may need minutes
HANGS = 1800.0
#: what the environment of whoever runs the tests must not decide
FOREIGN = (
    "ANSIBLE_",
    "CLOUDWAIT_",
    "TENCENTCLOUD_",
    "TCCLI_",
    "DINGTALK_",
    "REQUESTS_",
    "CURL_",
    "SSL_",
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
)
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
#: words that no user shall see
CRASHES = ("Traceback", "MODULE FAILURE", "Unhandled exception", "Unexpected failure", "unexpected exception")

#: what a poll needs besides the id, by provider
NEEDS: dict[str, dict[str, Any]] = {word: dict(case.needs) for word, case in CASES.items()}
#: the info modules that have the name of a service, by provider
MODULES = {word: case.module for word, case in CASES.items() if case.module}
AGENT: dict[str, Any] = NEEDS["ess"]["agent"]
#: a port of this machine at which nobody listens
NOWHERE = "http://127.0.0.1:9"
#: keeps requests on this machine: those that no variable leads elsewhere end at once
STAY_HERE = {
    "CLOUDWAIT_METADATA_ENDPOINT": NOWHERE,
    "HTTPS_PROXY": NOWHERE,
    "NO_PROXY": "127.0.0.1,localhost,::1",
}


class Run(NamedTuple):
    """What became of a process: results by the name of the poll, and all that was printed."""

    status: int
    output: str
    results: dict[str, Any]

    def sentence(self, name: str) -> str:
        """The message of a poll that failed, once it is clear that it is one sentence and the whole of it."""
        result = self.results[name]
        assert result["failed"], f"{name} did not fail"
        assert not result["changed"]
        text: str = result["msg"]
        assert "\n" not in text
        assert text.endswith("."), text
        return text

    def error(self, name: str) -> dict[str, Any]:
        """The error of a poll that failed with a proper sentence."""
        self.sentence(name)
        error: dict[str, Any] = self.results[name]["error"]
        assert sorted(error) == ["code", "http_status", "kind", "message", "request_id", "retryable"]
        return error

    def task(self, name: str) -> dict[str, Any]:
        """The record of a poll that went well."""
        result = self.results[name]
        assert not result["failed"], result.get("msg")
        assert not result["changed"]
        record: dict[str, Any] = result["task"]
        return record


def poll(provider: str, task_id: str, *, keywords: Any = None, **options: Any) -> dict[str, Any]:
    """An Ansible task that polls a cloud task, by the module of its service's name where there is one.

    :param keywords: keywords of the Ansible task, such as ``environment``.
    :param options: an option with the value None is left out.
    """
    module = MODULES.get(provider, "task_info")
    own = {} if provider in MODULES else {"provider": provider}
    given = {**own, **NEEDS[provider], "task_id": task_id, "request_retries": 0, **options}
    arguments = {name: value for name, value in given.items() if value is not None}
    return {f"cloudwait.conversion.{module}": arguments, **(keywords or {})}


def make_interpreter(path: Path, *lines: str) -> str:
    """This Python as an interpreter for modules, after these lines of shell. Returns its path.

    The path of this Python may have blanks, and with ``async``, Ansible does not quote it for the shell.
    """
    path.write_text("\n".join(("#!/bin/sh", *lines, f'exec "{sys.executable}" "$@"', "")), encoding="utf-8")
    path.chmod(0o700)
    return str(path)


class Ansible:
    """Starts Ansible in a folder of its own, with nothing of the user's environment or home, and no way off this machine.

    :param folder: holds home, playbooks and interpreters; its path has no blanks, which Ansible would not like.
    :param environment: what all runs see, such as endpoints and credentials.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.home.mkdir()
        self.python = self.interpreter("python")
        foreign = tuple(name for name in os.environ if name.startswith(FOREIGN) or name.upper() in PROXIES)
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in foreign},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_INJECT_INVOCATION": "1",  # from 2.21 on it would show no options, and tests not that they are censored
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            **STAY_HERE,
            **environment,
        }
        self._runs = 0

    def interpreter(self, name: str, *lines: str) -> str:
        """An interpreter for modules: this one, after these lines of shell."""
        return make_interpreter(self.folder / name, *lines)

    def command(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT
    ) -> Run:
        """Run ``ansible``, ``ansible-playbook`` or ``ansible-doc``.

        :param folder: the working directory.
        """
        process = subprocess.run(
            [sys.executable, "-m", "ansible", program, *arguments],
            cwd=folder,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=HANGS,
            check=False,
        )
        for crash in CRASHES:
            assert crash not in process.stdout, process.stdout
        return Run(process.returncode, process.stdout, {})

    def play(self, tasks: Iterable[Mapping[str, Any]], *arguments: str, **keywords: Any) -> Run:
        """Run Ansible tasks as they stand on this machine.

        :param arguments: of ``ansible-playbook``.
        :param keywords: of the play, such as ``module_defaults``.
        """
        self._runs += 1
        path = self.folder / f"play-{self._runs}.json"
        play = {"name": "Polls", "hosts": "localhost", "gather_facts": False, **keywords, "tasks": list(tasks)}
        path.write_text(json.dumps([play]), encoding="utf-8")
        python = f"ansible_python_interpreter={self.python}"
        return self.command("playbook", "--extra-vars", python, *arguments, str(path))

    def polls(self, polls: Mapping[str, Mapping[str, Any]], *arguments: str, **keywords: Any) -> Run:
        """Run named Ansible tasks in one playbook, failing or not, and give back what each of them registered."""
        names = dict(zip(polls, (f"poll_{number}" for number in range(len(polls)))))
        tasks = [{"name": name, "register": names[name], "ignore_errors": True, **task} for name, task in polls.items()]
        everything = ", ".join(names.values())
        show = {"ansible.builtin.debug": {"msg": f"<<<{{{{ [{everything}] | to_json | b64encode }}}}>>>"}}
        run = self.play([*tasks, show], *arguments, **keywords)
        found = re.search("<<<([A-Za-z0-9+/=]+)>>>", run.output)
        assert run.status == 0, run.output
        assert found, run.output
        text = base64.b64decode(found[1]).decode("utf-8")
        for crash in CRASHES:
            assert crash not in text, text
        results = json.loads(text)
        output = run.output.replace(found[0], "")
        return Run(run.status, output, dict(zip(polls, results)))
