# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and aborts whose module is lost on the way: what may have happened is told, and where to look for it.

Modules run with a ``sitecustomize`` that loses them at a known moment: when a request was sent and its answer is awaited.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..cases import CASES, STARTS
from . import ansible_runs
from .ansible_runs import Ansible, Run
from .start_runs import USER, call, error_of, given, sentence, starts_of, task_of
from .wait_runs import Running, life, until

#: how a module is lost, by the variable LOSS of its environment, at the request whose number is in LOSS_AT
SITE = """
import http.client, os, signal, sys, time
answers = []
real = http.client.HTTPConnection.getresponse

def let_time_be_up():
    ansible = os.getpid()
    while b"playbook" not in open(f"/proc/{ansible}/cmdline", "rb").read().split(b"\\0"):
        ansible = int(open(f"/proc/{ansible}/stat").read().rpartition(")")[2].split()[1])
    os.kill(ansible, signal.SIGALRM)  # as the timer does that Ansible has set for the timeout

def lose(self, *args, **options):
    answers.append(real(self, *args, **options))
    if len(answers) == int(os.environ.get("LOSS_AT", "1")):
        loss = os.environ.get("LOSS", "")
        if loss.startswith("SIG"):
            os.kill(os.getpid(), getattr(signal, loss))
        elif loss == "exit":
            os._exit(3)
        elif loss == "crash":
            raise MemoryError("no memory is left")
        elif loss == "hang":
            with open(os.environ["LOSS_PIDS"], "a") as file:
                file.write(f"{os.getpid()}\\n")
            let_time_be_up()
            time.sleep(60)
    return answers[-1]

http.client.HTTPConnection.getresponse = lose
"""
#: an ssh that runs the command here; the connection is lost before or while the module runs, as LOSS says
SSH = """#!/bin/sh
for last; do :; done
case "$last" in
  *LOSS=refused*) echo "ssh: connect to host h port 22: Connection refused" >&2; exit 255;;
  *LOSS=once*) [ -e "$0.once" ] && exec sh -c "$last"; : > "$0.once"; echo "ssh: connect to host h port 22: No route to host" >&2; exit 255;;
  *LOSS=dropped*) sh -c "$last" > "$0.answer"; echo "Connection to h closed by remote host." >&2; exit 255;;
  *) exec sh -c "$last";;
esac
"""
MODULES = {**{word: start.module for word, start in STARTS.items()}, "abort": "mps_task_abort"}
ADVICE = {
    **{word: f"{start.doubt}." for word, start in STARTS.items()},
    "abort": "it may have been aborted: poll it with mps_task_detail.",
}
TRIED = {
    **{word: f"Starting a {CASES[word].title} cloud task failed: " for word in STARTS},
    "abort": "Aborting a Tencent MPS cloud task failed: ",
}
KILLED = "the module was killed by SIGKILL, as when memory runs out"


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


