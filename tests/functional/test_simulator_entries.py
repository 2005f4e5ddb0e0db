# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario makes of starts: lives, ids, faults with and without the task being made, and counts."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import AGENT, call, cos_client, refusal
from .test_simulator_copies import APP_TOKEN, AS_APP, TOKENS, copy
from .test_simulator_jobs import ORDER, listed, look, refused
from .test_simulator_server import run as run_program
from .test_simulator_starts import CONVERT, MEDIA, look_at_media, start_media

pytestmark = clients.pytestmark

TASK = {"status": "running"}


def scenario(*starts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**TOKENS, "starts": [{"provider": "dingtalk_doc", **each} for each in starts], **more}


def start_copy(simulator: Any, source: str = "plan") -> Any:
    path, token, body = AS_APP
    return copy(simulator, path, token, {**body, "sourceDentryUuid": source})


def counts(simulator: Any, provider: str = "dingtalk_doc") -> tuple[int, int]:
    """How many starts came, and how many made something."""
    stats = simulator.stats()
    return stats["starts"].get(provider, 0), stats["made"].get(provider, 0)


# Entries


def test_the_first_entry_that_fits_decides(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(
        scenario(
            {"match": "plan", "times": 2, "task_id": "plan-{n}", "life": [{"status": "failed"}]},
            {"match": "plan", "times": 1, "task_id": "one", "life": [{"status": "partial"}]},
            {"match": "letter", "task_id": "letter-{n}", "life": [{"status": "succeeded"}]},
        )
    )
    sources = ["my plan", "letter 1", "plan", "plan b", "letter 2", "plan c"]
    ids = [start_copy(simulator, source).json()["taskId"] for source in sources]
    assert ids[:5] == ["plan-1", "letter-1", "plan-2", "one", "letter-2"]
    states = [simulator.look_at_document(task_id).json()["status"] for task_id in ids]
    assert states == [3, 1, 3, 2, 1, -1]
    assert [entry["task_id"] for entry in simulator.journal()][:6] == ids


def test_match_looks_at_the_input_of_each_provider(start_simulator: Callable[..., Any]) -> None:
    life = [{"status": "failed"}]
    names = {"ess": "plan.docx", "cos_doc": "docs/plan", "mps": "/film."}
    simulator = start_simulator(
        {"starts": [{"provider": provider, "match": name, "life": life} for provider, name in names.items()]}
    )
    assert look_at_media(simulator, start_media(simulator))["Status"] == "FINISH"
    task_id = call(simulator, "essbasic", "CreateFileConvertTask", CONVERT)["TaskId"]
    query = {"Agent": AGENT, "TaskId": task_id}
    assert call(simulator, "essbasic", "DescribeFileConvertTask", query)["TaskStatus"] == -6
    client = cos_client(simulator)
    assert look(client, client.ci_create_doc_job(**ORDER)["JobsDetail"]["JobId"])["State"] == "Failed"


def test_a_given_id_does_not_take_the_place_of_another_task(start_simulator: Callable[..., Any]) -> None:
    task = {"provider": "dingtalk_doc", "task_id": "plan-1", "life": [TASK]}
    simulator = start_simulator(scenario({"task_id": "plan-{n}"}, tasks=[task]))
    assert [start_copy(simulator).json()["taskId"] for dummy in range(2)] == ["plan-2", "plan-3"]


def test_the_life_of_a_started_task_begins_with_the_start(start_simulator: Callable[..., Any]) -> None:
    life = [{"status": "pending", "seconds": 0}, {"status": "running", "seconds": 600}, {"status": "succeeded"}]
    simulator = start_simulator({"starts": [{"provider": "mps", "life": life}]})
    task_id = start_media(simulator)
    page = call(simulator, "mps", "DescribeTasks", {"Status": "PROCESSING"})["TaskSet"]
    assert [entry["TaskId"] for entry in page] == [task_id]


def test_steps_of_started_tasks_are_as_of_others(start_simulator: Callable[..., Any]) -> None:
    life: list[dict[str, Any]] = [{"fault": "http_503"}, {"missing": True}, {"status": "succeeded", "outputs": ["x"]}]
    simulator = start_simulator({"starts": [{"provider": "cos_doc", "life": life}]})
    client = cos_client(simulator)
    job_id = client.ci_create_doc_job(**ORDER)["JobsDetail"]["JobId"]
    assert refused(look, client, job_id)[1] == 503
    assert client.ci_get_doc_job(Bucket=ORDER["Bucket"], JobID=job_id)["NonExistJobIds"] == job_id
    assert look(client, job_id)["Operation"]["DocProcessResult"]["PageInfo"]["TgtUri"] == "x"


def test_entries_can_be_replaced_and_begun_anew(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario({"times": 1, "task_id": "first"}))
    ids = [start_copy(simulator).json()["taskId"] for dummy in range(2)]
    assert (ids[0] == "first", ids[1] == "first") == (True, False)
    simulator.control("reset")
    assert counts(simulator) == (0, 0)
    assert simulator.look_at_document("first").status == 404
    assert start_copy(simulator).json()["taskId"] == "first"
    entry = {"provider": "dingtalk_doc", "at_once": {}}
    assert simulator.control("starts", {"starts": [entry]}) == {"starts": 1}
    assert start_copy(simulator).json()["isAsync"] is False
    with pytest.raises(RuntimeError, match=r"starts\[0\].provider: None is not one of"):
        simulator.control("starts", {"starts": [{}]})


# Faults

NO_ANSWER = (OSError, http.client.HTTPException)
NAMES = ["http_500", "http_502", "http_503", "internal_error", "redirect", "empty", "not_json", "html", "reset"]
BROKEN = ["gzip", "truncated", "truncated_chunked", "wrong_content_length", "hang", "drip", "drip_headers"]
FAST = {"hang": {"seconds": 0}, "drip": {"bytes_per_second": 90000}, "drip_headers": {"bytes_per_second": 90000}}


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Any]) -> Any:
    """One simulator, told anew by each test."""
    return start_cloud(TOKENS)


