# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that go wrong on the way: tried again when surely nothing happened, and never when something may have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ..cases import STARTS
from .ansible_runs import Run
from .start_runs import USER, calls_of, error_of, sentence, start, starts_of, task_of

NOWHERE = "http://127.0.0.1:1"
#: name: what happens to the calls of a start, how often it must be sent, and how many cloud tasks that makes
LOST: dict[str, tuple[Any, int, int]] = {
    "reset": (["throttle", {"name": "reset", "after": True}], 2, 1),
    "hangs": ([{"name": "hang"}], 1, 1),
}
#: how a handshake breaks while a load balancer restarts
BREAKS = ("tls_close", "tls_alert", "tls_plain")


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


def lost_starts() -> list[dict[str, Any]]:
    """What the scenario says of starts, in an order in which the first that fits is the right one."""
    mine = [
        {"provider": "mps", "match": "again", "faults": [{"name": "truncated", "after": False}]},
        {"provider": "mps", "match": "taken", "faults": [{"name": "reset", "after": True}]},
    ]
    return mine + [
        {"provider": provider, "match": name, "faults": faults}
        for provider in STARTS
        for name, (faults, dummy, dummy2) in LOST.items()
    ]


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    source = tmp_path_factory.mktemp("files") / "plan.txt"
    source.write_text("plan", encoding="utf-8")
    cloud = start_cloud(
        {
            "starts": lost_starts(),
            "faults": [{"fault": "reset", "provider": "ess", "action": "UploadFiles", "looks": 1}],
        }
    )
    times = {"hangs": 1.5}
    tasks = {
        f"{provider} {name}": start(provider, name, request_timeout=times.get(name))
        for provider in STARTS
        for name in LOST
    }
    file: dict[str, Any] = {"src": str(source), "resource_id": None}
    elsewhere = {"environment": {"CLOUDWAIT_ESS_UPLOAD_ENDPOINT": NOWHERE}}
    tasks.update(
        {
            "again": start("mps", "again", session_id="s1"),
            "taken": start("mps", "taken", session_id="s2"),
            "upload": start("ess", "upload", resource_name="upload.txt", **file),
            "no upload": start("ess", "never", request_retries=0, keywords=elsewhere, **file),
        }
    )
    return Played(start_ansible({**cloud.environment, **USER}).polls(tasks), cloud)


class OverTLS(NamedTuple):
    """The starts over TLS: what breaks after the handshake does the same there as in the plain."""

    run: Run
    cloud: Any
    breaking: dict[str, Any]


@pytest.fixture(scope="module")
def over_tls(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> OverTLS:
    bad = [{"provider": name, "match": "bad record", "faults": ["tls_bad_record"]} for name in STARTS]
    cloud = start_cloud({"starts": bad}, tls=True)
    breaking = {
        name: start_cloud({"connections": [{"fault": name, "first": 2}]}, tls=True) for name in BREAKS
    }  # that of the start which is not tried again, and the first one of the start which is
    tasks = {f"{provider} bad record": start(provider, "bad record") for provider in STARTS}
    for name, broken in breaking.items():
        here = {"environment": broken.environment}
        tasks[f"{name} once"] = start("mps", "once", request_retries=0, keywords=here)
        tasks[f"{name} and again"] = start("mps", "again", keywords=here)
    return OverTLS(start_ansible({**cloud.environment, **USER}).polls(tasks), cloud, breaking)


@pytest.mark.parametrize("name", BREAKS)
def test_a_handshake_that_breaks_has_sent_no_start(over_tls: OverTLS, name: str) -> None:
    error = error_of(over_tls.run, f"{name} once", changed=False)
    assert (error["kind"], error["retryable"]) == ("network", True)
    assert "may exist" not in sentence(over_tls.run, f"{name} once")


@pytest.mark.parametrize("name", BREAKS)
def test_after_a_handshake_that_broke_a_start_is_sent_once(over_tls: OverTLS, name: str) -> None:
    assert task_of(over_tls.run, f"{name} and again")["status"] == "pending"
    assert starts_of(over_tls.breaking[name], "mps") == (1, 1)
    assert over_tls.breaking[name].stats()["connections_broken"] == 2


@pytest.mark.parametrize("provider", STARTS)
def test_a_bad_record_in_the_answer_leaves_a_start_in_doubt(over_tls: OverTLS, provider: str) -> None:
    error = error_of(over_tls.run, f"{provider} bad record", changed=True)
    assert (error["kind"], error["retryable"]) == ("network", False)
    assert STARTS[provider].doubt in sentence(over_tls.run, f"{provider} bad record")
    assert starts_of(over_tls.cloud, provider) == (1, 1)


@pytest.mark.parametrize("provider", STARTS)
@pytest.mark.parametrize("name", LOST)
def test_a_start_that_may_have_happened_is_told_as_that(played: Played, provider: str, name: str) -> None:
    error = error_of(played.run, f"{provider} {name}", changed=True)
    assert (error["kind"], error["retryable"]) == ("network", False)
    assert STARTS[provider].doubt in sentence(played.run, f"{provider} {name}")
    assert "task" not in played.run.results[f"{provider} {name}"]


@pytest.mark.parametrize("provider", STARTS)
def test_no_start_is_sent_again_but_after_a_refusal(played: Played, provider: str) -> None:
    extra = {"mps": (4, 2), "ess": (1, 1)}  # the two with a session; the one with a file
    more_starts, more_made = extra.get(provider, (0, 0))
    starts = sum(starts for dummy, starts, dummy2 in LOST.values()) + more_starts
    made = sum(made for dummy, dummy2, made in LOST.values()) + more_made
    assert starts_of(played.cloud, provider) == (starts, made)


def test_with_a_session_a_start_is_sent_again(played: Played) -> None:
    assert task_of(played.run, "again")["status"] == "pending"


def test_a_session_that_is_taken_leads_to_the_cloud_task(played: Played) -> None:
    error = error_of(played.run, "taken", changed=True)
    assert (error["code"], error["retryable"]) == ("InvalidParameterValue.SessionId", False)
    assert "look for it with mps_task_list_info" in sentence(played.run, "taken")


def test_an_upload_is_sent_again(played: Played) -> None:
    assert task_of(played.run, "upload")["status"] == "pending"
    assert played.run.results["upload"]["resource_id"]
    assert calls_of(played.cloud, "UploadFiles") == 2


def test_where_files_go_has_an_endpoint_of_its_own(played: Played) -> None:
    error = error_of(played.run, "no upload")
    assert (error["kind"], error["retryable"]) == ("network", True)
    assert "the file could not be uploaded: nothing listens at 127.0.0.1:1" in sentence(played.run, "no upload")
    assert played.run.results["no upload"]["endpoint_host"] == f"127.0.0.1:{played.cloud.port}, 127.0.0.1:1"
