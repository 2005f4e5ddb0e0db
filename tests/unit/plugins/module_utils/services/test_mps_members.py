# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What decides about a media task and cannot be read is never taken for a success, whatever stands in its place.

Each case begins with an answer that is good, and puts every other type of JSON in the place of one member.
"""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import PART_STATUSES, Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport

Path = tuple[t.Union[str, int], ...]

SETTINGS = Settings(transport=t.cast(Transport, None), clock=Clock(lambda: 1_700_000_000.0))
CREDENTIALS = TencentCredentials("options", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY"))
SERVICE = Mps(SETTINGS, CREDENTIALS)
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

CASES: list[tuple[dict[str, t.Any], Path, dict[str, str]]] = [
    (WORKFLOW, ("Status",), {}),
    (WORKFLOW, ("TaskType",), dict.fromkeys(OTHERS, "the member that is filled tells, whatever the type says")),
    (WORKFLOW, ("WorkflowTask",), {}),
    (WORKFLOW, ("WorkflowTask", "Status"), {}),
    (WORKFLOW, ("WorkflowTask", "ErrCode"), NO_ERROR),
    (
        WORKFLOW,
        ("WorkflowTask", "MediaProcessResultSet"),
        dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO),
    ),
    (WORKFLOW, PART[:3], {}),
    (WORKFLOW, PART, {}),
    (WORKFLOW, (*PART, "Status"), {}),
    (
        WORKFLOW,
        (*PART, "Output"),
        dict.fromkeys(("absent", "null", "list", "list of null", "list of text", "dict", "dict of text"), NESTED),
    ),
    (
        SUBTITLES,
        ("WorkflowTask", "SmartSubtitlesTaskResult"),
        dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO),
    ),
    (SUBTITLES, LANGUAGE, dict.fromkeys(("absent", "null", "list"), NESTED)),
    (SUBTITLES, (*LANGUAGE, 0, "Status"), {"absent": NESTED}),
    (SCHEDULE, ("ScheduleTask",), {}),
    (SCHEDULE, ("ScheduleTask", "ActivityResultSet"), dict.fromkeys(("absent", "null", "list"), NOTHING_TO_DO)),
    (SCHEDULE, ACTIVITY[:3], {}),
    (SCHEDULE, ACTIVITY[:4], {}),
    (SCHEDULE, ACTIVITY, {}),
    (SCHEDULE, (*ACTIVITY, "Status"), {}),
    (EDIT, ("EditMediaTask",), {}),
    (EDIT, ("EditMediaTask", "Status"), {}),
    (EDIT, ("EditMediaTask", "ErrCode"), {"0": NO_ERROR["0"]}),
    (EVALUATION, ("TaskType",), {}),
    (EVALUATION, ("Status",), {}),
]
"""A good answer, a member that decides, and the values in its place that mean no less, with the reason."""


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


def status_of(answer: dict[str, t.Any]) -> str:
    """The status of the record, or the kind of the error in its place."""
    body = json.dumps({"Response": answer}).encode()
    try:
        return str(
            SERVICE.read({"provider": "mps", "task_id": "d1"}, Answer("api.example.com", 200, {}, body))[0]["status"]
        )
    except CloudError as error:
        return error.kind


@pytest.mark.parametrize("answer", [WORKFLOW, SUBTITLES, SCHEDULE, EDIT, EVALUATION])
def test_the_answers_are_good_as_they_are(answer: dict[str, t.Any]) -> None:
    assert status_of(answer) == "succeeded"


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize(
    ("answer", "path", "same"),
    CASES,
    ids=[f"{'.'.join(map(str, case[1]))}-{number}" for number, case in enumerate(CASES)],
)
def test_what_cannot_be_read_is_no_success(
    answer: dict[str, t.Any], path: Path, same: dict[str, str], other: str
) -> None:
    if (path[-1], other) == (0, "absent"):
        other = "null"  # a list without its only entry is the empty list of another case
    status = status_of(changed(answer, path, OTHERS[other]))
    assert (status == "succeeded") is (other in same), status


def test_the_words_of_parts_are_those_of_the_sdk() -> None:
    assert {"PROCESSING", "SUCCESS", "FAIL", "ERROR", "WAITING", "FINISH"} == set(PART_STATUSES)
