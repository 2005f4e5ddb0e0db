# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""Signal handling that lets a module report what it has done before it ends."""

from __future__ import annotations

import contextlib
import signal
import sys
import typing as t

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """Raised when a signal ends the work. It is not an ``Exception``, so that no library handles it as a network error.

    :param name: name of the signal, such as ``SIGTERM``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Stop:
    """Decides whether a signal ends the work at once or must wait."""

    def __init__(self) -> None:
        self._allowed = False
        self._name: str | None = None

    def allow(self) -> None:
        """Let signals end the work from now on.

        :raises Stopped: when a signal has been waiting.
        """
        self._allowed = True
        self._raise()

    def defer(self) -> None:
        """Let signals wait from now on, because there is a result that must be returned."""
        self._allowed = False

    def take(self, number: int, dummy: t.Any = None) -> None:
        """Handle a signal, as the function that the ``signal`` library calls.

        :raises Stopped: when signals may end the work. Signals after it must wait.
        """
        self._name = signal.Signals(number).name
        self._raise()

    def _raise(self) -> None:
        if self._allowed and self._name is not None:
            self._allowed, name, self._name = False, self._name, None
            raise Stopped(name)


@contextlib.contextmanager
def catching_signals() -> t.Iterator[Stop]:
    """Yields a ``Stop`` that handles signals in the ``with`` block in place of their usual handlers.

    Signals that the process ignores stay ignored. What the block has printed leaves the process before they end it again.
    """
    stop = Stop()
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop.take) for number in heeded}
    try:
        yield stop
    finally:
        with contextlib.suppress(OSError, ValueError):  # there may be no reader any more, or no output
            sys.stdout.flush()
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Stop", "Stopped", "catching_signals"]
