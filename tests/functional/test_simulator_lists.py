# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and aborts of media tasks, with the vendor's own SDK as judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import call, refusal
from .test_simulator_starts import lives, look_at_media, package, run, start_media

pytestmark = clients.pytestmark


def listed(simulator: Any, status: str, **more: Any) -> Any:
    return call(simulator, "mps", "DescribeTasks", {"Status": status, **more})


def abort(simulator: Any, task_id: str, operation: str = "Abort") -> Any:
    return call(simulator, "mps", "ManageTask", {"OperationType": operation, "TaskId": task_id})


@pytest.fixture(scope="module")
def quiet(start_cloud: Callable[..., Any]) -> Any:
    """One simulator for all that is refused."""
    return start_cloud()


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_media_tasks_are_listed_by_status_and_page(start_simulator: Callable[..., Any], method: str) -> None:
    simulator = start_simulator(lives("mps", "running"))
    running = start_media(simulator)
    waiting = [start_media(simulator) for dummy in range(25)]
    pages: list[list[str]] = []
    token = ""
    while not pages or token:
        asked = {"Status": "WAITING", **({"ScrollToken": token} if token else {})}
        page = run(simulator, "mps", "DescribeTasks", asked, method)
        token = page.ScrollToken
        pages.append([entry.TaskId for entry in page.TaskSet])
        assert page.TotalCount == 25
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [task_id for page in pages for task_id in page] == waiting[::-1]
    only = listed(simulator, "PROCESSING")
    assert [entry["TaskId"] for entry in only["TaskSet"]] == [running]
    assert sorted(only["TaskSet"][0]) == sorted(
        ("TaskId", "TaskType", "CreateTime", "BeginProcessTime", "FinishTime", "SubTaskTypes")
    )
    assert only["TaskSet"][0]["FinishTime"] == "0000-00-00T00:00:00Z"
    assert listed(simulator, "FINISH")["TaskSet"] == []
    assert len(listed(simulator, "WAITING", Limit=100)["TaskSet"]) == 25
    assert len(listed(simulator, "WAITING", Limit="3")["TaskSet"]) == 3


def test_a_list_of_media_tasks_is_narrowed(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(lives("mps", "succeeded", "partial", "failed"))
    good, some, bad = (start_media(simulator) for dummy in range(3))

    def ids(**more: Any) -> list[str]:
        return [entry["TaskId"] for entry in listed(simulator, "FINISH", **more)["TaskSet"]]

    assert ids(SubTaskHasFailed=True) == [bad, some]
    assert ids(SubTaskHasFailed=False) == [good]
    created = listed(simulator, "FINISH", Limit=1)["TaskSet"][0]["CreateTime"]
    assert bad in ids(StartTime=created, EndTime=created)
    assert ids(StartTime="2100-01-01T00:00:00Z") == ids(EndTime="2000-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, "MissingParameter"),
        ({"Status": "FAIL"}, "InvalidParameterValue"),
        ({"Status": "FINISH", "Limit": 101}, "InvalidParameterValue.Limit"),
        ({"Status": "FINISH", "Limit": 0}, "InvalidParameterValue.Limit"),
        ({"Status": "FINISH", "ScrollToken": "?"}, "InvalidParameterValue"),
        ({"Status": "FINISH", "Offset": 1}, "UnknownParameter"),
    ],
)
def test_a_wrong_list_is_refused(quiet: Any, parameters: dict[str, Any], code: str) -> None:
    assert refusal(quiet, "mps", "DescribeTasks", parameters) == code


def test_a_wrong_time_is_refused(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    start_media(simulator)
    code = refusal(simulator, "mps", "DescribeTasks", {"Status": "WAITING", "StartTime": "yesterday"})
    assert code == "InvalidParameterValue"


def test_what_has_no_status_is_not_listed_but_what_has_one_is(start_simulator: Callable[..., Any]) -> None:
    tasks = [
        {"provider": "mps", "task_id": "answer", "life": [{"answer": {}}]},
        {"provider": "mps", "task_id": "gone", "life": [{"missing": True}, {"status": "pending"}]},
        {"provider": "mps", "task_id": "broken", "life": [{"fault": "reset"}, {"status": "pending"}]},
        {"provider": "ess", "task_id": "another", "life": [{"status": "pending"}]},
    ]
    simulator = start_simulator({"tasks": tasks})
    found = [
        entry["TaskId"] for word in ("WAITING", "PROCESSING", "FINISH") for entry in listed(simulator, word)["TaskSet"]
    ]
    assert found == ["broken"]


def test_only_a_waiting_task_is_aborted(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(lives("mps", "pending", "running"))
    waiting, running = (start_media(simulator) for dummy in range(2))
    client, models = package(simulator, "mps")
    request = models.ManageTaskRequest()
    request.OperationType, request.TaskId = "Abort", waiting
    assert client.ManageTask(request).RequestId
    end = look_at_media(simulator, waiting)
    assert (end["Status"], end["WorkflowTask"]["MediaProcessResultSet"]) == ("FINISH", [])
    assert end["WorkflowTask"]["ErrCode"] != 0
    assert "aborted" in end["WorkflowTask"]["Message"]
    for task_id in (waiting, running):
        again = ("mps", "ManageTask", {"OperationType": "Abort", "TaskId": task_id})
        assert refusal(simulator, *again) == "InvalidParameterValue.NotProcessingTask"
    assert look_at_media(simulator, running)["Status"] == "PROCESSING"
    assert next(entry["task_id"] for entry in simulator.journal() if entry["action"] == "ManageTask") == waiting


@pytest.mark.parametrize("word", ["pending", "running"])
def test_a_live_stream_is_aborted_while_it_runs(start_simulator: Callable[..., Any], word: str) -> None:
    task = {"provider": "mps", "task_id": "live", "kind": "LiveStreamProcessTask", "life": [{"status": word}]}
    simulator = start_simulator({"tasks": [task]})
    entry = listed(simulator, {"pending": "WAITING", "running": "PROCESSING"}[word])["TaskSet"][0]
    assert (entry["TaskType"], entry["SubTaskTypes"]) == ("LiveProcessTask", [])
    abort(simulator, "live")
    end = run(simulator, "mps", "DescribeTaskDetail", {"TaskId": "live"})
    assert (end.TaskType, end.Status, end.WorkflowTask) == ("LiveStreamProcessTask", "FINISH", None)
    assert end.LiveStreamProcessTask.ErrCode != 0
    simulator.control("reset")
    assert look_at_media(simulator, "live")["Status"] != "FINISH"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"OperationType": "Abort"}, "MissingParameter"),
        ({"TaskId": "x"}, "MissingParameter"),
        ({"OperationType": "Pause", "TaskId": "x"}, "InvalidParameterValue.InvalidOperationType"),
        ({"OperationType": "Abort", "TaskId": "nobody knows it"}, "ResourceNotFound.TaskNotFound"),
    ],
)
def test_a_wrong_abort_is_refused(quiet: Any, parameters: dict[str, Any], code: str) -> None:
    assert refusal(quiet, "mps", "ManageTask", parameters) == code
