# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted lives: what a cloud task answers at which look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

TOKENS = {"access_tokens": ["EXAMPLE-FAKE-ACCESS-TOKEN"]}


def scenario(*life: dict[str, Any], **more: Any) -> dict[str, Any]:
    task = {"provider": "dingtalk_doc", "task_id": "d", "life": list(life)}
    return {"credentials": TOKENS, "tasks": [task], **more}


def states(simulator: Any, count: int, task_id: str = "d") -> list[Any]:
    """The vendor's statuses at so many looks; an error's code where there was one."""
    bodies = [simulator.look_at_document(task_id).json() for dummy in range(count)]
    return [body.get("status", body.get("code")) for body in bodies]


def test_steps_last_for_looks_and_the_last_one_for_ever(start_simulator: Callable[..., Any]) -> None:
    life: list[dict[str, Any]] = [{"status": "pending", "looks": 2}, {"status": "running"}, {"status": "succeeded"}]
    assert states(start_simulator(scenario(*life)), 6) == [-1, -1, 0, 1, 1, 1]


def test_a_step_lasts_for_seconds(start_simulator: Callable[..., Any]) -> None:
    life: list[dict[str, Any]] = [
        {"status": "pending", "seconds": 0},
        {"status": "running", "seconds": 600},
        {"status": "succeeded"},
    ]
    assert states(start_simulator(scenario(*life)), 3) == [0, 0, 0]


def test_a_task_may_appear_late_and_vanish(start_simulator: Callable[..., Any]) -> None:
    life: list[dict[str, Any]] = [{"missing": True}, {"status": "running"}, {"missing": True}]
    simulator = start_simulator(scenario(*life))
    assert states(simulator, 3) == ["resource.not.found", 0, "resource.not.found"]
    assert [entry["verdict"] for entry in simulator.journal()] == ["resource.not.found", "ok", "resource.not.found"]


def test_errors_answers_and_native_words_are_played(start_simulator: Callable[..., Any]) -> None:
    denied = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    life: list[dict[str, Any]] = [
        {"error": {"code": denied, "message": "no permission"}},
        {"error": {"code": "odd", "http_status": 418}},
        {"native": 7},
        {"answer": {"status": 1, "more": "than usual"}},
        {"answer": "not even JSON", "http_status": 502},
    ]
    simulator = start_simulator(scenario(*life))
    answers = [simulator.look_at_document("d") for dummy in life]
    assert [answer.status for answer in answers] == [403, 418, 200, 200, 502]
    assert answers[0].json()["accessdenieddetail"]["requiredScopes"]
    assert answers[2].json()["status"] == 7
    assert answers[3].json() == {"status": 1, "more": "than usual"}
    assert answers[4].body == b"not even JSON"


def test_many_tasks_live_on_their_own(start_simulator: Callable[..., Any]) -> None:
    task = {
        "provider": "dingtalk_doc",
        "task_id": "night-{n}",
        "count": 3,
        "life": [{"status": "running"}, {"status": "succeeded"}],
    }
    simulator = start_simulator({"credentials": TOKENS, "tasks": [task]})
    assert states(simulator, 2, "night-1") == [0, 1]
    assert states(simulator, 1, "night-3") == [0]
    assert states(simulator, 1, "night-4") == ["resource.not.found"]


def test_tasks_can_be_added_and_lives_begun_anew(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario({"status": "running"}, {"status": "succeeded"}))
    assert states(simulator, 2) == [0, 1]
    simulator.control("reset")
    assert simulator.journal() == []
    assert states(simulator, 1) == [0]
    later = {"provider": "dingtalk_doc", "task_id": "d", "life": [{"status": "failed"}]}
    simulator.control("tasks", {"tasks": [later, {**later, "task_id": "e"}]})
    assert states(simulator, 1) + states(simulator, 1, "e") == [3, 3]


def test_a_provider_throttles_beyond_its_rate(start_simulator: Callable[..., Any]) -> None:
    limit = {"rate_limit": {"dingtalk_doc": {"per_second": 0, "burst": 2}}}
    simulator = start_simulator(scenario({"status": "running"}, **limit))
    throttled = "Forbidden.AccessDenied.QpsLimitForApi"
    assert states(simulator, 4) == [0, 0, throttled, throttled]
    assert simulator.look_at_document("d").status == 403
    assert simulator.stats()["throttled"] == {"dingtalk_doc": 3}


# What the words mean to each vendor. The tokens of these answers are read by nobody, so a plain look is enough for
# DingTalk; the others are asked with the vendor's SDK.


def words(provider: str, *steps: dict[str, Any]) -> dict[str, Any]:
    return {"tasks": [{"provider": provider, "task_id": "x", "life": list(steps)}]}


@pytest.fixture
def ask() -> Callable[..., list[Any]]:
    """Look with the SDK of API 3.0 as often as there are steps."""

    def look(simulator: Any, product: str, action: str, parameters: dict[str, Any], count: int) -> list[Any]:
        from tencentcloud.common.common_client import CommonClient
        from tencentcloud.common.credential import Credential
        from tencentcloud.common.profile.client_profile import ClientProfile
        from tencentcloud.common.profile.http_profile import HttpProfile

        profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url))
        version = {"mps": "2019-06-12", "essbasic": "2021-05-26"}[product]
        credential = Credential("AKIDEXAMPLE-FAKE-ID", "EXAMPLE-FAKE-SECRET-KEY")
        client = CommonClient(product, version, credential, "", profile)
        return [client.call_json(action, {"TaskId": "x", **parameters})["Response"] for dummy in range(count)]

    return look


