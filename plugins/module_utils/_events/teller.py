# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""Gives the events that are written down to ansible-rulebook, each at least once, and strikes off those that are told."""

from __future__ import annotations

import asyncio
import typing as t

from .store import Store
from .telling import Event

SETTLED_AFTER = 5.0
"""Seconds after which an event that ansible-rulebook has taken counts as told. A restart tells later ones again."""

AT_ONCE = 100
"""Largest number of events that are read from the database at once."""


class Queue(t.Protocol):
    """What ansible-rulebook gives for the events."""

    async def put(self, event: Event) -> None:
        """Take an event. Waits until there is room."""


class Teller:
    """Puts events into the queue, oldest first.

    :param feedback: where ansible-rulebook puts the events that its engine has taken; null without feedback.
    """

    def __init__(self, queue: Queue, store: Store, feedback: asyncio.Queue[Event] | None) -> None:
        self._queue = queue
        self._store = store
        self._feedback = feedback
        self._news = asyncio.Event()
        self._last = 0
        self._put: list[tuple[float, str]] = []

    def notice(self) -> None:
        """Note that an event has been written down."""
        self._news.set()

    async def tell(self, is_done: t.Callable[[], bool]) -> None:
        """Put events until ``is_done`` returns true once all are put."""
        clock = asyncio.get_running_loop().time
        while True:
            self._news.clear()
            while events := self._store.untold(self._last, AT_ONCE):
                for number, event in events:
                    await self._queue.put(event)
                    self._last = number
                    if self._feedback is None:
                        self._put.append((clock(), event["event_id"]))
            if is_done():
                self._strike_off(len(self._put))
                return
            await self._news.wait()

    async def settle(self) -> None:
        """Strike off events that are told: by feedback, else some time after ansible-rulebook has taken them."""
        clock = asyncio.get_running_loop().time
        while True:
            if self._feedback is not None:
                event = await self._feedback.get()
                self._store.strike_off([str(event.get("event_id"))])
                continue
            await asyncio.sleep(SETTLED_AFTER / 2)
            limit = clock() - SETTLED_AFTER
            self._strike_off(sum(at <= limit for at, dummy in self._put))

    def _strike_off(self, count: int) -> None:
        if count:
            self._store.strike_off([event_id for dummy, event_id in self._put[:count]])
            del self._put[:count]


__all__ = ["Queue", "Teller"]
