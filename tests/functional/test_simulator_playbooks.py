# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks simulator_start and simulator_stop, imported and called by their full names in a folder of a user's."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import CRASHES, HANGS, Ansible

START, STOP = "cloudwait.conversion.simulator_start", "cloudwait.conversion.simulator_stop"
LIFE = [{"status": "running"}, {"status": "succeeded"}]
SCENARIO = {"tasks": [{"provider": "mps", "task_id": "film", "life": LIFE}]}
DICT = {
    "credentials": {
        "tencent": [{"secret_id": "AKIDEXAMPLE-OTHER", "secret_key": "EXAMPLE-OTHER", "token": "EXAMPLE-T"}]
    },
    "tasks": [{"provider": "cos_doc", "task_id": "slides", "life": [{"answer_file": "slides.xml"}]}],
}
SLIDES = "<Response><JobsDetail><JobId>slides</JobId><State>Success</State></JobsDetail></Response>"
POLL_FILM = {"cloudwait.conversion.mps_task_detail": {"task_id": "film"}}
POLL_SLIDES = {
    "cloudwait.conversion.cos_doc_job_info": {
        "task_id": "slides",
        "bucket": "examplebucket-1250000000",
        "region": "ap-beijing",
    }
}


class Done(NamedTuple):
    """What became of a run of ansible-playbook."""

    status: int
    output: str

    @property
    def counts(self) -> dict[str, int]:
        """Ansible's own counts for localhost."""
        (line,) = re.findall(r"^localhost +: (.*)$", self.output, re.MULTILINE)
        return {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", line)}


class User:
    """Somebody who stands in a folder of their own."""

    def __init__(self, folder: Path, ansible: Ansible) -> None:
        self.folder = folder
        self.home = Path(ansible.environment["ANSIBLE_HOME"])
        self._ansible = ansible

    def run(self, *arguments: str) -> Done:
        """Run ansible-playbook, standard output a pipe."""
        process = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", *arguments],
            cwd=self.folder,
            env=self._ansible.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=HANGS,
            check=False,
        )
        assert not any(crash in process.stdout for crash in CRASHES), process.stdout
        return Done(process.returncode, process.stdout)

    def start(self, poll: dict[str, Any] | None = None, *arguments: str, **variables: Any) -> Done:
        """Start the simulator as a user's playbook does and leave it; a poll is made on localhost and on another host."""
        plays: list[dict[str, Any]] = [{"ansible.builtin.import_playbook": START, "vars": variables}]
        hosts = {"localhost": "simulator", "other": "hostvars['localhost'].simulator"}
        for host, fact in hosts.items() if poll else ():
            play = {"hosts": host, "connection": "local", "gather_facts": False, "tasks": [poll]}
            python = {"ansible_python_interpreter": self._ansible.python}
            plays.append({**play, "vars": python, "environment": f"{{{{ {fact}.environment }}}}"})
        (self.folder / "mine.json").write_text(json.dumps(plays), encoding="utf-8")
        return self.run("--inventory", "other,", *arguments, "mine.json")

    def about(self, path: str = "") -> dict[str, Any]:
        """What the ready file says."""
        file = self.folder / path if path else self.home / "cloudwait-simulator.json"
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return content


def listens(port: int) -> bool:
    """Whether somebody listens at a port of this machine."""
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def user(start_ansible: Callable[..., Ansible], tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    folder = tmp_path_factory.mktemp("folder")
    (folder / "scenarios").mkdir()
    (folder / "scenarios" / "evening.json").write_text(json.dumps(SCENARIO), encoding="utf-8")
    (folder / "slides.xml").write_text(SLIDES, encoding="utf-8")
    somebody = User(folder, start_ansible({}))
    yield somebody
    somebody.run(STOP)


def test_a_file_then_a_dict_then_stopped_twice(user: User) -> None:
    first = user.start(POLL_FILM, "-vvv", simulator_scenario="scenarios/evening.json")
    about = user.about()
    assert first.status == 0, first.output
    assert first.counts["changed"] == 1
    assert about["control_key"] not in first.output
    assert f"The stand-in cloud listens on {about['url']}, see {user.home}/cloudwait-simulator.json." in first.output
    assert about["environment"]["CLOUDWAIT_MPS_ENDPOINT"] == about["url"]

    second = user.start(POLL_SLIDES, simulator_scenario=DICT)
    assert second.status == 0, second.output
    new = user.about()
    assert (listens(about["port"]), listens(new["port"])) == (False, True)
    assert new["environment"]["TENCENTCLOUD_TOKEN"] == "EXAMPLE-T"

    stopped = user.run(STOP)
    assert (stopped.status, stopped.counts["changed"]) == (0, 1)
    assert not listens(new["port"])
    again = user.run(STOP)
    assert (again.status, again.counts["changed"], again.counts["failed"]) == (0, 0, 0)


def test_two_side_by_side_have_files_and_ports_of_their_own(user: User) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    variables = {"simulator_ready_file": "second.json", "simulator_port": port, "simulator_max_seconds": 120}
    assert user.start().status == 0
    done = user.start(None, "--check", **variables)  # check mode starts it, too
    assert done.status == 0, done.output
    assert user.about("second.json")["port"] == port != user.about()["port"]
    assert user.run(STOP, "--extra-vars", "simulator_ready_file=second.json").counts["changed"] == 1
    assert (listens(port), listens(user.about()["port"])) == (False, True)
    assert user.run(STOP).counts["changed"] == 1


def test_one_run_may_start_and_stop(user: User) -> None:
    plays = [
        {"ansible.builtin.import_playbook": START, "vars": {"simulator_ready_file": "third.json"}},
        {"ansible.builtin.import_playbook": STOP},  # it knows by the fact
    ]
    (user.folder / "both.json").write_text(json.dumps(plays), encoding="utf-8")
    done = user.run("both.json")
    assert (done.status, done.counts["changed"]) == (0, 2)
    assert not (user.folder / "third.json").exists()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"simulator_scenario": {"taks": []}}, "scenario: has an unknown key 'taks'"),
        ({"simulator_scenario": "absent.json"}, "/absent.json: cannot be read (FileNotFoundError)."),
        (
            {"simulator_scenario": ["evening.json"]},
            "simulator_scenario must be the path of a scenario file, or a scenario as a dict.",
        ),
        ({"simulator_ready_file": "absent/ready.json"}, "absent/ready.json cannot be written (FileNotFoundError)"),
        ({"simulator_ready_file": "mine.json"}, "mine.json is not a ready file of the simulator"),
        ({"simulator_port": "many"}, "argument --port: invalid int value: 'many'"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(user: User, variables: dict[str, Any], sentence: str) -> None:
    done = user.start(**variables)
    assert done.status == 2
    (message,) = re.findall(r'^fatal: .*"msg": "([^\n]*)"\}$', done.output, re.MULTILINE)
    assert sentence in message
