# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""Finds cloud tasks in the vendors' lists, so that an account, a bucket or a queue can be watched as a whole.

One pass reads the open cloud tasks and those that have ended since the pass before. So one that starts and ends between
two passes is found as well. What is found is then polled like any other cloud task.
"""

from __future__ import annotations

import functools
import typing as t
from datetime import datetime, timezone

from .._errors import CloudError
from .._pacing import FOREVER
from .._services.base import PAGE_SIZE, Lists, Options, Page, time_left
from .._wait.queues import ServiceQueue, Source

LIST_ORDER = -1
"""Lists come before cloud tasks that are due at the same time."""

MARGIN = 120.0
"""Seconds by which a pass reaches back before the begin of the one before, since clocks differ and lists lag behind."""

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
"""Seconds between two passes of which the first one failed; they double up to this."""

BETWEEN_HINTED = 2.0
"""Shortest time, in seconds, between two passes that hints cause."""

Found = t.Callable[[list[dict[str, t.Any]]], None]
"""Gets the refs on a page. Called in the loop's thread."""

Passed = t.Callable[[float], None]
"""Gets the time of day at which a pass began that is complete."""

Failed = t.Callable[[CloudError], None]


class ListSource(Source):
    """The lists of one account, bucket or queue.

    :param ref: where the cloud tasks are; its ``task_id`` is null.
    :param options: the values of the service's ``list_keys``.
    :param since: the time of day from which on cloud tasks count that have ended.
    :param pause: seconds between the begins of two passes.
    """

    def __init__(
        self,
        service: Lists,
        queue: ServiceQueue,
        ref: t.Mapping[str, t.Any],
        options: Options,
        *,
        since: float,
        pause: float,
        found: Found,
        passed: Passed,
        failed: Failed,
    ) -> None:
        super().__init__(queue, LIST_ORDER)
        self._service = service
        self._ref = dict(ref)
        self._options = options
        self._since = since
        self._pause = pause
        self._clock = service.settings.clock
        self._found = found
        self._passed = passed
        self._failed = failed
        self._failures = 0
        self._began_at = -FOREVER
        self._is_hinted = False  # whether a hint came during the present pass
        self._left: list[tuple[str, Options]] = []
        self._token: str | None = None
        self._tokens: set[str] = set()

    @property
    def is_over(self) -> bool:
        """Never: lists are read as long as the source runs."""
        return False

    def begin(self, now: float, *, is_last: bool) -> bool:
        """Returns true, and begins a pass if none is under way."""
        if not self._left:
            self._began_at, self._is_hinted = now, False
            self._left = list(self._service.watch_filters(self._options, _utc(self._since - MARGIN)))
            self._token, self._tokens = None, set()
        return True

    def hasten(self, now: float) -> None:
        """Begin the next pass soon, since a callback named a cloud task that is not known yet.

        A page of a pass that is under way may have been answered before that, so another pass follows it.
        """
        if self._left:
            self._is_hinted = True
        elif not self._failures:
            self._queue_pass(now, BETWEEN_HINTED)

    def _queue_pass(self, now: float, pause: float) -> None:
        """Queue the next pass, at most this number of seconds after the begin of the last one."""
        self.queue.add(self, max(now, self._began_at + min(pause, self._pause)))

    def ask(self, seconds: float) -> tuple[Page, int] | CloudError:
        """Read the next page. Returns the page and the number of requests, or the error."""
        filters = self._left[0][1]
        request = functools.partial(self._service.list_request, self._ref, filters, token=self._token, size=PAGE_SIZE)
        try:
            return self._service.exchange(request, self._service.read_page, left=time_left(seconds))
        except CloudError as error:
            return error

    def take(self, answer: tuple[Page, int] | CloudError, now: float) -> None:
        """Pass on what is on a page, and queue the next page or, after the last one, the next pass."""
        if isinstance(answer, CloudError):
            self.queue.answered(answer.calls, answer, now)
            self._left = []
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures, 10))
            self._failures += 1
            self._failed(answer)
            self.queue.add(self, now + max(pause, min(answer.retry_after or 0.0, LONGEST_PAUSE)))
            return
        page, calls = answer
        self.queue.answered(calls, None, now)
        self._failures = 0
        if page.entries:
            self._found([{**self._ref, "task_id": task_id} for task_id in page.entries])
        if page.token and page.entries and page.token not in self._tokens:
            self._token = page.token
            self._tokens.add(page.token)
        else:
            self._token, self._tokens = None, set()
            del self._left[0]
        if self._left:
            self.queue.add(self, now)
            return
        self._since = self._clock.time() - (now - self._began_at)  # the pass may have corrected the clock
        self._passed(self._since)
        self._queue_pass(now, BETWEEN_HINTED if self._is_hinted else self._pause)


def _utc(seconds: float) -> str:

    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


__all__ = ["ListSource"]
