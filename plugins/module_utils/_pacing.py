# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure; clock, sleep and randomness are arguments.
"""When to do something again: backoff, a rate budget a provider, and the queue of what is due.

All times are seconds of whatever clock the caller uses; none is read here.
"""

from __future__ import annotations

import heapq
import random
import typing as t

JITTER = 0.25
"""The share of a wait that chance may take off it, so that many waiters do not keep step."""

MOST_SLOWDOWN = 32.0
"""How much slower than its limit a provider may be asked after it has throttled again and again."""

RECOVERY = 0.9
"""By what each good answer brings the pace back towards the limit."""

FOREVER = float("inf")

T = t.TypeVar("T")


def backoff(
    attempt: int, *, first: float, factor: float, cap: float, chance: t.Callable[[], float] = random.random
) -> float:
    """Seconds to wait after an attempt, counted from 0: growing by a factor up to a cap, less a little by chance.

    :param chance: gives a number from 0 to 1.
    """
    try:
        grown = first * factor**attempt
    except OverflowError:
        grown = cap
    return min(grown, cap) * (1 - JITTER * chance())


class RateBudget:
    """Room for so many calls a second, spaced evenly: no burst, not even the first."""

    def __init__(self, per_second: float, *, ready: float = 0.0, slowdown: float = 1.0) -> None:
        self._interval = 1.0 / per_second
        self.ready = ready
        self.slowdown = slowdown

    def take(self, now: float, calls: int = 1) -> None:
        """Use room for calls that start now. One that starts a little late does not put off all that follow."""
        interval = self._interval * self.slowdown
        turn = self.ready if now - self.ready < interval else now
        self.ready = turn + calls * interval

    def throttled(self, now: float, retry_after: float | None) -> None:
        """The vendor wants fewer calls: ask half as often, and not before it says."""
        self.slowdown = min(self.slowdown * 2, MOST_SLOWDOWN)
        self.ready = max(self.ready, now + max(retry_after or 0.0, self._interval * self.slowdown))

    def answered(self) -> None:
        """A good answer: a little faster again."""
        self.slowdown = max(1.0, self.slowdown * RECOVERY)


class DueQueue(t.Generic[T]):
    """Things in the order in which they fall due."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, T]] = []
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._heap)

    def push(self, thing: T, due: float, order: int = 0) -> None:
        """Put a thing in.

        :param order: which of those that fall due at the same moment comes first.
        """
        self._pushed += 1  # so that things themselves are never compared
        heapq.heappush(self._heap, (due, order, self._pushed, thing))

    def next_due(self) -> float:
        """When the first falls due; never, when there is none."""
        return self._heap[0][0] if self._heap else FOREVER

    def pop(self) -> T:
        """Take the first out."""
        return heapq.heappop(self._heap)[-1]


__all__ = ["FOREVER", "DueQueue", "RateBudget", "backoff"]
