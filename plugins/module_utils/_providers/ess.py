# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent ESS (essbasic): file conversion tasks.

Sources: the vendor's page of ``ChannelGetTaskResultApi`` (statuses, sample), the SDK ``essbasic.v20210526`` (error
codes, and ``DescribeFileConvertTask``, which replaces the older operation on 2026-12-31 with the same fields).
"""

from __future__ import annotations

import typing as t
from datetime import date, datetime, timezone

from .._credentials import TencentCredentials
from .._errors import CloudError
from .._status import FAILED, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._transport import Answer, Request
from ._api3 import COMMON_RULES, Api3Provider
from .base import Ref, Response, Rule, Rules, Settings, as_dict, task_error, text_or_none

AUTO = "auto"
OLD_ACTION = "ChannelGetTaskResultApi"
NEW_ACTION = "DescribeFileConvertTask"
RETIREMENT = date(2026, 12, 31)

STATUSES: dict[str, str] = {
    "0": PENDING,
    "4": RUNNING,
    "8": SUCCEEDED,
    "-2": FAILED,
    "-6": FAILED,
    "-13": FAILED,
}
FAILURES: dict[str, tuple[str, str]] = {
    "-2": ("DownloadFailed", "download"),
    "-6": ("ProcessFailed", "processing"),
    "-13": ("ProcessTimeout", "timeout"),
}
"""The vendor's keyword and our reason of each failed status."""

RULES: Rules = {
    **COMMON_RULES,
    "InvalidParameter.DataNotFound": Rule("not_found"),
    "InvalidParameter.InvalidId": Rule("not_found"),
    "OperationDenied.FileDeleted": Rule("not_found"),
}


class EssProvider(Api3Provider):
    """File conversion in Tencent ESS."""

    name = "ess"
    title = "Tencent ESS"
    ref_keys = ("agent", "profile")
    endpoint_variable = "CLOUDWAIT_ESS_ENDPOINT"
    service = "essbasic"
    version = "2021-05-26"
    rules = RULES
    own_options = item_options = ("api_action",)
    actions: t.ClassVar[tuple[str, str]] = (OLD_ACTION, NEW_ACTION)
    """The operation that the vendor retires, and the one that takes its place."""
    rate = 10.0

    def __init__(
        self,
        settings: Settings,
        credentials: TencentCredentials,
        *,
        api_action: str = AUTO,
        today: t.Callable[[], date] = lambda: datetime.now(timezone.utc).date(),
    ) -> None:
        super().__init__(settings, credentials)
        if settings.site == "intl":
            raise CloudError("config", "Tencent ESS has no international site", advice="leave the option site out")
        if api_action not in (AUTO, *self.actions):
            raise CloudError("config", f"api_action is none of {', '.join((AUTO, *self.actions))}")
        self._may_switch = api_action == AUTO
        self.api_action = api_action
        if self._may_switch:
            self.api_action = self.actions[today() > RETIREMENT]

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """The operation that was used last, too."""
        return {**super().about(ref), "api_action": self.api_action}

    def memory(self) -> str | None:
        """The operation that the vendor offers."""
        return self.api_action

    def recall(self, memory: str | None) -> None:
        """Go on with it."""
        if memory and self._may_switch:
            self.api_action = memory

    def vendor_url(self, ref: Ref) -> str:
        """One host for all."""
        return "https://essbasic.tencentcloudapi.com"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """One cloud task by its id, on behalf of an agent."""
        return self.act(ref, {"TaskId": ref["task_id"]})

    def act(self, ref: Ref, params: t.Mapping[str, t.Any]) -> Request:
        """The present operation, on behalf of an agent."""
        action = self.api_action
        request = self.call(self.base_url(ref), action, {"Agent": agent_of(ref), **params})
        request.action = action
        return request

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """Besides those of all Tencent services: the other operation, when the vendor says that this one is gone."""
        return {**super().repairs(), "action": self._repair_action}

    def _repair_action(self, error: CloudError, request: Request) -> bool:
        if not (self._may_switch and _is_gone(error, request.action)):
            return False
        if self.api_action == request.action:  # else another look has switched since
            self.api_action = self.actions[request.action == self.actions[0]]
        return True

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """``TaskStatus`` alone decides; ``TaskMessage`` is prose, and the echoed ``TaskId`` may be another one."""
        response = self.response_of(answer)
        native = text_or_none(response.get("TaskStatus"))
        status = STATUSES.get(native or "", UNKNOWN)
        if status == UNKNOWN and native and native.startswith("-") and native[1:].isdigit():
            status = FAILED
        error = None
        if status == FAILED:
            keyword, reason = FAILURES.get(native or "", (native, "unknown"))
            error = task_error(keyword, response.get("TaskMessage") or keyword, reason)
        resource = text_or_none(response.get("ResourceId"))
        outputs = [{"type": "ess_resource", "value": resource}] if resource and status == SUCCEEDED else []
        request_id = text_or_none(response.get("RequestId"))
        return make_record(ref, status, native, error=error, outputs=outputs, request_id=request_id), response


def agent_of(ref: Ref) -> dict[str, t.Any]:
    """The vendor's ``Agent``; the three members that its page requires must be there."""
    agent = as_dict(ref.get("agent"))
    open_id = as_dict(agent.get("proxy_operator")).get("open_id")
    wanted = {
        "app_id": agent.get("app_id"),
        "proxy_organization_open_id": agent.get("proxy_organization_open_id"),
        "proxy_operator.open_id": open_id,
    }
    missing = [name for name, value in wanted.items() if not value]
    if missing:
        raise CloudError("config", f"agent lacks {', '.join(missing)}", advice="give agent with all three members")
    result = {
        "AppId": agent["app_id"],
        "ProxyOrganizationOpenId": agent["proxy_organization_open_id"],
        "ProxyOperator": {"OpenId": open_id},
    }
    if agent.get("proxy_app_id"):
        result["ProxyAppId"] = agent["proxy_app_id"]
    return result


def _is_gone(error: CloudError, action: str | None) -> bool:
    if error.code in ("InvalidAction", "ActionOffline"):
        return True
    return error.code == "UnsupportedOperation" and str(action) in (error.message or "")


__all__ = ["AUTO", "NEW_ACTION", "OLD_ACTION", "STATUSES", "EssProvider", "agent_of"]
