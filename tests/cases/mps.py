# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media tasks of Tencent MPS."""

from __future__ import annotations

import typing as t

from ._case import TASK_ID, Examples, Reply, Sample, Start, codes
from ._tencent import api3, api3_case


def part(status: str, **more: t.Any) -> dict[str, t.Any]:
    """Returns a sub-task."""
    return {"Type": "Transcode", "TranscodeTask": {"Status": status, "ErrCode": 0, "Message": "", **more}}


def answer(status: t.Any, *, parts: t.Sequence[dict[str, t.Any]] = (part("SUCCESS"),), **more: t.Any) -> Reply:
    """Returns an answer to a poll."""
    workflow = {"Status": status if isinstance(status, str) else "FINISH", "ErrCode": 0}
    whole = {"TaskType": "WorkflowTask", "WorkflowTask": {**workflow, "MediaProcessResultSet": list(parts)}}
    return api3(Status=status, **whole, **more)


def media(name: str) -> dict[str, t.Any]:
    """Returns what MPS shall do with a film."""
    place = {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing", "Object": f"/in/{name}.mp4"}
    return {
        "InputInfo": {"Type": "COS", "CosInputInfo": place},
        "OutputDir": "/out/",
        "MediaProcessTask": {"TranscodeTaskSet": [{"Definition": 100010}]},
    }


BAD = part("FAIL", ErrCode=70000, ErrCodeExt="SourceFileError.NoVideoMedia", Message="no picture")

CASE = api3_case(
    title="Tencent MPS",
    host="mps.tencentcloudapi.com",
    source="page of DescribeTaskDetail, Status",
    module="mps_task_detail",
    examples=Examples(
        {"first_id": "first", "second_id": "second"},
        {
            "2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1": "partial",
            "first": "running",
            "second": "succeeded",
        },
    ),
    statuses={"WAITING": "pending", "PROCESSING": "running", "FINISH": "succeeded"},
    answer=answer,
    errors=codes(
        permission="FailedOperation.InvalidMpsUser FailedOperation.InvalidUser FailedOperation.UserArrears"
        " InvalidParameterValue.UserUnRegister ResourceNotFound.UserUnregister LimitExceeded.TooMuchTemplate",
        invalid="InvalidParameterValue.SessionId InvalidParameterValue.NotProcessingTask",
        not_found="ResourceNotFound.TaskNotFound FailedOperation.TaskNotFound InvalidParameterValue.TaskId",
        throttled="LimitExceeded.CreateTask",
        server="InternalError.AccessDBError FailedOperation.NetWorkError",
    ),
    samples={
        "success": Sample(
            answer("FINISH", CreateTime="2026-01-02T03:04:05Z"),
            {
                "status": "succeeded",
                "counts": {"total": 1, "succeeded": 1, "failed": 0},
                "created_at": "2026-01-02T03:04:05Z",
                "request_id": "r1",
            },
        ),
        "partial": Sample(
            answer("FINISH", parts=[part("SUCCESS"), BAD]),
            {"status": "partial", "counts": {"total": 2, "succeeded": 1, "failed": 1}},
        ),
        "failure": Sample(answer("FINISH", parts=[BAD]), {"status": "failed", "done": True}),
        "one goes on": Sample(answer("FINISH", parts=[part("SUCCESS"), part("PROCESSING")]), {"status": "running"}),
        "new word": Sample(answer("FINISH", parts=[part("SUCCESS"), part("POLISHED")]), {"status": "unknown"}),
    },
    plays={
        "pending": "WAITING",
        "running": "PROCESSING",
        "unknown": "SUSPENDED",
        **dict.fromkeys(("succeeded", "partial", "failed"), "FINISH"),
    },
    start=Start(
        module="mps_media_task",
        service="MpsStarts",
        options=lambda name: {"parameters": media(name)},
        actions=("ProcessMedia",),
        started=api3(TaskId=TASK_ID),
        without_id=api3(),
        doubt="the cloud task may exist and cost money: look for it with mps_task_list_info before you start it again",
        is_found_again=True,
    ),
)
