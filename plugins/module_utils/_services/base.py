# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""What every service has to say of itself, and how any of them is asked.

A service is one file beside this one: where it is, how a cloud task is asked for, what native statuses and error codes
mean, and how an answer becomes a record. ``answers.py`` has the tools to read answers. Services that sign and answer in
the same way share a family: ``_api3.py`` for Tencent Cloud API 3.0, ``_ci.py`` for Cloud Infinite.
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
"""Entries of a page of a list: the most that the vendors give."""

Options = t.Mapping[str, t.Any]
Environ = t.Mapping[str, str]
Ref = t.Mapping[str, t.Any]
Response = dict[str, t.Any]
T = t.TypeVar("T")
MakeRequest = t.Callable[[], Request]
TimeLeft = t.Callable[[], t.Optional[float]]
Read = t.Callable[[Answer], tuple[Record, Response]]


class Settings(t.NamedTuple):
    """What a service is told besides credentials.

    :param endpoint: a base URL in place of the vendor's, or null.
    :param site: ``china``, ``intl``, or null for the host that the vendor's page of the call names.
    """

    transport: Transport
    clock: Clock
    endpoint: str | None = None
    site: str | None = None


class Poll(t.NamedTuple):
    """What a poll gave.

    :param record: the normalized record.
    :param response: the vendor's answer without secrets.
    :param calls: how many requests were sent for it.
    """

    record: Record
    response: Response
    calls: int


class Page(t.NamedTuple):
    """A part of a vendor's list of cloud tasks.

    :param entries: what the list says of each cloud task, by id.
    :param token: what to ask for the next part with; null when there is none.
    :param total: how many the whole list has, where the vendor tells it.
    """

    entries: dict[str, dict[str, t.Any]]
    token: str | None
    total: int | None = None


class Listed(t.NamedTuple):
    """A cloud task of a list.

    :param record: null where the list does not tell enough.
    :param entry: what the vendor's list says of it.
    """

    ref: dict[str, t.Any]
    record: Record | None
    entry: dict[str, t.Any]


class Description(abc.ABC):
    """What is known of a service before anything is sent to it."""

    word: t.ClassVar[str]
    """The value of ``provider`` in options and records."""
    title: t.ClassVar[str]
    """The service as messages and documentation call it."""
    statuses: t.ClassVar[t.Mapping[str, str]]
    """Our status for each native status that the vendor documents."""
    ref_keys: t.ClassVar[tuple[str, ...]]
    """What a ``ref`` may hold besides ``provider`` and ``task_id``; the options of these names."""
    own_options: t.ClassVar[tuple[str, ...]] = ()
    """Other options of a poll, which are arguments of the constructor."""
    item_options: t.ClassVar[tuple[str, ...]] = ()
    """Those of ``own_options`` that may differ between the cloud tasks of one wait."""
    rate: t.ClassVar[float]
    """Calls a second that a wait sends unless the user says otherwise; below the vendor's published limit."""
    keeps: t.ClassVar[str | None] = None
    """For how long the vendor can be asked about a cloud task, in words; null where no page tells."""

    @classmethod
    def endpoint_variable(cls) -> str:
        """The environment variable with a base URL in place of the vendor's."""
        return f"CLOUDWAIT_{cls.word.upper()}_ENDPOINT"

    @classmethod
    def missing_libraries(cls) -> list[str]:
        """The names of Python packages that the service needs and this Python lacks."""
        return [] if HAS_REQUESTS else ["requests"]

    @classmethod
    def make_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns the ref of a cloud task.

        :raises CloudError: ``config``, when ``task_id`` is empty or cannot stand in a path.
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
        """Returns a ref without an id, which says where the cloud tasks of these options are.

        :raises CloudError: ``config``, when an option has a value that it cannot have.
        """
        ref: dict[str, t.Any] = {"provider": cls.word, "task_id": None}
        given = {name: stripped(without_nulls(options[name])) for name in cls.ref_keys if options.get(name)}
        ref.update({name: value for name, value in given.items() if value})
        if "site" in cls.ref_keys:
            check_site(ref.get("site"), "site")
        if options.get("secret_id"):
            ref.pop("profile", None)  # keys in the options come before a profile, so it takes no part
        return ref

    @classmethod
    def merge(cls, own: Options, defaults: Options) -> dict[str, t.Any]:
        """Returns the options of one cloud task among many.

        :param own: those of its item.
        :param defaults: those of the whole wait. Keys in them do not go before the profile of an item.
        """
        return {**defaults, **own, "secret_id": None if "profile" in own else defaults.get("secret_id")}

    @classmethod
    def site_of(cls, options: Options, environ: Environ) -> str | None:
        """The site that the options or the environment name; null for the host that the vendor's page names."""
        site: str | None = options.get("site") or None
        return site


