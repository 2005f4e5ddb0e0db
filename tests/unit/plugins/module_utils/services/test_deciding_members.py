# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What decides about a status and cannot be read is never taken for a success, whatever stands in its place.

Each case begins with an answer that is good, and puts every other type of JSON or form of XML in the place of one member.
"""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import (
    DingTalkApp,
    Keys,
    TencentCredentials,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Service, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDoc
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.dingtalk_doc import DingTalkDoc
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import Ess
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import SERVICES
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport

Path = tuple[t.Union[str, int], ...]

SETTINGS = Settings(transport=t.cast(Transport, None), clock=Clock(lambda: 1_700_000_000.0))
CREDENTIALS = TencentCredentials("options", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY"))
MADE: dict[str, Service] = {
    "ess": Ess(SETTINGS, CREDENTIALS),
    "cos_doc": CosDoc(SETTINGS, CREDENTIALS),
    "mps": Mps(SETTINGS, CREDENTIALS),
    "dingtalk_doc": DingTalkDoc(SETTINGS, DingTalkApp("options", access_token="EXAMPLE-FAKE-ACCESS-TOKEN")),
}
ABSENT = object()
OTHERS: dict[str, t.Any] = {
    "absent": ABSENT,
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "7": 7,
    "1.5": 1.5,
    "1e400": float("inf"),
    "text": "odd",
    "empty text": "",
    "blank": " ",
    "list": [],
    "list of text": ["SUCCESS"],
    "list of null": [None],
    "dict": {},
    "dict of text": {"a": "SUCCESS"},
}
NO_ERROR = {"0": "0 is the vendor's number for no error", "null": "the vendor lets it be null", "absent": "as null"}
GOOD_PART: dict[str, t.Any] = {"Status": "SUCCESS", "ErrCode": 0, "ErrCodeExt": "", "Message": "", "Output": None}
WORKFLOW: dict[str, t.Any] = {
    "TaskType": "WorkflowTask",
    "Status": "FINISH",
    "WorkflowTask": {
        "Status": "FINISH",
        "ErrCode": 0,
        "MediaProcessResultSet": [{"Type": "Transcode", "TranscodeTask": GOOD_PART}],
    },
}
SUBTITLES: dict[str, t.Any] = {
    "TaskType": "WorkflowTask",
    "Status": "FINISH",
    "WorkflowTask": {
        "Status": "FINISH",
        "ErrCode": 0,
        "SmartSubtitlesTaskResult": [
            {"TransTextTask": {**GOOD_PART, "Output": {"SubtitleResults": [{"Status": "Success", "Path": "a.vtt"}]}}}
        ],
    },
}
SCHEDULE: dict[str, t.Any] = {
    "TaskType": "ScheduleTask",
    "Status": "FINISH",
    "ScheduleTask": {
        "Status": "FINISH",
        "ErrCode": 0,
        "ActivityResultSet": [
            {"ActivityType": "AIAnalysis", "ActivityResItem": {"AnalysisTask": {**GOOD_PART, "Output": []}}}
        ],
    },
}
EDIT: dict[str, t.Any] = {
    "TaskType": "EditMediaTask",
    "Status": "FINISH",
    "EditMediaTask": {"Status": "FINISH", "ErrCode": 0, "Message": ""},
}
EVALUATION: dict[str, t.Any] = {"TaskType": "EvaluationTask", "Status": "FINISH"}
NESTED = "an output without anything in it says no more than the outer part, which is good"
NOTHING_TO_DO = "the vendor says null or an empty list where there was nothing to do, and the container has no error"
PART = ("WorkflowTask", "MediaProcessResultSet", 0, "TranscodeTask")
LANGUAGE = ("WorkflowTask", "SmartSubtitlesTaskResult", 0, "TransTextTask", "Output", "SubtitleResults")
ACTIVITY = ("ScheduleTask", "ActivityResultSet", 0, "ActivityResItem", "AnalysisTask")

CASES: list[tuple[str, dict[str, t.Any], Path, dict[str, str]]] = [
    ("ess", {"TaskStatus": 8}, ("TaskStatus",), {}),
    ("ess", {"TaskStatus": 8}, ("Error",), {"absent": "no error", "null": "no error"}),
    ("dingtalk_doc", {"taskId": "t1", "status": 1}, ("status",), {}),
    (
        "dingtalk_doc",
        {"taskId": "t1", "status": 1},
        ("code",),
        dict.fromkeys(("absent", "null", "false", "0", "empty text", "list", "dict", "blank"), "no error code"),
    ),
    ("mps", WORKFLOW, ("Status",), {}),
    ("mps", WORKFLOW, ("TaskType",), dict.fromkeys(OTHERS, "the member that is filled tells, whatever the type says")),
    ("mps", WORKFLOW, ("WorkflowTask",), {}),
    ("mps", WORKFLOW, ("WorkflowTask", "Status"), {}),
    ("mps", WORKFLOW, ("WorkflowTask", "ErrCode"), NO_ERROR),
    (
        "mps",
        WORKFLOW,
        ("WorkflowTask", "MediaProcessResultSet"),
        dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO),
    ),
    ("mps", WORKFLOW, PART[:3], {}),
    ("mps", WORKFLOW, PART, {}),
    ("mps", WORKFLOW, (*PART, "Status"), {}),
    (
        "mps",
        WORKFLOW,
        (*PART, "Output"),
        dict.fromkeys(("absent", "null", "list", "list of null", "list of text", "dict", "dict of text"), NESTED),
    ),
    (
        "mps",
        SUBTITLES,
        ("WorkflowTask", "SmartSubtitlesTaskResult"),
        dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO),
    ),
    ("mps", SUBTITLES, LANGUAGE, dict.fromkeys(("absent", "null", "list"), NESTED)),
    ("mps", SUBTITLES, (*LANGUAGE, 0, "Status"), {"absent": NESTED}),
    ("mps", SCHEDULE, ("ScheduleTask",), {}),
    ("mps", SCHEDULE, ("ScheduleTask", "ActivityResultSet"), dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO)),
    ("mps", SCHEDULE, ACTIVITY[:3], {}),
    ("mps", SCHEDULE, ACTIVITY[:4], {}),
    ("mps", SCHEDULE, ACTIVITY, {}),
    ("mps", SCHEDULE, (*ACTIVITY, "Status"), {}),
    ("mps", EDIT, ("EditMediaTask",), {}),
    ("mps", EDIT, ("EditMediaTask", "Status"), {}),
    ("mps", EDIT, ("EditMediaTask", "ErrCode"), {"0": NO_ERROR["0"]}),
    ("mps", EVALUATION, ("TaskType",), {}),
    ("mps", EVALUATION, ("Status",), {}),
]
"""The service, a good answer, a member that decides, and the values in its place that mean no less, with the reason."""

XML = (
    "<Response><JobsDetail><JobId>d1</JobId>{state}<Tag>DocProcess</Tag><Operation>{result}<JobLevel>0</JobLevel></Operation></JobsDetail>"
    "</Response>"
)
RESULT = "<DocProcessResult>{fail}{good}</DocProcessResult>"
PLACES: dict[str, tuple[str, str, dict[str, str]]] = {
    "State": ("<State>", "Success", {}),
    "DocProcessResult": (
        "<DocProcessResult>",
        "<FailPageCount>0</FailPageCount><SuccPageCount>2</SuccPageCount>",
        {
            "absent": "the vendor's page says that it may be absent, and the state is that of a success",
            "attribute": "an attribute changes nothing",
        },
    ),
    "FailPageCount": (
        "<FailPageCount>",
        "0",
        {"0": "it is this", "0.0": "it is this"},
    ),
    "SuccPageCount": (
        "<SuccPageCount>",
        "2",
        dict.fromkeys(("absent", "0", "7", "0.0"), "it decides only when pages failed"),
    ),
    "Operation": (
        "<Operation>",
        "<DocProcessResult><FailPageCount>0</FailPageCount></DocProcessResult>",
        {
            "absent": "the state alone is left, which is that of a success",
            "nested": "as without a DocProcessResult",
            "attribute": "an attribute changes nothing",
        },
    ),
}
FORMS: dict[str, str] = {
    "absent": "",
    "empty": "<{0}/>",
    "text": "<{0}>odd</{0}>",
    "true": "<{0}>true</{0}>",
    "0": "<{0}>0</{0}>",
    "0.0": "<{0}>0.0</{0}>",
    "7": "<{0}>7</{0}>",
    "-1": "<{0}>-1</{0}>",
    "1.5": "<{0}>1.5</{0}>",
    "nested": "<{0}><Inner>{1}</Inner></{0}>",
    "repeated": "<{0}>{1}</{0}><{0}>{1}</{0}>",
    "attribute": '<{0} odd="1">{1}</{0}>',
}


def changed(answer: dict[str, t.Any], path: Path, value: t.Any) -> dict[str, t.Any]:
    """A copy of an answer with something else in one place."""
    copied: t.Any = copy.deepcopy(answer)
    place = copied
    for name in path[:-1]:
        place = place[name]
    if value is not ABSENT:
        place[path[-1]] = value
    elif isinstance(place, list):
        del place[t.cast(int, path[-1])]
    else:
        place.pop(path[-1], None)
    return t.cast("dict[str, t.Any]", copied)


def status_of(provider: str, body: bytes) -> str:
    """The status of the record, or the kind of the error in its place."""
    ref = {"provider": provider, "task_id": "d1"}
    try:
        return str(MADE[provider].read(ref, Answer("api.example.com", 200, {}, body))[0]["status"])
    except CloudError as error:
        return error.kind


def body_of(provider: str, answer: dict[str, t.Any]) -> bytes:
    return json.dumps({"Response": answer} if provider in ("ess", "mps") else answer).encode()


def xml_of(name: str, form: str) -> bytes:
    """A job that has succeeded, with another form of one of its elements."""
    begin, inner, dummy = PLACES[name]
    whole = XML.format(
        state="<State>Success</State>",
        result=RESULT.format(
            fail="<FailPageCount>0</FailPageCount>",
            good="<SuccPageCount>2</SuccPageCount>",
        ),
    )
    end = begin.replace("<", "</")
    before, rest = whole.split(begin)
    return (before + FORMS[form].format(name, inner) + rest.split(end)[1]).encode()


def test_every_service_has_cases() -> None:
    assert {case[0] for case in CASES} | {"cos_doc"} == set(SERVICES) == set(MADE)


@pytest.mark.parametrize(("provider", "answer"), [case[:2] for case in CASES])
def test_the_answers_are_good_as_they_are(provider: str, answer: dict[str, t.Any]) -> None:
    assert status_of(provider, body_of(provider, answer)) == "succeeded"


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("provider", "answer", "path", "same"),
    CASES,
    ids=[f"{case[0]}-{'.'.join(map(str, case[2]))}-{number}" for number, case in enumerate(CASES)],
)
def test_what_cannot_be_read_is_no_success(
    provider: str, answer: dict[str, t.Any], path: Path, same: dict[str, str], other: str
) -> None:
    if (path[-1], other) == (0, "absent"):
        other = "null"  # a list without its only entry is the empty list of another case
    status = status_of(provider, body_of(provider, changed(answer, path, OTHERS[other])))
    assert (status == "succeeded") is (other in same), status


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PLACES)
def test_xml_that_cannot_be_read_is_no_success(name: str, form: str) -> None:
    status = status_of("cos_doc", xml_of(name, form))
    assert (status == "succeeded") is (form in PLACES[name][2]), status
