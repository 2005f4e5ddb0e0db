# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts: which entry of the scenario decides what becomes of a call that makes a cloud task."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from faults import Fault
from lives import Lives, Step, Task
from services._base import Order, Startable

#: what becomes of a start that no entry speaks of
USUAL_LIFE = (Step("status", "pending"), Step("status", "running"), Step("status", "succeeded"))


@dataclass(frozen=True)
class Start:
    """One entry: which starts it decides, and what becomes of them."""

    provider: str
    life: tuple[Step, ...] = USUAL_LIFE
    match: str = ""
    times: int | None = None
    task_id: str | None = None
    faults: tuple[Fault, ...] = ()
    at_once: Mapping[str, Any] | None = None
    """What a copy that was made at once is said to be; None for one that makes a task."""


class Used:
    """How much of an entry is used up."""

    def __init__(self) -> None:
        self.times = 0
        self.faults = 0
        self.ids = 0


class Taken(NamedTuple):
    """What was found for a start: the entry, how much of it is used, and the fault that strikes this call."""

    entry: Start
    used: Used
    fault: Fault | None


class Starts:
    """The entries, and what was used of each. Who takes one and makes a task after it holds `lock` for so long."""

    def __init__(self, entries: Iterable[Start] = ()) -> None:
        self.lock = threading.Lock()
        self._entries = [(entry, Used()) for entry in entries]

    def take(self, provider: str, name: str, spare_faults: bool) -> Taken:
        """Find the entry for a start; its next fault is played now, unless another fault strikes."""
        for entry, used in self._entries:
            fits = entry.provider == provider and entry.match in name
            if fits and (entry.times is None or used.times < entry.times):
                if spare_faults or used.faults == len(entry.faults):
                    return Taken(entry, used, None)
                used.faults += 1
                return Taken(entry, used, entry.faults[used.faults - 1])
        return Taken(Start(provider), Used(), None)

    def reset(self) -> None:
        """Begin all entries anew."""
        with self.lock:
            self._entries = [(entry, Used()) for entry, dummy in self._entries]


def new_task(taken: Taken, order: Order, service: Startable, lives: Lives) -> Task:
    """Describe the cloud task that a start makes. An id with {n} passes over those that are there."""
    entry, used, dummy = taken
    while True:
        used.ids += 1
        task_id = (entry.task_id or "").replace("{n}", str(used.ids)) or service.new_id(order)
        if task_id == entry.task_id or not lives.knows(entry.provider, task_id):
            return Task(entry.provider, task_id, entry.life, order=order.details, **order.where)
