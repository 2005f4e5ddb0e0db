# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Helpers to read a vendor's answer: rules for error codes, and conversion of values to the types of a record."""

from __future__ import annotations

import functools
import json
import re
import typing as t
from datetime import datetime, timedelta, timezone

from .._errors import CloudError, flat, one_line, quoted
from .._transport import Answer

TIME = r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))"
LONGEST_TIME = 60
LONGEST_ID = 300
LARGEST_WHOLE = 1e18
"""Floats of this size and above are not read as whole numbers, since their last digits are not exact."""


class Rule(t.NamedTuple):
    """What an error code means.

    :param kind: the kind of :class:`CloudError`, such as ``not_found``.
    :param advice: what to do about it; null for the advice of the kind.
    :param retryable: whether a later poll may succeed; null for what holds for the kind.
    :param by_message: rules by message, for codes where only the vendor's message tells the cause. Each key is a
        regular expression that is searched in the message, regardless of case. The first match replaces this rule.
    """

    kind: str
    advice: str | None = None
    retryable: bool | None = None
    by_message: t.Mapping[str, Rule] = {}

    def for_message(self, message: str) -> Rule:
        """Returns the rule for a message of the vendor: the first match in ``by_message``, else this rule."""
        rules = (rule for pattern, rule in self.by_message.items() if re.search(pattern, message, re.IGNORECASE))
        return next(rules, self)


Rules = t.Mapping[str, Rule]
"""Rules by error code. A key that ends in ``*`` matches all codes with that prefix; the longest match wins."""


def decode_json(answer: Answer) -> dict[str, t.Any]:
    """Returns the body as a JSON object.

    :raises CloudError: when it is none: of the kind that the HTTP status tells, else ``protocol``.
    """
    try:
        data = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise unreadable(answer, "a JSON object")
    return data


def unreadable(answer: Answer, wanted: str) -> CloudError:
    """Returns the error for a body that does not have the form that the vendor documents.

    Its kind is the one that the HTTP status tells, else ``protocol``.

    :param wanted: what was expected, such as "a JSON object".
    """
    error = http_error(answer)
    if error.kind == "protocol":
        what = "an empty body" if not answer.body.strip() else "something else"
        error.said = f"{answer.host} answered with HTTP {answer.status} and {what} where {wanted} was expected"
    return error


def lacks_member(answer: Answer, name: str, request_id: str | None = None) -> CloudError:
    """Returns the error for an answer that lacks a member without which the status is not known."""
    return CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and without {name}, which tells the status",
        http_status=answer.status,
        request_id=request_id,
    )


def odd_member(answer: Answer, name: str, value: t.Any, request_id: str | None = None) -> CloudError:
    """Returns the error for an answer with an unreadable value in a member that is needed for the status."""
    shown = {dict: "an object", list: "a list", type(None): "empty"}.get(type(value)) or quoted(value, 40)
    return CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and {name} is {shown}, which cannot be read",
        http_status=answer.status,
        request_id=request_id,
    )


def http_error(answer: Answer) -> CloudError:
    """Returns the error for an HTTP status, where the body has no details; ``protocol`` for a status without error."""
    kind = "protocol"
    if answer.status == 429:
        kind = "throttled"
    elif answer.status >= 500 or answer.status == 408:
        kind = "server"
    return CloudError(
        kind,
        f"{answer.host} answered with HTTP {answer.status}",
        http_status=answer.status,
        retry_after=answer.retry_after(),
    )


def vendor_error(
    answer: Answer, rules: Rules, *, code: str, message: str, request_id: str | None, said_more: str = ""
) -> CloudError:
    """Returns the error for an error code of the vendor.

    :param message: the vendor's message, which may be empty.
    :param said_more: text to add to our message, such as a permission that is missing.
    """
    rule = (find_rule(rules, code) or _rule_of_status(answer.status)).for_message(message)
    code, message = one_line(code, 100), one_line(message)
    words = f"{code}: {message}" if message else code
    return CloudError(
        rule.kind,
        f'the vendor said "{words}"{said_more}',
        code=code,
        message=message,
        http_status=answer.status,
        request_id=one_line(request_id or "", 100) or None,
        retryable=rule.retryable,
        advice=rule.advice,
        retry_after=answer.retry_after(),
        server_time=answer.date() if rule.kind == "clock" else None,
    )


def find_rule(rules: Rules, code: str) -> Rule | None:
    """Returns the rule for an error code: the exact match, else the longest matching prefix; null if there is none."""
    if code in rules:
        return rules[code]
    begins = [name for name in rules if name.endswith("*") and code.startswith(name[:-1])]
    return rules[max(begins, key=len)] if begins else None


