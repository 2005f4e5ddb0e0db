# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent MPS: FINISH means over, and what became of a cloud task is in its parts, wherever they are."""

from __future__ import annotations

import json
import typing as t
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import tc3

Dict = dict[str, t.Any]

REF = {"provider": "mps", "task_id": "2600000001-WorkflowTask-tt1"}


def provider(http_method: str = "POST", **settings: t.Any) -> Mps:
    made = Settings(transport=t.cast(Transport, None), clock=Clock(lambda: 1_700_000_000.0), **settings)
    credentials = TencentCredentials("options", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY"))
    return Mps(made, credentials, http_method=http_method)


def answer(response: t.Any) -> Answer:
    return Answer("mps.tencentcloudapi.com", 200, {}, json.dumps({"Response": response}).encode())


def read(response: t.Any) -> Dict:
    return provider().read(REF, answer(response))[0]


def part(status: str, **more: t.Any) -> Dict:
    return {"Status": status, "ErrCode": 0, "ErrCodeExt": "", "Message": "", "Input": {}, "Output": None, **more}


GOOD = part("SUCCESS", ErrCodeExt="SUCCESS", Message="SUCCESS")
BAD = part("FAIL", ErrCode=70000, ErrCodeExt="SourceFileError.NoVideoMedia", Message="no video stream")
BUSY = part("PROCESSING")
WAITING = part("WAITING")
ODD = part("SLEEPING")


def workflow(*parts: Dict, status: str = "FINISH", top: str = "FINISH", **more: t.Any) -> Dict:
    """A cloud task of the most usual kind with transcodings as parts."""
    results = [{"Type": "Transcode", "TranscodeTask": one, "SampleSnapshotTask": None} for one in parts]
    container = {"Status": status, "ErrCode": 0, "Message": "", "MediaProcessResultSet": results, **more}
    return {"TaskType": "WorkflowTask", "Status": top, "WorkflowTask": container, "EditMediaTask": None}


def statuses(record: Dict) -> list[str]:
    return [leaf["status"] for leaf in record["parts"]]


# --- The status of the whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "text", "status"),
    [
        ("ABORTED", "ABORTED", "unknown"),
        ("finish", "finish", "unknown"),
        (8, "8", "unknown"),
    ],
)
def test_the_top_tells_whether_it_is_over(native: t.Any, text: str | None, status: str) -> None:
    record = read({**workflow(GOOD), "Status": native})
    assert (record["native_status"], record["status"]) == (text, status)


@pytest.mark.parametrize(
    ("parts", "status", "counts"),
    [
        ([], "succeeded", None),
        ([GOOD], "succeeded", (1, 1, 0)),
        ([GOOD, GOOD], "succeeded", (2, 2, 0)),
        ([GOOD, BAD], "partial", (2, 1, 1)),
        ([BAD], "failed", (1, 0, 1)),
        ([BAD, BAD], "failed", (2, 0, 2)),
        ([GOOD, BUSY], "running", (2, 1, 0)),
        ([GOOD, WAITING], "running", (2, 1, 0)),
        ([BAD, BUSY], "running", (2, 0, 1)),
        ([GOOD, ODD], "unknown", (2, 1, 0)),
        ([BAD, ODD], "partial", (2, 0, 1)),
        ([BUSY, ODD], "running", (2, 0, 0)),
    ],
)
def test_the_parts_tell_what_became_of_it(parts: list[Dict], status: str, counts: tuple[int, int, int] | None) -> None:
    record = read(workflow(*parts))
    named = counts and dict(zip(("total", "succeeded", "failed"), counts))
    assert (record["status"], record["counts"]) == (status, named)
    assert (record["error"] is not None) == (status in ("partial", "failed"))


@pytest.mark.parametrize("top", ["WAITING", "PROCESSING"])
def test_parts_say_nothing_about_the_whole_before_it_is_over(top: str) -> None:
    record = read(workflow(BAD, top=top))
    assert (record["done"], record["error"], statuses(record)) == (False, None, ["failed"])


