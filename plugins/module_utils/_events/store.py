# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""What the event source remembers: the cloud tasks that it watches, the events to be told, and how far lists were read.

It is an SQLite database, which survives a kill at any moment. The file is readable by its owner only, and is never used
through a symbolic link or over the file of another user. One process at a time uses it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import typing as t

from .._errors import CloudError
from .telling import END, Event

VERSION = 1
IN_MEMORY = ":memory:"

REMEMBERED = 30 * 86400.0
"""Seconds for which an end is remembered, so that a ref that comes again is not told again."""

SCHEMA = """
CREATE TABLE watched (key TEXT PRIMARY KEY, item TEXT NOT NULL, since REAL NOT NULL, seen TEXT, changes INTEGER NOT NULL);
CREATE TABLE ended (key TEXT PRIMARY KEY, at REAL NOT NULL, done INTEGER NOT NULL);
CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event TEXT NOT NULL);
CREATE TABLE lists (key TEXT PRIMARY KEY, cursor TEXT NOT NULL);
"""

Item = dict[str, t.Any]


class Watched(t.NamedTuple):
    """A cloud task that is watched.

    :param item: its item of the plan: ``ref``, and ``name`` and ``options`` if given.
    :param since: when the watch began, in Unix seconds.
    :param seen: status and fingerprint of the last record that was told as a change; empty if there is none.
    :param changes: number of changes so far. A watch that follows one that was given up counts on from the Unix time of
        its begin, so that its events have ids of their own.
    """

    key: str
    item: Item
    since: float
    seen: dict[str, str]
    changes: int = 0


