# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""What is due at a service: sources of polls in the order of their times, a rate budget, and threads."""

from __future__ import annotations

import abc
import queue
import threading
import typing as t

from .._errors import CloudError
from .._pacing import FOREVER, DueQueue, RateBudget
from .judge import RETRY_AFTER_CAP


class Source(abc.ABC):
    """Something that is asked again and again, such as a cloud task or the lists of an account.

    The loop calls ``begin``, then ``ask`` in a thread, then ``take`` with what that returned. ``take`` puts the source into
    its queue again when there is more to ask.

    :param order: which of several sources that fall due at the same moment comes first.
    """

    def __init__(self, queue: ServiceQueue, order: int) -> None:
        self.queue = queue
        self.order = order

    @property
    @abc.abstractmethod
    def is_over(self) -> bool:
        """Whether there is nothing to ask any more."""

    @abc.abstractmethod
    def begin(self, now: float, *, is_last: bool) -> bool:
        """Whether it is to be asked now that its turn has come.

        :param is_last: whether this is the poll at the deadline.
        """

    @abc.abstractmethod
    def ask(self, seconds: float) -> t.Any:
        """Ask the vendor, within so many seconds. Returns an answer for ``take``; may run in any thread."""

    @abc.abstractmethod
    def take(self, answer: t.Any, now: float) -> None:
        """Use what ``ask`` returned, or an error in its place."""


class ServiceQueue:
    """The sources of one service, which share a rate budget and threads.

    :param most: how many may be asked at the same time.
    """

    def __init__(self, budget: RateBudget, most: int) -> None:
        self.budget = budget
        self.due: DueQueue[Source] = DueQueue()
        self.calls = 0
        self._most = most
        self._under_way = 0
        self._threads = 0
        self._jobs: queue.SimpleQueue[t.Callable[[], None]] = queue.SimpleQueue()

    @property
    def is_busy(self) -> bool:
        """Whether anything is due or under way."""
        return bool(self.due) or self._under_way > 0

    def next_start(self) -> float:
        """When the next source may be asked."""
        if not self.due or self._under_way >= self._most:
            return FOREVER
        return max(self.due.next_due(), self.budget.ready)

    def add(self, source: Source, due: float) -> None:
        """Put a source in."""
        self.due.push(source, due, source.order)

    def put_off_all(self, due: float) -> None:
        """Let everything that is not over fall due at the same moment."""
        for source in [self.due.pop() for dummy in range(len(self.due))]:
            if not source.is_over:
                self.add(source, due)

    def answered(self, calls: int, error: CloudError | None, now: float) -> None:
        """A source was asked.

        :param calls: how many requests were sent; room for one was taken when it began.
        """
        self.calls += calls
        if calls > 1:
            self.budget.take(now, calls - 1)
        if error is None:
            self.budget.answered()
        elif error.kind == "throttled":
            self.budget.throttled(now, min(error.retry_after or 0.0, RETRY_AFTER_CAP))

    # --- threads ---

    def begin(self) -> None:
        """A source is being asked."""
        self._under_way += 1

    def end(self) -> None:
        """Its answer has come."""
        self._under_way -= 1

    def run(self, job: t.Callable[[], None]) -> None:
        """Run a job in a thread; a new one only when all are busy. Daemons, so that none outlives the verdict."""
        self._jobs.put(job)
        if self._under_way <= self._threads:
            return
        try:
            threading.Thread(target=self._work, daemon=True).start()
            self._threads += 1
        except RuntimeError:  # the system has no thread left: those that are there do it, or else this one
            if not self._threads:
                self._jobs.get()()

    def leave_thread(self) -> None:
        """A thread hangs in its job; another one may take its place."""
        self._under_way -= 1
        self._threads -= 1

    def _work(self) -> None:
        while True:
            self._jobs.get()()


__all__ = ["ServiceQueue", "Source"]
