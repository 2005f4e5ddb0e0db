# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: secrets. It knows no AnsibleModule.
"""Functions that keep secrets out of results, errors and warnings.

There are two kinds of secrets:

* Members of a vendor's answer, recognized by their names: ``redact``.
* Values that were used as credentials, wherever they occur: ``censored``, ``censored_texts`` and ``hide_in``.
"""

from __future__ import annotations

import functools
import math
import re
import typing as t

from ansible.module_utils.common.parameters import remove_values

from ._errors import CUT, CloudError

HIDDEN = "********"
"""Replacement for a secret."""

MAX_DEPTH = 100
"""Deepest nesting of an answer that is read, in levels."""

SECRET_NAMES = ("password", "passwd", "secret", "notifykey", "accesskey", "access_key", "authorization", "credential")
"""A member is a secret if its name, in lower case, contains one of these."""

SECRET_WHOLE_NAMES = frozenset({"token", "callback", "callback_url", "notifyurl", "simpleaesdrm"})
"""A member is a secret if its name, in lower case, is one of these.

The URL of a callback may hold a secret. ``SimpleAesDrm`` of Tencent MPS has the key that encrypts a film.
"""

INPUT_URLS = ("url", "input_url")
"""Names, in lower case, of members with the URL of an input."""

SHORTEST_BEGINNING = 4
"""Smallest number of characters that are hidden as the beginning of a secret in a shortened text."""

LONE_SURROGATE = "[\ud800-\udfff]"

NEVER_CENSORED = frozenset(
    [
        *("provider", "task_id", "ref", "status", "done", "progress", "counts", "elapsed", "polls", "outcome"),
        *("kind", "retryable", "http_status"),
        *("changed", "task", "tasks", "refs", "truncated", "resource_id", "credential_source", "endpoint_host"),
        *("started", "idempotency_key"),
        *("failed", "failed_tasks", "unfinished_tasks", "summary", "api_calls"),
    ]
)
"""Keys never censored: our own values, vendor ids, and records, which are censored separately."""

Values = t.Mapping[str, t.Any]


def redact(value: t.Any, depth: int = 0) -> t.Any:
    """Returns a copy of an answer without secrets, and with values that every JSON encoder can write.

    :param depth: nesting level of ``value``.
    :raises CloudError: ``protocol``, when the answer is nested too deeply.
    """
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, str):
        return value if value.isascii() else re.sub(LONE_SURROGATE, "\ufffd", value)
    if depth > MAX_DEPTH:
        raise CloudError("protocol", f"the answer is nested deeper than {MAX_DEPTH} levels", retryable=False)
    if isinstance(value, dict):
        clean = {}
        for key, member in value.items():
            name, is_secret = _clean_name(key)
            clean[name] = HIDDEN if member and is_secret else redact(member, depth + 1)
        return clean
    if isinstance(value, list):
        return [redact(member, depth + 1) for member in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no infinity and NaN, though Python reads and writes them
    return value


@functools.lru_cache(maxsize=1024)
def _clean_name(key: t.Any) -> tuple[str, bool]:
    """Returns the name of a member, for every JSON encoder, and whether the member is a secret. Answers repeat names."""
    return str(redact(key)), _is_secret(str(key))


def secrets_of(value: t.Any) -> list[str]:
    """Returns the secrets in options that the user gave, at any depth.

    They are every text below a member with the name of a secret, and the query of the URL of an input, which may be a
    signature.
    """
    if isinstance(value, dict):
        return [text for name, member in value.items() for text in _secrets_below(str(name), member)]
    return [text for member in value for text in secrets_of(member)] if isinstance(value, list) else []


def _secrets_below(name: str, member: t.Any) -> list[str]:
    if _is_secret(name):
        return _leaves(member)
    if name.lower() in INPUT_URLS and isinstance(member, str):
        return list(filter(None, [member.partition("?")[2]]))
    return secrets_of(member)


def _leaves(value: t.Any) -> list[str]:
    if isinstance(value, (dict, list)):
        members = value.values() if isinstance(value, dict) else value
        return [text for member in members for text in _leaves(member)]
    return [str(value)] if value else []


@functools.lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    name = name.lower()
    return name in SECRET_WHOLE_NAMES or any(word in name for word in SECRET_NAMES)


def censored(value: Values, secrets: t.Collection[str]) -> dict[str, t.Any]:
    """Returns a copy of a record, change or error without secrets in the vendor's texts.

    Members in ``NEVER_CENSORED`` stay unchanged, since censoring a short password could make an id unusable.
    """
    clean = remove_values({name: member for name, member in value.items() if name not in NEVER_CENSORED}, secrets)
    return {name: clean.get(name, member) for name, member in value.items()}


def censored_texts(texts: t.Iterable[str], secrets: t.Collection[str]) -> list[str]:
    """Returns texts, such as warnings, without secrets."""
    return t.cast("list[str]", remove_values(list(texts), secrets))


def censored_result(result: Values, secrets: t.Collection[str]) -> dict[str, t.Any]:
    """Returns the result of a module without secrets. The records in it are censored separately."""
    told = dict(result)
    if result.get("task"):
        told["task"] = censored(result["task"], secrets)
    if "tasks" in result:
        told["tasks"] = [censored(record, secrets) for record in result["tasks"]]
    return censored(told, secrets)


def hide_in(error: CloudError, secrets: t.Iterable[str]) -> None:
    """Remove secrets from all texts of an error, since a vendor may echo what it received."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):  # longest first: one may be part of another
        for name in ("said", "code", "message", "request_id"):
            text = getattr(error, name)
            if text:
                setattr(error, name, _without(text, secret))


def _without(text: str, secret: str) -> str:
    """Returns a text without a secret, and without the beginning of one at which the text was shortened."""
    text = text.replace(secret, HIDDEN)
    for length in range(len(secret) - 1, SHORTEST_BEGINNING - 1, -1):
        text = text.replace(secret[:length] + CUT, HIDDEN + CUT)
    return text


def passwords_of(environ: t.Mapping[str, str], *urls: str | None) -> list[str]:
    """Returns the passwords in URLs, and in the URLs of proxies in the environment.

    User names beside a password are not returned, since they may be common words. A user name without a password is
    returned, since it may be a token.
    """
    proxies = [value for name, value in environ.items() if name.lower().endswith("_proxy")]
    found = []
    for url in (*urls, *proxies):
        userinfo, at, dummy = (url or "").partition("//")[2].rpartition("@")
        if at:
            found.append(userinfo.partition(":")[2] or userinfo)
    return [password for password in found if password]


__all__ = [
    "HIDDEN",
    "MAX_DEPTH",
    "censored",
    "censored_result",
    "censored_texts",
    "hide_in",
    "passwords_of",
    "redact",
    "secrets_of",
]
