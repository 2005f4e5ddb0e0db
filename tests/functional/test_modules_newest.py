# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the vendors have added, and what they say in odd places, as playbooks meet it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..cases import CASES
from .ansible_runs import NEEDS, Run, poll
from .start_runs import call, result_of, start, task_of
from .wait_runs import wait

COMPANY = {"operator": {"user_id": "yDExampleUser"}, "agent": None}
LOG_IN = {"secret_id": "AKIDTEMPORARY", "secret_key": "EXAMPLE-FAKE-KEY", "token": "EXAMPLE-FAKE-TOKEN"}
KEY = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
EXPIRED = {"error": {"code": "AccessDenied", "message": "Request has expired", "http_status": 403}}
TOO_OFTEN = {"error": {"code": "OperationDenied.OutQueryLimit", "message": "too many questions"}}
WRAPPED = {"answer": {"success": True, "result": {"taskId": "wrapped", "status": 1}}}
#: the services whose credentials are those of Tencent
OF_TENCENT = [word for word, case in CASES.items() if "secret_id" in case.credentials.options]
INJECTED = "first\n::error::injected\x1b[31m"
TASKS: list[dict[str, Any]] = [
    {"provider": "cos_doc", "task_id": "expired", "life": [{**EXPIRED, "looks": 1}, {"status": "succeeded"}]},
    {"provider": "cos_doc", "task_id": "expired in a wait", "life": [{**EXPIRED, "looks": 1}, {"status": "succeeded"}]},
    {"provider": "ess", "task_id": "too often", "life": [{**TOO_OFTEN, "looks": 1}, {"status": "succeeded"}]},
    {"provider": "ess", "task_id": "company", "life": [{"status": "succeeded"}]},
    {"provider": "dingtalk_doc", "task_id": "wrapped", "life": [WRAPPED]},
    {"provider": "ess", "task_id": "injected", "life": [{"status": "failed", "message": INJECTED}]},
    *({"provider": provider, "task_id": "x", "life": [{"status": "succeeded"}]} for provider in NEEDS),
]


class Played(NamedTuple):
    run: Run
    cloud: Any


def make_tasks(folder: Path) -> dict[str, dict[str, Any]]:
    (folder / "plan.docx").write_bytes(b"PK")
    upload: dict[str, Any] = {"src": str(folder / "plan.docx"), "resource_id": None, "resource_name": None}
    defaults = {"module_defaults": {"group/cloudwait.conversion.tencent": {**KEY, "region": "ap-beijing"}}}
    callback: dict[str, Any] = {
        "callback_url": "https://hooks.example.com/cos?token=FAKE-TOKEN",
        "callback_format": "JSON",
    }
    source: dict[str, Any] = {
        "input_object": None,
        "input_url": "https://files.example.com/march.docx?sign=FAKE-SIGNATURE",
    }
    tasks = {
        "expired": poll("cos_doc", "expired"),
        "wrapped": poll("dingtalk_doc", "wrapped"),
        "injected": poll("ess", "injected"),
        "company": poll("ess", "company", **COMPANY),
        "company start": start("ess", "plan", **upload, **COMPANY, edition="company"),
        "log-in": poll("mps", "x", profile="login"),
        "blanks": poll("mps", " x\n"),
        "site": poll("dingtalk_doc", "x", keywords={"environment": {"DINGTALK_SITE": "china"}}),
        "elsewhere": start("cos_doc", "march", **source, **callback, user_data="march"),
        **{f"region of {word}": poll(word, "x", region=None, keywords=defaults) for word in OF_TENCENT},
        "region of an abort": call("mps_task_abort", task_id="x", keywords=defaults),
    }
    started = [f"{{{{ {result_of(tasks, name)} }}}}" for name in ("company start", "elsewhere")]
    items = [
        {"provider": "ess", "task_id": "too often", "agent": NEEDS["ess"]["agent"]},
        {"provider": "ess", "task_id": "company", "operator": COMPANY["operator"], "edition": "company"},
        {"provider": "cos_doc", "task_id": " expired in a wait ", **NEEDS["cos_doc"]},
    ]
    tasks["wait"] = wait(tasks=[*started, *items])
    tasks["wait for one"] = wait(provider="ess", task_id="company", operator=COMPANY["operator"])
    return tasks


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    cloud = start_cloud({"tasks": TASKS, "credentials": {"tencent": [KEY, LOG_IN]}})
    ansible = start_ansible(cloud.environment)
    (ansible.home / ".tccli").mkdir()
    names = {"secretId": LOG_IN["secret_id"], "secretKey": LOG_IN["secret_key"], "token": LOG_IN["token"]}
    content = {"type": "oauth", **names, "expiresAt": int(time.time()) + 7200, "oauth": {"accessToken": "FAKE"}}
    (ansible.home / ".tccli" / "login.credential").write_text(json.dumps(content), encoding="utf-8")
    return Played(ansible.polls(make_tasks(tmp_path_factory.mktemp("files"))), cloud)


