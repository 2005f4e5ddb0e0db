# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of answers, by name: what a broken network, a gateway or the vendor may make of one."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from messages import HTML, XML, Connection, Reply, Request, VendorError, http_date

CHUNK = 64 * 1024


@dataclass(frozen=True)
class Fault:
    """A fault as a scenario names it."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    after: bool | None = None
    """Whether a call that does something was carried out before its answer broke. None: as is usual for the fault."""

    @property
    def is_after(self) -> bool:
        """Whether the call is carried out although the fault strikes it."""
        return self.name in SENDS_ANSWER if self.after is None else self.after


class Vendor(Protocol):
    """The part of a service that faults need."""

    def problem(self, kind: str) -> VendorError:
        """Return the vendor's own error for a fault of `VENDOR_FAULTS`."""

    def error_reply(self, problem: VendorError) -> Reply:
        """Return an error in the vendor's form."""


@dataclass(frozen=True)
class Case:
    """A call that a fault strikes: the right answer, and the vendor if it has errors of its own."""

    base: Reply
    request: Request
    now: float
    vendor: Vendor | None
    parameters: Mapping[str, Any]


#: The vendors' own errors, in the vendors' own forms. A provider may lack one of them.
VENDOR_FAULTS = ("throttle", "internal_error", "clock_error", "token_refused", "signature_in_message")


#: Faults that refuse the call, so that it cannot have been carried out.
TURNED_AWAY = ("throttle", "clock_error", "token_refused", "signature_in_message", "http_429")
#: Faults that break the right answer, so that the call was carried out unless the scenario says otherwise.
SENDS_ANSWER = (
    "entity",
    "gzip",
    "not_gzip",
    "double_headers",
    "double_length",
    "odd_chunks",
    "bad_chunks",
    "cut_header",
    "tls_bad_record",
    "truncated",
    "truncated_chunked",
    "wrong_content_length",
    "hang",
    "drip",
    "drip_headers",
)
#: Faults of answers and of connections that break TLS itself.
NEED_TLS = ("tls_bad_record", "tls_close", "tls_alert", "tls_plain")


def apply(fault: Fault, case: Case) -> Reply:
    """Return the answer that the fault makes of a right one."""
    reply = FAULTS[fault.name][0](case)
    reply.verdict = fault.name
    return reply


# Refusals of gateways and vendors


def _gateway(status: int) -> Callable[[Case], Reply]:
    def make(case: Case) -> Reply:
        text = f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>gateway</body></html>\r\n"
        return Reply(status, text.encode("ascii"), HTML, _retry_after(case))

    return make


def _retry_after(case: Case) -> list[tuple[str, str]]:
    seconds = case.parameters.get("retry_after")
    if seconds is None:
        return []
    if case.parameters.get("as_date"):
        return [("Retry-After", http_date(case.now + seconds))]
    return [("Retry-After", str(seconds))]


def _vendor(kind: str) -> Callable[[Case], Reply]:
    def make(case: Case) -> Reply:
        if case.vendor is None:
            return case.base
        reply = case.vendor.error_reply(case.vendor.problem(kind))
        reply.headers = [*reply.headers, *_retry_after(case)]
        return reply

    return make


def _signature_in_message(case: Case) -> Reply:
    if case.vendor is None:
        return case.base
    problem = case.vendor.problem("signature_in_message")
    names = ("authorization", "x-tc-token", "x-ci-security-token", "x-acs-dingtalk-access-token")
    echo = "; ".join(f"{name}: {case.request.headers[name]}" for name in names if name in case.request.headers)
    problem.message = f"{problem.message} Received {echo}"
    return case.vendor.error_reply(problem)


def _redirect(case: Case) -> Reply:
    location = case.parameters.get("location", "http://127.0.0.1:9/elsewhere")
    return Reply(case.parameters.get("status", 302), b"", HTML, [("Location", location)])


# Wrong bodies


def _body(body: bytes, content_type: str = "") -> Callable[[Case], Reply]:
    def make(case: Case) -> Reply:
        return Reply(200, body, content_type or case.base.content_type)

    return make


def _gzip(case: Case) -> Reply:
    headers = [*case.base.headers, ("Content-Encoding", "gzip")]
    return Reply(case.base.status, gzip.compress(case.base.body), case.base.content_type, headers)


