# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File conversions of Tencent ESS."""

from __future__ import annotations

import typing as t

from ._case import TASK_ID, Examples, Reply, Sample, Start, codes, number
from ._tencent import api3, api3_case

AGENT = {"app_id": "yDExample", "proxy_organization_open_id": "org", "proxy_operator": {"open_id": "n9527"}}


def answer(status: t.Any, **more: t.Any) -> Reply:
    """Returns an answer to a poll."""
    return api3(TaskStatus=number(status), **more)


CASE = api3_case(
    title="Tencent ESS",
    host="essbasic.tencentcloudapi.com",
    source="page of ChannelGetTaskResultApi, TaskStatus",
    module="ess_task_info",
    examples=Examples({"convert_task_id": "conversion"}, {"conversion": "succeeded"}),
    needs={"agent": AGENT},
    statuses={"0": "pending", "4": "running", "8": "succeeded", "-2": "failed", "-6": "failed", "-13": "failed"},
    answer=answer,
    errors=codes(
        permission="OperationDenied.NoApiAuth OperationDenied.NoQuota OperationDenied.WhiteListForbid"
        " LimitExceeded.CallTimes",
        invalid="InvalidParameter.DupTask LimitExceeded.FileSize",
        not_found="InvalidParameter.DataNotFound InvalidParameter.InvalidId OperationDenied.FileDeleted"
        " ResourceNotFound.Flow",
        throttled="OperationDenied.OutQueryLimit",
        server="OperationDenied.DocumentNoAvailable InternalError.ThirdParty",
    ),
    samples={
        "success": Sample(
            answer("8", TaskId="another", ResourceId="yDResource"),
            {
                "status": "succeeded",
                "task_id": TASK_ID,
                "outputs": [{"type": "ess_resource", "value": "yDResource"}],
                "request_id": "r1",
            },
        ),
        "failure": Sample(
            answer("-13", TaskMessage="too slow"),
            {
                "status": "failed",
                "error": {"code": "ProcessTimeout", "message": "too slow", "reason": "timeout"},
            },
        ),
        "new failure": Sample(answer("-99"), {"status": "failed", "native_status": "-99"}),
        "new number": Sample(answer("99"), {"status": "unknown", "native_status": "99"}),
    },
    plays={"pending": "0", "running": "4", "succeeded": "8", "failed": "-6", "unknown": "99"},
    start=Start(
        module="ess_convert_task",
        service="EssStarts",
        options=lambda name: {"resource_id": "yDExampleSource", "resource_name": f"{name}.docx"},
        actions=("ChannelCreateConvertTaskApi", "CreateFileConvertTask"),
        started=api3(TaskId=TASK_ID),
        without_id=api3(),
        doubt="the cloud task may exist and cost money; ESS has no list of them, and to start it again makes another one",
    ),
)
