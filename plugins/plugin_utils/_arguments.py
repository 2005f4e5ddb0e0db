# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Reads and checks the arguments of ``wait_for_task``, as far as the action plugin uses them."""

from __future__ import annotations

import re
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.cloudwait.conversion.plugins.module_utils._duration import seconds_of
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError, one_line, shown
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import options as wait_options
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import SEVERAL

LONGEST_SENTENCE = 2000

USUAL_REQUEST_TIMEOUT = 10.0
"""Seconds that are used where the user gives no ``request_timeout``; the default of the module."""

BACKGROUND_MARGIN = 10.0
"""Seconds of the keyword ``async`` that are kept free for the start of the module, the last polls and the result."""

BACKGROUND_ABORTS = 90.0
"""Seconds of it that are kept free for aborts: new ones are begun for ``ABORT_LIMIT``, and the last one has to end."""

TYPES = {"int": "whole number", "float": "number", "bool": "boolean (true or false)", "dict": "dict", "list": "list"}

Arguments = dict[str, t.Any]


class Refused(Exception):
    """Raised to end the wait before or between rounds.

    :param error: the reason.
    :param msg: the message of the module; by default made from ``error``.
    :param result: members of the result that are known despite the error.
    """

    def __init__(self, error: CloudError, msg: str | None = None, result: Arguments | None = None) -> None:
        self.msg = f"{one_line(msg or error.sentence(verdict.TRIED), LONGEST_SENTENCE)}."
        super().__init__(self.msg)
        self.error = error
        self.result = result or {}


def read_arguments(args: t.Mapping[str, t.Any]) -> Arguments:
    """Returns the arguments of the Ansible task in the form in which the module gets them.

    Before ansible-core 2.19, values encrypted with Ansible Vault are special objects, which become texts here. A single
    result in ``tasks`` becomes a list of one. An option that is null has its default, as if it were not given.
    """
    given = {name: value for name, value in args.items() if name != "_round" and value is not None}
    plain: Arguments = {name: _plain(value) for name, value in given.items()}
    if isinstance(plain.get("tasks"), dict):
        plain["tasks"] = [plain["tasks"]]
    return plain


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: _plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(member) for member in value]
    return value if value is None or isinstance(value, (str, int, float)) else str(value)


def check_arguments(args: Arguments, *, is_async: bool) -> Arguments:
    """Returns the options that the action plugin uses, checked and converted. The module checks all options.

    :param is_async: whether the module will run alone, in the background.
    :raises Refused: when an option has an invalid value, or cannot be used with ``async``.
    """
    spec = wait_options.SPEC
    own = {name: value for name, value in args.items() if name in spec}
    checked = ArgumentSpecValidator(spec).validate(own)
    if checked.error_messages:
        said = plain_refusal(checked.error_messages[0], own).partition("; ")[0]
        raise Refused(CloudError("config", said.rstrip("."), advice="correct the option"))
    try:
        options = wait_options.check_policy(checked.validated_parameters)
    except CloudError as error:
        raise Refused(error) from None
    if own.get("until") is not None and options["condition"] is not None:
        raise Refused(CloudError("config", "both until and condition are given", advice="give one of them"))
    given = [name for name in wait_options.ON_CONTROLLER if options[name] is not None]
    if given and is_async:
        said = f"{' and '.join(given)} cannot be used with async, where nobody on the controller sees to it"
        raise Refused(CloudError("config", said, advice="leave it out, or leave async out"))
    return options


def keyword_warnings(task: t.Any) -> list[str]:
    """Returns warnings about keywords of the Ansible task that have another effect than users may expect.

    :param task: the Ansible task, as Ansible's object.
    """
    keyword = "until" if task.until else "retries" if task.retries else None
    return (
        [f"The task keyword {keyword} repeats the whole wait; leave it out, wait_for_task waits by itself."]
        if keyword
        else []
    )


def longest_in_background(period: float, *, aborts: bool) -> float:
    """Returns the longest time limit, in seconds, of a wait with ``async`` that still returns its result.

    :param period: the keyword ``async``: after so many seconds, Ansible kills the module, and its result is lost.
    :param aborts: whether the wait aborts at its end what has not ended.
    """
    return period - min(BACKGROUND_MARGIN + (BACKGROUND_ABORTS if aborts else 0.0), period / 3)


def module_arguments(args: Arguments, changes: Arguments) -> Arguments:
    """Returns the arguments for a run of the module.

    :param args: arguments of the user, from which those that only the action plugin uses are left out.
    :param changes: arguments that replace them; null removes one.
    """
    merged = {name: value for name, value in args.items() if name not in wait_options.ON_CONTROLLER}
    return {name: value for name, value in {**merged, **changes}.items() if value is not None}


def seconds_of_polls(args: Arguments) -> float:
    """Returns the seconds in which every cloud task can be polled once, estimated with a call a second or the user's rates.

    The controller does not know the rates of the services, all of which are higher.
    """
    given = args.get("rate_limit")
    rates = [seconds_of(rate) for rate in given.values()] if isinstance(given, dict) else []
    return _count(args.get("tasks")) / min([1.0, *(rate for rate in rates if rate)])


def _count(items: t.Any) -> int:
    """How many cloud tasks items stand for: a result may hold several."""
    if isinstance(items, list):
        return sum(map(_count, items))
    lists = [items[name] for name in SEVERAL if isinstance(items.get(name), list)] if isinstance(items, dict) else []
    return max(1, *map(_count, lists)) if lists else 1


def request_timeout_of(args: Arguments) -> float:
    """Returns ``request_timeout`` in seconds; the default if it is invalid, since the module will refuse it."""
    seconds = seconds_of(args.get("request_timeout"))
    return USUAL_REQUEST_TIMEOUT if seconds is None else seconds


def plain_refusal(msg: str, given: t.Mapping[str, t.Any]) -> str:
    """Returns a message of Ansible; if it is about an option of the wrong type, without names of Python classes.

    :param given: the arguments of the user.
    """
    match = re.match(r"argument '(\w+)' is of type .*unable to convert to (\w+)", msg)
    if match is None or match[1] not in given:
        return msg
    name, kind = match.groups()
    return f"{name} is {shown(given[name])}, which is not a {TYPES.get(kind, kind)}; correct {name}."


__all__ = [
    "Arguments",
    "Refused",
    "check_arguments",
    "keyword_warnings",
    "longest_in_background",
    "module_arguments",
    "plain_refusal",
    "read_arguments",
    "request_timeout_of",
    "seconds_of_polls",
]
