# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""What all services share: one look, its repairs, and tools to read answers.

A provider is one file beside this one. It says where its service is, how a cloud task is asked for, which native
status means what, which error code means what, and how an answer becomes a record.
"""

from __future__ import annotations

import abc
import json
import math
import re
import time
import typing as t
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

from .._errors import CloudError, flat, one_line, quoted
from .._status import Record
from .._transport import HAS_REQUESTS, Answer, Clock, Request, Transport, check_endpoint

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from .._sweep import Swept

SITES = ("china", "intl")
REDACTED = "********"
MAX_DEPTH = 100
SECRET_NAMES = ("password", "passwd", "secret", "notifykey", "accesskey", "access_key", "authorization", "credential")
TIME = r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):?(\d\d))"
MOST_WHOLE = 1e18
"""Below it, a float that is a whole number is one that the vendor can have meant."""

LONE_SURROGATE = "[\ud800-\udfff]"

Options = t.Mapping[str, t.Any]
Ref = t.Mapping[str, t.Any]
Response = dict[str, t.Any]
T = t.TypeVar("T")
MakeRequest = t.Callable[[], Request]
TimeLeft = t.Callable[[], t.Optional[float]]
Read = t.Callable[[Answer], tuple[Record, Response]]


class Settings(t.NamedTuple):
    """What a provider is told besides credentials.

    :param endpoint: a base URL in place of the vendor's, or null.
    :param site: ``china``, ``intl``, or null for the host that the vendor's page of the call names.
    """

    transport: Transport
    clock: Clock
    endpoint: str | None = None
    site: str | None = None


class Look(t.NamedTuple):
    """One look: the normalized record, the vendor's answer without secrets, how many requests were sent for it."""

    record: Record
    response: Response
    calls: int


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


