# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: the options of a wait, as data.
"""The options of ``wait_for_task`` that both its module and its action plugin understand.

Credentials and transport are not among them: the action plugin hands those on without looking.
"""

from __future__ import annotations

import typing as t

from ._verdict import ALL, ANY, UNTIL_WORDS

POLICY: dict[str, dict[str, t.Any]] = {
    "until": {"type": "list", "elements": "str", "default": ["succeeded"]},
    "require": {"type": "str", "default": ALL, "choices": [ALL, ANY]},
    "fail_fast": {"type": "bool", "default": True},
    "timeout": {"type": "float", "default": 900},
    "delay": {"type": "float", "default": 0},
    "sleep": {"type": "float", "default": 2},
    "backoff": {"type": "float", "default": 1.5},
    "max_sleep": {"type": "float", "default": 30},
    "max_polls": {"type": "int"},
    "stall_timeout": {"type": "float"},
    "not_found_grace": {"type": "float", "default": 30},
    "max_errors": {"type": "int", "default": 10},
    "rate_limit": {"type": "dict"},
    "sweep": {"type": "str", "default": "never", "choices": ["never", "auto"]},
    "heartbeat": {"type": "float", "default": 60},
}

ON_CONTROLLER: dict[str, dict[str, t.Any]] = {
    "condition": {"type": "raw"},
    "state_file": {"type": "path"},
}

LEAST = {
    "timeout": 0.0,
    "delay": 0.0,
    "sleep": 0.0,
    "backoff": 1.0,
    "max_sleep": 0.0,
    "max_polls": 1.0,
    "stall_timeout": 0.0,
    "not_found_grace": 0.0,
    "max_errors": 1.0,
    "heartbeat": 0.0,
}


def complaint(options: t.Mapping[str, t.Any]) -> str | None:
    """What is wrong with the values of a wait's options, beyond their types; null when nothing is."""
    for name, least in LEAST.items():
        value = options.get(name)
        if value is not None and not least <= value < float("inf"):
            return f"{name} is {value}, the least is {least:g}"
    for word in options["until"]:
        if word not in UNTIL_WORDS:
            return (
                f"until has the word {word}, which is none of {', '.join(UNTIL_WORDS)}; for an expression use condition"
            )
    return None if options["until"] else "until is empty"


__all__ = ["ON_CONTROLLER", "POLICY", "complaint"]