SILENT = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@SILENT
def test_words_of_ess(start_simulator: Callable[..., Any], ask: Callable[..., list[Any]]) -> None:
    steps: Sequence[dict[str, Any]] = [
        {"status": "pending"},
        {"status": "running"},
        {"status": "unknown"},
        {"status": "failed", "code": -13},
        {"status": "failed"},
        {"status": "succeeded", "outputs": ["yD1"]},
    ]
    agent = {"AppId": "a", "ProxyOrganizationOpenId": "o", "ProxyOperator": {"OpenId": "p"}}
    simulator = start_simulator(words("ess", *steps))
    answers = ask(simulator, "essbasic", "DescribeFileConvertTask", {"Agent": agent}, len(steps))
    assert [answer["TaskStatus"] for answer in answers] == [0, 4, 99, -13, -6, 8]
    assert [answer["ResourceId"] for answer in answers] == ["", "", "", "", "", "yD1"]


@SILENT
def test_words_of_mps(start_simulator: Callable[..., Any], ask: Callable[..., list[Any]]) -> None:
    parts = [{"kind": "SampleSnapshot"}, {"status": "PROCESSING", "progress": 7}]
    steps: Sequence[dict[str, Any]] = [
        {"status": "pending"},
        {"status": "running", "progress": 30},
        {"status": "unknown"},
        {"status": "succeeded", "outputs": ["/a.mp4", "/b.mp4"]},
        {"status": "partial", "code": "InvalidInput"},
        {"status": "partial", "counts": {"succeeded": 2, "failed": 3}},
        {"status": "failed"},
        {"status": "running", "parts": parts},
    ]
    answers = ask(start_simulator(words("mps", *steps)), "mps", "DescribeTaskDetail", {}, len(steps))
    seen = []
    for answer in answers:
        results = answer["WorkflowTask"]["MediaProcessResultSet"]
        tasks = [value for result in results for name, value in result.items() if name != "Type" and value]
        seen.append((answer["Status"], [task["Status"] for task in tasks]))
    assert seen == [
        ("WAITING", []),
        ("PROCESSING", ["PROCESSING"]),
        ("SUSPENDED", ["PROCESSING"]),
        ("FINISH", ["SUCCESS", "SUCCESS"]),
        ("FINISH", ["SUCCESS", "FAIL"]),
        ("FINISH", ["SUCCESS", "SUCCESS", "FAIL", "FAIL", "FAIL"]),
        ("FINISH", ["FAIL"]),
        ("PROCESSING", ["SUCCESS", "PROCESSING"]),
    ]
    assert answers[4]["WorkflowTask"]["MediaProcessResultSet"][1]["ImageSpriteTask"]["ErrCodeExt"] == "InvalidInput"
    assert answers[0]["FinishTime"] == "0000-00-00T00:00:00Z"
    assert answers[3]["FinishTime"] >= answers[3]["CreateTime"]


@SILENT
def test_words_of_cos(start_simulator: Callable[..., Any]) -> None:
    from qcloud_cos import CosConfig, CosS3Client

    steps: Sequence[dict[str, Any]] = [
        {"status": "pending"},
        {"status": "running"},
        {"native": "Pause"},
        {"status": "unknown"},
        {"status": "canceled"},
        {"status": "failed", "code": "BadDocument", "message": "cannot be <read>"},
        {"status": "partial", "counts": {"total": 9, "succeeded": 1, "failed": 2}},
        {"status": "succeeded"},
    ]
    simulator = start_simulator(words("cos_doc", *steps))
    config = CosConfig(
        Region="ap-beijing",
        SecretId="AKIDEXAMPLE-FAKE-ID",
        SecretKey="EXAMPLE-FAKE-SECRET-KEY",
        Scheme="http",
        Proxies={"http": simulator.url},
    )
    client = CosS3Client(config, retry=0)
    jobs = [client.ci_get_doc_job(Bucket="b-1250000000", JobID="x")["JobsDetail"][0] for dummy in steps]
    states = ["Submitted", "Running", "Pause", "Reviewing", "Cancel", "Failed", "Success", "Success"]
    assert [job["State"] for job in jobs] == states
    assert [job["EndTime"] == "-" for job in jobs] == [True, True, True, True, False, False, False, False]
    assert (jobs[5]["Code"], jobs[5]["Message"]) == ("BadDocument", "cannot be <read>")
    result = jobs[6]["Operation"]["DocProcessResult"]
    assert [result[f"{name}PageCount"] for name in ("Total", "Succ", "Fail")] == ["9", "1", "2"]
    assert jobs[7]["Operation"]["DocProcessResult"]["FailPageCount"] == "0"


def test_words_of_dingtalk(start_simulator: Callable[..., Any]) -> None:
    steps: Sequence[dict[str, Any]] = [
        {"status": "pending"},
        {"status": "running", "progress": 50},
        {"status": "unknown"},
        {"status": "failed", "code": 4},
        {"status": "failed"},
        {"status": "partial", "counts": {"succeeded": 5, "failed": 1}},
        {"status": "succeeded"},
    ]
    simulator = start_simulator(scenario(*steps))
    bodies = [simulator.look_at_document("d").json() for dummy in steps]
    assert [body["status"] for body in bodies] == [-1, 0, 9, 4, 3, 2, 1]
    assert bodies[1] == {"taskId": "d", "status": 0, "totalCount": 4, "succCount": 2, "failCount": 0}
    assert bodies[5] == {"taskId": "d", "status": 2, "totalCount": 6, "succCount": 5, "failCount": 1}
