# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts: what becomes of the cloud tasks that calls start, as the entries of `starts` in a scenario say."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from faults import Fault
from lives import Lives, Step, Task
from services._base import Order, Startable

#: the life of a cloud task that no entry is for
USUAL_LIFE = (Step("status", "pending"), Step("status", "running"), Step("status", "succeeded"))


@dataclass(frozen=True)
class Start:
    """One entry of `starts`: the starts that it is for, and what becomes of them."""

    provider: str
    life: tuple[Step, ...] = USUAL_LIFE
    match: str = ""
    times: int | None = None
    task_id: str | None = None
    faults: tuple[Fault, ...] = ()
    at_once: Mapping[str, Any] | None = None
    """For a start that is done at once, members of its answer; None for one that makes a cloud task."""


class Used:
    """How often an entry was used: starts that it decided, faults that it played, ids that it gave."""

    def __init__(self) -> None:
        self.times = 0
        self.faults = 0
        self.ids = 0


class Taken(NamedTuple):
    """What a start gets: its entry, how often that was used, and the fault that strikes the call."""

    entry: Start
    used: Used
    fault: Fault | None


class Starts:
    """All entries. Hold `lock` from `take` until the cloud task is made, so that two calls do not use the same turn."""

    def __init__(self, entries: Iterable[Start] = ()) -> None:
        self.lock = threading.Lock()
        self._entries = [(entry, Used()) for entry in entries]

    def take(self, provider: str, name: str, spare_faults: bool) -> Taken:
        """Return the first entry that fits a start, with its next fault unless `spare_faults` is true.

        Returns an entry with the usual life if none fits.
        """
        for entry, used in self._entries:
            fits = entry.provider == provider and entry.match in name
            if fits and (entry.times is None or used.times < entry.times):
                if spare_faults or used.faults == len(entry.faults):
                    return Taken(entry, used, None)
                used.faults += 1
                return Taken(entry, used, entry.faults[used.faults - 1])
        return Taken(Start(provider), Used(), None)

    def reset(self) -> None:
        """Begin all entries again."""
        with self.lock:
            self._entries = [(entry, Used()) for entry, dummy in self._entries]


def new_task(taken: Taken, order: Order, service: Startable, lives: Lives) -> Task:
    """Return the cloud task that a start makes. `{n}` in an id becomes the next number that no cloud task has."""
    entry, used, dummy = taken
    while True:
        used.ids += 1
        task_id = (entry.task_id or "").replace("{n}", str(used.ids)) or service.new_id(order)
        if task_id == entry.task_id or not lives.knows(entry.provider, task_id):
            return Task(entry.provider, task_id, entry.life, order=order.details, **order.where)
