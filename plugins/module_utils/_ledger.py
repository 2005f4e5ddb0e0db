# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: files. It knows no service and no AnsibleModule.
"""The ledger: an SQLite database that remembers which cloud task was started under which key.

An entry is written and flushed before a start is sent, and again when the id of the cloud task is known. A process that
is killed in between leaves an entry of the state ``sent``, so that the next one knows that a cloud task may exist.

Processes that start under the same key wait for each other. They lock a byte of the file ``<ledger>-lock``, and the
system releases the lock of a process that is killed. The table holds no secrets, and of the vendor's texts only ids.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import time
import typing as t
from datetime import datetime, timezone
from urllib.parse import quote

from ._errors import CloudError, quoted
from ._record import STATUSES, SUCCEEDED, Record, make_record

HAS_SQLITE = True
try:
    import sqlite3
except ImportError:
    HAS_SQLITE = False

RESERVED = "reserved"
SENT = "sent"
STARTED = "started"
STATES = (RESERVED, SENT, STARTED)
"""Nothing was sent yet; the start may have been sent, and its id is not known; the id is known."""

APPLICATION = 0x63774C67  # "cwLg"
VERSION = 1
SCHEMA = """
CREATE TABLE starts (
  provider TEXT NOT NULL,
  key TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('reserved', 'sent', 'started')),
  attempt INTEGER NOT NULL,
  asked TEXT NOT NULL,
  intended_at TEXT NOT NULL,
  started_at TEXT,
  task_id TEXT,
  status TEXT,
  ref TEXT NOT NULL,
  record TEXT,
  earlier TEXT NOT NULL,
  PRIMARY KEY (provider, key)
)
"""

BUSY_SECONDS = 30.0
"""How long to wait for another process that reads or writes the database."""

LONGEST_WAIT = 900.0
"""How long to wait, in seconds, for another process that starts under the same key."""

FIRST_PAUSE = 0.02
LONGEST_PAUSE = 0.5
"""Pauses, in seconds, between two attempts to lock a key."""

NOT_KEPT = ("provider", "task_id", "ref", "status", "error", "parts", "request_id")
"""Members of a record that are not kept, since the entry has them itself or since they may be texts of the vendor."""

OTHER_FILE = "give another file"

Ids = tuple[str, ...]
T = t.TypeVar("T")


class Entry(t.NamedTuple):
    """One start in the ledger. The columns of the table ``starts`` have these names.

    :param key: the idempotency key; each service has its own.
    :param state: one of ``STATES``.
    :param attempt: counts the cloud tasks that were started under the key.
    :param asked: a digest of what was asked for.
    :param intended_at: when the start was about to be sent, in UTC.
    :param started_at: when its id was written, in UTC.
    :param status: the last status that was seen.
    :param ref: the ref of the cloud task; without an id until that is known.
    :param record: members of the record of a cloud task that has ended and need not be polled again.
    :param earlier: ids of cloud tasks that were started under the key before.
    """

    provider: str
    key: str
    state: str
    attempt: int
    asked: str
    intended_at: str
    started_at: str | None = None
    task_id: str | None = None
    status: str | None = None
    ref: dict[str, t.Any] = {}  # noqa: RUF012 # a default of NamedTuple, never changed
    record: dict[str, t.Any] | None = None
    earlier: Ids = ()

    def followed(self, ref: dict[str, t.Any]) -> Entry:
        """Returns the entry for another cloud task under the key, in place of one whose id is known.

        :param ref: where it will be.
        """
        earlier = (*self.earlier, *([self.task_id] if self.task_id else []))
        again = self._replace(attempt=self.attempt + 1, earlier=earlier, ref=ref)
        return again._replace(task_id=None, status=None, started_at=None, record=None)

    def as_dict(self) -> dict[str, t.Any]:
        """Returns the entry for people."""
        return {**self._asdict(), "earlier": list(self.earlier)}


COLUMNS = ", ".join(Entry._fields)
MARKS = ", ".join("?" * len(Entry._fields))
INSERT = f"INSERT OR REPLACE INTO starts ({COLUMNS}) VALUES ({MARKS})"  # noqa: S608 # names of ours
NOTE = "UPDATE starts SET status = ?, record = ? WHERE provider = ? AND task_id = ?"
REMOVE = "DELETE FROM starts WHERE provider = :provider AND key = :key"
REMOVE_UNCHANGED = f"{REMOVE} AND attempt = :attempt AND state = :state AND intended_at = :intended_at"
RENAME = "UPDATE starts SET key = ? WHERE provider = ? AND key = ?"
SELECT = f"SELECT {COLUMNS} FROM starts"  # noqa: S608 # names of ours
JSON_COLUMNS = ("ref", "record", "earlier")


class Ledger:
    """An open ledger. Use it in a ``with`` statement, which closes it.

    :param path: its file. It is made, with mode 0600, if there is none.
    :param read_only: write nothing; a file that does not exist, or whose folder does not, is an empty ledger.
    :param clock: returns the Unix time.
    :raises CloudError: ``config``, when the file cannot be used.
    """

    def __init__(self, path: str, *, read_only: bool = False, clock: t.Callable[[], float] = time.time) -> None:
        self.path = os.path.abspath(path)
        self.read_only = read_only
        self._clock = clock
        self._database = _Database(self.path, read_only=read_only)

    def __enter__(self) -> Ledger:
        """Returns the ledger."""
        return self

    def __exit__(self, *dummy: object) -> None:
        """Close the database."""
        self._database.close()

    def find(self, provider: str, key: str) -> Entry | None:
        """Returns the entry of a key; null if there is none.

        :raises CloudError: ``config``, when the ledger cannot be read.
        """
        return next(iter(self._select("WHERE provider = ? AND key = ?", provider, key)), None)

    def entries(self) -> list[Entry]:
        """Returns all entries, the oldest start first.

        :raises CloudError: ``config``, when the ledger cannot be read.
        """
        return self._select("ORDER BY intended_at, provider, key")

    def of_request(self, provider: str, asked: str) -> list[Entry]:
        """Returns the entries of a request, under whatever key, the oldest start first.

        :raises CloudError: ``config``, when the ledger cannot be read.
        """
        return self._select("WHERE provider = ? AND asked = ? ORDER BY intended_at, rowid", provider, asked)

    def known_ids(self, provider: str, *, besides: str) -> set[str]:
        """Returns the ids of all cloud tasks of a service in the ledger, except the last one of a key.

        :param besides: that key.
        :raises CloudError: ``config``, when the ledger cannot be read.
        """
        entries = self._select("WHERE provider = ?", provider)
        last = {entry.task_id for entry in entries if entry.task_id and entry.key != besides}
        return last.union(*(entry.earlier for entry in entries))

    def put(self, *entries: Entry) -> None:
        """Write entries in place of those with the same keys. They are on the disk when this returns.

        :raises CloudError: ``config``, when the ledger cannot be written.
        """
        self._database.write(INSERT, map(_row, entries))

    def remove(self, *entries: Entry, unless_changed: bool = False) -> None:
        """Remove entries.

        :param unless_changed: keep those that another process has changed since they were read.
        :raises CloudError: ``config``, when the ledger cannot be written.
        """
        statement = REMOVE_UNCHANGED if unless_changed else REMOVE
        self._database.write(statement, (entry._asdict() for entry in entries))

    def rename(self, entry: Entry, key: str) -> None:
        """Give an entry another key.

        :raises CloudError: ``config``, when the ledger cannot be written.
        """
        self._database.write(RENAME, [(key, entry.provider, entry.key)])

    def note_ends(self, records: t.Iterable[Record]) -> None:
        """Write the statuses of cloud tasks. Those that have succeeded need no poll from then on.

        :raises CloudError: ``config``, when the ledger cannot be written.
        """
        rows = [(each["status"], _json(kept(each)), each["provider"], each["task_id"]) for each in records]
        self._database.write(NOTE, rows)

    def now(self) -> str:
        """Returns the present time in UTC, as entries have it."""
        return text_of(self._clock())

    def age(self, moment: str) -> float:
        """Returns the seconds since a time that an entry has."""
        return self._clock() - seconds_of(moment)

    @contextlib.contextmanager
    def locked(self, key: str, *, sleep: t.Callable[[float], None] = time.sleep) -> t.Iterator[None]:
        """Let no other process start under a key in the ``with`` block. Waits for one that does.

        :raises CloudError: ``config``, when the lock file cannot be used, or when the other process does not end.
        """
        try:
            handle = os.open(f"{self.path}-lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise _unusable(self.path, f"it cannot be locked ({error.strerror})", OTHER_FILE) from None
        try:
            ends, pause = time.monotonic() + LONGEST_WAIT, FIRST_PAUSE
            while not _lock(handle, _place_of(key), self.path):
                if time.monotonic() > ends:
                    said = f"another process has been starting under the key {quoted(key)} for {LONGEST_WAIT:.0f} s"
                    raise _unusable(self.path, said, "end that process")
                sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            yield
        finally:
            os.close(handle)

    def _select(self, condition: str, *values: str) -> list[Entry]:
        return self._database.read(f"{SELECT} {condition}", values, _entry)


class _Database:
    """The database of a ledger.

    :raises CloudError: ``config``, when the file cannot be used.
    """

    def __init__(self, path: str, *, read_only: bool) -> None:
        self._path = path
        if not HAS_SQLITE:
            raise self._unusable("Python on this host has no sqlite3", "install it, or leave ledger out")
        is_absent = _check_files(path, read_only=read_only)
        with self._told():
            self._connection = sqlite3.connect(
                ":memory:" if is_absent and read_only else f"file:{quote(path)}?mode=rw",
                uri=True,
                timeout=BUSY_SECONDS,
                isolation_level=None,
            )
        try:
            self._prepare()
            _check_file(path, path)  # again, in case that somebody has put a link there meanwhile
            if read_only:
                self._connection.execute("PRAGMA query_only = ON")
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def read(self, query: str, values: t.Sequence[str], make: t.Callable[[t.Sequence[t.Any]], T]) -> list[T]:
        """Returns what a function makes of each row that a query gives."""
        with self._told():
            return [make(row) for row in self._connection.execute(query, values)]

    def write(self, statement: str, rows: t.Iterable[t.Sequence[t.Any] | t.Mapping[str, t.Any]]) -> None:
        """Carry out a statement for each row, in one transaction that is on the disk when this returns."""
        with self._transaction():
            self._connection.executemany(statement, rows)

    def _prepare(self) -> None:
        """Check the database, and make its table if it is empty."""
        with self._told():
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("BEGIN")  # what is read next is of one moment
            try:
                is_empty = self._check()
            finally:
                self._connection.execute("ROLLBACK")
            self._connection.execute("PRAGMA journal_mode = TRUNCATE")  # the file stays, so that nobody can make one
        if is_empty:
            self._make_table()

    def _check(self) -> bool:
        """Refuse a database that is no ledger or that this release cannot read. Returns whether it is empty."""
        if not self._pragma("schema_version"):
            return True
        version = self._pragma("user_version")
        if self._pragma("application_id") != APPLICATION:
            raise self._unusable("it is a database of another program", OTHER_FILE)
        if version > VERSION:
            said = f"a newer release of the collection wrote it (format {version}, this one reads {VERSION})"
            raise self._unusable(said, "use that release, or give another file")
        if self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise self._damaged()
        return False

    def _make_table(self) -> None:
        with self._transaction():
            if not self._pragma("schema_version"):  # otherwise another process was faster
                self._connection.execute(SCHEMA)
                self._connection.execute(f"PRAGMA application_id = {APPLICATION}")
                self._connection.execute(f"PRAGMA user_version = {VERSION}")

    def _pragma(self, name: str) -> int:
        return int(self._connection.execute(f"PRAGMA {name}").fetchone()[0])

    @contextlib.contextmanager
    def _transaction(self) -> t.Iterator[None]:
        with self._told():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _told(self) -> t.Iterator[None]:
        """Turn what SQLite raises into an error with one sentence."""
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                said = f"another program has kept it locked for {BUSY_SECONDS:.0f} s"
                raise self._unusable(said, "end that program") from None
            advice = "make room, or let this user write to it and its folder, or give another file"
            raise self._unusable(f"SQLite says: {error}", advice) from None
        except (sqlite3.Error, ValueError, LookupError, TypeError):
            raise self._damaged() from None

    def _damaged(self) -> CloudError:
        return self._unusable("it is damaged, or no ledger", "restore it from a backup, or give another file")

    def _unusable(self, said: str, advice: str) -> CloudError:
        return _unusable(self._path, said, advice)


def kept(record: Record) -> dict[str, t.Any] | None:
    """Returns the members of a record that make further polls unnecessary; null if it may still change.

    A record whose outputs are URLs with a query is not kept, since the query may be a signature. Neither is one that has
    failed, since its reason is a text of the vendor.
    """
    if record["status"] != SUCCEEDED or any("?" in str(output.get("value")) for output in record["outputs"]):
        return None
    outputs = [
        {name: value for name, value in output.items() if name != "url" or "?" not in str(value)}
        for output in record["outputs"]
    ]
    blank = make_record(record["ref"], SUCCEEDED, None)
    told = {**record, "outputs": outputs}
    members = {
        name: told[name] for name in blank if name not in NOT_KEPT and told.get(name, blank[name]) != blank[name]
    }
    return {**members, "status": SUCCEEDED}


def text_of(seconds: float) -> str:
    """Returns a Unix time in UTC, as entries have it."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_of(moment: str) -> float:
    """Returns the Unix time of a time that an entry has."""
    return datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _unusable(path: str, said: str, advice: str) -> CloudError:
    error = CloudError("config", f"the ledger {quoted(path, 300)} cannot be used: {said}", advice=advice)
    error.sent = False
    return error


