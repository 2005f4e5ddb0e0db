# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rounds that do not come back: a module that is killed, a connection that dies, a host that is not there."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from .wait_runs import PATIENCE, Running, item, life, lines_of, outcomes, polls_of, until, wait

SSHD = Path("/usr/sbin/sshd")


def kill_module(run: Running, cloud: Any, *, spared: set[int] | None = None) -> set[int]:
    """Kill the module in the middle of a round, and give back who that was."""
    found: set[int] = until(lambda: set(run.modules()) - (spared or set()), "a round")
    before = polls_of(cloud, "x")
    until(lambda: polls_of(cloud, "x") > before + 1, "a poll")
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return found | (spared or set())


@pytest.fixture
def cloud(start_cloud: Callable[..., Any]) -> Any:
    return start_cloud({"tasks": [life("x", "running"), life("y", "succeeded")]})


def end_well(cloud: Any) -> None:
    cloud.control("tasks", {"tasks": [life("x", "succeeded")]})


def test_a_wait_survives_the_end_of_its_module(cloud: Any, start_ansible: Callable[..., Any]) -> None:
    run = Running(start_ansible(cloud.environment), wait(provider="mps", tasks=["x", "y"]))
    try:
        until(lambda: polls_of(cloud, "x") > 1, "a second round")
        kill_module(run, cloud)
        until(lambda: "a round was lost, 1 in a row" in run.output, "a word about it")
        end_well(cloud)
        assert outcomes(run.result()) == ["satisfied", "satisfied"]
    finally:
        run.stop()


@pytest.mark.parametrize("become", [None, "su", "sudo"])
def test_nothing_lives_on_when_the_controller_is_killed(
    cloud: Any, start_ansible: Callable[..., Any], become: str | None
) -> None:
    if become and (os.geteuid() or not shutil.which(become)):
        pytest.skip(f"only root needs no password for {become}, which must be installed")
    ansible = start_ansible({**cloud.environment, "ANSIBLE_BECOME_ALLOW_SAME_USER": "1"})
    flags = {"ansible_sudo_flags": "-H -S -n -E"}  # -E, since a mark in the environment shows whose processes they are
    keywords = {"become": True, "become_method": f"ansible.builtin.{become}", "vars": flags} if become else {}
    run = Running(ansible, wait(provider="mps", tasks=["x", "y"], heartbeat=600, timeout=900, keywords=keywords))
    try:
        until(lambda: polls_of(cloud, "x") > 3 and run.modules(), "a round")
        run.kill()
        until(lambda: not run.processes(), "the end of all that it has started, long before its round would end")
    finally:
        run.stop()


def test_the_same_crash_twice_ends_the_wait_with_what_is_known(cloud: Any, start_ansible: Callable[..., Any]) -> None:
    run = Running(start_ansible(cloud.environment), wait(provider="mps", tasks=["x", "y"]))
    try:
        until(lambda: polls_of(cloud, "x") > 1, "a second round")
        kill_module(run, cloud, spared=kill_module(run, cloud))
        result = run.result()
        assert (result["outcome"], outcomes(result)) == ("error", ["error", "satisfied"])
        assert result["tasks"][0]["status"] == "running"
    finally:
        run.stop()


def test_a_crash_is_told_in_its_last_words(cloud: Any, start_ansible: Callable[..., Any]) -> None:
    ansible = start_ansible(cloud.environment)
    (ansible.folder / "requests").mkdir()
    text = 'raise RuntimeError("the install of requests is broken")\n'
    (ansible.folder / "requests" / "__init__.py").write_text(text, encoding="utf-8")
    broken = {"environment": {"PYTHONPATH": str(ansible.folder)}}
    run = ansible.polls({"crash": wait(provider="mps", task_id="x", keywords=broken)})
    assert "the install of requests is broken" in run.sentence("crash")
    assert outcomes(run.results["crash"]) == []


def test_a_module_that_starts_slowly_still_makes_the_last_polls(cloud: Any, start_ansible: Callable[..., Any]) -> None:
    ansible = start_ansible(cloud.environment)
    ansible.python = ansible.interpreter("slow-python", "sleep 6")
    run = ansible.polls({"slow": wait(provider="mps", tasks=["x", "y"], timeout=15)})
    result = run.results["slow"]
    assert outcomes(result) == ["timed_out", "satisfied"]
    assert result["tasks"][0]["poll_error"] is None, "the last poll was made, and its answer read"
    assert result["polls"] == result["api_calls"]["mps"] == len([one for one in cloud.journal() if one["task_id"]])
    assert result["tasks"][1]["elapsed"] > 5, "seconds count from the start of the wait, not of the module"


