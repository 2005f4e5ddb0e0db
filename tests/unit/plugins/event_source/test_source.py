# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source between ansible-rulebook and its engine: what it watches, tells, and remembers."""

from __future__ import annotations

import asyncio
import contextlib
import pathlib
import sqlite3
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events import teller
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.arguments import check_arguments
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.engine import Reports
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.source import Source, SourceError, run
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.store import Store, Watched
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.telling import News, event_id, key_of
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record

FILM = {"provider": "mps", "task_id": "film"}
PLAN = {"provider": "dingtalk_doc", "task_id": "plan"}
KEYS = {"TENCENTCLOUD_SECRET_ID": "AKIDEXAMPLE-FAKE-ID", "TENCENTCLOUD_SECRET_KEY": "EXAMPLE-FAKE-SECRET-KEY"}
NOWHERE = {"CLOUDWAIT_MPS_ENDPOINT": "http://127.0.0.1:9"}  # nobody answers there
Event = dict[str, t.Any]


class FakeEngine:
    """Stands for what polls: a test says what it finds out."""

    def __init__(self, arguments: t.Any, environ: t.Any, reports: Reports) -> None:
        self.reports = reports
        self.watched: list[str] = []
        self.since: dict[str, float] = {}
        self.lists: list[t.Any] = []
        self.is_stopped = False
        self.refused: str | None = None

    def check(self, item: t.Any) -> None:
        if self.refused:
            raise CloudError("config", self.refused)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self.is_stopped = True

    def watch(self, some: t.Sequence[Watched]) -> None:
        self.watched += [watched.item["ref"]["task_id"] for watched in some]
        self.since.update({watched.item["ref"]["task_id"]: watched.since for watched in some})

    def watch_list(self, key: str, item: t.Any, options: t.Any, since: float) -> None:
        self.lists.append((key, item["ref"], since))

    def hint(self, word: str, task_ids: t.Any) -> None:
        pass

    def tell(self, ref: t.Any, status: str, outcome: str | None = None, **more: t.Any) -> None:
        self.reports.news([News(key_of(ref), make_record(ref, status, status, **more), outcome)])


class Book(asyncio.Queue[Event]):
    """The queue of ansible-rulebook, which has room for one event."""

    def __init__(self) -> None:
        super().__init__(1)

    async def next(self) -> Event:
        return await asyncio.wait_for(self.get(), 10)


class Run:
    """An event source that runs."""

    def __init__(self, feedback_queue: asyncio.Queue[Event] | None = None, **arguments: t.Any) -> None:
        self.book = Book()
        self.source = Source(self.book, check_arguments(arguments), feedback_queue, {}, t.cast("t.Any", FakeEngine))
        self.engine = t.cast(FakeEngine, self.source._engine)
        self.task = asyncio.ensure_future(self.source.run())

    async def begin(self) -> Run:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return self

    async def kill(self) -> None:
        """End it as ansible-rulebook does at a shutdown."""
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


def play(what: t.Callable[[], t.Awaitable[None]]) -> None:
    asyncio.run(t.cast("t.Any", what()))


