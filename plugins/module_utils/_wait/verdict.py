# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure functions of records and options.
"""The verdict of a wait: the outcome of each cloud task and of the whole wait, and the message about it."""

from __future__ import annotations

import hashlib
import json
import typing as t
from collections import Counter

from .._errors import one_line
from .._record import CANCELED, PARTIAL, STATUSES, SUCCEEDED, TERMINAL, Record

SATISFIED = "satisfied"
ERROR = "error"
NOT_FOUND = "not_found"
FAILED = "failed"
STALLED = "stalled"
TIMED_OUT = "timed_out"
UNFINISHED = "unfinished"

GRAVEST_FIRST = (ERROR, NOT_FOUND, FAILED, STALLED, TIMED_OUT)
FAILED_OUTCOMES = (FAILED, NOT_FOUND, ERROR)
UNFINISHED_OUTCOMES = (TIMED_OUT, STALLED, UNFINISHED)

UNTIL_WORDS = ("succeeded", "partial", "failed", "canceled", "done")
ALL = "all"
ANY = "any"

TRIED = "Waiting for cloud tasks"
"""Beginning of the message about a wait that was refused or could not go on."""

NAMED_IN_MESSAGE = 5
"""Number of cloud tasks that a message names; it counts the rest."""

Outcomes = t.Sequence[t.Optional[str]]
"""Outcome of each cloud task; null while it is open."""

Require = t.Union[str, int]
"""``all``, ``any``, or the number of cloud tasks that must be satisfied."""