def test_a_clock_that_is_told_of_in_a_message_is_corrected(played: Played) -> None:
    assert played.run.task("expired")["status"] == "succeeded"


def test_an_answer_that_a_gateway_wrapped_is_no_record(played: Played) -> None:
    error = played.run.error("wrapped")
    assert (error["kind"], error["retryable"]) == ("protocol", True)
    assert "without status, which tells the status" in played.run.sentence("wrapped")


def test_what_a_vendor_says_is_one_line(played: Played) -> None:
    assert played.run.task("injected")["error"]["message"] == "first ::error::injected [31m"


def test_the_company_edition_is_looked_at_and_started(played: Played) -> None:
    record = played.run.task("company")
    assert (record["status"], record["ref"]["operator"]) == ("succeeded", COMPANY["operator"])
    assert played.run.results["company"]["api_action"] == "DescribeFileConvertTask"
    started = task_of(played.run, "company start")
    assert started["ref"] == {"provider": "ess", "task_id": started["task_id"], "operator": COMPANY["operator"]}
    assert played.run.results["company start"]["resource_id"]


def test_keys_of_a_log_in_are_used(played: Played) -> None:
    assert played.run.task("log-in")["status"] == "succeeded"
    assert played.run.results["log-in"]["credential_source"] == "profile login"


def test_blanks_around_an_id_are_none_of_it(played: Played) -> None:
    assert played.run.task("blanks")["ref"]["task_id"] == "x"


def test_a_site_of_the_environment_is_in_the_ref(played: Played) -> None:
    assert played.run.task("site")["ref"]["site"] == "china"


@pytest.mark.parametrize("name", [*(f"region of {word}" for word in OF_TENCENT), "region of an abort"])
def test_every_module_of_the_group_takes_a_region(played: Played, name: str) -> None:
    ref = played.run.task(name)["ref"]
    assert ref.get("region") == ("ap-beijing" if "region" in NEEDS[ref["provider"]] else None)


def test_a_job_may_have_a_callback_and_a_document_elsewhere(played: Played) -> None:
    assert task_of(played.run, "elsewhere")["status"] == "pending"
    (job,) = played.run.results["elsewhere"]["response"]["JobsDetail"]
    assert job["Input"] == {"Url": "https://files.example.com/march.docx"}
    assert job["Operation"]["UserData"] == "march"
    text = json.dumps(played.run.results["elsewhere"])
    assert "FAKE-SIGNATURE" not in text
    assert "FAKE-TOKEN" not in text


def test_a_wait_goes_on_over_all_of_them(played: Played) -> None:
    result = played.run.results["wait"]
    assert [record["outcome"] for record in result["tasks"]] == ["satisfied"] * 5, result["msg"]
    assert result["tasks"][4]["task_id"] == "expired in a wait"


def test_the_operator_may_be_an_option_of_a_wait(played: Played) -> None:
    assert played.run.results["wait for one"]["task"]["ref"]["operator"] == COMPANY["operator"]
