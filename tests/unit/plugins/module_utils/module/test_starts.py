# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules that start, list or abort, over a transport that plays answers: what is sent how often, and what is told."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import socket
import ssl
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _transport
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import run as library
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import starts
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services import base as _base
from ansible_collections.cloudwait.conversion.plugins.module_utils._services import registry
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDoc
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import LISTS, MpsStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import Starter
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Request
from ansible_collections.cloudwait.conversion.tests.cases import CASES, STARTS
from ansible_collections.cloudwait.conversion.tests.cases._case import Reply
from ansible_collections.cloudwait.conversion.tests.unit.argspecs import parameters, spec_of
from ansible_collections.cloudwait.conversion.tests.unit.ended import Ended, FakeModule, Run
from ansible_collections.cloudwait.conversion.tests.unit.played import Step, Vendor

Dict = dict[str, t.Any]

HOST = "vendor.example.com"
KEYS = {"secret_id": "AKIDEXAMPLE", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}


def service_of(word: str) -> type[Starter]:
    """The class that starts cloud tasks of a service."""
    loaded = importlib.import_module(f"{registry.__package__}.{word}")
    return t.cast("type[Starter]", getattr(loaded, STARTS[word].service))


@functools.cache
def options_of(word: str) -> Dict:
    """The options of a start, with credentials."""
    begin = STARTS[word]
    credentials = begin.credentials or CASES[word].credentials.options
    return parameters(spec_of(begin.module), {**CASES[word].needs, **begin.options("plan"), **credentials})


def played(reply: Reply) -> Answer:
    return Answer(HOST, reply.status, reply.headers, reply.body)


def refusal(word: str, kind: str) -> Answer:
    """An answer with an error of this kind."""
    return played(CASES[word].refusal(kind))


def api3(**response: t.Any) -> Answer:
    return Answer(HOST, 200, {}, json.dumps({"Response": {"RequestId": "r1", **response}}).encode())


def body(text: str, status: int = 200) -> Answer:
    return Answer(HOST, status, {}, text.encode())


def api3_error(code: str) -> Answer:
    return api3(Error={"Code": code, "Message": "no"})


GOOD = {word: played(begin.started) for word, begin in STARTS.items()}


Play = t.Callable[..., Run]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Run a module's whole work over a transport that plays a script, without sleeping."""
    for name in [name for name in os.environ if name.startswith("CLOUDWAIT_")]:
        monkeypatch.delenv(name)
    sleeps: list[float] = []
    monkeypatch.setattr(starts, "patiently", functools.partial(library.patiently, sleep=sleeps.append))

    def run(work: t.Callable[[t.Any], None], vendor: Vendor | None, params: Dict, *, check_mode: bool = False) -> Run:
        sleeps.clear()
        module = FakeModule(params, check_mode=check_mode)
        if vendor is not None:
            monkeypatch.setattr(library, "make_transport", lambda options: vendor)
        with pytest.raises(Ended) as caught:
            work(module)
        return Run(caught.value.failed, caught.value.result, list(sleeps), module)

    return run


def start(play: Play, provider: str, vendor: Vendor | None, *, check_mode: bool = False, **options: t.Any) -> Run:
    def work(module: t.Any) -> None:
        starts.run_start(module, service_of(provider))

    return play(work, vendor, {**options_of(provider), **options}, check_mode=check_mode)


# --- Starts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_is_a_change_with_a_record(play: Play, provider: str) -> None:
    vendor = Vendor(GOOD[provider])
    run = start(play, provider, vendor)
    task = run.result["task"]
    assert (run.failed, run.result["changed"], vendor.sent) == (False, True, 1)
    assert (task["task_id"], task["status"], task["ref"]["task_id"]) == ("t1", "pending", "t1")
    assert run.result["response"]
    assert (run.result["credential_source"], run.module.warnings) == ("options", [])


