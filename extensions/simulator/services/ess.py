# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent ESS in both editions (essbasic, ess): files sent up, conversions started, and looks at them."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from typing import Any

from lives import Lives, Look
from messages import Reply, Request, VendorError
from services._api3 import Api3Service, api3_reply, optional_number, wanted, wanted_text
from services._base import Call, Order, is_whole

_LOOK = frozenset(("Agent", "TaskId"))
_START = frozenset(("Agent", "ResourceType", "ResourceName", "ResourceId"))
_UPLOAD = frozenset(("Agent", "BusinessType", "FileInfos", "Deadline", "Operator"))
_COMPANY_LOOK = frozenset(("Operator", "Agent", "TaskId"))
_COMPANY_START = frozenset(("Operator", "Agent", "ResourceType", "ResourceName", "ResourceId"))
_COMPANY_UPLOAD = frozenset(("Caller", "Agent", "BusinessType", "FileInfos", "FileType", "CoverRect", "Deadline"))
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


class EssService(Api3Service):
    """The old and the new name of an action have the same parameters, but for two that nobody should send."""

    name = "ess"
    product = "essbasic"
    version = "2021-05-26"
    actions: Mapping[str, frozenset[str]] = {
        "ChannelGetTaskResultApi": _LOOK | _OLD,
        "DescribeFileConvertTask": _LOOK,
        "ChannelCreateConvertTaskApi": _START | _OLD,
        "CreateFileConvertTask": _START,
        "UploadFiles": _UPLOAD,
    }
    starting = frozenset(("ChannelCreateConvertTaskApi", "CreateConvertTaskApi", "CreateFileConvertTask"))
    managing = frozenset(("UploadFiles",))
    big_actions = managing
    no_such_task = "ResourceNotFound"
    statuses: Mapping[str, Any] = {"pending": 0, "running": 4, "succeeded": 8, "failed": -6, "unknown": 99}

    def claims(self, request: Request) -> bool:
        return super().claims(request) or _COMPANY.claims_company(request)

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        if _COMPANY.claims_company(request):
            _COMPANY.check_company(call, request, retired)
            return
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

    def answer(self, look: Look, word: Any) -> dict[str, Any]:
        details = look.base.details
        if word == self.statuses["failed"] and is_whole(details.get("code")):
            word = details["code"]
        usual = (look.task.order or {}).get("result", f"yD{look.task.task_id[-30:]:0>30}")
        outputs = details.get("outputs") or [usual]
        return {
            "TaskId": "20260101000000000001",
            "TaskStatus": word,
            "TaskMessage": details.get("message", _MESSAGES.get(word, "")),
            "ResourceId": outputs[0] if word == self.statuses["succeeded"] else "",
        }

    def refuse_native(self, word: Any) -> str:
        return "" if is_whole(word) or isinstance(word, str) else "must be a whole number, or text such as READY"


class _CompanyEdition(Api3Service):
    """What a request of the company edition must have; EssService answers it."""

    product = "ess"
    version = "2020-11-11"
    actions: Mapping[str, frozenset[str]] = {
        "GetTaskResultApi": _COMPANY_LOOK | {"Organization"},
        "DescribeFileConvertTask": _COMPANY_LOOK,
        "CreateConvertTaskApi": _COMPANY_START | {"Organization"},
        "CreateFileConvertTask": _COMPANY_START,
        "UploadFiles": _COMPANY_UPLOAD,
    }
    big_actions = frozenset(("UploadFiles",))

    def claims_company(self, request: Request) -> bool:
        return super().claims(request)

    def check_company(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        super().check(call, request, retired)
        outer, inner = ("Caller", "OperatorId") if call.action == "UploadFiles" else ("Operator", "UserId")
        who = wanted(call.parameters or {}, outer)
        if not isinstance(who, dict) or not who.get(inner):
            raise VendorError("MissingParameter", f"The request is missing the parameter {outer}.{inner}.")


_COMPANY = _CompanyEdition()


def _checked_type(file: Any, place: str) -> str:
    """Check one file of an upload, and give back its type."""
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