@pytest.mark.parametrize(
    ("container", "status", "error"),
    [
        ({"ErrCode": 70000, "Message": "source file err"}, "failed", ("70000", "source file err", "source")),
        ({"ErrCode": "70000", "Message": ""}, "failed", ("70000", None, "source")),
        ({"ErrCode": -1, "Message": None}, "failed", ("-1", None, "source")),
        ({"status": "FAIL", "Message": "gone"}, "failed", (None, "gone", "unknown")),
        ({"status": "FAIL", "ErrCode": 70000, "Message": "m"}, "failed", ("70000", "m", "source")),
        ({"ErrCode": 70000.0, "Message": "m"}, "failed", ("70000", "m", "source")),
        ({"ErrCode": "0"}, "succeeded", None),
        ({"ErrCode": 0.0}, "succeeded", None),
        ({"status": "SLEEPING"}, "unknown", None),
        ({"status": "PROCESSING"}, "running", None),
    ],
)
@pytest.mark.parametrize("parts", [[], [GOOD]], ids=["no part", "a good part"])
def test_an_error_of_the_container_is_one_of_the_whole(
    container: Dict, status: str, error: tuple[str, str, str] | None, parts: list[Dict]
) -> None:
    record = read(workflow(*parts, **container))
    named = error and dict(zip(("code", "message", "reason"), error))
    assert (record["status"], record["error"]) == (status, named)


def test_a_container_that_says_no_more_than_fail_leaves_the_word_to_its_parts() -> None:
    record = read(workflow(GOOD, BAD, status="FAIL"))
    assert record["status"] == "failed"
    assert record["error"]["code"] == "SourceFileError.NoVideoMedia"


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("WorkflowTask", "source"),
        ("ScheduleTask", "source"),
        ("LiveScheduleTask", "source"),
        ("EditMediaTask", "unknown"),
        ("LiveStreamProcessTask", "unknown"),
        ("ExtractBlindWatermarkTask", "unknown"),
    ],
)
def test_the_source_is_at_fault_for_some_kinds_only(kind: str, reason: str) -> None:
    response = {"TaskType": kind, "Status": "FINISH", kind: {"Status": "FINISH", "ErrCode": 40000, "Message": "m"}}
    assert read(response)["error"] == {"code": "40000", "message": "m", "reason": reason}


# --- The container -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task_type", "member"),
    [
        ("WorkflowTask", "WorkflowTask"),
        ("ScheduleTask", "ScheduleTask"),
        ("ExtractBlindWatermark", "ExtractBlindWatermarkTask"),
        ("NextYears", "NextYearsTask"),
        ("LiveScheduleTask", "SomethingElse"),
        (None, "WorkflowTask"),
        (["odd"], "WorkflowTask"),
    ],
)
def test_the_member_that_is_filled_is_taken(task_type: t.Any, member: str) -> None:
    response = {
        "TaskType": task_type,
        "Status": "FINISH",
        "TaskNotifyConfig": {"Status": "FAIL", "ErrCode": 1},
        "Extra": {"no": "status"},
        "EditMediaTask": None,
        "LiveStreamProcessTask": {},
        member: {"Status": "FINISH", "ErrCode": 5},
    }
    record = read(response)
    assert (record["status"], record["error"]["code"]) == ("failed", "5")


@pytest.mark.parametrize(("top", "status"), [("FINISH", "succeeded"), ("PROCESSING", "running")])
def test_an_evaluation_has_no_member(top: str, status: str) -> None:
    record = read({"TaskType": "EvaluationTask", "Status": top, "WorkflowTask": None, "ScheduleTask": None})
    assert (record["status"], record["parts"], record["counts"], record["progress"]) == (status, [], None, None)


def test_null_lists_are_empty() -> None:
    record = read(workflow(MediaProcessResultSet=None, AiAnalysisResultSet=None, AiQualityControlTaskResult=None))
    assert (record["status"], record["parts"]) == ("succeeded", [])


# --- Parts, wherever they are ----------------------------------------------------------------------------------------


def schedule(*activities: Dict) -> Dict:
    results = [{"ActivityType": "x", "ActivityResItem": {**one, "TranscodeTask": None}} for one in activities]
    container = {"Status": "FINISH", "ErrCode": 0, "ActivityResultSet": results}
    return {"TaskType": "ScheduleTask", "Status": "FINISH", "ScheduleTask": container}


