# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent MPS: a start with parameters of the vendor's own, a list a status, and the end of what only waits."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Listed, Poll, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import (
    INPUTS,
    LISTS,
    WORK,
    MpsStarts,
    _has_templates,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import is_uncertain, list_tasks
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.tests.unit import played

Dict = dict[str, t.Any]

HOST = "mps.tencentcloudapi.com"
REF = {"provider": "mps", "task_id": None}
COS_INPUT = {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing", "Object": "/in/film.mp4"}
PARAMETERS: Dict = {
    "InputInfo": {"Type": "COS", "CosInputInfo": COS_INPUT},
    "OutputDir": "/out/",
    "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100010}]},
}
NOT_GIVEN = ("session_id", "session_context", "callback_url", "callback_mode", "callback_key")
OPTIONS: Dict = {"parameters": PARAMETERS, **dict.fromkeys(NOT_GIVEN)}
LISTING: Dict = {
    "statuses": list(LISTS), "sub_task_has_failed": None, "start_time": None, "end_time": None, "limit": None,
}  # fmt: skip


def answer(response: t.Any) -> Answer:
    return Answer(HOST, 200, {}, json.dumps({"Response": response}).encode())


def fault(code: str) -> Answer:
    return answer({"Error": {"Code": code, "Message": "no"}, "RequestId": "r1"})


STARTED = answer({"TaskId": "2600000001-WorkflowTask-tt1", "RequestId": "r1"})


class Vendor(played.Vendor):
    """Plays what the vendor answers to a start, unless a test gives answers."""

    def __init__(self, *script: Answer) -> None:
        super().__init__(*(script or (STARTED,)))


def calls(vendor: Vendor | None = None, **settings: t.Any) -> MpsStarts:
    return MpsStarts(
        Settings(transport=t.cast(Transport, vendor), clock=Clock(lambda: 1_700_000_000.0), **settings),
        TencentCredentials("options", lambda: Keys("AKIDEXAMPLE", "EXAMPLE-FAKE-SECRET-KEY")),
    )


def start(vendor: Vendor, **options: t.Any) -> Poll:
    mine = calls(vendor)
    prepared = mine.prepare(REF, {**OPTIONS, **options}, {})
    return mine.call(prepared.make_request, prepared.read)


def refusal(vendor: Vendor | None = None, **options: t.Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        start(vendor or Vendor(), **options)
    return caught.value


# --- The start -----------------------------------------------------------------------------------------------------


def test_a_start_sends_the_parameters_as_they_are() -> None:
    vendor = Vendor()
    poll = start(vendor)
    (request,) = vendor.requests
    assert (request.url, vendor.bodies) == (f"https://{HOST}/", [PARAMETERS])
    headers = request.headers
    assert (headers["X-TC-Action"], headers["X-TC-Version"]) == ("ProcessMedia", "2019-06-12")
    assert "/mps/tc3_request, SignedHeaders=content-type;host" in str(headers["Authorization"])
    ref = {**REF, "task_id": "2600000001-WorkflowTask-tt1"}
    assert poll == Poll(
        make_record(ref, "pending", None, request_id="r1"), {"TaskId": ref["task_id"], "RequestId": "r1"}, 1
    )


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, {}),
        ({"callback_mode": "Change"}, {"NotifyMode": "Change"}),
        ({"callback_key": "FAKE-NOTIFY-KEY"}, {"NotifyKey": "FAKE-NOTIFY-KEY"}),
    ],
)
def test_a_callback_is_asked_for_and_its_url_is_a_secret(options: Dict, sent: dict[str, str]) -> None:
    vendor, url = Vendor(), "https://events.example.com/callback/FAKE/mps"
    mine = calls(vendor)
    prepared = mine.prepare(REF, {**OPTIONS, "callback_url": url, **options}, {})
    mine.call(prepared.make_request, prepared.read)
    assert vendor.bodies == [{**PARAMETERS, "TaskNotifyConfig": {"NotifyType": "URL", "NotifyUrl": url, **sent}}]
    assert {url, *(text for name, text in options.items() if name == "callback_key")} <= set(mine.secrets())


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({"session_id": "s1"}, {"SessionId": "s1"}),
        ({"session_id": "s1", "session_context": "{}"}, {"SessionId": "s1", "SessionContext": "{}"}),
        ({"parameters": {**PARAMETERS, "SessionId": "theirs"}}, {"SessionId": "theirs"}),
        ({"parameters": {**PARAMETERS, "SessionId": "theirs"}, "session_id": "ours"}, {"SessionId": "ours"}),
        (
            {"session_id": "x" * 50, "session_context": "y" * 1000},
            {"SessionId": "x" * 50, "SessionContext": "y" * 1000},
        ),
    ],
)
def test_the_session_goes_beside_the_parameters(options: Dict, sent: dict[str, str]) -> None:
    vendor = Vendor()
    start(vendor, **options)
    assert vendor.bodies == [{**PARAMETERS, **sent}]


