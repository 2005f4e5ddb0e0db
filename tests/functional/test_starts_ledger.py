# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts with a ledger: killed at every step, run side by side, refused: at most one cloud task for a key, ever."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..cases import CASES, STARTS
from .conftest import Simulator
from .module_runs import STEPS, Ended, Modules, modules
from .start_runs import USER

#: what is found by the run after one that was killed at a step
NEXT = {
    "before the intent": "new",
    "after the intent": "new",
    "after sending": "adopted",
    "after the answer": "adopted",
    "after writing the id": "before",
}
ENTRIES = [
    *({"provider": name, "match": "lost", "faults": [{"name": "reset", "after": True}]} for name in STARTS),
    *({"provider": name, "match": "never", "faults": [{"name": "reset", "after": False}]} for name in STARTS),
    *({"provider": name, "match": "bad", "life": [{"status": "failed"}]} for name in STARTS),
    *({"provider": name, "match": "good", "life": [{"status": "succeeded"}]} for name in STARTS),
]


class Bench:
    """A cloud, modules to run against it, and a new ledger for each test."""

    def __init__(self, cloud: Simulator, runs: Modules, folder: Path) -> None:
        self.cloud = cloud
        self.runs = runs
        self.folder = folder
        self._numbers = itertools.count()

    def ledger(self) -> Path:
        folder = self.folder / f"ledger-{next(self._numbers)}"
        folder.mkdir()
        return folder / "starts.ledger"

    def options(self, provider: str, name: str, ledger: Path, **more: Any) -> dict[str, Any]:
        given = {**CASES[provider].needs, **STARTS[provider].options(name), "ledger": str(ledger), **more}
        return {option: value for option, value in given.items() if value is not None}

    def start(self, provider: str, name: str, ledger: Path, *, how: Any = None, **options: Any) -> Ended:
        given = self.options(provider, name, ledger, **options)
        return self.runs.run(STARTS[provider].module, given, **(how or {}))

    def made(self, provider: str) -> int:
        return int(self.cloud.stats()["made"].get(provider, 0))

    def calls(self, provider: str) -> int:
        return int(self.cloud.stats()["calls"].get(provider, 0))


@pytest.fixture(scope="module")
def bench(start_cloud: Callable[..., Simulator]) -> Iterator[Bench]:
    cloud = start_cloud({"starts": ENTRIES})
    with (
        tempfile.TemporaryDirectory(prefix="ledgers-") as name,
        modules({**cloud.environment, **USER}, Path(name)) as runs,
    ):
        Path(name).chmod(0o755)  # another user must be able to come here
        yield Bench(cloud, runs, Path(name))


def change(ledger: Path, statement: str) -> None:
    """Change a ledger as only a test would."""
    with contextlib.closing(sqlite3.connect(ledger)) as connection:
        connection.execute(statement)
        connection.commit()


def grow_old(ledger: Path) -> None:
    """Let the starts in a ledger be a minute old, so that nothing that they sent is still on its way."""
    change(ledger, "UPDATE starts SET intended_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-60 seconds')")


# --- Killed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("provider", STARTS)
def test_a_killed_start_happens_once(bench: Bench, provider: str, step: str) -> None:
    ledger, name, before = bench.ledger(), f"{provider} {step}".replace(" ", "-"), bench.made(provider)
    assert bench.start(provider, name, ledger, how={"kill": step}).killed_by == 9
    grow_old(ledger)
    made = bench.made(provider) - before
    assert made == (0 if step in STEPS[:2] else 1)
    result = bench.start(provider, name, ledger).result
    if STARTS[provider].is_found_again or step in (STEPS[0], STEPS[4]):
        assert (result.get("started"), result["changed"]) == (NEXT[step], NEXT[step] != "before"), result
        assert bench.made(provider) - before == 1
        assert bench.start(provider, name, ledger).result["task"]["task_id"] == result["task"]["task_id"]
    else:
        assert (result["error"]["kind"], result["changed"]) == ("uncertain", False)
        assert STARTS[provider].doubt in result["msg"]
        assert bench.made(provider) - before == made


