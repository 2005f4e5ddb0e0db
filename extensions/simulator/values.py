# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a scenario, checked. Each function returns the value, or raises ScenarioError that names its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any


class ScenarioError(Exception):
    """What is wrong with a scenario, in one sentence."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}." if place else f"{sentence}.")


def an_object(data: Any, place: str, keys: Iterable[str] | None) -> Mapping[str, Any]:
    """Return an object without its `comment`. It may have only these keys, or any if `keys` is None."""
    if not isinstance(data, dict):
        raise ScenarioError(place, "must be an object")
    if keys is None:
        return data
    known = list(keys)
    for name in data:
        if name not in known and name != "comment":
            raise ScenarioError(place, f"has an unknown key {name!r}; known are {', '.join(known)}")
    return {name: value for name, value in data.items() if name != "comment"}


def a_list(data: Any, place: str) -> list[Any]:
    """Return a list."""
    if not isinstance(data, list):
        raise ScenarioError(place, "must be a list")
    return data


def a_text(data: Any, place: str, empty: bool = False) -> str:
    """Return text, which must not be empty unless `empty` is true."""
    if not isinstance(data, str) or not (data or empty):
        raise ScenarioError(place, "must be text" if empty else "must be text, and not empty")
    return data


def a_boolean(data: Any, place: str) -> bool:
    """Return true or false."""
    if not isinstance(data, bool):
        raise ScenarioError(place, "must be true or false")
    return data


def a_number(data: Any, place: str, least: float = -math.inf) -> float:
    """Return a number that is not below `least`."""
    if isinstance(data, bool) or not isinstance(data, (int, float)) or not math.isfinite(data) or data < least:
        raise ScenarioError(place, "must be a number" + ("" if least == -math.inf else f", {least} or more"))
    return data


def a_whole(data: Any, place: str, least: int, most: int = 2**62) -> int:
    """Return a whole number from `least` to `most`."""
    if isinstance(data, bool) or not isinstance(data, int) or not least <= data <= most:
        limit = f"{least} or more" if most == 2**62 else f"from {least} to {most}"
        raise ScenarioError(place, f"must be a whole number, {limit}")
    return data


def an_http_status(data: Any, place: str) -> int:
    """Return an HTTP status."""
    return a_whole(data, place, least=200, most=599)


def a_choice(data: Any, place: str, words: Iterable[str]) -> str:
    """Return a text that is one of `words`."""
    known = list(words)
    if not isinstance(data, str) or data not in known:
        raise ScenarioError(place, f"{data!r} is not one of {', '.join(known)}")
    return data
