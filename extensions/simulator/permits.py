# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scenario says of callers: their credentials, how many calls they may make, and which actions are retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keyring import DEFAULT_DINGTALK, DEFAULT_TENCENT, DEFAULT_USER_TOKEN
from services.registry import SERVICES
from values import ScenarioError, a_choice, a_list, a_number, a_text, an_object

RETIRED_CODES = ("ActionOffline", "InvalidAction", "UnsupportedOperation")


@dataclass(frozen=True)
class Bucket:
    """How many calls a second are let through, and how many of them at once."""

    per_second: float
    burst: float


def credentials(data: Any) -> Mapping[str, Any]:
    """Check `credentials`, and return them with defaults for what is missing.

    :raises ScenarioError: when they are wrong.
    """
    fields = an_object(data, "credentials", ("tencent", "dingtalk", "access_tokens", "user_access_tokens"))
    tencent = a_list(fields.get("tencent", [DEFAULT_TENCENT]), "credentials.tencent")
    dingtalk = a_list(fields.get("dingtalk", [DEFAULT_DINGTALK]), "credentials.dingtalk")
    tokens = _tokens(fields, "access_tokens")
    user_tokens = _tokens(fields, "user_access_tokens", DEFAULT_USER_TOKEN)
    for number, item in enumerate(tencent):
        _entry(item, f"credentials.tencent[{number}]", ("secret_id", "secret_key"), "token", "expires_in")
        if "expires_in" in item and "token" not in item:
            raise ScenarioError(f"credentials.tencent[{number}].expires_in", "needs a token: only such keys end")
    for number, item in enumerate(dingtalk):
        _entry(item, f"credentials.dingtalk[{number}]", ("app_key", "app_secret"), "", "token_seconds")
    return {"tencent": tencent, "dingtalk": dingtalk, "access_tokens": tokens, "user_access_tokens": user_tokens}


def _tokens(fields: Mapping[str, Any], name: str, *usual: str) -> list[str]:
    tokens = a_list(fields.get(name, list(usual)), f"credentials.{name}")
    return [a_text(token, f"credentials.{name}[{number}]") for number, token in enumerate(tokens)]


def _entry(data: Any, place: str, needed: tuple[str, str], token: str, seconds: str) -> None:
    fields = an_object(data, place, (*needed, *((token,) if token else ()), seconds))
    for name in needed:
        a_text(fields.get(name), f"{place}.{name}")
    if token in fields:
        a_text(fields[token], f"{place}.{token}")
    if seconds in fields:
        a_number(fields[seconds], f"{place}.{seconds}", least=0)


def rate_limit(data: Any) -> Mapping[str, Bucket]:
    """Check `rate_limit`, and return it by provider.

    :raises ScenarioError: when it is wrong.
    """
    found = {}
    for provider, value in an_object(data, "rate_limit", tuple(SERVICES)).items():
        place = f"rate_limit.{provider}"
        fields = value if isinstance(value, dict) else {"per_second": value}
        an_object(fields, place, ("per_second", "burst"))
        rate = a_number(fields.get("per_second"), f"{place}.per_second", least=0)
        found[provider] = Bucket(rate, a_number(fields.get("burst", max(rate, 1)), f"{place}.burst", least=1))
    return found


def retired_actions(data: Any) -> Mapping[str, str]:
    """Check `retired_actions`, and return the error code of each.

    :raises ScenarioError: when one is wrong.
    """
    if isinstance(data, list):
        data = {a_text(name, f"retired_actions[{number}]"): "ActionOffline" for number, name in enumerate(data)}
    fields = an_object(data, "retired_actions", None)
    return {name: a_choice(code, f"retired_actions.{name}", RETIRED_CODES) for name, code in fields.items()}
