# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wait gives up on is aborted where that is wanted and where the vendor lets one."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from .wait_runs import Running, check_whole, item, life, until, wait

LIVES = [
    life("good", "succeeded"),
    *(life(name, "pending") for name in ("left", "waiting", "background", "stopped", "in time")),
    life("working", "running"),
    life("paper", "running", provider="dingtalk_doc"),
]
GIVEN_UP = [item("mps", "waiting"), item("mps", "working"), item("dingtalk_doc", "paper")]


def aborted(cloud: Any) -> list[str]:
    """The ids of the cloud tasks that the vendor was asked to abort."""
    return [entry["task_id"] for entry in cloud.journal() if entry["action"] == "ManageTask"]


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Any]) -> Any:
    return start_cloud({"tasks": LIVES})


@pytest.fixture(scope="module")
def run(cloud: Any, start_ansible: Callable[..., Any]) -> Any:
    background = {"async": 30, "poll": 1}
    ansible = start_ansible(cloud.environment)
    ansible.environment["ANSIBLE_ASYNC_DIR"] = str(ansible.home / "jobs")  # else it is looked for in the user's own
    return ansible.polls(
        {
            "left": wait(provider="mps", task_id="left", timeout=1),
            "aborted": wait(tasks=GIVEN_UP, timeout=2, on_timeout="abort"),
            "background": wait(
                provider="mps", task_id="background", timeout=1, on_timeout="abort", keywords=background
            ),
            "in time": wait(provider="mps", task_id="in time", on_timeout="abort", keywords={"timeout": 20}),
            "check mode": wait(provider="mps", task_id="left", on_timeout="abort", keywords={"check_mode": True}),
        }
    )


def test_only_what_waits_at_a_vendor_that_can_is_aborted_and_the_rest_says_why(run: Any) -> None:
    result = run.results["aborted"]
    check_whole(result)
    assert [task["abort"] for task in result["tasks"]] == [
        {"aborted": True, "reason": None},
        {
            "aborted": False,
            "reason": (
                "its status is running, and MPS aborts cloud tasks only while they wait (live streams also while they run)"
            ),
        },
        {"aborted": False, "reason": "DingTalk has no operation that aborts"},
    ]
    assert result["outcome"] == "timed_out"
    assert result["msg"].endswith("; 1 of 3 that had not ended were aborted, see abort of each in tasks.")


def test_a_wait_in_the_background_aborts_too(run: Any) -> None:
    (task,) = run.results["background"]["tasks"]
    assert (task["outcome"], task["abort"]) == ("timed_out", {"aborted": True, "reason": None})


def test_beside_the_keyword_timeout_there_is_still_time_to_abort(run: Any) -> None:
    result = run.results["in time"]
    check_whole(result)
    assert (result["outcome"], result["task"]["abort"]) == ("timed_out", {"aborted": True, "reason": None})
    assert result["elapsed"] < 20


@pytest.mark.parametrize("name", ["left", "check mode"])
def test_nothing_is_aborted_unless_it_is_wanted(run: Any, cloud: Any, name: str) -> None:
    (task,) = run.results[name]["tasks"]
    assert task["abort"] is None
    assert "left" not in aborted(cloud)


def test_a_run_that_is_stopped_aborts_what_it_waits_for(cloud: Any, start_ansible: Callable[..., Any]) -> None:
    running = Running(
        start_ansible(cloud.environment), wait(provider="mps", task_id="stopped", on_timeout="abort", timeout=300)
    )
    try:
        until(lambda: "mps stopped: pending" in running.output, "the first poll")
        running.process.send_signal(signal.SIGTERM)
        until(lambda: "stopped" in aborted(cloud), "the abort")
        until(lambda: not running.processes(), "the end of all that it has started")
    finally:
        running.stop()


@pytest.mark.parametrize("on_timeout", ["leave", "abort"])
def test_no_further_item_of_a_loop_is_waited_for_when_the_program_is_gone(
    cloud: Any, start_ansible: Callable[..., Any], on_timeout: str
) -> None:
    loop = {"loop": ["good", *["left"] * 9], "loop_control": {"pause": 10}}
    waiting = wait(provider="mps", task_id="{{ item }}", on_timeout=on_timeout, keywords=loop)
    running = Running(start_ansible(cloud.environment), waiting)
    try:
        until(lambda: "1 of 1 cloud tasks satisfied the wait" in running.output, "the end of the first wait")
        running.kill()
        began = time.monotonic()
        until(lambda: not running.processes(), "the end of all that it has started")
        assert time.monotonic() - began < 60
    finally:
        running.stop()
