# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The book of a wait: what is known of each cloud task over all rounds, and the result that is made of it."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._errors import CloudError
from .._record import UNKNOWN, Record, expand, make_record
from . import verdict
from .contract import Change, PlanItem, Ref, Report

HISTORY_ENDS = 50
"""How many changes are kept from the beginning and from the end of a history."""


class News(t.NamedTuple):
    """What a round has brought that users are told, as numbers of cloud tasks.

    :param changes: the changes of records, each with the number of its cloud task, oldest first.
    :param troubled: those whose polls fail, for the first time in a row or in another way than before.
    :param recovered: those whose polls succeed again.
    :param ended: those that are over for another reason than their record.
    """

    changes: t.Sequence[tuple[int, Change]] = ()
    troubled: t.Sequence[int] = ()
    recovered: t.Sequence[int] = ()
    ended: t.Sequence[int] = ()

    @property
    def changed(self) -> list[int]:
        """Those whose records have changed."""
        return sorted({number for number, dummy in self.changes})


class Entry:
    """What is known of one cloud task.

    :param twin_of: the number of an earlier entry that is about the same cloud task; that one alone is kept up to date.
    :param name: what people are shown, where the user gave one.
    """

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
        self.poll_error: dict[str, t.Any] | None = None
        self.advice: str | None = None  # what to do about that error
        self.doubt: dict[str, t.Any] | None = None  # why a condition could not be evaluated so far

    @property
    def seen(self) -> bool:
        """Whether the vendor has told anything of it."""
        return bool(self.history) or self.record["done"]

    def end(self, outcome: str, elapsed: float) -> None:
        """Set the outcome; the first one is final."""
        if self.outcome is None:
            self.outcome = outcome
            self.ended = elapsed if self.ended is None else self.ended

    def fail_poll(self, error: CloudError) -> None:
        """Remember why the last poll gave no record."""
        self.poll_error, self.advice = error.as_dict(), error.advice

    def remember(self, changes: t.Iterable[dict[str, t.Any]]) -> None:
        """Add changes to the history. Of a long one, the middle is dropped."""
        self.history += changes
        if len(self.history) > 2 * HISTORY_ENDS:
            self.history = self.history[:HISTORY_ENDS] + self.history[-HISTORY_ENDS:]

    def dump(self) -> dict[str, t.Any]:
        """Returns all of it in plain JSON types."""
        return dict(vars(self))

    @classmethod
    def load(cls, data: t.Mapping[str, t.Any]) -> Entry:
        """Returns the entry that ``dump`` was called on.

        :raises KeyError: when a member is missing.
        """
        entry = cls(data["ref"])
        vars(entry).update({name: data[name] for name in vars(entry)})
        return entry


