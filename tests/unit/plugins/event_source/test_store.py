# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The database of the event source: what it remembers, and the files that it refuses."""

from __future__ import annotations

import os
import pathlib
import sqlite3
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.store import REMEMBERED, Store, Watched

ITEM = {"ref": {"provider": "mps", "task_id": "film"}}
SEEN = {"status": "running", "fingerprint": "f"}


def event(name: str, kind: str = "end", *, done: bool = True) -> dict[str, t.Any]:
    return {"event_id": name, "kind": kind, "cloud_task": {"done": done}}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> str:
    return str(tmp_path / "state.sqlite")


def test_a_cloud_task_is_watched_once_and_over_a_restart(path: str) -> None:
    store = Store(path)
    assert store.add({"a": ITEM}, 5.0) == [Watched("a", ITEM, 5.0, {})]
    assert store.add({"a": ITEM, "b": ITEM}, 6.0) == [Watched("b", ITEM, 6.0, {})]
    store.close()
    assert [watched.key for watched in Store(path).watched()] == ["a", "b"]


def test_an_end_is_written_down_at_once_and_told_until_it_is_struck_off(path: str) -> None:
    store = Store(path)
    store.add({"a": ITEM, "b": ITEM}, 5.0)
    store.enter([("a", event("e1"), SEEN)], 9.0)
    store.close()
    again = Store(path)
    assert [watched.key for watched in again.watched()] == ["b"]
    assert again.untold() == [(1, event("e1"))]
    assert again.untold(after=1) == []
    assert again.add({"a": ITEM}, 10.0) == []
    again.strike_off(["e1"])
    assert again.untold() == []


def test_a_change_is_remembered(path: str) -> None:
    store = Store(path)
    store.add({"a": ITEM}, 5.0)
    store.enter([("a", event("c1", "change"), SEEN)], 9.0)
    assert store.watched() == [Watched("a", ITEM, 5.0, SEEN, 1)]


def test_a_record_is_remembered_without_an_event(path: str) -> None:
    store = Store(path)
    store.add({"a": ITEM}, 5.0)
    store.mark_seen({"a": SEEN})
    assert store.watched() == [Watched("a", ITEM, 5.0, SEEN, 0)]


def test_one_that_timed_out_can_be_watched_again_and_one_that_ended_cannot(path: str) -> None:
    store = Store(path)
    store.add({"late": ITEM, "over": ITEM}, 5.0)
    store.enter([("late", event("e1", done=False), SEEN), ("over", event("e2"), SEEN)], 9.0)
    assert store.add({"late": ITEM, "over": ITEM}, 10.0) == []
    assert [watched.key for watched in store.add({"late": ITEM, "over": ITEM}, 11.0, again=True)] == ["late"]


def test_ends_are_forgotten_after_a_month_unless_an_argument_names_them(path: str) -> None:
    store = Store(path)
    store.add({"a": ITEM, "b": ITEM}, 5.0)
    store.enter([("a", event("e1"), SEEN), ("b", event("e2"), SEEN)], 9.0)
    store.forget_ends(9.0 + REMEMBERED, {"b"})
    assert store.add({"a": ITEM, "b": ITEM}, 10.0) == []
    store.forget_ends(10.0 + REMEMBERED, {"b"})
    assert [watched.key for watched in store.add({"a": ITEM, "b": ITEM}, 11.0)] == ["a"]


def test_the_place_in_a_list_is_remembered(path: str) -> None:
    store = Store(path)
    assert store.cursor("l") is None
    store.set_cursor("l", {"since": 5.0})
    store.set_cursor("l", {"since": 6.0})
    store.close()
    assert Store(path).cursor("l") == {"since": 6.0}


def test_events_are_entered_all_or_none(path: str) -> None:
    store = Store(path)
    store.add({"a": ITEM}, 5.0)
    with pytest.raises(KeyError):
        store.enter([("a", event("e1"), SEEN), ("b", {"event_id": "e2"}, SEEN)], 9.0)
    assert store.untold() == []
    assert [watched.key for watched in store.watched()] == ["a"]


def test_the_file_is_for_its_owner_alone(path: str) -> None:
    pathlib.Path(path).touch(mode=0o644)
    store = Store(path)
    store.add({"a": ITEM}, 5.0)
    modes = {found.name: found.stat().st_mode & 0o777 for found in pathlib.Path(path).parent.iterdir()}
    assert set(modes.values()) == {0o600}


def refusal(path: t.Any) -> str:
    with pytest.raises(CloudError) as caught:
        Store(str(path))
    assert caught.value.kind == "config"
    return caught.value.sentence("It")


def test_files_that_are_not_safe_are_refused(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "target"
    (tmp_path / "link").symlink_to(target)
    assert "is a symbolic link; name another." in refusal(tmp_path / "link")
    assert not target.exists()
    os.mkfifo(tmp_path / "pipe")
    assert "is no regular file; name another." in refusal(tmp_path / "pipe")
    assert "its folder does not exist; create the folder first." in refusal(tmp_path / "none" / "state")
    assert "cannot be opened (Is a directory); name another." in refusal(tmp_path)


def test_a_damaged_file_and_one_of_another_release_are_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "damaged").write_text("hello world, this is no database at all" * 50, encoding="ascii")
    assert "which is no database of this event source" in refusal(tmp_path / "damaged")
    base = sqlite3.connect(tmp_path / "other")
    base.execute("PRAGMA user_version = 99")
    base.close()
    assert "which another release of this collection has written; remove it" in refusal(tmp_path / "other")


def test_two_event_sources_cannot_share_a_file(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, connect=sqlite3.connect, **how: connect(*args, **{**how, "timeout": 0.05})
    )
    first = Store(path)
    assert "which another event source uses; name another, or end that one." in refusal(path)
    first.close()


def test_without_a_path_nothing_is_written(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store(None)
    store.add({"a": ITEM}, 5.0)
    assert [watched.key for watched in store.watched()] == ["a"]
    assert list(tmp_path.iterdir()) == []
