# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of connections: what happens to one before a request is read from it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from values import ScenarioError, a_choice, a_list, a_whole, an_object

HELLO_SECONDS = 10.0
_RECORD_HEAD = 5
_ALERT_INTERNAL_ERROR = bytes((21, 3, 3, 0, 2, 2, 80))
_BUSY = b"The load balancer has no server.\n"
_PLAIN_ANSWER = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BUSY), _BUSY)
)


@dataclass(frozen=True)
class ConnectionRule:
    """One entry of `connections`: a fault, and the connections that it strikes: every n-th, or the first n."""

    fault: str
    every: int | None = None
    first: int | None = None

    def is_due(self, number: int) -> bool:
        """Return whether the fault strikes the connection of this number, counted from 1."""
        return number % self.every == 0 if self.every else number <= (self.first or 0)


class ConnectionRules:
    """The entries of `connections`, and a count of the connections."""

    def __init__(self, rules: Iterable[ConnectionRule] = ()) -> None:
        self._lock = threading.Lock()
        self._rules = tuple(rules)
        self._number = 0

    def strike(self) -> str | None:
        """Count a connection. Returns the fault of the first entry that is due, or None."""
        with self._lock:
            self._number += 1
            return next((rule.fault for rule in self._rules if rule.is_due(self._number)), None)

    def reset(self) -> None:
        """Begin the count again."""
        with self._lock:
            self._number = 0


def parse_connections(data: Any) -> tuple[ConnectionRule, ...]:
    """Return the entries of `connections` in a scenario.

    :raises ScenarioError: when one is wrong.
    """
    return tuple(_rule(item, f"connections[{number}]") for number, item in enumerate(a_list(data, "connections")))


def _rule(data: Any, place: str) -> ConnectionRule:
    fields = an_object(data, place, ("fault", "every", "first"))
    fault = a_choice(fields.get("fault"), f"{place}.fault", CONNECTION_FAULTS)
    counts = {name: a_whole(fields[name], f"{place}.{name}", least=1) for name in ("every", "first") if name in fields}
    if len(counts) != 1:
        raise ScenarioError(place, "must have exactly one of every, first")
    return ConnectionRule(fault, **counts)


def play(fault: str, sock: socket.socket) -> None:
    """Play a fault and close the connection.

    :raises OSError: when the client has gone meanwhile.
    """
    with sock:
        sock.settimeout(HELLO_SECONDS)
        CONNECTION_FAULTS[fault](sock)


def _close(sock: socket.socket) -> None:
    """Nothing is read and nothing is sent."""


def _tls_close(sock: socket.socket) -> None:
    _read_hello(sock)


def _tls_alert(sock: socket.socket) -> None:
    _read_hello(sock)
    sock.sendall(_ALERT_INTERNAL_ERROR)


def _tls_plain(sock: socket.socket) -> None:
    _read_hello(sock)
    sock.sendall(_PLAIN_ANSWER)


def _read_hello(sock: socket.socket) -> None:
    """Read the ClientHello whole: a connection that is closed with unread data would be reset."""
    head = _read(sock, _RECORD_HEAD)
    _read(sock, int.from_bytes(head[3:_RECORD_HEAD], "big"))


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return data


CONNECTION_FAULTS: Mapping[str, Callable[[socket.socket], None]] = {
    "close": _close,
    "tls_close": _tls_close,
    "tls_alert": _tls_alert,
    "tls_plain": _tls_plain,
}