@pytest.mark.parametrize("provider", STARTS)
def test_check_mode_sends_nothing(play: Play, provider: str) -> None:
    vendor = Vendor(GOOD[provider])
    run = start(play, provider, vendor, check_mode=True)
    task = run.result["task"]
    assert (run.failed, run.result["changed"], vendor.sent) == (False, True, 0)
    assert task == make_record(task["ref"], "unknown", None)
    assert (task["task_id"], task["ref"]["provider"], run.result["response"]) == (None, provider, {})
    assert run.module.warnings == []


@pytest.mark.parametrize("provider", STARTS)
def test_check_mode_refuses_what_is_wrong(play: Play, provider: str) -> None:
    run = start(play, provider, None, check_mode=True, request_timeout=-1)
    assert (run.error["kind"], run.result["changed"]) == ("config", False)


def lost(**more: t.Any) -> CloudError:
    return CloudError("network", "the connection was closed before an answer came", **more)


UNSURE: dict[str, t.Callable[[str], Step]] = {
    "reset": lambda provider: lost(),
    "time-out": lambda provider: CloudError("network", "no answer within 10 s"),
    "no HTTP": lambda provider: CloudError("protocol", "what it answered is not HTTP"),
    "too long": lambda provider: CloudError("protocol", "the answer is longer than allowed", retryable=False),
    "of the vendor": lambda provider: refusal(provider, "server"),
    "500": lambda provider: body("<html>", 500),
    "502": lambda provider: body("", 502),
    "503": lambda provider: body("<html>", 503),
    "408": lambda provider: body("", 408),
    "empty": lambda provider: body(""),
    "sign-in page": lambda provider: body("<!DOCTYPE html><html></html>"),
    "list": lambda provider: body("[]"),
    "no id": lambda provider: played(STARTS[provider].without_id),
}


@pytest.mark.parametrize("provider", STARTS)
@pytest.mark.parametrize("fault", UNSURE)
def test_a_start_that_may_have_happened_is_never_repeated(play: Play, provider: str, fault: str) -> None:
    vendor = Vendor(UNSURE[fault](provider), GOOD[provider])
    run = start(play, provider, vendor)
    assert (vendor.sent, run.sleeps) == (1, [])
    assert (run.error["retryable"], run.result["changed"]) == (False, True)
    assert "task" not in run.result
    assert run.result["msg"].startswith(f"Starting a {CASES[provider].title} cloud task failed: ")
    assert run.result["msg"].endswith(f"; {STARTS[provider].doubt}.")


@pytest.mark.parametrize("fault", ["reset", "time-out", "no HTTP", "of the vendor", "502", "empty", "no id"])
def test_with_a_session_it_is_repeated(play: Play, fault: str) -> None:
    vendor = Vendor(UNSURE[fault]("mps"), GOOD["mps"])
    run = start(play, "mps", vendor, session_id="s1")
    assert (run.failed, vendor.sent, len(run.sleeps), run.result["changed"]) == (False, 2, 1, True)


def test_with_a_session_it_may_be_repeated_later(play: Play) -> None:
    run = start(play, "mps", vendor := Vendor(lost()), session_id="s1")
    assert (vendor.sent, run.error["retryable"], run.result["changed"]) == (4, True, True)
    assert run.result["msg"].endswith("or start it again with the same session_id.")


def test_a_session_that_was_taken_by_the_first_try_is_a_change(play: Play) -> None:
    vendor = Vendor(lost(), api3_error("InvalidParameterValue.SessionId"))
    run = start(play, "mps", vendor, session_id="s1")
    assert (vendor.sent, run.error["code"]) == (2, "InvalidParameterValue.SessionId")
    assert run.result["changed"] is True
    assert "look for it with mps_task_list_info" in run.result["msg"]


def test_a_session_that_was_taken_before_is_no_change(play: Play) -> None:
    run = start(play, "mps", Vendor(api3_error("InvalidParameterValue.SessionId")), session_id="s1")
    assert run.result["changed"] is False