class Book:
    """All cloud tasks of a wait, in input order.

    :param at: returns the time of day in UTC, as text, for seconds since the wait began.
    """

    def __init__(self, entries: list[Entry], at: t.Callable[[float], str]) -> None:
        self.entries = entries
        self._at = at
        self.api_calls: dict[str, int] = {}

    @classmethod
    def open(cls, plan: t.Iterable[PlanItem], at: t.Callable[[float], str]) -> Book:
        """Returns a new book for a plan. Records that came with it and are done need no poll."""
        entries = []
        for item in plan:
            entry = Entry(item["ref"], twin_of=item.get("twin_of"), name=item.get("name"))
            entry.record = item.get("record") or entry.record
            entries.append(entry)
        return cls(entries, at)

    def apply(self, report: Report) -> News:
        """Enter what a round has seen.

        :returns: what users are told of it.
        """
        for number, polls in report["polls"].items():
            entry = self.entries[int(number)]  # one that was not polled keeps what was last said of it
            entry.polls, entry.advice, entry.poll_error = polls, None, None
            error = report["errors"].get(number)
            if error:
                entry.advice = error["advice"]
                entry.poll_error = {name: value for name, value in error.items() if name != "advice"}
        for number, record in report["records"].items():
            self._enter_record(self.entries[int(number)], record, report["history"][number])
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

    def _enter_record(self, entry: Entry, told: Record, changes: t.Sequence[Change]) -> None:
        entry.record = expand(entry.ref, told)
        entry.changed = changes[-1]["elapsed"]
        entry.remember(
            {"at": self._at(change["elapsed"]), **{name: value for name, value in change.items() if name != "elapsed"}}
            for change in changes
        )

    def judge(self, until: t.Collection[str], elapsed: float) -> None:
        """Set outcomes by the status of the records."""
        for entry in self.entries:
            outcome = verdict.outcome_of(entry.record, until)
            if outcome:
                entry.end(outcome, elapsed)

    def _source(self, entry: Entry) -> Entry:
        """The entry that is kept up to date: of a cloud task that is listed twice, the first one."""
        return entry if entry.twin_of is None else self.entries[entry.twin_of]

    def open_numbers(self) -> list[int]:
        """The cloud tasks that must still be polled."""
        return [number for number, entry in enumerate(self.entries) if entry.outcome is None and entry.twin_of is None]

    def outcomes(self) -> list[str | None]:
        """The outcome of each, in input order."""
        return [self._source(entry).outcome for entry in self.entries]

    def undecided(self) -> list[int]:
        """Cloud tasks whose record is done and that are open all the same, since only a condition can judge them."""
        return [number for number in self.open_numbers() if self.entries[number].record["done"]]

    def decide(self, number: int, is_good: bool | None, problem: str | None, elapsed: float) -> None:
        """Enter what a condition says of a cloud task.

        :param is_good: null when the condition cannot be evaluated.
        :param problem: why it cannot.
        """
        entry = self.entries[number]
        error = CloudError("config", problem, advice="correct condition") if problem else None
        entry.doubt = error.as_dict() if error else None
        if is_good:
            entry.end(verdict.SATISFIED, elapsed)
        elif entry.record["done"] and is_good is None and error:
            entry.fail_poll(error)
            entry.end(verdict.ERROR, elapsed)
        elif entry.record["done"]:
            entry.end(verdict.FAILED, elapsed)

    def is_over(self, *, require: verdict.Require, fail_fast: bool) -> bool:
        """Whether the wait has its verdict."""
        outcomes = self.outcomes()
        still_open, satisfied = outcomes.count(None), outcomes.count(verdict.SATISFIED)
        return verdict.is_over(
            still_open=still_open,
            satisfied=satisfied,
            otherwise=len(outcomes) - still_open - satisfied,
            require=require,
            fail_fast=fail_fast,
        )

    def end_open(self, outcome: str, elapsed: float) -> None:
        """End what is still open, since the wait ends."""
        for entry in self.entries:
            error_kind = (entry.poll_error or {}).get("kind")
            entry.end(verdict.last_word(outcome, seen=entry.seen, error_kind=error_kind), elapsed)

    def result(self, *, require: verdict.Require, check_mode: bool, elapsed: float) -> dict[str, t.Any]:
        """Returns the result of the whole wait, of plain JSON types."""
        tasks = [self._task(entry, elapsed) for entry in self.entries]
        outcome = verdict.whole_outcome(self.outcomes(), require=require, check_mode=check_mode)
        result = {
            "changed": False,
            "outcome": outcome,
            "msg": verdict.message(outcome, tasks, elapsed=elapsed, advice=self._advice(outcome)),
            "tasks": tasks,
            "failed_tasks": [task["ref"] for task in tasks if task["outcome"] in verdict.FAILED_OUTCOMES],
            "unfinished_tasks": [task["ref"] for task in tasks if task["outcome"] in verdict.UNFINISHED_OUTCOMES],
            "summary": verdict.summary(tasks),
            "elapsed": round(elapsed, 3),
            "polls": sum(entry.polls for entry in self.entries if entry.twin_of is None),
            "api_calls": dict(self.api_calls),
        }
        if len(tasks) == 1:
            result["task"] = tasks[0]
        if outcome != verdict.SATISFIED and not check_mode:
            result["failed"] = True
        return result

    def _advice(self, outcome: str) -> str | None:
        """What to do about the error of the first cloud task with an outcome."""
        return next((entry.advice for entry in self.entries if entry.outcome == outcome and entry.advice), None)

    def _task(self, entry: Entry, elapsed: float) -> dict[str, t.Any]:
        """An entry of ``tasks`` in the result."""
        known = self._source(entry)
        doubt = known.doubt if known.outcome in verdict.UNFINISHED_OUTCOMES else None
        return {
            **known.record,
            "ref": dict(entry.ref),
            "name": entry.name,
            "outcome": known.outcome or verdict.UNFINISHED,
            "polls": known.polls,
            "elapsed": round(elapsed if known.ended is None else known.ended, 3),
            "history": known.history,
            "poll_error": known.poll_error or doubt,
        }


def refusal(error: CloudError, msg: str) -> dict[str, t.Any]:
    """Returns the result of a wait that did not begin, with all keys.

    :param msg: the reason, as one sentence.
    """
    empty = Book([], lambda dummy: "").result(require=verdict.ALL, check_mode=False, elapsed=0.0)
    return {**empty, "outcome": verdict.ERROR, "failed": True, "msg": msg, "error": error.as_dict()}


def clock_face(started: float) -> t.Callable[[float], str]:
    """Returns a function from seconds since a start to the time of day in UTC, as text.

    :param started: Unix seconds.
    """

    def at(elapsed: float) -> str:
        return datetime.fromtimestamp(started + elapsed, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return at


def _in_order(history: t.Mapping[str, t.Sequence[Change]]) -> list[tuple[int, Change]]:
    """Returns all changes of a report, oldest first."""
    changes = [(int(number), change) for number, some in history.items() for change in some]
    return sorted(changes, key=lambda each: (each[1]["elapsed"], each[0]))


__all__ = ["Book", "Entry", "News", "clock_face", "refusal"]
