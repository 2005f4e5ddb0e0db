# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.forecast import Forecast, Life, pause_before
from ansible_collections.cloudwait.conversion.tests.benchmark.pace import fixed_at, simulate


@pytest.mark.parametrize(
    ("seen", "end"),
    [
        ([], None),
        ([(10.0, None), (20.0, None)], None),
        ([(10.0, 0)], None),
        ([(10.0, 20), (20.0, 20)], None),
        ([(10.0, 20), (20.0, 40)], 50.0),
        ([(10.0, 20), (20.0, 40), (30.0, 40)], 50.0),
        ([(0.0, 0), (90.0, 30), (100.0, 40)], 160.0),  # faster of late
        ([(0.0, 0), (10.0, 30), (100.0, 40)], 250.0),  # after a stall, the pace of the whole
        ([(10.0, 50), (20.0, 90), (30.0, 10), (40.0, 20)], 120.0),  # it has begun anew
    ],
)
def test_progress_tells_when_a_cloud_task_should_end(seen: list[tuple[float, int | None]], end: float | None) -> None:
    life = Life()
    for now, progress in seen:
        life.see(now, progress, is_first=False)
    assert Forecast().end_of("mps", life, 60.0) == end


@pytest.mark.parametrize(
    ("lives", "age", "duration"),
    [
        ([], 10.0, None),
        ([100.0, 100.0], 10.0, None),  # too few
        ([99.0, 100.0, 101.0, 102.0], 10.0, 100.0),
        ([99.0, 100.0, 101.0, 102.0], 110.0, 100.0),  # overdue
        ([50.0, 100.0, 200.0, 300.0], 10.0, None),  # too different
        ([50.0, 50.0, 50.0, 300.0, 300.0, 300.0], 60.0, 300.0),  # those that it has not outlived
    ],
)
def test_those_that_have_ended_tell_how_long_others_take(
    lives: list[float], age: float, duration: float | None
) -> None:
    life = Life(began=5.0)
    end = Forecast({"mps": lives, "ess": [1.0] * 9}).end_of("mps", life, 5.0 + age)
    assert end == (None if duration is None else 5.0 + duration)


def test_what_was_running_at_the_first_poll_began_with_the_wait() -> None:
    life = Life()
    life.see(3.0, None, is_first=True)
    forecast = Forecast()
    forecast.learn("mps", life, 63.0)
    assert forecast.lives == {"mps": [63.0]}


def test_polls_come_closer_before_the_end_and_rarer_after_it() -> None:
    assert [pause_before(100.0, now) for now in (0.0, 60.0, 100.0, 140.0)] == [75.0, 30.0, 0.0, 20.0]


Progress = t.Optional[t.Callable[[float], int]]

LIVES = [120.0 + 7.0 * number for number in range(40)]


@pytest.mark.parametrize(
    ("progress", "most"), [(lambda part: int(100 * part), 0.5), (lambda part: int(10 * part) * 10, 0.5), (None, 1.2)]
)
def test_ends_are_seen_sooner_with_as_many_calls_where_progress_is_known(progress: Progress, most: float) -> None:
    told = simulate(LIVES, progress, pace="expected")
    assert told.late <= most * fixed_at(told.calls, LIVES, progress).late