NAMED: list[
    tuple[Dict, str]
] = [  # every place that the SDK's classes have under a workflow, with the fields that are there
    ({"MediaProcessResultSet": [{"TranscodeTask": BAD}]}, "TranscodeTask"),
    ({"MediaProcessResultSet": [{"AdaptiveDynamicStreamingTask": BAD}]}, "AdaptiveDynamicStreamingTask"),
    ({"AiContentReviewResultSet": [{"PornTask": BAD}]}, "PornTask"),
    ({"AiAnalysisResultSet": [{"HighlightTask": {"Status": "FAIL", "ErrCode": 1, "Message": "m"}}]}, "HighlightTask"),
    ({"AiAnalysisResultSet": [{"CutoutTask": {"Status": "FAIL", "ErrCodeExt": "X", "Message": "m"}}]}, "CutoutTask"),
    ({"AiRecognitionResultSet": [{"ObjectTask": {"Status": "FAIL", "ErrCode": 1}}]}, "ObjectTask"),
    ({"AiQualityControlTaskResult": BAD}, "AiQualityControlTaskResult"),
    ({"SmartEraseTaskResult": {"Status": "FAIL", "Message": ""}}, "SmartEraseTaskResult"),
    ({"AiDubbingTaskResult": {"Status": "FAIL", "ErrCodeExt": None}}, "AiDubbingTaskResult"),
    ({"NextYearsResultSet": [{"NextYearsTask": BAD}]}, "NextYearsTask"),
    ({"NextYears": {"Deeper": [[{"Still": {"Deeper": BAD}}]]}}, "Deeper"),
]


@pytest.mark.parametrize(("members", "kind"), NAMED, ids=[next(iter(members)) for members, dummy in NAMED])
def test_a_part_is_found_by_its_shape(members: Dict, kind: str) -> None:
    record = read(workflow(GOOD, **members) if "MediaProcessResultSet" not in members else workflow(**members))
    bad = [leaf for leaf in record["parts"] if leaf["status"] == "failed"]
    assert [leaf["kind"] for leaf in bad] == [kind]


@pytest.mark.parametrize("place", ["InputInfo", "MetaData", "Input", "TaskNotifyConfig"])
@pytest.mark.parametrize("deep", [False, True])
def test_what_was_put_in_is_no_part(place: str, deep: bool) -> None:
    echoed: Dict = {place: {"Status": "FAIL", "ErrCode": 1, "Message": "m", "Output": {"Status": "FAIL", "Path": "p"}}}
    record = read(workflow(part("SUCCESS", **echoed)) if deep else workflow(GOOD, **echoed))
    assert (record["status"], statuses(record), record["outputs"]) == ("succeeded", ["succeeded"], [])


@pytest.mark.parametrize(
    "value",
    [
        {"Status": 1, "ErrCode": 1},
        {"Status": True, "Message": "m"},
        {"Status": " ", "Message": "m"},
        {"Status": None, "Message": "m"},
        {"Status": {"a": "b"}, "Message": "m"},
        {"ErrCode": 1, "Message": "m"},
    ],
)
def test_a_part_whose_status_cannot_be_read_is_never_good(value: Dict) -> None:
    record = read(workflow(GOOD, Something=value))
    assert (record["status"], statuses(record)) == ("unknown", ["succeeded", "unknown"])


@pytest.mark.parametrize("value", [{"Status": "FAIL"}, {"Status": 5}, {"Message": "m"}, {"Code": 1}])
def test_outside_an_output_a_bare_status_or_message_is_no_part(value: Dict) -> None:
    assert statuses(read(workflow(GOOD, Something=value))) == ["succeeded"]


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("SUCCESS", "succeeded"),
        ("Success", "succeeded"),
        ("FINISH", "succeeded"),
        ("FAIL", "failed"),
        ("Error", "failed"),
        ("PROCESSING", "running"),
        ("WAITING", "pending"),
        ("CANCELLED", "unknown"),
    ],
)
def test_the_words_of_a_part(word: str, status: str) -> None:
    record = read(workflow(GOOD, SmartSubtitlesTaskResult=[{"AsrFullTextTask": part(word)}]))
    assert statuses(record) == ["succeeded", status]


SUBTITLES = [{"Status": "Success", "Path": "a.vtt"}, {"Status": "Error", "Path": None, "Message": "no speech"}]


