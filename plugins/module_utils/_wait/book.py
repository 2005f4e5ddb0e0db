# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The book of a wait: what is known of each cloud task across all rounds."""

from __future__ import annotations

import functools
import math
import typing as t
from collections import Counter
from datetime import datetime, timezone

from .._errors import CloudError
from .._record import TERMINAL, UNKNOWN, Record, compact, expand, shared
from . import verdict
from .contract import Abort, Change, Failure, Number, PlanItem, Ref, Report

HISTORY_ENDS = 50
"""Number of changes that a history keeps at its beginning, and again at its end."""


BLANK = {"status": UNKNOWN, "native_status": None, "progress": None}
"""State of a cloud task before its first record."""


class News(t.NamedTuple):
    """What a round has found out that progress lines report, by the number of the cloud task.

    :param changes: changes of records, each with the number of its cloud task, oldest first.
    :param troubled: cloud tasks whose polls have begun to fail, or fail with another error than before.
    :param recovered: cloud tasks whose polls succeed again.
    :param ended: cloud tasks that have an outcome although their status is not terminal, such as ``timed_out``.
    """

    changes: t.Sequence[tuple[int, Change]] = ()
    troubled: t.Sequence[int] = ()
    recovered: t.Sequence[int] = ()
    ended: t.Sequence[int] = ()

    @property
    def changed(self) -> list[int]:
        """Numbers of the cloud tasks whose records have changed, in order."""
        return sorted({number for number, dummy in self.changes})


class Entry:
    """What is known of one cloud task.

    :param twin_of: the number of an earlier entry for the same cloud task. Only the earlier one is kept up to date.
    :param name: the name that the user gave the cloud task, or null.
    """

    def __init__(self, ref: Ref, *, twin_of: int | None = None, name: str | None = None) -> None:
        self.ref = ref
        self.name = name
        self.twin_of = twin_of
        self.told: Record = {"status": UNKNOWN}  # of its record, what ref and default values do not tell
        self.outcome: str | None = None
        self.polls = 0
        self.ended: float | None = None
        self.changed = 0.0
        self.is_seen = False
        self.response: dict[str, t.Any] | None = None  # the vendor's last answer, where that is wanted
        self.expected: float | None = None  # when it should end
        self.history: list[dict[str, t.Any]] = []
        self.poll_error: dict[str, t.Any] | None = None
        self.advice: str | None = None  # what to do about that error
        self.abort: dict[str, t.Any] | None = None  # what became of it when the wait aborted it
        self.doubt: dict[str, t.Any] | None = None  # why a condition could not be evaluated so far

    @property
    def record(self) -> Record:
        """Its record, made anew each time: a wait on many cloud tasks has no memory for all members of them all."""
        return {**expand(self.ref, self.told), "ref": self.ref}

    @property
    def status(self) -> str:
        """The status in its record."""
        return t.cast(str, self.told["status"])

    @property
    def done(self) -> bool:
        """Whether that status is terminal."""
        return self.status in TERMINAL

    @property
    def seen(self) -> bool:
        """Whether the vendor has ever returned a record of it."""
        return self.is_seen or self.done

    def fail_poll(self, error: CloudError) -> None:
        """Remember why the last poll gave no record."""
        self.poll_error, self.advice = error.as_dict(), error.advice

    def remember(self, changes: t.Iterable[dict[str, t.Any]]) -> None:
        """Add changes to the history. If it becomes too long, its middle is dropped."""
        self.history += changes
        if len(self.history) > 2 * HISTORY_ENDS:
            self.history = self.history[:HISTORY_ENDS] + self.history[-HISTORY_ENDS:]

    def dump(self) -> dict[str, t.Any]:
        """Returns the entry as plain JSON types, for a state file."""
        return dict(vars(self))

    @classmethod
    def load(cls, data: t.Mapping[str, t.Any]) -> Entry:
        """Returns the entry that ``dump`` has saved.

        :raises KeyError: when a member is missing.
        """
        entry = cls(data["ref"])
        vars(entry).update({name: data[name] for name in vars(entry)})
        return entry