def test_twenty_processes_start_once_though_some_are_killed(bench: Bench) -> None:
    for kills in ([], [STEPS[1], STEPS[2], STEPS[3], STEPS[4]]):
        ledger, before = bench.ledger(), bench.made("mps")
        options = bench.options("mps", f"crowd-{len(kills)}", ledger)
        each = {"module": "mps_media_task", "options": options}
        ends = bench.runs.run_many([{**each, "kill": step} for step in kills] + [each] * (20 - len(kills)))
        told = [end.result for end in ends if not end.killed_by]
        assert {result.get("msg") for result in told} == {None}
        assert len({result["task"]["task_id"] for result in told}) == 1
        assert bench.made("mps") - before == 1
        if not kills:
            assert Counter(result["started"] for result in told) == {"new": 1, "before": 19}


# --- Lost answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_whose_answer_is_lost_is_found_again_or_told(bench: Bench, provider: str) -> None:
    ledger, before = bench.ledger(), bench.made(provider)
    first = bench.start(provider, "lost", ledger, request_retries=0).result
    second = bench.start(provider, "lost", ledger).result
    assert bench.made(provider) - before == 1
    assert first["changed"] is True
    if STARTS[provider].is_found_again:
        assert (first["started"], second["started"]) == ("adopted", "before")
        assert first["task"]["task_id"] == second["task"]["task_id"]
    else:
        assert (first["error"]["kind"], second["error"]["kind"]) == ("uncertain", "uncertain")
        assert STARTS[provider].doubt in first["msg"]


def test_a_start_that_never_came_to_mps_is_sent_again_later(bench: Bench) -> None:
    ledger, before = bench.ledger(), bench.made("mps")
    assert bench.start("mps", "never", ledger, how={"kill": "after sending"}).killed_by == 9
    assert bench.made("mps") - before == 0
    assert bench.start("mps", "never", ledger).result["started"] == "new"
    assert bench.made("mps") - before == 1