@pytest.mark.parametrize("after", [None, True, False])
@pytest.mark.parametrize("name", [*NAMES, *BROKEN])
def test_an_answer_is_lost_with_or_without_the_task_made(cloud: Any, name: str, after: bool | None) -> None:
    fault = {"name": name, **FAST.get(name, {}), **({} if after is None else {"after": after})}
    cloud.control("reset")
    cloud.control("starts", {"starts": [{"provider": "dingtalk_doc", "faults": [fault]}]})
    try:
        broken = start_copy(cloud)
    except NO_ANSWER:
        broken = None
    made = after if after is not None else name in BROKEN
    assert counts(cloud) == (1, int(made))
    first = cloud.journal()[0]
    assert (first["verdict"], bool(first["task_id"])) == (name, made)
    if made:
        assert cloud.look_at_document(first["task_id"]).status == 200
    elif broken is not None and name in ("hang", "drip", "drip_headers"):
        assert (broken.status, broken.json()["code"]) == (500, "systemError")
    assert start_copy(cloud).json()["isAsync"] is True
    assert counts(cloud) == (2, 1 + made)


def test_faults_are_played_in_order_one_a_call(start_simulator: Callable[..., Any]) -> None:
    faults: list[Any] = ["throttle", {"name": "http_503", "retry_after": 7}, {"name": "http_502", "after": True}]
    simulator = start_simulator(scenario({"match": "plan", "times": 2, "task_id": "t{n}", "faults": faults}))
    assert start_copy(simulator, "other").status == 200
    answers = [start_copy(simulator) for dummy in range(5)]
    assert [answer.status for answer in answers] == [403, 503, 502, 200, 200]
    assert answers[0].json()["code"] == "Forbidden.AccessDenied.QpsLimitForApi"
    assert answers[1].headers["retry-after"] == "7"
    assert answers[3].json()["taskId"] == "t2"
    assert answers[4].json()["taskId"] != "t3"
    assert simulator.look_at_document("t1").status == 200
    assert counts(simulator) == (6, 4)
    assert simulator.stats()["throttled"] == {"dingtalk_doc": 1}


