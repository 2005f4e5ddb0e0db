# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The queue of a service: its sources of polls in the order of their times, its rate budget, and its threads."""

from __future__ import annotations

import abc
import queue
import threading
import typing as t

from .._errors import CloudError
from .._pacing import FOREVER, DueQueue, RateBudget
from .judge import RETRY_AFTER_CAP

BETWEEN_THREADS = 0.01
"""Seconds after the beginning of a poll before another thread is started. Quick polls need few threads."""


class Source(abc.ABC):
    """Something that is asked again and again, such as a cloud task or the lists of an account.

    The loop calls ``begin``, then ``ask`` in a thread, then ``take`` with what that returned. ``take`` puts the source
    into its queue again if there is more to ask.

    :param order: among sources that are due at the same time, the one with the lowest number comes first.
    """

    def __init__(self, queue: ServiceQueue, order: int) -> None:
        self.queue = queue
        self.order = order

    @property
    @abc.abstractmethod
    def is_over(self) -> bool:
        """Whether there is nothing left to ask."""

    @abc.abstractmethod
    def begin(self, now: float, *, is_last: bool) -> bool:
        """Returns whether the source must still be asked, now that its turn has come.

        :param is_last: whether this is the last poll, at the deadline.
        """

    @abc.abstractmethod
    def ask(self, seconds: float) -> t.Any:
        """Ask the vendor. Returns an answer for ``take``. Runs in any thread.

        :param seconds: time limit.
        """

    @abc.abstractmethod
    def take(self, answer: t.Any, now: float) -> None:
        """Process what ``ask`` returned, or a ``CloudError`` if it did not return in time."""


class ServiceQueue:
    """The sources of one service, which share a rate budget and threads.

    :param most: largest number of sources that are asked in parallel.
    """

    def __init__(self, budget: RateBudget, most: int) -> None:
        self.budget = budget
        self.due: DueQueue[Source] = DueQueue()
        self.calls = 0
        self._most = most
        self._under_way = 0
        self._begun_at = -FOREVER
        self._threads = 0
        self._jobs: queue.SimpleQueue[t.Callable[[], None]] = queue.SimpleQueue()

    @property
    def is_busy(self) -> bool:
        """Whether any source is waiting or being asked."""
        return bool(self.due) or self._under_way > 0

    def next_start(self) -> float:
        """Returns when the next source may be asked."""
        if not self.due or self._under_way >= self._most:
            return FOREVER
        start = max(self.due.next_due(), self.budget.next_start())
        is_full = 0 < self._threads <= self._under_way
        return max(start, self._begun_at + BETWEEN_THREADS) if is_full else start

    def add(self, source: Source, due: float) -> None:
        """Put a source into the queue.

        :param due: when it is due.
        """
        self.due.push(source, due, source.order)

    def put_off_all(self, due: float) -> None:
        """Make every waiting source due at the same time, except those with nothing left to ask."""
        for source in [self.due.pop() for dummy in range(len(self.due))]:
            if not source.is_over:
                self.add(source, due)

    def answered(self, calls: int, error: CloudError | None, now: float) -> None:
        """Count the requests of a source that was asked, and adapt the pace to the result.

        :param calls: number of requests that were sent. The budget has already been charged for one.
        :param error: the error that was met; null after a success.
        """
        self.calls += calls
        if calls > 1:
            self.budget.take(now, calls - 1)
        if error is None:
            self.budget.answered()
        elif error.kind == "throttled":
            self.budget.throttled(now, min(error.retry_after or 0.0, RETRY_AFTER_CAP))

    # --- threads ---

    def begin(self, now: float) -> None:
        """Note that a source is being asked."""
        self._under_way += 1
        self._begun_at = now

    def end(self) -> None:
        """Note that a source has been asked."""
        self._under_way -= 1

    def run(self, job: t.Callable[[], None]) -> None:
        """Run a job in a thread. A new thread is started only if all are busy.

        Threads are daemons, so that a slow poll does not keep the process alive after the wait.
        """
        self._jobs.put(job)
        if self._under_way <= self._threads:
            return
        try:
            threading.Thread(target=self._work, daemon=True).start()
            self._threads += 1
        except RuntimeError:  # the system allows no more threads: an existing one runs it, or this one
            if not self._threads:
                self._jobs.get()()

    def leave_thread(self) -> None:
        """Abandon a thread that hangs in its job, so that a new one may take its place."""
        self._under_way -= 1
        self._threads -= 1

    def _work(self) -> None:
        while True:
            self._jobs.get()()


__all__ = ["ServiceQueue", "Source"]
