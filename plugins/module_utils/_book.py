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
Change = t.Mapping[str, t.Any]
"""``elapsed`` (seconds since the wait began), ``status``, ``native_status`` and ``progress`` of a record."""


class News(t.NamedTuple):
    """What people want to hear of a round, as numbers of cloud tasks.

    :param changes: the changes of records, each with the number of its cloud task, oldest first.
    :param troubled: their polls fail, for the first time in a row or in another way than before.
    :param recovered: their polls succeed again.
    :param ended: the wait is over for them, for another reason than their records.
    """

    changes: t.Sequence[tuple[int, Change]] = ()
    troubled: t.Sequence[int] = ()
    recovered: t.Sequence[int] = ()
    ended: t.Sequence[int] = ()

    @property
    def changed(self) -> list[int]:
        """The cloud tasks whose records have changed."""
        return sorted({number for number, dummy in self.changes})


class Entry:
    """What is known of one cloud task of the list."""

    def __init__(self, ref: Ref, *, twin_of: int | None = None, name: str | None = None) -> None:
        self.ref = ref
        self.name = name
        self.twin_of = twin_of
        self.record: Record = make_record(ref, UNKNOWN, None)
        self.outcome: str | None = None
        self.polls = 0
        self.ended: float | None = None
        self.changed = 0.0
        self.history: list[dict[str, t.Any]] = []
        self.look_error: dict[str, t.Any] | None = None
        self.advice: str | None = None  # what to do about that error
        self.doubt: dict[str, t.Any] | None = None  # why a condition could not be evaluated so far

    @property
    def seen(self) -> bool:
        """Whether the vendor has told anything of it."""
        return bool(self.history) or self.record["done"]

    def end(self, outcome: str, elapsed: float) -> None:
        """An outcome is final."""
        if self.outcome is None:
            self.outcome = outcome
            self.ended = elapsed if self.ended is None else self.ended

    def fail_poll(self, error: CloudError) -> None:
        """Remember why the last poll gave no record."""
        self.look_error, self.advice = error.as_dict(), error.advice

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
            entry = Entry(item["ref"], twin_of=item.get("twin_of"), name=item.get("name"))
            entry.record = item.get("record") or entry.record
            entries.append(entry)
        return cls(entries, at)

    def apply(self, report: Report) -> News:
        """Take a round's report in."""
        for number, polls in report["polls"].items():
            entry = self.entries[int(number)]  # what was not polled again keeps what was last said of it
            error = dict(report["errors"].get(number) or {})
            entry.polls, entry.advice, entry.look_error = polls, error.pop("advice", None), error or None
        for number, record in report["records"].items():
            self._take_record(self.entries[int(number)], record, report["history"][number])
        for number, (outcome, elapsed) in report["outcomes"].items():
            self.entries[int(number)].end(outcome, elapsed)
        for provider, calls in report["api_calls"].items():
            self.api_calls[provider] = self.api_calls.get(provider, 0) + calls
        return News(
            changes=_in_order(report["history"]),
            troubled=sorted(int(number) for number, lasts in report["troubles"].items() if lasts),
            recovered=sorted(int(number) for number, lasts in report["troubles"].items() if not lasts),
            ended=sorted(int(number) for number in report["outcomes"] if not self.entries[int(number)].record["done"]),
        )

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
                own = {"twin_of": entry.twin_of, "ref": entry.ref, "name": entry.name}
                vars(entry).update({**twin, **own})

    def open_numbers(self) -> list[int]:
        """The cloud tasks that still must be looked at."""
        return [number for number, entry in enumerate(self.entries) if entry.outcome is None and entry.twin_of is None]

    def outcomes(self) -> list[str | None]:
        """The outcome of each, in input order."""
        self.settle_twins()
        return [entry.outcome for entry in self.entries]

    def is_over(self, *, require: _verdict.Require, fail_fast: bool) -> bool:
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
            error_kind = (entry.look_error or {}).get("kind")
            entry.end(_verdict.last_word(outcome, seen=entry.seen, error_kind=error_kind), elapsed)

    def result(self, *, require: _verdict.Require, check_mode: bool, elapsed: float) -> dict[str, t.Any]:
        """The result of the whole wait, of plain JSON types."""
        self.settle_twins()
        tasks = [self._task(entry, elapsed) for entry in self.entries]
        outcome = _verdict.whole_outcome(self.outcomes(), require=require, check_mode=check_mode)
        result = {
            "changed": False,
            "outcome": outcome,
            "msg": _verdict.message(outcome, tasks, elapsed=elapsed, advice=self._advice(outcome)),
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

    def _advice(self, outcome: str) -> str | None:
        """What to do about the error of the first cloud task with an outcome."""
        return next((entry.advice for entry in self.entries if entry.outcome == outcome and entry.advice), None)

    @staticmethod
    def _task(entry: Entry, elapsed: float) -> dict[str, t.Any]:
        return {
            **entry.record,
            "ref": dict(entry.ref),
            "name": entry.name,
            "outcome": entry.outcome or _verdict.UNFINISHED,
            "polls": entry.polls,
            "elapsed": round(elapsed if entry.ended is None else entry.ended, 3),
            "history": entry.history,
            "look_error": entry.look_error or (entry.doubt if entry.outcome in _verdict.UNFINISHED_OUTCOMES else None),
        }


def refusal(error: CloudError, msg: str) -> dict[str, t.Any]:
    """The result of a wait that did not begin: all keys are there.

    :param msg: the reason, as one sentence.
    """
    empty = Book([], lambda dummy: "").result(require=_verdict.ALL, check_mode=False, elapsed=0.0)
    return {**empty, "outcome": _verdict.ERROR, "failed": True, "msg": msg, "error": error.as_dict()}


def clock_face(started: float) -> t.Callable[[float], str]:
    """From seconds since a start (Unix seconds) to a time of day in UTC, as text."""

    def at(elapsed: float) -> str:
        return datetime.fromtimestamp(started + elapsed, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return at


def _in_order(history: t.Mapping[str, t.Sequence[Change]]) -> list[tuple[int, Change]]:
    """All changes of a report, oldest first."""
    changes = [(int(number), change) for number, some in history.items() for change in some]
    return sorted(changes, key=lambda each: (each[1]["elapsed"], each[0]))


def _without(mapping: t.Mapping[str, t.Any], name: str) -> dict[str, t.Any]:
    return {key: value for key, value in mapping.items() if key != name}


__all__ = ["Book", "Change", "Entry", "News", "Ref", "Report", "clock_face", "refusal"]
