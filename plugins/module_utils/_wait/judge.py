# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""What a poll means for a cloud task: has it changed, is it over, when is it polled again."""

from __future__ import annotations

import hashlib
import typing as t

from .._errors import CloudError
from .._pacing import backoff
from .._record import PENDING, RUNNING, Record
from . import verdict
from .contract import Change, PlanItem, PollError, TaskState
from .policy import Limits, Policy

RETRY_AFTER_CAP = 120.0
"""The longest that a vendor's ``Retry-After`` may put off the next poll, in seconds."""


class CloudTask:
    """What a round knows of a cloud task.

    :param number: its number in the plan.
    :param state: what earlier rounds have handed over.
    """

    def __init__(self, number: int, item: PlanItem, state: TaskState) -> None:
        self.number = number
        self.item = item
        self.polls = state.get("polls", 0)
        self.errors = state.get("errors", 0)
        self.missing = state.get("missing", 0)
        self.due_in = state.get("due_in")
        self.changed_ago = state.get("changed_ago")
        self.fingerprint = state.get("fingerprint")
        self.status = state.get("status")
        self.trouble = state.get("trouble")
        self.told_trouble = self.trouble  # what the user was told of it
        self.asked = state.get("asked", False)
        self.changed_at = 0.0
        self.due_at = 0.0
        self.is_polled = False  # in this round
        self.is_polled_last = False  # the poll at the deadline was sent
        self.record: Record | None = None
        self.changes: list[Change] = []
        self.error: PollError | None = None
        self.is_over = False
        self.outcome: str | None = None  # stays null where a condition decides about a record that is done
        self.ended = 0.0

    @property
    def word(self) -> str:
        """The word of its service."""
        return t.cast(str, self.item["ref"]["provider"])

    @property
    def is_known(self) -> bool:
        """Whether the vendor has ever told anything of it."""
        return self.fingerprint is not None