def lost(name: str, loss: str, *, keywords: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """An Ansible task whose module is lost in this way."""
    at = "2" if name == "abort" else "1"  # an abort polls first
    keywords = {**(keywords or {}), "environment": {"LOSS": loss, "LOSS_AT": at}}
    options = {"task_id": f"waits-{loss}"} if name == "abort" else given(name, "plan")
    return call(MODULES[name], keywords=keywords, **{**options, "request_retries": 0, **more})


def tasks_with_a_ledger(ledger: str) -> dict[str, dict[str, Any]]:
    """A start that is lost, and the same again."""
    return {"with a ledger": lost("mps", "SIGKILL", ledger=ledger), "with it again": lost("mps", "", ledger=ledger)}


def tasks_for(ssh: Path) -> dict[str, dict[str, Any]]:
    """All Ansible tasks of the run."""
    remote = {"ansible_connection": "ssh", "ansible_ssh_executable": str(ssh), "ansible_ssh_transfer_method": "piped"}
    become: dict[str, Any] = {
        "become": True,
        "become_user": "nobody",
        "vars": {"ansible_become_exe": str(ssh.with_name("no-sudo"))},
    }
    defaults = {"group/cloudwait.conversion.tencent": {"request_timeout": -1}}
    tasks = {f"{name} killed": lost(name, "SIGKILL") for name in MODULES}
    tasks.update({f"{name} timeout": lost(name, "hang", keywords={"timeout": 600}) for name in MODULES})
    tasks.update({f"{name} told to end": lost(name, "SIGTERM") for name in MODULES})
    tasks.update(
        {
            "exit": lost("mps", "exit"),
            "crash": lost("mps", "crash"),
            "session": lost("mps", "SIGKILL", session_id="night-1"),
            "pipelining": lost("mps", "SIGKILL", keywords={"vars": {"ansible_pipelining": True}}),
            "dropped": lost("cos_doc", "dropped", keywords={"vars": {**remote, "ansible_ssh_retries": 2}}),
            "dropped pipelining": lost(
                "cos_doc",
                "dropped",
                keywords={"vars": {**remote, "ansible_pipelining": True, "ansible_ssh_retries": 2}},
            ),
            "refused": lost("cos_doc", "refused", keywords={"vars": remote, "ignore_unreachable": True}),
            "refused once": lost(
                "mps", "once", keywords={"vars": {**remote, "ansible_pipelining": True, "ansible_ssh_retries": 1}}
            ),
            "no become": lost("mps", "SIGKILL", keywords=become),
            "no become over ssh": lost("mps", "SIGKILL", keywords={**become, "vars": {**become["vars"], **remote}}),
            "defaults": lost("mps", "", keywords={"module_defaults": defaults}, session_id="night-2"),
            "loop": lost("mps", "SIGKILL", keywords={"loop": ["{{ 1 }}", "{{ 2 }}"]}),
            "no_log": lost("mps", "SIGKILL", keywords={"no_log": True}, session_id="EXAMPLE-FAKE-SESSION"),
            "bad option": lost("mps", "SIGKILL", parameters=None),
            "no interpreter": lost("mps", "SIGKILL", keywords={"vars": {"which_python": "/nowhere/python3"}}),
            "check mode": lost("mps", "SIGKILL", keywords={"check_mode": True}),
            "well": lost("mps", ""),
            "background": lost("mps", "", keywords={"async": 30, "poll": 0}),
        }
    )
    return {**tasks, **tasks_with_a_ledger(str(ssh.with_name("starts.ledger")))}


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Ansible], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("losses")
    (folder / "sitecustomize.py").write_text(SITE, encoding="utf-8")
    pids = folder / "pids"
    ssh = folder / "ssh"
    ssh.write_text(SSH, encoding="utf-8")
    ssh.chmod(0o700)
    waits = [life(f"waits-{loss}", {"status": "pending", "looks": 99}) for loss in ("SIGKILL", "SIGTERM", "hang")]
    sudo = folder / "no-sudo"
    sudo.write_text("#!/bin/sh\necho 'sudo: a password is required' >&2\nexit 1\n", encoding="utf-8")
    sudo.chmod(0o700)
    cloud = start_cloud({"tasks": waits})
    ansible = start_ansible({**cloud.environment, **USER, "LOSS_PIDS": str(pids)})
    python = ansible.interpreter(
        "lost-python", f'PYTHONPATH="{folder}" LOSS_PIDS="{pids}"', "export PYTHONPATH LOSS_PIDS"
    )
    arguments = ("--extra-vars", "ansible_python_interpreter='{{ which_python }}'")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ansible_runs, "CRASHES", ())  # here, modules crash on purpose
            run = ansible.polls(tasks_for(ssh), *arguments, vars={"which_python": python})
        yield Played(run, cloud)
    finally:
        for pid in pids.read_text(encoding="utf-8").split() if pids.exists() else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def check_uncertain(played: Played, case: str, name: str, what: str) -> None:
    """The result says what happened, that a cloud task may exist, and where to look for it."""
    error = error_of(played.run, case, changed=True)
    assert (error["kind"], error["retryable"]) == ("interrupted", False)
    assert sentence(played.run, case) == f"{TRIED[name]}{what}; {ADVICE[name]}"
    assert "task" not in played.run.results[case]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_is_killed_may_have_done_it(played: Played, name: str) -> None:
    check_uncertain(played, f"{name} killed", name, KILLED)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_the_timeout_of_the_ansible_task_ends_may_have_done_it(played: Played, name: str) -> None:
    what = "the timeout of the Ansible task (600 s) came while the module ran"
    check_uncertain(played, f"{name} timeout", name, what)
    assert played.run.results[f"{name} timeout"]["timedout"]["period"] == 600


@pytest.mark.parametrize("name", MODULES)
def test_a_module_that_is_told_to_end_says_itself_what_may_have_happened(played: Played, name: str) -> None:
    error = error_of(played.run, f"{name} told to end", changed=True)
    assert (error["kind"], error["retryable"]) == ("interrupted", False)
    said = sentence(played.run, f"{name} told to end")
    assert said.endswith(f"failed: SIGTERM ended this module before the vendor's answer came; {ADVICE[name]}")
    assert played.run.results[f"{name} told to end"]["credential_source"] in ("environment", "options")


def test_a_module_that_ends_without_an_answer_may_have_done_it(played: Played) -> None:
    check_uncertain(played, "exit", "mps", "the module ended without an answer (return code 3): it said nothing")