@pytest.mark.parametrize(
    ("activity", "status", "leaves"),
    [
        ({"ReviewTask": {**GOOD, "Output": [{"PornTask": GOOD}]}}, "succeeded", ["succeeded"]),
        (
            {"ReviewTask": {**GOOD, "Output": [{"PornTask": GOOD}, {"PornOcrTask": BAD}]}},
            "partial",
            ["succeeded", "failed"],
        ),
        ({"ReviewTask": {**GOOD, "Output": None}}, "succeeded", ["succeeded"]),
        ({"ReviewTask": {**BAD, "Output": []}}, "failed", ["failed"]),
        # the outer one failed though all below are good: one more that is bad
        ({"ReviewTask": {**BAD, "Output": [{"PornTask": GOOD}]}}, "partial", ["succeeded", "failed"]),
        ({"ReviewTask": {**BAD, "Output": [{"PornTask": BAD}]}}, "failed", ["failed"]),
        (
            {"ReviewTask": {**BAD, "Output": [{"PornTask": GOOD}, {"PornOcrTask": BAD}]}},
            "partial",
            ["succeeded", "failed"],
        ),
        ({"ReviewTask": {**BUSY, "Output": [{"PornTask": GOOD}]}}, "running", ["succeeded", "running"]),
        ({"ReviewTask": {**BUSY, "Output": [{"PornTask": WAITING}]}}, "running", ["pending"]),
        ({"ReviewTask": {**GOOD, "Output": [{"PornTask": BUSY}]}}, "running", ["running"]),
        ({"ReviewTask": {**ODD, "Output": [{"PornTask": GOOD}]}}, "unknown", ["succeeded", "unknown"]),
        ({"ReviewTask": {**ODD, "Output": [{"PornTask": BAD}]}}, "failed", ["failed"]),
        ({"ReviewTask": {**ODD, "Output": [{"PornTask": BUSY}]}}, "running", ["running"]),
        ({"SmartSubtitlesTask": {**GOOD, "Output": {"SubtitleInfo": {"Status": None}}}}, "unknown", ["unknown"]),
        # parts with no more than a status, which count inside an Output alone
        (
            {"SmartSubtitlesTask": {**GOOD, "Output": {"SubtitleResults": SUBTITLES}}},
            "partial",
            ["succeeded", "failed"],
        ),
        (
            {
                "SmartSubtitlesTask": {
                    **GOOD,
                    "Output": [{"TransTextTask": {**GOOD, "Output": {"SubtitleResults": SUBTITLES}}}],
                }
            },
            "partial",
            ["succeeded", "failed"],
        ),
        (
            {"SmartSubtitlesTask": {**GOOD, "Output": {"SubtitleInfo": {"Status": "Success"}}}},
            "succeeded",
            ["succeeded"],
        ),
        ({"SmartSubtitlesTask": {**GOOD, "Output": {"Status": "Error"}}}, "failed", ["failed"]),
    ],
)
def test_only_the_leaves_of_nested_parts_count(activity: Dict, status: str, leaves: list[str]) -> None:
    record = read(schedule(activity))
    assert (record["status"], statuses(record)) == (status, leaves)


def test_an_output_of_the_container_itself_may_hold_parts() -> None:
    response = {"Status": "FINISH", "EditMediaTask": {"Status": "FINISH", "ErrCode": 0, "Output": {"Status": "FAIL"}}}
    assert read(response)["status"] == "failed"


def test_parts_that_are_nested_without_end_do_no_harm() -> None:
    deep: t.Any = BAD
    for dummy in range(150):
        deep = {"Output": [deep]}
    record = read(workflow(GOOD, Deep=deep))
    assert statuses(record) == ["succeeded"]  # a poll refuses such an answer afterwards


