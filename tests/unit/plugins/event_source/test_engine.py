# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What polls for the event source: the loop of a wait in a thread, over services whose answers are played."""

from __future__ import annotations

import queue
import threading
import time
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events import engine as module
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.arguments import check_arguments
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.engine import Engine, Reports
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.store import Watched
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.telling import News, key_of
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Page, Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps

KEYS = {"secret_id": "AKIDEXAMPLE", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
LIST = {"provider": "mps", "site": None, "profile": None, "bucket": None, "region": None, "queue_id": None}
Life = t.Callable[[str], t.Any]


class Cloud:
    """Stands for the vendor: the life of a cloud task by its id, and the pages of lists by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lives: dict[str, Life] = {}
        self.polls: list[str] = []
        self.pages: dict[str, list[t.Any]] = {}
        self.filters: list[t.Any] = []
        monkeypatch.setattr(Mps, "poll", lambda service, ref, **how: self.poll(ref))
        monkeypatch.setattr(Mps, "exchange", lambda service, request, read, **how: self.exchange(request))
        monkeypatch.setattr(Mps, "list_request", lambda service, ref, filters, **how: self.filters.append(filters))

    def poll(self, ref: t.Any) -> Poll:
        self.polls.append(ref["task_id"])
        found = self.lives[ref["task_id"]](ref["task_id"])
        if isinstance(found, CloudError):
            found.calls = 1
            raise found
        return Poll(make_record(ref, found, found), {}, 1)

    def exchange(self, request: t.Callable[[], t.Any]) -> t.Any:
        request()
        pages = self.pages[self.filters[-1]["Status"]]
        page = pages.pop(0) if len(pages) > 1 else pages[0]
        if isinstance(page, CloudError):
            page.calls = 1
            raise page
        return page, 1


class Run:
    """An engine that runs, and what it reports."""

    def __init__(self, **arguments: t.Any) -> None:
        self.news: queue.Queue[News] = queue.Queue()
        self.found: queue.Queue[list[dict[str, t.Any]]] = queue.Queue()
        self.passed: queue.Queue[tuple[str, float]] = queue.Queue()
        self.warnings: queue.Queue[str] = queue.Queue()
        self.ended: queue.Queue[BaseException | None] = queue.Queue()
        given = {"tasks": ["x"], "sleep": 0.01, "max_sleep": 0.01, **KEYS, **arguments}
        self.engine = Engine(
            check_arguments(given),
            {},
            Reports(
                news=self.take,
                found=self.found.put,
                passed=lambda key, began: self.passed.put((key, began)),
                warn=self.warnings.put,
                ended=self.ended.put,
            ),
        )
        self.engine.start()

    def take(self, news: list[News]) -> None:
        for one in news:
            self.news.put(one)

    def watch(self, *names: str, since: float | None = None, seen: t.Any = None) -> None:
        refs = [{"provider": "mps", "task_id": name} for name in names]
        now = time.time() if since is None else since
        self.engine.watch([Watched(key_of(ref), {"ref": ref}, now, seen or {}) for ref in refs])

    def next(self) -> News:
        return self.news.get(timeout=20)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


@pytest.fixture
def start() -> t.Iterator[t.Callable[..., Run]]:
    runs: list[Run] = []

    def begin(**arguments: t.Any) -> Run:
        runs.append(Run(**arguments))
        return runs[-1]

    yield begin
    for run in runs:
        run.engine.stop()
        assert run.ended.get(timeout=20) is None


def test_changes_and_ends_are_reported_with_whole_records(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    words = iter(["running", "running", "failed"])
    cloud.lives["film"] = lambda name: next(words)
    run = start()
    run.watch("film")
    told = [run.next() for dummy in range(2)]
    assert [(news.kind, news.outcome, news.record["status"]) for news in told] == [
        ("change", None, "running"),
        ("end", "failed", "failed"),
    ]
    assert told[1].record == make_record({"provider": "mps", "task_id": "film"}, "failed", "failed")


def test_a_hint_polls_at_once_whatever_the_pause(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    is_over = threading.Event()
    cloud.lives["film"] = lambda name: "succeeded" if is_over.is_set() else "running"
    run = start(sleep=1000, max_sleep=1000)
    run.watch("film")
    assert run.next().kind == "change"
    is_over.set()
    began = time.monotonic()
    run.engine.hint("mps", ["film", "of-nobody"])
    assert run.next().outcome == "satisfied"
    assert time.monotonic() - began < 10
    run.engine.hint("mps", ["film"])
    run.engine.hint("ess", ["film"])
    assert cloud.polls == ["film", "film"]


def test_a_watch_that_was_timed_out_before_the_start_ends_with_its_last_record(
    cloud: Cloud, start: t.Callable[..., Run]
) -> None:
    cloud.lives["film"] = lambda name: "running"
    run = start(timeout=60)
    run.watch("film", since=time.time() - 3600)
    news = run.next()
    assert (news.outcome, news.record["status"], news.error) == ("timed_out", "running", None)


def test_one_that_nobody_knows_is_told_as_such_with_the_reason(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    cloud.lives["film"] = lambda name: CloudError("not_found", "no such task")
    run = start(not_found_grace=0)
    run.watch("film")
    news = run.next()
    assert (news.outcome, news.record["status"]) == ("not_found", "unknown")
    assert news.error is not None
    assert news.error["kind"] == "not_found"
    assert run.warnings.empty()


def test_an_outage_ends_no_watch_and_is_written_to_the_log_once(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    answers = [*(CloudError("server", "HTTP 503") for dummy in range(30)), "succeeded"]
    cloud.lives["film"] = lambda name: answers.pop(0)
    run = start()
    run.watch("film")
    assert run.next().outcome == "satisfied"
    assert run.warnings.get(timeout=20).startswith("The poll of mps film failed (server: HTTP 503); ")
    assert run.warnings.empty()


def test_a_key_that_is_refused_ends_no_watch(
    cloud: Cloud, start: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BETWEEN_TRIES", 0.01)
    answers = [CloudError("auth", "the key is disabled"), CloudError("permission", "no right"), "succeeded"]
    cloud.lives["film"] = lambda name: answers.pop(0)
    run = start()
    run.watch("film")
    assert run.next().outcome == "satisfied"


def test_a_final_error_of_one_cloud_task_ends_its_watch(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    cloud.lives["film"] = lambda name: CloudError("invalid", "no id EXAMPLE-FAKE-SECRET-KEY")
    run = start()
    run.watch("film")
    news = run.next()
    assert (news.outcome, (news.error or {})["kind"]) == ("error", "invalid")


def test_a_record_of_before_a_restart_is_reported_anew(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    cloud.lives["film"] = lambda name: "running"
    run = start(sleep=1000, max_sleep=1000)
    run.watch("film", seen={"status": "running", "fingerprint": "f"})
    assert run.next().record["status"] == "running"


def test_many_are_polled_within_the_rate(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    names = [f"f{number}" for number in range(20)]
    cloud.lives.update(dict.fromkeys(names, lambda name: "succeeded"))
    run = start(rate_limit={"mps": 100})
    began = time.monotonic()
    run.watch(*names)
    assert {key_of({"provider": "mps", "task_id": name}) for name in names} == {run.next().key for dummy in names}
    assert time.monotonic() - began >= 0.18
    assert len(cloud.polls) == 20


def test_lists_are_read_page_by_page_again_and_again(cloud: Cloud, start: t.Callable[..., Run]) -> None:
    cloud.pages = {
        "WAITING": [Page({"w1": {}}, "next"), Page({"w2": {}}, None), Page({}, None)],
        "PROCESSING": [Page({}, None)],
        "FINISH": [Page({"f1": {}}, None), Page({}, None)],
    }
    run = start()
    run.engine.watch_list("key", {"ref": {"provider": "mps", "task_id": None}}, LIST, since=1_700_000_000.0)
    found = [run.found.get(timeout=20) for dummy in range(3)]
    assert [[ref["task_id"] for ref in refs] for refs in found] == [["w1"], ["w2"], ["f1"]]
    key, began = run.passed.get(timeout=20)
    assert key == "key"
    assert abs(time.time() - began) < 60
    run.passed.get(timeout=20)
    assert cloud.filters[0] == {"Status": "WAITING", "StartTime": None}
    ended = [filters["StartTime"] for filters in cloud.filters if filters["Status"] == "FINISH"]
    assert ended[0] == "2023-11-14T22:11:20Z"
    assert ended[1] > "2026"


def test_the_next_pass_begins_at_the_vendors_time(
    cloud: Cloud, start: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def exchange(service: Mps, request: t.Callable[[], t.Any], *dummy: t.Any, **how: t.Any) -> t.Any:
        service.settings.clock.offset = -8 * 3600.0  # as after an answer that refuses the signature
        return cloud.exchange(request)

    monkeypatch.setattr(Mps, "exchange", exchange)
    cloud.pages = {name: [Page({}, None)] for name in ("WAITING", "PROCESSING", "FINISH")}
    run = start()
    run.engine.watch_list("key", {"ref": {"provider": "mps", "task_id": None}}, LIST, since=time.time())
    assert abs(time.time() - 8 * 3600 - run.passed.get(timeout=20)[1]) < 60


def test_a_list_that_cannot_be_read_is_tried_again(
    cloud: Cloud, start: t.Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ansible_collections.cloudwait.conversion.plugins.module_utils._events import lists

    monkeypatch.setattr(lists, "FIRST_PAUSE", 0.01)
    # several, since a request of the test before may be on its way yet
    cloud.pages = {"WAITING": [*(CloudError("permission", "no right") for dummy in range(4)), Page({}, None)]}
    cloud.pages.update(PROCESSING=[Page({}, None)], FINISH=[Page({}, None)])
    run = start()
    run.engine.watch_list("key", {"ref": {"provider": "mps", "task_id": None}}, LIST, since=0.0)
    assert run.passed.get(timeout=20)[0] == "key"
    assert run.warnings.get(timeout=20).startswith(
        "The list of cloud tasks of mps could not be read (permission: no right); "
    )


def test_a_status_that_the_vendor_does_not_document_is_said_aloud_once(
    cloud: Cloud, start: t.Callable[..., Run]
) -> None:
    words = {"film": iter(["unknown", "succeeded"]), "trailer": iter(["unknown", "succeeded"])}
    cloud.lives.update(dict.fromkeys(words, lambda name: next(words[name])))
    run = start()
    run.watch("film", "trailer")
    ends: set[str] = set()
    while len(ends) < 2:
        news = run.next()
        ends |= {news.key} if news.kind == "end" else set()
    assert run.warnings.get(timeout=20).startswith('The status "unknown" of the mps cloud task ')
    assert run.warnings.empty()


def test_a_crash_is_reported(cloud: Cloud) -> None:
    run = Run()
    run.engine._loop.call(lambda: t.cast("None", 1 / 0))
    assert isinstance(run.ended.get(timeout=20), ZeroDivisionError)


def test_what_cannot_be_polled_is_refused_at_once() -> None:
    run = Run(secret_id=None, secret_key=None)
    with pytest.raises(CloudError) as caught:
        run.engine.check({"ref": {"provider": "dingtalk_doc", "task_id": "x"}})
    assert caught.value.kind == "config"
    run.engine.stop()
