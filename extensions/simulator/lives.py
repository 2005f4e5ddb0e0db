# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lives of cloud tasks: which step of its life a cloud task has reached when it is polled."""

from __future__ import annotations

import threading
import time
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from faults import Fault

#: kinds of steps that have an answer, and of those that tell a status
ANSWERS = ("status", "native", "answer", "error", "missing")
STATUSES = ("status", "native")


@dataclass(frozen=True)
class Step:
    """One step of a life. `kind` is its key in the scenario: status, native, answer, error, fault or missing."""

    kind: str
    value: Any
    polls: int | None = None
    seconds: float | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One cloud task of the scenario."""

    provider: str
    task_id: str
    life: tuple[Step, ...]
    bucket: str = "examplebucket-1250000000"
    region: str = "ap-beijing"
    any_bucket: bool = True
    kind: str = ""
    """The vendor's word for the kind of cloud task; empty if the scenario names none."""
    order: Mapping[str, Any] | None = None
    """The details of the order that started it; None for a cloud task of the scenario."""


@dataclass(frozen=True)
class Poll:
    """What a poll finds. Times are seconds of the simulator's clock."""

    task: Task
    step: Step
    created: float
    began: float
    base: Step
    """The step itself; if that is a fault, the nearest step with an answer."""
    number: int = 0
    """Counts the cloud tasks in the order in which they were made."""


class _Life:
    def __init__(self, task: Task, created: float, number: int, began: float | None = None) -> None:
        self.task = task
        self.steps = task.life
        self.created = created
        self.number = number
        self.index = 0
        self.served = 0
        self.began = began

    def advance(self, now: float) -> None:
        """Go on to the step that is due: past those that have had their polls or their seconds."""
        if self.began is None:
            self.began = now
        while self.index < len(self.steps) - 1:
            step = self.steps[self.index]
            if step.seconds is not None:
                if now - self.began < step.seconds:
                    return
                self.began += step.seconds
            elif self.served < (step.polls or 1):
                return
            else:
                self.began = now
            self.index += 1
            self.served = 0

    def nearest(self, kinds: Iterable[str], usual: Step) -> Step:
        """Return the nearest step of one of these kinds: the present one, else one before it, else one after it.

        Returns `usual` if there is none.
        """
        order = [*range(self.index, -1, -1), *range(self.index + 1, len(self.steps))]
        return next((self.steps[i] for i in order if self.steps[i].kind in kinds), usual)

    def poll(self, base: Step, now: float, clock: float) -> Poll:
        """Return what a poll finds now; `clock` is the simulator's time, `now` that of the monotonic clock."""
        began = clock - (now - (now if self.began is None else self.began))
        return Poll(self.task, self.steps[self.index], self.created, began, base, self.number)


