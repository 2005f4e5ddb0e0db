# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets: none is printed or returned, however much Ansible says and whatever a vendor sends back."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from .ansible_runs import NEEDS, Run, poll

FROM_OPTIONS = {"secret_id": "AKIDOPTIONS", "secret_key": "FAKE-KEY-OF-OPTIONS", "token": "FAKE-TOKEN-OF-OPTIONS"}
FROM_ENVIRONMENT = {"secret_id": "AKIDENVIRONMENT", "secret_key": "FAKE-KEY-OF-ENV", "token": "FAKE-TOKEN-OF-ENV"}
FROM_PROFILE = {"secret_id": "AKIDPROFILE", "secret_key": "FAKE-KEY-OF-PROFILE", "token": "FAKE-TOKEN-OF-PROFILE"}
APP_OF_OPTIONS = {"app_key": "dingOPTIONS", "app_secret": "FAKE-APP-SECRET-OF-OPTIONS"}
APP_OF_ENVIRONMENT = {"app_key": "dingENVIRONMENT", "app_secret": "FAKE-APP-SECRET-OF-ENV"}
ACCESS_TOKEN = "FAKE-ACCESS-TOKEN-OF-OPTIONS"
PROXY_PASSWORD, URL_PASSWORD = "FAKE-PROXY-PASSWORD", "FAKE-URL-PASSWORD"
DOCUMENT_PASSWORD, NOTIFY_KEY = "FAKE-DOCUMENT-PASSWORD", "FAKE-NOTIFY-KEY"
SECRETS = (
    *(keys[name] for keys in (FROM_OPTIONS, FROM_ENVIRONMENT, FROM_PROFILE) for name in ("secret_key", "token")),
    APP_OF_OPTIONS["app_secret"],
    APP_OF_ENVIRONMENT["app_secret"],
    ACCESS_TOKEN,
    PROXY_PASSWORD,
    URL_PASSWORD,
    DOCUMENT_PASSWORD,
    NOTIFY_KEY,
)
#: what a signature looks like, and the tokens and keys that the stand-in makes up: long numbers in hexadecimal
SIGNATURES = (r"Signature=[0-9a-f]", r"q-signature=[0-9a-f]", r"\b[0-9a-f]{64}\b", r"\bTmpSecretKey\b")
ECHO = "signature_in_message"


def lives() -> list[dict[str, Any]]:
    """Each provider sends back what it was sent; two send back secrets of their cloud tasks."""
    tasks = [{"provider": provider, "task_id": ECHO, "life": [{"fault": ECHO}]} for provider in NEEDS]
    notify = {"TaskType": "WorkflowTask", "Status": "WAITING", "TaskNotifyConfig": {"NotifyKey": NOTIFY_KEY}}
    job = f"<State>Running</State><Operation><DocProcess><DocPassword>{DOCUMENT_PASSWORD}</DocPassword></DocProcess>"
    xml = f"<Response><JobsDetail>{job}</Operation></JobsDetail></Response>"
    return [
        *tasks,
        {"provider": "mps", "task_id": "notify", "life": [{"answer": notify}]},
        {"provider": "cos_doc", "task_id": "password", "life": [{"answer": xml}]},
        {"provider": "dingtalk_doc", "task_id": "fine", "life": [{"status": "succeeded"}]},
    ]


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Run:
    cloud = start_cloud(
        {
            "tasks": lives(),
            "credentials": {
                "tencent": [FROM_ENVIRONMENT, FROM_OPTIONS, FROM_PROFILE],
                "dingtalk": [APP_OF_ENVIRONMENT, APP_OF_OPTIONS],
                "access_tokens": [ACCESS_TOKEN],
            },
            "roles": {"builder": 600},
        }
    )
    proxy = f"http://someone:{PROXY_PASSWORD}@127.0.0.1:9"
    ansible = start_ansible({**cloud.environment, "HTTPS_PROXY": proxy, "https_proxy": proxy})
    (ansible.home / ".tccli").mkdir()
    names = {"secret_id": "secretId", "secret_key": "secretKey", "token": "token"}
    profile = json.dumps({names[name]: value for name, value in FROM_PROFILE.items()})
    (ansible.home / ".tccli" / "night.credential").write_text(profile, encoding="utf-8")
    polls = {
        **{f"{provider} of the environment": poll(provider, ECHO) for provider in NEEDS},
        "options": poll("ess", ECHO, **FROM_OPTIONS),
        "profile": poll("cos_doc", ECHO, profile="night"),
        "role": poll("mps", ECHO, cvm_role="builder"),
        "app": poll("dingtalk_doc", ECHO, **APP_OF_OPTIONS),
        "access token": poll("dingtalk_doc", ECHO, access_token=ACCESS_TOKEN),
        "notify key": poll("mps", "notify"),
        "document password": poll("cos_doc", "password", **FROM_OPTIONS),
        "fine": poll("dingtalk_doc", "fine", **APP_OF_OPTIONS),
        "half": poll("mps", "x", secret_id=None, secret_key=FROM_OPTIONS["secret_key"]),
        "key with a blank": poll("mps", "x", **{**FROM_OPTIONS, "secret_key": FROM_OPTIONS["secret_key"] + " "}),
        "endpoint": poll("mps", "x", endpoint=f"https://someone:{URL_PASSWORD}@example.com"),
        "dead proxy": poll("mps", "x", endpoint="https://cloudwait.invalid"),
    }
    found: Run = ansible.polls(polls, "-vvvv")
    return found


