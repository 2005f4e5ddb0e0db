# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One module for the cloud tasks of all services: named by options or by a ref, ad hoc and in playbooks."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from .ansible_runs import AGENT, NEEDS, Ansible, Run
from .test_modules_use import examples

TASK_INFO = "cloudwait.conversion.task_info"
FAKE = "EXAMPLE-FAKE-SECRET-IN-A-REF"
PROFILE = {"secretId": "AKIDPROFILE-FAKE-ID", "secretKey": "EXAMPLE-FAKE-PROFILE-KEY"}
KEYS: dict[str, Any] = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
APP = {"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
FILM: dict[str, Any] = {"provider": "mps", "task_id": "mps ended"}
NO_KEYS = {"TENCENTCLOUD_SECRET_ID": "", "TENCENTCLOUD_SECRET_KEY": ""}
NO_APP = {"DINGTALK_APP_KEY": "", "DINGTALK_APP_SECRET": ""}

#: what is refused before anything is sent, and the beginning of what is said of it
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "the cloud task has no provider; give provider as one of "),
    "no provider": ({"task_id": "x"}, "the cloud task has no provider; give provider as one of "),
    "unknown provider": (
        {"provider": "mpz", "task_id": "x"},
        'the cloud task has the provider "mpz", which is not known; give provider as one of ',
    ),
    "no id": ({"provider": "mps"}, "for the cloud task, task_id is empty; give the id that the start call returned"),
    "ref and id": ({"ref": FILM, "task_id": "x"}, "both ref and task_id are given; give ref alone, or provider and "),
    "two cloud tasks": (
        {"ref": {"refs": [FILM, {**FILM, "task_id": "x"}]}},
        "ref holds 2 cloud tasks; give one of them, or wait for all of them with wait_for_task",
    ),
    "no cloud task": ({"ref": {"refs": []}}, "ref holds no cloud task; give the ref or the result of one"),
    "started in check mode": (
        {"ref": {"task": {"ref": {**FILM, "task_id": None}, "status": "unknown"}}},
        "ref has no task_id; give the ref of a cloud task that was started; a start in check mode returns no id",
    ),
    "a failed result": (
        {"ref": {"failed": True, "msg": FAKE}},
        "ref is the result of an Ansible task that failed, so it holds no cloud task; see why in that Ansible task",
    ),
    "a key of another service": (
        {"ref": {**FILM, "bucket": "b"}},
        "ref gives bucket, which mps does not have; leave it out: mps has task_id, ",
    ),
    "a secret": ({"ref": {**FILM, "secret_key": FAKE}}, "ref has the key secret_key; ref may have provider, task_id, "),
    "a secret in a result": (
        {"ref": {"task": {"ref": {**FILM, "token": FAKE}, "status": "running"}, "changed": False}},
        "ref has a ref with the key token; a ref may have provider, task_id, ",
    ),
    "a secret in a member": (
        {"ref": {"provider": "ess", "task_id": "x", "agent": {**AGENT, "secret": FAKE}}},
        'ref: agent has the key "secret"; agent may have app_id, proxy_organization_open_id, ',
    ),
    "a wrong type": ({"ref": {**FILM, "task_id": ["a"]}}, "ref: task_id has the wrong type; give task_id as a text"),
}


