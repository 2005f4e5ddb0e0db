# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""The listener of the event source: takes refs from playbooks, and callbacks from vendors.

``POST /tasks`` needs the token, ``POST /callback/SECRET/PROVIDER`` the secret. Whatever comes without these is answered
like a request to a path that does not exist, after the same comparisons, so that nobody learns what exists.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import os
import ssl
import typing as t

from .._errors import CloudError
from .._services.callbacks import LONGEST_CALLBACK, named_tasks
from .._services.registry import SERVICES
from .arguments import Arguments

HAS_AIOHTTP = True
try:
    from aiohttp import ClientPayloadError, http_exceptions, web
except ImportError:
    HAS_AIOHTTP = False

LONGEST_TASKS = 16 * 1024 * 1024
"""Largest body, in bytes, of ``POST /tasks``."""

MOST_WAITING = 500
MOST_WAITING_BYTES = 32 * 1024 * 1024
"""Callbacks that wait to be read: more are dropped, since polls tell what they would have told."""

BODY_SECONDS = 20.0
"""Seconds for a body to come."""

SILENT_SECONDS = 10.0
"""Seconds after which a connection is closed on which no request has come, or only a part of its headers."""

MOST_SILENT = 200
"""Such connections beyond this number are closed sooner, oldest first, so that files to open are left for others."""

BETWEEN_SWEEPS = 1.0
CHUNK = 65536
PATHS = 4  # parts of /callback/SECRET/PROVIDER, with the empty one before the first slash
TASKS_PATH = "/tasks"

logger = logging.getLogger(__name__)

TakeTasks = t.Callable[[t.Any], dict[str, t.Any]]
"""Takes the body of ``POST /tasks``, and returns the answer. Raises ``CloudError`` for a body that is refused."""

Hint = t.Callable[[str, list[str]], None]
"""Gets the provider word and the ids that a callback names."""


class _TooLong(Exception):
    """The body is longer than it may be."""


class Listener:
    """The HTTP server.

    :param listen: the argument ``listen``, already checked.
    :raises CloudError: ``config``, when the certificate cannot be used, or aiohttp is missing.
    """

    def __init__(self, listen: Arguments, take_tasks: TakeTasks, hint: Hint) -> None:
        if not HAS_AIOHTTP:
            advice = "install it where ansible-rulebook runs"
            raise CloudError("config", "the Python package aiohttp is missing, which listen needs", advice=advice)
        self._listen = listen
        self._take_tasks = take_tasks
        self._hint = hint
        self._token = _digest(listen["token"])
        self._secret = _digest(listen["callback_secret"])
        self._context = _tls_context(listen)
        self._waiting: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue(MOST_WAITING)
        self._waiting_bytes = 0
        self._runner: t.Any = None
        self._busy: set[t.Any] = set()
        self._silent_since: dict[t.Any, float] = {}
        self.port = 0

    async def start(self) -> None:
        """Listen.

        :raises CloudError: ``config``, when the address cannot be used.
        """
        host, port = self._listen["host"], self._listen["port"]
        quiet = logging.getLogger(f"{__name__}.http")
        quiet.setLevel(logging.CRITICAL + 1)  # it would write paths, which hold the secret
        server = web.Server(self._answer, access_log=None, logger=quiet, lingering_time=1.0)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=self._context, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            code = error.errno or 0  # below 0 for a name that is not found
            reason = os.strerror(code) if code > 0 else error.strerror or error
            said = f"listen: {host} port {port} cannot be used ({reason})"
            raise CloudError("config", said, advice="give another host or port") from None
        self.port = self._runner.addresses[0][1]
        scheme = "https" if self._context else "http"
        shown = f"[{host}]" if ":" in host else host
        logger.info("The event source cloud_tasks listens on %s://%s:%s", scheme, shown, self.port)

    async def stop(self) -> None:
        """Close all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def read_callbacks(self) -> None:
        """Read the callbacks that have come, one after the other, and pass on what they name. Runs until cancelled."""
        while True:
            word, body = await self._waiting.get()
            self._waiting_bytes -= len(body)
            try:
                named = await asyncio.to_thread(lambda: list(named_tasks(body, word)))  # noqa: B023 # awaited at once
            except CloudError:
                continue  # anybody who knows the secret can send anything: it is no news
            if named:
                self._hint(word, [options["task_id"] for dummy, options in named])

    async def close_silent(self) -> None:
        """Close connections on which no request comes. Runs until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(BETWEEN_SWEEPS)
            now = clock()
            silent = [one for one in self._runner.server.connections if one not in self._busy]
            known = {one: self._silent_since.get(one, now) for one in silent}
            self._silent_since = dict(sorted(known.items(), key=lambda item: item[1]))
            too_many = len(known) - MOST_SILENT
            for place, (one, since) in enumerate(self._silent_since.items()):
                if place < too_many or now - since >= SILENT_SECONDS:
                    one.force_close()

    # --- answers ---

    async def _answer(self, request: t.Any) -> t.Any:
        """Return the answer to any request, and note that its connection is in use."""
        self._silent_since.pop(request.protocol, None)
        self._busy.add(request.protocol)
        try:
            return await self._route(request)
        finally:
            self._busy.discard(request.protocol)

    async def _route(self, request: t.Any) -> t.Any:
        """Return the answer to any request. The comparisons are made for each of them."""
        parts = request.path.split("/")
        is_callback = len(parts) == PATHS and parts[1] == "callback"
        knows_secret = _same(parts[2] if is_callback else "", self._secret)
        bearer, dummy, token = request.headers.get("Authorization", "").partition(" ")
        knows_token = _same(token.strip() if bearer.lower() == "bearer" else "", self._token)
        try:
            if request.method == "POST" and is_callback and knows_secret and parts[3] in SERVICES:
                return await self._callback(request, parts[3])
            if request.method == "POST" and request.path == TASKS_PATH and knows_token:
                return await self._tasks(request)
        except _TooLong:
            return _plain(413, "The body is too long.", close=True)
        except asyncio.TimeoutError:
            return _plain(408, "The body did not come in time.", close=True)
        except (ConnectionError, web.PayloadAccessError, http_exceptions.HttpProcessingError, ClientPayloadError):
            return _plain(400, "The body did not come whole.", close=True)
        except Exception:
            logger.exception("The event source cloud_tasks could not answer a request")
            return _plain(500, "Internal error.", close=True)
        return _plain(404, "Not found.", close=request.can_read_body)

    async def _callback(self, request: t.Any, word: str) -> t.Any:
        body = await _body_of(request, LONGEST_CALLBACK)
        if self._waiting_bytes + len(body) <= MOST_WAITING_BYTES and not self._waiting.full():
            self._waiting_bytes += len(body)
            self._waiting.put_nowait((word, body))
        return _plain(200, "Thank you.")

    async def _tasks(self, request: t.Any) -> t.Any:
        body = await _body_of(request, LONGEST_TASKS)
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            return _json(400, {"error": "The body is no JSON."})
        try:
            return _json(202, self._take_tasks(content))
        except CloudError as error:
            return _json(400, {"error": error.sentence("Watching cloud tasks")})


