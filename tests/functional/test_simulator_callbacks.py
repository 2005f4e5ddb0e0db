# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callbacks of the stand-in cloud: sent as the vendors do, to a small server that writes down what comes."""

from __future__ import annotations

import hashlib
import http.server
import json
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import call, cos_client, cos_look
from .test_simulator_starts import MEDIA

pytestmark = clients.pytestmark

END = [{"status": "succeeded"}]
LATER = [{"status": "running", "seconds": 0.2}, {"status": "failed", "message": "broken"}]


class Received(NamedTuple):
    path: str
    content_type: str
    body: bytes


class Receiver:
    """A server that takes callbacks."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[Received] = queue.Queue()
        self.may_answer = threading.Event()
        self.may_answer.set()
        inbox, may_answer = self.inbox, self.may_answer

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                inbox.put(Received(self.path, self.headers["Content-Type"], body))
                may_answer.wait(20)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/callback/secret"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def next(self) -> Received:
        return self.inbox.get(timeout=20)

    def is_empty(self) -> bool:
        return self.inbox.empty()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def start_media(simulator: Any, url: str, **notify: str) -> str:
    config = {"NotifyType": "URL", "NotifyUrl": url, **notify}
    return str(call(simulator, "mps", "ProcessMedia", {**MEDIA, "TaskNotifyConfig": config})["TaskId"])


def callbacks_in(simulator: Any, count: int) -> list[tuple[str, str]]:
    """The cloud task and verdict of so many callbacks in the journal, which notes them once they were answered."""
    ends = time.monotonic() + 20
    told: list[dict[str, Any]] = []
    while len(told) < count and time.monotonic() < ends:
        told = [entry for entry in simulator.journal() if entry["action"] == "Callback"]
    return [(entry["task_id"], entry["verdict"]) for entry in told]


def poll_all(simulator: Any) -> None:
    """Begin the lives of all cloud tasks of the scenario."""
    call(simulator, "mps", "DescribeTasks", {"Status": "FINISH"})


def test_mps_calls_back_at_the_end_of_a_cloud_task_that_asked_for_it(
    start_simulator: Callable[..., Any], receiver: Receiver
) -> None:
    simulator = start_simulator({"starts": [{"provider": "mps", "life": LATER}]})
    task_id = start_media(simulator, receiver.url, NotifyKey="EXAMPLE-FAKE-NOTIFY-KEY")
    received = receiver.next()
    body = json.loads(received.body)
    assert (received.path, received.content_type) == ("/callback/secret", "application/json")
    assert body["EventType"] == "WorkflowTask"
    assert body["WorkflowTaskEvent"]["Status"] == "FINISH"
    assert body["ScheduleTaskEvent"] is None
    signed = hashlib.md5(f"{body['Timestamp']}EXAMPLE-FAKE-NOTIFY-KEY".encode()).hexdigest()
    assert body["Sign"] == signed
    assert body["WorkflowTaskEvent"]["TaskId"] == task_id
    assert callbacks_in(simulator, 1) == [(task_id, "200")]
    assert "secret" not in json.dumps(simulator.journal())
    assert simulator.stats()["callbacks"] == {"mps": 1}
    assert receiver.is_empty()


def test_mps_calls_back_at_each_change_if_asked_to(start_simulator: Callable[..., Any], receiver: Receiver) -> None:
    life = [{"status": "pending", "seconds": 4}, {"status": "running", "seconds": 4}, {"status": "succeeded"}]
    simulator = start_simulator({"starts": [{"provider": "mps", "life": life}]})
    start_media(simulator, receiver.url, NotifyMode="Change")
    statuses = [json.loads(receiver.next().body)["WorkflowTaskEvent"]["Status"] for dummy in range(2)]
    assert statuses == ["PROCESSING", "FINISH"]


@pytest.mark.parametrize("form", ["XML", "JSON"])
def test_cos_calls_back_in_both_forms(start_simulator: Callable[..., Any], receiver: Receiver, form: str) -> None:
    task = {"provider": "cos_doc", "task_id": "d1", "life": END}
    simulator = start_simulator(
        {"tasks": [task], "callbacks": [{"provider": "cos_doc", "url": receiver.url, "format": form}]}
    )
    cos_look(cos_client(simulator), "d1")
    received = receiver.next()
    assert received.content_type == ("application/json" if form == "JSON" else "application/xml")
    if form == "JSON":
        body = json.loads(received.body)
        assert (body["EventName"], body["JobsDetail"]["JobId"]) == ("TaskFinish", "d1")
        assert body["JobsDetail"]["State"] == "Success"
        assert body["JobsDetail"]["CreationTime"].endswith("+08:00")
        assert [page["PageNo"] for page in body["JobsDetail"]["Operation"]["DocProcessResult"]["PageInfo"]] == [1, 2]
    else:
        assert b"<Response><EventName>TaskFinish</EventName><JobsDetail>" in received.body
        assert b"<JobId>d1</JobId>" in received.body
        assert b"+0800<" in received.body


def test_a_scenario_says_that_callbacks_are_late_doubled_lost_and_forged(
    start_simulator: Callable[..., Any], receiver: Receiver
) -> None:
    tasks = [{"provider": "mps", "task_id": name, "life": END} for name in ("doubled", "lost", "late", "forged")]
    usual = {"provider": "mps", "url": receiver.url}
    callbacks = [
        {**usual, "task_id": "doubled", "times": 2},
        {**usual, "task_id": "lost", "times": 0},
        {**usual, "task_id": "late", "delay": 2},
        {**usual, "task_id": "forged", "when": "begin", "forged": {"status": "failed"}},
        {**usual, "task_id": "forged", "when": "begin", "forged": {"status": "succeeded", "task_id": "of-nobody"}},
        {**usual, "task_id": "forged", "when": "begin", "forged": {"body": "<!DOCTYPE r>"}},
    ]
    simulator = start_simulator({"tasks": tasks, "callbacks": callbacks})
    poll_all(simulator)
    received = [receiver.next() for dummy in range(6)]
    bodies = [each.body for each in received]
    assert bodies.count(b"<!DOCTYPE r>") == 1
    events = [json.loads(body)["WorkflowTaskEvent"] for body in bodies if body.startswith(b"{")]
    names = [event["TaskId"] for event in events]
    assert sorted(names) == ["doubled", "doubled", "forged", "late", "of-nobody"]
    assert names[-1] == "late"
    failed = next(event for event in events if event["TaskId"] == "forged")
    assert failed["MediaProcessResultSet"][0]["ImageSpriteTask"]["Status"] == "FAIL"
    assert receiver.is_empty()


def test_callbacks_go_to_this_machine_only(start_simulator: Callable[..., Any], receiver: Receiver) -> None:
    simulator = start_simulator({"starts": [{"provider": "mps", "life": END}]})
    start_media(simulator, "http://hooks.example.com/callback/secret")
    start_media(simulator, receiver.url)
    receiver.next()
    assert sorted(verdict for dummy, verdict in callbacks_in(simulator, 2)) == ["200", "not_loopback"]


def test_a_cloud_that_was_stopped_sends_only_what_was_under_way(
    start_simulator: Callable[..., Any], receiver: Receiver, tmp_path: Path
) -> None:
    tasks = [{"provider": "mps", "task_id": "film", "life": END}]
    simulator = start_simulator({"tasks": tasks, "callbacks": [{"provider": "mps", "url": receiver.url, "times": 40}]})
    receiver.may_answer.clear()
    poll_all(simulator)
    for dummy in range(8):  # as many as it sends at the same time
        receiver.next()
    simulator.control("shutdown")
    ends = time.monotonic() + 20
    while (tmp_path / "ready-0.json").exists() and time.monotonic() < ends:
        time.sleep(0.02)
    receiver.may_answer.set()
    assert simulator.stop() == 0
    assert receiver.is_empty()


def test_callbacks_can_be_replaced_while_it_runs(start_simulator: Callable[..., Any], receiver: Receiver) -> None:
    simulator = start_simulator({"tasks": [{"provider": "mps", "task_id": "film", "life": END}]})
    poll_all(simulator)
    assert simulator.control("callbacks", {"callbacks": [{"provider": "mps", "url": receiver.url}]}) == {"callbacks": 1}
    assert json.loads(receiver.next().body)["WorkflowTaskEvent"]["TaskId"] == "film"


@pytest.mark.parametrize(
    ("callback", "said"),
    [
        ({"provider": "ess"}, "'ess' is not one of cos_doc, cos_media, mps"),
        ({"provider": "mps", "url": "http://example.com/"}, "callbacks[0].url: must be an http:// or https:// URL of"),
        ({"provider": "mps", "when": "never"}, "callbacks[0].when: 'never' is not one of begin, change, end"),
        ({"provider": "mps", "times": -1}, "callbacks[0].times: must be a whole number"),
        ({"provider": "mps", "forged": {"id": "x"}}, "callbacks[0].forged: has an unknown key 'id'"),
        ({"provider": "mps", "forged": {"status": "x"}}, "callbacks[0].forged.status: 'x' is not one of"),
    ],
)
def test_a_wrong_callback_is_refused(start_simulator: Callable[..., Any], callback: Any, said: str) -> None:
    simulator = start_simulator()
    with pytest.raises(RuntimeError) as caught:
        simulator.control("callbacks", {"callbacks": [callback]})
    assert said in str(caught.value)