def _not_gzip(case: Case) -> Reply:
    headers = [*case.base.headers, ("Content-Encoding", "gzip")]
    return Reply(case.base.status, case.base.body, case.base.content_type, headers)


def _entity(case: Case) -> Reply:
    """Return the right answer with its state as an XML entity; one without a state gives way to `_ANY_JOB`."""
    body = case.base.body if b"<State>" in case.base.body else _ANY_JOB
    state = body.partition(b"<State>")[2].partition(b"</State>")[0]
    declared = b'<!DOCTYPE r [<!ENTITY e "%b">]>' % state
    head, mark, rest = body.replace(b"<State>%b<" % state, b"<State>&e;<", 1).rpartition(b"?>")
    return Reply(case.base.status, head + mark + declared + rest, XML, case.base.headers)


_ANY_JOB = b"<Response><JobsDetail><State>x</State></JobsDetail></Response>"


_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in to this network.</body></html>"


# Broken transmissions. A sender returns whether the connection can be used again.


def _sent_by(sender: Callable[[Connection, Reply, Case], bool]) -> Callable[[Case], Reply]:
    def make(case: Case) -> Reply:
        base = case.base
        return Reply(
            base.status,
            base.body,
            base.content_type,
            base.headers,
            sender=lambda wire, reply: sender(wire, reply, case),
        )

    return make


def _send_reset(wire: Connection, reply: Reply, case: Case) -> bool:
    wire.reset()
    return False