class Book:
    """All cloud tasks of a wait, in input order.

    :param at: converts seconds since the wait began to a time in UTC, as text.
    """

    def __init__(self, entries: list[Entry], at: t.Callable[[float], str]) -> None:
        self.entries = entries
        self._at = at
        self.api_calls: dict[str, int] = {}
        self.count()

    def count(self) -> None:
        """Count the outcomes anew, after entries were changed by others than the book."""
        self._outcomes = Counter(self.outcomes())
        self._twins = Counter(entry.twin_of for entry in self.entries if entry.twin_of is not None)

    def end(self, number: int, outcome: str, elapsed: float) -> None:
        """Set the outcome of a cloud task, unless it has one already.

        :param elapsed: seconds since the wait began.
        """
        entry = self.entries[number]
        if entry.outcome is not None:
            return
        entry.outcome = outcome
        entry.ended = elapsed if entry.ended is None else entry.ended
        if entry.twin_of is None:
            weight = 1 + self._twins[number]
            self._outcomes[None] -= weight
            self._outcomes[outcome] += weight

    @classmethod
    def open(cls, plan: t.Iterable[PlanItem], at: t.Callable[[float], str]) -> Book:
        """Returns a new book for a plan. Finished records that came with its items are entered without a poll."""
        entries = []
        for item in plan:
            entry = Entry(item["ref"], twin_of=item.get("twin_of"), name=item.get("name"))
            if "record" in item:
                entry.told = compact({**item["record"], "ref": entry.ref})
            entries.append(entry)
        return cls(entries, at)

    def apply(self, report: Report) -> News:
        """Enter the report of a round.

        :returns: what progress lines should report.
        """
        for number, polls in report["polls"].items():
            entry = self.entries[int(number)]  # entries that were not polled keep their last error
            entry.polls, entry.advice, entry.poll_error = polls, None, None
            error = report["errors"].get(number)
            if error:
                entry.advice = error["advice"]
                entry.poll_error = {name: value for name, value in shared(error).items() if name != "advice"}
        for number, record in report["records"].items():
            entry = self.entries[int(number)]
            entry.told, entry.is_seen = shared(record), True
            entry.changed = report["history"][number][-1]["elapsed"]
            entry.expected = report["expected"].get(number)
        for number, response in report["responses"].items():
            self.entries[int(number)].response = shared(response)
        for number in {**report["history"], **report["failures"]}:
            entry = self.entries[int(number)]
            last = entry.history[-1] if entry.history else BLANK
            changes, failures = report["history"].get(number, []), report["failures"].get(number, [])
            entry.remember(_history_of(last, changes, failures, self._at))
        for number, (outcome, elapsed) in report["outcomes"].items():
            self.end(int(number), outcome, elapsed)
        self.count_calls(report["api_calls"])
        return News(
            changes=_in_order(report["history"]),
            troubled=sorted(int(number) for number, lasts in report["troubles"].items() if lasts),
            recovered=sorted(int(number) for number, lasts in report["troubles"].items() if not lasts),
            ended=sorted(int(number) for number in report["outcomes"] if not self.entries[int(number)].done),
        )

    def count_calls(self, calls: t.Mapping[str, int]) -> None:
        """Add the numbers of requests that were sent to each service."""
        for provider, number in calls.items():
            self.api_calls[provider] = self.api_calls.get(provider, 0) + number

    def judge(self, until: t.Collection[str], elapsed: float) -> None:
        """Set the outcomes that follow from the status of the records.

        :param until: the option ``until``.
        :param elapsed: seconds since the wait began.
        """
        for number, entry in enumerate(self.entries):
            outcome = verdict.outcome_of(entry.told, until)
            if outcome:
                self.end(number, outcome, elapsed)

    def source_of(self, entry: Entry) -> Entry:
        """Returns the entry that is kept up to date: the first one, if a cloud task was given several times."""
        return entry if entry.twin_of is None else self.entries[entry.twin_of]

    def open_numbers(self) -> list[int]:
        """Returns the numbers of the cloud tasks that have no outcome yet, each once."""
        return [number for number, entry in enumerate(self.entries) if entry.outcome is None and entry.twin_of is None]

    def outcomes(self) -> list[str | None]:
        """Returns the outcome of each cloud task in input order; null while it has none."""
        return [self.source_of(entry).outcome for entry in self.entries]

    def undecided(self) -> list[int]:
        """Returns the numbers of finished cloud tasks without an outcome, which only a condition can decide."""
        return [number for number in self.open_numbers() if self.entries[number].done]

    def decide(self, number: int, is_good: bool | None, problem: str | None, elapsed: float) -> None:
        """Enter the value of the condition for a cloud task. Unless it is true, an unfinished cloud task stays open.

        :param is_good: the value; null when the condition cannot be evaluated.
        :param problem: why it cannot be evaluated, else null.
        :param elapsed: seconds since the wait began.
        """
        entry = self.entries[number]
        error = CloudError("config", problem, advice="correct condition") if problem else None
        entry.doubt = error.as_dict() if error else None
        if is_good:
            self.end(number, verdict.SATISFIED, elapsed)
        elif entry.done and is_good is None and error:
            entry.fail_poll(error)
            self.end(number, verdict.ERROR, elapsed)
        elif entry.done:
            self.end(number, verdict.FAILED, elapsed)

    def is_over(self, *, require: verdict.Require, fail_fast: bool) -> bool:
        """Returns whether the outcome of the whole wait is certain."""
        return verdict.is_over(**self.tally(), require=require, fail_fast=fail_fast)

    def tally(self) -> dict[str, int]:
        """Returns how many cloud tasks are open, have satisfied the wait, and have ended otherwise."""
        still_open, satisfied = self._outcomes[None], self._outcomes[verdict.SATISFIED]
        otherwise = len(self.entries) - still_open - satisfied
        return {"still_open": still_open, "satisfied": satisfied, "otherwise": otherwise}

    def end_open(self, outcome: str, elapsed: float) -> None:
        """Give an outcome to every cloud task that has none, because the wait ends."""
        for number, entry in enumerate(self.entries):
            error_kind = (entry.poll_error or {}).get("kind")
            self.end(number, verdict.last_word(outcome, seen=entry.seen, error_kind=error_kind), elapsed)


