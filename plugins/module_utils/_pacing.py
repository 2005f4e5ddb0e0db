# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure; clock, sleep and randomness are arguments.
"""Timing of polls: backoff, a rate budget for a service, and a queue ordered by due times.

All times are seconds of the caller's clock. No clock is read here.
"""

from __future__ import annotations

import heapq
import random
import typing as t

JITTER = 0.25
"""Largest fraction of a pause that is left out at random, so that several waits do not poll at the same moments."""

MOST_SLOWDOWN = 32.0
"""Largest factor by which throttling makes calls slower than the rate limit."""

RECOVERY = 0.9
"""Factor that each successful answer applies to the slowdown, until calls are back at the rate limit."""

STEP = 0.05
"""Seconds within which calls may start together, rather than each at its own moment.

To wake a process for each call costs about as much CPU as the call itself.
"""

FOREVER = float("inf")

LONGEST_SLEEP = 86400.0
"""Longest single wait, in seconds; platforms reject longer ones."""

T = t.TypeVar("T")


def backoff(
    attempt: int, *, first: float, factor: float, cap: float, chance: t.Callable[[], float] = random.random
) -> float:
    """Returns the seconds to pause after an attempt. They grow with each attempt and vary at random by ``JITTER``.

    :param attempt: number of attempts before this one.
    :param first: seconds after the first attempt.
    :param factor: growth from one attempt to the next.
    :param cap: largest number of seconds.
    :param chance: returns a random number from 0 to 1.
    """
    try:
        grown = first * factor**attempt
    except OverflowError:
        grown = cap if first else 0.0
    return min(grown, cap) * (1 - JITTER * chance())


class RateBudget:
    """Limits the rate of calls. Those that it allows within a ``STEP`` may start together; steps are spaced evenly.

    So each call has a moment of its own at up to ``1 / STEP`` calls a second. A call that starts late may be followed
    sooner by the next one, so that the mean rate is kept.

    :param per_second: calls per second.
    :param ready: time from which on the next call may be sent that is not part of the present step.
    :param slowdown: factor by which calls are slower than ``per_second``.
    """

    def __init__(self, per_second: float, *, ready: float = 0.0, slowdown: float = 1.0) -> None:
        self._interval = 1.0 / per_second
        self.ready = ready
        self.slowdown = slowdown
        self._step = -FOREVER  # when the present step began

    def next_start(self) -> float:
        """Returns when the next call may start, which may be a time that has passed."""
        return self._step if self.ready < self._step + STEP else self.ready

    def take(self, now: float, calls: int = 1) -> None:
        """Count calls that start now. A call that starts slightly late does not delay those after it."""
        interval = self._interval * self.slowdown
        turn = self.ready if now - self.ready < interval else now
        if turn >= self._step + STEP:
            self._step = turn
        self.ready = turn + calls * interval

    def throttled(self, now: float, retry_after: float | None) -> None:
        """Halve the rate after the vendor has throttled a call.

        :param retry_after: seconds until the next call, as the vendor asked for; null for none.
        """
        self.slowdown = min(self.slowdown * 2, MOST_SLOWDOWN)
        self._step = -FOREVER
        self.ready = max(self.ready, now + max(retry_after or 0.0, self._interval * self.slowdown))

    def answered(self) -> None:
        """Raise the rate a little after a successful answer, up to the limit."""
        self.slowdown = max(1.0, self.slowdown * RECOVERY)


class DueQueue(t.Generic[T]):
    """A queue that is ordered by due times. It holds each thing once."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, int, T]] = []
        self._last: dict[T, int] = {}  # number of the valid entry of each thing; others are left where they are
        self._pushed = 0

    def __len__(self) -> int:
        return len(self._last)

    def push(self, thing: T, due: float, order: int = 0) -> None:
        """Add a thing, or change when it is due.

        :param order: among entries with the same due time, the one with the lowest number comes first.
        """
        self._pushed += 1  # breaks ties, so that the entries themselves are never compared
        self._last[thing] = self._pushed
        heapq.heappush(self._heap, (due, order, self._pushed, thing))

    def next_due(self) -> float:
        """Returns the due time of the first entry; infinity if the queue is empty."""
        while self._heap and self._last.get(self._heap[0][-1]) != self._heap[0][2]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else FOREVER

    def pop(self) -> T:
        """Remove and return the first entry."""
        self.next_due()
        thing = heapq.heappop(self._heap)[-1]
        del self._last[thing]
        return thing

    def remove(self, thing: T) -> None:
        """Remove a thing, if it is in the queue."""
        self._last.pop(thing, None)


__all__ = ["FOREVER", "LONGEST_SLEEP", "DueQueue", "RateBudget", "backoff"]