def test_what_is_beyond_repair_is_not_said_to_be_worth_a_try(play: Play) -> None:
    redirect = CloudError("protocol", "a redirect to elsewhere", retryable=False, advice="give the right endpoint")
    run = start(play, "mps", vendor := Vendor(redirect), session_id="s1")
    assert (vendor.sent, run.error["retryable"]) == (1, False)


UNDONE: dict[str, t.Callable[[str], Step]] = {
    "throttled": lambda provider: refusal(provider, "throttled"),
    "429": lambda provider: body("<html>", 429),
    "never sent": lambda provider: lost(sent=False),
}


@pytest.mark.parametrize("provider", STARTS)
@pytest.mark.parametrize("fault", UNDONE)
def test_a_start_that_did_not_happen_is_tried_again(play: Play, provider: str, fault: str) -> None:
    vendor = Vendor(UNDONE[fault](provider), UNDONE[fault](provider), GOOD[provider])
    run = start(play, provider, vendor)
    assert (run.failed, vendor.sent, len(run.sleeps)) == (False, 3, 2)


@pytest.mark.parametrize("provider", STARTS)
@pytest.mark.parametrize("fault", UNDONE)
def test_a_start_that_never_happened_is_no_change(play: Play, provider: str, fault: str) -> None:
    run = start(play, provider, vendor := Vendor(UNDONE[fault](provider)), request_retries=1)
    assert (vendor.sent, run.error["retryable"], run.result["changed"]) == (2, True, False)
    assert "may exist" not in run.result["msg"]


def test_a_certificate_that_is_refused_is_met_before_anything_is_sent(play: Play) -> None:
    error = _transport._network_error(
        ssl.SSLCertVerificationError(1, "self-signed certificate"), HOST, 10.0, _transport._Route({})
    )
    run = start(play, "mps", vendor := Vendor(error))
    assert (vendor.sent, run.error["retryable"], run.result["changed"]) == (1, False, False)
    assert "check ca_path" in run.result["msg"]


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_that_became_uncertain_later_is_told_so(play: Play, provider: str) -> None:
    vendor = Vendor(refusal(provider, "throttled"), lost(), GOOD[provider])
    run = start(play, provider, vendor)
    assert (vendor.sent, run.error["retryable"], run.result["changed"]) == (2, False, True)


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_that_is_refused_is_neither_repeated_nor_a_change(play: Play, provider: str) -> None:
    run = start(play, provider, vendor := Vendor(refusal(provider, "invalid")))
    assert (vendor.sent, run.error["kind"], run.error["retryable"]) == (1, "invalid", False)
    assert run.result["changed"] is False


@pytest.mark.parametrize("provider", STARTS)
def test_nothing_listens_is_tried_again(play: Play, provider: str) -> None:
    with socket.socket() as unheard:  # bound and not listening, so that nobody else takes the port
        unheard.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        run = start(play, provider, None, endpoint=endpoint, request_retries=2)
    assert (run.error["kind"], run.error["retryable"], run.result["changed"]) == ("network", True, False)
    assert len(run.sleeps) == 2
    assert "nothing listens at 127.0.0.1:" in run.result["msg"]


@pytest.mark.parametrize("provider", STARTS)
def test_retries_must_be_a_number(play: Play, provider: str) -> None:
    run = start(play, provider, vendor := Vendor(GOOD[provider]), request_retries=-1)
    assert (run.error["kind"], vendor.sent, run.result["changed"]) == ("config", 0, False)


