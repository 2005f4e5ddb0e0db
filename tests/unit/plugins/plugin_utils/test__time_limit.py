# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import signal
import time

import pytest
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._time_limit import (
    STEP,
    Countdown,
    Overdue,
    time_limit,
)


def test_what_takes_too_long_is_ended_and_the_timer_is_as_before() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(Overdue), time_limit(0.01):
        time.sleep(60.0)
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


def test_a_step_is_not_the_end() -> None:
    with time_limit(60.0):
        signal.raise_signal(signal.SIGALRM)  # in place of the first step
        assert 0.0 < signal.getitimer(signal.ITIMER_REAL)[0] <= STEP


@pytest.mark.parametrize(
    ("seconds", "lasts", "steps"),
    [
        (3.0, [3.0], [3.0]),
        (12.0, [5.0, 5.0, 2.0], [5.0, 5.0, 2.0]),
        (12.0, [3600.0, 5.0, 2.0], [5.0, 5.0, 2.0]),  # stopped in the first step
        (12.0, [5.0, 5.0, 3600.0, 5.0], [5.0, 5.0, 2.0, STEP]),  # in the last one
        (3.0, [3600.0, 3600.0], [3.0, STEP]),  # also in the one that follows it
        (0.0, [0.001], [0.001]),
    ],
)
def test_a_time_limit_does_not_pass_while_the_process_is_stopped(
    seconds: float, lasts: list[float], steps: list[float]
) -> None:
    clock = iter(time for last in lasts for time in (1000.0, 1000.0 + last))
    countdown = Countdown(seconds, lambda: next(clock))
    found = []
    for left in reversed(range(len(lasts))):
        found.append(countdown.begin_step())
        assert countdown.end_step() == (left == 0)
    assert found == steps
