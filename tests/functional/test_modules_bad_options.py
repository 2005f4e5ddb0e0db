# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and credentials that are wrong: one sentence that says which and what to do, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .ansible_runs import MODULES, Run, poll

NO_KEYS = dict.fromkeys(("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_PROFILE"), "")
NO_APP = {"DINGTALK_APP_KEY": "", "DINGTALK_APP_SECRET": ""}


def seen_by(provider: str, **environment: str) -> dict[str, Any]:
    """A poll with this environment."""
    return poll(provider, "x", keywords={"environment": environment})


#: name: a poll, and what has to be said of it; all are errors of the kind config
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "an empty id": (poll("mps", " "), "task_id is empty; give the id that the start call returned"),
    "an agent that lacks members": (
        poll("ess", "x", agent={"app_id": "yDExample", "proxy_operator": {}}),
        "agent lacks proxy_organization_open_id, proxy_operator.open_id",
    ),
    "a bucket without its APPID": (poll("cos_doc", "x", bucket="examplebucket"), 'bucket is "examplebucket", which is not of the form name-appid; give'),
    "a region in words": (poll("cos_doc", "x", region="Beijing"), 'region is "Beijing", which is no region\'s id; give the region\'s id, such as ap-beijing'),
    "swapped keys": (
        poll("mps", "x", secret_id="EXAMPLEFAKESECRETKEY000000000001", secret_key="AKIDEXAMPLEEXAMPLE01"),
        'begins with "AKID", as what belongs into secret_id does; the two are swapped',
    ),
    "a site that is none": (
        poll("dingtalk_doc", "x", keywords={"environment": {"DINGTALK_SITE": "mars"}}),
        'DINGTALK_SITE is "mars", which is no site; give china or intl.',
    ),
    "no one to ask for": (
        {"cloudwait.conversion.ess_task_info": {"task_id": "x"}},
        "neither agent nor operator is given; give agent for a third-party application, or operator",
    ),
    "two editions": (poll("ess", "x", operator={"user_id": "u"}), "agent and operator are both given, and a cloud task of"),
    "an operator of the wrong edition": (
        poll("ess", "x", edition="company"),
        'edition is "company", and agent is given; give operator with this edition',
    ),
    "no region": (poll("cos_doc", "x", region=None), "region is missing"),
    "no time for a request": (poll("mps", "x", request_timeout=0), "request_timeout must be at least 0.001, got"),
    "an international ESS": (poll("ess", "x", site="intl"), "Tencent ESS has no international site"),
    "an id without a key": (
        poll("mps", "x", secret_id="AKIDHALF"),
        "the credentials of the options are incomplete: secret_id is given, secret_key is missing; give all of them",
    ),
    "half a pair in the environment": (
        seen_by("mps", TENCENTCLOUD_SECRET_KEY=""),
        "TENCENTCLOUD_SECRET_ID is given, TENCENTCLOUD_SECRET_KEY is missing",
    ),
    "no Tencent credentials": (seen_by("mps", **NO_KEYS), "no Tencent credentials were given; give secret_id and secret_key"),
    "half an app": (poll("dingtalk_doc", "x", app_key="dingHALF"), "app_key is given, app_secret is missing"),
    "no DingTalk credentials": (seen_by("dingtalk_doc", **NO_APP), "no DingTalk credentials were given; give app_key"),
    "a profile that does not exist": (poll("mps", "x", profile="nowhere"), 'the profile "nowhere" was found neither in '),
    "a profile that is a folder": (poll("mps", "x", profile="folder"), "folder.credential cannot be read (Is a directory)"),
    "a profile of another way to log in": (
        poll("mps", "x", profile="role"),
        'role.credential has as its type "cvm-role", which this collection cannot use; use a profile with keys',
    ),
    "a log-in that has ended": (
        poll("mps", "x", profile="sso"),
        "sso.credential have ended at 2023-11-14T22:13:20Z; renew them by any command of tccli with this profile",
    ),
    "a profile that is a path": (poll("mps", "x", profile="../x"), 'profile is "../x", which is not the name of a profile'),
    "a metadata service elsewhere": (
        poll("mps", "x", cvm_role="r", keywords={"environment": {"CLOUDWAIT_METADATA_ENDPOINT": "https://example.com"}}),
        'CLOUDWAIT_METADATA_ENDPOINT names the host "example.com", which is not this machine',
    ),
    "an endpoint in plain sight": (poll("mps", "x", endpoint="http://example.com"), "is plain http to another machine"),
    "an endpoint with a password": (poll("mps", "x", endpoint="https://me:pa55@example.com"), "has a user name or password"),
}  # fmt: skip

#: name: module, options, and what Ansible itself has to say
REFUSED_BY_ANSIBLE: dict[str, tuple[str, dict[str, Any], str]] = {
    "an unknown option": ("mps", {"task_id": "x", "taskid": "x"}, "Unsupported parameters for (cloudwait.conversion.mps"),
    "no id": ("dingtalk_doc", {}, "missing required arguments: task_id"),
    "no bucket": ("cos_doc", {"task_id": "x", "region": "ap-beijing"}, "missing required arguments: bucket"),
}  # fmt: skip


@pytest.fixture(scope="module")
def cloud(start_cloud: Callable[..., Any]) -> Any:
    return start_cloud({})


@pytest.fixture(scope="module")
def run(cloud: Any, start_ansible: Callable[..., Any]) -> Run:
    ansible = start_ansible(cloud.environment)
    profiles = ansible.home / ".tccli"
    (profiles / "folder.credential").mkdir(parents=True)
    sso = '{"type": "sso", "secretId": "AKIDSSO", "secretKey": "key", "token": "token", "expiresAt": 1700000000}'
    (profiles / "sso.credential").write_text(sso, encoding="utf-8")
    (profiles / "role.credential").write_text('{"type": "cvm-role"}', encoding="utf-8")
    polls = {name: task for name, (task, dummy) in CASES.items()}
    for name, (provider, options, dummy) in REFUSED_BY_ANSIBLE.items():
        polls[name] = {f"cloudwait.conversion.{MODULES[provider]}": options}
    found: Run = ansible.polls(polls)
    return found


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_said_in_one_sentence(run: Run, name: str) -> None:
    error = run.error(name)
    assert (error["kind"], error["retryable"]) == ("config", False)
    assert CASES[name][1] in run.sentence(name)
    assert run.sentence(name).startswith("The poll of the ")


@pytest.mark.parametrize("name", REFUSED_BY_ANSIBLE)
def test_what_ansible_itself_refuses(run: Run, name: str) -> None:
    result = run.results[name]
    assert result["failed"]
    assert REFUSED_BY_ANSIBLE[name][2] in result["msg"]


def test_nothing_was_sent(run: Run, cloud: Any) -> None:
    assert run.results
    assert cloud.journal() == []
