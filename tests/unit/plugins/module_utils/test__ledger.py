# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ledger as a file: entries, times, locks between processes, and what it refuses."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import sqlite3
import stat
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _ledger
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._ledger import Entry, Ledger, kept
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import expand, make_record

NOW = 1767323045.0  # 2026-01-02T03:04:05Z
REF = {"provider": "mps", "task_id": "t1"}
ENTRY = Entry("mps", "k1", "sent", 1, "digest", "2026-01-02T03:04:05Z", ref={"provider": "mps", "task_id": None})


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "starts.ledger")


def test_an_entry_comes_back_as_it_was_written(path: str) -> None:
    entry = ENTRY._replace(state="started", task_id="t1", ref=REF, record={"status": "succeeded"}, earlier=("t0",))
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
        ledger.put(entry)
        assert ledger.find("mps", "k1") == entry
        assert ledger.find("ess", "k1") is None
    with Ledger(path) as ledger:
        assert ledger.entries() == [entry]
        ledger.remove(entry)
        assert ledger.entries() == []


def test_an_entry_that_was_changed_meanwhile_is_not_removed_unseen(path: str) -> None:
    again = ENTRY._replace(attempt=ENTRY.attempt + 1)
    with Ledger(path) as ledger:
        ledger.put(again)
        ledger.remove(ENTRY, unless_changed=True)
        assert ledger.entries() == [again]
        ledger.remove(again, unless_changed=True)
        assert ledger.entries() == []


def test_the_oldest_start_comes_first(path: str) -> None:
    later = ENTRY._replace(key="k0", intended_at="2026-02-02T03:04:05Z")
    with Ledger(path) as ledger:
        ledger.put(later, ENTRY)
        assert ledger.entries() == [ENTRY, later]


def test_known_ids_are_those_of_other_keys_and_of_earlier_attempts(path: str) -> None:
    own = ENTRY._replace(task_id="t2", earlier=("t1",))
    with Ledger(path) as ledger:
        ledger.put(own, ENTRY._replace(key="k2", task_id="t3"), ENTRY._replace(provider="ess", task_id="t4"))
        assert ledger.known_ids("mps", besides="k1") == {"t1", "t3"}


def test_times_are_those_of_its_clock_in_utc(path: str) -> None:
    with Ledger(path, clock=lambda: NOW) as ledger:
        assert ledger.now() == "2026-01-02T03:04:05Z"
        assert ledger.age("2026-01-02T03:03:05Z") == 60


def test_only_its_owner_may_read_it(path: str) -> None:
    with Ledger(path) as ledger, ledger.locked("k1"):
        ledger.put(ENTRY)
    for name in ("", "-lock", "-journal"):
        assert stat.S_IMODE(os.stat(path + name).st_mode) == 0o600


def test_one_that_is_only_read_is_not_made_and_not_changed(path: str) -> None:
    with Ledger(path, read_only=True) as ledger:
        assert ledger.entries() == []
    assert not os.path.exists(path)
    with Ledger(f"{path}.d/starts.ledger", read_only=True) as ledger:
        assert ledger.entries() == []
    assert not os.path.exists(f"{path}.d")
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
    with Ledger(path, read_only=True) as ledger:
        assert ledger.entries() == [ENTRY]
        with pytest.raises(CloudError, match="SQLite says: attempt to write a readonly database"):
            ledger.put(ENTRY._replace(key="k2"))


def test_an_empty_file_becomes_a_ledger(path: str) -> None:
    pathlib.Path(path).touch(0o600)
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_the_documented_columns_are_those_of_the_table(path: str) -> None:
    with Ledger(path):
        pass
    with contextlib.closing(sqlite3.connect(path)) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(starts)")]
    assert columns == list(ENTRY.as_dict())[:3] + columns[3:]
    assert set(columns) == set(ENTRY.as_dict())


WRONG_COLUMNS = {
    "record": ("[1]", '"x"', "7", "{}", '{"status": "x"}', '{"status": ["x"]}', "{"),
    "intended_at": ("garbage", "", "2026-01-02", 7, "2026-13-02T03:04:05Z"),
    "started_at": ("x", 7),
    "earlier": ("5", '"abc"', "[5]", "null", "{}"),
    "ref": ("[]", "null", "x"),
    "task_id": (b"x",),
    "status": ("done", b"x"),
    "attempt": ("x", 1.5),
}


@pytest.mark.parametrize(("column", "value"), [(name, each) for name, some in WRONG_COLUMNS.items() for each in some])
def test_a_row_that_no_release_has_written_is_told_as_damage(path: str, column: str, value: t.Any) -> None:
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE starts SET {column} = ?", [value])
        connection.commit()
    with Ledger(path) as ledger, pytest.raises(CloudError) as caught:
        ledger.entries()
    assert caught.value.sentence("It").endswith(
        "cannot be used: it is damaged, or no ledger; restore it from a backup, or give another file."
    )


# --- Locks ---------------------------------------------------------------------------------------------------------


