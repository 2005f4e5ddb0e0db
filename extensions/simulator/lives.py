# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted lives: which step of its script a cloud task has reached at a look."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from faults import Fault


@dataclass(frozen=True)
class Step:
    """One part of a life. `kind` is status, native, answer, error, fault or missing."""

    kind: str
    value: Any
    looks: int | None = None
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


@dataclass(frozen=True)
class Look:
    """What a look at a cloud task sees; times are seconds of the simulator's clock."""

    task: Task
    step: Step
    created: float
    began: float
    base: Step
    """The step itself or, when that is a fault, the nearest one that has an answer."""


class _Life:
    def __init__(self, task: Task, created: float) -> None:
        self.task = task
        self.created = created
        self.index = 0
        self.served = 0
        self.began: float | None = None

    def advance(self, now: float) -> None:
        """Leave the steps that are used up."""
        if self.began is None:
            self.began = now
        while self.index < len(self.task.life) - 1:
            step = self.task.life[self.index]
            if step.seconds is not None:
                if now - self.began < step.seconds:
                    return
                self.began += step.seconds
            elif self.served < (step.looks or 1):
                return
            else:
                self.began = now
            self.index += 1
            self.served = 0

    def base(self) -> Step:
        """Find a step with an answer: here, else before, else behind."""
        life = self.task.life
        order = [*range(self.index, -1, -1), *range(self.index + 1, len(life))]
        return next((life[i] for i in order if life[i].kind != "fault"), Step("status", "pending"))


class Lives:
    """The lives of all cloud tasks."""

    def __init__(self, tasks: Iterable[Task], clock: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._lives: dict[tuple[str, str], _Life] = {}
        self.put(tasks)

    def put(self, tasks: Iterable[Task]) -> None:
        """Add cloud tasks; one of the same name is replaced and starts anew."""
        created = self._clock()
        with self._lock:
            for task in tasks:
                self._lives[task.provider, task.task_id] = _Life(task, created)

    def reset(self) -> None:
        """Start every life anew."""
        with self._lock:
            tasks = [life.task for life in self._lives.values()]
        self.put(tasks)

    def look(self, provider: str, task_id: str, count: bool = True) -> Look | None:
        """Look at a cloud task, None when there is none; with `count` false the look uses nothing up."""
        now = time.monotonic()
        with self._lock:
            life = self._lives.get((provider, task_id))
            if life is None:
                return None
            if count or life.began is not None:
                life.advance(now)
            life.served += count
            began = self._clock() - (now - (now if life.began is None else life.began))
            return Look(life.task, life.task.life[life.index], life.created, began, life.base())


class FaultRules:
    """Faults that lie over the lives: each counts the calls that it fits and strikes at some of them."""

    def __init__(self, rules: Iterable[FaultRule] = ()) -> None:
        self._lock = threading.Lock()
        self._rules = [(rule, [0]) for rule in rules]

    def strike(self, provider: str, action: str, task_id: str) -> Fault | None:
        """Give the first fault that is due; every rule that fits counts this call."""
        if not self._rules:
            return None
        found = None
        with self._lock:
            for rule, count in self._rules:
                if rule.fits(provider, action, task_id):
                    count[0] += 1
                    if found is None and rule.is_due(count[0]):
                        found = rule.fault
        return found

    def reset(self) -> None:
        """Start counting anew."""
        with self._lock:
            for dummy, count in self._rules:
                count[0] = 0


@dataclass(frozen=True)
class FaultRule:
    """When a fault strikes."""

    fault: Fault
    provider: str | None = None
    task_id: str | None = None
    action: str | None = None
    from_look: int = 1
    looks: int | None = None
    every: int = 1

    def fits(self, provider: str, action: str, task_id: str) -> bool:
        """Say whether the rule speaks of this call. Calls that look at no task must be named by their action."""
        if self.provider not in (None, provider) or self.task_id not in (None, task_id):
            return False
        return bool(task_id) if self.action is None else self.action == action

    def is_due(self, number: int) -> bool:
        """Say whether the fault strikes at the call of this number, counted from 1."""
        since = number - self.from_look + 1
        return since >= 1 and (self.looks is None or since <= self.looks) and since % self.every == 0
