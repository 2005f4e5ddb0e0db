# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""What the action does while the module runs a round: print heartbeat lines, and receive what the round tells.

Ansible returns nothing before a module ends. So a thread does this beside the one that runs the module. It is never
active outside the ``with`` block of a round, so that the wait's objects are used by one thread at a time.
"""

from __future__ import annotations

import contextlib
import contextvars
import json
import os
import selectors
import shutil
import socket
import tempfile
import threading
import typing as t

from ansible import constants as C  # noqa: N812 # so it is written everywhere in Ansible
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import LONGEST_SLEEP
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import Order
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._updates import Updates

CHUNK = 1 << 20
"""Largest number of bytes that are read at once."""


class Live:
    """The controller's side of a round while it runs. Use it as a context manager around the run of the module.

    There is a live channel where the module runs on this machine and as this user.

    :param updates: processes what the round tells.
    :param connection: Ansible's connection to the host.
    """

    def __init__(self, updates: Updates, connection: t.Any) -> None:
        self.reach: Order = {}  # the members of the order by which the round reaches this object
        self.was_heard = False  # whether the module has connected to it
        self._updates = updates
        self._failure: BaseException | None = None
        self._selector = selectors.DefaultSelector()
        self._stop, self._stopped = socket.socketpair()
        self._selector.register(self._stopped, selectors.EVENT_READ, self._end)
        self._is_over = False
        self._folder: str | None = None
        self._buffer = bytearray()
        if connection.transport != "local":
            return
        if connection.become:
            self.reach = {"controller": os.getpid()}
            return
        # Ansible removes its own folder when it ends, but the path of that may be too long for a socket.
        # Without a channel, changes are told when a round ends.
        for parent in (C.DEFAULT_LOCAL_TMP, None):
            with contextlib.suppress(OSError):
                self._listen(parent)
                break

    def _listen(self, parent: str | None) -> None:
        """Open the channel in a new folder.

        :param parent: where to make the folder; null for the system's folder for temporary files.
        :raises OSError: when that fails.
        """
        with contextlib.ExitStack() as undo:
            self._folder = tempfile.mkdtemp(prefix="cloudwait-", dir=parent)  # only this user may enter it
            undo.callback(self._remove_folder)
            listener = undo.enter_context(socket.socket(socket.AF_UNIX))
            path = os.path.join(self._folder, "live")
            listener.bind(path)
            listener.listen(1)
            undo.pop_all()
        self._selector.register(listener, selectors.EVENT_READ, self._accept)
        self.reach = {"channel": path}

    def __enter__(self) -> Live:
        # The variables of this context are those by which Ansible knows on whose behalf a thread works.
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._serve,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._stop.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            t.cast(socket.socket, key.fileobj).close()
        self._selector.close()
        self._remove_folder()
        if self._failure is not None:
            raise self._failure

    def _remove_folder(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    # --- in the thread ---

    def _serve(self) -> None:
        try:
            while True:
                ready = self._selector.select(self._pause())
                for key, dummy in ready:
                    key.data(key.fileobj)
                if not ready and self._is_over:
                    return
                if not ready:
                    self._updates.beat()
        except BaseException as error:  # noqa: BLE001 # __exit__ raises it, in the thread that runs the module
            self._failure = error
            self._close_channel()

    def _pause(self) -> float:
        """Returns the seconds to wait for something to receive."""
        return 0.0 if self._is_over else min(max(0.0, self._updates.next_beat()), LONGEST_SLEEP)

    def _end(self, stopped: socket.socket) -> None:
        """Let the thread end as soon as there is nothing more to receive."""
        self._selector.unregister(stopped)
        stopped.close()
        self._is_over = True

    def _accept(self, listener: socket.socket) -> None:
        connection, dummy = listener.accept()
        self.was_heard = True
        self._selector.unregister(listener)
        listener.close()
        self._remove_folder()  # nothing is left on the disk, however this process ends
        self._selector.register(connection, selectors.EVENT_READ, self._receive)

    def _receive(self, connection: socket.socket) -> None:
        """Process what has come. Once the outcome is certain, tell the module so, and process the rest of what it has sent."""
        data = connection.recv(CHUNK)
        if not data:  # the round has ended
            self._close_channel()
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            update = json.loads(self._buffer + line)
            self._buffer = bytearray()
            if self._updates.take(update):
                with contextlib.suppress(OSError):  # the round may have ended
                    connection.shutdown(socket.SHUT_WR)
        self._buffer += rest

    def _close_channel(self) -> None:
        """Close the channel, which ends the round if it has not ended."""
        for key in list(self._selector.get_map().values()):
            if key.data == self._receive:
                self._selector.unregister(key.fileobj)
                t.cast(socket.socket, key.fileobj).close()


__all__ = ["Live"]
