# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""An orderly end for a module that is told to end: it still says what it has done."""

from __future__ import annotations

import contextlib
import signal
import typing as t

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """A signal came. It is no ``Exception``, so that no library takes it for an error of the network.

    :param name: such as ``SIGTERM``.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class Stop:
    """Whether a signal may end the work now, or must wait."""

    def __init__(self) -> None:
        self._allowed = False
        self._name: str | None = None

    def allow(self) -> None:
        """From here on, a signal ends the work.

        :raises Stopped: at once, when one came before.
        """
        self._allowed = True
        self._raise()

    def defer(self) -> None:
        """From here on, a signal must wait: a result is known, and nothing is more important than to tell it."""
        self._allowed = False

    def take(self, number: int, dummy: t.Any = None) -> None:
        """The handler of signals.

        :raises Stopped: when a signal may end the work now. The next ones have to wait.
        """
        self._name = signal.Signals(number).name
        self._raise()

    def _raise(self) -> None:
        if self._allowed and self._name is not None:
            self._allowed, name, self._name = False, self._name, None
            raise Stopped(name)


@contextlib.contextmanager
def catching_signals() -> t.Iterator[Stop]:
    """While this lasts, signals that would end the process are given to the ``Stop`` that it yields."""
    stop = Stop()
    heeded = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop.take) for number in heeded}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


__all__ = ["Stop", "Stopped", "catching_signals"]
