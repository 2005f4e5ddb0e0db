# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every promise of polls and waits, kept by each service that is registered; with real Ansible, at a stand-in cloud.

What differs between services is in ``tests/cases``, one file a service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from ..cases import CASES
from ..cases._case import RECORD, TERMINAL, Case
from .ansible_runs import NOWHERE, Run, poll
from .start_runs import result_of
from .wait_runs import free_of, item, life, outcomes, wait

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
ECHO = "signature_in_message"
#: faults of the vendor's own, and the kinds of errors that they must become
FAULTS = {"throttle": "throttled", "internal_error": "server", ECHO: None}
PLAYED = [(case, status) for case in CASES.values() for status in case.plays]

each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
each_status = pytest.mark.parametrize(("case", "status"), PLAYED, ids=[f"{case.word}-{word}" for case, word in PLAYED])


class Played(NamedTuple):
    """What was run against which cloud, and the cloud to which no variable led for a poll."""

    run: Run
    cloud: Any
    unheard: Any


def lives(case: Case) -> Iterator[dict[str, Any]]:
    """The cloud tasks of a service: one in each status, one for each fault, and one that comes to its end."""
    for status in case.plays:
        yield life(status, status, provider=case.word)
    for name in FAULTS:
        yield life(name, {"fault": name}, provider=case.word)
    yield life("goes on", "pending", "running", "succeeded", provider=case.word)