class Judge:
    """Applies the policy of a wait to what polls of its cloud tasks give.

    :param began: when the round began, by the clock that gives every ``now``.
    :param chance: returns a number from 0 to 1, for jitter.
    """

    def __init__(
        self,
        tasks: t.Sequence[CloudTask],
        policy: Policy,
        limits: Limits,
        *,
        began: float,
        chance: t.Callable[[], float],
    ) -> None:
        self.policy = policy
        self.deadline = began + limits.left
        self.is_deadline_over = False
        self.has_changed = False
        self._limits = limits
        self._began = began
        self._chance = chance
        self._total = self._open = self.unpolled = len(tasks)
        self._satisfied = 0
        for task in tasks:
            due_in = policy.delay if task.due_in is None else task.due_in
            task.changed_at = began - (limits.elapsed if task.changed_ago is None else task.changed_ago)
            task.due_at = began + max(0.0, due_in)

    def elapsed(self, now: float) -> float:
        """Seconds since the wait began."""
        return self._limits.elapsed + now - self._began

    def has_verdict(self) -> bool:
        """Whether the wait is over, as far as a round can tell. Where a condition decides, every record must be done."""
        policy = self.policy
        decides = policy.until is not None
        return verdict.is_over(
            still_open=self._open,
            satisfied=self._satisfied,
            otherwise=self._total - self._open - self._satisfied,
            require=policy.require if decides else verdict.ALL,
            fail_fast=policy.fail_fast and decides,
        )

    def mark_polled(self, task: CloudTask) -> None:
        """Something was told of a cloud task in this round, by a poll or by a list."""
        self.unpolled -= not task.is_polled
        task.is_polled = True

    def take_record(self, task: CloudTask, record: Record, now: float) -> None:
        """A poll gave a record."""
        self._recover(task)
        task.status = record["status"]
        mark = verdict.fingerprint(record)
        if mark != task.fingerprint:
            task.fingerprint = mark
            task.changed_at = now
            task.record = record
            task.changes.append(
                {
                    "elapsed": self.elapsed(now),
                    "status": record["status"],
                    "native_status": record["native_status"],
                    "progress": record["progress"],
                }
            )
            self.has_changed = True
        outcome = verdict.outcome_of(record, self.policy.until or ())
        if outcome is not None:
            task.record = record
            self.end(task, outcome if self.policy.until else None, now)

    def take_listed(self, task: CloudTask, record: Record, now: float) -> None:
        """A list names a cloud task. It tells the status alone, which must not hide what a poll has told since."""
        self.mark_polled(task)
        is_late = task.status == RUNNING and record["status"] == PENDING
        if record["status"] != task.status and not is_late:
            self.take_record(task, record, now)
        self._recover(task)

    def _recover(self, task: CloudTask) -> None:
        task.errors, task.missing, task.error, task.trouble = 0, 0, None, None
        self.has_changed |= task.told_trouble is not None

    def take_error(self, task: CloudTask, error: CloudError, now: float) -> None:
        """A poll gave no record."""
        task.error = t.cast(PollError, {**error.as_dict(), "advice": error.advice})
        task.trouble = _mark(error)
        self.has_changed |= task.trouble != task.told_trouble
        if error.kind == "not_found":
            task.missing += 1
            if task.missing >= 2 if task.is_known else self.elapsed(now) >= self.policy.not_found_grace:
                self.end(task, verdict.NOT_FOUND, now)
            return
        task.errors += 1
        if not error.retryable or task.errors >= self.policy.max_errors:
            self.end(task, verdict.ERROR, now)
        task.due_at = now + min(error.retry_after or 0.0, RETRY_AFTER_CAP)

    def goes_on(self, task: CloudTask, now: float) -> bool:
        """Whether a cloud task is to be polled again; ends it when time, patience or the number of polls is used up."""
        policy = self.policy
        if task.is_over or self._limits.once:
            return False
        if policy.stall_timeout is not None and now - task.changed_at >= policy.stall_timeout:
            self.end(task, verdict.STALLED, now)
        elif policy.max_polls is not None and task.polls >= policy.max_polls:
            self.end(task, verdict.TIMED_OUT, now)
        return not (task.is_over or task.is_polled_last)

    def next_due(self, task: CloudTask, now: float) -> float:
        """When a cloud task is polled next: after a pause, but not later than the moment at which patience ends."""
        if self.is_deadline_over:
            return self.deadline
        policy = self.policy
        due = max(now + self.pause_after(task.polls - 1), task.due_at if task.errors else 0.0)
        ends = []
        if policy.stall_timeout is not None:
            ends.append(task.changed_at + policy.stall_timeout)
        if task.missing and not task.is_known:
            ends.append(self._began - self._limits.elapsed + policy.not_found_grace)
        task.due_at = min([due, *(end for end in ends if end > now)])
        return task.due_at

    def pause_after(self, attempt: int) -> float:
        """Seconds between two polls.

        :param attempt: how many polls there were before the first of the two.
        """
        policy = self.policy
        return backoff(attempt, first=policy.sleep, factor=policy.backoff, cap=policy.max_sleep, chance=self._chance)

    def end(self, task: CloudTask, outcome: str | None, now: float) -> None:
        """A cloud task is over. Without an outcome, the action finds it by a condition."""
        if outcome is not None:
            error_kind = verdict.NOT_FOUND if task.missing else None
            outcome = verdict.last_word(outcome, seen=task.is_known, error_kind=error_kind)
        task.is_over = True
        task.outcome = outcome
        task.ended = self.elapsed(now)
        self._open -= 1
        self._satisfied += outcome == verdict.SATISFIED


def _mark(error: CloudError) -> str:
    """The same for errors of the same kind and code. The vendor's code itself does not go from round to round."""
    return hashlib.sha256(f"{error.kind} {error.code}".encode("utf-8", "replace")).hexdigest()[:8]


__all__ = ["RETRY_AFTER_CAP", "CloudTask", "Judge"]
