# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The interface of a service, and the exchange of requests and answers that all services share.

A service is one file in this folder: its hosts, how a cloud task is polled, what native statuses and error codes mean,
and how an answer becomes a record. ``answers.py`` has helpers to read answers. Services that sign and answer in the
same way share a base class: ``_api3.py`` for Tencent Cloud API 3.0, ``_ci.py`` for Cloud Infinite.
"""

from __future__ import annotations

import abc
import time
import typing as t
from urllib.parse import urlsplit

from .._errors import CloudError, quoted
from .._record import Record
from .._secrecy import hide_in, redact
from .._transport import HAS_REQUESTS, Answer, Clock, Request, Transport, check_endpoint
from .answers import stripped, without_nulls

SITES = ("china", "intl")

PAGE_SIZE = 100
"""Entries to ask for in one page of a list: the most that the vendors allow."""

Options = t.Mapping[str, t.Any]
Environ = t.Mapping[str, str]
Ref = t.Mapping[str, t.Any]
Response = dict[str, t.Any]
T = t.TypeVar("T")
MakeRequest = t.Callable[[], Request]
TimeLeft = t.Callable[[], t.Optional[float]]
"""Returns the seconds left; null when there is no limit."""

Read = t.Callable[[Answer], tuple[Record, Response]]


class Settings(t.NamedTuple):
    """What a service needs besides credentials.

    :param endpoint: base URL in place of the vendor's, or null.
    :param site: ``china``, ``intl``, or null for the host that the vendor's page of the call names.
    """

    transport: Transport
    clock: Clock
    endpoint: str | None = None
    site: str | None = None


class Poll(t.NamedTuple):
    """The result of one poll.

    :param record: the normalized record.
    :param response: the vendor's answer without secrets; empty where only the record was asked for.
    :param calls: number of requests that were sent.
    """

    record: Record
    response: Response
    calls: int


class Page(t.NamedTuple):
    """One page of a vendor's list of cloud tasks.

    :param entries: the vendor's entry of each cloud task, by task id.
    :param token: the vendor's token for the next page; null after the last page.
    :param total: number of cloud tasks in the whole list; null where the vendor does not tell.
    """

    entries: dict[str, dict[str, t.Any]]
    token: str | None
    total: int | None = None


class Listed(t.NamedTuple):
    """A cloud task that was found in a list.

    :param record: the normalized record; null where the list does not tell enough.
    :param entry: the vendor's entry.
    """

    ref: dict[str, t.Any]
    record: Record | None
    entry: dict[str, t.Any]


class Description(abc.ABC):
    """The properties of a service that need no account: names, statuses, options and limits, and how a ref is made."""

    word: t.ClassVar[str]
    """Value of ``provider`` in options and records."""
    title: t.ClassVar[str]
    """Name of the service in messages and documentation."""
    statuses: t.ClassVar[t.Mapping[str, str]]
    """Our status for each native status that the vendor documents."""
    ref_keys: t.ClassVar[tuple[str, ...]]
    """Keys that a ``ref`` may have besides ``provider`` and ``task_id``. Each is an option of the same name."""
    own_options: t.ClassVar[tuple[str, ...]] = ()
    """Further options of a poll. They are passed to the constructor."""
    item_options: t.ClassVar[tuple[str, ...]] = ()
    """Those of ``own_options`` that may differ between the cloud tasks of one wait."""
    rate: t.ClassVar[float]
    """Default rate limit of a wait, in calls per second; below the vendor's published limit."""
    keeps: t.ClassVar[str | None] = None
    """How long the vendor keeps a cloud task, in words; null where no vendor page tells."""

    @classmethod
    def endpoint_variable(cls) -> str:
        """Returns the name of the environment variable that replaces the vendor's base URL."""
        return f"CLOUDWAIT_{cls.word.upper()}_ENDPOINT"

    @classmethod
    def missing_libraries(cls) -> list[str]:
        """Returns the names of Python packages that the service needs and that are not installed."""
        return [] if HAS_REQUESTS else ["requests"]

    @classmethod
    def make_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns the ref of a cloud task.

        :raises CloudError: ``config``, when ``task_id`` is empty or cannot be part of a URL's path.
        """
        task_id = (options.get("task_id") or "").strip()
        advice = "give the id that the start call returned"
        if not task_id:
            raise CloudError("config", "task_id is empty", advice=advice)
        if task_id in (".", "..") or not task_id.isprintable():
            raise CloudError("config", f"task_id is {quoted(task_id)}, which is no id of a cloud task", advice=advice)
        return {**cls.make_blank_ref(options, environ), "task_id": task_id}

    @classmethod
    def make_blank_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns a ref whose ``task_id`` is null. It tells where the cloud tasks of these options are.

        :raises CloudError: ``config``, when an option has an invalid value.
        """
        ref: dict[str, t.Any] = {"provider": cls.word, "task_id": None}
        given = {name: stripped(without_nulls(options[name])) for name in cls.ref_keys if options.get(name)}
        ref.update({name: value for name, value in given.items() if value})
        if "site" in cls.ref_keys:
            check_site(ref.get("site"), "site")
        if options.get("secret_id"):
            ref.pop("profile", None)  # keys in the options take precedence, so the profile is not used
        return ref

    @classmethod
    def merge(cls, own: Options, defaults: Options) -> dict[str, t.Any]:
        """Returns the options of one cloud task of a wait: its own, else those of the whole wait.

        :param own: options of the item.
        :param defaults: options of the whole wait. If the item has a profile, ``secret_id`` is not taken from them.
        """
        return {**defaults, **own, "secret_id": None if "profile" in own else defaults.get("secret_id")}

    @classmethod
    def named_in_callback(cls, content: Options) -> t.Iterator[dict[str, str]]:
        """Yields ``task_id`` and places, such as ``bucket``, of each cloud task that a callback of the vendor names.

        :param content: the callback as a dict. It may hold anything, since callbacks can be forged.
        """
        yield from ()  # most vendors send no callbacks about such cloud tasks

    @classmethod
    def site_of(cls, options: Options, environ: Environ) -> str | None:
        """Returns the site that options or environment name; null for the host that the vendor's page names."""
        site: str | None = options.get("site") or None
        return site