def fingerprint(record: Record) -> str:
    """Returns a digest of the members whose change counts as a change of the record."""
    parts = [[part.get("status"), part.get("progress")] for part in record["parts"]]
    interesting = [record[name] for name in ("status", "native_status", "progress", "counts", "error")]
    text = json.dumps([interesting, parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def outcome_of(record: Record, until: t.Collection[str]) -> str | None:
    """Returns the outcome that follows from the status of a record; null while the status is not terminal."""
    if record["status"] not in TERMINAL:
        return None
    return SATISFIED if record["status"] in until or "done" in until else FAILED


def needed(require: Require, total: int) -> int:
    """Returns how many cloud tasks must be satisfied.

    :param total: number of all cloud tasks of the wait.
    """
    if require == ALL:
        return total
    return 1 if require == ANY else int(require)


def is_over(*, still_open: int, satisfied: int, otherwise: int, require: Require, fail_fast: bool) -> bool:
    """Returns whether the outcome of the wait is certain, whatever happens to the cloud tasks that are still open.

    :param still_open: number of cloud tasks that have not ended.
    :param satisfied: number of cloud tasks that satisfy the wait.
    :param otherwise: number of cloud tasks that have ended in another way.
    """
    if not still_open:
        return True
    if require == ALL:
        return fail_fast and otherwise > 0
    wanted = needed(require, still_open + satisfied + otherwise)
    return satisfied >= wanted or satisfied + still_open < wanted


def whole_outcome(outcomes: Outcomes, *, require: Require, check_mode: bool) -> str:
    """Returns the outcome of the whole wait: ``satisfied`` if ``require`` is met, else the gravest outcome found."""
    good = sum(outcome == SATISFIED for outcome in outcomes)
    if good >= min(needed(require, len(outcomes)), len(outcomes)):
        return SATISFIED
    if check_mode:
        return UNFINISHED
    return next((word for word in GRAVEST_FIRST if word in outcomes), UNFINISHED)


def last_word(outcome: str, *, seen: bool, error_kind: str | None) -> str:
    """Returns the final outcome: ``not_found`` in place of a time limit, if the vendor never knew the cloud task.

    :param outcome: the outcome so far. Only ``timed_out`` and ``stalled`` are ever replaced.
    :param seen: whether the vendor has ever returned a record.
    :param error_kind: kind of the error that the last poll met; null if it met none.
    """
    return NOT_FOUND if not seen and error_kind == NOT_FOUND and outcome in (TIMED_OUT, STALLED) else outcome


def summary(statuses: t.Iterable[str]) -> dict[str, int]:
    """Returns the number of cloud tasks in total and of each status, given the status of each."""
    counts = Counter(statuses)
    return {"total": sum(counts.values()), **{status: counts[status] for status in STATUSES}}


def name_of(ref: t.Mapping[str, t.Any], name: str | None = None) -> str:
    """Returns how messages call a cloud task: service and id, after the name that the user gave it."""
    plain = f"{ref.get('provider')} {one_line(str(ref.get('task_id')), 80)}"
    return f"{one_line(name, 80)} ({plain})" if name else plain


def problem_text(error: t.Mapping[str, t.Any] | None) -> str:
    """Returns code and message of an error in one line; empty text if there is no error."""
    code, message = (one_line(str((error or {}).get(name) or ""), 200) for name in ("code", "message"))
    return f"{code}: {message}" if code and message and code not in message else message or code


def why(task: t.Mapping[str, t.Any]) -> str:
    """Returns a short text about what happened to a cloud task. Text of the vendor comes last.

    :param task: a member of ``tasks`` in the result.
    """
    name = name_of(task["ref"], task["name"])
    status = "was never seen" if task["native_status"] is None and not task["done"] else f"was still {task['status']}"
    said = problem_text(task["error"] if task["outcome"] == FAILED else task["poll_error"])
    if task["outcome"] == FAILED and task["status"] == SUCCEEDED:
        return f"{name} succeeded, which is not what the wait is for"
    if task["outcome"] == FAILED:
        return f"{name} {ENDS.get(task['status'], 'is ' + task['status'])}{f' ({said})' if said else ''}"
    if task["outcome"] == NOT_FOUND:
        return f"{name} is not known to the vendor{f' ({said})' if said else ''}"
    if task["done"]:
        status = ENDS[task["status"]]
    by_poll = (task["poll_error"] or {}).get("kind") not in NO_POLL
    return (
        f"{name} {status}{f', and the last poll failed: {said}' if said and by_poll else f' ({said})' if said else ''}"
    )


def message(
    outcome: str,
    problems: t.Sequence[t.Mapping[str, t.Any]],
    *,
    total: int,
    elapsed: float,
    advice: str | None = None,
) -> str:
    """Returns the message of a wait in one sentence: how many were satisfied, what happened, what to do.

    :param problems: those of ``tasks`` in the result that did not satisfy the wait.
    :param total: number of all cloud tasks.
    :param advice: what to do about the error of the first cloud task with this outcome.
    """
    head = f"{total - len(problems)} of {total} cloud tasks satisfied the wait after {elapsed:.0f} s"
    if not total:
        return "There was nothing to wait for: the list of cloud tasks is empty."
    if outcome == SATISFIED:
        return f"{head}."
    if outcome == UNFINISHED and not any(task["abort"] for task in problems):
        return f"{head}; check mode polled once and did not wait."
    concerned = [task for task in problems if task["outcome"] == outcome]
    named = "; ".join(why(task) for task in concerned[:NAMED_IN_MESSAGE])
    more = f"; and {len(concerned) - NAMED_IN_MESSAGE} more" if len(concerned) > NAMED_IN_MESSAGE else ""
    aborts = [task["abort"]["aborted"] for task in problems if task["abort"]]
    closing = f"{aborts.count(True)} of {len(aborts)} that had not ended were aborted, see abort of each in tasks"
    closing = closing if aborts else ADVICE[outcome].format(advice or WAIT_AGAIN)
    return f"{head}; {WORDS[outcome]}{named}{more}; {closing}."


ENDS = {
    SUCCEEDED: "succeeded",
    PARTIAL: "succeeded only in part",
    "failed": "failed",
    CANCELED: "was canceled",
}
WORDS = {
    ERROR: "the wait gave up: ",
    NOT_FOUND: "",
    FAILED: "",
    STALLED: "nothing changed for stall_timeout: ",
    TIMED_OUT: "the time was over: ",
    UNFINISHED: "the wait was stopped: ",
}
WAIT_AGAIN = "wait again"
NO_POLL = ("config", "timeout", "internal", "interrupted")
"""Kinds of errors after which a message does not say that the last poll failed."""

ADVICE = {
    ERROR: "{}, and wait again; cloud tasks that are not over keep running",
    NOT_FOUND: "{}",
    FAILED: "see failed_tasks, and the error of each in tasks",
    STALLED: "see whether the queue is paused, or raise stall_timeout",
    TIMED_OUT: "{}, or raise timeout or max_polls; the cloud tasks keep running",
}


__all__ = [
    "ALL",
    "ANY",
    "ERROR",
    "FAILED",
    "FAILED_OUTCOMES",
    "NOT_FOUND",
    "SATISFIED",
    "STALLED",
    "TIMED_OUT",
    "TRIED",
    "UNFINISHED",
    "UNFINISHED_OUTCOMES",
    "UNTIL_WORDS",
    "Outcomes",
    "Require",
    "fingerprint",
    "is_over",
    "last_word",
    "message",
    "name_of",
    "needed",
    "outcome_of",
    "problem_text",
    "summary",
    "whole_outcome",
    "why",
]