def task_info(*, keywords: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    return {"cloudwait.conversion.task_info": {"request_retries": 0, **options}, **(keywords or {})}


def polls_of_service(case: Case, unheard: Any) -> dict[str, dict[str, Any]]:
    """The polls of a service, by the word of the service and what they are about."""

    def by_options(task_id: str, **more: Any) -> dict[str, Any]:
        return task_info(**item(case.word, task_id), **more)

    endpoints = {name: value for name, value in unheard.environment.items() if name.endswith("_ENDPOINT")}
    without = {**endpoints, f"CLOUDWAIT_{case.word.upper()}_ENDPOINT": ""}
    polls = {status: by_options(status) for status in case.plays}
    polls |= {name: by_options(name) for name in FAULTS}
    polls |= {
        "by its module": poll(case.word, "succeeded"),
        "check mode": by_options("succeeded", keywords={"check_mode": True}),
        "never started": by_options("never started"),
        "wrong credentials": by_options("succeeded", **case.credentials.wrong),
        "no variable": by_options("succeeded", keywords={"environment": without}),
    }
    return {f"{case.word} {name}": task for name, task in polls.items()}


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": [task for case in CASES.values() for task in lives(case)]})
    unheard = start_cloud({"tasks": [task for case in CASES.values() for task in lives(case)]})
    tasks = {name: task for case in CASES.values() for name, task in polls_of_service(case, unheard).items()}
    for word in CASES:
        tasks[f"{word} by ref"] = task_info(ref=f"{{{{ {result_of(tasks, f'{word} succeeded')}.task.ref }}}}")
    tasks["wait"] = wait(tasks=[item(word, "goes on") for word in CASES])
    return Played(start_ansible(cloud.environment).polls(tasks, "-vvv"), cloud, unheard)


@each_status
def test_a_status_becomes_a_record(played: Played, case: Case, status: str) -> None:
    result = played.run.results[f"{case.word} {status}"]
    record = played.run.task(f"{case.word} {status}")
    assert sorted(record) == sorted(RECORD)
    assert (record["status"], record["native_status"]) == (status, case.plays[status])
    assert record["done"] is (status in TERMINAL)
    assert (record["error"] is not None) is (status in ("failed", "partial"))
    assert record["ref"] == item(case.word, status)
    assert record["request_id"]
    assert result["response"]
    assert result["credential_source"] == "environment"
    assert result["endpoint_host"] == f"127.0.0.1:{played.cloud.port}"


@each_status
def test_only_an_unknown_status_gives_a_warning(played: Played, case: Case, status: str) -> None:
    said = f'The status "{case.plays[status]}" of the {case.word} cloud task "{status}" is not one that'
    warnings = played.run.results[f"{case.word} {status}"].get("warnings", [])
    assert [said in warning for warning in warnings] == ([True] if status == "unknown" else [])


@each_case
@pytest.mark.parametrize("how", ["by its module", "by ref", "check mode"])
def test_every_way_to_poll_gives_the_same(played: Played, case: Case, how: str) -> None:
    wanted, other = (played.run.results[f"{case.word} {name}"] for name in ("succeeded", how))
    assert {**played.run.task(f"{case.word} {how}"), "request_id": None} == {**wanted["task"], "request_id": None}
    assert sorted(other) == sorted(wanted)
    assert sorted(other["response"]) == sorted(wanted["response"])


@each_case
def test_a_cloud_task_that_the_vendor_does_not_know_is_not_found(played: Played, case: Case) -> None:
    error = played.run.error(f"{case.word} never started")
    assert (error["kind"], error["retryable"]) == ("not_found", False)
    sentence = played.run.sentence(f"{case.word} never started")
    assert sentence.startswith(f'The poll of the {case.title} cloud task "never started" failed: ')
    assert "; check the " in sentence


@each_case
@pytest.mark.parametrize("name", ["throttle", "internal_error"])
def test_what_may_pass_is_told_with_the_vendors_code(played: Played, case: Case, name: str) -> None:
    error = played.run.error(f"{case.word} {name}")
    kind = FAULTS[name]
    assert (error["kind"], error["retryable"]) == (kind, True)
    assert case.errors[error["code"]] == kind
    assert error["request_id"]


@each_case
def test_wrong_credentials_are_refused_with_advice(played: Played, case: Case) -> None:
    error = played.run.error(f"{case.word} wrong credentials")
    assert (error["kind"], error["retryable"]) == ("auth", False)
    assert played.run.results[f"{case.word} wrong credentials"]["credential_source"] == "options"
    sentence = played.run.sentence(f"{case.word} wrong credentials")
    assert [name for name in case.credentials.secrets if name in sentence.rpartition(";")[2]]


@each_case
def test_without_a_variable_a_poll_of_these_tests_goes_nowhere(played: Played, case: Case) -> None:
    error = played.run.error(f"{case.word} no variable")
    assert (error["kind"], error["http_status"]) == ("network", None)
    sentence = played.run.sentence(f"{case.word} no variable")
    assert (
        f"nothing listens at the proxy {NOWHERE.partition('//')[2]} of the environment variable HTTPS_PROXY" in sentence
    )
    assert case.host in sentence
    assert "endpoint_host" not in played.run.results[f"{case.word} no variable"]
    assert played.unheard.journal() == []


def test_a_wait_sees_a_cloud_task_of_each_service_to_its_end(played: Played) -> None:
    result = played.run.results["wait"]
    count = len(CASES)
    assert outcomes(result) == ["satisfied"] * count
    assert f"{count} of {count} cloud tasks satisfied the wait" in result["msg"]
    assert [task["ref"] for task in result["tasks"]] == [item(word, "goes on") for word in CASES]
    for task in result["tasks"]:
        assert [change["status"] for change in task["history"]] == ["pending", "running", "succeeded"]
        assert all(re.fullmatch(TIME, change["at"]) for change in task["history"])
        assert 0 < task["elapsed"] <= result["elapsed"]
        assert task["polls"] == 3
    assert result["polls"] == 3 * count
    assert {word for word, calls in result["api_calls"].items() if calls > 3} == {
        word for word, case in CASES.items() if case.before
    }


@each_case
def test_no_secret_is_shown(played: Played, case: Case) -> None:
    known = case.credentials
    free_of([values[name] for values in (known.options, known.wrong) for name in known.secrets], played.run)
    assert "********" in played.run.error(f"{case.word} {ECHO}")["message"]


def test_only_what_was_meant_was_asked(played: Played) -> None:
    asked = {entry["provider"] for entry in played.cloud.journal()}
    assert asked == set(CASES)
