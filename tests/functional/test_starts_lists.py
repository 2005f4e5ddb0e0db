# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of cloud tasks, which go straight into a wait, and the end of media tasks before their time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import NEEDS, Run
from .start_runs import call, calls_of, error_of, result_of, sentence, task_of
from .wait_runs import life, outcomes, wait

MANY = 205
LIVE = "LiveStreamProcessTask"
TASKS: list[dict[str, Any]] = [
    {"provider": "cos_doc", "task_id": "d{n}", "count": MANY, "life": [{"status": "succeeded"}]},
    life("queued", "pending", "running", "succeeded"),
    life("busy", {"status": "running", "looks": 1}, "succeeded"),
    life("over", "succeeded"),
    life("bad", "failed"),
    life("waits", {"status": "pending", "looks": 99}),
    life("unsure", {"status": "pending", "looks": 99}),
    {**life("stream", {"status": "running", "looks": 99}), "kind": LIVE},
]
FAULTS: list[dict[str, Any]] = [
    {"fault": "http_503", "provider": "cos_doc", "action": "DescribeDocProcessJobs", "from_look": 5, "looks": 1},
    {"fault": {"name": "reset", "after": True}, "provider": "mps", "action": "ManageTask", "task_id": "unsure"},
]


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


def make_tasks() -> dict[str, dict[str, Any]]:
    place = NEEDS["cos_doc"]
    tasks = {
        "all jobs": call("cos_doc_job_list_info", **place),  # three pages
        "broken": call("cos_doc_job_list_info", **place, order="oldest", request_retries=0),  # the second page fails
        "some jobs": call("cos_doc_job_list_info", **place, limit=2, order="oldest", states=["Success", "Failed"]),
        "not over": call("mps_task_list_info", statuses=["PROCESSING", "WAITING"]),
        "failed": call("mps_task_list_info", statuses="FINISH", sub_task_has_failed=True),
        "old": call("mps_task_list_info", end_time="2020-01-01T00:00:00+08:00"),
        "abort over": call("mps_task_abort", task_id="over"),
        "abort running": call("mps_task_abort", task_id="busy"),
        "abort waiting": call("mps_task_abort", task_id="waits"),
        "abort stream": call("mps_task_abort", task_id="stream"),
        "abort unsure": call("mps_task_abort", task_id="unsure"),
    }
    refs = f"{result_of(tasks, 'some jobs')}.refs + {result_of(tasks, 'not over')}.refs"
    return {**tasks, "wait": wait(tasks=f"{{{{ {refs} }}}}", until="done")}


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": TASKS, "faults": FAULTS})
    return Played(start_ansible(cloud.environment).polls(make_tasks()), cloud)


def ids(played: Played, name: str) -> list[str]:
    """The cloud tasks of a list that went well."""
    result = played.run.results[name]
    assert (result["failed"], result["changed"]) == (False, False), result.get("msg")
    assert len(result["entries"]) == len(result["refs"])
    return [ref["task_id"] for ref in result["refs"]]


def test_a_list_has_as_many_pages_as_it_needs(played: Played) -> None:
    assert ids(played, "all jobs") == [f"d{number}" for number in range(MANY, 0, -1)]
    result = played.run.results["all jobs"]
    assert {task["status"] for task in result["tasks"]} == {"succeeded"}
    assert result["truncated"] is False
    assert result["refs"][0] == {"provider": "cos_doc", "task_id": f"d{MANY}", **NEEDS["cos_doc"]}


def test_a_limit_cuts_and_says_so(played: Played) -> None:
    assert ids(played, "some jobs") == ["d1", "d2"]
    assert played.run.results["some jobs"]["truncated"] is True


def test_what_came_before_a_page_that_failed_is_there(played: Played) -> None:
    error = error_of(played.run, "broken")
    assert (error["kind"], error["retryable"], error["http_status"]) == ("server", True, 503)
    assert [ref["task_id"] for ref in played.run.results["broken"]["refs"]] == [f"d{n}" for n in range(1, 101)]
    assert sentence(played.run, "broken").startswith("Listing the Tencent COS cloud tasks failed: ")


def test_media_tasks_are_listed_by_status(played: Played) -> None:
    assert ids(played, "not over") == ["unsure", "waits", "queued", "stream", "busy"]
    statuses = [task["status"] for task in played.run.results["not over"]["tasks"]]
    assert statuses == ["pending", "pending", "pending", "running", "running"]
    assert (ids(played, "failed"), played.run.results["failed"]["tasks"]) == (["bad"], [])
    assert ids(played, "old") == []


def test_what_was_listed_goes_straight_into_a_wait(played: Played) -> None:
    result = played.run.results["wait"]
    assert outcomes(result) == ["satisfied"] * 7
    assert [task["task_id"] for task in result["tasks"]] == ["d1", "d2", "unsure", "waits", "queued", "stream", "busy"]


@pytest.mark.parametrize("name", ["abort waiting", "abort stream"])
def test_what_waits_and_what_streams_is_aborted(played: Played, name: str) -> None:
    task = task_of(played.run, name)
    assert (task["done"], task["status"]) == (True, "failed")


def test_what_is_over_is_left_alone(played: Played) -> None:
    result = played.run.results["abort over"]
    assert (result["failed"], result["changed"], result["task"]["status"]) == (False, False, "succeeded")


def test_what_runs_cannot_be_aborted(played: Played) -> None:
    assert error_of(played.run, "abort running")["kind"] == "invalid"
    assert "MPS aborts cloud tasks only while they wait" in sentence(played.run, "abort running")


def test_an_abortion_that_may_have_happened_is_told_as_that(played: Played) -> None:
    error = error_of(played.run, "abort unsure", changed=True)
    assert (error["kind"], error["retryable"]) == ("network", False)
    assert "it may have been aborted: poll it with mps_task_detail" in sentence(played.run, "abort unsure")


def test_each_abortion_was_sent_once(played: Played) -> None:
    assert calls_of(played.cloud, "ManageTask") == 3