# --- Errors of parts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "code", "message", "reason"),
    [
        ({"ErrCodeExt": "SourceFileError", "Message": "m"}, "SourceFileError", "m", "source"),
        ({"ErrCodeExt": "SourceFileError.NoVideoMedia"}, "SourceFileError.NoVideoMedia", None, "source"),
        (
            {"ErrCodeExt": "SourceFileError.DownloadNotAccessible"},
            "SourceFileError.DownloadNotAccessible",
            None,
            "download",
        ),
        ({"ErrCodeExt": "InvalidInput.InvalidTimeOffset"}, "InvalidInput.InvalidTimeOffset", None, "source"),
        ({"ErrCodeExt": "InternalError"}, "InternalError", None, "processing"),
        ({"ErrCodeExt": "NextYears", "ErrCode": 5}, "NextYears", None, "unknown"),
        ({"ErrCodeExt": "", "ErrCode": 70000}, "70000", None, "unknown"),
        ({"ErrCodeExt": "SUCCESS", "ErrCode": 70000}, "70000", None, "unknown"),
        ({"ErrCodeExt": "SUCCESS", "ErrCode": 0}, None, None, "unknown"),
        ({"ErrCodeExt": None, "ErrCode": None}, None, None, "unknown"),
    ],
)
def test_a_part_that_failed_says_why(fields: Dict, code: str | None, message: str | None, reason: str) -> None:
    record = read(workflow({"Status": "FAIL", "Message": None, **fields}))
    assert record["parts"][0]["error"] == {"code": code, "message": message, "reason": reason}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([BAD], "TranscodeTask: no video stream"),
        ([GOOD, BAD], "1 of 2 parts failed, the first is TranscodeTask: no video stream"),
        ([{"Status": "FAIL", "ErrCodeExt": "InternalError"}], "TranscodeTask: InternalError"),
        ([{"Status": "FAIL", "ErrCodeExt": "SUCCESS"}, BAD], "2 of 2 parts failed, the first is TranscodeTask: failed"),
    ],
)
def test_the_whole_says_what_the_first_bad_part_says(parts: list[Dict], message: str) -> None:
    record = read(workflow(*parts))
    first = next(leaf["error"] for leaf in record["parts"] if leaf["error"])
    assert record["error"] == {**first, "message": message}


@pytest.mark.parametrize(
    ("parts", "progress"),
    [
        ([part("PROCESSING", Progress=40)], 40),
        ([part("PROCESSING", Progress=40), GOOD], 70),
        ([part("PROCESSING", Progress=40), BAD], 70),
        ([part("SUCCESS", Progress=0)], 100),  # as a published notification has it
        ([part("PROCESSING", Progress=None)], None),
        ([part("PROCESSING", Progress=40), WAITING], None),
        ([part("PROCESSING", Progress=140)], None),
        ([], None),
    ],
)
def test_progress_is_known_when_every_part_tells_it(parts: list[Dict], progress: int | None) -> None:
    assert read(workflow(*parts, top="PROCESSING"))["progress"] == progress


# --- Outputs -------------------------------------------------------------------------------------------------------

COS = {"Type": "COS", "CosOutputStorage": {"Bucket": "b-1", "Region": "ap-beijing"}}
S3 = {
    "Type": "AWS-S3",
    "S3OutputStorage": {"S3Bucket": "s", "S3Region": "eu-west-3", "S3SecretId": "EXAMPLE", "S3SecretKey": "EXAMPLE"},
}
VOD = {"Type": "VOD", "VODOutputStorage": {"Bucket": "v-1", "Region": "ap-guangzhou", "SubAppId": 5}}
VOD_PLACE = {"type": "vod_file", "bucket": "v-1", "region": "ap-guangzhou"}
COS_PLACE = {"type": "cos_object", "bucket": "b-1", "region": "ap-beijing"}


