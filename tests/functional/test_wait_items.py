# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a wait is about: items in all their forms, defaults, accounts, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import AGENT, NEEDS, Run, poll
from .wait_runs import check_whole, free_of, item, life, outcomes, polls_of, wait

SECRET = "EXAMPLE-FAKE-MISPLACED-SECRET"
FIRST = {"secret_id": "AKIDFIRST", "secret_key": "EXAMPLE-FAKE-FIRST-KEY"}
SECOND = {"secret_id": "AKIDSECOND", "secret_key": "EXAMPLE-FAKE-SECOND-KEY"}
APP = {"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
LIVES = [
    *(life(name, "succeeded") for name in ("text", "dict", "ended", "twin", "of two accounts", "42")),
    life("going", "running", "succeeded"),
    life("failing", "failed"),
    *(life("any", "succeeded", provider=provider) for provider in NEEDS),
]
DONE: dict[str, Any] = {
    "provider": "mps", "task_id": "never asked", "status": "succeeded", "native_status": "FINISH", "done": True,
    "progress": 100, "counts": None, "error": None, "parts": [], "outputs": [], "created_at": None,
    "started_at": None, "finished_at": None, "request_id": None, "ref": {"provider": "mps", "task_id": "never asked"},
}  # fmt: skip
RUNNING = {**DONE, "task_id": "text", "status": "running", "done": False, "ref": {"provider": "mps", "task_id": "text"}}
DEFAULTS = {**NEEDS["cos_doc"], **NEEDS["ess"], "api_action": "auto"}


def mps(*items: Any, **options: Any) -> dict[str, Any]:
    """A wait on media tasks."""
    return wait(provider="mps", tasks=list(items), **options)


GOOD: dict[str, dict[str, Any]] = {
    "forms": mps("text", {"task_id": "dict"}, {"task": DONE}, RUNNING, 42),
    "results": wait(tasks="{{ polls.results }}", fail_fast=False),
    "twins": mps("twin", {"task_id": "twin", "provider": "mps"}, "twin"),
    "a text with commas": wait(provider="mps", tasks="text, twin"),
    "nothing": wait(tasks=[]),
    "nothing of any": wait(tasks=[], require="any"),
    "all is over": wait(tasks=[{"task": DONE}]),
    "over and wanted otherwise": wait(tasks=[{"task": DONE}], until="failed"),
    "defaults": wait(tasks=[{"provider": provider, "task_id": "any"} for provider in NEEDS], **DEFAULTS),
    "default of an account": mps("of two accounts", profile="second"),
    "decided before a poll": wait(tasks=[{"task": {**DONE, "status": "failed"}}, item("mps", "x")], delay=50),
    "a record beside its own cloud task": mps(
        "twin",
        {"task": {**DONE, "task_id": "twin", "ref": {"provider": "mps", "task_id": "twin"}}},
        require="any",
        timeout=0,
    ),
    "of the item": mps({"task_id": "of two accounts", "profile": "second"}, **{**FIRST, "profile": "second"}),
    "two accounts": mps(
        {"task_id": "of two accounts", "profile": "first"}, {"task_id": "of two accounts", "profile": "second"}
    ),
    "no such account": mps({"task_id": "x", "profile": "third"}),
    "an account besides options": mps("text", {"task_id": "of two accounts", "profile": "second"}, **FIRST),
}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": (mps({"task_id": "x", "tsak": 1}), "tasks[0] has the key tsak"),
    "unknown keys of short values": (
        mps({"task_id": "x", "to": "a", "item": "task"}), "tasks[0] has the key to, item; an item may have provider,"
    ),
    "mistyped provider": (wait(provider="mpss", task_id="x"), 'the cloud task has the provider "mpss", which is not known; give provider as one of'),
    "secret": (mps("x", {"task_id": "y", "secret_key": SECRET}), "tasks[1] has the key secret_key"),
    "secret in a ref": (mps({"task": {**DONE, "ref": {**DONE["ref"], "token": SECRET}}}), "with the key token"),
    "secret in agent": (
        wait(tasks=[item("ess", "x", agent={**AGENT, "secret_key": SECRET})]), 'tasks[0]: agent has the key "secret_key"'
    ),
    "endpoint in an item": (mps({"task_id": "x", "endpoint": f"http://u:{SECRET}@host"}), "has the key endpoint"),
    "foreign": (mps({"task_id": "x", "bucket": "b-1"}), "tasks[0] gives bucket, which mps does not have"),
    "no provider": (wait(tasks=["x"]), "tasks[0] has no provider; give provider as one of "),
    "no id": (wait(provider="mps"), "task_id is empty"),
    "id that is a list": (mps({"task_id": ["x"]}), "tasks[0]: task_id has the wrong type"),
    "no record": (mps({"task": {"status": "done", "password": SECRET}}), "is no record of this collection"),
    "skipped": (mps({"skipped": True, "changed": False}), "of an Ansible task that was skipped"),
    "mistyped action": (wait(tasks=[item("ess", "x", api_action="Descibe")]), 'api_action is "Descibe", which is no operation for this; give one of auto, '),
    "both": (wait(provider="mps", task_id="x", tasks=["y"]), "both tasks and task_id are given"),
    "endpoint for two": (wait(tasks=[item("mps", "x"), item("ess", "x")], endpoint="http://127.0.0.1:1"), "2 services"),
    "mistyped option": (mps("x", time_out=3), "time_out"),
    "mistyped status": (mps("x", until="suceeded"), 'the word "suceeded", which is none of'),
    "expression for until": (mps("x", until="task.done"), "for an expression use condition"),
    "nothing until": (mps("x", until=[]), "until is an empty list"),
    "negative": (mps("x", timeout=-1), "timeout must be at least 0, got -1"),
    "endless": (mps("x", timeout="inf"), 'timeout is "inf", which is no duration'),
    "not a number": (mps("x", sleep="soon"), 'sleep is "soon", which is no duration'),
    "wrong rate": (mps("x", rate_limit={"mps": 0}), "rate_limit of mps is 0, which is no number above 0"),
    "no bucket": (wait(provider="cos_doc", task_id="x", region="ap-beijing"), "bucket"),
    "bucket that cannot be": (
        wait(tasks=[item("mps", "x"), item("cos_doc", "y", bucket="nodash")]), 'for tasks[1], bucket is "nodash", which is not of the form name-appid; '
    ),
    "half a key and a profile": (mps("x", secret_key=SECRET, profile="first"), "secret_id is missing"),
    "half a key": (mps("x", secret_id=SECRET), "secret_key"),
}  # fmt: skip


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud(
        {"tasks": LIVES, "credentials": {"tencent": [FIRST, SECOND], "dingtalk": [APP]}},
    )
    ansible = start_ansible(cloud.environment)
    (ansible.home / ".tccli").mkdir()
    for name, key in (("first", FIRST), ("second", SECOND)):
        text = json.dumps({"secretId": key["secret_id"], "secretKey": key["secret_key"]})
        (ansible.home / ".tccli" / f"{name}.credential").write_text(text, encoding="utf-8")
    polls = poll("mps", "{{ item }}", keywords={"loop": ["ended", "failing", "going"], "register": "polls"})
    refused = {name: task for name, (task, dummy) in REFUSED.items()}
    return Played(ansible.polls({**GOOD, **refused}, "-vvvv", pre_tasks=[polls]), cloud)