class Service(Description):
    """A service, used with the credentials of one account. Several threads may poll at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.endpoint is not None:
            check_endpoint(settings.endpoint, f"the endpoint for {self.word}")

    @classmethod
    @abc.abstractmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> Service:
        """Returns the service with the credentials that options and environment give.

        :raises CloudError: ``config``, when they give none or an incomplete set.
        """

    @property
    @abc.abstractmethod
    def credential_source(self) -> str:
        """Where the credentials come from, in a word or two."""

    @abc.abstractmethod
    def secrets(self) -> list[str]:
        """Returns every secret used so far, so that it can be hidden in output."""

    @abc.abstractmethod
    def vendor_url(self, ref: Ref) -> str:
        """Returns the base URL that the vendor documents. It may depend on site, bucket and region."""

    @abc.abstractmethod
    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that polls a cloud task.

        :param timeout: seconds for a request that must be sent first, such as one for a token; null for the usual time.
        """

    @abc.abstractmethod
    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record and the response of the answer to a poll.

        :raises CloudError: when the answer is an error, or does not have the form that the vendor documents.
        """

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """Returns members for the result: where the credentials come from, and the host if it is not the vendor's."""
        about = {"credential_source": self.credential_source}
        host = urlsplit(self.base_url(ref)).netloc
        return about if host == urlsplit(self.vendor_url(ref)).netloc else {**about, "endpoint_host": host}

    def memory(self) -> str | None:
        """Returns what the next round of a wait should know: text of our own, never a secret; null for nothing."""
        return None

    def recall(self, memory: str | None) -> None:  # most services have nothing to restore
        """Restore what ``memory`` returned in an earlier round."""

    def base_url(self, ref: Ref) -> str:
        """Returns the base URL for requests, without a slash at the end."""
        return (self.settings.endpoint or self.vendor_url(ref)).rstrip("/")

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """Returns the functions, by name, that can repair what made a request fail.

        Each repair is tried once per poll. It gets the error and the request that met it, and returns whether to send
        the request again.
        """
        clock = self.settings.clock
        return {
            "clock": lambda error, sent: error.kind == "clock" and clock.correct(sent.signed_with, error.server_time)
        }

    def poll(self, ref: Ref, *, timeout: float | None = None, record_only: bool = False) -> Poll:
        """Poll a cloud task. The request is sent again only after a repair.

        :param timeout: seconds for all requests together; null for the usual time for each.
        :param record_only: leave the response empty, which saves the time to remove secrets from it.
        :raises CloudError: when there is no record. Its ``calls`` is the number of requests that were sent.
        """

        def read(answer: Answer) -> tuple[Record, Response]:
            record, response = self.read(ref, answer)
            return redact(record), {} if record_only else redact(response)

        left = time_left(timeout)
        (record, response), calls = self.exchange(lambda: self.request(ref, timeout=left()), read, left=left)
        return Poll(record, response, calls)

    def call(self, make_request: MakeRequest, read: Read) -> Poll:
        """Send any other call that gives a record, which may be empty, and a response.

        :raises CloudError: see :meth:`exchange`.
        """

        def read_redacted(answer: Answer) -> tuple[Record, Response]:
            record, response = read(answer)
            return redact(record), redact(response)

        (record, response), calls = self.exchange(make_request, read_redacted)
        return Poll(record, response, calls)

    def exchange(
        self, make_request: MakeRequest, read: t.Callable[[Answer], T], *, left: TimeLeft = lambda: None
    ) -> tuple[T, int]:
        """Send a request, and send it again after each repair, until it succeeds or nothing can be repaired.

        A repair is possible only after the vendor has refused a request, so that nothing is carried out twice.

        :param make_request: returns the request. If it raises an error, the request was not sent.
        :param read: returns what the caller wants to know of an answer.
        :param left: returns the seconds for the next request; null for the usual time.
        :returns: what ``read`` returned, and the number of requests that were sent.
        :raises CloudError: the last error, without secrets. Its ``calls`` is the number of requests that were sent.
        """
        transport, clock, repairs = self.settings.transport, self.settings.clock, self.repairs()
        before = transport.sent
        secrets_sent: list[str] = []
        request: Request | None = None
        try:
            while True:
                request = None
                request = make_request()
                request.signed_with = clock.offset
                try:
                    return read(transport.send(request, timeout=left())), transport.sent - before
                except CloudError as error:
                    secrets_sent += request.secrets()
                    repaired = next((name for name, repair in repairs.items() if repair(error, request)), None)
                    if not repaired:
                        raise
                    del repairs[repaired]
        except CloudError as error:
            error.sent = error.sent and request is not None
            error.calls = transport.sent - before
            hide_in(error, self.secrets() + secrets_sent)
            raise