@pytest.mark.parametrize(
    ("output", "made"),
    [
        (None, []),
        ({}, []),
        ({"Path": ""}, []),
        ({"Path": "/a.mp4"}, [{"type": "path", "value": "/a.mp4"}]),
        ({"Path": "/a.mp4", "OutputStorage": COS}, [{**COS_PLACE, "value": "/a.mp4"}]),
        ({"Storage": COS, "Path": "/a.mp4"}, [{**COS_PLACE, "value": "/a.mp4"}]),
        ({"Path": "/a", "OutputStorage": None, "Storage": COS}, [{**COS_PLACE, "value": "/a"}]),
        (
            {"Path": "/a", "OutputStorage": S3},
            [{"type": "s3_object", "bucket": "s", "region": "eu-west-3", "value": "/a"}],
        ),
        ({"Path": "/a", "OutputStorage": {"Type": "VOD"}}, [{"type": "vod_file", "value": "/a"}]),
        ({"Path": "/a", "OutputStorage": {"Type": "NextYears"}}, [{"type": "path", "value": "/a"}]),
        (
            {"Storage": COS, "PicInfoSet": [{"Path": "/1.jpg"}, {"Path": "/2.jpg"}, {"Path": None}]},
            [{**COS_PLACE, "value": "/1.jpg"}, {**COS_PLACE, "value": "/2.jpg"}],
        ),
        (
            {"Storage": COS, "ImagePathSet": ["/1.jpg", "/2.jpg"], "WebVttPath": "/x.vtt"},
            [{**COS_PLACE, "value": value} for value in ("/1.jpg", "/2.jpg", "/x.vtt")],
        ),
        (
            {"VideoPath": "", "VideoPaths": ["/o/a.mp4", "/o/b.mp4"], "ScriptPath": "/o/s.json", "OutputStorage": COS},
            [{**COS_PLACE, "value": value} for value in ("/o/a.mp4", "/o/b.mp4", "/o/s.json")],
        ),
        (
            {"VideoPath": "/o/a.mp4", "VideoPaths": ["/o/a.mp4"], "ScriptPath": "/o/s.json"},
            [{"type": "path", "value": "/o/a.mp4"}, {"type": "path", "value": "/o/s.json"}],
        ),
        ({"VideoPaths": ["/o/a.mp4"], "VideoPath": "/o/a.mp4"}, [{"type": "path", "value": "/o/a.mp4"}]),
        ({"Path": "/a.mp4", "OutputStorage": VOD}, [{**VOD_PLACE, "value": "/a.mp4"}]),
        ({"Path": "", "FileId": "9662", "OutputStorage": VOD}, [{**VOD_PLACE, "value": "9662"}]),
        ({"Path": "", "FileId": "9662"}, [{"type": "vod_file", "value": "9662"}]),
        ({"FileId": 9662}, [{"type": "vod_file", "value": "9662"}]),
        ({"Path": "/a.mp4", "FileId": "9662", "OutputStorage": VOD}, [{**VOD_PLACE, "value": "/a.mp4"}]),
        (
            {"VideoPath": None, "VideoFileId": "1", "SpeakerPath": "/s.json", "SpeakerFileId": ""},
            [{"type": "vod_file", "value": "1"}, {"type": "path", "value": "/s.json"}],
        ),
        (
            {"FileList": [{"Url": "https://x/1.mp4", "Size": 1}, {"Url": None}, {"Url": "https://x/2.mp4"}]},
            [{"type": "path", "value": url, "url": url} for url in ("https://x/1.mp4", "https://x/2.mp4")],
        ),
        ({"FileList": None, "SegmentUrl": "https://x/no.mp4"}, []),
        ({"ImagePathSet": None}, []),
        ({"ImagePathSet": [None, 5, {"Path": "/x"}]}, []),
        ({"Input": {"Path": "/source"}}, []),
        (
            [{"Storage": COS, "SubtitleResults": [{"Status": "Success", "SubtitlePath": "/a.vtt"}]}],
            [{**COS_PLACE, "value": "/a.vtt"}],
        ),
    ],
)
def test_files_are_named_with_the_place_where_they_are(output: t.Any, made: list[Dict]) -> None:
    record = read(workflow(part("SUCCESS", Output=output)))
    assert record["outputs"] == made
    assert "EXAMPLE" not in json.dumps(record)


def test_the_files_of_a_part_are_with_the_part() -> None:
    record = read(workflow(part("SUCCESS", Output={"Path": "/a"}), part("SUCCESS", Output={"Path": "/b"})))
    assert [leaf["outputs"] for leaf in record["parts"]] == [
        [{"type": "path", "value": "/a"}],
        [{"type": "path", "value": "/b"}],
    ]
    assert [output["value"] for output in record["outputs"]] == ["/a", "/b"]


def test_the_file_of_an_edit_is_named() -> None:
    edit = {"Status": "FINISH", "ErrCode": 0, "Output": {"Path": "/a.mp4", "Storage": COS}}
    record = read({"TaskType": "EditMediaTask", "Status": "FINISH", "EditMediaTask": edit})
    assert (record["status"], record["outputs"]) == ("succeeded", [{**COS_PLACE, "value": "/a.mp4"}])