def _json(value: t.Any) -> str | None:
    return None if value is None else json.dumps(value, sort_keys=True)


def _row(entry: Entry) -> list[t.Any]:
    values = entry._asdict()
    texts = {name: _json(values[name]) for name in JSON_COLUMNS}
    return list({**values, **texts}.values())


def _entry(row: t.Sequence[t.Any]) -> Entry:
    """Returns the entry of a row.

    :raises ValueError: when a column has a value that no release of the collection writes.
    :raises TypeError: likewise.
    """
    values = dict(zip(Entry._fields, row))
    values.update({name: json.loads(values[name]) for name in JSON_COLUMNS if values[name] is not None})
    entry = Entry(**{**values, "earlier": tuple(values["earlier"])})
    for moment in (entry.intended_at, entry.started_at):
        if moment is not None:
            seconds_of(moment)
    texts = (entry.key, entry.asked, *entry.earlier)
    may_be_null = (entry.task_id, entry.status)
    if not (
        all(isinstance(text, str) for text in texts)
        and all(isinstance(text, (str, type(None))) for text in may_be_null)
        and entry.status in (None, *STATUSES)
        and isinstance(entry.attempt, int)
        and isinstance(values["earlier"], list)
        and isinstance(entry.ref, dict)
        and (entry.record is None or (isinstance(entry.record, dict) and entry.record.get("status") in STATUSES))
    ):
        raise ValueError("a column has a value of another type")
    return entry


