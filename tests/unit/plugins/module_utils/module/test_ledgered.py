# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts with a ledger over a transport that plays answers: what is sent, what is told, what the ledger has afterwards.

The functional tests kill modules at every step. Here are the ways that depend on times, on lists, and on errors.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import typing as t
from email.utils import formatdate

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _ledger
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._ledger import Entry, Ledger
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import run as library
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import starts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDocStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import EssStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import MpsStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import Starter
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock
from ansible_collections.cloudwait.conversion.tests.cases import CASES, STARTS
from ansible_collections.cloudwait.conversion.tests.unit.argspecs import parameters, spec_of
from ansible_collections.cloudwait.conversion.tests.unit.ended import Ended, FakeModule, Run
from ansible_collections.cloudwait.conversion.tests.unit.played import Step, Vendor

Dict = dict[str, t.Any]

HOST = "vendor.example.com"
CLASSES: dict[str, type[Starter]] = {"mps": MpsStarts, "cos_doc": CosDocStarts, "ess": EssStarts}
NOW = 1767323045.0  # 2026-01-02T03:04:05Z
DAY = 24 * 3600.0


def api3(**response: t.Any) -> Answer:
    return Answer(HOST, 200, {}, json.dumps({"Response": {"RequestId": "r1", **response}}).encode())


def refusal(code: str) -> Answer:
    return api3(Error={"Code": code, "Message": "no"})


def job(task_id: str, name: str = "plan", **more: t.Any) -> str:
    """A job in a list of COS, that of the start with this name."""
    output = more.get("output", f"out/{name}-${{Number}}.jpg")
    return (
        f"<JobsDetail><JobId>{task_id}</JobId><State>Submitted</State><Input><Object>in/{name}.docx</Object></Input>"
        f"<Operation><Output><Bucket>examplebucket-1250000000</Bucket><Object>{output}</Object></Output></Operation>"
        "</JobsDetail>"
    )


def jobs(*entries: str) -> Answer:
    return Answer(HOST, 200, {}, f"<Response>{''.join(entries)}</Response>".encode())


def media_list(*ids: str) -> Answer:
    return api3(TaskSet=[{"TaskId": each} for each in ids], ScrollToken="", TotalCount=len(ids))


def detail(session: str = "", status: str = "WAITING", **more: t.Any) -> Answer:
    container = {"Status": status, "ErrCode": 0, "Message": "", **more}
    return api3(TaskType="WorkflowTask", Status=status, SessionId=session, WorkflowTask=container)


def lost(**more: t.Any) -> CloudError:
    return CloudError("network", "the connection was closed before an answer came", **more)


def methods(vendor: Vendor) -> list[str]:
    return [request.method for request in vendor.requests]


DUPLICATE = refusal("InvalidParameterValue.SessionId")
STARTED = api3(TaskId="t1")
BROKEN = api3(TaskType="WorkflowTask", Status="FINISH", WorkflowTask={"Status": "FINISH", "ErrCode": 7, "Message": "x"})