class Store:
    """The database.

    :param path: the file; null to remember nothing beyond the process.
    :raises CloudError: ``config``, when the file cannot be used.
    """

    def __init__(self, path: str | None) -> None:
        self.path = IN_MEMORY if path is None else os.path.abspath(path)
        if path is not None:
            _check_file(self.path)
        try:
            self._base = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        except sqlite3.Error as error:
            raise _refusal(self.path, error) from None
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._base.close()
            raise _refusal(self.path, error) from None

    def _prepare(self) -> None:
        base = self._base
        base.execute("PRAGMA locking_mode = EXCLUSIVE")
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        base.execute("BEGIN IMMEDIATE")
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in filter(None, map(str.strip, SCHEMA.split(";"))):
                base.execute(statement)
            base.execute(f"PRAGMA user_version = {VERSION}")
        base.execute("COMMIT")
        if version not in (0, VERSION):
            base.close()
            said = f"state_file is {self.path}, which another release of this collection has written"
            raise CloudError("config", said, advice="remove it, or name another")

    @contextlib.contextmanager
    def _all_or_nothing(self) -> t.Iterator[sqlite3.Connection]:
        self._base.execute("BEGIN IMMEDIATE")
        try:
            yield self._base
        except BaseException:
            self._base.execute("ROLLBACK")
            raise
        self._base.execute("COMMIT")

    def _content(self, text: str) -> dict[str, t.Any]:
        """Returns what is written in a column.

        :raises CloudError: ``config``, when it is no JSON object.
        """
        try:
            content = json.loads(text)
        except (ValueError, TypeError, RecursionError):
            content = None
        if not isinstance(content, dict):
            raise self._damage()
        return content

    def _damage(self) -> CloudError:
        said = f"state_file is {self.path}, which is damaged: a row cannot be read"
        return CloudError("config", said, advice="remove it, or name another")

    def close(self) -> None:
        """Close the database."""
        self._base.close()

    # --- cloud tasks ---

    def add(self, items: t.Mapping[str, Item], now: float, *, again: bool = False) -> list[Watched]:
        """Watch cloud tasks, but for those that are watched or have ended. Returns those that are new.

        :param items: the items by key.
        :param again: also watch those that had not ended when the source gave up on them, such as at ``timeout``.
        """
        new = []
        with self._all_or_nothing() as base:
            for key, item in items.items():
                known = base.execute(
                    "SELECT 1 FROM watched WHERE key = ? UNION ALL SELECT 1 FROM ended WHERE key = ? AND done >= ?",
                    (key, key, again),
                )
                if known.fetchone() is None:
                    forgotten = base.execute("DELETE FROM ended WHERE key = ?", (key,)).rowcount
                    changes = int(now) if forgotten else 0
                    row = (key, json.dumps(item), now, changes)
                    base.execute("INSERT INTO watched VALUES (?, ?, ?, NULL, ?)", row)
                    new.append(Watched(key, item, now, {}, changes))
        return new

    def watched(self) -> list[Watched]:
        """Returns the cloud tasks that are watched, those first that have been for longest."""
        rows = self._base.execute("SELECT key, item, since, seen, changes FROM watched ORDER BY since, rowid")
        found = [
            Watched(key, self._content(item), since, self._content(seen or "{}"), changes)
            for key, item, since, seen, changes in rows
        ]
        for watched in found:
            ref = watched.item.get("ref")
            if not isinstance(ref, dict) or not {"provider", "task_id"} <= set(ref):
                raise self._damage()
        return found

    def forget_ends(self, now: float, keep: t.Collection[str]) -> None:
        """Forget the ends that are long past.

        :param keep: keys to remember nevertheless.
        """
        with self._all_or_nothing() as base:
            rows = base.execute("SELECT key FROM ended WHERE at < ?", (now - REMEMBERED,)).fetchall()
            base.executemany("DELETE FROM ended WHERE key = ?", [row for row in rows if row[0] not in keep])

    # --- events ---

    def enter(self, events: t.Iterable[tuple[str, Event, dict[str, str]]], now: float) -> None:
        """Enter events that are to be told, and what they mean for their cloud tasks, all or none of them.

        :param events: key, event, and status and fingerprint of the record. An end is entered once.
        """
        with self._all_or_nothing() as base:
            for key, event, seen in events:
                base.execute(
                    "INSERT OR IGNORE INTO events (event_id, event) VALUES (?, ?)",
                    (event["event_id"], json.dumps(event)),
                )
                if event["kind"] == END:
                    base.execute("DELETE FROM watched WHERE key = ?", (key,))
                    base.execute(
                        "INSERT OR REPLACE INTO ended VALUES (?, ?, ?)", (key, now, event["cloud_task"]["done"])
                    )
                else:
                    base.execute(
                        "UPDATE watched SET seen = ?, changes = changes + 1 WHERE key = ?", (json.dumps(seen), key)
                    )

    def mark_seen(self, seen: t.Mapping[str, dict[str, str]]) -> None:
        """Note that there are records of cloud tasks, without an event.

        :param seen: status and fingerprint by key.
        """
        with self._all_or_nothing() as base:
            base.executemany(
                "UPDATE watched SET seen = ? WHERE key = ?", [(json.dumps(mark), key) for key, mark in seen.items()]
            )

    def untold(self, after: int = 0, most: int = 100) -> list[tuple[int, Event]]:
        """Returns the first events that are to be told, with their numbers.

        :param after: leave out those up to this number.
        """
        rows = self._base.execute(
            "SELECT number, event FROM events WHERE number > ? ORDER BY number LIMIT ?", (after, most)
        )
        return [(number, self._content(event)) for number, event in rows]

    def strike_off(self, event_ids: t.Iterable[str]) -> None:
        """Remove events that have been told."""
        with self._all_or_nothing() as base:
            base.executemany("DELETE FROM events WHERE event_id = ?", [(event_id,) for event_id in event_ids])

    # --- lists ---

    def cursor(self, key: str) -> dict[str, t.Any] | None:
        """Returns how far a list was read; null if it never was."""
        row = self._base.execute("SELECT cursor FROM lists WHERE key = ?", (key,)).fetchone()
        return self._content(row[0]) if row else None

    def set_cursor(self, key: str, cursor: t.Mapping[str, t.Any]) -> None:
        """Remember how far a list was read."""
        with self._all_or_nothing() as base:
            base.execute("INSERT OR REPLACE INTO lists VALUES (?, ?)", (key, json.dumps(cursor)))


def _check_file(path: str) -> None:
    """Make the file if there is none, and refuse one that is not safe to use.

    :raises CloudError: ``config``.
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        said = f"state_file is {path}, and its folder does not exist"
        raise CloudError("config", said, advice="create the folder first")
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        try:
            status = os.fstat(handle)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
    except OSError as error:
        if os.path.islink(path):
            raise _unsafe(path, "is a symbolic link") from None
        said = f"state_file is {path}, which cannot be opened ({error.strerror})"
        raise CloudError("config", said, advice="name another") from None
    if not stat.S_ISREG(status.st_mode):
        raise _unsafe(path, "is no regular file")
    if status.st_uid != os.geteuid():
        raise _unsafe(path, "belongs to another user")


def _unsafe(path: str, said: str) -> CloudError:
    return CloudError("config", f"state_file is {path}, which {said}", advice="name another")


def _refusal(path: str, error: sqlite3.Error) -> CloudError:
    if "locked" in str(error):
        said = f"state_file is {path}, which another event source uses"
        return CloudError("config", said, advice="name another, or end that one")
    said = f"state_file is {path}, which is no database of this event source ({error})"
    return CloudError("config", said, advice="remove it, or name another")


__all__ = ["Store", "Watched"]