def task_info(*, keywords: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """An Ansible task that polls once.

    :param keywords: keywords of the Ansible task, such as ``check_mode``.
    """
    return {TASK_INFO: options, **(keywords or {})}


@pytest.fixture(scope="module")
def ansible(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Ansible:
    ended = [{"provider": word, "task_id": f"{word} ended", "life": [{"status": "succeeded"}]} for word in NEEDS]
    lives = [
        ("mps", "chain", ["pending", "running", "succeeded"]),
        ("mps", "bad", ["partial"]),
        ("cos_doc", "job", ["succeeded"]),
    ]
    others = [
        {"provider": word, "task_id": task_id, "life": [{"status": status} for status in statuses]}
        for word, task_id, statuses in lives
    ]
    keys = [KEYS, {"secret_id": PROFILE["secretId"], "secret_key": PROFILE["secretKey"]}]
    cloud = start_cloud({"tasks": [*ended, *others], "credentials": {"tencent": keys, "dingtalk": [APP]}})
    found: Ansible = start_ansible(cloud.environment)
    (found.home / ".tccli").mkdir()
    (found.home / ".tccli" / "media.credential").write_text(json.dumps(PROFILE), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def run(ansible: Ansible) -> Run:
    tencent = {"group/cloudwait.conversion.tencent": {"profile": "media", "region": "ap-beijing"}}
    dingtalk = {"group/cloudwait.conversion.dingtalk": APP, "group/cloudwait.conversion.all": {"site": "china"}}
    polls = {
        "get": task_info(**FILM, http_method="GET"),
        "profile": task_info(ref={**FILM, "profile": "media"}, **KEYS, keywords={"environment": NO_KEYS}),
        "keys": task_info(ref=FILM, **KEYS, keywords={"environment": NO_KEYS}),
        "check mode": task_info(**FILM, keywords={"check_mode": True}),
        "failed in part": task_info(provider="mps", task_id="bad"),
        "never heard of": task_info(provider="mps", task_id="nobody", request_retries=0),
        "group tencent": task_info(
            ref={"provider": "cos_doc", "task_id": "job", "bucket": "examplebucket-1250000000"},
            keywords={"module_defaults": tencent, "environment": NO_KEYS},
        ),
        "group dingtalk": task_info(
            provider="dingtalk_doc",
            task_id="dingtalk_doc ended",
            keywords={"module_defaults": dingtalk, "environment": NO_APP},
        ),
    }
    polls |= {name: task_info(**options) for name, (options, dummy) in REFUSED.items()}
    return ansible.polls(polls, "-vvv")


def test_mps_can_be_asked_with_get(run: Run) -> None:
    assert run.task("get")["status"] == "succeeded"


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("profile", "profile media"),
        ("keys", "options"),
        ("group tencent", "profile media"),
        ("group dingtalk", "options"),
    ],
)
def test_credentials_come_from_the_ref_the_options_or_the_defaults_of_a_group(run: Run, name: str, source: str) -> None:
    assert run.task(name)["status"] == "succeeded"
    assert run.results[name]["credential_source"] == source


def test_the_defaults_of_groups_complete_what_is_polled(run: Run) -> None:
    assert run.task("group tencent")["ref"]["region"] == "ap-beijing"
    assert run.task("group dingtalk")["ref"]["site"] == "china"


def test_check_mode_polls(run: Run) -> None:
    assert run.task("check mode")["status"] == "succeeded"


def test_a_cloud_task_that_failed_in_part_does_not_fail_the_module(run: Run) -> None:
    assert run.task("failed in part")["status"] == "partial"


def test_a_cloud_task_that_the_vendor_does_not_know_is_an_error(run: Run) -> None:
    assert run.error("never heard of")["kind"] == "not_found"
    assert 'The poll of the Tencent MPS cloud task "nobody" failed' in run.sentence("never heard of")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_one_cloud_task_is_refused_in_a_sentence(run: Run, name: str) -> None:
    assert run.error(name)["kind"] == "config"
    assert run.sentence(name).startswith(f"The poll of the cloud task failed: {REFUSED[name][1]}")
    assert "***" not in run.sentence(name), "a word of the sentence was taken for a secret"


def test_no_secret_in_a_ref_is_shown(run: Run) -> None:
    assert FAKE not in run.output + json.dumps(run.results)


def test_a_result_can_be_polled_again_and_waited_for(ansible: Ansible) -> None:
    ended = {"that": ["third.task.status == 'succeeded'", "third.task.ref == first.task.ref", "end.task.polls == 0"]}
    polled = ansible.play(
        [
            {**task_info(provider="mps", task_id="chain"), "register": "first"},
            {**task_info(ref="{{ first }}"), "register": "second"},
            {**task_info(ref="{{ second.task }}"), "register": "third"},
            {"cloudwait.conversion.wait_for_task": {"tasks": ["{{ third }}"]}, "register": "end"},
            {"ansible.builtin.assert": ended},
        ]
    )
    assert polled.status == 0, polled.output


@pytest.mark.parametrize("options", ['provider=mps task_id="mps ended"', json.dumps({"ref": FILM})])
def test_it_can_be_run_ad_hoc(ansible: Ansible, options: str) -> None:
    python = f"ansible_python_interpreter={ansible.python}"
    polled = ansible.command("adhoc", "localhost", "--extra-vars", python, "-m", TASK_INFO, "-a", options)
    assert polled.status == 0, polled.output
    assert '"status": "succeeded"' in polled.output


def test_its_documentation_can_be_read(ansible: Ansible) -> None:
    polled = ansible.command("doc", TASK_INFO)
    assert polled.status == 0, polled.output
    for words in ("provider", "RETURN VALUES", "endpoint_host", "guide_services", examples("task_info")[0]["name"]):
        assert words in polled.output
    assert "ignore:" not in polled.output
