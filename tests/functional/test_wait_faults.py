# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong on the way to a cloud, at each service: what may pass is survived, the rest is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ..cases import CASES
from .ansible_runs import NEEDS, Run
from .wait_runs import Running, check_whole, item, life, outcomes, polls_of, until, wait

TWENTY_MINUTES = 1200
PASSING: dict[str, dict[str, Any]] = {
    "http_500": {},
    "http_502": {},
    "http_503": {},
    "reset": {},
    "truncated": {},
    "truncated_chunked": {},
    "wrong_content_length": {},
    "empty": {},
    "list": {},
    "null": {},
    "not_utf8": {},
    "html": {},
    "internal_error": {},
    "hang": {},
    "drip": {"bytes_per_second": 30},
    "redirect": {"location": "https://elsewhere.example.com/path?query=1"},
    "huge": {"bytes": 17 * 1024 * 1024},
    "endless": {},
}
OVER_TLS: dict[str, dict[str, Any]] = {"tls_bad_record": {}}
THROTTLING: dict[str, dict[str, Any]] = {
    "throttle": {},
    "http_429": {},
    "http_429 in seconds": {"retry_after": 1},
    "http_429 by date": {"retry_after": 1, "as_date": True},
}
#: the kinds of errors that end a cloud task at once, each with the vendor's code
FINAL = {word: {case.code(kind): kind for kind in ("auth", "permission", "invalid")} for word, case in CASES.items()}
FAST: dict[str, Any] = {"rate_limit": dict.fromkeys(NEEDS, 100), "fail_fast": False, "request_timeout": 2}


def fault(name: str, parameters: dict[str, Any], polls: int) -> dict[str, Any]:
    """A step of a life."""
    return {"fault": {"name": name.partition(" ")[0], **parameters}, "looks": polls}


def make_lives(tls: bool = False) -> list[dict[str, Any]]:
    lives = []
    for provider in NEEDS:
        for name, parameters in {**PASSING, **(OVER_TLS if tls else {})}.items():
            lives.append(life(name, fault(name, parameters, 2), "succeeded", provider=provider))
        for name, parameters in THROTTLING.items():
            lives.append(life(name, fault(name, parameters, 1), "succeeded", provider=provider))
        for code in FINAL[provider]:
            error = {"code": code, "message": f"the vendor says {code}"}
            lives.append(life(code, {"error": error}, provider=provider))
        lives.append(life("down", fault("http_500", {}, 1), provider=provider))
        broken = fault("reset", {}, 2)
        lives.append(life("up and down", broken, "running", broken, "succeeded", provider=provider))
        lives.append(life("clock", "running", "running", "succeeded", provider=provider))
    return lives


def of_each(names: Any, **options: Any) -> dict[str, Any]:
    """A wait on these cloud tasks of each service."""
    return wait(tasks=[item(provider, name) for provider in NEEDS for name in names], **{**FAST, **options})


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


@pytest.fixture(scope="module", params=["http", "https"])
def played(
    request: pytest.FixtureRequest, start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]
) -> Played:
    tls = request.param == "https"
    cloud = start_cloud({"tasks": make_lives(tls)}, tls=tls)
    waits = {
        "passing": of_each([*PASSING, *(OVER_TLS if tls else [])], max_errors=3),
        "throttling": of_each(THROTTLING),
        "down": of_each(["down", "up and down"], max_errors=3),
    }
    return Played(start_ansible(cloud.environment).polls(waits), cloud)


