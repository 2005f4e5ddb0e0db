# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""What the result of a poll means for a cloud task: whether it has changed or ended, and when to poll it again."""

from __future__ import annotations

import hashlib
import typing as t

from .._errors import CloudError
from .._pacing import FOREVER, backoff
from .._record import PENDING, RUNNING, SUCCEEDED, Record
from . import verdict
from .contract import Change, Failure, PlanItem, PollError, TaskState
from .forecast import Forecast, Life, pause_before
from .policy import EXPECTED, Limits, Policy

MOST_FAILURES = 100
"""Largest number of failed polls of a cloud task that are kept for the next report. A history keeps no more."""

RETRY_AFTER_CAP = 120.0
"""Longest delay of the next poll, in seconds, that a vendor's ``Retry-After`` can cause."""


class Untold:
    """What polls of a cloud task have found out since the last report."""

    __slots__ = ("changes", "failures", "is_heard", "record", "response")

    def __init__(self) -> None:
        self.is_heard = False  # a poll or a list has told about it
        self.record: Record | None = None
        self.changes: list[Change] = []
        self.failures: list[Failure] = []
        self.response: dict[str, t.Any] | None = None


class CloudTask:
    """A cloud task, with what a round knows of it.

    :param number: its number in the plan.
    :param state: what earlier rounds have handed over.
    :param began_at: when it was to be polled first; null for the beginning of the wait.
    :param deadline: when it ends as ``timed_out``, where it has a deadline of its own.
    """

    def __init__(
        self,
        number: int,
        item: PlanItem,
        state: TaskState,
        *,
        began_at: float | None = None,
        deadline: float = FOREVER,
    ) -> None:
        self.began_at = began_at
        self.deadline = deadline
        self.number = number
        self.item = item
        self.weight = 1 + item.get("twins", 0)  # for how many items of the user it counts
        self.polls = state.get("polls", 0)
        self.errors = state.get("errors", 0)
        self.missing = state.get("missing", 0)
        self.due_in = state.get("due_in")
        self.changed_ago = state.get("changed_ago")
        self.fingerprint = state.get("fingerprint")
        self.status = state.get("status")
        self.latest = state.get("latest")
        self.same = state.get("same", 0)  # records in a row with that status
        self.trouble = state.get("trouble")
        self.told_trouble = self.trouble  # what the user has been told already
        self.asked = state.get("asked", False)
        self.life = Life(state.get("began"), state.get("marks", []))
        self.expected: float | None = None  # when it should end
        self.changed_at = 0.0
        self.due_at = 0.0
        self.is_polled = False  # in this round
        self.is_polled_last = False  # the poll at the deadline was sent
        self.untold = Untold()
        self.error: PollError | None = None
        self.is_over = False
        self.is_told_over = False
        self.outcome: str | None = None  # null while open, and when the action must evaluate a condition
        self.ended = 0.0

    @property
    def word(self) -> str:
        """Provider word of its service."""
        return t.cast(str, self.item["ref"]["provider"])

    def count(self, status: str) -> int:
        """Note that a record told this status. Returns how many records in a row have told it."""
        self.same = self.same + 1 if status == self.latest else 1
        self.latest = status
        return self.same

    @property
    def since(self) -> float:
        """When it was to be polled first, but for ``delay``."""
        return self.began_at or 0.0

    @property
    def is_known(self) -> bool:
        """Whether the vendor has ever returned a record of it."""
        return self.fingerprint is not None


