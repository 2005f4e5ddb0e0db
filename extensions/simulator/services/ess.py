# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent ESS, in the platform edition (essbasic) and the company edition (ess): conversions and uploads."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any

from lives import Lives, Poll
from messages import Reply, Request, VendorError
from services._api3 import Api, Api3Service, api3_reply, optional_number, wanted, wanted_text
from services._base import Call, Manageable, Order, Startable, is_whole

_POLL = frozenset(("Agent", "TaskId"))
_START = frozenset(("Agent", "ResourceType", "ResourceName", "ResourceId"))
_UPLOAD = frozenset(("Agent", "BusinessType", "FileInfos", "Deadline", "Operator"))
_COMPANY_POLL = frozenset(("Operator", "Agent", "TaskId"))
_COMPANY_START = frozenset(("Operator", "Agent", "ResourceType", "ResourceName", "ResourceId"))
_COMPANY_UPLOAD = frozenset(("Caller", "Agent", "BusinessType", "FileInfos", "FileType", "CoverRect", "Deadline"))
_COMPANY = "ess"  # the product of the company edition
_OLD = frozenset(("Operator", "Organization"))
_RESOURCE_TYPES = ("doc", "docx", "xls", "xlsx", "jpg", "jpeg", "png", "bmp", "html", "txt")
_BUSINESS_TYPES = ("TEMPLATE", "DOCUMENT", "SEAL", "ARCHIVE", "BUSINESSLICENSE")
_MOST_FILES = 20
_MOST_NAME = 256
_MIB = 1024 * 1024
_MOST_FILE_NAME = 200
#: type of a file: its suffixes, and how large it may be
_FILE_TYPES = {
    "image": (("jpg", "jpeg", "png", "bmp"), 8 * _MIB),
    "pdf": (("pdf",), 60 * _MIB),
    "word": (("doc", "docx"), 60 * _MIB),
    "excel": (("xls", "xlsx"), 60 * _MIB),
    "web page": (("html",), 60 * _MIB),
    "text": (("txt",), 60 * _MIB),
    "archive": (("zip",), 60 * _MIB),
}
_YEAR = 366 * 24 * 3600
_MESSAGES = {
    0: "任务已提交",
    4: "文档转换中",
    8: "任务处理完成",
    -2: "DownloadFailed",
    -6: "ProcessFailed",
    -13: "ProcessTimeout",
}