@pytest.fixture(scope="module")
def told(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    """Over plain HTTP alone: what a vendor says and what the clock shows does not depend on how it travels."""
    lives = make_lives()
    cloud = start_cloud({"tasks": lives})
    ahead, behind = (start_cloud({"tasks": lives, "clock_offset": sign * TWENTY_MINUTES}) for sign in (1, -1))
    waits = {
        "clock ahead": of_each(["clock"], keywords={"environment": ahead.environment}),
        "clock behind": of_each(["clock"], keywords={"environment": behind.environment}),
        **{f"final {provider}": wait(tasks=[item(provider, code) for code in codes], **FAST)
           for provider, codes in FINAL.items()},
    }  # fmt: skip
    return Played(start_ansible(cloud.environment).polls(waits), cloud)


def records(played: Played, name: str) -> dict[str, dict[str, Any]]:
    """The records of a wait, by service and id."""
    result = played.run.results[name]
    check_whole(result)
    return {f"{task['provider']} {task['task_id']}": task for task in result["tasks"]}


@pytest.mark.parametrize("provider", NEEDS)
@pytest.mark.parametrize("name", PASSING)
def test_what_may_pass_is_survived(played: Played, provider: str, name: str) -> None:
    task = records(played, "passing")[f"{provider} {name}"]
    assert (task["outcome"], task["status"], task["poll_error"]) == ("satisfied", "succeeded", None)
    assert task["polls"] == 3


@pytest.mark.parametrize("played", ["https"], indirect=True)
@pytest.mark.parametrize("provider", NEEDS)
@pytest.mark.parametrize("name", OVER_TLS)
def test_what_breaks_tls_itself_is_survived(played: Played, provider: str, name: str) -> None:
    task = records(played, "passing")[f"{provider} {name}"]
    assert (task["outcome"], task["status"], task["poll_error"]) == ("satisfied", "succeeded", None)
    assert task["polls"] == 3


@pytest.mark.parametrize("provider", NEEDS)
@pytest.mark.parametrize("name", THROTTLING)
def test_throttling_in_every_form_is_survived(played: Played, provider: str, name: str) -> None:
    task = records(played, "throttling")[f"{provider} {name}"]
    assert (task["outcome"], task["polls"]) == ("satisfied", 2)


def test_a_vendor_that_asks_for_patience_gets_it(played: Played) -> None:
    assert played.run.results["throttling"]["elapsed"] >= 1


@pytest.mark.parametrize("provider", NEEDS)
def test_too_many_errors_in_a_row_end_a_cloud_task(played: Played, provider: str) -> None:
    down = records(played, "down")[f"{provider} down"]
    assert (down["outcome"], down["polls"], down["status"]) == ("error", 3, "unknown")
    assert down["poll_error"]["kind"] == "server"
    assert "HTTP 500" in played.run.results["down"]["msg"]
    assert records(played, "down")[f"{provider} up and down"]["outcome"] == "satisfied"


@pytest.mark.parametrize("provider", NEEDS)
def test_what_is_final_ends_a_cloud_task_with_the_vendors_words(told: Played, provider: str) -> None:
    result = told.run.results[f"final {provider}"]
    assert outcomes(result) == ["error"] * len(FINAL[provider])
    kinds = [task["poll_error"]["kind"] for task in result["tasks"]]
    assert kinds == list(FINAL[provider].values())
    for task, code in zip(result["tasks"], FINAL[provider]):
        assert task["polls"] == 1
        assert task["poll_error"]["message"] == f"the vendor says {code}"
        assert f"{code}: the vendor says" in result["msg"] or f"the vendor says {code}" in result["msg"]


@pytest.mark.parametrize(("name", "side"), [("clock ahead", "behind"), ("clock behind", "ahead of")])
def test_a_clock_that_is_off_is_corrected_with_one_warning(told: Played, name: str, side: str) -> None:
    result = told.run.results[name]
    assert outcomes(result) == ["satisfied"] * len(NEEDS)
    (warning,) = result["warnings"]
    assert warning.startswith("This host's clock is ")
    assert f" s {side} the vendor's" in warning
    seconds = int(warning.split()[4])
    assert TWENTY_MINUTES - 60 < seconds < TWENTY_MINUTES + 60
    assert result["api_calls"]["mps"] < 3 * 2  # the correction is not made anew with each poll


def test_what_ends_in_the_middle_of_a_wait_is_renewed(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]
) -> None:
    lives = [life("x", "running", provider=provider) for provider in NEEDS]
    ended = {"fault": "token_refused", "provider": "dingtalk_doc", "from_look": 2, "looks": 1}
    cloud = start_cloud({"tasks": lives, "roles": {"builder": 3600}, "faults": [ended]})
    waiting = wait(tasks=[item(provider, "x") for provider in NEEDS], cvm_role="builder")
    run = Running(start_ansible(cloud.environment), waiting)
    try:
        until(lambda: all(polls_that_went_well(cloud, provider) > 2 for provider in NEEDS), "a poll")
        fetched = cloud.stats()
        before = {provider: polls_that_went_well(cloud, provider) for provider in NEEDS}
        cloud.control("expire")
        until(lambda: all(polls_that_went_well(cloud, name) > before[name] for name in NEEDS), "a poll with new keys")
        cloud.control("tasks", {"tasks": [{**life, "life": [{"status": "succeeded"}]} for life in lives]})
        assert outcomes(run.result()) == ["satisfied"] * len(NEEDS)
        assert cloud.stats()["tokens_issued"] > fetched["tokens_issued"]
        assert cloud.stats()["role_key_fetches"] > fetched["role_key_fetches"]
        assert any(entry["verdict"].startswith("AuthFailure") for entry in cloud.journal())
        assert polls_of(cloud, "x") > 3 * len(NEEDS)
    finally:
        run.stop()


def polls_that_went_well(cloud: Any, provider: str) -> int:
    entries = cloud.journal()
    return sum((e["provider"], e["task_id"], e["verdict"]) == (provider, "x", "ok") for e in entries)