def test_a_module_that_never_starts_leaves_no_file_with_keys(
    cloud: Any, start_ansible: Callable[..., Any], tmp_path: Path
) -> None:
    ansible = start_ansible({**cloud.environment, "ANSIBLE_REMOTE_TMP": str(tmp_path / "remote")})
    ansible.python = ansible.interpreter("hanging-python", "sleep 300")
    run = ansible.polls({"hangs": wait(provider="mps", task_id="x", timeout=1)})
    assert "the host gave no sign of life for 8 s" in run.sentence("hangs")
    assert not list((tmp_path / "remote").iterdir())


HANGING_NAMES = """
import socket, time

resolve = socket.getaddrinfo


def hang(host, *arguments, **options):
    if host == "hangs.example":
        time.sleep(300)
    return resolve(host, *arguments, **options)


socket.getaddrinfo = hang
"""


def test_a_name_server_that_never_answers_costs_neither_the_time_limit_nor_the_other_services(
    cloud: Any, start_ansible: Callable[..., Any]
) -> None:
    ansible = start_ansible({**cloud.environment, "CLOUDWAIT_ESS_ENDPOINT": "https://hangs.example", "HTTPS_PROXY": ""})
    (ansible.folder / "sitecustomize.py").write_text(HANGING_NAMES, encoding="utf-8")
    keywords = {"environment": {"PYTHONPATH": str(ansible.folder)}}
    both = [item("ess", "z"), item("mps", "x")]
    waits = {
        "alone": wait(tasks=both[:1], timeout=3, keywords=keywords),
        "beside another": wait(tasks=both, timeout=15, request_timeout=2, keywords=keywords),
    }
    results = ansible.polls(waits).results
    for name, limit in (("alone", 3), ("beside another", 15)):
        assert results[name]["outcome"] == "timed_out"
        assert results[name]["elapsed"] < limit + 20  # the name server would take 300 s
    hanging, going = results["beside another"]["tasks"]
    assert hanging["poll_error"]["message"].startswith("no connection to hangs.example was made within ")
    assert going["polls"] > 3
    assert going["status"] == "running"


# The same over ssh


def install_sshd() -> None:
    """An ssh server that can be started by hand, or the reason why there is none."""
    if not SSHD.exists() and os.geteuid() == 0 and shutil.which("apt-get"):
        command = ["apt-get", "install", "--yes", "--no-install-recommends", "openssh-server", "openssh-client"]
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(command, env=quiet, capture_output=True, check=False)
    if not SSHD.exists() or not shutil.which("ssh"):
        pytest.skip("openssh-server is not installed, and cannot be installed here")