@pytest.mark.parametrize(
    ("options", "repeatable"),
    [
        ({}, False),
        ({"session_id": "s1"}, True),
        ({"parameters": {**PARAMETERS, "SessionId": "s1"}}, True),
    ],
)
def test_only_a_session_makes_it_safe_to_repeat(options: Dict, repeatable: bool) -> None:
    prepared = calls().prepare(REF, {**OPTIONS, **options}, {})
    assert prepared.repeatable is repeatable
    assert "mps_task_list_info" in prepared.doubt
    assert ("the same session_id" in prepared.doubt) is repeatable


def test_a_session_that_was_used_is_told() -> None:
    error = refusal(Vendor(fault("InvalidParameterValue.SessionId")), session_id="s1")
    assert (error.kind, error.retryable, is_uncertain(error)) == ("invalid", False, False)
    assert error.advice.startswith("a cloud task of this session_id exists")


def test_a_start_beyond_what_may_run_at_once_was_none_and_may_be_repeated() -> None:
    error = refusal(Vendor(fault("LimitExceeded.CreateTask")))
    assert (error.kind, error.retryable, is_uncertain(error)) == ("throttled", True, False)
    assert error.advice == "nothing was started: start it when others of the account's cloud tasks have ended"


@pytest.mark.parametrize("task_id", [None, "", True, ["x"]])
def test_a_start_without_an_id_leaves_it_open(task_id: t.Any) -> None:
    error = refusal(Vendor(answer({"TaskId": task_id})))
    assert (error.kind, is_uncertain(error)) == ("protocol", True)


def test_secrets_in_the_parameters_are_known_as_such() -> None:
    mine = calls()
    s3 = {
        "S3Bucket": "b",
        "S3Region": "us-east-1",
        "S3Object": "/a",
        "S3SecretId": "FAKE-ID",
        "S3SecretKey": "FAKE-KEY",
    }
    notify = {"NotifyType": "URL", "NotifyKey": "FAKE-NOTIFY-KEY", "Token": "FAKE-TOKEN", "NotifyUrl": "https://x/FAKE"}
    parameters = {
        **PARAMETERS,
        "InputInfo": {"Type": "AWS-S3", "S3InputInfo": s3},
        "TaskNotifyConfig": notify,
        "Activities": [{"Storage": {"S3SecretKey": "FAKE-OTHER-KEY"}}, {"SecretNumber": 12345}],
    }
    mine.prepare(REF, {**OPTIONS, "parameters": parameters}, {})
    assert set(mine.secrets()) == {
        "FAKE-ID", "FAKE-KEY", "FAKE-NOTIFY-KEY", "FAKE-TOKEN", "FAKE-OTHER-KEY", "12345", "https://x/FAKE",
    }  # fmt: skip


def test_secrets_in_parameters_that_are_refused_are_known_too() -> None:
    mine = calls()
    parameters = {"InputInfo": {"Type": "TAPE", "S3InputInfo": {"S3SecretKey": "FAKE-KEY"}}}
    with pytest.raises(CloudError, match=r'^parameters.InputInfo.Type is "TAPE", which the vendor does not know$'):
        mine.prepare(REF, {**OPTIONS, "parameters": parameters}, {})
    assert mine.secrets() == ["FAKE-KEY"]


# --- The vendor's rules --------------------------------------------------------------------------------------------


def with_input(kind: t.Any, **members: t.Any) -> Dict:
    return {"parameters": {**PARAMETERS, "InputInfo": {"Type": kind, **members}}}