class Lives:
    """The lives of all cloud tasks. Safe for several threads."""

    def __init__(self, tasks: Iterable[Task], clock: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._lives: dict[tuple[str, str], _Life] = {}
        self._number = 0
        self.put(tasks)

    def put(self, tasks: Iterable[Task]) -> None:
        """Add cloud tasks. One with the id of another of its provider takes its place, and its life begins again."""
        created = self._clock()
        with self._lock:
            for task in tasks:
                self._number += 1
                self._lives[task.provider, task.task_id] = _Life(task, created, self._number)

    def make(self, task: Task) -> Poll:
        """Add a cloud task that a call has started, and return its state. Its life begins now."""
        with self._lock:
            self._number += 1
            now = time.monotonic()
            life = _Life(task, self._clock(), self._number, now)
            self._lives[task.provider, task.task_id] = life
            return life.poll(life.nearest(ANSWERS, Step("status", "pending")), now, life.created)

    def knows(self, provider: str, task_id: str) -> bool:
        """Return whether there is such a cloud task."""
        return (provider, task_id) in self._lives

    def reset(self) -> None:
        """Begin every life again, and forget the cloud tasks that calls have started."""
        with self._lock:
            tasks = [life.task for life in self._lives.values() if life.task.order is None]
            self._lives.clear()
        self.put(tasks)

    def poll(self, provider: str, task_id: str, count: bool = True) -> Poll | None:
        """Poll a cloud task. Returns None if there is none.

        A poll counts for the `looks` of a step, unless `count` is false: one that a fault strikes does not.
        """
        now = time.monotonic()
        with self._lock:
            life = self._lives.get((provider, task_id))
            if life is None:
                return None
            if count or life.began is not None:
                life.advance(now)
            life.served += count
            return life.poll(life.nearest(ANSWERS, Step("status", "pending")), now, self._clock())

    def states(self, provider: str) -> list[Poll]:
        """Return the status of each cloud task of a provider, oldest first, for lists.

        This begins lives, but counts as no poll.
        """
        now = time.monotonic()
        with self._lock:
            lives = [life for (owner, dummy), life in self._lives.items() if owner == provider]
            for life in lives:
                life.advance(now)
            found = [self._state(life, now) for life in lives]
        return sorted((poll for poll in found if poll.step.kind != "missing"), key=lambda poll: poll.number)

    def begun(self, provider: str, known: Container[int]) -> list[Poll]:
        """Return the status of each cloud task of a provider whose life has begun, but of those with a `known` number.

        This begins no life, and counts as no poll.
        """
        now = time.monotonic()
        with self._lock:
            lives = [life for (owner, dummy), life in self._lives.items() if owner == provider]
            found = [self._state(life, now) for life in lives if life.began is not None and life.number not in known]
        return [poll for poll in found if poll.step.kind != "missing"]

    def state(self, provider: str, task_id: str) -> Poll | None:
        """Return the status of one cloud task, None if there is none. This counts as no poll."""
        with self._lock:
            life = self._lives.get((provider, task_id))
            poll = None if life is None else self._state(life, time.monotonic())
        return None if poll is None or poll.step.kind == "missing" else poll

    def _state(self, life: _Life, now: float) -> Poll:
        if life.began is not None:
            life.advance(now)
        return life.poll(life.nearest(STATUSES, Step("native", "")), now, self._clock())

    def orders(self, provider: str) -> list[Mapping[str, Any]]:
        """Return the details of all orders so far: what the starts asked for."""
        with self._lock:
            tasks = [life.task for (owner, dummy), life in self._lives.items() if owner == provider]
        return [task.order for task in tasks if task.order is not None]

    def end(self, provider: str, task_id: str, step: Step) -> None:
        """End a cloud task now: `step` takes the place of the rest of its life."""
        with self._lock:
            life = self._lives[provider, task_id]
            life.steps, life.index, life.served, life.began = (step,), 0, 0, time.monotonic()


class FaultRules:
    """The entries of `faults`, and how many calls each has fitted. Safe for several threads."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self._lock = threading.Lock()
        self._rules = [(rule, [0]) for rule in rules]

    def strike(self, provider: str, action: str, task_id: str, poll: bool = False) -> Fault | None:
        """Count a call for every rule that fits it, and return the fault of the first rule that is due, or None.

        `poll` says whether the call polls a cloud task.
        """
        if not self._rules:
            return None
        found = None
        with self._lock:
            for rule, count in self._rules:
                if rule.fits(provider, action, task_id, poll):
                    count[0] += 1
                    if found is None and rule.is_due(count[0]):
                        found = rule.fault
        return found

    def reset(self) -> None:
        """Begin all counts again."""
        with self._lock:
            for dummy, count in self._rules:
                count[0] = 0


@dataclass(frozen=True)
class FaultRule:
    """One entry of `faults`: a fault, and the calls that it strikes."""

    fault: Fault
    provider: str | None = None
    task_id: str | None = None
    action: str | None = None
    from_poll: int = 1
    polls: int | None = None
    every: int = 1

    def fits(self, provider: str, action: str, task_id: str, poll: bool) -> bool:
        """Return whether the rule is about this call. One without an action is about polls only."""
        if self.provider not in (None, provider) or self.task_id not in (None, task_id):
            return False
        return poll if self.action is None else self.action == action

    def is_due(self, number: int) -> bool:
        """Return whether the fault strikes the call of this number, counted from 1."""
        since = number - self.from_poll + 1
        return since >= 1 and (self.polls is None or since <= self.polls) and since % self.every == 0
