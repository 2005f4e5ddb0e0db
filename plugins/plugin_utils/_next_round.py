# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""What the next round must know of those before it."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import (
    Handover,
    QueueState,
    SweepState,
    TaskState,
)


class NextRound:
    """What rounds have handed over to the next one, with durations that are adjusted when it begins.

    :param now: returns monotonic seconds.
    """

    def __init__(self, now: t.Callable[[], float]) -> None:
        self._now = now
        self._told: Handover = {}
        self._told_at = now()
        self._states: dict[str, tuple[float, TaskState]] = {}  # with the time at which each was true

    def take(self, handover: Handover, ago: float = 0.0) -> None:
        """Replace what is known by what is told now. Cloud tasks that are not mentioned keep their states.

        :param ago: seconds since this was true.
        """
        self._told_at = self._now() - ago
        self._told = t.cast(Handover, {**self._told, **handover})
        states = self._told.pop("states", {})
        self._states.update((number, (self._told_at, state)) for number, state in states.items())

    def count_error(self, number: str) -> int:
        """Count a failed poll of a cloud task. Returns the number of failures in a row."""
        told_at, state = self._states.setdefault(number, (self._now(), {}))
        errors = state.get("errors", 0) + 1
        self._states[number] = (told_at, t.cast(TaskState, {**state, "errors": errors}))
        return errors

    def aged(self, numbers: t.Iterable[str]) -> Handover:
        """Returns the hand-over for these cloud tasks, as of now."""
        now = self._now()
        gap = now - self._told_at
        queues = {word: self._aged_queue(queue, gap) for word, queue in self._told.get("queues", {}).items()}
        sweeps = {account: self._aged_sweep(sweep, gap) for account, sweep in self._told.get("sweeps", {}).items()}
        known = ((number, self._states[number]) for number in numbers if number in self._states)
        states = {number: self._aged_state(state, now - told_at) for number, (told_at, state) in known}
        return t.cast(Handover, {**self._told, "queues": queues, "sweeps": sweeps, "states": states})

    @staticmethod
    def _aged_queue(queue: QueueState, gap: float) -> QueueState:
        return {**queue, "ready_in": max(0.0, queue["ready_in"] - gap)}

    @staticmethod
    def _aged_sweep(sweep: SweepState, gap: float) -> SweepState:
        return {**sweep, "due_in": max(0.0, sweep["due_in"] - gap)}

    @staticmethod
    def _aged_state(state: TaskState, gap: float) -> TaskState:
        if "due_in" not in state:
            return state
        return {**state, "due_in": max(0.0, state["due_in"] - gap), "changed_ago": state["changed_ago"] + gap}


__all__ = ["NextRound"]