class Host:
    """This machine, reached over ssh."""

    def __init__(self, folder: Path) -> None:
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._folder = folder
        settings = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": folder / "host",
            "AuthorizedKeysFile": folder / "user.pub",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "PidFile": "none",
            "StrictModes": "no",
            "UsePAM": "no",
            "MaxStartups": "100",
        }
        text = "".join(f"{name} {value}\n" for name, value in settings.items())
        (folder / "sshd_config").write_text(text, encoding="utf-8")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where it goes to give up its rights
        self.start()

    def start(self) -> None:
        """Start sshd."""
        log, settings = str(self._folder / "log"), str(self._folder / "sshd_config")
        self.process = subprocess.Popen([str(SSHD), "-D", "-E", log, "-f", settings])
        until(self._listens, "the start of sshd")

    def _listens(self) -> bool:
        assert self.process.poll() is None, (self._folder / "log").read_text(encoding="utf-8")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def variables(self) -> dict[str, Any]:
        """How Ansible gets there."""
        options = "-o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR"
        return {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(self._folder / "user"),
            "ansible_ssh_common_args": options,
        }

    def children(self, parent: int | None = None) -> list[int]:
        """The processes of its connections."""
        own = parent or self.process.pid
        text = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
        pairs = [tuple(map(int, line.split())) for line in text.splitlines()]
        return [pid for pid, above in pairs if above == own]

    def cut(self) -> None:
        """End all connections."""
        for pid in [deeper for child in self.children() for deeper in (*self.children(child), child)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Let no connection answer any more, as when packets vanish on the way."""
        for pid in [
            self.process.pid,
            *(deeper for child in self.children() for deeper in (child, *self.children(child))),
        ]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)

    def stop(self) -> None:
        """End it with all its connections."""
        connected = self.children()
        self.process.kill()
        self.process.wait(timeout=PATIENCE)
        for pid in connected:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    install_sshd()
    far = Host(tmp_path)
    yield far
    far.stop()


@pytest.fixture
def run_far(host: Host, cloud: Any, start_ansible: Callable[..., Any]) -> Iterator[Callable[..., Running]]:
    """Start a wait on that host."""
    ansible = start_ansible(cloud.environment)
    sockets = tempfile.mkdtemp(prefix="cw")  # the path of a socket must be short
    ansible.environment["ANSIBLE_SSH_CONTROL_PATH_DIR"] = sockets
    started: list[Running] = []

    def start(**options: Any) -> Running:
        add = {"ansible.builtin.add_host": {"name": "far", **host.variables(), **options.pop("variables", {})}}
        keywords = {"delegate_to": "far", "environment": cloud.environment, **options.pop("keywords", {})}
        waiting = wait(provider="mps", tasks=["x", "y"], keywords=keywords, **options)
        started.append(Running(ansible, waiting, pre_tasks=[add], name=f"far-{len(started)}"))
        return started[-1]

    yield start
    for run in started:
        run.stop()
    shutil.rmtree(sockets)


@pytest.mark.parametrize("retries", [0, 3])
def test_a_wait_over_ssh_survives_the_end_of_its_connection(
    run_far: Callable[..., Running], host: Host, cloud: Any, retries: int
) -> None:
    run = run_far(variables={"ansible_ssh_retries": retries})  # Ansible would repeat a round with its old time limits
    until(lambda: polls_of(cloud, "x") > 3, "a second round")
    host.cut()
    until(lambda: "a round was lost, 1 in a row" in run.output, "a word about it")
    end_well(cloud)
    assert outcomes(run.result()) == ["satisfied", "satisfied"]
    assert not any("lost, 2 in a row" in line for line in lines_of(run.output))


def test_nothing_lives_on_at_the_host_when_the_controller_is_killed(
    run_far: Callable[..., Running], cloud: Any
) -> None:
    run = run_far(heartbeat=600, timeout=900)
    until(lambda: polls_of(cloud, "x") > 3, "a second round")
    run.kill()
    until(lambda: not run.modules(), "the end of the module, long before its round would end")


def test_a_host_that_is_gone_ends_the_wait_and_leaves_the_state(
    run_far: Callable[..., Running], host: Host, cloud: Any, tmp_path: Path
) -> None:
    state = tmp_path / "state.json"
    run = run_far(max_errors=2, state_file=str(state))
    until(lambda: polls_of(cloud, "x") > 3, "a second round")
    host.stop()
    result = run.result()
    assert (result["outcome"], outcomes(result)) == ("error", ["error", "satisfied"])
    assert result["tasks"][0]["poll_error"]["kind"] == "network"
    assert state.exists()


def polling_within(cloud: Any, start: Callable[[float], Running]) -> tuple[Running, float]:
    """A wait that polls, and its time limit in seconds: a longer one where the module was not there in time."""
    limits = iter((12.0, 50.0))

    def attempt() -> tuple[Running, float] | None:
        limit, began = next(limits), time.monotonic()
        run, before = start(limit), polls_of(cloud, "x")
        until(lambda: polls_of(cloud, "x") > before + 3 or run.process.poll() is not None, "a second round")
        if time.monotonic() - began < limit / 2:
            return run, limit
        run.stop()
        return None

    found: tuple[Running, float] = until(attempt, "a round that is in time")
    return found


@pytest.mark.parametrize("keywords", [{}, {"timeout": 600}], ids=["its own limit", "beside the keyword timeout"])
def test_a_wait_ends_by_its_own_clock_when_the_host_is_silent_and_leaves_the_state(
    run_far: Callable[..., Running], host: Host, cloud: Any, keywords: dict[str, Any], tmp_path: Path
) -> None:
    def start(limit: float) -> Running:
        state = str(tmp_path / f"state-{limit}.json")
        return run_far(timeout=limit, heartbeat=1, state_file=state, keywords=keywords)

    run, limit = polling_within(cloud, start)
    host.freeze()
    began = time.monotonic()
    result = run.result()
    assert time.monotonic() - began < limit + 30  # without a limit, Ansible waits for ever
    assert (result["outcome"], outcomes(result)) == ("timed_out", ["timed_out", "satisfied"])
    assert "the host gave no sign of life for " in result["msg"]
    assert result["tasks"][0]["status"] == "running"
    assert (tmp_path / f"state-{limit}.json").exists()
    until(lambda: not run.processes(), "the end of the ssh that waits for the host")


def test_a_connection_is_tried_again_as_often_as_ssh_is_configured_to(
    run_far: Callable[..., Running], host: Host, cloud: Any
) -> None:
    host.stop()
    end_well(cloud)
    run = run_far(variables={"ansible_ssh_retries": 5})
    time.sleep(3.0)  # by then, the first attempts have failed on most machines
    host.start()
    assert outcomes(run.result()) == ["satisfied", "satisfied"]


def test_a_host_that_cannot_be_reached_at_first_is_unreachable_at_once(
    run_far: Callable[..., Running], host: Host, cloud: Any
) -> None:
    host.stop()
    result = run_far(keywords={"ignore_unreachable": True}).result()
    assert result["unreachable"] is True
    assert result["changed"] is False
    assert polls_of(cloud, "x") == 0
