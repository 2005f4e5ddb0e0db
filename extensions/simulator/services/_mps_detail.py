# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of Tencent MPS about a media task: its container, and the parts in that."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from lives import Poll
from services._base import utc

#: kind of a part: the member that holds it
MEMBERS = {
    "Transcode": "TranscodeTask",
    "AnimatedGraphics": "AnimatedGraphicTask",
    "SnapshotByTimeOffset": "SnapshotByTimeOffsetTask",
    "SampleSnapshot": "SampleSnapshotTask",
    "ImageSprites": "ImageSpriteTask",
    "AdaptiveDynamicStreaming": "AdaptiveDynamicStreamingTask",
}
#: kinds of tasks, which are the members of the answer, too
KINDS = ("WorkflowTask", "ScheduleTask", "LiveStreamProcessTask")
NO_TIME = "0000-00-00T00:00:00Z"
#: what a container says of a task that was aborted; the vendor has no status for it
ABORTED = (40000, "The task was aborted.")


_GOOD_FOR = 600


class TaskSet(NamedTuple):
    """A list of MediaProcessTask: the kind of part that an entry makes, and the suffix of its result."""

    kind: str
    suffix: str
    needed: tuple[str, ...] = ("Definition",)


TASK_SETS = {
    "TranscodeTaskSet": TaskSet("Transcode", "mp4"),
    "AnimatedGraphicTaskSet": TaskSet("AnimatedGraphics", "gif", ("Definition", "StartTimeOffset", "EndTimeOffset")),
    "SnapshotByTimeOffsetTaskSet": TaskSet("SnapshotByTimeOffset", "jpg"),
    "SampleSnapshotTaskSet": TaskSet("SampleSnapshot", "jpg"),
    "ImageSpriteTaskSet": TaskSet("ImageSprites", "jpg"),
    "AdaptiveDynamicStreamingTaskSet": TaskSet("AdaptiveDynamicStreaming", "m3u8"),
}


def detail(poll: Poll, word: Any) -> dict[str, Any]:
    """Return the answer to DescribeTaskDetail."""
    order = poll.task.order or {}
    kind = poll.task.kind or KINDS[0]
    return {
        "TaskType": kind,
        "Status": word,
        **times(poll, word),
        "WorkflowTask": None,
        "EditMediaTask": None,
        "LiveStreamProcessTask": None,
        "ScheduleTask": None,
        "LiveScheduleTask": None,
        kind: _container(poll, word, kind),
        "TaskNotifyConfig": order.get("TaskNotifyConfig"),
        "TasksPriority": order.get("TasksPriority", 0),
        "SessionId": order.get("SessionId", ""),
        "SessionContext": order.get("SessionContext", ""),
        "ExtInfo": "",
    }


def event(poll: Poll, word: Any, now: float) -> dict[str, Any]:
    """Return the callback about a media task. Its `Sign` covers a time and the key of the start, and nothing else."""
    order = poll.task.order or {}
    kind = poll.task.kind or KINDS[0]
    ends = int(now) + _GOOD_FOR
    key = str((order.get("TaskNotifyConfig") or {}).get("NotifyKey") or "")
    sign = hashlib.md5(f"{ends}{key}".encode()).hexdigest() if key else ""  # noqa: S324 # as the vendor does
    signed = {"Timestamp": ends, "Sign": sign}
    session = {"SessionId": order.get("SessionId", ""), "SessionContext": order.get("SessionContext", "")}
    if kind == "LiveStreamProcessTask":
        eof = {"ErrCode": 0, "Message": ""}
        return {
            "NotificationType": "ProcessEof",
            "TaskId": poll.task.task_id,
            "ProcessEofInfo": eof,
            **session,
            **signed,
        }
    empty = dict.fromkeys(("WorkflowTaskEvent", "EditMediaTaskEvent", "ScheduleTaskEvent"))
    return {"EventType": kind, **empty, f"{kind}Event": _container(poll, word, kind), **session, **signed}


def times(poll: Poll, word: Any) -> dict[str, str]:
    """Return the three times of a cloud task; one that is not yet known is all zeros."""
    begun = utc(min(poll.began, poll.created + 1))
    return {
        "CreateTime": utc(poll.created),
        "BeginProcessTime": NO_TIME if word == "WAITING" else begun,
        "FinishTime": utc(poll.began) if word == "FINISH" else NO_TIME,
    }


def has_failed_part(poll: Poll, word: Any) -> bool:
    """Return whether any part of the cloud task has failed."""
    return any(part.get("status") == "FAIL" for part in _parts(poll, word))


def _container(poll: Poll, word: Any, kind: str) -> dict[str, Any]:
    code, message = ABORTED if _is_aborted(poll) else (0, "")
    status = "FINISH" if word == "FINISH" else "PROCESSING"
    head = {"TaskId": poll.task.task_id, "Status": status, "ErrCode": code, "Message": message}
    if kind == "LiveStreamProcessTask":
        return {**head, "Url": "rtmp://live.example.invalid/stream"}
    head = {**head, "InputInfo": _input(poll), "MetaData": None}
    results = [_result(part, poll) for part in _parts(poll, word)]
    if kind == "ScheduleTask":
        activities = [{"ActivityType": each.pop("Type"), "ActivityResItem": each} for each in results]
        return {**head, "ActivityResultSet": activities}
    return {
        **head,
        "MediaProcessResultSet": results,
        "AiAnalysisResultSet": [],
        "AiRecognitionResultSet": [],
        "AiContentReviewResultSet": [],
        "AiQualityControlTaskResult": None,
    }