def lock_in_child(path: str, key: str) -> tuple[int, int]:
    """Lock a key in another process. Returns its id, and a pipe that ends it when it is closed."""
    ready, told = os.pipe()
    begun, stop = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(stop)
        with Ledger(path) as ledger, ledger.locked(key):
            os.write(told, b"!")
            os.read(begun, 1)
        os._exit(0)
    os.close(begun)
    os.read(ready, 1)
    return pid, stop


def test_a_key_that_is_locked_is_waited_for_until_its_process_is_killed(path: str) -> None:
    pid, stop = lock_in_child(path, "k1")
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            os.kill(pid, 9)
            os.waitpid(pid, 0)

    with Ledger(path) as ledger, ledger.locked("k1", sleep=sleep):
        pass
    os.close(stop)
    assert len(pauses) == 8
    assert pauses == sorted(pauses)
    assert max(pauses) <= 0.5


def test_another_key_is_not_waited_for(path: str) -> None:
    pid, stop = lock_in_child(path, "k1")
    with Ledger(path) as ledger, ledger.locked("k2", sleep=lambda dummy: pytest.fail("it waited")):
        pass
    os.close(stop)
    os.waitpid(pid, 0)


def test_a_key_that_stays_locked_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ledger, "LONGEST_WAIT", -1.0)
    pid, stop = lock_in_child(path, "k1")
    with (
        Ledger(path) as ledger,
        pytest.raises(CloudError, match='another process has been starting under the key "k1"'),
    ):
        ledger.locked("k1").__enter__()
    os.close(stop)
    os.waitpid(pid, 0)


def test_a_file_system_without_locks_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*dummy: t.Any) -> None:
        raise OSError(37, "No locks available")

    with Ledger(path) as ledger:
        monkeypatch.setattr(fcntl, "lockf", refuse)
        with pytest.raises(CloudError, match=r"it cannot be locked \(No locks available\)"):
            ledger.locked("k1").__enter__()


# --- What is refused -----------------------------------------------------------------------------------------------


def test_a_database_that_another_program_keeps_locked_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ledger, "BUSY_SECONDS", 0.0)
    with Ledger(path) as ledger, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CloudError, match="another program has kept it locked for 0 s") as caught:
            ledger.put(ENTRY)
    error = caught.value
    assert (error.kind, error.retryable, error.sent) == ("config", False, False)


def test_a_full_disk_is_told_and_leaves_what_was_there(path: str) -> None:
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
        ledger._database._connection.execute("PRAGMA max_page_count = 3")
        many = [ENTRY._replace(key=f"k{number}", task_id="x" * 1000) for number in range(100)]
        with pytest.raises(CloudError, match="SQLite says: database or disk is full"):
            ledger.put(*many)
        assert ledger.entries() == [ENTRY]


def test_a_row_that_makes_no_sense_is_damage(path: str) -> None:
    with Ledger(path) as ledger:
        ledger.put(ENTRY)
        ledger._database.write("UPDATE starts SET ref = ?", [["{"]])
        with pytest.raises(CloudError, match="it is damaged, or no ledger"):
            ledger.entries()


def test_a_python_without_sqlite_is_told(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_ledger, "HAS_SQLITE", False)
    with pytest.raises(CloudError, match="Python on this host has no sqlite3"):
        Ledger(path)


@pytest.mark.parametrize("name", ["", "-journal", "-lock"])
def test_a_folder_in_place_of_a_file_is_told(path: str, name: str) -> None:
    os.mkdir(path + name)
    with pytest.raises(CloudError, match="is a symbolic link or no regular file"):
        Ledger(path)


def test_a_path_that_cannot_be_is_told(path: str) -> None:
    with pytest.raises(CloudError, match="its folder cannot be used"):
        Ledger(f"{path}/x/starts")
    with pytest.raises(CloudError, match="File name too long"):
        Ledger(path + "x" * 300)


# --- What is kept of a record --------------------------------------------------------------------------------------


def test_a_success_is_kept_without_secrets_and_texts_of_the_vendor() -> None:
    output = {"type": "dingtalk_document", "value": "u1", "url": "https://example.com/u1?code=x"}
    record = make_record(REF, "succeeded", "FINISH", outputs=[output], request_id="r1", parts=[{"kind": "Transcode"}])
    told = kept({**record, "outcome": "satisfied", "name": "film", "polls": 3})
    assert told == {
        "status": "succeeded",
        "native_status": "FINISH",
        "outputs": [{"type": "dingtalk_document", "value": "u1"}],
    }
    again = expand(REF, told or {})
    assert (again["done"], again["ref"], again["native_status"]) == (True, REF, "FINISH")


@pytest.mark.parametrize("status", ["pending", "running", "partial", "failed", "canceled", "unknown"])
def test_any_other_status_is_polled_again(status: str) -> None:
    assert kept(make_record(REF, status, None)) is None


def test_a_success_with_a_signed_url_is_polled_again() -> None:
    output = {"type": "path", "value": "https://example.com/live.m3u8?sign=x"}
    assert kept(make_record(REF, "succeeded", "FINISH", outputs=[output])) is None