class Lists(Service):
    """A service whose vendor lists cloud tasks, page by page."""

    open_lists: t.ClassVar[t.Mapping[str, Options]] = {}
    """Filters of the lists that hold only unfinished cloud tasks, by the name of the list; empty if there are none."""

    list_keys: t.ClassVar[tuple[str, ...]]
    """What tells which cloud tasks a list has: keys of a ref, and filters of the vendor."""

    @abc.abstractmethod
    def watch_filters(self, options: Options, since: str) -> t.Iterator[tuple[str, Options]]:
        """Yields name and filters of the lists that have every cloud task that is open or was started lately.

        They come in the order in which a cloud task moves through them, so that one that moves meanwhile is not missed.

        :param options: the values of ``list_keys``; null where not given.
        :param since: a time in UTC as ``2026-01-02T03:04:05Z``. Those that were started before, and have ended, are
            left out where the vendor allows it.
        """

    @abc.abstractmethod
    def list_request(self, ref: Ref, filters: Options, *, token: str | None, size: int) -> Request:
        """Returns the request for one page of a list.

        :param ref: where the cloud tasks are; without a task id.
        :param filters: the vendor's parameters that select cloud tasks.
        :param token: the token of the page before; null for the first page.
        :param size: largest number of entries.
        """

    @abc.abstractmethod
    def read_page(self, answer: Answer) -> Page:
        """Returns the page that an answer holds.

        :raises CloudError: when the answer is an error, or does not have the form that the vendor documents.
        """

    @abc.abstractmethod
    def list_filters(self, options: Options) -> t.Iterator[tuple[str, Options]]:
        """Yields name and filters of each list that must be read for the options of a list module.

        :raises CloudError: ``config``, when an option has an invalid value.
        """

    @abc.abstractmethod
    def listed(self, ref: Ref, name: str, entry: dict[str, t.Any]) -> Listed:
        """Returns the cloud task of an entry of a list.

        :param ref: ref of the cloud task, with its id.
        :param name: name of the list.
        """


def check_site(site: str | None, name: str) -> None:
    """Refuse an unknown site. Null is accepted.

    :param name: the option or environment variable that holds it.
    :raises CloudError: ``config``, when there is no such site.
    """
    if site is not None and site not in SITES:
        raise CloudError("config", f"{name} is {quoted(site)}, which is no site", advice=f"give {' or '.join(SITES)}")


def time_left(timeout: float | None) -> TimeLeft:
    """Returns a function that returns the seconds left, counted from now; null where there is no limit.

    :param timeout: seconds from now; null for no limit.
    """
    if timeout is None:
        return lambda: None
    ends = time.monotonic() + timeout
    return lambda: ends - time.monotonic()


__all__ = [
    "PAGE_SIZE",
    "Description",
    "Environ",
    "Listed",
    "Lists",
    "MakeRequest",
    "Options",
    "Page",
    "Poll",
    "Read",
    "Ref",
    "Response",
    "Service",
    "Settings",
    "T",
    "TimeLeft",
    "check_site",
    "time_left",
]
