# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only.
"""An end for a wait whose ``ansible-playbook`` was killed.

An action runs in a process of its own that a kill of its parent spares. It would go on until its verdict, with nobody to
tell it to, and hold the lock of its state file against the run that is to take over.
"""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

OFTEN = 0.5
"""Seconds between two glances at the parent."""


@contextlib.contextmanager
def ending_with_parent() -> t.Iterator[None]:
    """While this lasts, the process ends when its parent is gone."""
    parent = os.getppid()
    over = threading.Event()

    def watch() -> None:
        while not over.wait(OFTEN):
            if os.getppid() != parent and not over.is_set():  # in this order: it may be over since the wait
                os._exit(1)  # no clean-up: all that is worth keeping is in the state file, which is written whole

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()


__all__ = ["ending_with_parent"]
