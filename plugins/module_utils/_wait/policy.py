# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The settings of a round: the options of the wait, and when the round must end. All times are seconds."""

from __future__ import annotations

import typing as t

from .._pacing import FOREVER
from .contract import Order
from .verdict import ALL, Require

NO_RESPONSE = "none"
"""Value of the option ``return_response`` with which the vendor's answers are not returned."""

EXPECTED = "expected"
"""Value of the option ``pace`` with which polls are concentrated around the expected end of a cloud task."""


class Policy(t.NamedTuple):
    """The options of the wait that a round applies.

    :param until: statuses that satisfy the wait; null where a condition decides, which only the action can evaluate.
    """

    until: t.Collection[str] | None
    require: Require = ALL
    fail_fast: bool = True
    delay: float = 0.0
    sleep: float = 2.0
    backoff: float = 1.5
    max_sleep: float = 30.0
    pace: str = EXPECTED
    max_polls: int | None = None
    stable_polls: int = 1
    stall_timeout: float | None = None
    not_found_grace: float = 30.0
    max_errors: int = 10
    request_timeout: float = 10.0
    return_response: str = NO_RESPONSE


class Limits(t.NamedTuple):
    """When a round must end, in seconds from its beginning. The members are those of an ``Order``.

    :param left: time until the deadline of the wait, when every unfinished cloud task is polled for the last time.
    :param linger: time after which the round ends even if nothing has changed.
    :param after_change: time after which the round ends if something has changed.
    :param elapsed: how long the wait had lasted when the round began.
    :param first: whether the round ends as soon as every cloud task has been polled once.
    :param within: time after which nobody reads the answer of the round, so that no poll may last longer.
    :param once: whether every cloud task is polled just once, however long the rate limits make that.
    :param satisfied: how many cloud tasks had ended before the round and satisfied the wait.
    :param otherwise: how many had ended before without satisfying it.
    :param endless: whether to go on when no cloud task is open, since others will be added.
    """

    left: float
    linger: float = FOREVER
    after_change: float = FOREVER
    elapsed: float = 0.0
    first: bool = False
    within: float = FOREVER
    once: bool = False
    satisfied: int = 0
    otherwise: int = 0
    endless: bool = False


def policy_of(options: t.Mapping[str, t.Any], *, check_mode: bool, condition: bool) -> Policy:
    """Returns the policy for options that are already checked.

    :param condition: whether a condition decides.
    """
    given = {name: options[name] for name in Policy._fields}
    given["until"] = None if condition else frozenset(given["until"])
    given["fail_fast"] = given["fail_fast"] and not check_mode
    return Policy(**given)


def limits_of(order: Order, *, live_at: float | None) -> Limits:
    """Returns when the round must end that the action has ordered.

    :param live_at: the time now, by the clock that the action shares, if there is a live channel. Then no change ends the
        round, and the time that it took to start the module is counted. Null if there is none.
    """
    given: dict[str, t.Any] = {name: order.get(name) for name in Limits._fields}
    limits = Limits(**{"left": FOREVER, **{name: value for name, value in given.items() if value is not None}})
    if live_at is None:
        return limits
    late = max(0.0, live_at - order.get("asked_at", live_at))
    return limits._replace(
        left=max(0.0, limits.left - late),
        elapsed=limits.elapsed + late,
        linger=max(0.0, limits.linger - late),
        within=max(0.0, limits.within - late),
        first=False,
        after_change=FOREVER,
    )


__all__ = ["EXPECTED", "NO_RESPONSE", "Limits", "Policy", "limits_of", "policy_of"]
