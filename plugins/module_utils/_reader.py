# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: the ground.
"""Looks after the reader of a module's answer while the module runs for minutes.

The reader is the controller, or what carries the answer to it, such as ``sshd`` or ``sudo``.
"""

from __future__ import annotations

import os
import select
import threading
import time

STDOUT = 1

BETWEEN_SIGNS = 30.0
"""Seconds between two signs of life. Firewalls and bastion hosts drop connections after minutes of silence."""

BETWEEN_CHECKS = 1.0
"""Seconds between two checks whether the controller still runs."""


class Reader:
    """Ends this process when the reader is gone, and keeps the connection to it alive.

    That the reader is gone is noticed where standard output is a pipe, a socket or a terminal, as it is for modules. A
    file has no reader. A sign of life is an empty line, which Ansible skips before the answer.

    :param controller: process id of the controller, if it is on this machine. It is watched, too, since ``sudo`` notices
        the end of its own reader only when there is something to read.
    :param descriptor: the file descriptor of standard output.
    :param pause: seconds between two signs of life.
    """

    def __init__(
        self, controller: int | None = None, *, descriptor: int = STDOUT, pause: float = BETWEEN_SIGNS
    ) -> None:
        self._controller = controller
        self._descriptor = descriptor
        self._pause = pause
        self._answering = threading.Lock()

    def watch(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._watch, daemon=True).start()

    def quiet(self) -> None:
        """Give no more signs of life, since the answer follows."""
        self._answering.acquire()  # noqa: SIM115, RUF100 # it is never released

    def _watch(self) -> None:
        poller = select.poll()
        poller.register(self._descriptor, 0)  # errors and hang-ups are reported without being asked for
        often = self._pause if self._controller is None else BETWEEN_CHECKS
        signed = time.monotonic()
        while not poller.poll(often * 1000) and self._has_controller():
            if time.monotonic() - signed >= self._pause:
                signed = time.monotonic()
                self._give_sign()
        os._exit(1)

    def _has_controller(self) -> bool:
        try:
            os.kill(self._controller or os.getpid(), 0)
        except ProcessLookupError:
            return False
        except OSError:  # it is another user's
            pass
        return True

    def _give_sign(self) -> None:
        """Write an empty line. If that fails, the reader is gone, which the poll reports."""
        if self._answering.acquire(blocking=False):
            try:
                os.write(self._descriptor, b"\n")
            except OSError:
                pass
            finally:
                self._answering.release()


__all__ = ["Reader"]
