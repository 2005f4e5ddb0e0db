# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal

import pytest
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import Overdue, time_limit


def test_what_takes_too_long_is_ended_and_the_timer_is_as_before() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Overdue), time_limit(60.0):
        signal.raise_signal(signal.SIGALRM)  # in place of the minute
    assert (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)) == (before, (0.0, 0.0))


def test_an_earlier_timer_of_somebody_else_counts() -> None:
    before = signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 30.0)
    try:
        with time_limit(60.0):
            assert signal.getsignal(signal.SIGALRM) == signal.SIG_IGN
        assert 0.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
