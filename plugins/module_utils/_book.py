# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure; what happened in, results out.
"""The book of a wait: what is known of each cloud task, over all rounds.

A round tells what has changed as a ``Report`` of plain JSON types; the book takes it in and gives the result.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from . import _verdict
from ._errors import CloudError
from ._status import UNKNOWN, Record, make_record, whole

HISTORY_ENDS = 50
"""How many changes are kept from the beginning and from the end of a history."""

Report = t.Mapping[str, t.Any]
Ref = t.Mapping[str, t.Any]


class Entry:
    """What is known of one cloud task of the list."""

    def __init__(self, ref: Ref, *, twin_of: int | None = None) -> None:
        self.ref = ref
        self.twin_of = twin_of
        self.record: Record = make_record(ref, UNKNOWN, None)
        self.outcome: str | None = None
        self.polls = 0
        self.ended: float | None = None
        self.changed = 0.0
        self.history: list[dict[str, t.Any]] = []
        self.look_error: dict[str, t.Any] | None = None
        self.doubt: dict[str, t.Any] | None = None  # why a condition could not be evaluated so far

    def end(self, outcome: str, elapsed: float) -> None:
        """An outcome is final."""
        if self.outcome is None:
            self.outcome = outcome
            self.ended = elapsed

    def remember(self, changes: t.Iterable[dict[str, t.Any]]) -> None:
        """Add changes to the history; of a long one, the middle is dropped."""
        self.history += changes
        if len(self.history) > 2 * HISTORY_ENDS:
            self.history = self.history[:HISTORY_ENDS] + self.history[-HISTORY_ENDS:]

    def dump(self) -> dict[str, t.Any]:
        """All of it in plain JSON types."""
        return dict(vars(self))

    @classmethod
    def load(cls, data: t.Mapping[str, t.Any]) -> Entry:
        """What ``dump`` gave."""
        entry = cls(data["ref"])
        vars(entry).update({name: data[name] for name in vars(entry)})
        return entry


class Book:
    """All cloud tasks of a wait, in input order.

    :param at: from seconds since the wait began to a time of day in UTC, as text.
    """

    def __init__(self, entries: list[Entry], at: t.Callable[[float], str]) -> None:
        self.entries = entries
        self._at = at
        self.api_calls: dict[str, int] = {}

    @classmethod
    def open(cls, plan: t.Iterable[Report], at: t.Callable[[float], str]) -> Book:
        """A new book for what a plan lists; records that came with it and are done need no look."""
        entries = []
        for item in plan:
            entry = Entry(item["ref"], twin_of=item.get("twin_of"))
            entry.record = item.get("record") or entry.record
            entries.append(entry)
        return cls(entries, at)

    def apply(self, report: Report) -> list[int]:
        """Take a round's report in.

        :returns: the numbers of the cloud tasks that have changed.
        """
        for number, polls in report["polls"].items():
            entry = self.entries[int(number)]  # what was not looked at again keeps what was last said of it
            entry.polls, entry.look_error = polls, report["errors"].get(number)
        for number, record in report["records"].items():
            self._take_record(self.entries[int(number)], record, report["history"][number])
        for number, (outcome, elapsed) in report["outcomes"].items():
            self.entries[int(number)].end(outcome, elapsed)
        for provider, calls in report["api_calls"].items():
            self.api_calls[provider] = self.api_calls.get(provider, 0) + calls
        return sorted(int(number) for number in report["records"])

    def _take_record(self, entry: Entry, told: Record, changes: t.Sequence[dict[str, t.Any]]) -> None:
        entry.record = whole(entry.ref, told)
        entry.changed = changes[-1]["elapsed"]
        entry.remember({"at": self._at(change["elapsed"]), **_without(change, "elapsed")} for change in changes)

    def judge(self, until: t.Collection[str], elapsed: float) -> None:
        """Outcomes of records by their status alone."""
        for entry in self.entries:
            outcome = _verdict.outcome_of(entry.record, until)
            if outcome:
                entry.end(outcome, elapsed)

    def settle_twins(self) -> None:
        """A cloud task that is listed twice is looked at once and reported twice."""
        for entry in self.entries:
            if entry.twin_of is not None:
                twin = vars(self.entries[entry.twin_of])
                vars(entry).update({**twin, "twin_of": entry.twin_of, "ref": entry.ref})

    def open_numbers(self) -> list[int]:
        """The cloud tasks that still must be looked at."""
        return [number for number, entry in enumerate(self.entries) if entry.outcome is None and entry.twin_of is None]

    def outcomes(self) -> list[str | None]:
        """The outcome of each, in input order."""
        self.settle_twins()
        return [entry.outcome for entry in self.entries]

    def is_over(self, *, require: str, fail_fast: bool) -> bool:
        """Whether the wait has its verdict."""
        outcomes = self.outcomes()
        still_open, satisfied = outcomes.count(None), outcomes.count(_verdict.SATISFIED)
        return _verdict.is_over(
            still_open=still_open,
            satisfied=satisfied,
            otherwise=len(outcomes) - still_open - satisfied,
            require=require,
            fail_fast=fail_fast,
        )

    def end_open(self, outcome: str, elapsed: float) -> None:
        """What is still open ends with the wait."""
        for entry in self.entries:
            entry.end(outcome, elapsed)

    def result(self, *, require: str, check_mode: bool, elapsed: float) -> dict[str, t.Any]:
        """The result of the whole wait, of plain JSON types."""
        self.settle_twins()
        tasks = [self._task(entry, elapsed) for entry in self.entries]
        outcome = _verdict.whole_outcome(self.outcomes(), require=require, check_mode=check_mode)
        result = {
            "changed": False,
            "outcome": outcome,
            "msg": _verdict.message(outcome, tasks, elapsed=elapsed),
            "tasks": tasks,
            "failed_tasks": [task["ref"] for task in tasks if task["outcome"] in _verdict.FAILED_OUTCOMES],
            "unfinished_tasks": [task["ref"] for task in tasks if task["outcome"] in _verdict.UNFINISHED_OUTCOMES],
            "summary": _verdict.summary(tasks),
            "elapsed": round(elapsed, 3),
            "polls": sum(entry.polls for entry in self.entries if entry.twin_of is None),
            "api_calls": dict(self.api_calls),
        }
        if len(tasks) == 1:
            result["task"] = tasks[0]
        if outcome != _verdict.SATISFIED and not check_mode:
            result["failed"] = True
        return result

    @staticmethod
    def _task(entry: Entry, elapsed: float) -> dict[str, t.Any]:
        return {
            **entry.record,
            "ref": dict(entry.ref),
            "outcome": entry.outcome or _verdict.UNFINISHED,
            "polls": entry.polls,
            "elapsed": round(elapsed if entry.ended is None else entry.ended, 3),
            "history": entry.history,
            "look_error": entry.look_error or (entry.doubt if entry.outcome in _verdict.UNFINISHED_OUTCOMES else None),
        }


def refusal(msg: str) -> dict[str, t.Any]:
    """The result of a wait that did not begin, with the reason as one sentence: all keys are there."""
    empty = Book([], lambda dummy: "").result(require=_verdict.ALL, check_mode=False, elapsed=0.0)
    error = CloudError("config", msg.rstrip(".")).as_dict()
    return {**empty, "outcome": _verdict.ERROR, "failed": True, "msg": msg, "error": error}


def clock_face(started: float) -> t.Callable[[float], str]:
    """From seconds since a start (Unix seconds) to a time of day in UTC, as text."""

    def at(elapsed: float) -> str:
        return datetime.fromtimestamp(started + elapsed, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return at


def _without(mapping: t.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    return {key: value for key, value in mapping.items() if key != name}


__all__ = ["Book", "Entry", "Ref", "Report", "clock_face", "refusal"]
