# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a wait: outcomes of cloud tasks and of the whole, and what the result says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run
from .wait_runs import ENDLESS, QUICK, check_whole, item, life, outcomes, polls_of, wait

LIVES = [
    life("good", "succeeded"),
    life("slow", {"status": "running", "seconds": 1.5}, "succeeded"),
    life("bad", "running", {"status": "failed", "code": "E-9", "message": "the film is torn"}),
    life("half", "running", {"status": "partial", "message": "one of two failed"}),
    life("stopped", "running", "canceled", provider="cos_doc"),
    life("odd", "unknown", "unknown", "succeeded"),
    life("late", {"missing": True, "looks": 3}, "succeeded"),
    life("vanished", "running", {"missing": True}),
    life("blinking", "running", {"missing": True}, "running", "succeeded"),
    life("denied", {"error": {"code": "UnauthorizedOperation", "message": "not your task"}}),
    *({"provider": "mps", "task_id": name, "life": ENDLESS} for name in ("endless", "endless 2", "endless 3")),
    life("moving", *({"status": "running", "progress": n, "seconds": 0.5} for n in range(1, 6)), {"status": "running"}),
    {"provider": "mps", "task_id": "many {n}", "count": 20, "life": [{"status": "succeeded"}]},
]  # fmt: skip


def mps(*names: str, **options: Any) -> dict[str, Any]:
    """A wait on media tasks."""
    return wait(provider="mps", tasks=list(names), **options)


def make_waits() -> dict[str, dict[str, Any]]:
    every_end = [item("mps", name) for name in ("good", "bad", "half")] + [item("cos_doc", "stopped")]
    return {
        "one": wait(provider="mps", task_id="good"),
        "failed": wait(provider="mps", task_id="bad"),
        "fail fast": mps("bad", "endless"),
        "not fail fast": mps("bad", "slow", fail_fast=False),
        "succeeded wanted": wait(tasks=every_end, fail_fast=False),
        "partial accepted": wait(tasks=every_end, fail_fast=False, until=["succeeded", "partial"]),
        "failed wanted": wait(tasks=every_end, fail_fast=False, until="failed"),
        "canceled wanted": wait(tasks=every_end, fail_fast=False, until="canceled"),
        "done": wait(tasks=every_end, until="done"),
        "any": mps("bad", "endless", "good", require="any"),
        "none can": mps("bad", "half", require="any"),
        "once": mps("good", "endless", timeout=0),
        "timed out": mps("endless", "endless 2", timeout=1),
        "stalled": mps("endless", "moving", stall_timeout=1.0, fail_fast=False),
        "comes and goes": mps("late", "vanished", "blinking", "odd", not_found_grace=300, fail_fast=False),
        "any of two": mps("denied", "endless", require="any", max_polls=3),
        "gravest": mps("denied", "nowhere", "bad", "endless", fail_fast=False, max_polls=30, not_found_grace=0.5),
        "rate": mps(*(f"many {n}" for n in range(1, 21)), rate_limit={"mps": 20}),
        "delay": mps("good", delay=1),
    }


PROBLEMS = {"return_records": "problems", "fail_fast": False}
SHORT = {
    "problems": mps("good", "bad", "slow", **PROBLEMS),
    "no problem": mps("good", "slow", **PROBLEMS),
    "problems of a condition": mps("good", "bad", "slow", condition="task.status == 'succeeded'", **PROBLEMS),
}


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": LIVES})
    return Played(start_ansible(cloud.environment).polls({**make_waits(), **SHORT}), cloud)


def ended(played: Played, name: str) -> dict[str, Any]:
    result: dict[str, Any] = played.run.results[name]
    return result


@pytest.mark.parametrize("name", make_waits())
def test_every_result_is_whole(played: Played, name: str) -> None:
    result = ended(played, name)
    check_whole(result)
    assert result["failed"] == (result["outcome"] != "satisfied")


@pytest.mark.parametrize(
    ("name", "whole", "each"),
    [
        ("one", "satisfied", ["satisfied"]),
        ("failed", "failed", ["failed"]),
        ("fail fast", "failed", ["failed", "unfinished"]),
        ("not fail fast", "failed", ["failed", "satisfied"]),
        ("succeeded wanted", "failed", ["satisfied", "failed", "failed", "failed"]),
        ("partial accepted", "failed", ["satisfied", "failed", "satisfied", "failed"]),
        ("failed wanted", "failed", ["failed", "satisfied", "failed", "failed"]),
        ("canceled wanted", "failed", ["failed", "failed", "failed", "satisfied"]),
        ("done", "satisfied", ["satisfied"] * 4),
        ("none can", "failed", ["failed", "failed"]),
        ("once", "timed_out", ["satisfied", "timed_out"]),
        ("timed out", "timed_out", ["timed_out", "timed_out"]),
        ("stalled", "stalled", ["stalled", "stalled"]),
        ("comes and goes", "not_found", ["satisfied", "not_found", "satisfied", "satisfied"]),
        ("any of two", "error", ["error", "timed_out"]),
        ("gravest", "error", ["error", "not_found", "failed", "timed_out"]),
        ("rate", "satisfied", ["satisfied"] * 20),
        ("delay", "satisfied", ["satisfied"]),
    ],
)
def test_outcomes(played: Played, name: str, whole: str, each: list[str]) -> None:
    result = ended(played, name)
    assert result["outcome"] == whole
    assert outcomes(result) == each


