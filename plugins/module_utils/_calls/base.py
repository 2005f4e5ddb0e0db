# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: what a service can do besides being looked at.
"""What starts and lists share, whatever the service.

Each file beside this one adds to the provider of the same name what else its service can be asked: to start a cloud
task, to list some, to abort one. Only modules that do such things load them.
"""

from __future__ import annotations

import abc
import typing as t

from .._errors import CloudError, quoted
from .._providers.base import MakeRequest, Options, Provider, Read, Ref, iso_time
from .._status import PENDING, Record, make_record
from .._sweep import PAGE, Page
from .._transport import Answer

UNCERTAIN = ("network", "protocol", "server")
"""The kinds of errors after which the vendor may have done what it was asked."""

Call = t.Callable[[t.Callable[[], Page]], Page]
"""Asks for a page, with patience."""


class Deed(t.NamedTuple):
    """A call that changes something, after all checks that need no network.

    :param make_request: sends first what must be there before, such as a file.
    :param read: the record, empty where the call gives none, and the response of an answer.
    :param doubt: what to do when it may have happened, as the end of a sentence.
    :param repeatable: whether the vendor makes sure that it happens once only.
    :param certain: error codes that say by themselves that it has happened.
    """

    make_request: MakeRequest
    read: Read
    doubt: str
    repeatable: bool = False
    certain: tuple[str, ...] = ()


class Starter(Provider):
    """A provider whose service can start cloud tasks."""

    check_mode = False
    """Whether nothing will be sent, so that what an earlier Ansible task would have made need not be there."""

    @abc.abstractmethod
    def prepare(self, ref: Ref, options: Options, environ: t.Mapping[str, str]) -> Deed:
        """A start, with all that can be checked before it costs money.

        :param ref: where the cloud task will be, without an id.
        :raises CloudError: ``config``, with the vendor's rule.
        """


class Listed(t.NamedTuple):
    """A cloud task of a list.

    :param record: null where the list does not tell enough.
    :param entry: what the vendor's list says of it.
    """

    ref: dict[str, t.Any]
    record: Record | None
    entry: dict[str, t.Any]


class Lister(Provider):
    """A provider whose service lists its cloud tasks."""

    @abc.abstractmethod
    def list_tasks(self, ref: Ref, options: Options, call: Call) -> t.Iterator[Listed]:
        """All that fit, page by page, as they are wanted.

        :param ref: where they are, without an id.
        """


def read_pages(fetch: t.Callable[[str | None, int], Page], limit: int | None) -> t.Iterator[dict[str, t.Any]]:
    """The entries of a list, page by page as they are wanted.

    :param fetch: a page by its token and its size.
    :param limit: how many entries are wanted; one more is asked for, which tells whether there are more.
    """
    size = PAGE if limit is None else min(PAGE, limit + 1)
    token: str | None = None
    seen: set[str | None] = set()
    while token not in seen:  # a vendor that goes in circles would have no end
        seen.add(token)
        page = fetch(token, size)
        yield from page.entries.values()
        token = page.token
        if not page.entries or not token:
            return


def is_uncertain(error: CloudError) -> bool:
    """Whether the vendor may have done what it was asked."""
    return error.sent and error.kind in UNCERTAIN


def new_id(answer_id: t.Any, host: str) -> str:
    """The id of a cloud task that was just started.

    :raises CloudError: ``protocol``, when there is none.
    """
    if isinstance(answer_id, int) and not isinstance(answer_id, bool):
        return str(answer_id)
    if not isinstance(answer_id, str) or not answer_id.strip():
        raise CloudError("protocol", f"{host} answered without the id of the new cloud task")
    return answer_id.strip()


def pending_record(ref: Ref, answer_id: t.Any, answer: Answer, request_id: str | None) -> Record:
    """A cloud task of which a start told the id and no more."""
    return make_record({**ref, "task_id": new_id(answer_id, answer.host)}, PENDING, None, request_id=request_id)


def utc(options: Options, name: str) -> str | None:
    """An option that is a time, in UTC as ``2026-01-02T03:04:05Z``.

    :raises CloudError: ``config``, when it is no time.
    """
    if options[name] is None:
        return None
    moment = iso_time(options[name])
    if moment is None:
        said = f"{name} is {quoted(options[name])}, which is no time"
        raise CloudError("config", said, advice="write it as 2026-01-02T03:04:05Z or 2026-01-02T03:04:05+08:00")
    return moment


def check_range(options: Options, name: str, least: int, most: int, unit: str = "") -> None:
    """A number in the range that the vendor documents; the start call itself does not check.

    :raises CloudError: ``config``.
    """
    value = options[name]
    if value is not None and not least <= value <= most:
        advice = f"give a number from {least} to {most}{unit}"
        raise CloudError("config", f"{name} is {value}, which the vendor does not take", advice=advice)


def check_length(name: str, value: str | None, most: int) -> None:
    """A text no longer than the vendor takes.

    :raises CloudError: ``config``.
    """
    length = len(value or "")
    if length > most:
        advice = f"give at most {most}, which is what the vendor takes"
        raise CloudError("config", f"{name} is {quoted(value, 40)}, which has {length} characters", advice=advice)


__all__ = [
    "Call",
    "Deed",
    "Listed",
    "Lister",
    "Page",
    "Starter",
    "check_length",
    "check_range",
    "is_uncertain",
    "new_id",
    "pending_record",
    "read_pages",
    "utc",
]
