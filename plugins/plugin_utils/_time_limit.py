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

STEP = 5.0
"""Longest step, in seconds, by which a time limit is counted."""

LATE = 1.0
"""Seconds by which the end of a step is late if this process was stopped meanwhile."""


class Overdue(BaseException):
    """Raised when the time limit has passed. It is not an ``Exception``, so that no connection plugin handles it."""


class Countdown:
    """Counts a time limit in steps, since this process or the whole machine may be stopped, as by Ctrl-Z, and continued.

    That costs one step at most. If it was the last one, there is another, so that what had to wait, too, can still end.

    :param seconds: the time limit.
    :param clock: returns monotonic seconds.
    """

    def __init__(self, seconds: float, clock: t.Callable[[], float] = time.monotonic) -> None:
        self._left = max(0.001, seconds)
        self._clock = clock
        self._has_extra_step = False

    def begin_step(self) -> float:
        """Returns the length of the next step in seconds."""
        self._began = self._clock()
        self._step = min(STEP, self._left)
        return self._step

    def end_step(self) -> bool:
        """Returns whether the time limit has passed."""
        self._left -= self._step
        is_late = self._clock() - self._began > self._step + LATE
        if self._left <= 0 and is_late and not self._has_extra_step:
            self._has_extra_step, self._left = True, STEP
        return self._left <= 0


@contextlib.contextmanager
def time_limit(seconds: float) -> t.Iterator[None]:
    """Limit the time of the ``with`` block, without the time for which this process is stopped.

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


__all__ = ["Overdue", "time_limit"]
