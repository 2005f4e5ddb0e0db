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

from ._errors import one_line
from ._status import STATUSES, TERMINAL, UNKNOWN, Record

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


def is_over(*, still_open: int, satisfied: int, otherwise: int, require: str, fail_fast: bool) -> bool:
    """Whether the wait has its verdict, whatever the cloud tasks that are still open may become.

    :param otherwise: how many have ended without satisfying it.
    """
    if not still_open:
        return True
    return satisfied > 0 if require == ANY else fail_fast and otherwise > 0


def whole_outcome(outcomes: Outcomes, *, require: str, check_mode: bool) -> str:
    """One word for all: satisfied when the requirement is met, else the gravest that was found."""
    good = [outcome == SATISFIED for outcome in outcomes]
    if all(good) or (require == ANY and any(good)):
        return SATISFIED
    if check_mode:
        return UNFINISHED
    return next((word for word in GRAVEST_FIRST if word in outcomes), UNFINISHED)


def summary(records: t.Iterable[Record]) -> dict[str, int]:
    """How many cloud tasks there are, and how many of each status."""
    counts = Counter(record["status"] for record in records)
    return {"total": sum(counts.values()), **{status: counts[status] for status in STATUSES}}


def name_of(ref: t.Mapping[str, t.Any]) -> str:
    """A cloud task in a sentence."""
    return f"{ref.get('provider')} {one_line(str(ref.get('task_id')), 80)}"


def why(task: t.Mapping[str, t.Any]) -> str:
    """Why a cloud task ended as it did, in a few words; the vendor's come last."""
    state = f"is {task['status']}" if task["status"] in TERMINAL else f"was {task['status']} last"
    if task["status"] == UNKNOWN and task["native_status"] is None:
        state = "was never seen"
    problem = task["error"] if task["outcome"] == FAILED else task["look_error"]
    said = one_line(str((problem or {}).get("message") or ""), 200)
    code = (problem or {}).get("code")
    if code and str(code) not in said:
        said = f"{one_line(str(code), 80)}: {said}" if said else one_line(str(code), 80)
    return f"{name_of(task['ref'])} {state}{f' ({said})' if said else ''}"


def message(outcome: str, tasks: t.Sequence[t.Mapping[str, t.Any]], *, elapsed: float) -> str:
    """One sentence: what was waited for, what happened, what to do."""
    total = len(tasks)
    good = sum(task["outcome"] == SATISFIED for task in tasks)
    head = f"{good} of {total} cloud tasks satisfied the wait after {elapsed:.0f} s"
    if not total:
        return "There was nothing to wait for: the list of cloud tasks is empty."
    if outcome == SATISFIED:
        return f"{head}."
    if outcome == UNFINISHED:
        return f"{head}; check mode looked once and did not wait."
    concerned = [task for task in tasks if task["outcome"] == outcome]
    named = "; ".join(why(task) for task in concerned[:NAMED_IN_MESSAGE])
    more = f"; and {len(concerned) - NAMED_IN_MESSAGE} more" if len(concerned) > NAMED_IN_MESSAGE else ""
    return f"{head}; {WORDS[outcome]}: {named}{more}; {ADVICE[outcome]}."


WORDS = {
    ERROR: "ended in an error",
    NOT_FOUND: "not known to the vendor",
    FAILED: "ended otherwise",
    STALLED: "did not move for too long",
    TIMED_OUT: "not over in time",
}
ADVICE = {
    ERROR: "mend what it says and wait again; what is not over goes on in the cloud",
    NOT_FOUND: "check the ids, the account, the site and how long ago they were started",
    FAILED: "see failed_tasks, and the error of each in tasks",
    STALLED: "see whether the queue is paused, or raise stall_timeout",
    TIMED_OUT: "wait again, or raise timeout or max_polls; the cloud tasks go on meanwhile",
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
    "fingerprint",
    "is_over",
    "message",
    "name_of",
    "outcome_of",
    "summary",
    "whole_outcome",
    "why",
]