def test_the_whole_record_of_a_task_of_which_a_part_failed() -> None:
    response = {
        **workflow(part("SUCCESS", ErrCodeExt="SUCCESS", Progress=100, Output={"Path": "/out/a.mp4"}), BAD),
        "CreateTime": "2026-01-02T03:04:05Z",
        "BeginProcessTime": "2026-01-02T03:04:06Z",
        "FinishTime": "0000-00-00T00:00:00Z",
        "RequestId": "r1",
    }
    wrong = {"code": "SourceFileError.NoVideoMedia", "message": "no video stream", "reason": "source"}
    output = {"type": "path", "value": "/out/a.mp4"}
    good = {"kind": "TranscodeTask", "status": "succeeded", "progress": 100, "error": None, "outputs": [output]}
    bad: Dict = {"kind": "TranscodeTask", "status": "failed", "progress": None, "error": wrong, "outputs": []}
    assert provider().read(REF, answer(response)) == (
        {
            "provider": "mps",
            "task_id": "2600000001-WorkflowTask-tt1",
            "status": "partial",
            "native_status": "FINISH",
            "done": True,
            "progress": 100,
            "counts": {"total": 2, "succeeded": 1, "failed": 1},
            "error": {**wrong, "message": "1 of 2 parts failed, the first is TranscodeTask: no video stream"},
            "parts": [good, bad],
            "outputs": [output],
            "created_at": "2026-01-02T03:04:05Z",
            "started_at": "2026-01-02T03:04:06Z",
            "finished_at": None,
            "request_id": "r1",
            "ref": REF,
        },
        response,
    )


# --- Errors --------------------------------------------------------------------------------------------------------


def test_a_task_that_is_gone_says_how_long_tasks_are_kept() -> None:
    with pytest.raises(CloudError) as caught:
        read({"Error": {"Code": "ResourceNotFound", "Message": "no such task"}})
    assert caught.value.sentence("Polling") == (
        'Polling failed: the vendor said "ResourceNotFound: no such task"; '
        "check the task id and the site; MPS keeps cloud tasks for 7 days (3 on the international site)."
    )


# --- The request ---------------------------------------------------------------------------------------------------

POSTED = "fa6cec69d69e975b24b4fd2d938ab82365f7ec1e72dd9fbf5e1f1602af4df2ff"  # of the vector tc3-01
VECTOR_REF = {"provider": "mps", "task_id": "2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1"}


def test_a_post_is_signed_as_the_vendors_code_does() -> None:
    made = Settings(transport=t.cast(Transport, None), clock=Clock(lambda: 1_700_000_000.0))
    keys = TencentCredentials("options", lambda: Keys("AKIDEXAMPLE-FAKE-ID", "EXAMPLE-FAKE-SECRET-KEY"))
    request = Mps(made, keys).request(VECTOR_REF)
    request.sign()
    assert request.body == json.dumps({"TaskId": VECTOR_REF["task_id"]}).encode()
    assert request.headers["Authorization"].endswith(f"SignedHeaders=content-type;host, Signature={POSTED}")
    assert request.secrets()[-1] == POSTED


@pytest.mark.parametrize("task_id", ["m1", "a b+c/d&e=f~*", "\u4efb\u52a1", "%41"])
def test_a_get_has_its_parameters_in_the_url(task_id: str) -> None:
    request = provider("GET").request({**REF, "task_id": task_id})
    request.sign()
    parts = urlsplit(request.url)
    assert (parts.path, parse_qs(parts.query), request.body) == ("/", {"TaskId": [task_id]}, None)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["X-TC-Action"] == "DescribeTaskDetail"


@pytest.mark.parametrize(
    ("site", "endpoint", "url"),
    [
        (None, None, "https://mps.tencentcloudapi.com/"),
        ("china", None, "https://mps.tencentcloudapi.com/"),
        ("intl", None, "https://mps.intl.tencentcloudapi.com/"),
        ("intl", "http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ],
)
def test_the_site_decides_the_host(site: str | None, endpoint: str | None, url: str) -> None:
    request = provider(site=site, endpoint=endpoint).request(REF)
    request.sign()
    assert request.url == url
    assert "/mps/tc3_request," in request.headers["Authorization"]  # whatever the host


def test_the_path_of_an_endpoint_is_signed() -> None:
    request = provider("GET", endpoint="http://127.0.0.1:8080/base").request({**REF, "task_id": "a b"})
    request.sign()
    wanted = tc3.sign(
        method="GET",
        host="127.0.0.1:8080",
        service="mps",
        content_type="application/x-www-form-urlencoded",
        payload=b"",
        secret_id="id",
        secret_key="EXAMPLE-FAKE-SECRET-KEY",
        timestamp=1_700_000_000,
        uri="/base/",
        query="TaskId=a+b",
    )
    assert {name: request.headers[name] for name in wanted} == wanted


def test_no_region_is_sent() -> None:
    assert "X-TC-Region" not in provider().request({**REF, "region": "ap-beijing"}).headers
