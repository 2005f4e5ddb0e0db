# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent MPS: one look at a media task, played as a WorkflowTask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lives import Look
from services._api3 import Api3Service
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
NO_TIME = "0000-00-00T00:00:00Z"


class MpsService(Api3Service):
    """FINISH means over: what became of it stands in the parts."""

    name = "mps"
    product = "mps"
    version = "2019-06-12"
    actions: Mapping[str, frozenset[str]] = {"DescribeTaskDetail": frozenset(("TaskId",))}
    no_such_task = "ResourceNotFound.TaskNotFound"
    statuses: Mapping[str, Any] = {
        "pending": "WAITING",
        "running": "PROCESSING",
        "succeeded": "FINISH",
        "partial": "FINISH",
        "failed": "FINISH",
        "unknown": "SUSPENDED",
    }

    def answer(self, look: Look, word: Any) -> dict[str, Any]:
        over = word == "FINISH"
        workflow: dict[str, Any] = {
            "TaskId": look.task.task_id,
            "Status": "FINISH" if over else "PROCESSING",
            "ErrCode": 0,
            "Message": "",
            "InputInfo": _input(look),
            "MetaData": None,
            "MediaProcessResultSet": [_result(part, look) for part in _parts(look, word)],
            "AiAnalysisResultSet": [],
            "AiRecognitionResultSet": [],
            "AiContentReviewResultSet": [],
            "AiQualityControlTaskResult": None,
        }
        waiting = word == "WAITING"
        return {
            "TaskType": "WorkflowTask",
            "Status": word,
            "CreateTime": utc(look.created),
            "BeginProcessTime": NO_TIME if waiting else utc(min(look.began, look.created + 1)),
            "FinishTime": utc(look.began) if over else NO_TIME,
            "WorkflowTask": workflow,
            "EditMediaTask": None,
            "LiveStreamProcessTask": None,
            "ScheduleTask": None,
            "LiveScheduleTask": None,
            "TaskNotifyConfig": None,
            "TasksPriority": 0,
            "SessionId": "",
            "SessionContext": "",
            "ExtInfo": "",
        }


def _parts(look: Look, word: Any) -> list[Mapping[str, Any]]:
    """The parts of a step: those that it names, else what its status calls for."""
    step = look.base
    details = step.details
    if "parts" in details:
        return list(details["parts"])
    if word == "WAITING":
        return []
    if word != "FINISH":
        return [{"kind": "Transcode", "status": "PROCESSING", "progress": details.get("progress", 0)}]
    status = step.value if step.kind == "status" else "succeeded"
    good, bad = {"succeeded": (1, 0), "partial": (1, 1), "failed": (0, 1)}[status]
    outputs = details.get("outputs", [])
    if "counts" in details:
        good, bad = details["counts"].get("succeeded", 0), details["counts"].get("failed", 0)
    paths = [*outputs, *(f"/out/{number}.mp4" for number in range(len(outputs) + 1, good + 1))]
    parts: list[Mapping[str, Any]] = []
    if status != "failed":
        parts += [{"kind": "Transcode", "status": "SUCCESS", "output": path} for path in paths]
    failure = {"code": details.get("code", "SourceFileError.NoVideoMedia"), "message": details.get("message")}
    return [*parts, *({"kind": "ImageSprites", "status": "FAIL", **failure} for dummy in range(bad))]


def _result(part: Mapping[str, Any], look: Look) -> dict[str, Any]:
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
        "Output": _output(kind, part.get("output") or "/out/1.mp4", look) if good else None,
    }
    if kind == "Transcode":
        task["Progress"] = part.get("progress", 100 if good else 0)
    else:
        task["BeginProcessTime"], task["FinishTime"] = utc(look.created + 1), utc(look.began)
    return {"Type": kind, **dict.fromkeys(MEMBERS.values()), MEMBERS[kind]: task}


def _output(kind: str, path: str, look: Look) -> dict[str, Any]:
    location = {"Bucket": look.task.bucket, "Region": look.task.region}
    storage = {"Type": "COS", "CosOutputStorage": location, "S3OutputStorage": None}
    if kind == "SnapshotByTimeOffset":
        return {"Storage": storage, "Definition": 10, "PicInfoSet": [{"TimeOffset": 1.0, "Path": path}]}
    if kind in ("SampleSnapshot", "ImageSprites"):
        return {"Storage": storage, "Definition": 10, "ImagePathSet": [path]}
    name = "OutputStorage" if kind == "Transcode" else "Storage"
    return {name: storage, "Path": path, "Definition": 100010, "Size": 5692, "Container": "mov,mp4,m4a,3gp,3g2,mj2"}


def _input(look: Look) -> dict[str, Any]:
    place = {"Bucket": look.task.bucket, "Region": look.task.region, "Object": "/in/a.mp4"}
    return {"Type": "COS", "CosInputInfo": place, "UrlInputInfo": None, "S3InputInfo": None}
