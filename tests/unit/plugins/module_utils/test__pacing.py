# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, DueQueue, RateBudget, backoff


@pytest.mark.parametrize(
    ("first", "factor", "cap", "waits"),
    [
        (2, 1.5, 30, [2, 3, 4.5, 6.75, 10.125, 15.1875, 22.78125, 30, 30]),
        (1, 2, 10, [1, 2, 4, 8, 10, 10]),
        (5, 1, 30, [5, 5, 5]),
        (60, 2, 30, [30, 30]),
        (0, 2, 30, [0, 0]),
    ],
)
def test_a_wait_grows_by_a_factor_up_to_the_cap(first: float, factor: float, cap: float, waits: list[float]) -> None:
    made = [backoff(n, first=first, factor=factor, cap=cap, chance=lambda: 0.0) for n in range(len(waits))]
    assert made == waits


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 8.0), (0.5, 7.0), (1.0, 6.0)])
def test_chance_takes_off_a_quarter_at_most(chance: float, wait: float) -> None:
    assert backoff(9, first=1, factor=2, cap=8, chance=lambda: chance) == wait


def test_a_very_long_wait_does_not_overflow() -> None:
    assert backoff(10**6, first=1, factor=2.5, cap=30, chance=lambda: 0.0) == 30


def test_chance_is_real_unless_given() -> None:
    assert 6 <= backoff(0, first=8, factor=1, cap=8) <= 8


# --- rate budgets ---


def starts(budget: RateBudget, count: int, *, late: float = 0.0) -> list[float]:
    """When calls begin that each come as soon as there is room, or a little later."""
    now, found = 100.0 + late, []
    for dummy in range(count):
        if budget.next_start() > now:
            now = budget.next_start() + late
        budget.take(now)
        found.append(round(now - 100.0, 3))
    return found


def test_calls_are_spaced_evenly_and_the_first_is_no_burst() -> None:
    assert starts(RateBudget(10), 4) == [0.0, 0.1, 0.2, 0.3]


def test_more_than_twenty_calls_a_second_start_in_steps() -> None:
    assert starts(RateBudget(20), 4) == [0.0, 0.05, 0.1, 0.15]
    assert starts(RateBudget(80), 9) == [0.0] * 4 + [0.05] * 4 + [0.1]
    assert starts(RateBudget(50), 8) == [0.0] * 3 + [0.06] * 3 + [0.12] * 2


def test_steps_that_begin_late_keep_the_mean_rate_and_are_no_longer() -> None:
    assert starts(RateBudget(20), 4, late=0.02) == [0.02, 0.09, 0.14, 0.19]
    assert starts(RateBudget(80), 9, late=0.01) == [0.01] * 4 + [0.07] * 4 + [0.12]


def test_calls_that_come_a_little_late_do_not_put_off_the_rest() -> None:
    assert starts(RateBudget(10), 5, late=0.02) == [0.02, 0.14, 0.24, 0.34, 0.44]


def test_a_pause_is_not_made_up_for_by_a_burst() -> None:
    budget = RateBudget(10)
    budget.take(100.0)
    budget.take(200.0)
    assert budget.ready == pytest.approx(200.1)


def test_throttling_halves_the_pace_and_good_answers_bring_it_back() -> None:
    budget = RateBudget(10)
    budget.throttled(100.0, None)
    assert budget.ready == pytest.approx(100.2)
    budget.take(100.2)
    assert budget.ready == pytest.approx(100.4)
    for dummy in range(50):
        budget.answered()
    budget.take(200.0)
    assert budget.ready == pytest.approx(200.1)


def test_throttling_again_and_again_has_an_end() -> None:
    budget = RateBudget(10)
    for dummy in range(50):
        budget.throttled(100.0, None)
    assert budget.ready <= 100.0 + 3.2 + 1e-9


def test_what_the_vendor_asks_to_wait_is_waited() -> None:
    budget = RateBudget(10)
    budget.throttled(100.0, 30.0)
    assert (budget.ready, budget.next_start()) == (130.0, 130.0)


def test_a_vendor_that_throttles_ends_the_step_at_once() -> None:
    budget = RateBudget(80)
    budget.take(100.0)
    assert budget.next_start() == 100.0
    budget.throttled(100.01, None)
    assert budget.next_start() == pytest.approx(100.035)


def test_the_queue_gives_what_falls_due_first() -> None:
    queue: DueQueue[int] = DueQueue()
    for number, due in ((1, 5.0), (2, 3.0), (3, 4.0)):
        queue.push(number, due)
    assert (len(queue), queue.next_due()) == (3, 3.0)
    assert [queue.pop() for dummy in range(3)] == [2, 3, 1]
    assert queue.next_due() == FOREVER


def test_a_thing_that_is_pushed_again_is_due_at_the_new_time_alone() -> None:
    queue: DueQueue[str] = DueQueue()
    for due, thing in ((5.0, "a"), (6.0, "b"), (1.0, "b"), (9.0, "a")):
        queue.push(thing, due)
    assert (len(queue), queue.next_due(), queue.pop(), queue.next_due(), queue.pop()) == (2, 1.0, "b", 9.0, "a")
    assert (len(queue), queue.next_due()) == (0, FOREVER)


def test_a_thing_can_be_removed() -> None:
    queue: DueQueue[str] = DueQueue()
    queue.push("a", 1.0)
    queue.push("b", 2.0)
    queue.remove("a")
    queue.remove("c")
    assert (len(queue), queue.next_due(), queue.pop()) == (1, 2.0, "b")
