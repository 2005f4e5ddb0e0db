# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One connection: HTTP/1.1, written here by hand so that faults can break every rule of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Callable

from messages import Reply, Request, http_date

LONGEST_FAULT = 120.0
IDLE_SECONDS = 120.0
MOST_HEAD = 64 * 1024
MOST_BODY = 128 * 1024 * 1024
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class BadRequest(Exception):
    """A request that cannot be read; the connection is closed after the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Wire:
    """A connection that a client has made. Senders of replies use the part that `messages.Connection` names."""

    def __init__(self, sock: socket.socket, number: int, clock: Callable[[], float], stop: threading.Event) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(IDLE_SECONDS)
        self.number = number
        self.clock = clock
        self._socket = sock
        self._file = sock.makefile("rb", 16 * 1024)
        self._stop = stop
        self._until = 0.0

    def read(self) -> Request | None:
        """Return the next request, None if the client has closed the connection.

        :raises BadRequest: when it is not HTTP/1.1, too long or not complete.
        :raises OSError: when the connection breaks.
        """
        line = self._file.readline(MOST_HEAD)
        if line in (b"\r\n", b"\n"):
            line = self._file.readline(MOST_HEAD)
        if not line:
            return None
        parts = line.decode("iso-8859-1").split()
        if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
            raise BadRequest(400, "This is not a request of HTTP/1.1.")
        headers = self._read_headers(MOST_HEAD - len(line))
        if parts[2] == "HTTP/1.0":
            headers.setdefault("connection", "close")
        return Request(parts[0], parts[1], headers, self._read_body(headers), self.number)

    def _read_headers(self, room: int) -> dict[str, str]:
        headers: dict[str, str] = {}
        while True:
            line = self._file.readline(room + 1)
            room -= len(line)
            if room < 0 or not line:
                raise BadRequest(431, "The head of the request is too long or not complete.")
            if line in (b"\r\n", b"\n"):
                return headers
            name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
            if not colon or name != name.strip():
                raise BadRequest(400, "A header of the request cannot be read.")
            name = name.lower()
            value = value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value

    def _read_body(self, headers: dict[str, str]) -> bytes:
        if "transfer-encoding" in headers:
            raise BadRequest(411, "The request must say its Content-Length.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BODY:
            raise BadRequest(413, "The Content-Length of the request is not a number that is taken here.")
        if length == "0":
            return b""
        if headers.get("expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        body: bytes = self._file.read(int(length))
        if len(body) < int(length):
            raise BadRequest(400, "The body of the request is not complete.")
        return body

    def answer(self, request: Request, reply: Reply) -> bool:
        """Send a reply. Returns whether the connection can be used again.

        :raises OSError: when the connection breaks.
        """
        close = request.headers.get("connection", "").lower() == "close"
        if close:
            reply.headers = [*reply.headers, ("Connection", "close")]
        if reply.sender is not None:
            self._until = time.monotonic() + LONGEST_FAULT
            return reply.sender(self, reply) and not close
        self.send_whole(reply)
        return not close

    def send_whole(self, reply: Reply) -> None:
        """Send a reply as HTTP wants it."""
        self.send(self.head(reply, [("Content-Length", str(len(reply.body)))]) + reply.body)

    def head(self, reply: Reply, more: Iterable[tuple[str, str]]) -> bytes:
        """Return the status line and the headers of a reply, `more` at their end."""
        lines = [
            f"HTTP/1.1 {reply.status} {_PHRASES.get(reply.status, 'Unknown')}",
            f"Date: {http_date(self.clock())}",
            f"Content-Type: {reply.content_type}",
        ]
        lines += [f"{name}: {value}" for name, value in (*reply.headers, *more)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def send_raw(self, data: bytes) -> None:
        """Send bytes outside TLS, so that they are no valid record of it. Without TLS the same as `send`."""
        socket.socket.sendall(self._socket, data)

    def pause(self, seconds: float) -> bool:
        """Wait. Returns False if a fault must end: client or simulator are gone, or `LONGEST_FAULT` is over."""
        end = min(time.monotonic() + seconds, self._until)
        while not self._stop.is_set() and not self._client_has_gone():
            left = end - time.monotonic()
            if left <= 0:
                return time.monotonic() < self._until
            self._stop.wait(min(left, 0.1))
        return False

    def _client_has_gone(self) -> bool:
        self._socket.settimeout(0)
        try:
            return not socket.socket.recv(self._socket, 1, socket.MSG_PEEK)  # past TLS, which cannot peek
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            self._socket.settimeout(IDLE_SECONDS)

    def reset(self) -> None:
        """Break the connection with a TCP reset, once it is closed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def refuse(self, reply: Reply) -> None:
        """Answer a request that could not be read; the connection is closed after it."""
        reply.headers = [("Connection", "close")]
        self.send_whole(reply)

    def finish(self) -> None:
        """End the connection from another thread. The thread that serves it wakes up and closes it."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # past TLS, whose state is not to change meanwhile

    def drop(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()