def _lock(handle: int, place: int, path: str) -> bool:
    """Lock a byte of the lock file. Returns false if another process has locked it."""
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        raise _unusable(path, f"it cannot be locked ({error.strerror})", OTHER_FILE) from None
    return True


def _place_of(key: str) -> int:
    """Returns the byte of the lock file that stands for a key. Two keys with the same byte only wait for each other."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:7], "big")


# --- Files ---------------------------------------------------------------------------------------------------------


def _check_files(path: str, *, read_only: bool) -> bool:
    """Refuse files that others could read or write through; make an empty ledger if there is none.

    :returns: whether there was no file.
    :raises CloudError: ``config``.
    """
    folder = os.path.dirname(path)
    try:
        os.stat(folder)
    except OSError as error:
        if read_only and isinstance(error, FileNotFoundError):  # in check mode, the task that makes it has not run
            return True
        raise _unusable(path, f"its folder cannot be used ({error.strerror})", "make the folder first") from None
    for name in (f"{path}-journal", f"{path}-lock"):
        _check_file(path, name)
    is_new = not _check_file(path, path)
    if is_new and not read_only:
        _make_file(path, folder)
    return is_new


def _check_file(path: str, name: str) -> bool:
    """Returns whether a file exists.

    :param path: the ledger, for the message.
    :raises CloudError: ``config``, when it is not a regular file of this user that no other user may write to.
    """
    what = "it" if name == path else os.path.basename(name)
    try:
        about = os.lstat(name)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unusable(path, str(error.strerror), "give another file") from None
    if not stat.S_ISREG(about.st_mode):
        raise _unusable(path, f"{what} is a symbolic link or no regular file", OTHER_FILE)
    if about.st_uid != os.geteuid():
        raise _unusable(path, f"{what} belongs to another user", OTHER_FILE)
    if about.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise _unusable(path, f"other users may write to {what}", "take that right away from them")
    return True


def _make_file(path: str, folder: str) -> None:
    """Make an empty file that only its owner may read, and put its name on the disk."""
    try:
        with contextlib.suppress(FileExistsError):  # another process was faster
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise _unusable(path, f"it cannot be made ({error.strerror})", "give a file that can be written") from None


__all__ = ["HAS_SQLITE", "RESERVED", "SENT", "STARTED", "STATES", "Entry", "Ledger", "kept", "seconds_of", "text_of"]
