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


class Overdue(BaseException):
    """Raised when the time limit has passed. It is not an ``Exception``, so that no connection plugin handles it."""


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

    def ring(number: int, frame: t.Any) -> None:
        raise Overdue

    began = time.monotonic()
    before = signal.signal(signal.SIGALRM, ring)
    try:
        signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(0.001, left - (time.monotonic() - began)))


__all__ = ["Overdue", "time_limit"]
