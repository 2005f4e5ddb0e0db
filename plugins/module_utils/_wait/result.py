# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The result of a wait, made of its book: what users register, and what modules return on success and failure."""

from __future__ import annotations

import typing as t

from .._errors import CloudError
from . import verdict
from .book import Book, Entry

ALL_RECORDS = "all"
PROBLEMS = "problems"


def make_result(
    book: Book, *, require: verdict.Require, check_mode: bool, elapsed: float, return_records: str = ALL_RECORDS
) -> dict[str, t.Any]:
    """Returns the result of the whole wait, of plain JSON types.

    :param elapsed: seconds since the wait began.
    :param return_records: the option of that name.
    """
    outcomes = book.outcomes()
    outcome = verdict.whole_outcome(outcomes, require=require, check_mode=check_mode)
    is_short = return_records == PROBLEMS
    tasks = [
        _task(entry, book.source_of(entry), elapsed)
        for entry, its in zip(book.entries, outcomes)
        if not (is_short and its == verdict.SATISFIED)
    ]
    problems = [task for task in tasks if task["outcome"] != verdict.SATISFIED]
    advice = next((entry.advice for entry in book.entries if entry.outcome == outcome and entry.advice), None)
    result = {
        "changed": False,
        "outcome": outcome,
        "msg": verdict.message(outcome, problems, total=len(outcomes), elapsed=elapsed, advice=advice),
        "tasks": tasks,
        "failed_tasks": [task["ref"] for task in problems if task["outcome"] in verdict.FAILED_OUTCOMES],
        "unfinished_tasks": [task["ref"] for task in problems if task["outcome"] in verdict.UNFINISHED_OUTCOMES],
        "summary": verdict.summary(book.source_of(entry).status for entry in book.entries),
        "elapsed": round(elapsed, 3),
        "polls": sum(entry.polls for entry in book.entries if entry.twin_of is None),
        "api_calls": dict(book.api_calls),
    }
    if len(outcomes) == len(tasks) == 1:
        result["task"] = tasks[0]
    if outcome != verdict.SATISFIED and not check_mode:
        result["failed"] = True
    return result


def _task(entry: Entry, known: Entry, elapsed: float) -> dict[str, t.Any]:
    """Returns the member of ``tasks`` for an entry.

    :param known: the entry that is kept up to date.
    """
    doubt = known.doubt if known.outcome in verdict.UNFINISHED_OUTCOMES else None
    response = {} if known.response is None else {"response": known.response}
    return {
        **known.record,
        **response,
        "ref": dict(entry.ref),
        "name": entry.name,
        "outcome": known.outcome or verdict.UNFINISHED,
        "polls": known.polls,
        "elapsed": round(elapsed if known.ended is None else known.ended, 3),
        "history": known.history,
        "poll_error": known.poll_error or doubt,
        "abort": known.abort,
    }


def refusal(error: CloudError, msg: str) -> dict[str, t.Any]:
    """Returns the result of a wait that was refused before it began. It has all keys.

    :param msg: the reason, as one sentence.
    """
    empty = make_result(Book([], lambda dummy: ""), require=verdict.ALL, check_mode=False, elapsed=0.0)
    return {**empty, "outcome": verdict.ERROR, "failed": True, "msg": msg, "error": error.as_dict()}


__all__ = ["ALL_RECORDS", "PROBLEMS", "make_result", "refusal"]