class Service(Description):
    """A service, as one account sees it. Several threads may poll at once."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.endpoint is not None:
            check_endpoint(settings.endpoint, f"the endpoint for {self.word}")

    @classmethod
    @abc.abstractmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> Service:
        """Returns the service with the credentials that options and environment give.

        :raises CloudError: ``config``, when they give none or half of a set.
        """

    @property
    @abc.abstractmethod
    def credential_source(self) -> str:
        """Where the credentials come from, in a word or two."""

    @abc.abstractmethod
    def secrets(self) -> list[str]:
        """Every secret that was used so far."""

    @abc.abstractmethod
    def vendor_url(self, ref: Ref) -> str:
        """The base URL that the vendor documents, which may depend on site, bucket and region."""

    @abc.abstractmethod
    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that asks for a cloud task.

        :param timeout: seconds for another request that must be sent first, such as one for a token.
        """

    @abc.abstractmethod
    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record and the response of an answer.

        :raises CloudError: when the answer is an error, or is not what the vendor documents.
        """

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """What a result says of how a poll was made. A host that is not the vendor's is always named."""
        about = {"credential_source": self.credential_source}
        host = urlsplit(self.base_url(ref)).netloc
        return about if host == urlsplit(self.vendor_url(ref)).netloc else {**about, "endpoint_host": host}

    def memory(self) -> str | None:
        """What the next round of a wait should know of this one: words of our own, never a secret."""
        return None

    def recall(self, memory: str | None) -> None:  # most have nothing to remember
        """Use what ``memory`` returned in an earlier round."""

    def base_url(self, ref: Ref) -> str:
        """Where requests go, without a slash at the end."""
        return (self.settings.endpoint or self.vendor_url(ref)).rstrip("/")

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """What can be repaired between two requests, by name.

        Each repair is tried once a poll. It gets the error and the request that met it, and returns whether it is worth
        sending the request again.
        """
        clock = self.settings.clock
        return {
            "clock": lambda error, sent: error.kind == "clock" and clock.correct(sent.signed_with, error.server_time)
        }

    def poll(self, ref: Ref, *, timeout: float | None = None, record_only: bool = False) -> Poll:
        """Ask once for a cloud task; again only after a repair.

        :param timeout: seconds for all requests together, when that must be shorter than usual for each.
        :param record_only: leave the response empty, which saves the time to clean it.
        :raises CloudError: when there is no record. Its ``calls`` says how many requests were sent.
        """

        def read(answer: Answer) -> tuple[Record, Response]:
            record, response = self.read(ref, answer)
            return redact(record), {} if record_only else redact(response)

        left = time_left(timeout)
        (record, response), calls = self.exchange(lambda: self.request(ref, timeout=left()), read, left=left)
        return Poll(record, response, calls)

    def call(self, make_request: MakeRequest, read: Read) -> Poll:
        """Send any other call that gives a record, which may be empty, and a response.

        :raises CloudError: as :meth:`exchange`.
        """

        def read_redacted(answer: Answer) -> tuple[Record, Response]:
            record, response = read(answer)
            return redact(record), redact(response)

        (record, response), calls = self.exchange(make_request, read_redacted)
        return Poll(record, response, calls)

    def exchange(
        self, make_request: MakeRequest, read: t.Callable[[Answer], T], *, left: TimeLeft = lambda: None
    ) -> tuple[T, int]:
        """Send requests until an answer is good or nothing can be repaired.

        A request is sent again only after a repair, which means that the vendor has refused the one before.

        :param make_request: an error that it raises means that nothing was sent.
        :param left: seconds for the next request, when that must be shorter than usual.
        :returns: what was read, and how many requests were sent.
        :raises CloudError: the last error, without secrets. Its ``calls`` says how many requests were sent.
        """
        transport, clock, repairs = self.settings.transport, self.settings.clock, self.repairs()
        before = transport.sent
        signed_with: list[str] = []
        request: Request | None = None
        try:
            while True:
                request = None
                request = make_request()
                request.signed_with = clock.offset
                try:
                    return read(transport.send(request, timeout=left())), transport.sent - before
                except CloudError as error:
                    signed_with += request.secrets()
                    repaired = next((name for name, repair in repairs.items() if repair(error, request)), None)
                    if not repaired:
                        raise
                    del repairs[repaired]
        except CloudError as error:
            error.sent = error.sent and request is not None
            error.calls = transport.sent - before
            hide_in(error, self.secrets() + signed_with)
            raise


class Lists(Service):
    """A service whose vendor lists cloud tasks, a page at a time."""

    open_lists: t.ClassVar[t.Mapping[str, Options]] = {}
    """The lists that hold only cloud tasks that are not over, where the vendor has such: their filters, by name."""

    @abc.abstractmethod
    def list_request(self, ref: Ref, filters: Options, *, token: str | None, size: int) -> Request:
        """Returns the request for a page.

        :param ref: where the cloud tasks are; it has no id.
        :param filters: the vendor's parameters that say which cloud tasks are wanted.
        :param token: what the page before gave; null for the first page.
        :param size: the most entries that are wanted.
        """

    @abc.abstractmethod
    def read_page(self, answer: Answer) -> Page:
        """Returns the page of an answer.

        :raises CloudError: when the answer is an error, or is not what the vendor documents.
        """

    @abc.abstractmethod
    def list_filters(self, options: Options) -> t.Iterator[tuple[str, Options]]:
        """Yields the name and the filters of each list that holds what the options of a list module ask for.

        :raises CloudError: ``config``, when an option has a value that it cannot have.
        """

    @abc.abstractmethod
    def listed(self, ref: Ref, name: str, entry: dict[str, t.Any]) -> Listed:
        """Returns what an entry of the list of this name says.

        :param ref: where the cloud task is, with its id.
        """


def check_site(site: str | None, name: str) -> None:
    """Refuse a site that is none.

    :param name: the option or environment variable that names it.
    :raises CloudError: ``config``.
    """
    if site is not None and site not in SITES:
        raise CloudError("config", f"{name} is {quoted(site)}, which is no site", advice=f"give {' or '.join(SITES)}")


def time_left(timeout: float | None) -> TimeLeft:
    """Returns a function that gives the seconds left of a time that begins now; null where there is no limit."""
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