def shown(run: Run) -> str:
    """All that was printed and returned, and what is readable in it when it is decoded."""
    text = run.output + json.dumps(run.results, ensure_ascii=False)
    coded = re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", text)
    return text + "".join(
        base64.b64decode(one + "==", validate=False).decode("latin-1") for one in coded if len(one.rstrip("=")) % 4 != 1
    )


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_is_shown(run: Run, secret: str) -> None:
    assert secret not in shown(run)


@pytest.mark.parametrize("pattern", SIGNATURES)
def test_no_signature_and_no_token_is_shown(run: Run, pattern: str) -> None:
    assert not re.search(pattern, shown(run))


@pytest.mark.parametrize("name", ["options", "profile", "role", "app", "access token", "ess of the environment"])
def test_what_a_vendor_sends_back_of_a_signature_is_hidden(run: Run, name: str) -> None:
    message = run.error(name)["message"]
    assert re.search(r"Received (authorization|x-acs-dingtalk-access-token): \*{8}", message)
    assert "********" in run.sentence(name)


def test_what_a_vendor_tells_of_its_secrets_is_hidden(run: Run) -> None:
    assert run.results["notify key"]["response"]["TaskNotifyConfig"] == {"NotifyKey": "********"}
    jobs = run.results["document password"]["response"]["JobsDetail"]
    assert jobs[0]["Operation"]["DocProcess"] == {"DocPassword": "********"}


def test_a_token_that_works_is_not_in_the_result(run: Run) -> None:
    assert run.task("fine")["status"] == "succeeded"
    assert not re.search(r"\b[0-9a-f]{32}\b", json.dumps(run.results["fine"]))


def test_options_that_ansible_prints_are_censored(run: Run) -> None:
    printed = re.findall(r'"(secret_id|secret_key|token|app_key|app_secret|access_token)": ("[^"]*"|null)', run.output)
    assert {value for dummy, value in printed} == {"null", '"VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"'}
    assert len({name for name, value in printed if value != "null"}) == 6


def test_sentences_stay_readable_beside_what_is_hidden(run: Run) -> None:
    assert "secret_key is given, secret_id is missing" in run.sentence("half")
    assert "secret_key of the options has blanks around it" in run.sentence("key with a blank")
    assert "has a user name or password in it; give it as https://host" in run.sentence("endpoint")
    assert "nothing listens at the proxy " in run.sentence("dead proxy")