def ended(played: Played, name: str) -> dict[str, Any]:
    result: dict[str, Any] = played.run.results[name]
    return result


def of(played: Played, name: str) -> list[str]:
    return [task["task_id"] for task in ended(played, name)["tasks"]]


def test_items_come_in_three_forms(played: Played) -> None:
    assert of(played, "forms") == ["text", "dict", "never asked", "text", "42"]
    assert of(played, "a text with commas") == ["text", "twin"]
    assert outcomes(ended(played, "forms")) == ["satisfied"] * 5
    assert polls_of(played.cloud, "never asked") == 0


def test_results_of_a_loop_of_polls_can_be_waited_on(played: Played) -> None:
    result = ended(played, "results")
    assert of(played, "results") == ["ended", "failing", "going"]
    assert outcomes(result) == ["satisfied", "failed", "satisfied"]
    assert [task["polls"] for task in result["tasks"]] == [0, 0, 1]
    assert polls_of(played.cloud, "ended") == 1  # that of the loop


def test_the_same_cloud_task_is_looked_at_once_and_reported_as_often_as_it_is_listed(played: Played) -> None:
    result = ended(played, "twins")
    assert outcomes(result) == ["satisfied"] * 3
    assert result["tasks"][0] == result["tasks"][1] == result["tasks"][2]
    assert (polls_of(played.cloud, "twin"), result["polls"], result["api_calls"]) == (3, 1, {"mps": 1})
    beside = ended(played, "a record beside its own cloud task")
    assert (outcomes(beside), beside["polls"]) == (["satisfied"] * 2, 1)