def _rule_of_status(status: int) -> Rule:
    """Returns the rule for an error code that is in no table, by the HTTP status.

    Where the status does not tell either, the error is retryable: only errors known to be final end a wait at once.
    """
    kinds = {400: "invalid", 401: "auth", 403: "permission", 404: "not_found", 429: "throttled"}
    return Rule(kinds.get(status, "server"))


def iso_time(text: t.Any) -> str | None:
    """Returns a time in UTC, as ``2026-01-02T03:04:05Z``; null for a value that is no time.

    Vendors write "not yet" in several ways, such as ``-``, zeros or nothing.
    """
    return _iso_time(text) if isinstance(text, str) and len(text) <= LONGEST_TIME else None


@functools.lru_cache(maxsize=1024)  # each poll repeats some times
def _iso_time(text: str) -> str | None:
    match = re.fullmatch(TIME, text.strip())
    if not match:
        return None
    numbers = [int(part) for part in match.groups()[:6]]
    sign, hours, minutes = match.groups()[6:]
    try:
        moment = datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[arg-type, misc] # six numbers, year to second
        if sign:
            moment -= timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1000 else None


def whole_number(value: t.Any) -> int | None:
    """Returns a whole number, which may have come as text or with a fraction of zeros; null for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < LARGEST_WHOLE else None
    match = re.fullmatch(r"([+-]?\d{1,18})(?:\.0+)?", value.strip(), re.ASCII) if isinstance(value, str) else None
    return int(match[1]) if match else None


def percent(value: t.Any) -> int | None:
    """Returns a whole number from 0 to 100; null for anything else."""
    number = whole_number(value)
    return number if number is not None and 0 <= number <= 100 else None


def without_nulls(value: t.Any) -> t.Any:
    """Returns a dict without the members that are null, at any depth; any other value unchanged."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return value


def as_list(value: t.Any) -> list[t.Any]:
    """Returns a list unchanged, an empty list for null, and a list of one for any other value."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_dict(value: t.Any) -> dict[str, t.Any]:
    """Returns a dict unchanged, and an empty dict for any other value."""
    return value if isinstance(value, dict) else {}


def stripped(value: t.Any) -> t.Any:
    """Returns a text, or a dict of texts, without surrounding whitespace; any other value unchanged."""
    if isinstance(value, dict):
        return {name: stripped(member) for name, member in value.items()}
    return value.strip() if isinstance(value, str) else value


def text_or_none(value: t.Any) -> str | None:
    """Returns a value as text without surrounding whitespace; null for null, empty text, dicts and lists."""
    if value is None or isinstance(value, (dict, list)):
        return None
    return str(value).strip() or None


def named_id(value: t.Any) -> str | None:
    """Returns the id or name in a callback, which may be forged; null for anything that can be neither."""
    text = value.strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= LONGEST_ID and text.isprintable() and text not in (".", "..") else None


def native_word(value: t.Any) -> str | None:
    """Returns a native status as one line of text; null for null, empty text, dicts and lists.

    A number with a fraction of zeros becomes text without the fraction.
    """
    number = whole_number(value) if isinstance(value, float) else None
    text = text_or_none(value if number is None else number)
    return (flat(text) or None) if text else None


def native_status(answer: Answer, response: t.Mapping[str, t.Any], name: str, request_id: str | None) -> str:
    """Returns the native status in a response, as text.

    :param name: the vendor's name of the member.
    :raises CloudError: ``protocol``, when the member is missing, empty, an object or a list.
    """
    if isinstance(response.get(name), (dict, list)):
        raise odd_member(answer, name, response[name], request_id)
    native = native_word(response.get(name))
    if native is None:
        raise lacks_member(answer, name, request_id)
    return native


def counts_of(answer: t.Mapping[str, t.Any], **names: str) -> dict[str, int | None] | None:
    """Returns the ``counts`` of a record; null when the answer has none of them.

    :param names: the vendor's name of each count, by our name.
    """
    counts = {ours: whole_number(answer.get(theirs)) for ours, theirs in names.items()}
    return counts if any(value is not None for value in counts.values()) else None


def task_error(code: t.Any, message: t.Any, reason: str = "unknown") -> dict[str, t.Any]:
    """Returns the ``error`` of a record. The vendor's texts become one line, so that they cannot imitate log lines."""
    texts = {"code": text_or_none(code), "message": text_or_none(message)}
    return {**{name: (flat(text) or None) if text else None for name, text in texts.items()}, "reason": reason}


__all__ = [
    "Rule",
    "Rules",
    "as_dict",
    "as_list",
    "counts_of",
    "decode_json",
    "http_error",
    "iso_time",
    "lacks_member",
    "named_id",
    "native_status",
    "native_word",
    "odd_member",
    "percent",
    "stripped",
    "task_error",
    "text_or_none",
    "unreadable",
    "vendor_error",
    "whole_number",
    "without_nulls",
]
