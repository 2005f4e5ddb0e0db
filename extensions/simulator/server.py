# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP or HTTPS server: one port of this machine, one thread for each connection."""

from __future__ import annotations

import socket
import ssl
import threading
from ipaddress import ip_address

import connections
from cloud import Cloud
from messages import TEXT, Reply
from tls import shake_hands
from wire import BadRequest, Wire


class NotLoopback(Exception):
    """The address is one that other machines could reach."""


class Server:
    """Listens as soon as it is made; `run` serves. With a context it serves HTTPS."""

    def __init__(self, cloud: Cloud, host: str, port: int, context: ssl.SSLContext | None = None) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._cloud = cloud
        self._state = cloud.state
        self._context = context
        self._lock = threading.Lock()
        self._wires: dict[int, Wire] = {}
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(512)
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if context else "http"
        self.url = f"{scheme}://{'[' + host + ']' if ':' in host else host}:{self.port}"

    def run(self, most_seconds: float | None) -> bool:
        """Serve until the end is asked for. Returns False if `most_seconds` passed first."""
        threading.Thread(target=self._accept, daemon=True).start()
        self._state.postman.start()
        asked = self._state.ending.wait(most_seconds)
        self._listener.close()
        self._state.postman.stop()
        with self._lock:
            wires = list(self._wires.values())
        for wire in wires:
            wire.finish()
        return asked

    def _accept(self) -> None:
        number = 0
        while not self._state.ending.event.is_set():
            try:
                sock = self._listener.accept()[0]
            except OSError:
                if self._state.ending.event.wait(0.05):
                    return
                continue
            number += 1
            fault = self._state.connections.strike()  # here, since threads would count in any order
            threading.Thread(target=self._serve, args=(sock, number, fault), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int, fault: str | None) -> None:
        journal = self._state.journal
        journal.connected(1)
        try:
            if fault is not None:
                journal.broken()
                connections.play(fault, sock)
            else:
                self._attend(self._open(sock, number))
        except OSError:
            pass  # the client has gone, or the simulator stops
        finally:
            journal.connected(-1)

    def _open(self, sock: socket.socket, number: int) -> Wire:
        try:
            if self._context is not None:
                sock = shake_hands(sock, self._context)
            return Wire(sock, number, self._state.clock, self._state.ending.event)
        except OSError:
            sock.close()
            raise

    def _attend(self, wire: Wire) -> None:
        with self._lock:
            self._wires[wire.number] = wire
        try:
            self._talk(wire)
        finally:
            with self._lock:
                del self._wires[wire.number]
            wire.drop()

    def _talk(self, wire: Wire) -> None:
        while True:
            try:
                request = wire.read()
            except BadRequest as problem:
                wire.refuse(Reply(problem.status, problem.sentence.encode("ascii") + b"\n", TEXT))
                return
            if request is None:
                return
            if not wire.answer(request, self._cloud.handle(request)):
                return


def loopback(host: str) -> str:
    """Return an address to listen on.

    :raises NotLoopback: when other machines could reach it.
    """
    name = "127.0.0.1" if host == "localhost" else host
    try:
        address = ip_address(name)
    except ValueError:
        raise NotLoopback(f"{host!r} is not an address of this machine") from None
    if not address.is_loopback:
        raise NotLoopback(f"{host} could be reached from elsewhere; the simulator listens on loopback only")
    return str(address)
