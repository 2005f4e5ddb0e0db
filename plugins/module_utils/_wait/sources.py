# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The sources of polls: a cloud task, which is asked for by itself, and a sweep, which reads the lists of an account."""

from __future__ import annotations

import typing as t

from .._errors import CloudError
from .._record import Record
from .._services.base import Page, Poll
from .judge import CloudTask, Judge
from .queues import ServiceQueue, Source
from .sweep import Sweep

PollRef = t.Callable[..., Poll]
"""The method ``poll`` of a service; several threads may call it at once."""

ReadPage = t.Callable[[str, t.Optional[str], float], tuple[Page, int]]
"""Asks for a page of a list by the list's name and a token, within so many seconds. Raises ``CloudError``."""

ReadEntry = t.Callable[[CloudTask, str, dict[str, t.Any]], Record]
"""Returns what an entry of a list says of a cloud task."""


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

    @property
    def is_over(self) -> bool:
        """Whether the cloud task is over."""
        return self.task.is_over

    def begin(self, now: float, *, is_last: bool) -> bool:
        """Whether the cloud task is to be polled now; it may have ended while it waited for its turn."""
        self.task.is_polled_last = is_last
        return not self.task.is_over

    def ask(self, seconds: float) -> Poll | CloudError:
        """Poll it."""
        try:
            return self._poll(self.task.item["ref"], timeout=seconds, record_only=True)
        except CloudError as error:
            return error

    def take(self, answer: Poll | CloudError, now: float) -> None:
        """Judge the answer, and put the cloud task into the queue again when it is to be polled again."""
        task, error = self.task, answer if isinstance(answer, CloudError) else None
        self.queue.answered(answer.calls, error, now)
        self._judge.mark_polled(task)
        task.polls += 1
        task.asked = False
        if isinstance(answer, CloudError):
            self._judge.take_error(task, answer, now)
        else:
            self._judge.take_record(task, answer.record, now)
        goes_on = self._judge.goes_on(task, now)
        if self.sweep is not None and task.is_over:
            self.sweep.forget(task)
        if goes_on and (self.sweep is None or task.errors or task.missing):
            self.queue.add(self, self._judge.next_due(task, now))
            task.asked = self.sweep is not None  # the next sweep tells of all others


class SweepSource(Source):
    """The cloud tasks of an account, of which its lists tell which must be polled.

    :param sources: the cloud tasks by number.
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
        """Whether it was given up, or every cloud task is over."""
        return not self._open

    @property
    def is_midway(self) -> bool:
        """Whether a sweep has begun and is not over."""
        return bool(self._open) and self.sweep.is_midway

    def begin(self, now: float, *, is_last: bool) -> bool:
        """Whether a page is to be asked for. When listing has become dearer than polling each, the sweep is given up."""
        is_worth_it = self.sweep.is_worth_it(len(self._open))
        if not is_worth_it:
            self.give_up(now)
        return is_worth_it

    def ask(self, seconds: float) -> tuple[Page, int] | CloudError:
        """Ask for the next page."""
        name, token = self.sweep.next_page()
        try:
            return self._read(name, token, seconds)
        except CloudError as error:
            return error

    def take(self, answer: tuple[Page, int] | CloudError, now: float) -> None:
        """Tasks on a page are still open. After the last page, poll those that were on none."""
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
        """How many pauses follow the sweep, when it is over now; 0 while it goes on."""
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
        """A cloud task is over."""
        self._open.pop(task.number, None)

    def give_up(self, now: float) -> None:
        """From now on, poll each cloud task by itself."""
        for source in self._open.values():
            source.sweep = None
            if not source.task.asked:
                self.queue.add(source, now)
        self._open = {}


__all__ = ["PollRef", "ReadEntry", "ReadPage", "SweepSource", "TaskSource"]
