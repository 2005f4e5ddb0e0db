# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The results of a round: its reports, and what the next round must know."""

from __future__ import annotations

import typing as t

from .._pacing import FOREVER
from .._record import compact
from . import verdict
from .contract import Handover, QueueState, Report, SweepState, TaskState
from .judge import CloudTask, Judge, Untold
from .queues import ServiceQueue
from .sources import SweepSource

BETWEEN_UPDATES = 0.25
"""Seconds between two updates over the live channel."""

Tell = t.Callable[[Report, Handover], bool]
"""Tells the controller what has changed, while the round runs. Returns whether that succeeded."""


class Reports:
    """Reports what a round finds out: while it runs if there is a live channel, and the rest at its end.

    :param tell: tells changes while the round runs; null without a live channel.
    """

    def __init__(
        self,
        tasks: t.Collection[CloudTask],
        judge: Judge,
        queues: t.Mapping[str, ServiceQueue],
        sweeps: t.Mapping[str, SweepSource],
        tell: Tell | None,
    ) -> None:
        self._tasks = tasks
        self._judge = judge
        self._queues = queues
        self._sweeps = sweeps
        self._tell = tell
        self._not_before = -FOREVER

    def next_moment(self) -> float:
        """Returns when changes should be told; never without changes or a live channel."""
        return self._not_before if self._tell is not None and self._judge.untold else FOREVER

    def tell(self, now: float) -> bool:
        """Tell what has changed, if it is time. Returns false if that failed, so that the rest must tell it."""
        if self._tell is None or now < self.next_moment():
            return True
        tasks = self._judge.untold.values()
        if not self._tell(make_report(tasks, self._queues), self._handover(tasks, now)):
            return False
        mark_told(tasks, self._queues)
        self._judge.untold = {}
        self._not_before = now + BETWEEN_UPDATES
        return True

    def rest(self, now: float) -> tuple[Report, Handover]:
        """Returns what was not told, and what the next round must know."""
        return make_report(self._tasks, self._queues), self._handover(self._tasks, now)

    def _handover(self, tasks: t.Iterable[CloudTask], now: float) -> Handover:
        return {
            "queues": queue_states(self._queues, now),
            "states": task_states(tasks, now),
            "sweeps": sweep_states(self._sweeps, now),
            "lives": self._judge.forecast.lives,
        }


def end_late(tasks: t.Iterable[CloudTask], judge: Judge, now: float) -> None:
    """Once the deadline has passed, end every cloud task that is still open as ``timed_out``."""
    if judge.is_deadline_over and not judge.has_verdict():
        for task in tasks:
            if not task.is_over:
                judge.end(task, verdict.TIMED_OUT, now)


def make_report(tasks: t.Collection[CloudTask], queues: t.Mapping[str, ServiceQueue]) -> Report:
    """Returns what has not been told of these cloud tasks, for the book of the wait."""
    changed = [task for task in tasks if task.untold.changes]
    return {
        "polls": {str(task.number): task.polls for task in tasks if task.untold.is_heard},
        "errors": {str(task.number): task.error for task in tasks if task.error},
        "troubles": {str(task.number): bool(task.trouble) for task in tasks if task.trouble != task.told_trouble},
        "records": {str(task.number): compact(task.untold.record) for task in changed if task.untold.record},
        "history": {str(task.number): task.untold.changes for task in changed},
        "failures": {str(task.number): task.untold.failures for task in tasks if task.untold.failures},
        "responses": {str(task.number): task.untold.response for task in tasks if task.untold.response},
        "expected": {str(task.number): task.expected for task in changed if task.expected is not None},
        "outcomes": {
            str(task.number): [task.outcome, task.ended] for task in tasks if task.outcome and not task.is_told_over
        },
        "api_calls": {word: queue.calls for word, queue in queues.items() if queue.calls},
    }


def mark_told(tasks: t.Collection[CloudTask], queues: t.Mapping[str, ServiceQueue]) -> None:
    """Note that the report of these cloud tasks has reached the controller."""
    for task in tasks:
        task.untold = Untold()
        task.told_trouble, task.is_told_over = task.trouble, task.is_over
    for queue in queues.values():
        queue.calls = 0


def task_states(tasks: t.Iterable[CloudTask], now: float) -> dict[str, TaskState]:
    """Returns what the next round must know of the cloud tasks that are still open."""
    return {str(task.number): _state_of(task, now) for task in tasks if not task.is_over}


def _state_of(task: CloudTask, now: float) -> TaskState:
    state: dict[str, t.Any] = {
        "polls": task.polls,
        "errors": task.errors,
        "missing": task.missing,
        "fingerprint": task.fingerprint,
        "status": task.status,
        "latest": task.latest,
        "same": task.same,
        "trouble": task.trouble,
        "asked": task.asked,
        "marks": task.life.marks,
    }
    told = {name: value for name, value in state.items() if value}  # absent members have initial values
    if task.life.began is not None:
        told["began"] = task.life.began  # which may be 0
    return t.cast(TaskState, {**told, "due_in": max(0.0, task.due_at - now), "changed_ago": now - task.changed_at})


def queue_states(queues: t.Mapping[str, ServiceQueue], now: float) -> dict[str, QueueState]:
    """Returns the present pace of each service, by provider word."""
    return {
        word: {"ready_in": max(0.0, queue.budget.ready - now), "slowdown": queue.budget.slowdown}
        for word, queue in queues.items()
    }


def sweep_states(sweeps: t.Mapping[str, SweepSource], now: float) -> dict[str, SweepState]:
    """Returns the state of the sweeps, by account."""
    return {
        account: {
            "passes": source.sweep.passes,
            "errors": source.sweep.errors,
            "due_in": max(0.0, source.due_at - now),
            "given_up": source.is_over,
        }
        for account, source in sweeps.items()
    }


__all__ = ["Reports", "Tell", "end_late", "make_report"]