class Judge:
    """Applies the policy of a wait to the results of polls.

    :param began: when the round began, by the clock that gives every ``now``.
    :param chance: returns a random number from 0 to 1, for jitter.
    :param forecast: what earlier rounds have learned about the durations of cloud tasks.
    """

    def __init__(
        self,
        tasks: t.Sequence[CloudTask],
        policy: Policy,
        limits: Limits,
        *,
        began: float,
        chance: t.Callable[[], float],
        forecast: Forecast | None = None,
    ) -> None:
        self.policy = policy
        self.forecast = forecast or Forecast()
        self.deadline = began + limits.left
        self.is_deadline_over = False
        self.untold: dict[int, CloudTask] = {}  # those with a change or an end that no report has told
        self._limits = limits
        self._began = began
        self._chance = chance
        self.unpolled = 0
        self._open = 0
        self._satisfied = limits.satisfied
        self._otherwise = limits.otherwise
        for task in tasks:
            self.add(task, began)

    def add(self, task: CloudTask, now: float) -> None:
        """Take a cloud task into the wait, and set when it is due."""
        self.unpolled += 1
        self._open += task.weight
        if task.began_at is None:
            task.began_at = self._began - self._limits.elapsed
        first_poll = task.began_at + self.policy.delay
        due_in = max(0.0, first_poll - now) if task.due_in is None else max(0.0, task.due_in)
        task.changed_at = first_poll if task.changed_ago is None else now - task.changed_ago
        task.due_at = now + due_in

    def elapsed(self, now: float) -> float:
        """Returns the seconds since the wait began."""
        return self._limits.elapsed + now - self._began

    def has_verdict(self) -> bool:
        """Returns whether the outcome of the wait is certain, as far as a round can tell.

        A round cannot evaluate a condition, so with one this is true only once every cloud task has ended.
        """
        if self._limits.endless:
            return False
        decides = self.policy.until is not None
        return verdict.is_over(
            still_open=self._open,
            satisfied=self._satisfied,
            otherwise=self._otherwise,
            require=self.policy.require if decides else verdict.ALL,
            fail_fast=self.policy.fail_fast and decides,
        )

    def mark_polled(self, task: CloudTask) -> None:
        """Note that a poll or a list has told about a cloud task in this round."""
        self.unpolled -= not task.is_polled
        task.is_polled = task.untold.is_heard = True

    def take_record(self, task: CloudTask, record: Record, now: float) -> None:
        """Apply the record that a poll returned, once its status is stable."""
        self._recover(task)
        if task.count(record["status"]) < self.policy.stable_polls and not self._limits.once:
            return
        task.status = record["status"]
        if task.status == RUNNING:
            since = self.elapsed(task.since)
            task.life.see(self.elapsed(now), record["progress"], is_first=task.polls <= 1, since=since)
        elif task.status == SUCCEEDED:
            self.forecast.learn(task.word, task.life, self.elapsed(now))
        task.expected = self.expected_end(task, now)
        mark = verdict.fingerprint(record)
        if mark != task.fingerprint:
            task.fingerprint = mark
            task.changed_at = now
            task.untold.record = record
            task.untold.changes.append(_change(record, self.elapsed(now)))
            self.untold[task.number] = task
        outcome = verdict.outcome_of(record, self.policy.until or ())
        if outcome is not None:
            self.end(task, outcome if self.policy.until else None, now)

    def take_listed(self, task: CloudTask, record: Record, now: float) -> None:
        """Apply the record from a list, which has no more than the status.

        Lists may lag behind: a record that says pending does not replace one that says running.
        """
        self.mark_polled(task)
        is_late = task.status == RUNNING and record["status"] == PENDING
        if record["status"] == task.status or is_late:
            self._recover(task)
        else:
            self.take_record(task, record, now)

    def _recover(self, task: CloudTask) -> None:
        task.errors, task.missing, task.error, task.trouble = 0, 0, None, None
        _note_trouble(task, self.untold)

    def take_error(self, task: CloudTask, error: CloudError, now: float) -> None:
        """Apply the error of a poll that returned no record."""
        task.error = t.cast(PollError, {**error.as_dict(), "advice": error.advice})
        task.trouble = _mark(error)
        task.untold.failures.append(_failure(error, self.elapsed(now)))
        del task.untold.failures[:-MOST_FAILURES]
        _note_trouble(task, self.untold)
        if error.kind == "not_found":
            task.missing += 1
            if task.missing >= 2 if task.is_known else now - task.since >= self.policy.not_found_grace:
                self.end(task, verdict.NOT_FOUND, now)
            return
        task.errors += 1
        if not error.retryable or task.errors >= self.policy.max_errors:
            self.end(task, verdict.ERROR, now)
        task.due_at = now + min(error.retry_after or 0.0, RETRY_AFTER_CAP)

    def goes_on(self, task: CloudTask, now: float) -> bool:
        """Returns whether a cloud task must be polled again.

        Ends it at ``stall_timeout``, at ``max_polls`` or at its own deadline.
        """
        policy = self.policy
        if task.is_over or self._limits.once:
            return False
        if policy.stall_timeout is not None and now - task.changed_at >= policy.stall_timeout:
            self.end(task, verdict.STALLED, now)
        elif now >= task.deadline or (policy.max_polls is not None and task.polls >= policy.max_polls):
            self.end(task, verdict.TIMED_OUT, now)
        return not (task.is_over or task.is_polled_last)

    def next_due(self, task: CloudTask, now: float) -> float:
        """Returns the time of the next poll of a cloud task, and notes it.

        It is never later than its deadline, or the end of ``stall_timeout`` or ``not_found_grace``, which the poll then
        decides.
        """
        if self.is_deadline_over:
            return self.deadline
        policy = self.policy
        due = max(now + self._pause_of(task, now), task.due_at if task.errors else 0.0)
        ends = [task.deadline]
        if policy.stall_timeout is not None:
            ends.append(task.changed_at + policy.stall_timeout)
        if task.missing and not task.is_known:
            ends.append(task.since + policy.not_found_grace)
        task.due_at = min([due, *(end for end in ends if end > now)])
        return task.due_at

    def expected_end(self, task: CloudTask, now: float) -> float | None:
        """Returns when a cloud task should end, in seconds since the wait began; null if there is no forecast."""
        if self.policy.pace != EXPECTED or task.status != RUNNING:
            return None
        return self.forecast.end_of(task.word, task.life, self.elapsed(now))

    def _pause_of(self, task: CloudTask, now: float) -> float:
        """Returns the seconds until the next poll of a cloud task."""
        if 0 < task.same < self.policy.stable_polls:
            return self.pause_after(0)
        end = None if task.errors or task.missing else self.expected_end(task, now)
        if end is None:
            return self.pause_after(task.polls - 1)
        pause = max(self.policy.sleep, pause_before(end, self.elapsed(now)))
        return backoff(0, first=pause, factor=1.0, cap=self.policy.max_sleep, chance=self._chance)

    def pause_after(self, attempt: int) -> float:
        """Returns the seconds between two polls.

        :param attempt: number of polls before the first of the two.
        """
        policy = self.policy
        return backoff(attempt, first=policy.sleep, factor=policy.backoff, cap=policy.max_sleep, chance=self._chance)

    def end(self, task: CloudTask, outcome: str | None, now: float) -> None:
        """End a cloud task.

        :param outcome: its outcome; null if the action must find it by evaluating a condition.
        """
        if outcome is not None:
            error_kind = verdict.NOT_FOUND if task.missing else None
            outcome = verdict.last_word(outcome, seen=task.is_known, error_kind=error_kind)
        self.untold[task.number] = task
        task.is_over, task.outcome, task.ended = True, outcome, self.elapsed(now)
        is_good = outcome == verdict.SATISFIED
        self._open -= task.weight
        self._satisfied += task.weight * is_good
        self._otherwise += task.weight * (not is_good)


def _note_trouble(task: CloudTask, untold: dict[int, CloudTask]) -> None:
    """Add a cloud task to those that a report must tell of, if polls have begun to fail, or no longer fail."""
    if task.trouble != task.told_trouble:
        untold[task.number] = task


def _change(record: Record, elapsed: float) -> Change:
    status, native_status, progress = (record[name] for name in ("status", "native_status", "progress"))
    return {"elapsed": elapsed, "status": status, "native_status": native_status, "progress": progress}


def _failure(error: CloudError, elapsed: float) -> Failure:
    return {"elapsed": elapsed, "kind": error.kind, "code": error.code, "request_id": error.request_id}


def _mark(error: CloudError) -> str:
    """Returns a digest that is equal for errors of the same kind and code.

    A digest, since text of the vendor must not be handed from round to round.
    """
    return hashlib.sha256(f"{error.kind} {error.code}".encode("utf-8", "replace")).hexdigest()[:8]


__all__ = ["RETRY_AFTER_CAP", "CloudTask", "Judge", "Untold"]
