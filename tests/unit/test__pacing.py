# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import backoff


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