def changed(**members: t.Any) -> Dict:
    return {"parameters": {name: value for name, value in {**PARAMETERS, **members}.items() if value is not None}}


@pytest.mark.parametrize(("kind", "member"), INPUTS.items())
def test_every_kind_of_input_is_taken(kind: str, member: str) -> None:
    options = with_input(kind, **{member: {"any": "thing"}})
    options["parameters"]["OutputStorage"] = {"Type": "COS"}
    vendor = Vendor()
    start(vendor, **options)
    assert vendor.bodies == [options["parameters"]]


@pytest.mark.parametrize("name", WORK)
def test_every_kind_of_work_is_taken(name: str) -> None:
    vendor = Vendor()
    start(vendor, **changed(**{"MediaProcessTask": None, name: {"Definition": 10}}))
    assert vendor.sent == 1


TYPES = "COS, URL, AWS-S3, VOD"
REFUSED: dict[str, tuple[Dict, str]] = {
    "nothing": ({"parameters": {}}, f"parameters.InputInfo.Type is missing; give one of {TYPES}."),
    "no input": (changed(InputInfo=None), f"parameters.InputInfo.Type is missing; give one of {TYPES}."),
    "odd input": (changed(InputInfo="film.mp4"), f"parameters.InputInfo.Type is missing; give one of {TYPES}."),
    "odd type": (
        with_input(["COS"]),
        f"""parameters.InputInfo.Type is "['COS']", which the vendor does not know; give one of {TYPES}.""",
    ),
    "other input": (
        with_input("URL", CosInputInfo=COS_INPUT),
        'parameters.InputInfo.UrlInputInfo is missing, and Type is "URL"; give UrlInputInfo, or the Type of what is given.',
    ),
    "odd member": (
        with_input("COS", CosInputInfo="x"),
        'parameters.InputInfo.CosInputInfo is missing, and Type is "COS"; ',
    ),
    "no storage": (
        with_input("URL", UrlInputInfo={"Url": "u"}),
        'parameters.OutputStorage is missing, and parameters.InputInfo.Type is "URL"; ',
    ),
    "no work": (changed(MediaProcessTask=None), "parameters names nothing to do; give one of MediaProcessTask, "),
    "empty work": (changed(MediaProcessTask={}), "parameters names nothing to do"),
    "folder": (changed(OutputDir="/out"), 'parameters.OutputDir is "/out", which does not begin and end with a slash'),
    "number as folder": (
        changed(OutputDir=5),
        'parameters.OutputDir is "5", which does not begin and end with a slash',
    ),
    "priority": (
        changed(TasksPriority=11),
        "TasksPriority is 11, which the vendor does not take; give a number from -10 to 10.",
    ),
    "session": ({"session_id": "x" * 51}, 'session_id is "xxxxx'),
    "mode of no callback": ({"callback_mode": "Change"}, "callback_mode is given, and callback_url is missing"),
    "key of no callback": ({"callback_key": "k"}, "callback_key is given, and callback_url is missing"),
    "no address": ({"callback_url": "hooks.example.com/secret"}, "callback_url is no URL without blanks"),
    "two callbacks": (
        {"callback_url": "https://x/y", "parameters": {**PARAMETERS, "TaskNotifyConfig": {"NotifyType": "URL"}}},
        "both callback_url and parameters.TaskNotifyConfig are given",
    ),
    "their session": (changed(SessionId="x" * 51), 'session_id is "xxxxx'),
    "context": ({"session_context": "x" * 1001}, 'session_context is "xxxxx'),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_vendors_rules_are_told_before_anything_is_sent(name: str) -> None:
    options, said = REFUSED[name]
    vendor = Vendor()
    error = refusal(vendor, **options)
    assert (error.kind, error.sentence("It")[11 : 11 + len(said)], vendor.sent) == ("config", said, 0)


# --- The list ------------------------------------------------------------------------------------------------------


def page(*names: str, token: t.Any = "", **more: t.Any) -> Answer:
    entries = [{"TaskId": name, "TaskType": "WorkflowTask", **more} for name in names]
    return answer({"TaskSet": entries, "ScrollToken": token, "RequestId": "r1"})


def listed(vendor: Vendor, **options: t.Any) -> list[Listed]:
    mine = calls(vendor)
    return list(list_tasks(mine, REF, {**LISTING, **options}, lambda ask: ask()))


def test_each_status_has_a_list_and_each_list_its_pages() -> None:
    vendor = Vendor(page("w1", token="next"), page("w2"), page("p1"), page())
    found = listed(vendor)
    assert [one.ref["task_id"] for one in found] == ["w1", "w2", "p1"]
    assert [one.entry["Status"] for one in found] == ["WAITING", "WAITING", "PROCESSING"]
    assert vendor.bodies == [
        {"Status": "WAITING", "Limit": 100},
        {"Status": "WAITING", "Limit": 100, "ScrollToken": "next"},
        {"Status": "PROCESSING", "Limit": 100},
        {"Status": "FINISH", "Limit": 100},
    ]
    assert {request.headers["X-TC-Action"] for request in vendor.requests} == {"DescribeTasks"}


def test_a_cloud_task_that_moves_on_meanwhile_comes_once() -> None:
    vendor = Vendor(page("t1", "t2"), page("t2", "t3"), page("t1", "t3", "t4"))
    assert [(one.ref["task_id"], one.entry["Status"]) for one in listed(vendor)] == [
        ("t1", "WAITING"),
        ("t2", "WAITING"),
        ("t3", "PROCESSING"),
        ("t4", "FINISH"),
    ]


def test_only_what_is_not_over_has_a_record() -> None:
    times = {"CreateTime": "2026-01-02T03:04:05Z", "BeginProcessTime": "0000-00-00T00:00:00Z"}
    vendor = Vendor(page("w1", **times), page("p1", **times), page("f1", **times))
    records = [one.record for one in listed(vendor)]
    assert records == [
        make_record({**REF, "task_id": "w1"}, "pending", "WAITING", created_at="2026-01-02T03:04:05Z"),
        make_record({**REF, "task_id": "p1"}, "running", "PROCESSING", created_at="2026-01-02T03:04:05Z"),
        None,
    ]


def test_every_filter_has_its_parameter() -> None:
    vendor = Vendor(page())
    times = {"start_time": "2026-01-02T03:04:05+08:00", "end_time": "2026-01-02T03:04:05Z"}
    assert listed(vendor, statuses=["FINISH"], sub_task_has_failed=False, limit=3, **times) == []
    assert vendor.bodies == [
        {
            "Status": "FINISH",
            "SubTaskHasFailed": False,
            "StartTime": "2026-01-01T19:04:05Z",
            "EndTime": "2026-01-02T03:04:05Z",
            "Limit": 4,
        }
    ]


@pytest.mark.parametrize("statuses", [["FINISH", "WAITING"], ["WAITING", "FINISH", "WAITING"]])
def test_lists_are_read_in_the_order_of_a_life(statuses: list[str]) -> None:
    vendor = Vendor(page())
    listed(vendor, statuses=statuses)
    assert [body["Status"] for body in vendor.bodies] == ["WAITING", "FINISH"]


@pytest.mark.parametrize("entries", [None, [], [None, {}, {"TaskId": ""}, "x"]])
def test_what_has_no_id_is_left_out(entries: t.Any) -> None:
    assert listed(Vendor(answer({"TaskSet": entries, "ScrollToken": None}))) == []


def test_a_list_that_goes_in_circles_ends() -> None:
    vendor = Vendor(page("t1", token="round"))
    assert len(listed(vendor, statuses=["WAITING"])) == 1
    assert vendor.sent == 2


def test_a_time_that_is_none_is_told_before_anything_is_sent() -> None:
    vendor = Vendor()
    with pytest.raises(CloudError, match=r'^end_time is "tomorrow", which is no time$'):
        listed(vendor, end_time="tomorrow")
    assert vendor.sent == 0


# --- The abortion --------------------------------------------------------------------------------------------------


def seen(status: str, kind: str | None) -> Poll:
    ref = {**REF, "task_id": "t1"}
    return Poll(make_record(ref, status, None), {"TaskType": kind}, 1)


@pytest.mark.parametrize(
    ("status", "kind", "aborts"),
    [
        ("pending", "WorkflowTask", True),
        ("pending", None, True),
        ("pending", "LiveStreamProcessTask", True),
        ("running", "LiveStreamProcessTask", True),
        ("running", "WorkflowTask", False),
        ("running", None, False),
        ("unknown", "LiveStreamProcessTask", False),
        ("unknown", "WorkflowTask", False),
    ],
)
def test_only_what_waits_and_live_streams_can_be_aborted(status: str, kind: str | None, aborts: bool) -> None:
    vendor = Vendor(answer({"RequestId": "r1"}))
    mine = calls(vendor)
    ref = {**REF, "task_id": "t1"}
    if not aborts:
        with pytest.raises(CloudError, match=f"^its status is {status}, and MPS aborts cloud tasks only") as caught:
            mine.prepare_abort(ref, seen(status, kind))
        assert (caught.value.kind, caught.value.advice) == ("invalid", "wait for its end")
        return
    prepared = mine.prepare_abort(ref, seen(status, kind))
    assert mine.call(prepared.make_request, prepared.read) == Poll({}, {"RequestId": "r1"}, 1)
    assert vendor.bodies == [{"OperationType": "Abort", "TaskId": "t1"}]
    assert vendor.requests[0].headers["X-TC-Action"] == "ManageTask"
    assert (prepared.repeatable, prepared.doubt) == (False, "it may have been aborted: poll it with mps_task_detail")


def test_the_vendors_own_refusal_says_what_to_do() -> None:
    mine = calls(Vendor(fault("InvalidParameterValue.NotProcessingTask")))
    prepared = mine.prepare_abort({**REF, "task_id": "t1"}, seen("pending", None))
    with pytest.raises(CloudError) as caught:
        mine.call(prepared.make_request, prepared.read)
    assert (caught.value.kind, caught.value.advice) == ("invalid", "wait for its end, MPS does not abort it any more")


# --- Against the vendor's SDK --------------------------------------------------------------------------------------


def without_nulls(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
def test_the_vendors_sdk_would_send_the_same() -> None:
    models = pytest.importorskip("tencentcloud.mps.v20190612.models")
    vendor = Vendor(STARTED, page(), answer({}))
    mine = calls(vendor)
    abort = mine.prepare_abort({**REF, "task_id": "t1"}, seen("pending", None))
    start(vendor, session_id="s1", session_context="{}")
    listed(vendor, statuses=["WAITING"], sub_task_has_failed=True, start_time="2026-01-02T03:04:05Z")
    mine.call(abort.make_request, abort.read)
    for kind, body in zip(("ProcessMedia", "DescribeTasks", "ManageTask"), vendor.bodies):
        request = getattr(models, f"{kind}Request")()
        request._deserialize(body)
        assert without_nulls(json.loads(request.to_json_string())) == body


def test_an_empty_session_is_refused_since_it_would_protect_nothing() -> None:
    with pytest.raises(CloudError, match="session_id is empty"):
        calls().prepare(REF, {**OPTIONS, "session_id": ""}, {})


# --- An account that is watched as a whole --------------------------------------------------------------------------


def test_a_watch_lists_what_is_open_and_what_has_ended_since() -> None:
    assert list(calls().watch_filters({}, "2026-01-02T03:04:05Z")) == [
        ("WAITING", {"Status": "WAITING", "StartTime": None}),
        ("PROCESSING", {"Status": "PROCESSING", "StartTime": None}),
        ("FINISH", {"Status": "FINISH", "StartTime": "2026-01-02T03:04:05Z"}),
    ]


@pytest.mark.parametrize(
    ("told", "is_it"), [([10, 20], True), ([20, 10], True), ([], True), ([10], False), ([30], False)]
)
def test_a_session_with_other_templates_belongs_to_another_start(told: list[int], is_it: bool) -> None:
    parts = [{"Type": "Transcode", "TranscodeTask": {"Input": {"Definition": number}}} for number in told]
    response = {"TaskType": "WorkflowTask", "WorkflowTask": {"Status": "FINISH", "MediaProcessResultSet": parts}}
    params = {"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 10}, {"Definition": "20"}]}}
    assert _has_templates(response, params) == is_it
    assert _has_templates(response, {})
