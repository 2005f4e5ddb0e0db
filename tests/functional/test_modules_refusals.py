# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What vendors refuse: keys, tokens, clocks, ids, operations, each with the advice that helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .ansible_runs import NEEDS, Run, poll

ENDED = {"secret_id": "AKIDENDED", "secret_key": "EXAMPLE-FAKE-ENDED-KEY", "token": "EXAMPLE-FAKE-ENDED-TOKEN"}
KEY = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
OLD, NEW = "ChannelGetTaskResultApi", "DescribeFileConvertTask"
DAY_AND_MORE = 90_000
CLOCK_ADVICE = "set this host's clock right, for example with NTP."

#: provider and task id: what the vendor says, and what it has to become
VENDOR_ERRORS: dict[tuple[str, str], tuple[str, str, str]] = {
    ("mps", "no right"): ("UnauthorizedOperation", "permission", "give this account or app the permission"),
    ("mps", "unheard-of"): ("Surprise.OfTheVendor", "server", "try again later"),
    ("ess", "gone"): ("OperationDenied.FileDeleted", "not_found", "check the task id"),
    ("dingtalk_doc", "no right"): (
        "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "permission",
        "wants the permission SNS.Document.WorkspaceDocument.Read",
    ),
}


def error_task(provider: str, task_id: str, code: str) -> dict[str, Any]:
    return {"provider": provider, "task_id": task_id, "life": [{"error": {"code": code, "message": "No."}}]}


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Run:
    good = [{"provider": provider, "task_id": "x", "life": [{"status": "succeeded"}]} for provider in NEEDS]
    errors = [error_task(*key, code) for key, (code, dummy, dummy) in VENDOR_ERRORS.items()]
    cloud = start_cloud(
        {
            "tasks": [*good, *errors],
            "credentials": {"tencent": [KEY, {**ENDED, "expires_in": 0}]},
        }
    )
    ahead = start_cloud({"tasks": good, "clock_offset": DAY_AND_MORE}).url
    retired = start_cloud({"tasks": good, "retired_actions": [OLD, NEW]}).url
    polls = {f"{provider} {task_id}": poll(provider, task_id) for provider, task_id in VENDOR_ERRORS}
    for provider in ("cos_doc", "mps"):
        polls[f"{provider} ended token"] = poll(provider, "x", **ENDED)
        polls[f"{provider} clock"] = poll(provider, "x", endpoint=ahead)
    polls.update(
        {
            "wrong app": poll("dingtalk_doc", "x", app_key="dingEXAMPLEKEY", app_secret="a wrong one"),
            "wrong access token": poll("dingtalk_doc", "x", access_token="a-wrong-one"),
            "retired operation": poll("ess", "x", api_action=OLD, endpoint=retired),
            "both operations retired": poll("ess", "x", endpoint=retired),
            "wrong role": poll("mps", "x", cvm_role="stranger"),
        }
    )
    found: Run = start_ansible(cloud.environment).polls(polls)
    return found


def check(run: Run, name: str, kind: str, code: str | None, *said: str) -> None:
    """Kind and code of the error, and what the sentence has to say."""
    error = run.error(name)
    assert (error["kind"], error["code"], error["retryable"]) == (kind, code, kind == "server")
    for words in said:
        assert words in run.sentence(name)


@pytest.mark.parametrize(("provider", "task_id"), VENDOR_ERRORS)
def test_the_vendors_word_comes_with_advice(run: Run, provider: str, task_id: str) -> None:
    code, kind, advice = VENDOR_ERRORS[provider, task_id]
    check(run, f"{provider} {task_id}", kind, code, f'the vendor said "{code}: No"', advice)


@pytest.mark.parametrize(
    ("provider", "code"),
    [("mps", "AuthFailure.TokenFailure"), ("cos_doc", "ExpiredToken")],
)
def test_a_token_that_has_ended_is_refused(run: Run, provider: str, code: str) -> None:
    check(run, f"{provider} ended token", "auth", code, "the token has ended", "fetch new temporary keys")


@pytest.mark.parametrize(
    ("provider", "code"),
    [("mps", "AuthFailure.SignatureExpire"), ("cos_doc", "Request has expired")],
)
def test_a_clock_more_than_a_day_off_is_not_corrected(run: Run, provider: str, code: str) -> None:
    check(run, f"{provider} clock", "clock", code, CLOCK_ADVICE)
    assert "warnings" not in run.results[f"{provider} clock"]


def test_a_wrong_app_gets_no_token(run: Run) -> None:
    said = "no access token could be fetched: the vendor said"
    check(run, "wrong app", "auth", "invalidClientIdOrSecret", said, "check app_key and app_secret, and the site")


def test_an_access_token_that_is_refused_cannot_be_renewed(run: Run) -> None:
    check(
        run, "wrong access token", "auth", "InvalidAuthentication", "give app_key and app_secret to have tokens fetched"
    )


def test_an_operation_that_is_retired_is_not_replaced_when_it_was_named(run: Run) -> None:
    check(run, "retired operation", "invalid", "ActionOffline", OLD, "the vendor has retired this operation")
    assert run.results["retired operation"]["api_action"] == OLD


def test_when_both_operations_are_retired_it_ends(run: Run) -> None:
    check(run, "both operations retired", "invalid", "ActionOffline", "the vendor has retired this operation")


def test_a_role_that_the_machine_does_not_have(run: Run) -> None:
    check(run, "wrong role", "auth", None, "no keys for the CVM role stranger (HTTP 404)", "that has the role stranger")
