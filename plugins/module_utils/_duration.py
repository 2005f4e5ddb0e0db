# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values, standard library only.
"""Conversion of durations that users write, such as ``90``, ``90s``, ``30m``, ``1h30m`` or ``2d``, to seconds."""

from __future__ import annotations

import math
import re
import typing as t

from ._errors import CloudError, shown

SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
"""Seconds of each unit, in the order in which a duration must name them."""

SHORTEST_REQUEST = 0.001
"""Smallest valid ``request_timeout``, in seconds."""

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_UNITS = re.compile("".join(rf"(?:({_NUMBER})\s*{unit}\s*)?" for unit in SECONDS))


def seconds_of(value: t.Any) -> float | None:
    """Returns the seconds of a duration; null if the value is not a duration.

    :param value: a number of seconds, as number or text, or numbers with the units d, h, m and s in this order.
    """
    try:
        seconds = _seconds_of_text(value.strip()) if isinstance(value, str) else _seconds_of_number(value)
    except OverflowError:
        return None
    return seconds if seconds is not None and math.isfinite(seconds) else None


def _seconds_of_number(value: t.Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if is_number else None


def _seconds_of_text(text: str) -> float | None:
    if re.fullmatch(f"[+-]?{_NUMBER}", text):
        return float(text)
    match = _UNITS.fullmatch(text)
    if not text or match is None:
        return None
    return sum(float(number) * length for number, length in zip(match.groups(), SECONDS.values()) if number)


def check_duration(name: str, value: t.Any, *, least: float = 0.0) -> float:
    """Returns the seconds of an option that is a duration.

    :param least: smallest valid number of seconds.
    :raises CloudError: ``config``, when the value is not a duration or too short.
    """
    seconds = seconds_of(value)
    if seconds is None:
        said = f"{name} is {shown(value)}, which is no duration"
        raise CloudError("config", said, advice="give a number of seconds, or a text such as 90s, 30m, 1h30m or 2d")
    if seconds < least:
        raise CloudError("config", f"{name} must be at least {least:g}, got {shown(value)}", advice=f"correct {name}")
    return seconds


__all__ = ["SHORTEST_REQUEST", "check_duration", "seconds_of"]
