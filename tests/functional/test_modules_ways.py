# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The many ways to poll: names, groups of defaults, operations, sources of credentials, tokens, clocks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import NEEDS, Run, poll

OLD, NEW = "ChannelGetTaskResultApi", "DescribeFileConvertTask"
KEY = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
TEMPORARY = {"secret_id": "AKIDTEMPORARY", "secret_key": "EXAMPLE-FAKE-KEY", "token": "EXAMPLE-FAKE-TOKEN"}
APP = {"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
OTHER_APP = {"app_key": "dingOTHER", "app_secret": "EXAMPLE-FAKE-OTHER-SECRET"}
ACCESS_TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
TWENTY_MINUTES = 1200
NO_KEYS = {"TENCENTCLOUD_SECRET_ID": "", "TENCENTCLOUD_SECRET_KEY": ""}
NO_APP = {"DINGTALK_APP_KEY": "", "DINGTALK_APP_SECRET": ""}
WRONG_KEY = {"TENCENTCLOUD_SECRET_KEY": "a wrong one"}


def seen_by(environment: dict[str, str]) -> dict[str, Any]:
    """A poll's argument: what its environment is besides that of the run."""
    return {"keywords": {"environment": environment}}


def with_defaults(provider: str, group: str, **defaults: Any) -> dict[str, Any]:
    """A poll that has no option but those that the provider needs, and a group of defaults."""
    keywords = {
        "environment": {**NO_KEYS, **NO_APP},
        "module_defaults": {f"group/cloudwait.conversion.{group}": defaults},
    }
    return poll(provider, "x", keywords=keywords)


class Ways(NamedTuple):
    """What was run, and the cloud that most of it was run against."""

    run: Run
    cloud: Any


def write_profiles(home: Path) -> None:
    """Profiles of tccli and of the SDK."""
    (home / ".tccli").mkdir()
    (home / ".tencentcloud").mkdir()
    names = {"secret_id": "secretId", "secret_key": "secretKey", "token": "token"}
    for profile, keys in (("default", KEY), ("night", TEMPORARY)):
        text = json.dumps({names[name]: value for name, value in keys.items()})
        (home / ".tccli" / f"{profile}.credential").write_text(text, encoding="utf-8")
    sdk = f'[media]\nsecret_id = "{KEY["secret_id"]}"\nsecret_key = "{KEY["secret_key"]}"\n'
    (home / ".tencentcloud" / "credentials").write_text(sdk, encoding="utf-8")
    netrc = home / ".netrc"
    netrc.write_text("default login netrcuser password netrcpassword\n", encoding="utf-8")
    netrc.chmod(0o600)


def ways_to_poll(gone: list[str], early: str, late: str) -> dict[str, Any]:
    """The polls, at clouds without an operation, and at clouds whose clocks are off."""
    return {
        "ess early": with_defaults("ess", "tencent", endpoint=early, **KEY),
        "cos_doc early": with_defaults("cos_doc", "tencent", endpoint=early, **KEY),
        "mps late": with_defaults("mps", "tencent", endpoint=late, **KEY),
        "clock unchecked": poll("mps", "x", endpoint=late, validate_certs=False),
        "dingtalk": with_defaults("dingtalk_doc", "dingtalk", **APP),
        **{f"{provider} in all": with_defaults(provider, "all", request_timeout=-1) for provider in NEEDS},
        "redirect": {"cloudwait.conversion.mps_task_info": {"task_id": "redirected"}},
        "old operation gone": poll("ess", "x", endpoint=gone[0]),
        "new operation gone": poll("ess", "x", endpoint=gone[1]),
        "new operation": poll("ess", "x", api_action=NEW),
        "role": poll("cos_doc", "x", cvm_role="builder", region=None, **seen_by({"TENCENTCLOUD_REGION": "ap-x"})),
        "role of the environment": poll("mps", "x", **seen_by({**NO_KEYS, "TENCENTCLOUD_CVM_ROLE": "builder"})),
        "profile": poll("cos_doc", "x", profile="night", **seen_by(WRONG_KEY)),
        "profile of the SDK": poll("ess", "x", profile="media", api_action=OLD),
        "profile of the environment": poll("mps", "by GET", http_method="GET", **seen_by({**NO_KEYS, "TCCLI_PROFILE": "night"})),
        "default profile": poll("mps", "x", **seen_by(NO_KEYS)),
        "options": poll("mps", "x", **TEMPORARY, **seen_by({**WRONG_KEY, "TENCENTCLOUD_TOKEN": "of another key"})),
        "app": poll("dingtalk_doc", "x", client_id=OTHER_APP["app_key"], client_secret=OTHER_APP["app_secret"]),
        "token of the environment": poll(
            "dingtalk_doc", "x", **seen_by({**NO_APP, "DINGTALK_ACCESS_TOKEN": ACCESS_TOKEN})
        ),
        "token that ended": poll("dingtalk_doc", "ended", site="china"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def ways(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Ways:
    tasks = [{"provider": provider, "task_id": "x", "life": [{"status": "succeeded"}]} for provider in NEEDS]
    credentials = {"tencent": [KEY, TEMPORARY], "dingtalk": [APP, OTHER_APP], "access_tokens": [ACCESS_TOKEN]}
    ended = {"fault": "token_refused", "provider": "dingtalk_doc", "task_id": "ended", "looks": 1}
    tasks += [
        {"provider": "dingtalk_doc", "task_id": "ended", "life": [{"status": "succeeded"}]},
        {"provider": "mps", "task_id": "by GET", "life": [{"status": "succeeded"}]},
        {"provider": "mps", "task_id": "redirected", "life": [{"status": "succeeded"}]},
    ]
    cloud = start_cloud({"tasks": tasks, "credentials": credentials, "roles": {"builder": 600}, "faults": [ended]})
    gone = [
        start_cloud({"tasks": tasks, "retired_actions": retired}).url for retired in ([OLD], {NEW: "InvalidAction"})
    ]
    early = start_cloud({"tasks": tasks, "clock_offset": -TWENTY_MINUTES}).url
    late = start_cloud({"tasks": tasks, "clock_offset": TWENTY_MINUTES}).url
    ansible = start_ansible(cloud.environment)
    write_profiles(ansible.home)
    polls = ways_to_poll(gone, early, late)
    return Ways(ansible.polls(polls), cloud)


def source(ways: Ways, name: str) -> str:
    """Where the credentials of a poll that went well came from."""
    assert ways.run.task(name)["status"] == "succeeded"
    found: str = ways.run.results[name]["credential_source"]
    return found


def test_the_other_name_of_the_mps_module_leads_to_it(ways: Ways) -> None:
    assert ways.run.task("redirect")["task_id"] == "redirected"


def test_mps_is_asked_by_post_unless_get_is_wanted(ways: Ways) -> None:
    assert ways.run.task("profile of the environment")["status"] == "succeeded"
    methods = {entry["task_id"]: entry["method"] for entry in ways.cloud.journal() if entry["provider"] == "mps"}
    assert (methods["by GET"], methods["redirected"]) == ("GET", "POST")


@pytest.mark.parametrize("name", ["ess early", "cos_doc early", "mps late"])
def test_the_group_tencent_gives_defaults(ways: Ways, name: str) -> None:
    assert source(ways, name) == "options"


def test_the_group_dingtalk_gives_defaults(ways: Ways) -> None:
    assert source(ways, "dingtalk") == "options"


@pytest.mark.parametrize("provider", NEEDS)
def test_the_group_all_gives_defaults(ways: Ways, provider: str) -> None:
    assert "request_timeout must be at least 0.001, got" in ways.run.sentence(f"{provider} in all")


@pytest.mark.parametrize(
    ("name", "action"),
    [("old operation gone", NEW), ("new operation gone", OLD), ("profile of the SDK", OLD), ("new operation", NEW)],
)
def test_ess_is_asked_with_an_operation_that_there_is(ways: Ways, name: str, action: str) -> None:
    assert ways.run.task(name)["status"] == "succeeded"
    assert ways.run.results[name]["api_action"] == action
    assert "warnings" not in ways.run.results[name]


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("options", "options"),
        ("profile", "profile night"),
        ("profile of the SDK", "profile media"),
        ("profile of the environment", "profile night"),
        ("default profile", "profile default"),
        ("role", "cvm_role builder"),
        ("role of the environment", "cvm_role builder"),
        ("new operation", "environment"),
        ("app", "options"),
        ("token of the environment", "environment"),
    ],
)
def test_credentials_come_whole_from_the_first_source_that_is_given(ways: Ways, name: str, where: str) -> None:
    assert source(ways, name) == where


def test_a_profile_that_was_named_is_needed_to_poll_again(ways: Ways) -> None:
    assert ways.run.task("profile")["ref"] == {
        "provider": "cos_doc",
        "task_id": "x",
        "profile": "night",
        **NEEDS["cos_doc"],
    }


def test_the_keys_of_a_role_are_fetched_anew(ways: Ways) -> None:
    assert source(ways, "role")
    assert ways.cloud.stats()["role_key_fetches"] == 2


def test_a_region_of_the_environment_counts_and_is_told(ways: Ways) -> None:
    assert ways.run.task("role")["ref"]["region"] == "ap-x"


def test_a_dingtalk_token_that_was_refused_is_fetched_again(ways: Ways) -> None:
    task = ways.run.task("token that ended")
    assert (task["status"], task["ref"]["site"]) == ("succeeded", "china")
    calls = [entry for entry in ways.cloud.journal() if entry["provider"] == "dingtalk_doc"][-4:]
    assert [(entry["action"], entry["verdict"]) for entry in calls] == [
        ("GetAccessToken", "ok"),
        ("GetTaskInfo", "token_refused"),
        ("GetAccessToken", "ok"),
        ("GetTaskInfo", "ok"),
    ]


@pytest.mark.parametrize(
    ("name", "side"), [("ess early", "ahead of"), ("cos_doc early", "ahead of"), ("mps late", "behind")]
)
def test_a_clock_that_is_off_is_corrected_aloud(ways: Ways, name: str, side: str) -> None:
    assert ways.run.task(name)["status"] == "succeeded"
    (warning,) = ways.run.results[name]["warnings"]
    said = rf"This host's clock is (\d+) s {side} the vendor's; signatures were corrected, set the clock right\."
    found = re.fullmatch(said, warning)
    assert found, warning
    assert abs(int(found[1]) - TWENTY_MINUTES) < 60


def test_a_clock_is_not_corrected_by_a_server_that_nobody_checked(ways: Ways) -> None:
    assert ways.run.error("clock unchecked")["kind"] == "clock"
    assert "set this host's clock right" in ways.run.sentence("clock unchecked")


def test_a_netrc_file_does_not_replace_signatures(ways: Ways) -> None:
    verdicts = {(entry["provider"], entry["verdict"]) for entry in ways.cloud.journal()}
    assert {verdict for dummy, verdict in verdicts - {("dingtalk_doc", "token_refused")}} == {"ok"}
