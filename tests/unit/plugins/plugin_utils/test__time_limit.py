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
        (30.0, [8.0, 5.0, 5.0, 5.0, 5.0, 2.0], [5.0, 5.0, 5.0, 5.0, 5.0, 2.0]),  # stopped, but not for long
        (8.0, [3600.0, 5.0, 3.0], [5.0, 5.0, 3.0]),  # beyond the end
        (12.0, [5.0, 5.0, 3600.0, 5.0, 3.0], [5.0, 5.0, 2.0, 5.0, 3.0]),
        (3600.0, [3595.0, 5.0, 3.0], [5.0, 5.0, 3.0]),  # nearly to the end
        (3.0, [3600.0, 3600.0], [3.0, 5.0]),  # twice, of which the second time does not count
        (0.0, [0.001], [0.001]),
    ],
)
def test_after_a_stop_there_is_time_to_end(seconds: float, lasts: list[float], steps: list[float]) -> None:
    now = [1000.0]
    countdown = Countdown(seconds, lambda: now[0])
    found = []
    for left, last in zip(reversed(range(len(lasts))), lasts):
        found.append(countdown.begin_step())
        now[0] += last
        assert countdown.end_step() == (left == 0)
    assert found == pytest.approx(steps)