class EssService(Api3Service, Startable, Manageable):
    """Both editions. The older of two names of an action takes two parameters more, which nobody should send."""

    name = "ess"
    apis = (
        Api(
            "essbasic",
            "2021-05-26",
            {
                "ChannelGetTaskResultApi": _POLL | _OLD,
                "DescribeFileConvertTask": _POLL,
                "ChannelCreateConvertTaskApi": _START | _OLD,
                "CreateFileConvertTask": _START,
                "UploadFiles": _UPLOAD,
            },
            frozenset(("UploadFiles",)),
        ),
        Api(
            _COMPANY,
            "2020-11-11",
            {
                "GetTaskResultApi": _COMPANY_POLL | {"Organization"},
                "DescribeFileConvertTask": _COMPANY_POLL,
                "CreateConvertTaskApi": _COMPANY_START | {"Organization"},
                "CreateFileConvertTask": _COMPANY_START,
                "UploadFiles": _COMPANY_UPLOAD,
            },
            frozenset(("UploadFiles",)),
        ),
    )
    starting = frozenset(("ChannelCreateConvertTaskApi", "CreateConvertTaskApi", "CreateFileConvertTask"))
    managing = frozenset(("UploadFiles",))
    statuses: Mapping[str, Any] = {"pending": 0, "running": 4, "succeeded": 8, "failed": -6, "unknown": 99}
    more_endpoints = ("UPLOAD",)

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        super().check(call, request, retired)
        api = self.api(request)
        if api is not None and api.product == _COMPANY:
            _check_operator(call)
        else:
            _check_agent(call.parameters or {})

    def order(self, call: Call, request: Request) -> Order:
        parameters = call.parameters or {}
        kind = wanted_text(parameters, "ResourceType")
        if kind not in _RESOURCE_TYPES:
            raise VendorError("InvalidParameter.ParamError", f"The ResourceType {kind} is not supported.")
        name = wanted_text(parameters, "ResourceName", most=_MOST_NAME)
        wanted_text(parameters, "ResourceId")
        return Order(name, {"result": _resource_id()})

    def new_id(self, order: Order) -> str:
        return _resource_id()

    def started(self, poll: Poll) -> Reply:
        return api3_reply({"TaskId": poll.task.task_id})

    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        parameters = call.parameters or {}
        if wanted_text(parameters, "BusinessType") not in _BUSINESS_TYPES:
            raise VendorError("InvalidParameter.ParamError", f"BusinessType is one of {', '.join(_BUSINESS_TYPES)}.")
        files = wanted(parameters, "FileInfos")
        if not isinstance(files, list) or not 1 <= len(files) <= _MOST_FILES:
            raise VendorError("InvalidParameter.ParamError", f"FileInfos holds 1 to {_MOST_FILES} files.")
        if len({_checked_type(file, f"FileInfos.{number}.") for number, file in enumerate(files)}) > 1:
            raise VendorError("InvalidParameter.ParamError", "All files of one upload must be of one type.")
        deadline = optional_number(parameters, "Deadline", int(now) + 3600)
        if not now < deadline < now + _YEAR:
            raise VendorError("InvalidParameter.ParamError", "Deadline must lie ahead, at most one year.")
        ids = [_resource_id() for dummy in files]
        urls = [f"https://file.example.invalid/{each}" for each in ids]
        return api3_reply({"FileIds": ids, "FileUrls": urls, "TotalCount": len(ids), "Deadline": deadline})

    def answer(self, poll: Poll, word: Any) -> dict[str, Any]:
        details = poll.base.details
        if word == self.statuses["failed"] and is_whole(details.get("code")):
            word = details["code"]
        usual = (poll.task.order or {}).get("result", f"yD{poll.task.task_id[-30:]:0>30}")
        outputs = details.get("outputs") or [usual]
        return {
            "TaskId": "20260101000000000001",
            "TaskStatus": word,
            "TaskMessage": details.get("message", _MESSAGES.get(word, "")),
            "ResourceId": outputs[0] if word == self.statuses["succeeded"] else "",
        }

    def refuse_native(self, word: Any) -> str:
        return "" if is_whole(word) or isinstance(word, str) else "must be a whole number, or text such as READY"


def _check_operator(call: Call) -> None:
    """Check that a request of the company edition names the employee who makes it."""
    outer, inner = ("Caller", "OperatorId") if call.action == "UploadFiles" else ("Operator", "UserId")
    who = wanted(call.parameters or {}, outer)
    if not isinstance(who, dict) or not who.get(inner):
        raise VendorError("MissingParameter", f"The request is missing the parameter {outer}.{inner}.")


def _check_agent(parameters: Mapping[str, Any]) -> None:
    """Check that a request of the platform edition names the application and the employee who make it."""
    agent = parameters.get("Agent")
    if agent is None:
        raise VendorError("MissingParameter", "The request is missing the parameter Agent.")
    if not isinstance(agent, dict) or not agent.get("AppId"):
        raise VendorError("MissingParameter", "The request is missing the parameter Agent.AppId.")
    operator = agent.get("ProxyOperator")
    if not agent.get("ProxyOrganizationOpenId"):
        raise VendorError("InvalidParameter.ParamError", "Agent.ProxyOrganizationOpenId must not be empty.")
    if not isinstance(operator, dict) or not operator.get("OpenId"):
        raise VendorError("InvalidParameter.ParamError", "Agent.ProxyOperator.OpenId must not be empty.")


def _checked_type(file: Any, place: str) -> str:
    """Check one file of an upload. Returns its type, a key of `_FILE_TYPES`."""
    if not isinstance(file, dict):
        raise VendorError("InvalidParameter", "FileInfos must be a list of objects.")
    name = wanted_text(file, "FileName", place)
    suffix = name.rpartition(".")[2].lower()
    kind = next((kind for kind, (suffixes, dummy) in _FILE_TYPES.items() if suffix in suffixes), "")
    if not kind or len(name) > _MOST_FILE_NAME:
        raise VendorError("InvalidParameter.ParamError", f"The file {name[:50]} has no suffix that is supported.")
    text = wanted_text(file, "FileBody", place)
    try:
        size = len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise VendorError("InvalidParameter.ParamError", f"{place}FileBody is not Base64.") from None
    if not 0 < size <= _FILE_TYPES[kind][1]:
        raise VendorError("InvalidParameter.ParamError", f"The file {name} is empty or too large.")
    return kind


def _resource_id() -> str:
    return "yD" + secrets.token_hex(15)
