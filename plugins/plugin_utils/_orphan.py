# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""Ends a wait when its ``ansible-playbook`` has been killed.

An action runs in a process of its own, which survives when its parent is killed. It would continue to wait although
nobody reads its result, and keep the state file locked, so that a new run could not continue the wait.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import threading
import typing as t

OFTEN = 0.5
"""Seconds between two checks whether the parent still runs."""


@contextlib.contextmanager
def ending_with_parent() -> t.Iterator[None]:
    """End this process if its parent ends while the ``with`` block runs."""
    parent = os.getppid()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(OFTEN):
            if os.getppid() != parent and not over.is_set():  # in this order, since the block may have ended meanwhile
                end_children()  # an ssh or sudo, which would keep the module on the host
                os._exit(1)  # without clean-up: the state file, which is written atomically, has all that is needed

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


__all__ = ["end_children", "ending_with_parent"]
