# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The round's end of the live channel, a Unix socket by which it tells changes while it runs.

Each update is one line of JSON. Nothing is sent the other way: the controller closes the channel when it needs no more
polls, since a condition has decided, and the system closes it when the controller is killed.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import typing as t

from .contract import Update

SEND_TIMEOUT = 10.0
"""Seconds after which a channel is given up whose controller does not read."""

ENCODE = json.JSONEncoder(separators=(",", ":")).encode


class Channel:
    """An open channel.

    :param connection: socket that is connected to the controller.
    :param clean: returns an update without secrets.
    """

    def __init__(self, connection: socket.socket, clean: t.Callable[[Update], t.Any]) -> None:
        self._connection = connection
        self._connection.settimeout(SEND_TIMEOUT)
        self._clean = clean

    def tell(self, update: Update) -> bool:
        """Send an update. Returns whether that succeeded; if not, the channel can be used no more."""
        try:
            self._connection.sendall(f"{ENCODE(self._clean(update))}\n".encode())
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close the channel."""
        self._connection.close()

    def watch(self, closed: t.Callable[[], None]) -> None:
        """Call a function, in a thread of its own, as soon as the controller closes the channel."""
        poller = select.poll()
        poller.register(self._connection, select.POLLIN)  # which the end of the channel is

        def wait() -> None:
            poller.poll()
            closed()

        threading.Thread(target=wait, daemon=True).start()


def connect(path: str | None, clean: t.Callable[[Update], t.Any]) -> Channel | None:
    """Returns the channel at a path; null if there is none, or if this host or user cannot reach it.

    :param clean: returns an update without secrets.
    """
    if path is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:
        connection.close()
        return None
    return Channel(connection, clean)


__all__ = ["Channel", "connect"]
