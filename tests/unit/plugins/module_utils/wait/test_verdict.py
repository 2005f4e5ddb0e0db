# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict


def task(outcome: str, status: str = "running", **more: t.Any) -> dict[str, t.Any]:
    ref = {"provider": "mps", "task_id": more.pop("task_id", "m1")}
    record = make_record(ref, status, status, error=more.pop("error", None))
    more = {"name": None, "poll_error": None, "abort": None, **more}
    return {**record, "outcome": outcome, **more}


@pytest.mark.parametrize(
    ("outcomes", "require", "expected"),
    [
        ([], "all", "satisfied"),
        (["satisfied", "satisfied"], "all", "satisfied"),
        (["satisfied", None], "all", "unfinished"),
        (["satisfied", "failed"], "all", "failed"),
        (["satisfied", "failed"], "any", "satisfied"),
        (["timed_out", "stalled", "failed", "not_found", "error"], "all", "error"),
        (["timed_out", "stalled", "failed", "not_found"], "all", "not_found"),
        (["timed_out", "stalled", "failed"], "all", "failed"),
        (["timed_out", "stalled"], "all", "stalled"),
        (["timed_out", None], "all", "timed_out"),
        (["failed", "timed_out"], "any", "failed"),
    ],
)
def test_one_word_for_all(outcomes: list[t.Any], require: str, expected: str) -> None:
    assert verdict.whole_outcome(outcomes, require=require, check_mode=False) == expected


def test_check_mode_never_fails() -> None:
    assert verdict.whole_outcome(["failed", None], require="all", check_mode=True) == "unfinished"
    assert verdict.whole_outcome(["satisfied"], require="all", check_mode=True) == "satisfied"


@pytest.mark.parametrize(
    ("counts", "require", "fail_fast", "over"),
    [
        ((0, 0, 0), "all", True, True),
        ((1, 3, 0), "all", True, False),
        ((1, 3, 1), "all", True, True),
        ((1, 3, 1), "all", False, False),
        ((0, 3, 1), "all", False, True),
        ((2, 0, 5), "any", True, False),
        ((2, 1, 0), "any", True, True),
        ((0, 0, 5), "any", True, True),
    ],
)
def test_when_a_wait_has_its_verdict(counts: tuple[int, int, int], require: str, fail_fast: bool, over: bool) -> None:
    still_open, satisfied, otherwise = counts
    assert (
        verdict.is_over(
            still_open=still_open, satisfied=satisfied, otherwise=otherwise, require=require, fail_fast=fail_fast
        )
        is over
    )


def test_the_summary_counts_every_status() -> None:
    assert verdict.summary(["succeeded", "succeeded", "partial"]) == {
        "total": 3,
        "pending": 0,
        "running": 0,
        "succeeded": 2,
        "partial": 1,
        "failed": 0,
        "canceled": 0,
        "unknown": 0,
    }


def test_the_message_of_a_failure_says_which_and_why() -> None:
    error = {"code": "SourceFileError.NoVideoMedia", "message": "no video\nstream", "reason": "source"}
    tasks = [task("failed", "partial", error=error), task("unfinished", task_id="m2")]
    assert verdict.message("failed", tasks, total=2, elapsed=12.3) == (
        "0 of 2 cloud tasks satisfied the wait after 12 s; mps m1 succeeded only in part "
        "(SourceFileError.NoVideoMedia: no video stream); see failed_tasks, and the error of each in tasks."
    )


def test_the_message_of_an_error_says_what_the_vendor_said() -> None:
    problem = {"code": "AuthFailure.SignatureFailure", "message": "bad signature"}
    message = verdict.message("error", [task("error", poll_error=problem)], total=1, elapsed=0, advice="check the keys")
    assert message == (
        "0 of 1 cloud tasks satisfied the wait after 0 s; the wait gave up: mps m1 was still running, and the last poll "
        "failed: AuthFailure.SignatureFailure: bad signature; check the keys, and wait again; cloud tasks that are not "
        "over keep running."
    )


def test_the_message_names_some_and_counts_the_rest() -> None:
    tasks = [task("timed_out", task_id=f"m{number}") for number in range(8)]
    message = verdict.message("timed_out", tasks, total=9, elapsed=900)
    assert message.startswith("1 of 9 cloud tasks satisfied")
    assert "mps m4 was still running; and 3 more;" in message
    assert "mps m5" not in message


def test_a_good_end_needs_no_advice() -> None:
    message = verdict.message("satisfied", [], total=1, elapsed=3)
    assert message == "1 of 1 cloud tasks satisfied the wait after 3 s."


@pytest.mark.parametrize(
    "more",
    [
        {"status": "pending"},
        {"native_status": "other"},
        {"progress": 3},
        {"counts": {"total": 2}},
        {"error": {"code": "x"}},
        {"parts": [{"status": "running", "progress": 1}]},
    ],
)
def test_a_change_of_anything_of_interest_is_a_change(more: dict[str, t.Any]) -> None:
    record = make_record({"provider": "mps", "task_id": "m1"}, "running", "PROCESSING")
    assert verdict.fingerprint(record) != verdict.fingerprint({**record, **more})


@pytest.mark.parametrize("more", [{"request_id": "another"}, {"outputs": [{"value": "x"}]}, {"started_at": "later"}])
def test_what_differs_at_every_poll_is_no_change(more: dict[str, t.Any]) -> None:
    record = make_record({"provider": "mps", "task_id": "m1"}, "running", "PROCESSING")
    assert verdict.fingerprint(record) == verdict.fingerprint({**record, **more})
