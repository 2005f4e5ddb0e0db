# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""Time limits for what Ansible does on a host that may never answer.

If packets of an ssh connection are lost without notice, Ansible waits for it without limit.
"""

from __future__ import annotations

import contextlib
import signal
import threading
import time
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER

TASK_TIMEOUT_MARGIN = 1.5
"""Seconds before the ``timeout`` of the Ansible task at which everything should have returned."""

STEP = 5.0
"""Longest step, in seconds, by which a time limit is counted."""

LATE = 1.0
"""Seconds by which the end of a step is late if this process was stopped meanwhile."""

AFTERWARDS = 8.0
"""Seconds that are left after that, so that what was stopped, too, can end: a start of the module, and last polls."""


class Overdue(BaseException):
    """Raised when the time limit has passed. It is not an ``Exception``, so that no connection plugin handles it."""


class Countdown:
    """Counts a time limit in steps, to notice that this process was stopped, as when its virtual machine is paused.

    If the time limit has passed meanwhile, or nearly so, there are ``AFTERWARDS`` once more.

    :param seconds: the time limit.
    :param clock: returns monotonic seconds.
    """

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends = clock() + max(0.001, seconds)
        self._is_extended = False

    def begin_step(self) -> float:
        """Returns the length of the next step in seconds."""
        self._began = self._clock()
        self._step = min(STEP, max(0.001, self._ends - self._began))
        return self._step

    def end_step(self) -> bool:
        """Returns whether the time limit has passed."""
        now = self._clock()
        if now - self._began > self._step + LATE and not self._is_extended and self._ends - now < AFTERWARDS:
            self._is_extended, self._ends = True, now + AFTERWARDS
        return now >= self._ends


def is_task_timeout(error: BaseException) -> bool:
    """Returns whether this is Ansible's exception for the ``timeout`` of a task; its module differs between releases."""
    return type(error).__name__ == "TaskTimeoutError"


def seconds_to_alarm() -> float:
    """Returns the seconds until the timer rings that Ansible sets for the ``timeout`` of a task; infinite without one."""
    return signal.getitimer(signal.ITIMER_REAL)[0] or FOREVER


@contextlib.contextmanager
def time_limit(seconds: float) -> t.Iterator[None]:
    """Limit the time of the ``with`` block.

    The ``timeout`` keyword of an Ansible task uses the same system timer. If that ends earlier, there is no other
    limit; otherwise it continues after the block.

    :raises Overdue: in the block, after this number of seconds.
    """
    left = signal.getitimer(signal.ITIMER_REAL)[0]
    if threading.current_thread() is not threading.main_thread() or 0 < left <= seconds:
        yield
        return

    countdown = Countdown(seconds)

    def ring(number: int, frame: t.Any) -> None:
        if countdown.end_step():
            raise Overdue
        signal.setitimer(signal.ITIMER_REAL, countdown.begin_step())

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, countdown.begin_step())
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)))


__all__ = ["TASK_TIMEOUT_MARGIN", "Countdown", "Overdue", "is_task_timeout", "seconds_to_alarm", "time_limit"]
