# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._duration import seconds_of


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90.0),
        (1.5, 1.5),
        (-1, -1.0),
        ("90", 90.0),
        (" 90 ", 90.0),
        ("0.5", 0.5),
        ("-1", -1.0),
        ("90s", 90.0),
        ("30m", 1800.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1.5h", 5400.0),
        ("2d", 172800.0),
        ("1d1h1m1s", 90061.0),
    ],
)
def test_a_duration_is_read(value: object, seconds: float) -> None:
    assert seconds_of(value) == seconds


@pytest.mark.parametrize(
    "value",
    ["", "m", "30m1h", "1h1h", "30M", "1 week", "1e3", "--1", "nan", "inf", "9" * 400, 10**400, True, None, [1], {}],
)
def test_anything_else_is_no_duration(value: object) -> None:
    assert seconds_of(value) is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_without_end_is_no_duration(value: float) -> None:
    assert seconds_of(value) is None
