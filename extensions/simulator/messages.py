# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests, replies, and errors that a vendor answers in its own form."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Callable, Protocol
from urllib.parse import parse_qsl, unquote

from signatures import Tc3Authorization, parse_tc3

JSON = "application/json"
XML = "application/xml"
HTML = "text/html"
TEXT = "text/plain"

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class VendorError(Exception):
    """An error to answer in the form of the vendor whose service is called."""

    def __init__(self, code: str, message: str, http_status: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.http_status = http_status


class Request:
    """One HTTP request: header names are in lower case, the body is complete."""

    def __init__(self, method: str, target: str, headers: Mapping[str, str], body: bytes, connection: int) -> None:
        self.method = method
        self.headers = headers
        self.body = body
        self.connection = connection
        authority, rest = _split_target(target)
        self.raw_path, dummy, self.query = rest.partition("?")
        self.path = unquote(self.raw_path)
        self.host = headers.get("host") or authority

    @functools.cached_property
    def tc3(self) -> Tc3Authorization | None:
        """The parts of a TC3 Authorization header, None when there is none that can be read."""
        return parse_tc3(self.headers.get("authorization", ""))

    @functools.cached_property
    def parameters(self) -> list[tuple[str, str]]:
        """The decoded query parameters, in the order in which they were sent."""
        return parse_qsl(self.query, keep_blank_values=True)


class Connection(Protocol):
    """What the sender of a reply may do with the connection; `wire.py` has the class that does it."""

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""

    def send_raw(self, data: bytes) -> None:
        """Send bytes outside TLS, so that they are no valid record of it. Without TLS the same as `send`."""

    def send_whole(self, reply: Reply) -> None:
        """Send a reply as HTTP wants it."""

    def head(self, reply: Reply, more: Iterable[tuple[str, str]]) -> bytes:
        """Return the status line and the headers of a reply, `more` at their end."""

    def pause(self, seconds: float) -> bool:
        """Wait. Returns False if a fault that sends for long must end now."""

    def reset(self) -> None:
        """Break the connection with a TCP reset."""


#: Sends a reply in an unusual way. Returns whether the connection can be used again.
Sender = Callable[[Connection, "Reply"], bool]


class Reply:
    """One HTTP answer, and what the journal says about it."""

    __slots__ = ("body", "content_type", "headers", "sender", "status", "verdict")

    def __init__(
        self,
        status: int,
        body: bytes,
        content_type: str = JSON,
        headers: Sequence[tuple[str, str]] = (),
        verdict: str = "ok",
        sender: Sender | None = None,
    ) -> None:
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = headers
        self.verdict = verdict
        self.sender = sender


def http_date(seconds: float) -> str:
    """Write a time as HTTP does: always in English, whatever the locale."""
    at = time.gmtime(seconds)
    day, month = _DAYS[at.tm_wday], _MONTHS[at.tm_mon - 1]
    return f"{day}, {at.tm_mday:02} {month} {at.tm_year:04} {at.tm_hour:02}:{at.tm_min:02}:{at.tm_sec:02} GMT"


def _split_target(target: str) -> tuple[str, str]:
    """Split a request target into authority and the rest. A target has an authority when it is sent to a proxy."""
    scheme, separator, rest = target.partition("://")
    if not separator or scheme.lower() not in ("http", "https"):
        return "", target
    authority, slash, path = rest.partition("/")
    if "?" in authority:
        authority, question, query = authority.partition("?")
        return authority, "/" + question + query + slash + path
    return authority, "/" + path