class Provider(abc.ABC):
    """A service, as one account sees it. Serves many looks from several threads."""

    name: t.ClassVar[str]
    """The provider word of records and options."""
    title: t.ClassVar[str]
    """The service as a user calls it, in error messages."""
    ref_keys: t.ClassVar[tuple[str, ...]]
    """What a ``ref`` of this provider may hold besides ``provider`` and ``task_id``."""
    endpoint_variable: t.ClassVar[str]
    """The environment variable with a base URL in place of the vendor's."""
    own_options: t.ClassVar[tuple[str, ...]] = ()
    """The options that its constructor takes besides settings and credentials."""
    item_options: t.ClassVar[tuple[str, ...]] = ()
    """Those of them that may differ between the cloud tasks of one wait."""
    open_lists: t.ClassVar[tuple[str, ...]] = ()
    """The vendor's lists of cloud tasks that are not over, where it has such lists."""
    rate: t.ClassVar[float]
    """Calls a second that a wait sends, unless the user says otherwise; below the vendor's published limit."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.endpoint is not None:
            check_endpoint(settings.endpoint, f"the endpoint for {self.name}")

    @classmethod
    @abc.abstractmethod
    def create(cls, settings: Settings, options: Options, environ: t.Mapping[str, str]) -> Provider:
        """A provider with the credentials that options and environment give."""

    @classmethod
    def missing_libraries(cls) -> list[str]:
        """The names of Python packages that it needs and this Python lacks."""
        return [] if HAS_REQUESTS else ["requests"]

    @classmethod
    def make_ref(cls, options: Options, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
        """What is needed to look again: neither secret nor host.

        :raises CloudError: ``config``, when the task id is empty or cannot stand in a path.
        """
        task_id = (options.get("task_id") or "").strip()
        advice = "give the id that the start call returned"
        if not task_id:
            raise CloudError("config", "task_id is empty", advice=advice)
        if task_id in (".", "..") or not task_id.isprintable():
            raise CloudError("config", f"task_id is {quoted(task_id)}, which is no id of a cloud task", advice=advice)
        return {**cls.make_blank_ref(options, environ), "task_id": task_id}

    @classmethod
    def make_blank_ref(cls, options: Options, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
        """A ref with everything but the id: where the cloud tasks of these options are.

        :raises CloudError: ``config``.
        """
        ref: dict[str, t.Any] = {"provider": cls.name, "task_id": None}
        given = {name: stripped(without_nulls(options[name])) for name in cls.ref_keys if options.get(name)}
        ref.update({name: value for name, value in given.items() if value})
        if "site" in cls.ref_keys:
            check_site(ref.get("site"), "site")
        if options.get("secret_id"):
            ref.pop("profile", None)  # keys in the options come before a profile, so it takes no part
        return ref

    @classmethod
    def site_of(cls, options: Options, environ: t.Mapping[str, str]) -> str | None:
        """The site that the options or the environment name; null for the host that the vendor's page names."""
        site: str | None = options.get("site") or None
        return site

    @property
    @abc.abstractmethod
    def credential_source(self) -> str:
        """Where the credentials come from, in a word or two."""

    @abc.abstractmethod
    def secrets(self) -> list[str]:
        """Every secret that was used so far."""

    @abc.abstractmethod
    def vendor_url(self, ref: Ref) -> str:
        """The base URL that the vendor documents, for a site and where they count, a bucket and a region."""

    @abc.abstractmethod
    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """The request that asks for a cloud task.

        :param timeout: seconds for another request that must be sent first, such as one for a token.
        """

    @abc.abstractmethod
    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """The record and the response of an answer.

        :raises CloudError: when the answer is an error, or is not what the vendor documents.
        """

    def read_page(self, name: str, token: str | None, *, timeout: float | None = None) -> Swept:
        """A page of one of ``open_lists``.

        :param token: where to go on, from the page before.
        """
        raise NotImplementedError

    def listed_record(self, ref: Ref, name: str, entry: t.Mapping[str, t.Any]) -> Record:
        """What an entry of one of ``open_lists`` says of a cloud task."""
        raise NotImplementedError

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """What a result says of how its look was made; a host that is not the vendor's is always named."""
        about = {"credential_source": self.credential_source}
        host = urlsplit(self.base_url(ref)).netloc
        return about if host == urlsplit(self.vendor_url(ref)).netloc else {**about, "endpoint_host": host}

    def memory(self) -> str | None:
        """What the next round of a wait should know: one of our own words, never a secret."""
        return None

    def recall(self, memory: str | None) -> None:  # noqa: B027 # most have nothing to remember
        """What ``memory`` gave in an earlier round."""

    def base_url(self, ref: Ref) -> str:
        """Where requests go, without a slash at the end."""
        return (self.settings.endpoint or self.vendor_url(ref)).rstrip("/")

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """What can be mended between two requests, by name; each is tried once a look and says whether it did."""
        return {"clock": self._repair_clock}

    def _repair_clock(self, error: CloudError, request: Request) -> bool:
        return error.kind == "clock" and self.settings.clock.correct(request.signed_with, error.server_time)

    def look(self, ref: Ref, *, timeout: float | None = None, record_only: bool = False) -> Look:
        """Ask once for a cloud task; again only after a repair.

        :param timeout: seconds for all requests, when it must be shorter than usual for each.
        :param record_only: leave the response empty, which spares the time to clean it.
        :raises CloudError: when there is no record to give. Its ``calls`` says how many requests were sent.
        """

        def read(answer: Answer) -> tuple[Record, Response]:
            record, response = self.read(ref, answer)
            return record, {} if record_only else response

        left = time_left(timeout)
        return self.ask(lambda: self.request(ref, timeout=left()), read, left=left)

    def ask(self, make_request: MakeRequest, read: Read, *, left: TimeLeft = lambda: None) -> Look:
        """Any call of the service that gives a record, or an empty one, and the response.

        :raises CloudError: as :meth:`look`.
        """

        def read_clean(answer: Answer) -> tuple[Record, Response]:
            record, response = read(answer)
            return t.cast(Record, redact(record)), t.cast(Response, redact(response))

        (record, response), calls = self.exchange(make_request, read_clean, left=left)
        return Look(record, response, calls)

    def exchange(
        self, make_request: MakeRequest, read: t.Callable[[Answer], T], *, left: TimeLeft = lambda: None
    ) -> tuple[T, int]:
        """Any call of the service; again only after a repair, which means that the vendor refused it before.

        :param make_request: what fails there was not sent.
        :param left: seconds for the next request, when it must be shorter than usual.
        :returns: what was read, and how many requests were sent.
        :raises CloudError: as :meth:`look`.
        """
        before = self.settings.transport.sent
        used: list[str] = []
        try:
            return self._exchange(make_request, read, left, used), self.settings.transport.sent - before
        except CloudError as error:
            error.calls = self.settings.transport.sent - before
            error.hide(self.secrets() + used)
            raise

    def _exchange(self, make_request: MakeRequest, read: t.Callable[[Answer], T], left: TimeLeft, used: list[str]) -> T:
        """Requests until an answer is good or nothing can be mended; what must not be said of them goes to ``used``."""
        repairs = self.repairs()
        while True:
            try:
                request = make_request()
            except CloudError as error:
                error.sent = False
                raise
            request.signed_with = self.settings.clock.offset
            try:
                return read(self.settings.transport.send(request, timeout=left()))
            except CloudError as error:
                used += request.secrets()
                mended = next((name for name, mend in repairs.items() if mend(error, request)), None)
                if not mended:
                    raise
                del repairs[mended]


