# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""What a service may offer besides polls: to start, abort and list cloud tasks."""

from __future__ import annotations

import abc
import functools
import re
import typing as t

from .._errors import KINDS, CloudError, quoted
from .._record import PENDING, Record, make_record
from .._transport import Answer
from .answers import iso_time
from .base import PAGE_SIZE, Environ, Listed, Lists, MakeRequest, Options, Page, Poll, Read, Ref, Service, T


class Retry(t.Protocol):
    """Calls a function that only reads, and calls it again after errors that may pass."""

    def __call__(self, call: t.Callable[[], T], /) -> T:
        """Returns what the function returned."""


class Taken(CloudError):
    """The mark of a start is that of a cloud task of another request, so that the vendor refuses the start.

    :param said: as in ``CloudError``.
    :param advice: as in ``CloudError``.
    """

    def __init__(self, said: str, *, advice: str) -> None:
        super().__init__("invalid", said, advice=advice)


class Find(t.Protocol):
    """Searches the vendor's lists for cloud tasks that a start may have made whose answer is lost."""

    def __call__(self, since: str, known: t.Container[str], retry: Retry) -> t.Iterator[Poll]:
        """Yields the cloud tasks of the same request that were made since a time, except those that are known.

        :raises Taken: when the mark of the start is that of a cloud task of another request.
        """


DAY = 24 * 3600.0


def nothing_asked() -> dict[str, t.Any]:
    """Returns no request, for calls that start nothing."""
    return {}


class PreparedCall(t.NamedTuple):
    """A call that changes something in the cloud, after all checks that need no network.

    :param make_request: returns the request. Before that, it sends what the call needs, such as a file.
    :param read: returns record and response of an answer. The record is empty where the call gives none.
    :param doubt: what to do when it is uncertain whether the call was carried out, as the end of a sentence.
    :param repeatable: whether the vendor carries out repeated calls only once.
    :param certain: error codes which prove that the call was carried out.
    :param asked: returns what is asked for, without credentials and passwords. Equal requests have equal contents.
    :param remembers: for how long, in seconds, the vendor refuses a repeated call, where ``repeatable``.
    :param find: searches for what the call has made; null where the vendor offers no way.
    :param lists: for how long, in seconds, that search shows everything.
    """

    make_request: MakeRequest
    read: Read
    doubt: str
    repeatable: bool = False
    certain: tuple[str, ...] = ()
    asked: t.Callable[[], Options] = nothing_asked
    remembers: float = 0.0
    find: Find | None = None
    lists: float = 0.0


class Starter(Service):
    """A service that can start cloud tasks."""

    check_mode = False
    """Whether nothing will be sent. A file that an earlier Ansible task would have made need not exist then."""

    @abc.abstractmethod
    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """Returns the call that starts a cloud task, after all checks that are possible before it costs money.

        :param ref: where the cloud task will be; without a task id.
        :raises CloudError: ``config``, when the options break a rule of the vendor.
        """

    def marked(self, options: Options, mark: str, attempt: int) -> Options:
        """Returns the options with a mark that the vendor stores with the cloud task, where it offers that.

        :param mark: a text of at most 50 characters, of which each start has another.
        :param attempt: 1 for the first start under a key, 2 for the one that takes its place, and so on.
        """
        return options

    def poller(self, options: Options, environ: Environ) -> Service:
        """Returns the service that polls the cloud tasks that this one starts.

        :raises CloudError: ``config``, when polls need other credentials, and there are none.
        """
        return self


class Aborter(Service):
    """A service that can abort cloud tasks."""

    @abc.abstractmethod
    def prepare_abort(self, ref: Ref, poll: Poll) -> PreparedCall:
        """Returns the call that aborts a cloud task.

        :param poll: the result of a poll that was made just before.
        :raises CloudError: ``invalid``, when the vendor no longer aborts the cloud task.
        """


def list_tasks(service: Lists, ref: Ref, options: Options, retry: Retry) -> t.Iterator[Listed]:
    """Yields each cloud task that matches the options once. The next page is fetched only when it is needed.

    :param ref: where the cloud tasks are; without a task id.
    :param retry: how to deal with errors that may pass.
    :raises CloudError: when a page cannot be fetched, or when an option has an invalid value.
    """
    seen: set[str] = set()
    for name, filters in service.list_filters(options):

        def fetch(token: str | None, size: int, filters: Options = filters) -> Page:
            def ask() -> Page:
                request = functools.partial(service.list_request, ref, filters, token=token, size=size)
                return service.exchange(request, service.read_page)[0]

            return retry(ask)

        for task_id, entry in read_pages(fetch, options["limit"]):
            if task_id not in seen:  # one that moves to another list meanwhile is listed twice
                seen.add(task_id)
                yield service.listed({**ref, "task_id": task_id}, name, entry)


