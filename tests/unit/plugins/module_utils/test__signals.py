# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals that end the work of a module, or wait until its result is told."""

from __future__ import annotations

import io
import os
import signal
import sys
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._signals import SIGNALS, Stopped, catching_signals


@pytest.fixture
def heeded() -> t.Iterator[None]:
    """Heeds SIGINT, which a shell lets programs in the background ignore."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_work(number: signal.Signals) -> None:
    with catching_signals() as stop:
        stop.allow()
        with pytest.raises(Stopped) as caught:
            os.kill(os.getpid(), number)
    assert caught.value.name == number.name


def test_a_signal_waits_while_a_result_is_told() -> None:
    with catching_signals() as stop:
        stop.allow()
        stop.defer()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            stop.allow()


def test_a_second_signal_does_not_disturb_the_end() -> None:
    with catching_signals() as stop:
        stop.allow()
        with pytest.raises(Stopped):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)


class Buffered(io.StringIO):
    """Output that leaves the process when it is flushed, as through a pipe."""

    handler: t.Any = None

    def flush(self) -> None:
        self.handler = signal.getsignal(signal.SIGTERM)


def test_a_result_has_left_the_process_before_a_signal_can_end_it(monkeypatch: pytest.MonkeyPatch) -> None:
    output = Buffered()
    monkeypatch.setattr(sys, "stdout", output)
    with catching_signals() as stop:
        pass
    assert output.handler == stop.take


def test_no_library_takes_it_for_an_error_of_the_network() -> None:
    assert not issubclass(Stopped, Exception)


def test_handlers_are_as_before() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with catching_signals():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_what_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with catching_signals() as stop:
            stop.allow()
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
