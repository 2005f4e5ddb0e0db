# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tools to read a vendor's answer: what an error code means, and values of any type made into those of a record."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timedelta, timezone

from .._errors import CloudError, flat, one_line, quoted
from .._transport import Answer

TIME = r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))"
LARGEST_WHOLE = 1e18
"""Floats above it are not read as whole numbers: their last digits are not what the vendor sent."""


class Rule(t.NamedTuple):
    """What an error code means.

    :param advice: where it is not what the kind says.
    :param retryable: where it is not what the kind says.
    :param by_message: the rules for messages of this code, where the vendor puts the cause there: each key is a pattern
        that is searched in the message, upper and lower case being the same. The first that is found takes this rule's
        place.
    """

    kind: str
    advice: str | None = None
    retryable: bool | None = None
    by_message: t.Mapping[str, Rule] = {}

    def for_message(self, message: str) -> Rule:
        """Returns the rule for a message of the vendor: one of ``by_message``, else this one."""
        rules = (rule for pattern, rule in self.by_message.items() if re.search(pattern, message, re.IGNORECASE))
        return next(rules, self)


Rules = t.Mapping[str, Rule]
"""Error codes to rules. A key that ends in ``*`` stands for all codes that begin so; the longest match wins."""


def decode_json(answer: Answer) -> dict[str, t.Any]:
    """The body as a JSON object.

    :raises CloudError: by the HTTP status when that is an error, else ``protocol``.
    """
    try:
        data = json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise unreadable(answer, "a JSON object")
    return data


def unreadable(answer: Answer, wanted: str) -> CloudError:
    """The error for a body that is not of the vendor's form: what the HTTP status says, else ``protocol``."""
    error = http_error(answer)
    if error.kind == "protocol":
        what = "an empty body" if not answer.body.strip() else "something else"
        error.said = f"{answer.host} answered with HTTP {answer.status} and {what} where {wanted} was expected"
    return error


def lacks_member(answer: Answer, name: str, request_id: str | None = None) -> CloudError:
    """The error for an answer in which a member is missing without which nothing can be said of the cloud task."""
    return CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and without {name}, which tells the status",
        http_status=answer.status,
        request_id=request_id,
    )


def odd_member(answer: Answer, name: str, value: t.Any, request_id: str | None = None) -> CloudError:
    """The error for an answer in which a member that decides about the status is there and cannot be read."""
    shown = {dict: "an object", list: "a list", type(None): "empty"}.get(type(value)) or quoted(value, 40)
    return CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and {name} is {shown}, which cannot be read",
        http_status=answer.status,
        request_id=request_id,
    )


def http_error(answer: Answer) -> CloudError:
    """The error that an HTTP status alone tells of."""
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
    """The error for an error code of the vendor."""
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
    """The rule for a code: its own, else that of the longest beginning."""
    if code in rules:
        return rules[code]
    begins = [name for name in rules if name.endswith("*") and code.startswith(name[:-1])]
    return rules[max(begins, key=len)] if begins else None


def _rule_of_status(status: int) -> Rule:
    """For a code that no table knows. Unsure means retryable: only what is known to be final ends a wait at once."""
    kinds = {400: "invalid", 401: "auth", 403: "permission", 404: "not_found", 429: "throttled"}
    return Rule(kinds.get(status, "server"))


def iso_time(text: t.Any) -> str | None:
    """A vendor's time in UTC; null for the ways in which vendors say "not yet" (``-``, zeros, nothing)."""
    match = re.fullmatch(TIME, text.strip()) if isinstance(text, str) else None
    if not match:
        return None
    numbers = [int(part) for part in match.groups()[:6]]
    sign, hours, minutes = match.groups()[6:]
    try:
        moment = datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[arg-type, misc] # just the first six
        if sign:
            moment -= timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == "+" else -1)
    except (ValueError, OverflowError):
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment.year >= 1000 else None


def whole_number(value: t.Any) -> int | None:
    """A whole number that may have come as text, and with a fraction of zeros."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < LARGEST_WHOLE else None
    match = re.fullmatch(r"([+-]?\d{1,18})(?:\.0+)?", value.strip(), re.ASCII) if isinstance(value, str) else None
    return int(match[1]) if match else None


def percent(value: t.Any) -> int | None:
    """A progress number, when it is one."""
    number = whole_number(value)
    return number if number is not None and 0 <= number <= 100 else None


def without_nulls(value: t.Any) -> t.Any:
    """A dict of options without the members that were not given."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return value


def as_list(value: t.Any) -> list[t.Any]:
    """A list whatever the vendor made of it: null and absent are empty, a single thing is one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_dict(value: t.Any) -> dict[str, t.Any]:
    """A dict whatever stands there."""
    return value if isinstance(value, dict) else {}


def stripped(value: t.Any) -> t.Any:
    """A text, or the texts in a dict, without the blanks around them."""
    if isinstance(value, dict):
        return {name: stripped(member) for name, member in value.items()}
    return value.strip() if isinstance(value, str) else value


def text_or_none(value: t.Any) -> str | None:
    """Text, where there is some."""
    if value is None or isinstance(value, (dict, list)):
        return None
    return str(value).strip() or None


def native_word(value: t.Any) -> str | None:
    """A status in the vendor's own words, as one line; null where there is none, or something that is no word.

    A number with a fraction of zeros is written without it.
    """
    number = whole_number(value) if isinstance(value, float) else None
    text = text_or_none(value if number is None else number)
    return (flat(text) or None) if text else None


def counts_of(answer: t.Mapping[str, t.Any], **names: str) -> dict[str, int | None] | None:
    """The ``counts`` of a record, by the vendor's names of them; null when the answer has none."""
    counts = {ours: whole_number(answer.get(theirs)) for ours, theirs in names.items()}
    return counts if any(value is not None for value in counts.values()) else None


def task_error(code: t.Any, message: t.Any, reason: str = "unknown") -> dict[str, t.Any]:
    """The ``error`` of a record. The vendor's words are one line, so that they cannot pretend to be lines of a log."""
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
