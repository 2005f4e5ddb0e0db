# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The results of a round: its report, and what the next round must know."""

from __future__ import annotations

import typing as t

from .._record import compact
from . import verdict
from .contract import QueueState, Report, SweepState, TaskState
from .judge import CloudTask, Judge
from .queues import ServiceQueue
from .sources import SweepSource


def end_late(tasks: t.Iterable[CloudTask], judge: Judge, now: float) -> None:
    """Once the deadline has passed, end every cloud task that is still open as ``timed_out``."""
    if judge.is_deadline_over and not judge.has_verdict():
        for task in tasks:
            if not task.is_over:
                judge.end(task, verdict.TIMED_OUT, now)


def make_report(tasks: t.Collection[CloudTask], queues: t.Mapping[str, ServiceQueue]) -> Report:
    """Returns the report of the round, for the book of the wait."""
    changed = [task for task in tasks if task.changes]
    return {
        "polls": {str(task.number): task.polls for task in tasks if task.is_polled},
        "errors": {str(task.number): task.error for task in tasks if task.error},
        "troubles": {str(task.number): bool(task.trouble) for task in tasks if task.trouble != task.told_trouble},
        "records": {str(task.number): compact(task.record) for task in changed if task.record},
        "history": {str(task.number): task.changes for task in changed},
        "outcomes": {str(task.number): [task.outcome, task.ended] for task in tasks if task.outcome},
        "api_calls": {word: queue.calls for word, queue in queues.items() if queue.calls},
    }


def task_states(tasks: t.Iterable[CloudTask], now: float) -> dict[str, TaskState]:
    """Returns what the next round must know of the cloud tasks that are still open."""
    return {str(task.number): _state_of(task, now) for task in tasks if not task.is_over}


def _state_of(task: CloudTask, now: float) -> TaskState:
    state = {
        "polls": task.polls,
        "errors": task.errors,
        "missing": task.missing,
        "fingerprint": task.fingerprint,
        "status": task.status,
        "trouble": task.trouble,
        "asked": task.asked,
    }
    told = {name: value for name, value in state.items() if value}  # absent members have initial values
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


__all__ = ["end_late", "make_report", "queue_states", "sweep_states", "task_states"]