def test_a_module_that_crashes_may_have_done_it(played: Played) -> None:
    error = error_of(played.run, "crash", changed=True)
    assert (error["kind"], error["retryable"]) == ("interrupted", False)
    assert "no memory is left" in sentence(played.run, "crash")
    assert sentence(played.run, "crash").endswith(ADVICE["mps"])


def test_with_a_session_the_advice_says_how_to_start_it_again(played: Played) -> None:
    error_of(played.run, "session", changed=True)
    assert sentence(played.run, "session").endswith("or start it again with the same session_id.")


def test_with_a_ledger_it_can_be_repeated(played: Played) -> None:
    error = error_of(played.run, "with a ledger", changed=True)
    assert (error["kind"], error["retryable"]) == ("interrupted", True)
    advice = "repeat it with the same ledger, which knows whether a start was sent, and never starts it twice"
    assert sentence(played.run, "with a ledger") == f"{TRIED['mps']}{KILLED}; {advice}."
    assert task_of(played.run, "with it again")["status"] == "pending"
    assert played.run.results["with it again"]["started"] == "adopted"


def test_pipelining_makes_no_difference(played: Played) -> None:
    check_uncertain(played, "pipelining", "mps", KILLED)


@pytest.mark.parametrize("case", ["dropped", "dropped pipelining"])
def test_a_connection_that_breaks_under_the_module_leaves_it_open(played: Played, case: str) -> None:
    assert "unreachable" not in played.run.results[case]
    error = error_of(played.run, case, changed=True)
    assert (error["kind"], error["retryable"]) == ("interrupted", False)
    said = sentence(played.run, case)
    assert said.startswith(f"{TRIED['cos_doc']}the connection to the host was lost while the module ran: ")
    assert said.endswith(f"Connection to h closed by remote host; {ADVICE['cos_doc']}")


def test_nothing_is_started_twice_by_a_connection_that_tries_again(played: Played) -> None:
    lost_starts = 5  # killed, timeout, told to end, and two whose connections broke
    assert starts_of(played.cloud, "cos_doc") == (lost_starts, lost_starts)


def test_a_host_that_was_never_reached_stays_unreachable(played: Played) -> None:
    result = played.run.results["refused"]
    assert result["unreachable"] is True
    assert not result["changed"]
    assert "may exist" not in result["msg"]


def test_connecting_is_tried_again(played: Played) -> None:
    assert task_of(played.run, "refused once")["status"] == "pending"


def test_module_defaults_count(played: Played) -> None:
    error_of(played.run, "defaults")
    assert "request_timeout" in sentence(played.run, "defaults")


def test_each_item_of_a_loop_has_its_own_result(played: Played) -> None:
    results = played.run.results["loop"]["results"]
    assert [result["changed"] for result in results] == [True, True]
    assert all(result["msg"].endswith(ADVICE["mps"]) for result in results)


def test_no_log_hides_it_as_any_other_result(played: Played) -> None:
    assert played.run.results["no_log"]["changed"] is True
    assert "EXAMPLE-FAKE-SESSION" not in played.run.output


@pytest.mark.parametrize("case", ["bad option", "no interpreter", "no become", "no become over ssh"])
def test_a_module_that_surely_did_not_run_has_changed_nothing(played: Played, case: str) -> None:
    result = played.run.results[case]
    assert result["failed"] is True
    assert not result.get("changed")  # ansible-core 2.17 leaves it out when an action raises
    assert "may exist" not in result["msg"]


def test_check_mode_is_never_uncertain(played: Played) -> None:
    assert task_of(played.run, "check mode")["task_id"] is None


def test_what_goes_well_is_told_as_ever(played: Played) -> None:
    assert task_of(played.run, "well")["status"] == "pending"


def test_a_start_in_the_background_is_left_to_async_status(played: Played) -> None:
    result = played.run.results["background"]
    assert not result["failed"]
    assert result["ansible_job_id"]


def test_no_further_item_of_a_loop_is_started_when_the_program_is_gone(
    start_simulator: Callable[..., Any], start_ansible: Callable[..., Ansible]
) -> None:
    cloud = start_simulator()
    loop = {"loop": [1, 2, 3], "loop_control": {"pause": 3}}
    running = Running(start_ansible({**cloud.environment, **USER}), lost("mps", "", keywords=loop))
    try:
        until(lambda: starts_of(cloud, "mps") == (1, 1), "the first start")
        running.kill()
        until(lambda: not running.processes(), "the end of all that it has started")
    finally:
        running.stop()
    assert starts_of(cloud, "mps") == (1, 1)
