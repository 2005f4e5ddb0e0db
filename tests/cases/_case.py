# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a case says of a service."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

TASK_ID = "t1"
"""The id of the cloud task in every sample answer."""

ABSENT: t.Any = object()
"""In place of a member's value: the member is not there."""

ODD = {
    "absent": ABSENT,
    "null": None,
    "empty": "",
    "blank": " ",
    "object": {"a": "x"},
    "list": ["x", "x"],
}
"""What may stand in place of a status and is none."""

RECORD = (
    *("provider", "task_id", "status", "native_status", "done", "progress", "counts", "error", "parts", "outputs"),
    *("created_at", "started_at", "finished_at", "request_id", "ref"),
)
"""The keys of a record, in the order of the design."""

STATUSES = ("pending", "running", "succeeded", "partial", "failed", "canceled", "unknown")
TERMINAL = ("succeeded", "partial", "failed", "canceled")

Values = t.Mapping[str, t.Any]


class Reply(t.NamedTuple):
    """An answer of the vendor."""

    body: bytes
    status: int = 200
    headers: t.Mapping[str, str] = {}


class Sample(t.NamedTuple):
    """An answer of the vendor, and members of the record that it must become."""

    reply: Reply
    record: Values


@dataclass(frozen=True)
class Credentials:
    """How a caller proves who it is.

    :param options: a set of options that the stand-in cloud takes.
    :param wrong: a set that it refuses.
    :param variables: the environment variable of each option.
    :param secrets: the options whose values are secret.
    :param header: the header that carries the proof.
    """

    options: t.Mapping[str, str]
    wrong: t.Mapping[str, str]
    variables: t.Mapping[str, str]
    secrets: tuple[str, ...]
    header: str

    @property
    def environment(self) -> dict[str, str]:
        """The variables with the set that is taken."""
        return {self.variables[name]: value for name, value in self.options.items()}


class Examples(t.NamedTuple):
    """What the examples of the info module of a service's name need to run as they stand.

    :param variables: those that they leave to the user.
    :param tasks: the cloud tasks that they poll, with the status of each.
    :param prints: what they must print.
    """

    variables: Values
    tasks: t.Mapping[str, str]
    prints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Start:
    """How a cloud task is started.

    :param module: the module that starts one.
    :param service: the name of the class in the service's file.
    :param options: what the module needs, of a cloud task that the stand-in cloud knows by this name.
    :param actions: what the stand-in cloud calls a start.
    :param started: an answer to a start, with the id ``TASK_ID``.
    :param without_id: an answer to a start that lacks the id.
    :param doubt: what to do when nobody knows whether something was started.
    :param credentials: options with credentials, where a start takes others than a poll.
    :param is_found_again: whether the vendor offers a way to find a cloud task whose id was lost.
    """

    module: str
    service: str
    options: t.Callable[[str], dict[str, t.Any]]
    actions: tuple[str, ...]
    started: Reply
    without_id: Reply
    doubt: str
    credentials: t.Mapping[str, str] | None = None
    is_found_again: bool = False


@dataclass(frozen=True)
class Case:
    """What is known of a service from its vendor and the stand-in cloud.

    :param title: what messages call it.
    :param host: the vendor's host for a poll with ``needs``.
    :param source: where the vendor lists the statuses.
    :param statuses: our status of each that the vendor lists.
    :param answer: returns an answer with this status, written as in ``native_status``, and other members that decide
        nothing.
    :param refuse: returns an answer with this error code and message.
    :param errors: the kinds of some error codes; the first of a kind is the one that tests take.
    :param samples: answers that are more than a status.
    :param plays: the native status that the stand-in cloud answers for each status that it can play.
    :param credentials: how a caller proves who it is.
    :param needs: the options of a poll besides ``provider`` and ``task_id``.
    :param module: the info module that has the service's name, where there is one.
    :param examples: what that module's examples need.
    :param before: answers to requests that must come before the first poll, such as one for a token.
    :param repaired: a fault of the stand-in cloud that is repaired within a poll.
    :param start: how a cloud task is started, where a module can do that.
    :param word: the value of ``provider``; the file's name.
    """

    title: str
    host: str
    source: str
    statuses: t.Mapping[str, str]
    answer: t.Callable[..., Reply]
    refuse: t.Callable[[str, str], Reply]
    errors: t.Mapping[str, str]
    samples: t.Mapping[str, Sample]
    plays: t.Mapping[str, str]
    credentials: Credentials
    needs: Values = field(default_factory=dict)
    module: str | None = None
    examples: Examples | None = None
    before: tuple[Reply, ...] = ()
    repaired: str = "clock_error"
    start: Start | None = None
    word: str = ""

    def code(self, kind: str) -> str:
        """Returns the first error code of a kind."""
        return next(code for code, own in self.errors.items() if own == kind)

    def refusal(self, kind: str) -> Reply:
        """Returns an answer with an error of this kind."""
        return self.refuse(self.code(kind), "no")


def codes(**kinds: str) -> dict[str, str]:
    """Returns the kind of each error code, from the codes of each kind."""
    return {code: kind for kind, several in kinds.items() for code in several.split()}


def number(value: t.Any) -> t.Any:
    """Returns a status as JSON has it: a number, where it is one."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d+", value) else value


def without_absent(members: Values) -> dict[str, t.Any]:
    """Returns the members that are there."""
    return {name: value for name, value in members.items() if value is not ABSENT}
