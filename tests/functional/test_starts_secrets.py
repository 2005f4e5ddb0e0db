# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets of starts: passwords of documents, keys inside parameters, tokens of users are never shown or logged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ..cases import STARTS
from .ansible_runs import Run
from .start_runs import call, error_of, media, start, task_of

KEY: dict[str, Any] = {
    "secret_id": "AKIDOPTIONS",
    "secret_key": "FAKE-KEY-OF-OPTIONS",
    "token": "FAKE-TOKEN-OF-OPTIONS",
}
USER_TOKEN, OTHER_TOKEN = "FAKE-TOKEN-OF-A-USER", "FAKE-TOKEN-OF-NOBODY"
DOCUMENT_PASSWORD = "FAKE-DOCUMENT-PASSWORD"
NOTIFY_KEY, S3_KEY, ODD_KEY = "FAKE-NOTIFY-KEY", "FAKE-S3-SECRET-KEY", "FAKE-KEY-THAT-IS-REFUSED"
ITEM_KEY = "FAKE-KEY-IN-AN-ITEM"
OWN = (NOTIFY_KEY, S3_KEY, ODD_KEY, ITEM_KEY)
SECRETS = (KEY["secret_key"], KEY["token"], USER_TOKEN, OTHER_TOKEN, DOCUMENT_PASSWORD, *OWN)
ECHO = "signature_in_message"
#: writes what a module logs to a file; journald and syslog are left alone
LOGGER = """
import sys, types
module = types.ModuleType("syslog")
module.openlog = lambda *options: None
module.syslog = lambda *words: open({path!r}, "a", encoding="utf-8").write(repr(words) + chr(10))
module.LOG_INFO = module.LOG_USER = module.LOG_NOTICE = 0
sys.modules["syslog"] = module
sys.modules["systemd"] = None
"""


def s3(secret: str) -> dict[str, Any]:
    """A start whose source needs keys of another cloud."""
    place = {"S3Bucket": "films", "S3Region": "us-east-1", "S3Object": "/in/plan.mp4", "S3SecretKey": secret}
    source = {"Type": "AWS-S3", "S3InputInfo": place}
    return media("x", InputInfo=source, TaskNotifyConfig={"NotifyType": "URL", "NotifyKey": NOTIFY_KEY})


def make_tasks() -> dict[str, dict[str, Any]]:
    password: dict[str, Any] = {"doc_password": DOCUMENT_PASSWORD}
    nothing_to_do = {**s3(ODD_KEY), "MediaProcessTask": {}}
    return {
        "ess": start("ess", ECHO, **KEY),
        "cos_doc": start("cos_doc", ECHO, **KEY, **password),
        "mps": start("mps", "plan", **KEY, parameters=s3(S3_KEY)),
        "mps echo": start("mps", "plan", **KEY, parameters=media(ECHO, TaskNotifyConfig={"NotifyKey": NOTIFY_KEY})),
        "dingtalk_doc": start("dingtalk_doc", ECHO, user_access_token=USER_TOKEN),
        "wrong user": start("dingtalk_doc", "plan", user_access_token=OTHER_TOKEN),
        "job": start("cos_doc", "plan", **KEY, **password),
        "refused": start("mps", "plan", **KEY, parameters=nothing_to_do),
        "half": start("mps", "plan", secret_key=KEY["secret_key"], parameters=s3(S3_KEY)),
        "item": call("wait_for_task", provider="mps", tasks=[{"task_id": "plan", "secret_key": ITEM_KEY}]),
        "odd option": call("mps_media_task", parameters=s3(ODD_KEY), sesion_id="x"),
    }


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where modules log to, and a folder with what makes them do so."""
    folder = tmp_path_factory.mktemp("log")
    (folder / "sitecustomize.py").write_text(LOGGER.format(path=str(folder / "log.txt")), encoding="utf-8")
    return folder / "log.txt"


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], logged: Path) -> Run:
    starts = [{"provider": provider, "match": ECHO, "faults": [ECHO]} for provider in STARTS]
    credentials = {"tencent": [KEY], "user_access_tokens": [USER_TOKEN]}
    cloud = start_cloud({"starts": starts, "credentials": credentials})
    environment = {name: value for name, value in cloud.environment.items() if not name.startswith("TENCENTCLOUD_")}
    found: Run = start_ansible(environment).polls(make_tasks(), "-vvvv", environment={"PYTHONPATH": str(logged.parent)})
    return found


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_shown_or_logged(run: Run, logged: Path, secret: str) -> None:
    assert secret not in run.output
    assert secret not in json.dumps(run.results, ensure_ascii=False)
    assert secret not in logged.read_text(encoding="utf-8")


def test_modules_write_a_log(logged: Path) -> None:
    text = logged.read_text(encoding="utf-8")
    assert "Invoked with" in text
    assert "access_token=NOT_LOGGING_PARAMETER" in text
    assert "doc_password" not in text  # modules whose options may hold secrets under any name, such as URLs, write none


@pytest.mark.parametrize("name", ["ess", "cos_doc", "mps echo", "dingtalk_doc"])
def test_what_a_vendor_sends_back_is_hidden(run: Run, name: str) -> None:
    assert "********" in error_of(run, name)["message"]


def test_starts_with_secrets_work(run: Run) -> None:
    assert task_of(run, "mps")["status"] == task_of(run, "job")["status"] == "pending"
    process = run.results["job"]["response"]["JobsDetail"][0]["Operation"]["DocProcess"]
    assert process["DocPassword"] == "********"


def test_sentences_stay_readable_beside_what_is_hidden(run: Run) -> None:
    assert "parameters names nothing to do" in error_of(run, "refused")["message"]
    assert "secret_key is given, secret_id is missing" in error_of(run, "half")["message"]
    assert error_of(run, "wrong user")["kind"] == "auth"
    assert "Unsupported parameters for (cloudwait.conversion.mps_media_task)" in run.results["odd option"]["msg"]