def _history_of(
    last: t.Mapping[str, t.Any],
    changes: t.Sequence[Change],
    failures: t.Sequence[Failure],
    at: t.Callable[[float], str],
) -> t.Iterator[dict[str, t.Any]]:
    """Yields changes and failed polls in the form of a history. A failed poll has the state before it.

    :param last: the state before all of them.
    :param at: converts seconds since the wait began to a time in UTC, as text.
    """
    state = {name: last[name] for name in ("status", "native_status", "progress")}
    events = t.cast("list[dict[str, t.Any]]", shared([*changes, *failures]))
    for event in sorted(events, key=lambda event: event["elapsed"]):
        if "status" in event:
            state = {name: event[name] for name in state}
            yield {"at": at(event["elapsed"]), **state}
        else:
            error = {name: event[name] for name in ("kind", "code", "request_id")}
            yield {"at": at(event["elapsed"]), **state, "error": error}


def numbers_to_abort(book: Book) -> list[int]:
    """Returns the numbers of the cloud tasks that the wait has given up on although they have not ended."""
    given_up = (verdict.TIMED_OUT, verdict.UNFINISHED)
    return [
        number
        for number, entry in enumerate(book.entries)
        if entry.twin_of is None and entry.outcome in given_up and not entry.done
    ]


def drop_satisfied(book: Book, numbers: t.Iterable[int]) -> None:
    """Drop all but the status of those of these cloud tasks that have satisfied the wait.

    That is most of the memory of a wait on very many cloud tasks whose result has only problems.
    """
    for entry in (book.entries[number] for number in numbers):
        if entry.outcome == verdict.SATISFIED:
            entry.told, entry.history, entry.response = {"status": entry.status}, [], None


def enter_aborts(book: Book, aborts: t.Mapping[Number, Abort], api_calls: t.Mapping[str, int]) -> None:
    """Enter what became of cloud tasks that were to be aborted."""
    for number, abort in aborts.items():
        book.entries[int(number)].abort = {**abort}
    book.count_calls(api_calls)


def clock_face(started: float) -> t.Callable[[float], str]:
    """Returns a function that converts seconds since a start to a time in UTC, as ``2026-01-02T03:04:05Z``.

    :param started: the start in Unix seconds.
    """

    @functools.lru_cache(maxsize=64)  # changes come by the second
    def face(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    return lambda elapsed: face(math.floor(started + elapsed))


def _in_order(history: t.Mapping[str, t.Sequence[Change]]) -> list[tuple[int, Change]]:
    """Returns all changes of a report, oldest first."""
    changes = [(int(number), change) for number, some in history.items() for change in some]
    return sorted(changes, key=lambda each: (each[1]["elapsed"], each[0]))


__all__ = ["Book", "Entry", "News", "clock_face", "drop_satisfied", "enter_aborts", "numbers_to_abort"]
