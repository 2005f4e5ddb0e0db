# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report reads from results of waits: which results it takes, and what it makes of histories."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._report.model import CloudTask, Span, read_report
from ansible_collections.cloudwait.conversion.tests.unit.results import clock, cloud_task, evening, wait_result

GOOD = wait_result("satisfied", cloud_task("1", "satisfied", (1, "succeeded")))
NO_OUTCOME = "it has no outcome and no tasks"


def only_task(result: t.Any) -> CloudTask:
    (task,) = read_report(result, "").tasks
    return task


def task_of(outcome: str, *changes: tuple[float, str], **more: t.Any) -> CloudTask:
    return only_task(wait_result("failed", cloud_task("1", outcome, *changes, **more)))


# --- Which results it takes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "count"),
    [
        (GOOD, 1),
        ([GOOD, GOOD], 2),
        ({"results": [GOOD, GOOD], "changed": False, "msg": "All items completed"}, 2),
        ([{"results": [GOOD]}, GOOD], 2),
        ([GOOD, {"skipped": True, "changed": False}], 1),
        (json.dumps([GOOD]), 1),
        ({"unreachable": True, "changed": False, "msg": "no route to host"}, 1),
        ({"outcome": "satisfied", "tasks": []}, 1),
    ],
)
def test_results_of_waits_are_taken(waits: t.Any, count: int) -> None:
    assert len(read_report(waits, "").waits) == count


@pytest.mark.parametrize(
    ("waits", "said"),
    [
        ([], "waits holds no result of a wait"),
        ([{"skipped": True}], "waits holds no result of a wait"),
        (None, "waits is no result of a wait: it is null"),
        ("film", 'waits is "film", which is a text'),
        ([GOOD, 7], "waits[1] is no result of a wait: it is 7"),
        ({}, f"waits is no result of a wait: {NO_OUTCOME}"),
        ({"results": [GOOD, {}]}, f"waits.results[1] is no result of a wait: {NO_OUTCOME}"),
        ({"task": {"status": "failed"}}, f"waits is no result of a wait: {NO_OUTCOME}"),
        ({"tasks": []}, "waits is no result of a wait: it has no outcome"),
        ({"outcome": "failed"}, "waits is no result of a wait: it has no tasks"),
        (
            {"failed": True, "msg": "'id' is undefined\n"},
            f"waits is no result of a wait: {NO_OUTCOME}, and it failed: 'id' is undefined",
        ),
        ({"outcome": "failed", "tasks": ["1"]}, 'waits.tasks[0] is no cloud task: it is "1"'),
    ],
)
def test_anything_else_is_refused(waits: t.Any, said: str) -> None:
    with pytest.raises(CloudError) as caught:
        read_report(waits, "")
    assert (caught.value.kind, caught.value.said) == ("config", said)


def test_a_result_of_which_nothing_is_known_is_still_reported() -> None:
    task = only_task({"outcome": "failed", "tasks": [{}], "summary": None, "elapsed": "soon"})
    assert (task.title, task.status, task.outcome, task.elapsed, task.spans) == ("", "unknown", "error", 0.0, ())


def test_those_that_went_wrong_come_first() -> None:
    report = read_report(evening(), "")
    assert [task.title for task in report.tasks] == ["Trailer", "1-slow", "1-gone", "1-open", "Film"]


def test_what_a_result_counts_and_does_not_list_is_counted() -> None:
    bad = cloud_task("1", "failed", (1, "failed"))
    report = read_report(wait_result("failed", bad, summary={"total": 40}), "")
    assert (report.total, report.unlisted, len(report.tasks)) == (40, 39, 1)


# --- Times ----------------------------------------------------------------------------------------------------------

PAUSE = {"at": clock(2), "status": "pending", "native_status": "Pause", "progress": None}
LATER = {"at": clock(5), "status": "running", "native_status": "RUN", "progress": None}