def test_a_session_of_other_work_starts_nothing_and_leaves_no_entry(bench: Bench) -> None:
    session, before = "trailer", bench.made("mps")
    first, ledger = bench.ledger(), bench.ledger()
    bench.start("mps", "good", first, session_id=session)
    other = {"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100999}]}}
    parameters = {**STARTS["mps"].options("good")["parameters"], **other}
    for path in (first, ledger, ledger):  # what this ledger knows, and what it does not
        result = bench.start("mps", "good", path, session_id=session, parameters=parameters).result
        assert (result["error"]["kind"], result["changed"]) == ("invalid", False), result
        assert "give another session_id" in result["msg"]
        assert "may exist" not in result["msg"]
    assert bench.runs.run("ledger_info", {"ledger": str(ledger)}).result["entries"] == []
    result = bench.start("mps", "good", ledger, session_id="trailer 2", parameters=parameters).result
    assert result["started"] == "new"
    assert bench.made("mps") - before == 2


# --- What is there -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", STARTS)
def test_one_that_has_succeeded_needs_no_poll(bench: Bench, provider: str) -> None:
    ledger = bench.ledger()
    bench.start(provider, "good", ledger)
    polled = bench.start(provider, "good", ledger).result["task"]
    before = bench.calls(provider)
    kept = bench.start(provider, "good", ledger).result
    assert bench.calls(provider) == before
    assert (kept["changed"], kept["started"]) == (False, "before")
    members = ("task_id", "status", "native_status", "done", "outputs", "ref", "created_at", "finished_at")
    assert {name: kept["task"][name] for name in members} == {name: polled[name] for name in members}


@pytest.mark.parametrize("provider", STARTS)
def test_one_that_has_failed_is_started_again_only_when_asked(bench: Bench, provider: str) -> None:
    ledger, before = bench.ledger(), bench.made(provider)
    first = bench.start(provider, "bad", ledger).result["task"]["task_id"]
    left = bench.start(provider, "bad", ledger).result
    assert (left["started"], left["changed"], left["task"]["status"]) == ("before", False, "failed")
    again = bench.start(provider, "bad", ledger, on_failed="start_again").result
    assert (again["started"], again["changed"]) == ("new", True)
    assert again["task"]["task_id"] != first
    assert bench.made(provider) - before == 2
    entry = bench.runs.run("ledger_info", {"ledger": str(ledger)}).result["entries"][0]
    assert (entry["attempt"], entry["earlier"]) == (2, [first])


def test_one_that_is_not_known_any_more_is_started_again_only_when_asked(bench: Bench) -> None:
    ledger = bench.ledger()
    bench.start("mps", "gone", ledger)
    change(ledger, "UPDATE starts SET task_id = 'nobody', started_at = '2026-01-02T03:04:05Z'")
    left = bench.start("mps", "gone", ledger).result
    assert (left["started"], left["task"]["task_id"], left["task"]["done"]) == ("before", "nobody", False)
    assert 'The ledger has the mps cloud task "nobody", which the vendor does not know any more.' in str(
        left["warnings"]
    )
    assert bench.start("mps", "gone", ledger, on_failed="start_again").result["started"] == "new"


def test_a_copy_is_known_without_the_credentials_of_an_app(bench: Bench) -> None:
    ledger = bench.ledger()
    bench.start("dingtalk_doc", "plan", ledger)
    options = bench.options("dingtalk_doc", "plan", ledger)
    bare = dict.fromkeys(("DINGTALK_APP_KEY", "DINGTALK_APP_SECRET", "DINGTALK_ACCESS_TOKEN"), "")
    result = bench.runs.run("dingtalk_doc_copy", options, environment=bare).result
    assert (result["started"], result["task"]["status"]) == ("before", "pending")
    assert "which was not polled, since" in str(result["warnings"])


# --- Keys ----------------------------------------------------------------------------------------------------------


def test_another_content_is_another_start_and_other_credentials_are_not(bench: Bench, tmp_path: Path) -> None:
    ledger, source = bench.ledger(), tmp_path / "plan.docx"
    source.write_bytes(b"first")
    file: dict[str, Any] = {"src": str(source), "resource_id": None, "resource_name": None}
    keys = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
    assert bench.start("ess", "", ledger, **file).result["started"] == "new"
    assert bench.start("ess", "", ledger, **file, **keys).result["started"] == "before"
    source.write_bytes(b"second")
    assert bench.start("ess", "", ledger, **file).result["started"] == "new"


def test_where_notifications_go_makes_no_other_start(bench: Bench) -> None:
    ledger, url = bench.ledger(), "https://hooks.example.com/EXAMPLE-FAKE-SECRET-PATH"
    parameters = STARTS["mps"].options("told")["parameters"]
    told = {**parameters, "TaskNotifyConfig": {"NotifyType": "URL", "NotifyUrl": url}}
    for provider, options in (("mps", {"parameters": told}), ("cos_doc", {"callback_url": url})):
        assert bench.start(provider, "told", ledger).result["started"] == "new"
        result = bench.start(provider, "told", ledger, how={"diff": True}, **options).result
        assert result["started"] == "before"
        assert url not in str(result["diff"])


def test_a_key_of_another_request_is_refused(bench: Bench) -> None:
    ledger = bench.ledger()
    bench.start("cos_doc", "plan", ledger, idempotency_key="night")
    before = bench.calls("cos_doc")
    result = bench.start("cos_doc", "minutes", ledger, idempotency_key="night").result
    assert result["error"]["kind"] == "config"
    assert 'the idempotency_key "night" is that of another request' in result["msg"]
    assert bench.calls("cos_doc") == before
    assert bench.start("mps", "plan", ledger, idempotency_key="night").result["started"] == "new"


def test_no_secret_is_in_the_ledger(bench: Bench) -> None:
    ledger, secret = bench.ledger(), "EXAMPLE-FAKE-DOC-PASSWORD"
    url = f"https://files.example.com/plan.docx?sign={secret}"
    bench.start("cos_doc", "good", ledger, doc_password=secret, input_object=None, input_url=url, callback_url=url)
    bench.start("cos_doc", "good", ledger, doc_password=secret, input_object=None, input_url=url, callback_url=url)
    assert secret not in ledger.read_bytes().decode("latin-1")
    assert ledger.stat().st_mode & 0o777 == 0o600


# --- Check mode and differences ------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", STARTS)
def test_check_mode_tells_what_would_be_started_and_what_is_there(bench: Bench, provider: str) -> None:
    ledger, before = bench.ledger(), bench.made(provider)
    look = {"check_mode": True, "diff": True}
    would = bench.start(provider, "plan", ledger, how=look).result
    assert (would["started"], would["changed"], would["task"]["task_id"]) == ("new", True, None)
    assert would["diff"]["before"] == {}
    assert "plan" in str(would["diff"]["after"]["asked"])
    assert not ledger.exists()
    task_id = bench.start(provider, "plan", ledger).result["task"]["task_id"]
    there = bench.start(provider, "plan", ledger, how=look).result
    assert (there["started"], there["changed"], there["task"]["task_id"]) == ("before", False, task_id)
    assert there["diff"]["before"] == there["diff"]["after"]
    assert there["diff"]["after"]["task_id"] == task_id
    assert bench.made(provider) - before == 1


def test_check_mode_finds_a_lost_start_and_leaves_the_ledger_alone(bench: Bench) -> None:
    ledger = bench.ledger()
    bench.start("cos_doc", "checked", ledger, how={"kill": "after the answer"})
    content = ledger.read_bytes()
    assert bench.start("cos_doc", "checked", ledger, how={"check_mode": True}).result["started"] == "adopted"
    assert ledger.read_bytes() == content
    assert bench.start("cos_doc", "checked", ledger).result["started"] == "adopted"


def test_a_start_without_a_ledger_shows_what_is_asked_for(bench: Bench) -> None:
    options = bench.options("mps", "plan", Path("x"))
    del options["ledger"]
    result = bench.runs.run("mps_media_task", options, check_mode=True, diff=True).result
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["asked"]["OutputDir"] == "/out/"
    assert "started" not in result


# --- Ledgers that are refused --------------------------------------------------------------------------------------


def newer(ledger: Path) -> dict[str, Any]:
    change(ledger, "PRAGMA user_version = 2")
    return {}


def damaged(ledger: Path) -> dict[str, Any]:
    content = bytearray(ledger.read_bytes())
    content[100:2000] = b"x" * 1900
    ledger.write_bytes(content)
    return {}


def no_database(ledger: Path) -> dict[str, Any]:
    ledger.write_text("notes\n" * 100, encoding="utf-8")
    return {}


def of_another_program(ledger: Path) -> dict[str, Any]:
    change(ledger, "PRAGMA application_id = 7")
    return {}


def link(ledger: Path) -> dict[str, Any]:
    ledger.rename(ledger.with_name("real"))
    ledger.symlink_to("real")
    return {}


def link_as_lock(ledger: Path) -> dict[str, Any]:
    lock = ledger.with_name("starts.ledger-lock")
    lock.unlink()
    lock.symlink_to("real")
    return {}


def for_all(ledger: Path) -> dict[str, Any]:
    ledger.chmod(0o666)
    return {}


def full(ledger: Path) -> dict[str, Any]:
    return {"file_size": 100}


def no_folder(ledger: Path) -> dict[str, Any]:
    ledger.parent.rename(ledger.parent.with_name(f"{ledger.parent.name}-gone"))
    return {}


def not_ours(ledger: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another user")
    os.chown(ledger, 65534, 65534)
    return {}


def read_only_folder(ledger: Path) -> dict[str, Any]:
    if os.geteuid() != 0:
        ledger.parent.chmod(0o500)
        return {}
    for path in ledger.parent.iterdir():
        os.chown(path, 65534, 65534)
    ledger.with_name("starts.ledger-journal").unlink()
    return {"as_user": 65534}


REFUSED: dict[Callable[[Path], dict[str, Any]], str] = {
    newer: "a newer release of the collection wrote it (format 2, this one reads 1); use that release, or give",
    damaged: "it is damaged, or no ledger; restore it from a backup, or give another file",
    no_database: "it is damaged, or no ledger",
    of_another_program: "it is a database of another program",
    link: "it is a symbolic link or no regular file",
    link_as_lock: "starts.ledger-lock is a symbolic link or no regular file",
    for_all: "other users may write to it",
    full: "SQLite says: ",
    no_folder: "its folder cannot be used (No such file or directory)",
    not_ours: "it belongs to another user",
    read_only_folder: "SQLite says: ",
}


@pytest.mark.parametrize("spoil", REFUSED, ids=lambda spoil: spoil.__name__)
def test_a_ledger_that_cannot_be_used_is_refused_before_anything_is_sent(
    bench: Bench, tmp_path: Path, spoil: Callable[[Path], dict[str, Any]]
) -> None:
    ledger, source = bench.ledger(), tmp_path / "plan.docx"
    source.write_bytes(b"PK")
    bench.start("ess", "first", ledger)
    how = spoil(ledger)
    before = bench.calls("ess")
    source = Path("/etc/hosts") if "as_user" in how else source
    file: dict[str, Any] = {"src": str(source), "resource_id": None, "resource_type": "docx"}
    result = bench.start("ess", "plan", ledger, how=how, **file).result
    assert (result["error"]["kind"], result["changed"]) == ("config", False), result
    assert f'failed: the ledger "{ledger}" cannot be used: {REFUSED[spoil]}' in result["msg"]
    assert bench.calls("ess") == before


@pytest.mark.parametrize("wrong", ["record = '[1]'", "intended_at = 'soon'", "started_at = 'x'"])
def test_a_row_that_was_changed_by_hand_is_refused(bench: Bench, wrong: str) -> None:
    ledger = bench.ledger()
    bench.start("mps", "plan", ledger)
    change(ledger, f"UPDATE starts SET {wrong}")
    before = bench.calls("mps")
    listed = bench.runs.run("ledger_info", {"ledger": str(ledger), "prune_older_than": "1d"}).result
    for result in (bench.start("mps", "plan", ledger).result, listed):
        assert f'the ledger "{ledger}" cannot be used: it is damaged, or no ledger; restore it' in result["msg"]
    assert bench.calls("mps") == before


# --- The list ------------------------------------------------------------------------------------------------------


def test_the_ledger_is_listed_by_the_module_and_by_sqlite3(bench: Bench) -> None:
    ledger = bench.ledger()
    assert bench.runs.run("ledger_info", {"ledger": str(ledger)}).result["entries"] == []
    assert not ledger.exists()
    task_id = bench.start("mps", "plan", ledger, idempotency_key="listed").result["task"]["task_id"]
    bench.start("ess", "plan", ledger, how={"kill": "after sending"})
    result = bench.runs.run("ledger_info", {"ledger": str(ledger)}).result
    found = {entry["provider"]: entry for entry in result["entries"]}
    assert (found["mps"]["key"], found["mps"]["state"], found["ess"]["state"]) == ("listed", "started", "sent")
    assert found["mps"]["ref"] == {"provider": "mps", "task_id": task_id}
    assert result["changed"] is False
    with contextlib.suppress(FileNotFoundError):  # where there is no such program
        query = "SELECT provider, key, state, task_id FROM starts WHERE key = 'listed'"
        read = subprocess.run(["sqlite3", str(ledger), query], capture_output=True, text=True, check=True)
        assert read.stdout == f"mps|listed|started|{task_id}\n"


def test_entries_go_only_when_asked(bench: Bench) -> None:
    ledger = bench.ledger()
    for name in ("old", "young"):
        bench.start("mps", name, ledger, idempotency_key=name)
    bench.start("ess", "plan", ledger, idempotency_key="lost", how={"kill": "after sending"})
    change(ledger, "UPDATE starts SET started_at = '2026-01-02T03:04:05Z' WHERE key = 'old'")
    change(ledger, "UPDATE starts SET intended_at = '2026-01-02T03:04:05Z' WHERE key = 'lost'")

    def keys(**options: Any) -> tuple[bool, list[str]]:
        how = {"check_mode": options.pop("check_mode", False)}
        result = bench.runs.run("ledger_info", {"ledger": str(ledger), **options}, **how).result
        return result["changed"], sorted(entry["key"] for entry in result["entries"])

    assert keys() == (False, ["lost", "old", "young"])
    assert keys(prune_older_than="30d", check_mode=True) == (True, ["lost", "young"])
    assert keys() == (False, ["lost", "old", "young"])
    assert keys(prune_older_than="30d", provider="ess") == (False, ["lost"])
    assert keys(prune_older_than="30d") == (True, ["lost", "young"])
    assert keys(prune_older_than="30d") == (False, ["lost", "young"])
    assert keys(forget=["lost"]) == (True, ["young"])


def test_the_end_of_a_wait_can_be_noted(bench: Bench) -> None:
    """The name is that of no other test, since a start of MPS finds what another ledger has started under its key."""
    ledger = bench.ledger()
    started = bench.start("mps", "noted", ledger).result["task"]
    output = {"type": "cos_object", "value": "/out/noted.mp4", "url": "https://example.com/?sign=x"}
    ended = {**started, "status": "succeeded", "done": True, "outputs": [output], "outcome": "satisfied"}
    other = {**ended, "task_id": "of-another-ledger"}
    noted = bench.runs.run("ledger_info", {"ledger": str(ledger), "ended": [{"tasks": [ended, other]}]}).result
    assert (noted["changed"], noted["noted"], noted["entries"][0]["status"]) == (True, 1, "succeeded")
    assert "sign=x" not in str(noted["entries"])
    before = bench.calls("mps")
    task = bench.start("mps", "noted", ledger).result["task"]
    assert (task["status"], task["outputs"][0]["value"]) == ("succeeded", "/out/noted.mp4")
    assert bench.calls("mps") == before
    again = bench.runs.run("ledger_info", {"ledger": str(ledger), "ended": [ended]}).result
    assert (again["changed"], again["noted"]) == (False, 0)


ENDED = {"provider": "mps", "task_id": "x", "status": "succeeded", "done": True, "outputs": []}
NO_RECORDS: list[dict[str, Any]] = [
    {"outputs": None},
    {"outputs": ["a"]},
    {"ref": "x"},
    {"ref": {}},
    {"task_id": ["x"]},
    {"provider": {}},
]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ended": [{"msg": "x"}]}, 'ended[0] is {"msg": "x"}, which is no record and no result that has one'),
        ({"prune_older_than": "soon"}, 'prune_older_than is "soon", which is no duration'),
        *(({"ended": [{**ENDED, **wrong}]}, ", which is no record and no result that has one") for wrong in NO_RECORDS),
    ],
)
def test_a_wrong_option_of_the_list_is_told(bench: Bench, options: dict[str, Any], said: str) -> None:
    ledger = bench.ledger()
    bench.start("mps", "plan", ledger)
    result = bench.runs.run("ledger_info", {"ledger": str(ledger), **options}).result
    assert result["error"]["kind"] == "config"
    assert said in result["msg"]
