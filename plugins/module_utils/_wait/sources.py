# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The sources of polls: a cloud task, which is polled by itself, and a sweep, which reads the lists of an account."""

from __future__ import annotations

import typing as t

from .._errors import CloudError
from .._pacing import FOREVER
from .._record import Record
from .._services.base import Page, Poll
from .judge import CloudTask, Judge
from .policy import NO_RESPONSE
from .queues import ServiceQueue, Source
from .sweep import Sweep

BETWEEN_HINTS = 0.5
"""Shortest time, in seconds, between two polls of a cloud task that hints cause."""

PollRef = t.Callable[..., Poll]
"""The method ``poll`` of a service; several threads may call it at once."""

ReadPage = t.Callable[[str, t.Optional[str], float], tuple[Page, int]]
"""Reads a page of a list within a number of seconds, given the list's name and the page's token.

Returns the page and the number of requests that were sent. Raises ``CloudError``.
"""

ReadEntry = t.Callable[[CloudTask, str, dict[str, t.Any]], Record]
"""Returns the record of a cloud task, given the list's name and the entry."""


class TaskSource(Source):
    """A cloud task that is polled by itself.

    :param poll: the method ``poll`` of its service.
    """

    def __init__(self, task: CloudTask, queue: ServiceQueue, judge: Judge, poll: PollRef) -> None:
        super().__init__(queue, task.number)
        self.task = task
        self.sweep: SweepSource | None = None
        self._judge = judge
        self._poll = poll
        self._polled_at = -FOREVER
        self._is_under_way = False
        self._is_hinted = False

    @property
    def is_over(self) -> bool:
        """Whether the cloud task has ended for this round."""
        return self.task.is_over

    def hasten(self, now: float) -> None:
        """Poll the cloud task before all others, since there is a hint that it has ended.

        A poll that is under way may have been answered before that, so another one follows it.
        """
        if self._is_under_way:
            self._is_hinted = True
        elif not self.task.is_over:
            soonest = self._polled_at + BETWEEN_HINTS
            self.queue.add(self, soonest if soonest > now else -FOREVER)

    def begin(self, now: float, *, is_last: bool) -> bool:
        """Returns whether to poll the cloud task now. It may have ended while it waited for its turn.

        :param is_last: whether this is the last poll, at the deadline.
        """
        self.task.is_polled_last = is_last
        self._is_under_way = not self.task.is_over
        self._polled_at = now
        return self._is_under_way

    def ask(self, seconds: float) -> Poll | CloudError:
        """Poll the cloud task. Returns the result or the error."""
        try:
            return self._poll(
                self.task.item["ref"], timeout=seconds, record_only=self._judge.policy.return_response == NO_RESPONSE
            )
        except CloudError as error:
            return error

    def take(self, answer: Poll | CloudError, now: float) -> None:
        """Judge the answer, and queue the cloud task if it must be polled again."""
        self._is_under_way = False
        task, error = self.task, answer if isinstance(answer, CloudError) else None
        self.queue.answered(answer.calls, error, now)
        self._judge.mark_polled(task)
        task.polls += 1
        task.asked = False
        if isinstance(answer, CloudError):
            self._judge.take_error(task, answer, now)
        else:
            task.untold.response = answer.response or None
            self._judge.take_record(task, answer.record, now)
        goes_on = self._judge.goes_on(task, now)
        if self.sweep is not None and task.is_over:
            self.sweep.forget(task)
        if goes_on and (self.sweep is None or task.errors or task.missing):
            self.queue.add(self, self._judge.next_due(task, now))
            task.asked = self.sweep is not None  # other cloud tasks wait for the next sweep
        if self._is_hinted:
            self._is_hinted = False
            self.hasten(now)


class SweepSource(Source):
    """The open cloud tasks of an account, whose lists tell which of them must be polled.

    :param sources: the cloud tasks, by number.
    :param read: reads a page of a list.
    :param record: makes a record of an entry.
    :param due_at: when the next sweep begins.
    """

    def __init__(
        self,
        sweep: Sweep,
        sources: t.Mapping[int, TaskSource],
        judge: Judge,
        *,
        order: int,
        read: ReadPage,
        record: ReadEntry,
        due_at: float,
    ) -> None:
        super().__init__(next(iter(sources.values())).queue, order)
        self.sweep = sweep
        self.due_at = due_at
        self._open = dict(sources)
        self._judge = judge
        self._read = read
        self._record = record
        for source in sources.values():
            source.sweep = self
        self.queue.add(self, self.due_at)

    @property
    def is_over(self) -> bool:
        """Whether the sweeps were given up, or every cloud task has ended."""
        return not self._open

    @property
    def is_midway(self) -> bool:
        """Whether a sweep has begun and not ended."""
        return bool(self._open) and self.sweep.is_midway

    def begin(self, now: float, *, is_last: bool) -> bool:
        """Returns whether to read the next page. Gives up sweeps when polling each cloud task has become cheaper.

        :param is_last: not used; there are no sweeps after the deadline.
        """
        is_worth_it = self.sweep.is_worth_it(len(self._open))
        if not is_worth_it:
            self.give_up(now)
        return is_worth_it

    def ask(self, seconds: float) -> tuple[Page, int] | CloudError:
        """Read the next page. Returns the page and the number of requests, or the error."""
        name, token = self.sweep.next_page()
        try:
            return self._read(name, token, seconds)
        except CloudError as error:
            return error

    def take(self, answer: tuple[Page, int] | CloudError, now: float) -> None:
        """Note that the cloud tasks on a page are still open; after the last page, queue a poll of those on no page."""
        pauses = 0
        if isinstance(answer, CloudError):
            self.queue.answered(answer.calls, answer, now)
            self.sweep.fail(for_good=not answer.retryable)
            pauses = 1
        else:
            page, calls = answer
            self.queue.answered(calls, None, now)
            name = self.sweep.next_page()[0]
            for number, entry in self.sweep.take(page, self._open).items():
                task = self._open[number].task
                self._judge.take_listed(task, self._record(task, name, entry), now)
            pauses = self._end_pass(now)
        if not self.sweep.is_worth_it(len(self._open)):
            self.give_up(now)
            return
        self.due_at = now + pauses * self._judge.pause_after(self.sweep.passes - 1)
        self.queue.add(self, self.due_at)

    def _end_pass(self, now: float) -> int:
        """End the sweep if this was its last page, and queue the cloud tasks that were on no page.

        :returns: the number of pauses before the next sweep; 0 while this one goes on.
        """
        ended = self.sweep.end_pass(self._open)
        if ended is None:
            return 0
        pauses, unlisted = ended
        for source in (self._open[number] for number in unlisted):
            if not source.task.asked:
                source.task.asked, source.task.due_at = True, now
                self.queue.add(source, now)
        return pauses

    def forget(self, task: CloudTask) -> None:
        """Remove a cloud task that has ended."""
        self._open.pop(task.number, None)

    def give_up(self, now: float) -> None:
        """Stop sweeping, and poll each cloud task by itself from now on."""
        for source in self._open.values():
            source.sweep = None
            if not source.task.asked:
                self.queue.add(source, now)
        self._open = {}


__all__ = ["PollRef", "ReadEntry", "ReadPage", "SweepSource", "TaskSource"]
