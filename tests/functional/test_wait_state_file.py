# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait that is killed and goes on: the state file, and what is refused as one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run
from .conftest import DINGTALK, TENCENT
from .wait_runs import Running, check_whole, item, life, lines_of, outcomes, polls_of, until, wait

IDS = ["ended", "going", "torn"]
LIVES = [
    life("ended", "succeeded"),
    life("going", {"status": "running", "progress": 10}, {"status": "running", "progress": 20}),
    life("torn", "failed", provider="dingtalk_doc"),
]
ITEMS = [item("mps", "ended"), item("mps", "going"), item("dingtalk_doc", "torn")]


class Killed(NamedTuple):
    """A wait that was killed, the one that took over, and more that may not use its state."""

    saved: dict[str, Any]
    mode: int
    text: str
    saved_again: dict[str, Any]
    asked_before: dict[str, int]
    result: dict[str, Any]
    lines: list[str]
    left: list[str]
    others: Run
    folder: Path
    cloud: Any


def read(path: Path) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["state"]
    return state


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def signed(good: str, state: Mapping[str, Any]) -> str:
    """A state file as the wait writes it, whatever the state holds.

    :param good: one that it has written.
    """
    checksum = hashlib.sha256(json.dumps(state, sort_keys=True).encode("ascii")).hexdigest()
    return json.dumps({**json.loads(good), "checksum": checksum, "state": state})


def has_seen_progress(path: Path) -> bool:
    """Whether what was saved knows the second status of the one that goes on."""
    return path.exists() and len(read(path)["entries"][1]["history"]) == 2