@pytest.mark.parametrize(
    ("task", "spans"),
    [
        (
            cloud_task("1", "satisfied", (1, "pending"), (3, "running"), (8, "succeeded"), elapsed=8.0),
            (Span("unseen", 0, 1), Span("pending", 1, 3), Span("running", 3, 8)),
        ),
        (
            cloud_task("1", "satisfied", (0, "running"), (1, "running"), (8, "succeeded"), elapsed=8.0),
            (Span("running", 0, 8),),
        ),
        (cloud_task("1", "timed_out", (2, "running")), (Span("unseen", 0, 2), Span("running", 2, 9))),
        (cloud_task("1", "not_found"), (Span("unseen", 0, 9),)),
        (cloud_task("1", "satisfied", elapsed=0.0, done=True, status="succeeded"), ()),
        (
            {**cloud_task("1", "stalled", (0, "running")), "history": [PAUSE, LATER]},
            (Span("unseen", 0, 2), Span("paused", 2, 5), Span("running", 5, 9)),
        ),
        (
            {**cloud_task("1", "timed_out"), "history": [{"elapsed": 0.25, "status": "running"}]},
            (Span("unseen", 0, 0.25), Span("running", 0.25, 9)),
        ),
        ({**cloud_task("1", "timed_out"), "history": "lost"}, (Span("unseen", 0, 9),)),
    ],
)
def test_a_history_becomes_spans(task: dict[str, t.Any], spans: tuple[Span, ...]) -> None:
    result = wait_result("failed", task, started_at=clock(0))
    assert only_task(result).spans == spans


def test_the_beginning_is_found_from_the_ends() -> None:
    tasks = [
        cloud_task("1", "satisfied", (0.4, "running"), (3.2, "succeeded"), elapsed=3.2),
        cloud_task("2", "satisfied", (0.4, "running"), (4.9, "succeeded"), elapsed=4.9),
    ]
    (wait,) = read_report(wait_result("satisfied", *tasks), "").waits
    (exact,) = read_report(wait_result("satisfied", started_at=clock(0)), "").waits
    assert wait.began is not None
    assert exact.began is not None
    assert exact.began - 0.25 < wait.began <= exact.began


def test_without_times_the_beginning_is_unknown() -> None:
    (wait,) = read_report(wait_result("failed", cloud_task("1", "not_found")), "").waits
    assert wait.began is None


def test_failed_polls_are_marked() -> None:
    failed = {"at": clock(4), "error": {"kind": "network"}, "request_id": "r-1"}
    task = {**cloud_task("1", "timed_out", (1, "running")), "poll_error": {"message": "mute"}}
    task["history"] = [*task["history"], failed]
    assert only_task(wait_result("failed", task, started_at=clock(0))).errors == (4.0, 9.0)


def test_a_gap_in_a_long_history_is_marked() -> None:
    changes = [(float(number), ("pending", "running")[number % 2]) for number in range(100)]
    task = cloud_task("1", "timed_out", *changes, elapsed=200.0)
    assert only_task(wait_result("failed", task, elapsed=200.0)).gaps == (49.0,)


# --- Words ----------------------------------------------------------------------------------------------------------


def test_texts_are_one_line_and_not_endless() -> None:
    task = task_of("failed", (1, "failed"), name="a\nb\u202e\x1b[31m", error={"code": None, "message": "x " * 5000})
    assert task.title == "a b [31m"
    assert len(task.said) <= 2000


@pytest.mark.parametrize(
    ("outcome", "error", "poll_error", "said"),
    [
        ("failed", {"code": "E", "message": "torn"}, None, "E: torn"),
        ("timed_out", None, {"code": None, "message": "mute"}, "mute"),
        ("satisfied", {"code": "E", "message": "a page"}, None, "E: a page"),
        ("failed", {"code": "E", "message": "torn"}, {"message": "an old one"}, "E: torn"),
        ("failed", None, None, ""),
    ],
)
def test_the_error_that_counts_is_told(outcome: str, error: t.Any, poll_error: t.Any, said: str) -> None:
    assert task_of(outcome, (1, "failed"), error=error, poll_error=poll_error).said == said