def _send_truncated(wire: Connection, reply: Reply, case: Case) -> bool:
    wire.send(wire.head(reply, [("Content-Length", str(len(reply.body)))]) + reply.body[: len(reply.body) // 2])
    return False


def _send_truncated_chunked(wire: Connection, reply: Reply, case: Case) -> bool:
    size = f"{len(reply.body):x}\r\n".encode("ascii")
    wire.send(wire.head(reply, [("Transfer-Encoding", "chunked")]) + size + reply.body[: len(reply.body) // 2])
    return False


def _send_wrong_content_length(wire: Connection, reply: Reply, case: Case) -> bool:
    headers = [
        ("Content-Length", str(len(reply.body) // 2)),
        ("Connection", "close"),
    ]  # the client must not send another request
    wire.send(wire.head(reply, headers) + reply.body)
    return False


def _send_double_headers(wire: Connection, reply: Reply, case: Case) -> bool:
    length = ("Content-Length", str(len(reply.body)))
    wire.send(wire.head(reply, [("Content-Type", reply.content_type), length, length]) + reply.body)
    return True


def _send_double_length(wire: Connection, reply: Reply, case: Case) -> bool:
    lengths = [("Content-Length", str(len(reply.body) // part)) for part in (1, 2)]
    wire.send(wire.head(reply, [*lengths, ("Connection", "close")]) + reply.body)
    return False


def _send_odd_chunks(wire: Connection, reply: Reply, case: Case) -> bool:
    """Send the right answer in tiny chunks with extensions and a trailer: allowed, and hardly ever seen."""
    parts, start = b"", 0
    while start < len(reply.body):
        part = reply.body[start : start + _ODD_SIZES[start % len(_ODD_SIZES)]]
        parts += b'%03X;note="a;b";last\r\n%b\r\n' % (len(part), part)
        start += len(part)
    headers = [("Transfer-Encoding", "chunked"), ("Trailer", "X-Trailer")]
    wire.send(wire.head(reply, headers) + parts + b"0;note\r\nX-Trailer: the end\r\n\r\n")
    return True


_ODD_SIZES = (1, 11, 2, 13)


def _send_bad_chunks(wire: Connection, reply: Reply, case: Case) -> bool:
    wire.send(wire.head(reply, [("Transfer-Encoding", "chunked")]) + b"xyz\r\n" + reply.body + b"\r\n0\r\n\r\n")
    return False


def _send_cut_header(wire: Connection, reply: Reply, case: Case) -> bool:
    head = wire.head(reply, [("Content-Length", str(len(reply.body)))])
    wire.send(head[: head.index(b"Content-Type") + len(b"Conten")])
    return False


def _send_tls_bad_record(wire: Connection, reply: Reply, case: Case) -> bool:
    wire.send(wire.head(reply, [("Content-Length", str(len(reply.body)))]) + reply.body[: len(reply.body) // 2])
    wire.send_raw(b"this is no TLS record\r\n")
    return False


def _send_hang(wire: Connection, reply: Reply, case: Case) -> bool:
    if not wire.pause(case.parameters.get("seconds", 30)):
        return False
    wire.send_whole(reply)
    return True


def _send_drip(wire: Connection, reply: Reply, case: Case) -> bool:
    wire.send(wire.head(reply, [("Content-Length", str(len(reply.body)))]))
    return _drip(wire, reply.body, case)


def _send_drip_headers(wire: Connection, reply: Reply, case: Case) -> bool:
    return _drip(wire, wire.head(reply, [("Content-Length", str(len(reply.body)))]) + reply.body, case)


def _drip(wire: Connection, data: bytes, case: Case) -> bool:
    rate = case.parameters.get("bytes_per_second", 20)
    size = max(1, int(rate / 10))
    for start in range(0, len(data), size):
        if not wire.pause(size / rate):
            return False
        wire.send(data[start : start + size])
    return True


def _send_endless(wire: Connection, reply: Reply, case: Case) -> bool:
    chunk = f"{CHUNK:x}\r\n".encode("ascii") + b" " * CHUNK + b"\r\n"
    wire.send(wire.head(reply, [("Transfer-Encoding", "chunked")]))
    while wire.pause(0.001):
        wire.send(chunk)
    return False


def _send_huge(wire: Connection, reply: Reply, case: Case) -> bool:
    left = case.parameters.get("bytes", 32 * 1024 * 1024)
    wire.send(wire.head(reply, [("Content-Length", str(left))]))
    while left and wire.pause(0):
        part = min(left, CHUNK)
        wire.send(b" " * part)
        left -= part
    return not left


_RETRY = {"retry_after": "number", "as_date": "boolean"}

#: name: (what makes the answer, its parameters and their kinds)
FAULTS: dict[str, tuple[Callable[[Case], Reply], Mapping[str, str]]] = {
    "http_429": (_gateway(429), _RETRY),
    "http_500": (_gateway(500), _RETRY),
    "http_502": (_gateway(502), _RETRY),
    "http_503": (_gateway(503), _RETRY),
    "throttle": (_vendor("throttle"), _RETRY),
    "internal_error": (_vendor("internal_error"), _RETRY),
    "clock_error": (_vendor("clock_error"), {}),
    "token_refused": (_vendor("token_refused"), {}),
    "signature_in_message": (_signature_in_message, {}),
    "redirect": (_redirect, {"location": "text", "status": "whole number"}),
    "empty": (_body(b""), {}),
    "list": (_body(b"[]"), {}),
    "null": (_body(b"null"), {}),
    "not_utf8": (_body(b'{"Response": "\xff\xfe\xe4\xf6"}'), {}),
    "not_json": (_body(b"this is neither JSON nor XML {<"), {}),
    "html": (_body(_PAGE, HTML), {}),
    "entity": (_entity, {}),
    "gzip": (_gzip, {}),
    "not_gzip": (_not_gzip, {}),
    "reset": (_sent_by(_send_reset), {}),
    "truncated": (_sent_by(_send_truncated), {}),
    "truncated_chunked": (_sent_by(_send_truncated_chunked), {}),
    "wrong_content_length": (_sent_by(_send_wrong_content_length), {}),
    "double_headers": (_sent_by(_send_double_headers), {}),
    "double_length": (_sent_by(_send_double_length), {}),
    "odd_chunks": (_sent_by(_send_odd_chunks), {}),
    "bad_chunks": (_sent_by(_send_bad_chunks), {}),
    "cut_header": (_sent_by(_send_cut_header), {}),
    "tls_bad_record": (_sent_by(_send_tls_bad_record), {}),
    "hang": (_sent_by(_send_hang), {"seconds": "number"}),
    "drip": (_sent_by(_send_drip), {"bytes_per_second": "number"}),
    "drip_headers": (_sent_by(_send_drip_headers), {"bytes_per_second": "number"}),
    "endless": (_sent_by(_send_endless), {}),
    "huge": (_sent_by(_send_huge), {"bytes": "whole number"}),
}
