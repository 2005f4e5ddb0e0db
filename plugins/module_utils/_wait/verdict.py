# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure; records and options in, outcomes and words out.
"""What became of a wait: the outcome of each cloud task, of the whole, and the sentence about it."""

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

NAMED_IN_MESSAGE = 5
"""How many cloud tasks a message names before it counts the rest."""

Outcomes = t.Sequence[t.Optional[str]]
"""The outcome of each cloud task, null while it is open."""

Require = t.Union[str, int]
"""``all``, ``any``, or how many."""


def fingerprint(record: Record) -> str:
    """What "changed" means, in short: the same for two records exactly when nothing of interest has changed."""
    parts = [[part.get("status"), part.get("progress")] for part in record["parts"]]
    interesting = [record[name] for name in ("status", "native_status", "progress", "counts", "error")]
    text = json.dumps([interesting, parts], sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]


def outcome_of(record: Record, until: t.Collection[str]) -> str | None:
    """What a record's status means for a wait; null while the cloud task goes on."""
    if record["status"] not in TERMINAL:
        return None
    return SATISFIED if record["status"] in until or "done" in until else FAILED


def needed(require: Require, total: int) -> int:
    """How many of so many cloud tasks must be satisfied."""
    if require == ALL:
        return total
    return 1 if require == ANY else int(require)


def is_over(*, still_open: int, satisfied: int, otherwise: int, require: Require, fail_fast: bool) -> bool:
    """Whether the wait has its verdict, whatever the cloud tasks that are still open may become.

    :param otherwise: how many have ended without satisfying it.
    """
    if not still_open:
        return True
    if require == ALL:
        return fail_fast and otherwise > 0
    wanted = needed(require, still_open + satisfied + otherwise)
    return satisfied >= wanted or satisfied + still_open < wanted


def whole_outcome(outcomes: Outcomes, *, require: Require, check_mode: bool) -> str:
    """One word for all: satisfied when the requirement is met, else the gravest that was found."""
    good = sum(outcome == SATISFIED for outcome in outcomes)
    if good >= min(needed(require, len(outcomes)), len(outcomes)):
        return SATISFIED
    if check_mode:
        return UNFINISHED
    return next((word for word in GRAVEST_FIRST if word in outcomes), UNFINISHED)


def last_word(outcome: str, *, seen: bool, error_kind: str | None) -> str:
    """What becomes of a cloud task when time or patience ends: one that the vendor never knew was not found.

    :param outcome: ``timed_out`` or ``stalled``, which is all that the clock tells.
    :param error_kind: the kind of error that the last poll met.
    """
    return NOT_FOUND if not seen and error_kind == NOT_FOUND and outcome in (TIMED_OUT, STALLED) else outcome


def summary(records: t.Iterable[Record]) -> dict[str, int]:
    """How many cloud tasks there are, and how many of each status."""
    counts = Counter(record["status"] for record in records)
    return {"total": sum(counts.values()), **{status: counts[status] for status in STATUSES}}


def name_of(ref: t.Mapping[str, t.Any], name: str | None = None) -> str:
    """A cloud task as people are shown it: service and id, after the name that the user gave it."""
    plain = f"{ref.get('provider')} {one_line(str(ref.get('task_id')), 80)}"
    return f"{one_line(name, 80)} ({plain})" if name else plain


def problem_text(error: t.Mapping[str, t.Any] | None) -> str:
    """Code and message of an error, in one line; empty when there is none."""
    code, message = (one_line(str((error or {}).get(name) or ""), 200) for name in ("code", "message"))
    return f"{code}: {message}" if code and message and code not in message else message or code


def why(task: t.Mapping[str, t.Any]) -> str:
    """What became of a cloud task, in a few words; the vendor's come last."""
    name = name_of(task["ref"], task["name"])
    status = "was never seen" if task["native_status"] is None and not task["done"] else f"was still {task['status']}"
    said = problem_text(task["error"] if task["outcome"] == FAILED else task["poll_error"])
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
    outcome: str, tasks: t.Sequence[t.Mapping[str, t.Any]], *, elapsed: float, advice: str | None = None
) -> str:
    """One sentence: what was waited for, what happened, what to do.

    :param advice: what to do about the error of the first cloud task with this outcome.
    """
    total = len(tasks)
    good = sum(task["outcome"] == SATISFIED for task in tasks)
    head = f"{good} of {total} cloud tasks satisfied the wait after {elapsed:.0f} s"
    if not total:
        return "There was nothing to wait for: the list of cloud tasks is empty."
    if outcome == SATISFIED:
        return f"{head}."
    if outcome == UNFINISHED:
        return f"{head}; check mode polled once and did not wait."
    concerned = [task for task in tasks if task["outcome"] == outcome]
    named = "; ".join(why(task) for task in concerned[:NAMED_IN_MESSAGE])
    more = f"; and {len(concerned) - NAMED_IN_MESSAGE} more" if len(concerned) > NAMED_IN_MESSAGE else ""
    return f"{head}; {WORDS[outcome]}{named}{more}; {ADVICE[outcome].format(advice or WAIT_AGAIN)}."


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
}
WAIT_AGAIN = "wait again"
NO_POLL = ("config", "timeout", "internal")
"""The kinds of errors that no answer to a poll has caused."""

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