@pytest.mark.parametrize("name", ["nothing", "nothing of any"])
def test_nothing_to_wait_for_is_satisfied_with_a_warning(played: Played, name: str) -> None:
    result = ended(played, name)
    assert outcomes(result) == []
    assert (result["outcome"], result["failed"]) == ("satisfied", False)
    assert result["warnings"] == ["The list of cloud tasks is empty, so there was nothing to wait for."]


def test_what_is_over_needs_no_poll(played: Played) -> None:
    assert outcomes(ended(played, "all is over")) == ["satisfied"]
    assert outcomes(ended(played, "over and wanted otherwise")) == ["failed"]
    assert ended(played, "all is over")["api_calls"] == {}


def test_records_that_are_the_verdict_need_no_poll_of_the_rest(played: Played) -> None:
    result = ended(played, "decided before a poll")
    assert (outcomes(result), result["polls"]) == (["failed", "unfinished"], 0)


def test_defaults_go_to_the_items_that_they_belong_to(played: Played) -> None:
    result = ended(played, "defaults")
    assert outcomes(result) == ["satisfied"] * len(NEEDS)
    assert [task["ref"] for task in result["tasks"]] == [item(provider, "any") for provider in NEEDS]


def test_items_may_be_of_two_accounts(played: Played) -> None:
    result = ended(played, "two accounts")
    assert outcomes(result) == ["satisfied", "satisfied"]
    assert [task["ref"].get("profile") for task in result["tasks"]] == ["first", "second"]
    assert result["polls"] == 2
    both = ended(played, "an account besides options")
    assert [task["ref"].get("profile") for task in both["tasks"]] == [None, "second"]
    assert outcomes(ended(played, "of the item")) == ["satisfied"]
    assert ended(played, "default of an account")["task"]["ref"]["profile"] == "second"


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_sense_is_refused_with_a_sentence(played: Played, name: str) -> None:
    sentence = played.run.sentence(name)
    assert REFUSED[name][1] in sentence
    result = ended(played, name)
    assert (result["outcome"], outcomes(result)) == ("error", [])
    assert (result["error"]["kind"], result["error"]["retryable"]) == ("config", False)
    assert result["error"]["message"] in sentence


@pytest.mark.parametrize("name", GOOD)
def test_every_result_is_whole(played: Played, name: str) -> None:
    check_whole(ended(played, name))


def test_an_account_that_is_not_there_ends_a_cloud_task_without_a_request(played: Played) -> None:
    result = ended(played, "no such account")
    assert outcomes(result) == ["error"]
    assert 'the profile "third"' in result["msg"]
    assert (result["task"]["poll_error"]["kind"], result["api_calls"]) == ("config", {})


def test_nothing_was_asked_for_what_is_refused(played: Played) -> None:
    assert not {"x", "y", "never asked"} & {entry["task_id"] for entry in played.cloud.journal()}


def test_secrets_are_never_shown(played: Played) -> None:
    free_of([SECRET, FIRST["secret_key"], SECOND["secret_key"]], played.run)
