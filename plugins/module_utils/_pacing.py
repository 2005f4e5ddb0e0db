# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure; clock, sleep and randomness are arguments.
"""How long to wait before doing something again."""

from __future__ import annotations

import random
import typing as t

JITTER = 0.25
"""The share of a wait that chance may take off it, so that many waiters do not keep step."""


def backoff(
    attempt: int, *, first: float, factor: float, cap: float, chance: t.Callable[[], float] = random.random
) -> float:
    """Seconds to wait after an attempt, counted from 0: growing by a factor up to a cap, less a little by chance.

    :param chance: gives a number from 0 to 1.
    """
    try:
        grown = first * factor**attempt
    except OverflowError:
        grown = cap
    return min(grown, cap) * (1 - JITTER * chance())


__all__ = ["JITTER", "backoff"]