@pytest.mark.parametrize(
    ("arguments", "one", "place"),
    [
        pytest.param(
            {"profile": "night", "site": "intl"},
            {"provider": "mps"},
            {"profile": "night", "site": "intl"},
            id="of the source",
        ),
        pytest.param(
            {"profile": "night", "site": "intl"},
            {"provider": "mps", "profile": "day", "site": "china"},
            {"profile": "day", "site": "china"},
            id="of the list",
        ),
        pytest.param(
            {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"},
            {"provider": "mps", "profile": "night"},
            {"profile": "night"},
            id="of the list, and keys of the source",
        ),
        pytest.param(
            {"region": "ap-guangzhou"},
            {"provider": "cos_doc", "bucket": "examplebucket-1250000000"},
            {"bucket": "examplebucket-1250000000", "region": "ap-guangzhou"},
            id="region of the source",
        ),
    ],
)
def test_a_list_has_the_defaults_of_the_source_as_a_cloud_task_has(arguments: Event, one: Event, place: Event) -> None:
    async def what() -> None:
        running = await Run(**arguments, lists=[one], tasks=[{**one, "task_id": "x1"}]).begin()
        ref = running.engine.lists[0][1]
        assert ref == {"provider": one["provider"], "task_id": None, **place}
        (watched,) = running.source._store.watched()
        assert watched.item["ref"] == {**ref, "task_id": "x1"}
        await running.kill()

    play(what)


def test_what_a_second_watch_finds_out_is_told_although_the_first_gave_up_in_the_same_way() -> None:
    async def what() -> None:
        running = await Run(tasks=[FILM], changes=True).begin()
        told: list[list[tuple[str, str]]] = []
        for dummy in range(2):
            running.engine.tell(FILM, "pending")
            running.engine.tell(FILM, "running")
            running.engine.tell(FILM, "running", "timed_out")
            events = [await running.book.next() for dummy in range(3)]
            told.append([(event["kind"], event["event_id"]) for event in events])
            assert running.source._take_tasks([FILM])["new"] == 1
        first, second = told
        assert [kind for kind, dummy in first] == [kind for kind, dummy in second] == ["change", "change", "end"]
        assert len({own for some in told for dummy, own in some}) == 6
        running.engine.tell(FILM, "succeeded", "satisfied")
        event = await running.book.next()
        assert event["event_id"] == event_id(News(key_of(FILM), event["cloud_task"], "satisfied")), (
            "as at the first end"
        )
        await running.kill()

    play(what)


def test_a_ref_that_cannot_be_written_down_ends_the_source_and_a_restart_watches_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_full(*dummy: t.Any) -> t.NoReturn:
        raise sqlite3.OperationalError("database or disk is full")

    async def what() -> None:
        state = str(tmp_path / "state.sqlite")
        running = await Run(tasks=[PLAN], state_file=state).begin()
        monkeypatch.setattr(running.source._store, "enter", is_full)
        over = {"task": {**FILM, "status": "succeeded", "done": True, "ref": FILM}}
        with pytest.raises(sqlite3.OperationalError):
            running.source._take_tasks([over])
        with pytest.raises(sqlite3.OperationalError):
            await asyncio.wait_for(running.task, 10)
        running = await Run(tasks=[PLAN], state_file=state).begin()
        assert "film" in running.engine.watched
        await running.kill()

    play(what)


def test_an_end_becomes_an_event_and_the_source_goes_on() -> None:
    async def what() -> None:
        running = await Run(tasks=[FILM, PLAN]).begin()
        assert running.engine.watched == ["film", "plan"]
        running.engine.tell(FILM, "running")
        running.engine.tell(FILM, "failed", "failed")
        event = await running.book.next()
        assert (event["kind"], event["outcome"], event["cloud_task"]["status"]) == ("end", "failed", "failed")
        assert running.book.empty()
        await running.kill()
        assert running.engine.is_stopped

    play(what)


def test_changes_are_told_if_wanted_each_once() -> None:
    async def what() -> None:
        running = await Run(tasks=[FILM], changes=True).begin()
        for progress in (10, 10, 20, 10):
            running.engine.tell(FILM, "running", progress=progress)
        events = [await running.book.next() for dummy in range(3)]
        assert [event["cloud_task"]["progress"] for event in events] == [10, 20, 10]
        assert {event["kind"] for event in events} == {"change"}
        assert len({event["event_id"] for event in events}) == 3
        running.engine.tell(FILM, "succeeded", "satisfied")
        assert (await running.book.next())["kind"] == "end"
        await running.kill()

    play(what)


def test_it_ends_when_all_is_told_if_it_is_asked_to(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "state")

    async def what() -> None:
        running = await Run(tasks=[FILM], exit_when_done=True, state_file=path).begin()
        running.engine.tell(FILM, "succeeded", "satisfied")
        await running.book.next()
        await asyncio.wait_for(running.task, 10)
        assert Store(path).untold() == []

    play(what)


def test_a_record_that_has_ended_needs_no_poll() -> None:
    async def what() -> None:
        record = make_record(FILM, "succeeded", "FINISH", outputs=[{"type": "path", "value": "/a"}])
        running = await Run(tasks=[{"task": record, "name": "Film"}]).begin()
        event = await running.book.next()
        assert running.engine.watched == []
        assert (event["outcome"], event["name"], event["cloud_task"]) == ("satisfied", "Film", record)
        await running.kill()

    play(what)


def test_a_restart_goes_on_and_tells_again_what_may_not_have_been_heard(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "state")

    async def first() -> None:
        running = await Run(tasks=[FILM, PLAN], state_file=path).begin()
        running.engine.tell(FILM, "succeeded", "satisfied")
        told.append((await running.book.next())["event_id"])
        since.append(running.engine.since["plan"])
        await running.kill()

    async def second() -> None:
        running = await Run(tasks=[FILM, PLAN], state_file=path).begin()
        told.append((await running.book.next())["event_id"])
        assert running.engine.watched == ["plan"]
        since.append(running.engine.since["plan"])
        await running.kill()

    told: list[str] = []
    since: list[float] = []
    play(first)
    play(second)
    assert told[0] == told[1]
    assert since[0] == since[1]


def test_an_event_is_struck_off_some_time_after_it_was_taken(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "SETTLED_AFTER", 0.02)
    path = str(tmp_path / "state")

    async def what() -> None:
        running = await Run(tasks=[FILM], state_file=path).begin()
        running.engine.tell(FILM, "succeeded", "satisfied")
        await running.book.next()
        for dummy in range(500):
            if not running.source._store.untold():
                break
            await asyncio.sleep(0.01)
        await running.kill()
        assert Store(path).untold() == []

    play(what)


def test_with_feedback_an_event_is_struck_off_when_the_rulebook_has_it(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teller, "SETTLED_AFTER", 0.0)
    path = str(tmp_path / "state")

    async def what() -> None:
        feedback: asyncio.Queue[Event] = asyncio.Queue(1)
        running = await Run(feedback, tasks=[FILM, PLAN], state_file=path, feedback=True).begin()
        running.engine.tell(FILM, "succeeded", "satisfied")
        running.engine.tell(PLAN, "succeeded", "satisfied")
        first = await running.book.next()
        second = await running.book.next()
        await feedback.put({**first, "meta": {"uuid": first["event_id"], "source": {"name": "x"}}})
        await asyncio.sleep(0.01)
        assert [event["event_id"] for dummy, event in running.source._store.untold()] == [second["event_id"]]
        await running.kill()

    play(what)


def test_refs_of_a_playbook_are_watched_from_then_on() -> None:
    async def what() -> None:
        running = await Run(listen={"port": 0, "token": "EXAMPLE-FAKE-TOKEN"}, tasks=[FILM]).begin()
        take = running.source._take_tasks
        assert take({"tasks": [FILM, PLAN]}) == {"tasks": 2, "new": 1}
        assert take([PLAN]) == {"tasks": 1, "new": 0}
        assert take({"task": make_record({**FILM, "task_id": "x"}, "running", "x")}) == {"tasks": 1, "new": 1}
        assert running.engine.watched == ["film", "plan", "x"]
        for body, said in (
            (5, "the body is neither a list nor an object"),
            ([{"provider": "vod", "task_id": "x"}], 'tasks[0] has the provider "vod"'),
            ([{"provider": "mps"}], "for tasks[0], task_id is empty"),
            ([{**FILM, "secret_key": "EXAMPLE-FAKE-SECRET"}], "tasks[0] has the key secret_key"),
        ):
            with pytest.raises(CloudError) as caught:
                take(body)
            assert said in caught.value.said
            assert "EXAMPLE-FAKE" not in caught.value.said
        running.engine.refused = "no keys"
        with pytest.raises(CloudError, match="no keys"):
            take([{**FILM, "task_id": "y"}])
        assert running.engine.watched == ["film", "plan", "x"]
        running.task.cancel()
        await asyncio.gather(running.task, return_exceptions=True)

    pytest.importorskip("aiohttp")
    play(what)


def test_what_a_list_has_is_watched_and_its_place_is_remembered(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "state")
    queue = {"provider": "cos_doc", "bucket": "b-1", "region": "ap-beijing", "queue_id": "p1"}
    ref = {"provider": "cos_doc", "task_id": "d1", "bucket": "b-1", "region": "ap-beijing"}

    async def first() -> None:
        running = await Run(lists=[queue, {"provider": "mps"}], state_file=path).begin()
        refs = [found for dummy, found, dummy2 in running.engine.lists]
        assert refs == [{**ref, "task_id": None}, {"provider": "mps", "task_id": None}]
        key = running.engine.lists[0][0]
        running.engine.reports.found([ref])
        running.engine.reports.passed(key, 500.0)
        running.engine.reports.found([ref])
        for dummy in range(4):
            await asyncio.sleep(0)
        assert running.engine.watched == ["d1"]
        await running.kill()

    async def second() -> None:
        running = await Run(lists=[queue], state_file=path).begin()
        assert running.engine.lists[0][2] == 500.0
        assert running.engine.watched == ["d1"]
        await running.kill()

    play(first)
    play(second)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "The event source cloud_tasks failed: none of tasks, lists and listen is given; give what to watch."),
        ({"tasks": [{"provider": "mps"}]}, "The event source cloud_tasks failed: for tasks[0], task_id is empty; "),
        ({"tasks": [FILM]}, "TENCENTCLOUD_SECRET_KEY where ansible-rulebook runs."),
        ({"lists": [{"provider": "cos_doc"}]}, "for lists[0], bucket is missing; "),
        ({"tasks": [FILM], "secret_id": "x"}, "secret_key is missing"),
        (
            {"tasks": [FILM], "profile": "night"},
            "create it with tccli configure where ansible-rulebook runs, or name another.",
        ),
        (
            {"lists": [{"provider": "mps", "profile": "night"}]},
            'for lists[0], the profile "night" was found neither in ',
        ),
    ],
)
def test_what_cannot_work_ends_the_source_in_one_sentence(
    arguments: t.Any, said: str, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(SourceError) as caught:
        asyncio.run(run(Book(), arguments, {}))
    assert said in str(caught.value)
    assert str(caught.value).count("\n") == 0


DAMAGE = {
    "UPDATE watched SET item = '{'": "which is damaged: a row cannot be read; remove it, or name another.",
    "UPDATE watched SET item = '{\"ref\": 5}'": "which is damaged: a row cannot be read; ",
    "UPDATE watched SET seen = '[]'": "which is damaged: a row cannot be read; ",
    "INSERT INTO events (event_id, event) VALUES ('x', '{')": "which is damaged: a row cannot be read; ",
    'UPDATE watched SET item = \'{"ref": {"provider": "vod", "task_id": "x"}}\'': 'a cloud task of "vod", which this release ',
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_state_file_with_a_damaged_row_ends_the_source_in_one_sentence(damage: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "state.sqlite"
    store = Store(str(path))
    store.add({key_of(FILM): {"ref": FILM}}, 1000.0)
    store.close()
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute(damage)
    with pytest.raises(SourceError) as caught:
        asyncio.run(run(Book(), {"tasks": [FILM], "state_file": str(path)}, {**KEYS, **NOWHERE}))
    assert DAMAGE[damage] in str(caught.value)
    assert str(caught.value).count("\n") == 0


def test_a_warning_gives_advice_for_where_ansible_rulebook_runs(caplog: pytest.LogCaptureFixture) -> None:
    async def what() -> None:
        running = await Run(tasks=[FILM]).begin()
        running.engine.reports.warn("The poll failed; set a key where the Ansible task runs.")
        await asyncio.sleep(0.01)
        await running.kill()

    play(what)
    assert "The poll failed; set a key where ansible-rulebook runs." in caplog.text


def test_a_crash_of_the_engine_ends_the_source() -> None:
    async def what() -> None:
        running = await Run(tasks=[FILM]).begin()
        running.engine.reports.ended(RuntimeError("x"))
        with pytest.raises(CloudError, match="the polls have crashed with RuntimeError"):
            await asyncio.wait_for(running.task, 10)

    play(what)
