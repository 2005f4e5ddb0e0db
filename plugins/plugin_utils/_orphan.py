# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""Ends a wait when its ``ansible-playbook`` has been killed, and keeps a start from beginning then.

An action runs in a process of its own, which survives when its parent is killed. It would continue to wait although
nobody reads its result, and keep the state file locked, so that a new run could not continue the wait. It would also run
the action for all further items of a loop.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pathlib
import signal
import threading
import time
import typing as t

OFTEN = 0.5
"""Seconds between two checks whether the parent still runs."""


LAST_MOMENTS = 120.0
"""Seconds that are left after the end of the parent to what must be done at a stop."""


class StoppedError(BaseException):
    """Raised when ``ansible-playbook`` was stopped from outside. Not an ``Exception``, so that nothing handles it."""


def _parent_id() -> int:
    """Returns the process id of ``ansible-playbook``, also after its end: the one that forked this process."""
    parent = multiprocessing.parent_process()
    return os.getppid() if parent is None else t.cast(int, parent.pid)


def end_orphan() -> None:
    """End this process if its parent has ended, so that it begins nothing of which nobody would hear."""
    if os.getppid() != _parent_id():
        os._exit(1)


@contextlib.contextmanager
def ending_with_parent() -> t.Iterator[None]:
    """End this process if its parent ends while the ``with`` block runs, or has ended before."""

    def end() -> None:
        end_children()  # an ssh or sudo, which would keep the module on the host
        os._exit(1)  # without clean-up: the state file, which is written atomically, has all that is needed

    with _watching_parent(end):
        yield


@contextlib.contextmanager
def ending_with_parent_in_order() -> t.Iterator[threading.Event]:
    """End the ``with`` block if the parent of this process ends, or has ended before, or if this process is to end.

    Yields an event that is set once the parent has ended. Then this process ends after ``LAST_MOMENTS`` at the latest.

    :raises StoppedError: in the block, in the main thread.
    """
    parent_ended = threading.Event()

    def end() -> None:
        parent_ended.set()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(LAST_MOMENTS)
        end_children()
        os._exit(1)

    def stop(number: int, frame: t.Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
        raise StoppedError

    with _watching_parent(end):
        before = signal.signal(signal.SIGTERM, stop)
        try:
            yield parent_ended
        finally:
            signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def _watching_parent(then: t.Callable[[], None]) -> t.Iterator[None]:
    """Call a function, in a thread, if the parent of this process ends while the ``with`` block runs, or ended before."""
    parent = _parent_id()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(OFTEN):
            if os.getppid() != parent and not over.is_set():  # in this order, since the block may have ended meanwhile
                then()
                return

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def end_children() -> None:
    """End the child processes of this process, such as an ssh that hangs."""
    for task in pathlib.Path("/proc/self/task").glob("*/children"):  # only on Linux
        with contextlib.suppress(OSError, ValueError):
            for child in map(int, task.read_text(encoding="ascii").split()):
                os.kill(child, signal.SIGTERM)


__all__ = ["StoppedError", "end_children", "end_orphan", "ending_with_parent", "ending_with_parent_in_order"]