async def _body_of(request: t.Any, most: int) -> bytes:
    """Returns the body of a request.

    :raises _TooLong: when it has more than ``most`` bytes. No more than that is read.
    """
    if (request.content_length or 0) > most:
        raise _TooLong
    chunks: list[bytes] = []
    size = 0
    ends = asyncio.get_running_loop().time() + BODY_SECONDS
    while True:
        left = ends - asyncio.get_running_loop().time()
        chunk = await asyncio.wait_for(request.content.read(CHUNK), max(0.0, left))
        if not chunk:
            return b"".join(chunks)
        size += len(chunk)
        if size > most:
            raise _TooLong
        chunks.append(chunk)


def _digest(secret: str | None) -> bytes | None:
    """Returns a digest, whose length tells nothing about the secret; null for no secret."""
    return hashlib.sha256(secret.encode("utf-8")).digest() if secret else None


def _same(given: str, digest: bytes | None) -> bool:
    """Returns whether a text is the secret, in a time that does not depend on the text. Without a secret, none is."""
    own = hashlib.sha256(given.encode("utf-8", "surrogateescape")).digest()
    return hmac.compare_digest(own, digest or bytes(len(own))) and digest is not None


def _plain(status: int, text: str, *, close: bool = False) -> t.Any:
    answer = web.Response(status=status, text=f"{text}\n")
    if close:  # what is left of the body is not read
        answer.force_close()
    return answer


def _json(status: int, content: t.Mapping[str, t.Any]) -> t.Any:
    return web.Response(status=status, text=json.dumps(content) + "\n", content_type="application/json")


def _tls_context(listen: Arguments) -> ssl.SSLContext | None:
    """Returns the context for TLS; null for plain HTTP.

    :raises CloudError: ``config``, when the certificate or its key cannot be used.
    """
    if not listen["tls_cert"]:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(listen["tls_cert"], listen["tls_key"], password="")
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        said = f"listen.tls_cert {listen['tls_cert']} and tls_key {listen['tls_key']} cannot be used ({reason})"
        raise CloudError(
            "config", said, advice="give a certificate and its key in PEM form, without password"
        ) from None
    return context


__all__ = ["LONGEST_TASKS", "Listener"]
