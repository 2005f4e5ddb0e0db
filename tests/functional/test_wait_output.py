# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a pipeline sees while a wait goes on: standard output is a pipe, and no variable is set for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from .ansible_runs import HANGS, ROOT, Ansible
from .wait_runs import PATIENCE, WAIT, life, lines_of, wait

LIVES = [
    life("film", {"status": "running", "progress": 20, "seconds": 2}, {"status": "running", "seconds": 600}),
    life("done", "succeeded"),
    life("until seen", "running"),
]
CALLBACK = '''
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: as_json
type: stdout
short_description: One JSON document at the end
description: [One JSON document at the end.]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "as_json"

    def v2_playbook_on_stats(self, stats):
        import json
        self._display.display(json.dumps({"hosts": sorted(stats.processed)}))
'''


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Any]) -> Any:
    return start_cloud({"tasks": LIVES})


@pytest.fixture(scope="module")
def ansible(cloud: Any, start_ansible: Callable[..., Any]) -> Ansible:
    made: Ansible = start_ansible(cloud.environment)
    assert "PYTHONUNBUFFERED" not in made.environment
    return made


class Piped:
    """``ansible-playbook`` with a wait, read line by line from a pipe while it runs.

    :param stream: what is read, standard output or standard error.
    """

    def __init__(
        self,
        ansible: Ansible,
        waiting: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        stream: str = "stdout",
    ) -> None:
        path = ansible.folder / "piped.json"
        play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"name": "Wait", **waiting}]}
        path.write_text(json.dumps([play]), encoding="utf-8")
        python = f"ansible_python_interpreter={ansible.python}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", "--extra-vars", python, str(path)],
            cwd=ROOT,
            env={**ansible.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if stream == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if stream == "stderr" else subprocess.DEVNULL,
            encoding="utf-8",
        )
        self._stream = self.process.stdout or self.process.stderr

    def lines(self) -> Iterator[str]:
        """The progress lines, as they come."""
        for line in self._stream or ():
            if "] cloudwait: " in line:
                yield line.rstrip("\n")

    def next_line(self, part: str) -> str:
        """The next progress line with some text in it, while the wait still runs."""
        found = next((line for line in self.lines() if part in line), None)
        assert found is not None, f"no line with {part!r}"
        assert self.process.poll() is None, "the line came when the wait was over"
        return found

    def close(self) -> None:
        """Stop reading."""
        if self._stream:
            self._stream.close()

    def end(self) -> None:
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        self.close()


