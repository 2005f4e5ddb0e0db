# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._state_file import StateError, StateFile


def opened(path: pathlib.Path) -> StateFile:
    file = StateFile(str(path))
    file.open()
    return file


def test_what_is_written_is_read_again(tmp_path: pathlib.Path) -> None:
    file = opened(tmp_path / "wait.json")
    file.write({"left": 12.5})
    file.close()
    assert StateFile(str(tmp_path / "wait.json")).open() == {"left": 12.5}


@pytest.mark.parametrize(("old", "new"), [("12.5", "Infinity"), ("12.5", "13.5"), ("left", "lost")])
def test_a_state_that_was_changed_since_is_damaged(tmp_path: pathlib.Path, old: str, new: str) -> None:
    path = tmp_path / "wait.json"
    file = opened(path)
    file.write({"left": 12.5})
    file.close()
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(StateError, match="is damaged or of another release; remove it"):
        StateFile(str(path)).open()


def test_only_the_owner_may_read_it(tmp_path: pathlib.Path) -> None:
    file = opened(tmp_path / "wait.json")
    file.write({})
    assert (tmp_path / "wait.json").stat().st_mode & 0o777 == 0o600
    file.close(remove=True)


def test_a_verdict_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    file = opened(tmp_path / "wait.json")
    file.write({})
    file.close(remove=True)
    assert list(tmp_path.iterdir()) == []


def test_one_wait_at_a_time(tmp_path: pathlib.Path) -> None:
    file = opened(tmp_path / "wait.json")
    with pytest.raises(StateError, match="is in use by another wait; several hosts need several paths"):
        StateFile(str(tmp_path / "wait.json")).open()
    file.close()
    opened(tmp_path / "wait.json").close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "deadline": 1}', "\u00ff\u0000"])
def test_a_damaged_file_is_refused_and_left(tmp_path: pathlib.Path, text: str) -> None:
    path = tmp_path / "wait.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(StateError, match="is damaged or of another release; remove it"):
        StateFile(str(path)).open()
    assert [each.name for each in tmp_path.iterdir()] == ["wait.json"]


def test_a_symbolic_link_is_refused(tmp_path: pathlib.Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious", encoding="utf-8")
    (tmp_path / "wait.json").symlink_to(target)
    with pytest.raises(StateError, match="is a symbolic link or no regular file"):
        StateFile(str(tmp_path / "wait.json")).open()
    assert target.read_text(encoding="utf-8") == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to another user")
def test_another_users_file_is_refused(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "wait.json"
    path.write_text(json.dumps({"version": 2}), encoding="utf-8")
    os.chown(path, 12345, 12345)
    with pytest.raises(StateError, match="belongs to another user"):
        StateFile(str(path)).open()


def test_a_folder_that_does_not_exist_is_named(tmp_path: pathlib.Path) -> None:
    with pytest.raises(StateError, match="does not exist; create it first"):
        StateFile(str(tmp_path / "no" / "wait.json")).open()


def test_a_write_that_fails_keeps_the_old_state(tmp_path: pathlib.Path) -> None:
    file = opened(tmp_path / "wait.json")
    file.write({"round": 1})
    with pytest.raises(TypeError):
        file.write({"round": object()})
    file.close()
    assert json.loads((tmp_path / "wait.json").read_text(encoding="utf-8"))["state"]["round"] == 1
    assert [each.name for each in tmp_path.iterdir()] == ["wait.json"]
