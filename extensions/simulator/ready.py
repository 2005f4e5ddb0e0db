# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ready file: where a simulator listens, and how it is stopped by another process that has the file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import tempfile
import time
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

ANSWER_SECONDS = 10.0
END_SECONDS = 20.0
TRIES = 5


class NotWritten(Exception):
    """The ready file cannot be written; the text says why in one sentence."""


class NotStopped(Exception):
    """A simulator could not be stopped; the text says why in one sentence."""


def write(path: Path, content: Mapping[str, Any]) -> None:
    """Write the file whole, for its owner's eyes only: it holds the control key.

    :raises NotWritten: when its folder does not let it.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=".simulator-", dir=path.parent)  # mode 0600
    except OSError as problem:
        raise NotWritten(f"--ready-file {path} cannot be written ({type(problem).__name__})") from problem
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(name, path)


def remove(path: Path) -> None:
    """Remove the file, unless another simulator has written it meanwhile."""
    try:
        if json.loads(path.read_text(encoding="utf-8")).get("pid") == os.getpid():
            path.unlink()
    except (OSError, ValueError, AttributeError):
        return


def stop(path: Path) -> bool:
    """Stop the simulator that wrote the file and wait until it has ended; false when there is none.

    :raises NotStopped: when the file is no ready file, or the simulator does not end.
    """
    if not path.exists():
        return False
    about = _read(path)
    if not _end(about):
        path.unlink()
        return False
    end = time.monotonic() + END_SECONDS
    while path.exists() and _read(path)["pid"] == about["pid"]:
        if time.monotonic() > end:
            raise NotStopped(f"the simulator (process {about['pid']}) did not end within {END_SECONDS:g} seconds")
        time.sleep(0.05)
    return True


def _read(path: Path) -> dict[str, Any]:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        parts = urlsplit(about["url"])
        if not parts.port or not ip_address(parts.hostname or "").is_loopback:
            raise ValueError("not an address of this machine")
        return {"url": parts, "pid": int(about["pid"]), "control_key": str(about["control_key"])}
    except FileNotFoundError:
        return {"pid": 0}  # it has ended just now
    except OSError as problem:
        raise NotStopped(f"{path} cannot be read ({type(problem).__name__})") from problem
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise NotStopped(f"{path} is not a ready file of the simulator") from problem


def _end(about: Mapping[str, Any]) -> bool:
    """Tell the simulator to end; false when it has ended before."""
    for dummy in range(TRIES):
        try:
            url: SplitResult = about["url"]
            sock = socket.create_connection((url.hostname, url.port), timeout=ANSWER_SECONDS)
        except (OSError, KeyError):
            return False
        with contextlib.suppress(OSError):  # a fault of connections, which strikes control calls, too
            return _shut_down(sock, url, about["control_key"])
    try:
        os.kill(about["pid"], signal.SIGTERM)
    except OSError:
        return False
    return True


def _shut_down(sock: socket.socket, url: SplitResult, key: str) -> bool:
    """Make the control call; false when another program listens there now."""
    head = f"POST /_simulator/shutdown HTTP/1.1\r\nHost: {url.netloc}\r\nX-Simulator-Key: {key}\r\n"
    with sock, _secured(sock) if url.scheme == "https" else sock as connection:
        connection.sendall(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
        with connection.makefile("rb") as file:
            line = file.readline(1000)
    if not line:
        raise ConnectionResetError("no answer")
    return line.startswith(b"HTTP/1.1 200 ")


def _secured(sock: socket.socket) -> ssl.SSLSocket:
    """Speak TLS and trust any certificate: the address is one of this machine, and plain HTTP would do as well."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(sock)
