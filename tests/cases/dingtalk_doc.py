# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document tasks of DingTalk."""

from __future__ import annotations

import json
import typing as t

from ._case import TASK_ID, Case, Credentials, Examples, Reply, Sample, Start, codes, number, without_absent

TOKEN = Reply(b'{"accessToken": "EXAMPLE-FAKE-ACCESS-TOKEN", "expireIn": 7200}')


def answer(status: t.Any, **more: t.Any) -> Reply:
    """Returns an answer to a poll."""
    members = without_absent({"taskId": TASK_ID, "status": number(status), **more})
    return Reply(json.dumps(members).encode(), headers={"x-acs-request-id": "r1"})


def counts(total: int, succeeded: int, failed: int) -> dict[str, int]:
    """Returns the members that count documents."""
    return {"totalCount": total, "succCount": succeeded, "failCount": failed}


CASE = Case(
    title="DingTalk",
    host="api.dingtalk.io",
    source="page of GetTaskInfo, status",
    module="dingtalk_doc_task_info",
    examples=Examples(
        {
            "copy_task_id": "copy",
            "vault_dingtalk_app_key": "dingEXAMPLEKEY",
            "vault_dingtalk_app_secret": "EXAMPLE-FAKE-APP-SECRET",
        },
        {"copy": "succeeded"},
        ("succeeded, 4 of 4 documents",),
    ),
    credentials=Credentials(
        options={"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"},
        wrong={"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-WRONG-SECRET"},
        variables={"app_key": "DINGTALK_APP_KEY", "app_secret": "DINGTALK_APP_SECRET"},
        secrets=("app_secret",),
        header="x-acs-dingtalk-access-token",
    ),
    before=(TOKEN,),
    repaired="token_refused",
    statuses={"-1": "pending", "0": "running", "1": "succeeded", "2": "partial", "3": "failed", "4": "failed"},
    answer=answer,
    refuse=lambda code, message: Reply(json.dumps({"code": code, "message": message}).encode(), 403),
    errors=codes(
        auth="invalidClientIdOrSecret",
        permission="Forbidden.AccessDenied.AccessTokenPermissionDenied Forbidden.AccessDenied.ApiCountLimitForOrg"
        " Forbidden.AccessDenied.NeverHeardOf",
        invalid="paramError Missingbody",
        not_found="resource.not.found resource.not.found.task",
        throttled="Forbidden.AccessDenied.QpsLimitForApi Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
        server="systemError unknownError operationTimeout",
    ),
    samples={
        "success": Sample(
            answer("1", **counts(3, 3, 0)),
            {
                "status": "succeeded",
                "progress": 100,
                "counts": {"total": 3, "succeeded": 3, "failed": 0},
                "request_id": "r1",
            },
        ),
        "runs": Sample(answer("0", **counts(3, 1, 0)), {"status": "running", "progress": 33}),
        "partial": Sample(
            answer("2", **counts(1, 1, 0)),
            {"status": "partial", "counts": {"total": 1, "succeeded": 1, "failed": 0}},
        ),
        "failure": Sample(
            answer("3"),
            {
                "status": "failed",
                "error": {
                    "code": "3",
                    "message": "all documents failed; the vendor gives no reason",
                    "reason": "unknown",
                },
            },
        ),
    },
    plays={"pending": "-1", "running": "0", "succeeded": "1", "partial": "2", "failed": "3", "unknown": "9"},
    start=Start(
        module="dingtalk_doc_copy",
        service="DingTalkDocStarts",
        options=lambda name: {"source_dentry_uuid": name, "target_parent_dentry_uuid": "folder"},
        actions=("CopyDoc", "CopyDocWithAppAuth"),
        started=Reply(b'{"isAsync": true, "taskId": "t1"}'),
        without_id=Reply(b"{}"),
        doubt="the copy may exist or be in the making: look into the target folder before you start it again",
        credentials={"user_access_token": "EXAMPLE-FAKE-USER-TOKEN"},
    ),
)