@pytest.mark.parametrize(
    ("name", "total", "problems"),
    [("problems", 3, ["bad"]), ("no problem", 2, []), ("problems of a condition", 3, ["bad"])],
)
def test_only_problems_are_returned_where_wanted(played: Played, name: str, total: int, problems: list[str]) -> None:
    result = ended(played, name)
    assert [task["task_id"] for task in result["tasks"]] == problems
    assert [ref["task_id"] for ref in result["failed_tasks"]] == problems
    assert [task["history"][-1]["status"] for task in result["tasks"]] == ["failed"] * len(problems)
    counts = {status: number for status, number in result["summary"].items() if number}
    assert counts == {"total": total, "succeeded": total - len(problems), **({"failed": 1} if problems else {})}
    assert result["polls"] >= total
    assert ("mps bad failed (E-9: " in result["msg"]) is bool(problems)


def test_one_cloud_task_stands_in_task_too(played: Played) -> None:
    result = ended(played, "one")
    assert result["task"] == result["tasks"][0]
    assert (result["task"]["status"], result["task"]["outcome"]) == ("succeeded", "satisfied")


def test_a_failure_is_told_in_the_vendors_words(played: Played) -> None:
    assert "mps bad failed (E-9: ImageSpriteTask: the film is torn)" in ended(played, "failed")["msg"]
    assert ended(played, "failed")["failed_tasks"] == [{"provider": "mps", "task_id": "bad"}]
    assert "one of two failed" in ended(played, "none can")["msg"]


def test_failing_fast_names_what_is_left(played: Played) -> None:
    assert ended(played, "fail fast")["unfinished_tasks"] == [{"provider": "mps", "task_id": "endless"}]


def test_not_failing_fast_waits_for_the_rest(played: Played) -> None:
    result = ended(played, "not fail fast")
    assert [ref["task_id"] for ref in result["failed_tasks"]] == ["bad"]
    assert result["tasks"][1]["status"] == "succeeded"
    assert result["elapsed"] >= 1.4


def test_any_is_enough(played: Played) -> None:
    result = ended(played, "any")
    assert result["outcome"] == "satisfied"
    assert result["tasks"][2]["outcome"] == "satisfied"
    assert result["tasks"][1]["outcome"] == "unfinished"


def test_the_time_limit_holds(played: Played) -> None:
    assert 1 <= ended(played, "timed out")["elapsed"] < QUICK["timeout"]
    assert "mps endless was still running" in ended(played, "timed out")["msg"]
    assert len(ended(played, "timed out")["unfinished_tasks"]) == 2


def test_a_wait_of_no_time_polls_once(played: Played) -> None:
    assert [task["polls"] for task in ended(played, "once")["tasks"]] == [1, 1]


def test_polls_are_counted(played: Played) -> None:
    assert [task["polls"] for task in ended(played, "any of two")["tasks"]] == [1, 3]
    assert ended(played, "any of two")["api_calls"] == {"mps": 4}


def test_what_moves_does_not_stall(played: Played) -> None:
    still, moving = ended(played, "stalled")["tasks"]
    assert len(moving["history"]) > len(still["history"])
    assert 1 <= still["elapsed"] <= moving["elapsed"]


def test_a_cloud_task_may_appear_late_but_not_vanish(played: Played) -> None:
    late, vanished, *dummy = ended(played, "comes and goes")["tasks"]
    assert late["polls"] == 4
    assert (vanished["polls"], vanished["status"]) == (3, "running")  # seen, then twice unknown
    never_seen = ended(played, "gravest")["tasks"][1]
    assert never_seen["elapsed"] >= 0.5
    assert never_seen["status"] == "unknown"
    assert "TaskNotFound" in ended(played, "comes and goes")["msg"]


def test_a_refusal_of_the_vendor_ends_a_cloud_task_at_once(played: Played) -> None:
    result = ended(played, "any of two")
    assert "UnauthorizedOperation: not your task" in result["msg"]
    assert polls_of(played.cloud, "denied") == 2  # one poll in each of two waits


def test_a_status_that_nobody_documents_is_said_once(played: Played) -> None:
    (warning,) = ended(played, "comes and goes")["warnings"]
    assert 'The status "SUSPENDED" of the mps cloud task "odd" is not one that the vendor documents' in warning


def test_calls_are_spaced(played: Played) -> None:
    times = [entry["time"] for entry in played.cloud.journal() if str(entry["task_id"]).startswith("many ")]
    assert len(times) == 20
    assert ended(played, "rate")["elapsed"] >= 19 / 20


def test_the_first_poll_can_be_later(played: Played) -> None:
    assert ended(played, "delay")["elapsed"] >= 1