def misuse(folder: Path, good: str) -> dict[str, dict[str, Any]]:
    """Waits with state files that are not theirs."""
    (folder / "link.json").symlink_to(write(folder / "target.json", good))
    state = json.loads(good)["state"]
    half = signed(good, {name: value for name, value in state.items() if name != "entries"})
    texts = {"no JSON": good[: len(good) // 2], "half": half, "other": good, "kept": good, "in use": good,
             "future": json.dumps({**json.loads(good), "version": 99}), "list": "[]",
             "crooked": signed(good, {**state, "left": "soon"}), "endless": signed(good, {**state, "left": float("inf")}),
             "changed": good.replace("PROCESSING", "PROCESSED")}  # fmt: skip
    paths = {name: write(folder / f"{name}.json".replace(" ", "-"), text) for name, text in texts.items()}
    paths.update(link=str(folder / "link.json"), folder=str(folder), nowhere=str(folder / "none" / "x.json"))
    waits = {name: wait(tasks=ITEMS, timeout=0, state_file=path) for name, path in paths.items() if name != "kept"}
    waits["other"] = wait(tasks=ITEMS[:2], timeout=0, state_file=paths["other"])
    waits["check mode"] = wait(tasks=ITEMS, state_file=paths["kept"], keywords={"check_mode": True})
    waits["condition"] = wait(tasks=ITEMS[::-1], condition="task.done", timeout=0, fail_fast=False,
                              state_file=write(folder / "condition.json", good))  # fmt: skip
    return waits


@pytest.fixture(scope="module")
def killed(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Killed:
    cloud = start_cloud({"tasks": LIVES})
    ansible = start_ansible(cloud.environment)
    path = ansible.folder / "night.json"
    waiting = wait(tasks=ITEMS, state_file=str(path), fail_fast=False, heartbeat=1, timeout=600)
    runs = [Running(ansible, waiting, name="first")]
    try:
        until(lambda: has_seen_progress(path) and runs[0].modules(), "a round after two changes")
        runs[0].kill()
        text, mode = path.read_text(encoding="utf-8"), stat.S_IMODE(path.stat().st_mode)
        asked = {name: polls_of(cloud, name) for name in IDS}
        runs.append(Running(ansible, waiting, name="second"))
        until(lambda: not runs[0].processes(), "the end of what a killed wait has started")
        cloud.control("tasks", {"tasks": [life("going", {"status": "running", "progress": 77})]})
        until(lambda: read(path)["saved"] > json.loads(text)["state"]["saved"], "a state file of the second run")
        again = read(path)
        cloud.control("tasks", {"tasks": [life("going", "succeeded")]})
        result = runs[1].result()
    finally:
        for run in runs:
            run.stop()
    left = sorted(found.name for found in ansible.folder.iterdir() if "night" in found.name or "wait-" in found.name)
    with open(ansible.folder / "in-use.json.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        others = ansible.polls(misuse(ansible.folder, text))
    return Killed(
        json.loads(text)["state"],
        mode,
        text,
        again,
        asked,
        result,
        lines_of(runs[1].output),
        left,
        others,
        ansible.folder,
        cloud,
    )


def test_a_state_that_cannot_be_written_costs_a_warning_and_not_the_wait(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]
) -> None:
    cloud = start_cloud({"tasks": LIVES})
    ansible = start_ansible(cloud.environment)
    folder = ansible.folder / "gone"
    folder.mkdir()
    waiting = wait(tasks=ITEMS[:2], state_file=str(folder / "state.json"), heartbeat=0.5)
    run = Running(ansible, waiting)
    try:
        until((folder / "state.json").exists, "a state file")
        folder.rename(folder.with_name("moved"))
        seen = polls_of(cloud, "going")
        until(lambda: polls_of(cloud, "going") > seen + 20, "more rounds")
        cloud.control("tasks", {"tasks": [life("going", "succeeded")]})
        result = run.result()
    finally:
        run.stop()
    assert outcomes(result) == ["satisfied", "satisfied"]
    (warning,) = result["warnings"]
    assert "state.json cannot be written (No such file or directory)" in warning


def test_a_wait_goes_on_where_it_was_killed(killed: Killed) -> None:
    assert outcomes(killed.result) == ["satisfied", "satisfied", "failed"]
    history = killed.result["tasks"][1]["history"]
    assert history[:2] == killed.saved["entries"][1]["history"]
    assert history[-1]["status"] == "succeeded"
    assert killed.result["tasks"][1]["polls"] > killed.saved["entries"][1]["polls"]
    assert killed.result["elapsed"] > killed.saved["saved"] - killed.saved["started"]
    assert killed.result["api_calls"]["mps"] > killed.saved["api_calls"]["mps"]
    assert "goes on where an earlier run stopped" in killed.lines[0]


def test_the_deadline_stays(killed: Killed) -> None:
    def deadline(state: Mapping[str, Any]) -> float:
        return float(state["saved"] + state["left"])

    assert deadline(killed.saved_again) == pytest.approx(deadline(killed.saved), abs=1)
    assert killed.saved_again["started"] == killed.saved["started"]


def test_what_had_ended_is_not_asked_again(killed: Killed) -> None:
    assert (killed.asked_before["ended"], killed.asked_before["torn"]) == (1, 1)
    second = killed.result
    assert (second["tasks"][0]["polls"], second["tasks"][2]["polls"]) == (1, 1)


def test_the_file_is_the_owners_and_holds_no_secret(killed: Killed) -> None:
    assert killed.mode == 0o600
    for secret in (TENCENT["secret_key"], DINGTALK["app_secret"]):
        assert secret not in killed.text


def test_what_a_killed_wait_has_started_ends_by_itself(killed: Killed) -> None:
    assert killed.result["outcome"] == "failed"  # the fixture has waited for that end, beside the run that took over


def test_nothing_is_left_behind(killed: Killed) -> None:
    assert killed.left == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no JSON", "is damaged or of another release; remove it to begin the wait anew"),
        ("half", "is damaged or of another release"),
        ("crooked", "is damaged or of another release"),
        ("endless", "is damaged or of another release"),
        ("changed", "is damaged or of another release"),
        ("future", "is damaged or of another release"),
        ("list", "is damaged or of another release"),
        ("other", "is of a wait on other cloud tasks; name another"),
        ("link", "is a symbolic link or no regular file"),
        ("folder", "is a symbolic link or no regular file"),
        ("nowhere", "does not exist; create it first"),
        ("in use", "is in use by another wait; several hosts need several paths"),
    ],
)
def test_what_cannot_be_gone_on_with_is_refused(killed: Killed, name: str, said: str) -> None:
    assert said in killed.others.sentence(name)
    check_whole(killed.others.results[name])
    assert killed.others.results[name]["outcome"] == "error"


def test_what_was_refused_is_kept(killed: Killed) -> None:
    assert (killed.folder / "other.json").read_text(encoding="utf-8") == killed.text
    assert (killed.folder / "target.json").read_text(encoding="utf-8") == killed.text
    assert (killed.folder / "in-use.json").read_text(encoding="utf-8") == killed.text
    assert not list(killed.folder.glob("other.json.lock"))


def test_check_mode_leaves_the_file_alone(killed: Killed) -> None:
    assert outcomes(killed.others.results["check mode"]) == ["satisfied", "satisfied", "failed"]
    assert (killed.folder / "kept.json").read_text(encoding="utf-8") == killed.text


def test_the_options_of_the_new_call_win(killed: Killed) -> None:
    result = killed.others.results["condition"]
    assert outcomes(result) == ["satisfied"] * 3
    assert [task["task_id"] for task in result["tasks"]] == IDS[::-1]
    assert not (killed.folder / "condition.json").exists()


def test_the_cloud_was_asked_for_what_had_ended_in_other_waits_only(killed: Killed) -> None:
    assert polls_of(killed.cloud, "ended") == 2  # the killed wait, and check mode, which knows nothing of it