def _is_aborted(poll: Poll) -> bool:
    return poll.base.kind == "status" and poll.base.value == "canceled"


def _parts(poll: Poll, word: Any) -> list[Mapping[str, Any]]:
    """Return the parts of a step: those that it names, else those that fit its status and what was asked for."""
    details = poll.base.details
    if "parts" in details:
        return list(details["parts"])
    if word == "WAITING" or _is_aborted(poll):
        return []
    asked: list[Mapping[str, Any]] = list(_asked(poll.task.order or {}))
    if word != "FINISH":
        going = {"status": "PROCESSING", "progress": details.get("progress", 0)}
        return [{**part, **going} for part in asked or [{"kind": "Transcode"}]]
    status = poll.base.value if poll.base.kind == "status" else "succeeded"
    code = details.get("code", "SourceFileError.NoVideoMedia")
    failure = {"status": "FAIL", "code": code, "message": details.get("message")}
    if asked and not {"outputs", "counts"} & set(details):
        return _asked_parts(asked, status, failure)
    return _usual_parts(details, status, failure)


def _asked_parts(asked: list[Mapping[str, Any]], status: str, failure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if status == "partial" and len(asked) == 1:
        asked = [*asked, {"kind": "ImageSprites"}]
    good = {"succeeded": len(asked), "partial": len(asked) - 1, "failed": 0}[status]
    return [*asked[:good], *({**part, **failure} for part in asked[good:])]


def _usual_parts(details: Mapping[str, Any], status: str, failure: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    good, bad = {"succeeded": (1, 0), "partial": (1, 1), "failed": (0, 1)}[status]
    outputs = details.get("outputs", [])
    if "counts" in details:
        good, bad = details["counts"].get("succeeded", 0), details["counts"].get("failed", 0)
    paths = [*outputs, *(f"/out/{number}.mp4" for number in range(len(outputs) + 1, good + 1))]
    parts: list[Mapping[str, Any]] = []
    if status != "failed":
        parts += [{"kind": "Transcode", "status": "SUCCESS", "output": path} for path in paths]
    return [*parts, *({"kind": "ImageSprites", **failure} for dummy in range(bad))]


def _asked(order: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the parts that a start asked for, with the paths of their results."""
    stem = str(order.get("stem", ""))
    for name, entries in (order.get("MediaProcessTask") or {}).items():
        kind, suffix, dummy = TASK_SETS[name]
        for entry in entries:
            definition = str(entry["Definition"])
            usual = f"{stem}_{kind[0].lower()}{kind[1:]}_{definition}.{{format}}"
            path = str(entry.get("OutputObjectPath") or usual)
            for field, value in (("inputName", stem), ("definition", definition), ("format", suffix), ("number", "0")):
                path = path.replace("{" + field + "}", value)
            yield {"kind": kind, "output": path if path.startswith("/") else f"{order['folder']}{path}"}


def _result(part: Mapping[str, Any], poll: Poll) -> dict[str, Any]:
    kind = part.get("kind", "Transcode")
    status = part.get("status", "SUCCESS")
    good, bad = status == "SUCCESS", status == "FAIL"
    usual = {"SUCCESS": "SUCCESS", "FAIL": "no video stream"}.get(status, "")
    task: dict[str, Any] = {
        "Status": status,
        "ErrCode": 70000 if bad else 0,
        "ErrCodeExt": part.get("code") or ("SUCCESS" if good else ""),
        "Message": part.get("message") or usual,
        "Input": {"Definition": 100010},
        "Output": _output(kind, part.get("output") or "/out/1.mp4", poll) if good else None,
    }
    if kind == "Transcode":
        task["Progress"] = part.get("progress", 100 if good else 0)
    else:
        task["BeginProcessTime"], task["FinishTime"] = utc(poll.created + 1), utc(poll.began)
    return {"Type": kind, **dict.fromkeys(MEMBERS.values()), MEMBERS[kind]: task}


def _output(kind: str, path: str, poll: Poll) -> dict[str, Any]:
    location = {"Bucket": poll.task.bucket, "Region": poll.task.region}
    storage = {"Type": "COS", "CosOutputStorage": location, "S3OutputStorage": None}
    if kind == "SnapshotByTimeOffset":
        return {"Storage": storage, "Definition": 10, "PicInfoSet": [{"TimeOffset": 1.0, "Path": path}]}
    if kind in ("SampleSnapshot", "ImageSprites"):
        return {"Storage": storage, "Definition": 10, "ImagePathSet": [path]}
    name = "OutputStorage" if kind == "Transcode" else "Storage"
    return {name: storage, "Path": path, "Definition": 100010, "Size": 5692, "Container": "mov,mp4,m4a,3gp,3g2,mj2"}


def _input(poll: Poll) -> dict[str, Any]:
    place = {"Bucket": poll.task.bucket, "Region": poll.task.region, "Object": "/in/a.mp4"}
    given = (poll.task.order or {}).get("InputInfo", {"Type": "COS", "CosInputInfo": place})
    return {"CosInputInfo": None, "UrlInputInfo": None, "S3InputInfo": None, **given}
