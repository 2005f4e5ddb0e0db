# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: the options of a wait, as data.
"""The options of ``wait_for_task`` that both its module and its action plugin use.

Options for credentials and transport are not among them, since the action plugin only passes those on.
"""

from __future__ import annotations

import math
import typing as t

from .._duration import SHORTEST_REQUEST, check_duration
from .._errors import CloudError, shown
from .verdict import ALL, ANY, UNTIL_WORDS

ABORT = "abort"
"""Value of the option ``on_timeout`` with which a wait aborts what it gives up on."""

ABORT_LIMIT = 60.0
"""Seconds after which nothing more is aborted."""

POLICY: dict[str, dict[str, t.Any]] = {
    "until": {"type": "list", "elements": "str", "default": ["succeeded"]},
    "require": {"type": "raw", "default": ALL},
    "fail_fast": {"type": "bool", "default": True},
    "timeout": {"type": "raw", "default": 900},
    "delay": {"type": "raw", "default": 0},
    "sleep": {"type": "raw", "default": 2},
    "backoff": {"type": "float", "default": 1.5},
    "max_sleep": {"type": "raw", "default": 30},
    "pace": {"type": "str", "default": "expected", "choices": ["expected", "fixed"]},
    "max_polls": {"type": "int"},
    "stable_polls": {"type": "int", "default": 1},
    "stall_timeout": {"type": "raw"},
    "not_found_grace": {"type": "raw", "default": 30},
    "max_errors": {"type": "int", "default": 10},
    "rate_limit": {"type": "dict"},
    "sweep": {"type": "str", "default": "never", "choices": ["never", "auto"]},
    "heartbeat": {"type": "raw", "default": 60},
    "on_timeout": {"type": "str", "default": "leave", "choices": ["leave", ABORT]},
    "return_response": {"type": "str", "default": "none", "choices": ["none", "last"]},
    "return_records": {"type": "str", "default": "all", "choices": ["all", "problems"]},
}

ON_CONTROLLER: dict[str, dict[str, t.Any]] = {
    "condition": {"type": "raw"},
    "state_file": {"type": "path"},
}

SPEC = {**POLICY, **ON_CONTROLLER}
"""Specifications of the options that only a wait has."""

DURATIONS = {
    **dict.fromkeys(("timeout", "delay", "sleep", "max_sleep", "stall_timeout", "not_found_grace", "heartbeat"), 0.0),
    "request_timeout": SHORTEST_REQUEST,
}
"""Smallest value, in seconds, of each option that is a duration. Only the module has ``request_timeout``."""

LEAST = {"backoff": 1.0, "max_polls": 1.0, "stable_polls": 1.0, "max_errors": 1.0}


def check_policy(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Returns the options with durations as seconds and ``require`` as a word or a number.

    :raises CloudError: ``config``, for the first option with an invalid value.
    """
    checked = dict(options)
    for name, least in DURATIONS.items():
        if options.get(name) is not None:
            checked[name] = check_duration(name, options[name], least=least)
    for name, least in LEAST.items():
        value = options[name]
        if value is not None and not least <= value < math.inf:
            raise CloudError("config", f"{name} must be at least {least:g}, got {value:g}", advice=f"correct {name}")
    polls, stable = options["max_polls"], options["stable_polls"]
    if polls is not None and stable > polls:
        said = f"stable_polls is {stable} and max_polls is {polls}, so no cloud task could be polled often enough"
        raise CloudError("config", said, advice="raise max_polls or lower stable_polls")
    for word in options["until"]:
        if word not in UNTIL_WORDS:
            words = ", ".join(UNTIL_WORDS)
            said = f"until has the word {shown(word)}, which is none of {words}"
            raise CloudError("config", said, advice="correct until, or for an expression use condition")
    if not options["until"]:
        raise CloudError("config", "until is an empty list", advice=f"give some of {', '.join(UNTIL_WORDS)}")
    checked["require"] = _check_require(options["require"])
    return checked


def _check_require(value: t.Any) -> str | int:
    if value in (ALL, ANY):
        return t.cast(str, value)
    text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        said = f"require is {shown(value)}, which is neither {ALL} nor {ANY} nor a number above 0"
        raise CloudError("config", said, advice="correct require")
    return int(text)


__all__ = ["ABORT", "ABORT_LIMIT", "DURATIONS", "ON_CONTROLLER", "POLICY", "SPEC", "check_policy"]