@pytest.fixture
def start_piped(ansible: Ansible) -> Iterator[Callable[..., Piped]]:
    started: list[Piped] = []

    def start(waiting: Mapping[str, Any], *arguments: Any) -> Piped:
        started.append(Piped(ansible, waiting, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.end()


def nobody() -> str:
    """A port of this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_lines_reach_a_pipe_while_the_wait_goes_on(start_piped: Callable[..., Piped]) -> None:
    piped = start_piped(
        wait(provider="mps", tasks=[{"task_id": "film", "name": "Trailer"}], heartbeat=2, timeout="10m")
    )
    assert piped.next_line("Trailer (mps film): running 20 %").startswith("[localhost] cloudwait: Trailer (mps film)")
    piped.next_line("still open (1 running)")


def test_the_first_failed_poll_is_told_at_once(start_piped: Callable[..., Piped]) -> None:
    endpoint = nobody()
    piped = start_piped(
        wait(provider="mps", task_id="film", heartbeat=600, max_errors=1000), {"CLOUDWAIT_MPS_ENDPOINT": endpoint}
    )
    line = piped.next_line("mps film: poll failed")
    assert "trying again for up to 1000 failures in a row or " in line
    assert line.endswith(f"nothing listens at {endpoint[7:]}")


def test_an_unknown_id_is_told_at_once(start_piped: Callable[..., Piped]) -> None:
    piped = start_piped(wait(provider="mps", task_id="nope", heartbeat=600, not_found_grace="1h"))
    piped.next_line("mps nope: not known to the vendor, polling again for ")


def run(ansible: Ansible, *command: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    python = f"ansible_python_interpreter={ansible.python}"
    return subprocess.run(
        [sys.executable, "-m", "ansible", command[0], "--extra-vars", python, *command[1:]],
        cwd=ROOT,
        env={**ansible.environment, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=HANGS,
        check=False,
    )


def test_a_callback_that_writes_for_programs_keeps_standard_output_for_itself(ansible: Ansible) -> None:
    folder = ansible.folder / "callbacks"
    folder.mkdir()
    (folder / "as_json.py").write_text(CALLBACK, encoding="utf-8")
    path = ansible.folder / "programs.json"
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [wait(provider="mps", task_id="done")]}
    path.write_text(json.dumps([play]), encoding="utf-8")
    settings = {"ANSIBLE_STDOUT_CALLBACK": "as_json", "ANSIBLE_CALLBACK_PLUGINS": str(folder)}
    process = run(ansible, "playbook", str(path), environment=settings)
    assert json.loads(process.stdout) == {"hosts": ["localhost"]}
    assert len(lines_of(process.stderr)) == 2


def test_one_line_a_host_stays_one_line(ansible: Ansible) -> None:
    process = run(ansible, "adhoc", "-o", "localhost", "-m", WAIT, "-a", "provider=mps task_id=done", environment={})
    (line,) = process.stdout.splitlines()
    assert json.loads(line.partition(" => ")[2])["outcome"] == "satisfied"
    assert len(lines_of(process.stderr)) == 2


def test_ad_hoc_shows_lines_to_people(ansible: Ansible) -> None:
    process = run(ansible, "adhoc", "localhost", "-m", WAIT, "-a", "provider=mps task_id=done", environment={})
    assert len(lines_of(process.stdout)) == 2


@pytest.mark.parametrize(("callback", "stream"), [("default", "stdout"), ("oneline", "stderr")])
def test_a_reader_that_goes_away_costs_the_lines_and_not_the_run(
    start_piped: Callable[..., Piped], callback: str, stream: str
) -> None:
    """Where standard output is for programs, lines go to standard error."""
    waiting = wait(provider="mps", task_id="film", heartbeat=0.5, timeout=3)
    piped = start_piped(waiting, {"ANSIBLE_STDOUT_CALLBACK": callback}, stream)
    piped.next_line("mps film: running")
    piped.close()  # as head does, when it has enough
    assert piped.process.wait(timeout=PATIENCE) == 2  # the wait has failed, since its time was over


def test_a_reader_that_has_gone_before_costs_nothing_either(start_piped: Callable[..., Piped]) -> None:
    piped = start_piped(wait(provider="mps", task_id="done"))
    piped.close()
    assert piped.process.wait(timeout=PATIENCE) == 0


def test_lines_reach_ansible_runner_while_the_wait_goes_on(cloud: Any, ansible: Ansible, tmp_path: Path) -> None:
    runner = pytest.importorskip("ansible_runner", reason="ansible-runner is not installed")
    (tmp_path / "project").mkdir()
    python = {"ansible_python_interpreter": ansible.python}
    waiting = wait(provider="mps", task_id="until seen")
    play = {"hosts": "localhost", "gather_facts": False, "vars": python, "tasks": [waiting]}
    (tmp_path / "project" / "play.json").write_text(json.dumps([play]), encoding="utf-8")
    seen = []

    def take(event: Mapping[str, Any]) -> bool:
        seen.append(event["stdout"])
        if "mps until seen: running" in event["stdout"]:
            cloud.control("tasks", {"tasks": [life("until seen", "succeeded")]})
        return True

    collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")}
    path = os.pathsep.join((str(Path(sys.executable).parent), ansible.environment["PATH"]))
    runner.run(
        private_data_dir=str(tmp_path),
        playbook="play.json",
        quiet=True,
        envvars={**ansible.environment, **collections, "PATH": path, "ANSIBLE_CONFIG": ""},
        event_handler=take,
    )
    assert any("1 of 1 cloud tasks satisfied the wait" in text for text in seen), seen