def test_each_vendor_throttles_starts_in_its_own_form(start_simulator: Callable[..., Any]) -> None:
    providers = ("ess", "cos_doc", "mps")
    simulator = start_simulator({"starts": [{"provider": name, "faults": ["throttle"]} for name in providers]})
    assert refusal(simulator, "mps", "ProcessMedia", MEDIA) == "RequestLimitExceeded"
    assert refusal(simulator, "essbasic", "CreateFileConvertTask", CONVERT) == "RequestLimitExceeded"
    assert refused(cos_client(simulator).ci_create_doc_job, **ORDER) == ("SlowDown", 503)
    assert [counts(simulator, name) for name in providers] == [(1, 0)] * 3
    assert simulator.stats()["throttled"] == dict.fromkeys(providers, 1)
    simulator.control("reset")
    assert refusal(simulator, "mps", "ProcessMedia", MEDIA) == "RequestLimitExceeded"


def test_a_start_beyond_the_rate_makes_nothing(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(rate_limit={"dingtalk_doc": {"per_second": 0, "burst": 1}}))
    assert [start_copy(simulator).status for dummy in range(3)] == [200, 403, 403]
    assert counts(simulator) == (3, 1)


def test_a_session_id_shows_that_a_lost_start_was_made(start_simulator: Callable[..., Any]) -> None:
    order = ("mps", "ProcessMedia", {**MEDIA, "SessionId": "job"})
    simulator = start_simulator(
        {"starts": [{"provider": "mps", "faults": [{"name": "internal_error", "after": True}]}]}
    )
    assert refusal(simulator, *order) == "InternalError"
    assert refusal(simulator, *order) == "InvalidParameterValue.SessionId"
    found = call(simulator, "mps", "DescribeTasks", {"Status": "WAITING"})["TaskSet"]
    assert [look_at_media(simulator, entry["TaskId"])["SessionId"] for entry in found] == ["job"]
    assert counts(simulator, "mps") == (2, 1)


def test_rules_strike_starts_that_they_name(start_simulator: Callable[..., Any]) -> None:
    faults: list[dict[str, Any]] = [
        {"fault": "http_500"},
        {"action": "CopyDocWithAppAuth", "fault": {"name": "http_502", "after": True}, "looks": 1},
        {"action": "CopyDocWithAppAuth", "fault": "http_503", "from_look": 2, "looks": 1},
        {"action": "CopyDocWithAppAuth", "fault": "clock_error"},
    ]
    simulator = start_simulator(scenario({"task_id": "t{n}", "faults": ["http_429"]}, faults=faults))
    assert [start_copy(simulator).status for dummy in range(4)] == [502, 503, 200, 200]
    assert [entry["task_id"] for entry in simulator.journal()] == ["t1", "", "t2", "t3"]
    assert simulator.look_at_document("t1").status == 500


def test_lists_uploads_and_aborts_break_when_they_are_named(start_simulator: Callable[..., Any]) -> None:
    faults: list[dict[str, Any]] = [
        {"fault": "internal_error"},
        {"action": "DescribeTasks", "fault": "internal_error", "looks": 1},
        {"action": "ManageTask", "fault": "internal_error", "looks": 1},
        {"action": "ManageTask", "fault": {"name": "internal_error", "after": True}, "from_look": 2, "looks": 1},
        {"action": "UploadFiles", "fault": "throttle", "looks": 1},
        {"action": "DescribeDocProcessJobs", "fault": "throttle", "looks": 1},
    ]
    simulator = start_simulator({"faults": faults})
    task_id = start_media(simulator)
    lists = ("mps", "DescribeTasks", {"Status": "WAITING"})
    ends = ("mps", "ManageTask", {"OperationType": "Abort", "TaskId": task_id})
    assert refusal(simulator, *lists) == refusal(simulator, *ends) == "InternalError"
    assert [entry["TaskId"] for entry in call(simulator, *lists)["TaskSet"]] == [task_id]
    assert refusal(simulator, *ends) == "InternalError"
    assert call(simulator, *lists)["TaskSet"] == []
    assert refusal(simulator, *ends) == "InvalidParameterValue.NotProcessingTask"
    files = [{"FileName": "a.pdf", "FileBody": "eA=="}]
    upload = ("essbasic", "UploadFiles", {"Agent": AGENT, "BusinessType": "DOCUMENT", "FileInfos": files})
    assert refusal(simulator, *upload) == "RequestLimitExceeded"
    assert call(simulator, *upload)["TotalCount"] == 1
    client = cos_client(simulator)
    assert refused(listed, client) == ("SlowDown", 503)
    assert listed(client) == ([], None)


