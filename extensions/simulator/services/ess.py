# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent ESS (essbasic): one look at a file conversion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lives import Look
from messages import Request, VendorError
from services._api3 import Api3Service
from services._base import Call, is_whole

_COMMON = frozenset(("Agent", "TaskId"))
_MESSAGES = {
    0: "任务已提交",
    4: "文档转换中",
    8: "任务处理完成",
    -2: "DownloadFailed",
    -6: "ProcessFailed",
    -13: "ProcessTimeout",
}


class EssService(Api3Service):
    """The old and the new name of the query have the same parameters, but for two that nobody should send."""

    name = "ess"
    product = "essbasic"
    version = "2021-05-26"
    actions: Mapping[str, frozenset[str]] = {
        "ChannelGetTaskResultApi": _COMMON | {"Operator", "Organization"},
        "DescribeFileConvertTask": _COMMON,
    }
    no_such_task = "ResourceNotFound"
    statuses: Mapping[str, Any] = {"pending": 0, "running": 4, "succeeded": 8, "failed": -6, "unknown": 99}

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        super().check(call, request, retired)
        agent = (call.parameters or {}).get("Agent")
        if agent is None:
            raise VendorError("MissingParameter", "The request is missing the parameter Agent.")
        if not isinstance(agent, dict) or not agent.get("AppId"):
            raise VendorError("MissingParameter", "The request is missing the parameter Agent.AppId.")
        operator = agent.get("ProxyOperator")
        if not agent.get("ProxyOrganizationOpenId"):
            raise VendorError("InvalidParameter.ParamError", "Agent.ProxyOrganizationOpenId must not be empty.")
        if not isinstance(operator, dict) or not operator.get("OpenId"):
            raise VendorError("InvalidParameter.ParamError", "Agent.ProxyOperator.OpenId must not be empty.")

    def answer(self, look: Look, word: Any) -> dict[str, Any]:
        details = look.base.details
        if word == self.statuses["failed"] and is_whole(details.get("code")):
            word = details["code"]
        outputs = details.get("outputs") or [f"yD{look.task.task_id[-30:]:0>30}"]
        return {
            "TaskId": "20260101000000000001",
            "TaskStatus": word,
            "TaskMessage": details.get("message", _MESSAGES.get(word, "")),
            "ResourceId": outputs[0] if word == self.statuses["succeeded"] else "",
        }

    def refuse_native(self, word: Any) -> str:
        return "" if is_whole(word) or isinstance(word, str) else "must be a whole number, or text such as READY"