def check_site(site: str | None, name: str) -> None:
    """Refuse a site that is none.

    :param name: the option or environment variable that names it.
    :raises CloudError: ``config``.
    """
    if site is not None and site not in SITES:
        raise CloudError("config", f"{name} is {quoted(site)}, which is no site", advice=f"give {' or '.join(SITES)}")


def time_left(timeout: float | None) -> TimeLeft:
    """How much is left of so many seconds that begin now; null where there is no such limit."""
    if timeout is None:
        return lambda: None
    ends = time.monotonic() + timeout
    return lambda: ends - time.monotonic()


# --- Reading answers -----------------------------------------------------------------------------------------------


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


def redact(value: t.Any, depth: int = 0) -> t.Any:
    """A copy of an answer without the secrets that vendors echo, and with values that every encoder can write."""
    if depth > MAX_DEPTH:
        raise CloudError("protocol", f"the answer is nested deeper than {MAX_DEPTH} levels", retryable=False)
    if isinstance(value, dict):
        return {
            str(redact(name)): REDACTED if member and _is_secret(str(name)) else redact(member, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [redact(member, depth + 1) for member in value]
    if isinstance(value, str) and not value.isascii():
        return re.sub(LONE_SURROGATE, "\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it, though Python reads and writes one
    return value


def secret_texts(value: t.Any) -> list[str]:
    """Every text in a dict of the user's that stands under a name of a secret, however deep."""
    if isinstance(value, dict):
        return [
            text
            for name, member in value.items()
            for text in (_leaves(member) if _is_secret(str(name)) else secret_texts(member))
        ]
    return [text for member in value for text in secret_texts(member)] if isinstance(value, list) else []


def _leaves(value: t.Any) -> list[str]:
    if isinstance(value, (dict, list)):
        members = value.values() if isinstance(value, dict) else value
        return [text for member in members for text in _leaves(member)]
    return [str(value)] if value else []


def _is_secret(name: str) -> bool:
    name = name.lower()
    return name == "token" or any(word in name for word in SECRET_NAMES)


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
        return int(value) if value.is_integer() and abs(value) < MOST_WHOLE else None
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
    "Look",
    "MakeRequest",
    "Options",
    "Provider",
    "Read",
    "Ref",
    "Response",
    "Rule",
    "Rules",
    "Settings",
    "as_dict",
    "as_list",
    "check_site",
    "counts_of",
    "decode_json",
    "http_error",
    "iso_time",
    "lacks_member",
    "native_word",
    "odd_member",
    "percent",
    "redact",
    "secret_texts",
    "stripped",
    "task_error",
    "text_or_none",
    "time_left",
    "unreadable",
    "vendor_error",
    "whole_number",
]
