# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only; it knows no cloud and no Ansible.
"""The state file of a wait: what another process needs to continue it after a kill.

It is written atomically, readable by its owner only, and never through a symbolic link or over the file of another
user. It is locked while a wait runs, with a lock that the system releases when the process is killed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import tempfile
import time
import typing as t

VERSION = 5
TRIES = 10
BETWEEN_TRIES = 0.2

State = dict[str, t.Any]


class StateError(Exception):
    """Raised when a state file cannot be used. Its text is one sentence."""

    @classmethod
    def damaged(cls, path: str) -> StateError:
        """Returns the error for a file whose content is not what was written."""
        return cls(f"The state file {path} is damaged or of another release; remove it to begin the wait anew.")


class InUseError(StateError):
    """Raised when another wait has locked the state file."""


class StateFile:
    """A state file, which is locked from ``open`` to ``close``."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self._lock_path = self.path + ".lock"
        self._lock: int | None = None

    def open(self) -> State | None:
        """Lock the file, and return the saved state; null if there is no file.

        :raises StateError: when the file is in use, damaged, of another user, or not a regular file.
        """
        folder = os.path.dirname(self.path)
        if not os.path.isdir(folder):
            raise StateError(f"The folder of the state file {self.path} does not exist; create it first.")
        self._check_ours(self.path)
        self._take_lock_patiently()
        return self._read()

    def _check_ours(self, path: str) -> None:
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise StateError(f"The state file {path} cannot be used ({error.strerror}); name another.") from None
        if not stat.S_ISREG(status.st_mode):
            raise StateError(f"The state file {path} is a symbolic link or no regular file; name another.")
        if status.st_uid != os.geteuid():
            raise StateError(f"The state file {path} belongs to another user; name another.")

    def _take_lock_patiently(self) -> None:
        """Lock the file. Tries for some seconds, since processes of a killed run may keep its lock for a moment."""
        for dummy in range(TRIES):
            try:
                self._take_lock()
            except InUseError:
                time.sleep(BETWEEN_TRIES)
            else:
                return
        self._take_lock()

    def _take_lock(self) -> None:
        self._check_ours(self._lock_path)
        try:
            lock = os.open(self._lock_path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"The state file {self.path} cannot be locked ({error.strerror}); name another.") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = os.fstat(lock).st_ino == os.lstat(self._lock_path).st_ino
        except OSError:
            free = False
        if not free:
            os.close(lock)
            raise InUseError(
                f"The state file {self.path} is in use by another wait; several hosts need several paths, "
                'for example with "{{ inventory_hostname }}" in them.'
            )
        self._lock = lock

    def _read(self) -> State | None:
        try:
            with open(os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), encoding="utf-8") as file:
                content = json.load(file)
            state: State | None = content["state"]
            good = content["version"] == VERSION and content["checksum"] == _checksum(state)
        except FileNotFoundError:
            return None
        except (OSError, LookupError, TypeError, ValueError, RecursionError):
            good = False
        if not good:
            self.close()
            raise StateError.damaged(self.path)
        return state

    def write(self, state: State) -> None:
        """Replace the saved state atomically.

        :raises StateError: when the file cannot be written.
        """
        try:
            handle, name = tempfile.mkstemp(prefix=".wait-", dir=os.path.dirname(self.path))
            try:
                with open(handle, "w", encoding="utf-8") as file:
                    json.dump({"version": VERSION, "checksum": _checksum(state), "state": state}, file)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(name, self.path)
            except BaseException:
                os.unlink(name)
                raise
        except OSError as error:
            raise StateError(f"The state file {self.path} cannot be written ({error.strerror}).") from None

    def close(self, *, remove: bool = False) -> None:
        """Unlock the file.

        :param remove: whether to remove it, because the wait has ended and cannot be continued.
        """
        if self._lock is None:
            return
        for path in (self.path, self._lock_path) if remove else (self._lock_path,):
            with contextlib.suppress(OSError):  # the result matters more than a file that stays
                os.unlink(path)
        os.close(self._lock)
        self._lock = None


def _checksum(state: t.Any) -> str:
    """Returns a checksum, which shows whether a state was changed after it was written, by hand or by a disk error."""
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode("ascii")).hexdigest()


__all__ = ["State", "StateError", "StateFile"]