def read_pages(
    fetch: t.Callable[[str | None, int], Page], limit: int | None
) -> t.Iterator[tuple[str, dict[str, t.Any]]]:
    """Yields the id and entry of each cloud task of a list. The next page is fetched only when it is needed.

    :param fetch: returns a page, by token and size.
    :param limit: number of entries that are wanted, null for all. Pages hold one more, to tell whether there are more.
    """
    size = PAGE_SIZE if limit is None else min(PAGE_SIZE, limit + 1)
    token: str | None = None
    used: set[str | None] = set()
    while token not in used:  # a vendor that repeats a token must not cause an endless loop
        used.add(token)
        page = fetch(token, size)
        yield from page.entries.items()
        token = page.token
        if not page.entries or not token:
            return


def is_uncertain(error: CloudError) -> bool:
    """Returns whether the vendor may have carried out the call that met this error."""
    return error.sent and KINDS[error.kind].uncertain


def new_id(answer_id: t.Any, host: str) -> str:
    """Returns the id of a cloud task that was just started.

    :raises CloudError: ``protocol``, when the answer has none.
    """
    if isinstance(answer_id, int) and not isinstance(answer_id, bool):
        return str(answer_id)
    if not isinstance(answer_id, str) or not answer_id.strip():
        raise CloudError("protocol", f"{host} answered without the id of the new cloud task")
    return answer_id.strip()


def pending_record(ref: Ref, answer_id: t.Any, answer: Answer, request_id: str | None) -> Record:
    """Returns the record of a new cloud task of which only the id is known.

    :raises CloudError: ``protocol``, when the answer has no id.
    """
    return make_record({**ref, "task_id": new_id(answer_id, answer.host)}, PENDING, None, request_id=request_id)


def utc(options: Options, name: str) -> str | None:
    """Returns an option that is a time, in UTC as ``2026-01-02T03:04:05Z``; null when it is not given.

    :raises CloudError: ``config``, when it is not a time.
    """
    if options[name] is None:
        return None
    moment = iso_time(options[name])
    if moment is None:
        said = f"{name} is {quoted(options[name])}, which is no time"
        raise CloudError("config", said, advice="write it as 2026-01-02T03:04:05Z or 2026-01-02T03:04:05+08:00")
    return moment


def check_range(options: Options, name: str, least: int, most: int, unit: str = "") -> None:
    """Refuse a number outside the range that the vendor documents, since not every start call checks it.

    :param name: the option; a null value is accepted.
    :param unit: text to add to the range in the message, such as " percent".
    :raises CloudError: ``config``.
    """
    value = options[name]
    if value is not None and not least <= value <= most:
        advice = f"give a number from {least} to {most}{unit}"
        raise CloudError("config", f"{name} is {value}, which the vendor does not take", advice=advice)


def check_callback_url(url: str | None) -> None:
    """Refuse a ``callback_url`` that is no URL. The message does not show it, since it may hold a secret.

    :raises CloudError: ``config``.
    """
    if url is not None and not re.fullmatch(r"https?://[^\s/]+[^\s]*", url):
        advice = "give an http:// or https:// URL"
        raise CloudError("config", "callback_url is no URL without blanks", advice=advice)


def path_of(url: str) -> str:
    """Returns a URL without query, fragment and user info, which may hold secrets."""
    return re.sub("//[^/]*@", "//", re.split("[?#]", url.strip())[0])


def check_length(name: str, value: str | None, most: int) -> None:
    """Refuse a text that is longer than the vendor accepts.

    :param name: the option, for the message.
    :param most: largest number of characters.
    :raises CloudError: ``config``.
    """
    length = len(value or "")
    if length > most:
        advice = f"give at most {most}, which is what the vendor takes"
        raise CloudError("config", f"{name} is {quoted(value, 40)}, which has {length} characters", advice=advice)


__all__ = [
    "DAY",
    "Aborter",
    "PreparedCall",
    "Retry",
    "Starter",
    "Taken",
    "check_callback_url",
    "check_length",
    "check_range",
    "is_uncertain",
    "list_tasks",
    "new_id",
    "nothing_asked",
    "path_of",
    "pending_record",
    "read_pages",
    "utc",
]