def test_a_token_that_cannot_be_fetched_was_no_start(play: Play) -> None:
    app: Dict = {"operator_id": "u", "app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
    token = body('{"accessToken": "EXAMPLE-TOKEN", "expireIn": 7200}')
    vendor = Vendor(lost(), body("<html>", 503), token, GOOD["dingtalk_doc"])
    run = start(play, "dingtalk_doc", vendor, **app)
    assert (run.failed, vendor.said("/copy"), vendor.said("accessToken")) == (False, 1, 3)
    run = start(play, "dingtalk_doc", vendor := Vendor(lost()), **app)
    assert (run.result["changed"], run.error["retryable"], vendor.said("/copy")) == (False, True, 0)


def test_a_copy_that_was_made_at_once_is_over(play: Play) -> None:
    copied = body('{"isAsync": false, "syncCopyResult": {"dentryUuid": "c1", "url": "https://example.com/c1"}}')
    task = start(play, "dingtalk_doc", Vendor(copied)).result["task"]
    assert (task["task_id"], task["done"], task["outputs"][0]["value"]) == (None, True, "c1")


def test_a_file_that_went_up_is_told_when_its_conversion_fails(play: Play, tmp_path: t.Any) -> None:
    (tmp_path / "plan.docx").write_bytes(b"x")
    source: Dict = {"src": str(tmp_path / "plan.docx"), "resource_id": None, "api_action": "CreateFileConvertTask"}
    vendor = Vendor(lost(), body("", 503), api3(FileIds=["yDfile"]), lost())
    run = start(play, "ess", vendor, **source)
    assert (vendor.said("UploadFiles"), vendor.said("CreateFileConvertTask")) == (3, 1)
    assert (run.result["resource_id"], run.result["changed"], run.error["retryable"]) == ("yDfile", True, False)
    run = start(play, "ess", vendor := Vendor(lost()), **source)
    assert (vendor.said("UploadFiles"), run.result["changed"], run.error["retryable"]) == (4, False, True)
    assert "resource_id" not in run.result


@pytest.mark.parametrize(
    "options",
    [{}, {"secret_id": None}, {"request_timeout": 0}, {"endpoint": "http://example.com"}, {"parameters": {"a": 1}}],
    ids=["started", "no keys", "a wrong option", "a wrong endpoint", "refused parameters"],
)
def test_secrets_in_parameters_are_censored_however_it_ends(play: Play, options: Dict) -> None:
    secrets = ["EXAMPLE-FAKE-NOTIFY-KEY", "sign=EXAMPLE-FAKE-SIGNATURE"]
    hidden = {"NotifyKey": secrets[0], "Watermark": {"Url": f"https://example.com/logo.png?{secrets[1]}"}}
    parameters = {**{**options_of("mps"), **options}["parameters"], "TaskNotifyConfig": hidden}
    needs_transport = "request_timeout" not in options
    run = start(play, "mps", Vendor(GOOD["mps"]) if needs_transport else None, **{**options, "parameters": parameters})
    assert run.failed is bool(options)
    shown = json.dumps(run.result)  # what was started is censored already, else Ansible does it
    for secret in secrets:
        assert (secret in run.module.no_log_values) is bool(options)
        assert bool(options) or secret not in shown


# --- Lists ---------------------------------------------------------------------------------------------------------

NO_TIMES = {"start_time": None, "end_time": None}
COS_LIST: Dict = {
    **KEYS,
    **CASES["cos_doc"].needs,
    **NO_TIMES,
    "queue_id": None,
    "states": None,
    "order": "newest",
    "limit": None,
}
MPS_LIST: Dict = {**KEYS, **NO_TIMES, "statuses": list(LISTS), "sub_task_has_failed": None, "limit": None}


def cos_page(count: int, token: str = "", first: int = 1) -> Answer:
    jobs = [f"<JobsDetail><JobId>d{n}</JobId><State>Running</State></JobsDetail>" for n in range(first, first + count)]
    return body(f"<Response>{''.join(jobs)}<NextToken>{token}</NextToken></Response>")


def mps_page(*names: str, token: str = "") -> Answer:
    return api3(TaskSet=[{"TaskId": name, "Secret": "EXAMPLE-FAKE-ECHO"} for name in names], ScrollToken=token)


def list_cos(play: Play, vendor: Vendor, **options: t.Any) -> Run:
    return play(lambda module: starts.run_list(module, CosDoc), vendor, {**COS_LIST, **options})


def list_mps(play: Play, vendor: Vendor, **options: t.Any) -> Run:
    return play(lambda module: starts.run_list(module, MpsStarts), vendor, {**MPS_LIST, **options})


def test_a_list_is_no_change(play: Play) -> None:
    run = list_cos(play, Vendor(cos_page(100, "a"), cos_page(3, first=101)))
    assert (run.failed, run.result["changed"], run.result["truncated"]) == (False, False, False)
    assert len(run.result["refs"]) == len(run.result["tasks"]) == len(run.result["entries"]) == 103
    assert run.result["refs"][102] == {"provider": "cos_doc", "task_id": "d103", **CASES["cos_doc"].needs}
    assert run.result["tasks"][0]["status"] == "running"


def test_an_empty_list_is_one(play: Play) -> None:
    run = list_mps(play, vendor := Vendor(mps_page()))
    assert (run.failed, vendor.sent) == (False, 3)
    assert [run.result[name] for name in ("refs", "tasks", "entries", "truncated")] == [[], [], [], False]


@pytest.mark.parametrize(
    ("limit", "there", "found", "truncated"),
    [(2, 3, 2, True), (3, 3, 3, False), (4, 3, 3, False), (1, 2, 1, True)],
)
def test_a_limit_is_told_when_it_left_something_out(
    play: Play, limit: int, there: int, found: int, truncated: bool
) -> None:
    run = list_cos(play, vendor := Vendor(cos_page(min(there, limit + 1))), limit=limit)
    assert (len(run.result["refs"]), run.result["truncated"], vendor.sent) == (found, truncated, 1)
    assert vendor.said(f"size={limit + 1}") == 1


def test_a_limit_counts_over_all_lists(play: Play) -> None:
    run = list_mps(play, vendor := Vendor(mps_page("w1", "w2"), mps_page("p1", "p2")), limit=3)
    assert [ref["task_id"] for ref in run.result["refs"]] == ["w1", "w2", "p1"]
    assert (run.result["truncated"], vendor.sent) == (True, 2)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_above_0(play: Play, limit: int) -> None:
    run = list_mps(play, vendor := Vendor(mps_page()), limit=limit)
    assert (run.error["kind"], run.error["message"], vendor.sent) == (
        "config",
        f"limit must be at least 1, got {limit}",
        0,
    )


def test_a_page_is_asked_for_again(play: Play) -> None:
    run = list_cos(play, vendor := Vendor(cos_page(2, "a"), lost(), body("", 503), cos_page(1, first=3)))
    assert (run.failed, len(run.result["refs"]), vendor.sent, len(run.sleeps)) == (False, 3, 4, 2)


def test_what_was_found_before_a_page_failed_is_told(play: Play) -> None:
    run = list_mps(play, vendor := Vendor(mps_page("w1", "w2", token="a"), lost()), request_retries=1)
    assert (run.error["kind"], run.error["retryable"], vendor.sent) == ("network", True, 3)
    assert [ref["task_id"] for ref in run.result["refs"]] == ["w1", "w2"]
    assert [task["status"] for task in run.result["tasks"]] == ["pending", "pending"]
    assert run.result["msg"].startswith("Listing the Tencent MPS cloud tasks failed: ")


def test_what_has_no_record_has_an_entry(play: Play) -> None:
    run = list_mps(play, Vendor(mps_page("w1"), mps_page(), mps_page("f1")))
    assert [entry["Status"] for entry in run.result["entries"]] == ["WAITING", "FINISH"]
    assert [task["task_id"] for task in run.result["tasks"]] == ["w1"]
    assert run.result["entries"][0]["Secret"] == "********"


# --- Abortions -----------------------------------------------------------------------------------------------------

ABORT: Dict = {**KEYS, "task_id": "t1"}


def detail(status: str, kind: str = "WorkflowTask", **more: t.Any) -> Answer:
    return api3(Status=status, TaskType=kind, **{kind: {"Status": status, "ErrCode": 0, "Message": "", **more}})


def abort(play: Play, vendor: Vendor, *, check_mode: bool = False, **options: t.Any) -> Run:
    return play(starts.run_abort, vendor, {**ABORT, **options}, check_mode=check_mode)


def test_what_waits_is_aborted_between_two_polls(play: Play) -> None:
    vendor = Vendor(detail("WAITING"), api3(), detail("FINISH", ErrCode=60000, Message="aborted"))
    run = abort(play, vendor)
    assert (run.failed, run.result["changed"], vendor.sent, vendor.said("ManageTask")) == (False, True, 3, 1)
    assert (run.result["task"]["status"], run.result["task"]["error"]["message"]) == ("failed", "aborted")
    assert run.result["response"]["Status"] == "FINISH"


def test_what_is_over_is_left_alone(play: Play) -> None:
    run = abort(play, vendor := Vendor(detail("FINISH")))
    assert (run.failed, run.result["changed"], vendor.said("ManageTask")) == (False, False, 0)
    assert run.result["task"]["done"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_runs_cannot_be_aborted(play: Play, check_mode: bool) -> None:
    run = abort(play, vendor := Vendor(detail("PROCESSING")), check_mode=check_mode)
    assert (run.error["kind"], run.result["changed"], vendor.said("ManageTask")) == ("invalid", False, 0)
    assert run.result["task"]["status"] == "running"
    assert run.result["msg"] == (
        'Aborting the Tencent MPS cloud task "t1" failed: '
        "its status is running, and MPS aborts cloud tasks only while "
        "they wait (live streams also while they run); wait for its end."
    )


@pytest.mark.parametrize(("status", "kind"), [("WAITING", "WorkflowTask"), ("PROCESSING", "LiveStreamProcessTask")])
def test_check_mode_polls_and_does_not_abort(play: Play, status: str, kind: str) -> None:
    run = abort(play, vendor := Vendor(detail(status, kind)), check_mode=True)
    assert (run.failed, run.result["changed"], vendor.sent, vendor.said("ManageTask")) == (False, True, 1, 0)


@pytest.mark.parametrize("fault", ["reset", "time-out", "of the vendor", "503", "empty"])
def test_an_abortion_that_may_have_happened_is_told_so(play: Play, fault: str) -> None:
    vendor = Vendor(detail("WAITING"), UNSURE[fault]("mps"), api3())
    run = abort(play, vendor)
    assert (vendor.said("ManageTask"), run.error["retryable"], run.result["changed"]) == (1, False, True)
    assert run.result["msg"].endswith("; it may have been aborted: poll it with mps_task_detail.")


def test_an_abortion_that_did_not_happen_is_tried_again(play: Play) -> None:
    vendor = Vendor(
        lost(), detail("WAITING"), refusal("mps", "throttled"), lost(sent=False), api3(), lost(), detail("FINISH")
    )
    run = abort(play, vendor)
    assert (run.failed, vendor.said("ManageTask"), vendor.said("DescribeTaskDetail")) == (False, 3, 4)


def test_a_cloud_task_that_began_meanwhile_is_refused_by_the_vendor(play: Play) -> None:
    refused = api3_error("InvalidParameterValue.NotProcessingTask")
    run = abort(play, vendor := Vendor(detail("WAITING"), refused))
    assert (run.error["kind"], run.result["changed"], vendor.said("ManageTask")) == ("invalid", False, 1)
    assert run.result["msg"].endswith("; wait for its end, MPS does not abort it any more.")


def test_an_unknown_cloud_task_is_not_aborted(play: Play) -> None:
    run = abort(play, vendor := Vendor(api3_error("ResourceNotFound.TaskNotFound")))
    assert (run.error["kind"], run.result["changed"], vendor.said("ManageTask")) == ("not_found", False, 0)
    assert "task" not in run.result


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_word_that_no_page_has_is_not_aborted_and_said_aloud(play: Play, check_mode: bool) -> None:
    run = abort(play, vendor := Vendor(detail("SUSPENDED")), check_mode=check_mode)
    assert (run.error["kind"], vendor.said("ManageTask")) == ("invalid", 0)
    assert ["SUSPENDED" in warning for warning in run.module.warnings] == [True]


@pytest.mark.parametrize("task_id", ["", " ", "a\nb"])
def test_an_abortion_needs_an_id(play: Play, task_id: str) -> None:
    run = abort(play, vendor := Vendor(detail("WAITING")), task_id=task_id)
    assert (run.error["kind"], vendor.sent, run.result["changed"]) == ("config", 0, False)


# --- Signals -------------------------------------------------------------------------------------------------------


class Killed(Vendor):
    """A vendor that does not answer before the module is told to end."""

    def __init__(self, *script: Step, at: int = 1) -> None:
        super().__init__(*script)
        self.at = at

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        if len(self.requests) + 1 == self.at:
            os.kill(os.getpid(), signal.SIGTERM)
        return super().send(request, timeout=timeout)


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_that_is_told_to_end_under_way_may_have_happened(play: Play, provider: str) -> None:
    run = start(play, provider, Killed(GOOD[provider]))
    assert (run.error["kind"], run.error["retryable"], run.result["changed"]) == ("interrupted", False, True)
    assert "SIGTERM ended this module before the vendor's answer came; the c" in run.result["msg"]
    assert run.result["msg"].endswith(f"came; {STARTS[provider].doubt}.")


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_that_is_told_to_end_before_is_no_change(
    play: Play, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starts, "patiently", lambda *args, **options: os.kill(os.getpid(), signal.SIGTERM))
    run = start(play, provider, vendor := Vendor(GOOD[provider]))
    assert (vendor.sent, run.error["kind"], run.error["retryable"]) == (0, "interrupted", True)
    assert run.result["changed"] is False
    assert run.result["msg"].endswith("SIGTERM ended this module before anything was sent; run it again.")


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_that_is_told_to_end_after_the_answer_gives_its_id(
    play: Play, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def redact(value: t.Any) -> t.Any:
        os.kill(os.getpid(), signal.SIGTERM)
        return value

    monkeypatch.setattr(_base, "redact", redact)
    run = start(play, provider, Vendor(GOOD[provider]))
    assert (run.failed, run.result["task"]["task_id"]) == (False, "t1")


def test_a_start_that_is_told_to_end_after_a_refusal_is_no_change(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    patiently = functools.partial(library.patiently, sleep=lambda seconds: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(starts, "patiently", patiently)
    run = start(play, "mps", vendor := Vendor(refusal("mps", "throttled")))
    assert (vendor.sent, run.error["kind"], run.result["changed"]) == (1, "interrupted", False)


def test_a_start_with_a_session_that_is_told_to_end_between_two_tries_may_have_happened(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    patiently = functools.partial(library.patiently, sleep=lambda seconds: os.kill(os.getpid(), signal.SIGTERM))
    monkeypatch.setattr(starts, "patiently", patiently)
    run = start(play, "mps", vendor := Vendor(lost()), session_id="s1")
    assert (vendor.sent, run.error["retryable"], run.result["changed"]) == (1, False, True)
    assert run.result["msg"].endswith("or start it again with the same session_id.")


@pytest.mark.parametrize(
    ("at", "changed", "end"),
    [
        (1, False, "before anything was changed; run it again."),
        (2, True, "before the vendor's answer came; it may have been aborted: poll it with mps_task_detail."),
        (3, True, "after the vendor had accepted the abort; poll the cloud task with mps_task_detail."),
    ],
)
def test_an_abort_that_is_told_to_end_says_how_far_it_came(play: Play, at: int, changed: bool, end: str) -> None:
    run = abort(play, Killed(detail("WAITING"), api3(), detail("FINISH"), at=at))
    assert (run.error["kind"], run.result["changed"]) == ("interrupted", changed)
    assert run.result["msg"].endswith(f"SIGTERM ended this module {end}")