def test_a_broken_list_breaks_the_right_answer(start_simulator: Callable[..., Any]) -> None:
    fault = {"action": "DescribeTasks", "fault": {"name": "hang", "seconds": 0}}
    simulator = start_simulator({"faults": [fault]})
    task_id = start_media(simulator)
    assert call(simulator, "mps", "DescribeTasks", {"Status": "WAITING"})["TaskSet"][0]["TaskId"] == task_id
    assert simulator.journal()[-1]["verdict"] == "hang"


def test_the_journal_keeps_nothing_of_an_order(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(TOKENS)
    cos_client(simulator).ci_create_doc_job(**ORDER, DocPassword="EXAMPLE-PASSWORD")
    start_media(simulator, SessionContext="EXAMPLE-CONTEXT")
    start_copy(simulator, "EXAMPLE-SOURCE")
    text = json.dumps(simulator.journal())
    assert not any(word in text for word in ("EXAMPLE-", "plan", "film", APP_TOKEN))


# Scenarios


def first(**more: Any) -> dict[str, Any]:
    return {"starts": [{"provider": "mps", **more}]}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"starts": {}}, "starts: must be a list."),
        ({"starts": [{"provider": "s3"}]}, "starts[0].provider: 's3' is not one of cos_doc, "),
        (first(name="x"), "starts[0]: has an unknown key 'name'; known are provider, match, times, task_id,"),
        (
            {**first(task_id="x", times=1), "tasks": [{"provider": "mps", "task_id": "x", "life": [TASK]}]},
            "starts[0].task_id: there already is a task 'x'.",
        ),
        ({"starts": first(task_id="x", times=1)["starts"] * 2}, "starts[1].task_id: there already is a task 'x'."),
        (first(match=""), "starts[0].match: must be text, and not empty."),
        (first(times=0), "starts[0].times: must be a whole number, 1 or more."),
        (first(task_id="x"), "starts[0].task_id: must contain {n} unless times is 1."),
        (first(task_id="x", times=2), "starts[0].task_id: must contain {n} unless times is 1."),
        (first(life=[]), "starts[0].life: must have at least one step."),
        (first(life=[{"native": 5}]), "starts[0].life[0].native: must be text."),
        (first(life=[{"fault": {"name": "reset", "after": True}}]), "life[0].fault: reset has no parameter after."),
        (first(faults="reset"), "starts[0].faults: must be a list."),
        (first(faults=["sleep"]), "starts[0].faults[0]: 'sleep' is not one of http_429,"),
        (first(faults=[{"name": "reset", "after": 1}]), "starts[0].faults[0].after: must be true or false."),
        (first(faults=[{"name": "throttle", "after": True}]), "faults[0].after: throttle turns the call away,"),
        (first(provider="dingtalk_doc", faults=["clock_error"]), "faults[0]: dingtalk_doc has no clock_error."),
        (first(at_once={}), "starts[0].at_once: mps does nothing at once."),
        (
            first(provider="dingtalk_doc", at_once={}, life=[TASK]),
            "starts[0].at_once: makes no task, so it has neither life nor task_id.",
        ),
        (first(provider="dingtalk_doc", at_once=True), "starts[0].at_once: must be an object."),
        (
            {"faults": [{"action": "GetTaskInfo", "fault": {"name": "reset", "after": True}}]},
            "faults[0].fault: reset has no parameter after.",
        ),
        (
            {"tasks": [{"provider": "mps", "task_id": "x", "life": [TASK], "kind": "Painting"}]},
            "tasks[0].kind: 'Painting' is not one of WorkflowTask, ScheduleTask, LiveStreamProcessTask.",
        ),
        (
            {"tasks": [{"provider": "ess", "task_id": "x", "life": [TASK], "kind": "WorkflowTask"}]},
            "tasks[0].kind: ess has no kinds of tasks.",
        ),
        ({"credentials": {"user_access_tokens": [""]}}, "credentials.user_access_tokens[0]: must be text,"),
        ({"credentials": {"user_access_tokens": "x"}}, "credentials.user_access_tokens: must be a list."),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_sentence(tmp_path: Path, content: Any, sentence: str) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    result = run_program("--check", "--scenario", str(path))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert sentence in result.stderr
