# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for pipelines, killed at every step of a start and run again: each document is started once, or told.

By default one run loses a start module at each step, and ends with the last of them, for one service whose cloud tasks can
be found again and for one whose cannot: the playbook knows no other difference, and test_starts_ledger.py has each service
and each step. With ``CONVERT_KILLS=all`` in the environment, a run of its own is killed at each step for each service.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..cases import STARTS
from .ansible_runs import HANGS, NEEDS, ROOT, Ansible
from .conftest import Simulator
from .module_runs import STEPS
from .start_runs import USER, starts_of

PLAYBOOK = str(ROOT / "playbooks" / "convert_documents.yml")
#: what the run after a killed one tells of the document whose start was killed at a step
ORIGINS = dict(zip(STEPS, ("new", "new", "adopted", "adopted", "reused")))
#: kills start modules. A file in the folder KILLS has the name of a step, and says whether the playbook ends, too: with its
#: worker, which would go on with the next documents
SITE = """
import http.client, os, select, signal, subprocess, sys
states = {"before-the-intent": "reserved", "after-the-intent": "sent", "after-writing-the-id": "started"}
kills, step = os.environ.get("KILLS", ""), None
read = http.client.HTTPConnection.getresponse

def end():
    with open(os.path.join(kills, step)) as file:
        both = file.read()
    os.unlink(file.name)
    if both:
        with open(os.path.join(kills, "pid")) as file:
            last = int(file.read())
        parents = [os.getppid()]
        while parents[-1] != last:
            parents.append(int(subprocess.check_output(["ps", "-o", "ppid=", "-p", str(parents[-1])])))
        for pid in reversed(parents):
            os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)

def getresponse(self, *args, **options):
    if step in ("after-sending", "after-the-answer"):
        select.select([self.sock], [], [], 20)  # the cloud has answered
    if step == "after-sending":
        end()
    answer = read(self, *args, **options)
    if step == "after-the-answer":
        end()
    return answer

def profile(frame, event, value):
    global step
    name = frame.f_code.co_name
    if event == "call" and name == "start_once":
        params = str(frame.f_locals["module"].params)
        step = next((each for each in os.listdir(kills) if each in params), None)
    elif event == "return" and name == "put" and step in states and "entries" in frame.f_locals:
        if any(entry.state == states[step] for entry in frame.f_locals["entries"]):
            end()

if kills:
    http.client.HTTPConnection.getresponse = getresponse
    sys.setprofile(profile)
"""

ALL = os.environ.get("CONVERT_KILLS") == "all"
KINDS = {start.is_found_again: word for word, start in STARTS.items()}


def name_of(step: str) -> str:
    """The name of the document whose start is killed at a step."""
    return step.replace(" ", "-")


class Play:
    """Runs of the playbook on a document for each step, in one folder."""

    def __init__(self, ansible: Ansible, provider: str, folder: Path) -> None:
        self.folder = folder
        self._kills = folder / "kills"
        self._kills.mkdir()
        (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        self._ansible = ansible
        exports = f'KILLS="{self._kills}" PYTHONPATH="{folder}"'
        variables = {
            "ansible_python_interpreter": ansible.interpreter(f"killed-{provider}", exports, "export KILLS PYTHONPATH"),
            "provider": provider,
            "settings": NEEDS[provider],
            "documents": [{"name": step, **STARTS[provider].options(name_of(step))} for step in STEPS],
            "summary_file": "summary.json",
        }
        (folder / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        self._arguments = ["-e", f"@{folder / 'variables.json'}", PLAYBOOK]

    def kill(self, *steps: str) -> None:
        """Run it, lose a start module at each of these steps, and kill the run with the last of them."""
        for step in steps:
            (self._kills / name_of(step)).write_text("both" if step == steps[-1] else "", encoding="utf-8")
        shell = 'echo $$ > "$0" && exec "$@"'
        program = [sys.executable, "-m", "ansible", "playbook", *self._arguments]
        ended = subprocess.run(
            ["sh", "-c", shell, str(self._kills / "pid"), *program],
            cwd=self.folder,
            env=self._ansible.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=HANGS,
            check=False,
        )
        assert ended.returncode == -signal.SIGKILL
        assert [path.name for path in self._kills.iterdir()] == ["pid"]
        self._grow_old()

    def _grow_old(self) -> None:
        """Let the starts in the ledger be a minute old, so that nothing that they sent is still on its way."""
        with contextlib.closing(sqlite3.connect(self.folder / "convert_documents.ledger", timeout=30)) as ledger:
            ledger.execute("UPDATE starts SET intended_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-60 seconds')")
            ledger.commit()

    def finish(self) -> dict[str, dict[str, Any]]:
        """Run it to its end. Returns what its summary says of each document."""
        run = self._ansible.command("playbook", *self._arguments, folder=self.folder)
        summary = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        assert run.status == (2 if summary["failed"] else 0), run.output
        return {case["name"]: case for case in summary["documents"]}


@pytest.mark.parametrize("provider", STARTS if ALL else KINDS.values())
def test_each_document_of_a_killed_run_is_started_once_or_told(
    start_cloud: Callable[..., Simulator], start_ansible: Callable[..., Ansible], tmp_path: Path, provider: str
) -> None:
    cloud = start_cloud({"starts": [{"provider": provider, "life": [{"status": "succeeded"}]}]})
    play = Play(start_ansible({**cloud.environment, **USER}), provider, tmp_path)
    for steps in [[step] for step in STEPS] if ALL else [STEPS]:
        play.kill(*steps)
    lost = [] if STARTS[provider].is_found_again else list(STEPS[1:4])
    told = play.finish()
    for step in STEPS:
        origin = "reused" if ALL and step != STEPS[-1] else ORIGINS[step]  # another run was between
        expected = ("uncertain", None) if step in lost else ("satisfied", origin)
        assert (told[step]["outcome"], told[step]["origin"]) == expected, told[step]
    assert all(STARTS[provider].doubt in told[step]["message"] for step in lost)
    assert starts_of(cloud, provider)[1] == len(STEPS) - (1 if lost else 0)  # none after an intent alone