class Book:
    """A ledger, a clock that sleeping moves on, and starts that use them."""

    def __init__(self, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.time = NOW
        self.ahead = 0.0  # of the vendor's clock
        self.sleeps: list[float] = []
        self._patch = monkeypatch
        monkeypatch.setattr("time.sleep", self.sleep)
        monkeypatch.setattr(library, "make_clock", lambda dummy: Clock(lambda: self.time + self.ahead))

    def open(self, path: str) -> Ledger:
        return Ledger(path, clock=lambda: self.time)

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds

    def start(self, provider: str, *script: Step, check_mode: bool = False, **options: t.Any) -> tuple[Run, Vendor]:
        vendor = Vendor(*script)
        self._patch.setattr(library, "make_transport", lambda dummy: vendor)
        credentials = CASES[provider].credentials.options
        given = {**CASES[provider].needs, **STARTS[provider].options("plan"), **credentials, "request_retries": 0}
        module = FakeModule(
            parameters(spec_of(STARTS[provider].module), {**given, "ledger": self.path, **options}),
            check_mode=check_mode,
        )
        with pytest.raises(Ended) as caught:
            starts.run_start(t.cast(t.Any, module), CLASSES[provider])
        return Run(caught.value.failed, caught.value.result, list(self.sleeps), module), vendor

    def entry(self) -> Entry | None:
        with self.open(self.path) as ledger:
            return next(iter(ledger.entries()), None)

    def is_lost(self, provider: str, age: float, **members: t.Any) -> Entry:
        """Let a start have been sent some seconds ago by a module that was killed then."""
        self.start(provider, STARTED if provider != "cos_doc" else jobs(job("t0")))
        entry = self.entry()
        assert entry is not None
        entry = entry._replace(state="sent", task_id=None, started_at=None, **members)
        with self.open(self.path) as ledger:
            ledger.put(entry)
        self.time += age
        return entry


@pytest.fixture
def book(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Book:
    for name in [name for name in os.environ if name.startswith("CLOUDWAIT_")]:
        monkeypatch.delenv(name)
    return Book(str(tmp_path / "starts.ledger"), monkeypatch)


# --- A clock that is wrong -----------------------------------------------------------------------------------------


def test_the_ledger_has_the_vendors_time(book: Book) -> None:
    book.ahead = 8 * 3600.0
    late = refusal("AuthFailure.SignatureExpire")._replace(headers={"Date": formatdate(NOW, usegmt=True)})
    assert book.start("mps", late, STARTED)[0].result["started"] == "new"
    entry = book.entry()
    assert entry is not None
    assert (entry.intended_at, entry.started_at) == ("2026-01-02T03:04:05Z",) * 2


def test_a_clock_that_was_set_back_means_no_long_pause(book: Book) -> None:
    book.is_lost("cos_doc", -3600.0)
    run, dummy = book.start("cos_doc", jobs(), jobs(), jobs(job("t1")))
    assert (run.result["started"], run.sleeps) == ("new", [15.0])


def test_an_answer_that_was_lost_late_may_still_be_on_its_way(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    send = Vendor.send

    def slowly(vendor: Vendor, request: t.Any, **more: t.Any) -> Answer:
        book.time += 40.0 * (request.method == "POST")
        return send(vendor, request, **more)

    monkeypatch.setattr(Vendor, "send", slowly)
    run, dummy = book.start("cos_doc", lost(), jobs(), jobs(job("t1")))
    assert (run.result["started"], run.sleeps) == ("adopted", [15.0])


@pytest.mark.parametrize("status", ["succeeded", "partial"])
def test_what_ended_well_is_not_paid_again_when_the_vendor_has_forgotten_it(book: Book, status: str) -> None:
    book.start("mps", STARTED)
    entry = book.entry()
    assert entry is not None
    with book.open(book.path) as ledger:
        ledger.put(entry._replace(status=status))
    book.time += 30 * DAY
    gone = refusal("ResourceNotFound.TaskNotFound")
    run, vendor = book.start("mps", gone, STARTED, on_failed="start_again")
    assert (run.result["started"], run.result["task"]["status"], vendor.sent) == ("before", status, 1)


# --- Other starts at the same time ---------------------------------------------------------------------------------


def is_locked(path: str, key: str) -> bool:
    """Whether another process cannot start under a key."""
    pid = os.fork()
    if pid == 0:
        handle = os.open(f"{path}-lock", os.O_RDWR)
        os._exit(0 if _ledger._lock(handle, _ledger._place_of(key), path) else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 1


@pytest.mark.parametrize("version", [None, {"etag": "9e107d9d", "last_modified": None}])
def test_no_other_process_starts_under_the_same_key_whether_it_is_given_or_made(
    book: Book, monkeypatch: pytest.MonkeyPatch, version: Dict | None
) -> None:
    planned, dummy = book.start("cos_doc", jobs(), check_mode=True, input_version=version)
    key = planned.result["idempotency_key"]
    send, seen = Vendor.send, []

    def look(vendor: Vendor, request: t.Any, **more: t.Any) -> Answer:
        seen.append((is_locked(book.path, f"cos_doc {key}"), is_locked(book.path, "cos_doc another")))
        return send(vendor, request, **more)

    monkeypatch.setattr(Vendor, "send", look)
    run, dummy = book.start("cos_doc", jobs(job("t1")), input_version=version)
    assert (run.result["started"], run.result["idempotency_key"]) == ("new", key)
    assert set(seen) == {(True, False)}


# --- A start that is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [refusal("InvalidParameterValue"), lost(sent=False)], ids=["refused", "not sent"])
def test_a_start_that_certainly_did_not_happen_leaves_no_entry(book: Book, step: Step) -> None:
    run, dummy = book.start("mps", step)
    assert (run.failed, run.result["changed"], book.entry()) == (True, False, None)
    assert book.start("mps", STARTED)[0].result["started"] == "new"


def test_a_new_attempt_that_is_refused_leaves_the_failed_one(book: Book) -> None:
    book.start("mps", STARTED)
    run, vendor = book.start("mps", BROKEN, refusal("InvalidParameterValue"), on_failed="start_again")
    assert (run.error["kind"], vendor.actions) == ("invalid", ["DescribeTaskDetail", "ProcessMedia"])
    entry = book.entry()
    assert entry is not None
    assert (entry.state, entry.task_id, entry.attempt) == ("started", "t1", 1)


def test_a_second_attempt_has_another_session(book: Book) -> None:
    book.start("mps", STARTED, idempotency_key="night")
    dummy, vendor = book.start("mps", BROKEN, STARTED, idempotency_key="night", on_failed="start_again")
    assert vendor.bodies[1]["SessionId"] != "night"
    assert len(vendor.bodies[1]["SessionId"]) == 40


@pytest.mark.parametrize(
    ("options", "session"),
    [({"idempotency_key": "night"}, "night"), ({"idempotency_key": "n" * 60}, None), ({"session_id": "own"}, "own")],
)
def test_the_key_is_the_session_unless_one_is_given(book: Book, options: Dict, session: str | None) -> None:
    dummy, vendor = book.start("mps", STARTED, **options)
    sent = vendor.bodies[0]["SessionId"]
    assert sent == session or (session is None and len(sent) == 40)


@pytest.mark.parametrize("key", ["", " ", "a\nb", "x" * 201])
def test_what_cannot_be_a_key_is_refused(book: Book, key: str) -> None:
    run, vendor = book.start("mps", STARTED, idempotency_key=key)
    assert (run.error["kind"], vendor.sent) == ("config", 0)
    assert "which cannot be a key; give 1 to 200 printable characters" in run.result["msg"]


def test_a_poll_that_fails_tells_what_is_there(book: Book) -> None:
    book.start("mps", STARTED)
    run, vendor = book.start("mps", lost())
    assert (run.error["kind"], run.result["started"], run.result["changed"]) == ("network", "before", False)
    assert run.result["task"]["task_id"] == "t1"
    assert "the cloud task exists, but it could not be polled: " in run.result["msg"]
    assert vendor.actions == ["DescribeTaskDetail"]


def test_a_new_cloud_task_that_the_vendor_does_not_show_yet_is_not_started_again(book: Book) -> None:
    book.start("mps", STARTED)
    gone = refusal("ResourceNotFound.TaskNotFound")
    assert book.start("mps", gone, on_failed="start_again")[0].result["started"] == "before"
    book.time += 61
    run, dummy = book.start("mps", gone, STARTED, on_failed="start_again")
    assert run.result["started"] == "new"


def test_an_id_that_cannot_be_written_is_returned_with_a_warning(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    put = Ledger.put

    def full(self: Ledger, *entries: Entry) -> None:
        if entries[0].state == "started":
            raise CloudError("config", "the ledger is full", advice="make room")
        put(self, *entries)

    monkeypatch.setattr(Ledger, "put", full)
    run, dummy = book.start("mps", STARTED)
    assert (run.failed, run.result["started"], run.result["task"]["task_id"]) == (False, "new", "t1")
    assert run.module.warnings == ["The mps cloud task t1 exists, but the ledger is full; make room."]
    entry = book.entry()
    assert entry is not None
    assert entry.state == "sent"


# --- A start of which nobody has the id ----------------------------------------------------------------------------


def test_cos_is_searched_by_input_and_output_since_the_start(book: Book) -> None:
    book.is_lost("cos_doc", 3600)
    others = [job("o1", "minutes"), job("o2", output="else/${Number}.jpg")]
    run, vendor = book.start("cos_doc", jobs(*others, job("t9")))
    assert (run.result["started"], run.result["changed"], run.result["task"]["task_id"]) == ("adopted", True, "t9")
    assert methods(vendor) == ["GET"]
    assert vendor.queries[0]["startCreationTime"] == "2026-01-02T02:49:05+0000"


@pytest.mark.parametrize(
    "echo", ["https://files.example.com/plan.docx", "https://files.example.com/plan.docx?sign=new"]
)
def test_cos_knows_a_document_at_a_url_whatever_signs_it(book: Book, echo: str) -> None:
    source: Dict = {
        "input_object": None,
        "input_url": "https://files.example.com/plan.docx?sign=EXAMPLE-FAKE-SIGNATURE",
    }
    listed = job("t9").replace("<Object>in/plan.docx</Object>", f"<Url>{echo}</Url>")
    assert book.start("cos_doc", lost(), jobs(job("o1"), listed), **source)[0].result["started"] == "adopted"
    again: Dict = {**source, "input_url": "https://files.example.com/plan.docx?sign=EXAMPLE-FAKE-OTHER-SIGNATURE"}
    assert book.start("cos_doc", jobs(job("t9")), **again)[0].result["started"] == "before"


def film_at(url: str) -> Dict:
    return {
        "InputInfo": {"Type": "URL", "UrlInputInfo": {"Url": url}},
        "OutputStorage": {
            "Type": "COS",
            "CosOutputStorage": {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing"},
        },
        "OutputDir": "/out/",
        "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100010}]},
    }


@pytest.mark.parametrize("echo", ["", "?sign=EXAMPLE-FAKE-SIGNATURE", "?sign=EXAMPLE-FAKE-OTHER-SIGNATURE"])
def test_mps_knows_a_film_at_a_url_whatever_signs_it(book: Book, echo: str) -> None:
    url = "https://media.example.com/trailer.mov"
    source = film_at(f"{url}?sign=EXAMPLE-FAKE-SIGNATURE")
    planned, dummy = book.start("mps", STARTED, parameters=source, check_mode=True)
    key = planned.result["idempotency_key"]
    told = detail(session=key, InputInfo=film_at(url + echo)["InputInfo"])
    run, dummy = book.start("mps", lost(), media_list("t9"), told, parameters=source)
    assert (run.result["started"], run.result["task"]["task_id"]) == ("adopted", "t9")
    again = film_at(f"{url}?sign=EXAMPLE-FAKE-OTHER-SIGNATURE")
    second, dummy = book.start("mps", told, parameters=again)
    assert (second.result["started"], second.result["idempotency_key"]) == ("before", key)
    assert "EXAMPLE-FAKE-SIGNATURE" not in json.dumps([planned.result, run.result])


def test_a_slash_before_a_key_makes_no_difference(book: Book) -> None:
    listed = job("t9").replace("in/plan.docx", "/in/plan.docx").replace("out/plan", "/out/plan")
    assert book.start("cos_doc", lost(), jobs(listed))[0].result["started"] == "adopted"


def test_cos_starts_anew_what_no_list_has_once_nothing_can_be_on_its_way(book: Book) -> None:
    book.is_lost("cos_doc", 15)  # within request_timeout it could still be sent
    run, vendor = book.start("cos_doc", jobs(), jobs(), jobs(job("t9")))
    assert (run.result["started"], run.result["task"]["task_id"]) == ("new", "t9")
    assert (methods(vendor), book.sleeps) == (["GET", "GET", "POST"], [10.0])


def test_a_start_that_was_killed_during_a_long_request_may_still_come(book: Book) -> None:
    book.is_lost("cos_doc", 60)
    run, dummy = book.start("cos_doc", jobs(), jobs(job("t9")), request_timeout=60.0)
    assert (run.result["started"], book.sleeps) == ("adopted", [15.0])


def test_cos_finds_one_that_comes_into_the_list_late(book: Book) -> None:
    book.is_lost("cos_doc", 5)
    run, vendor = book.start("cos_doc", jobs(), jobs(job("t9")))
    assert (run.result["started"], vendor.sent) == ("adopted", 2)


def test_several_that_it_could_be_are_told(book: Book) -> None:
    book.is_lost("cos_doc", 60)
    run, dummy = book.start("cos_doc", jobs(job("t8"), job("t9")))
    assert (run.error["kind"], run.error["retryable"], run.result["changed"]) == ("uncertain", False, False)
    assert '2 cloud tasks have the same input and output: "t8", "t9"; the cloud task may exist' in run.result["msg"]
    way = "give another idempotency_key, or remove the entry with the option forget of ledger_info."
    assert run.result["msg"].endswith(f"; to start it all the same, {way}")


def test_what_another_key_has_is_not_adopted(book: Book) -> None:
    book.start("cos_doc", jobs(job("t8")), idempotency_key="first")
    book.is_lost("cos_doc", 60)
    run, dummy = book.start("cos_doc", jobs(job("t8"), job("t9")))
    assert run.result["task"]["task_id"] == "t9"


def test_what_the_list_no_longer_shows_is_told(book: Book) -> None:
    book.is_lost("cos_doc", 40 * DAY)
    run, vendor = book.start("cos_doc", jobs())
    assert (run.error["kind"], vendor.sent) == ("uncertain", 1)


def test_a_search_that_fails_can_be_repeated(book: Book) -> None:
    book.is_lost("cos_doc", 60)
    run, dummy = book.start("cos_doc", lost())
    assert (run.error["kind"], run.error["retryable"], run.result["changed"]) == ("uncertain", True, False)
    assert "and the search for its cloud task failed: the connection was closed" in run.result["msg"]
    assert book.start("cos_doc", jobs(job("t9")))[0].result["started"] == "adopted"


def test_mps_itself_refuses_a_second_start(book: Book) -> None:
    entry = book.is_lost("mps", 60)
    lists = (media_list("o1"), detail("other"), media_list("t9"), detail(entry.key))
    run, vendor = book.start("mps", DUPLICATE, *lists)
    assert (run.result["started"], run.result["task"]["task_id"]) == ("adopted", "t9")
    assert vendor.actions == [
        "ProcessMedia",
        "DescribeTasks",
        "DescribeTaskDetail",
        "DescribeTasks",
        "DescribeTaskDetail",
    ]


INPUT = STARTS["mps"].options("plan")["parameters"]["InputInfo"]
OTHER_INPUTS = {
    "type": {"Type": "URL", "UrlInputInfo": {"Url": "https://example.com/film.mp4"}},
    "object": {**INPUT, "CosInputInfo": {**INPUT["CosInputInfo"], "Object": "/in/other.mp4"}},
    "bucket": {**INPUT, "CosInputInfo": {**INPUT["CosInputInfo"], "Bucket": "other-1250000000"}},
}


@pytest.mark.parametrize("case", OTHER_INPUTS)
def test_mps_does_not_give_away_what_others_made_in_the_same_session(book: Book, case: str) -> None:
    lists = (media_list("o1"), detail("night", InputInfo=OTHER_INPUTS[case]), media_list(), media_list())
    run, dummy = book.start("mps", DUPLICATE, *lists, idempotency_key="night")
    assert (run.error["kind"], run.error["code"]) == ("invalid", "InvalidParameterValue.SessionId")
    assert TAKEN in run.result["msg"]
    assert "may exist" not in run.result["msg"]
    assert (run.result["changed"], book.entry()) == (False, None)


@pytest.mark.parametrize("first", [lost(), None], ids=["its answer was lost", "its module was killed"])
def test_mps_is_sure_that_a_session_of_other_work_started_nothing(book: Book, first: CloudError | None) -> None:
    lists = (media_list("o1"), detail("night", InputInfo=OTHER_INPUTS["object"]))
    if first is None:
        book.start("mps", lost(), lost(), idempotency_key="night", request_retries=0)
        assert book.entry() is not None
    script = (DUPLICATE, *lists) if first is None else (first, *lists)
    run, dummy = book.start("mps", *script, idempotency_key="night")
    assert TAKEN in run.result["msg"]
    assert (run.error["kind"], run.result["changed"], book.entry()) == ("invalid", False, None)


def test_mps_may_repeat_a_url_in_another_form(book: Book) -> None:
    asked = {"Type": "URL", "UrlInputInfo": {"Url": "https://example.com/a%20film.mp4"}}
    told = {"Type": "URL", "UrlInputInfo": {"Url": "https://example.com/a film.mp4"}}
    lists = (media_list("o1"), detail("night", InputInfo=told), media_list(), media_list())
    storage = {"Type": "COS", "CosOutputStorage": {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing"}}
    usual = STARTS["mps"].options("plan")["parameters"]
    work = {**usual, "InputInfo": asked, "OutputStorage": storage, "OutputDir": "/out/"}
    run, dummy = book.start("mps", lost(), DUPLICATE, *lists, idempotency_key="night", parameters=work)
    assert run.error["kind"] == "uncertain"
    assert book.entry() is not None


def test_mps_may_have_forgotten_a_session_of_other_work(book: Book) -> None:
    book.is_lost("mps", 4 * DAY)
    entry = book.entry()
    assert entry is not None
    others = (media_list("o1"), detail(entry.key, InputInfo=OTHER_INPUTS["object"]))
    run, vendor = book.start("mps", *others, STARTED)
    assert (run.result["started"], vendor.actions[-1]) == ("new", "ProcessMedia")


def test_a_first_start_that_mps_refuses_leaves_no_entry(book: Book) -> None:
    """The cloud task with the session may be older than what is searched, or under another key of this ledger."""
    book.start("mps", STARTED, session_id="s1", idempotency_key="first")
    book.time += 3600
    script = (DUPLICATE, media_list("t1"), media_list(), media_list())
    run, dummy = book.start("mps", *script, session_id="s1", idempotency_key="second")
    assert (run.error["kind"], run.error["code"]) == ("invalid", "InvalidParameterValue.SessionId")
    assert "give another session_id" in run.result["msg"]
    assert "may exist" not in run.result["msg"]
    with book.open(book.path) as ledger:
        assert [entry.key for entry in ledger.entries()] == ["first"]


def test_a_refused_session_whose_search_fails_is_searched_again(book: Book) -> None:
    run, dummy = book.start("mps", DUPLICATE, lost(), idempotency_key="night")
    assert (run.error["retryable"], run.result["changed"], book.entry()) == (True, False, None)
    lists = (media_list("t9"), detail("night", InputInfo=INPUT))
    assert book.start("mps", DUPLICATE, *lists, idempotency_key="night")[0].result["started"] == "adopted"


TAKEN = (
    'the media task "o1", which does other work, has used the session_id "night", so that nothing was started; '
    "give another session_id, or another idempotency_key if session_id is not given"
)
TOLD = [
    INPUT,
    {},
    None,
    {"Type": "COS", "CosInputInfo": None, "UrlInputInfo": None},
    {"Type": "COS", "CosInputInfo": {**INPUT["CosInputInfo"], "Object": INPUT["CosInputInfo"]["Object"].strip("/")}},
    {"Type": "COS", "CosInputInfo": {"Bucket": "", "Object": {"of": "another form"}}},
]


@pytest.mark.parametrize("told", TOLD)
def test_mps_adopts_its_own_whether_the_vendor_tells_the_input_or_not(book: Book, told: t.Any) -> None:
    lists = (media_list("t9"), detail("night", InputInfo=told))
    run, dummy = book.start("mps", DUPLICATE, *lists, idempotency_key="night")
    assert (run.result["started"], run.result["task"]["task_id"]) == ("adopted", "t9")


OWN = {"short": ("nightly", "nightly-2"), "longest": ("n" * 48, "n" * 48 + "-2")}


@pytest.mark.parametrize("case", OWN)
def test_a_session_of_the_users_own_is_another_one_when_it_starts_again(book: Book, case: str) -> None:
    own, again = OWN[case]
    book.start("mps", STARTED, session_id=own)
    dummy, vendor = book.start("mps", BROKEN, api3(TaskId="t2"), session_id=own, on_failed="start_again")
    assert json.loads(vendor.requests[-1].body or b"")["SessionId"] == again


def test_a_session_that_leaves_no_room_for_a_number_becomes_a_digest(book: Book) -> None:
    book.start("mps", STARTED, session_id="n" * 49)
    dummy, vendor = book.start("mps", BROKEN, api3(TaskId="t2"), session_id="n" * 49, on_failed="start_again")
    session = json.loads(vendor.requests[-1].body or b"")["SessionId"]
    assert len(session) <= 50
    assert not session.startswith("n")


def test_mps_says_that_one_exists_which_no_list_has(book: Book) -> None:
    book.is_lost("mps", 60)
    run, dummy = book.start("mps", DUPLICATE, media_list())
    assert (run.error["kind"], run.error["code"]) == ("uncertain", "InvalidParameterValue.SessionId")
    assert "look for it with mps_task_list_info" in run.result["msg"]
    way = "give another idempotency_key, or another session_id if one is given."
    assert run.result["msg"].endswith(f"; to start it all the same, {way}")  # MPS would refuse one that was forgotten


def test_a_forgotten_start_of_mps_is_refused_without_doubt_and_another_key_helps(book: Book) -> None:
    book.start("mps", STARTED, idempotency_key="night")
    entry = book.entry()
    assert entry is not None
    with book.open(book.path) as ledger:
        ledger.remove(entry)
    book.time += 3600
    for dummy in range(2):
        run, dummy2 = book.start("mps", DUPLICATE, media_list(), media_list(), media_list(), idempotency_key="night")
        assert (run.error["kind"], book.entry()) == ("invalid", None)
        assert "another idempotency_key" in run.result["msg"]
    assert book.start("mps", STARTED, idempotency_key="night-2")[0].result["started"] == "new"


def test_mps_is_searched_when_it_may_have_forgotten_the_session(book: Book) -> None:
    entry = book.is_lost("mps", 4 * DAY)
    run, vendor = book.start("mps", media_list(), media_list(), media_list("t9"), detail(entry.key, "FINISH"))
    assert (run.result["started"], vendor.said("ProcessMedia")) == ("adopted", 0)


def test_mps_starts_anew_what_it_may_have_forgotten_and_no_list_has(book: Book) -> None:
    book.is_lost("mps", 4 * DAY)
    run, vendor = book.start("mps", media_list(), media_list(), media_list(), STARTED)
    assert (run.result["started"], vendor.actions[-1]) == ("new", "ProcessMedia")


def test_on_the_other_site_mps_forgets_sooner(book: Book) -> None:
    book.start("mps", STARTED, site="intl")
    entry = book.entry()
    assert entry is not None
    with book.open(book.path) as ledger:
        ledger.put(entry._replace(state="sent", task_id=None))
    book.time += 4 * DAY
    gone = refusal("ResourceNotFound.TaskNotFound")
    run, dummy = book.start("mps", media_list(), media_list(), media_list("old"), gone, site="intl")
    assert run.error["kind"] == "uncertain"


def test_a_start_that_is_lost_on_the_way_is_sent_twice_at_most(book: Book) -> None:
    run, vendor = book.start("cos_doc", lost(), jobs(), jobs(), lost(), jobs())
    assert methods(vendor).count("POST") == 2
    assert (run.error["kind"], run.result["changed"]) == ("uncertain", True)
    assert run.result["msg"].count("the connection was closed before an answer came, and the id") == 1


def test_a_start_that_is_found_to_be_lost_and_then_refused_is_no_change(book: Book) -> None:
    refused = Answer(HOST, 403, {}, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>")
    run, dummy = book.start("cos_doc", lost(), jobs(), jobs(), refused)
    assert (run.error["kind"], run.result["changed"], book.entry()) == ("permission", False, None)


def test_a_signal_in_the_search_says_to_repeat_it(book: Book) -> None:
    class Impatient(Vendor):
        def send(self, request: t.Any, *, timeout: float | None = None) -> Answer:
            if self.requests:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().send(request, timeout=timeout)

    book._patch.setattr(library, "make_transport", lambda dummy: Impatient(lost(), jobs(job("t9"))))
    given = {**CASES["cos_doc"].needs, **STARTS["cos_doc"].options("plan"), **CASES["cos_doc"].credentials.options}
    module = FakeModule(parameters(spec_of("cos_doc_job"), {**given, "ledger": book.path}))
    with pytest.raises(Ended) as caught:
        starts.run_start(t.cast(t.Any, module), CosDocStarts)
    error = caught.value.result["error"]
    assert (error["kind"], error["retryable"], caught.value.result["changed"]) == ("interrupted", True, True)
    assert "SIGTERM ended this module while it searched for the cloud task; repeat it" in caught.value.result["msg"]
    assert book.start("cos_doc", jobs(job("t9")))[0].result["started"] == "adopted"


def test_a_signal_before_the_answer_says_to_repeat_it(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Vendor):
        def send(self, request: t.Any, *, timeout: float | None = None) -> Answer:
            os.kill(os.getpid(), signal.SIGTERM)
            return super().send(request, timeout=timeout)

    monkeypatch.setattr("ansible_collections.cloudwait.conversion.tests.unit.played.Vendor.send", Killed.send)
    run, dummy = book.start("mps", STARTED)
    assert (run.error["kind"], run.error["retryable"], run.result["changed"]) == ("interrupted", True, True)
    assert run.result["msg"].endswith(
        "repeat it with the same ledger, which knows whether a start was sent, and never starts it twice."
    )
