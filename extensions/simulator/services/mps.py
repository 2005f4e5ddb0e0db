# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent MPS: media tasks polled, started, listed and aborted."""

from __future__ import annotations

import base64
import binascii
import calendar
import json
import posixpath
import secrets
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from lives import Lives, Poll, Step
from messages import JSON, Reply, Request, VendorError
from services._api3 import (
    Api,
    Api3Service,
    api3_reply,
    optional_number,
    optional_text,
    wanted,
    wanted_object,
    wanted_text,
)
from services._base import Call, Calling, Manageable, Message, Order, Startable, Wish
from services._mps_detail import KINDS, MEMBERS, TASK_SETS, detail, event, has_failed_part, times

#: what can be asked for; a start needs at least one of them
_JOBS = frozenset(
    (
        "Activities",
        "AIDubbingTask",
        "AiAnalysisTask",
        "AiContentReviewTask",
        "AiQualityControlTask",
        "AiRecognitionTask",
        "MediaProcessTask",
        "ScheduleId",
        "SmartEraseTask",
        "SmartSubtitlesTask",
    )
)
_START = _JOBS | {
    "InputInfo",
    "OutputDir",
    "OutputStorage",
    "ResourceId",
    "SessionContext",
    "SessionId",
    "SkipMateData",
    "TaskNotifyConfig",
    "TaskType",
    "TasksPriority",
}
_LIST = frozenset(("Status", "SubTaskHasFailed", "Limit", "ScrollToken", "StartTime", "EndTime"))
#: type of the input: its member, and what must be in that
_INPUTS = {
    "COS": ("CosInputInfo", ("Bucket", "Region", "Object")),
    "URL": ("UrlInputInfo", ("Url",)),
    "AWS-S3": ("S3InputInfo", ("S3Bucket", "S3Region", "S3Object")),
    "VOD": ("VODInputInfo", ()),
}
_NATIVE = ("WAITING", "PROCESSING", "FINISH")
_MOST_SESSION_ID = 50
_MOST_SESSION_CONTEXT = 1000
_USUAL_LIMIT = 10
_MOST_LIMIT = 100


class MpsService(Api3Service, Startable, Manageable, Calling):
    """A cloud task that is FINISH has ended; its parts tell whether it has succeeded."""

    name = "mps"
    apis = (
        Api(
            "mps",
            "2019-06-12",
            {
                "DescribeTaskDetail": frozenset(("TaskId",)),
                "ProcessMedia": _START,
                "DescribeTasks": _LIST,
                "ManageTask": frozenset(("OperationType", "TaskId")),
            },
        ),
    )
    starting = frozenset(("ProcessMedia",))
    managing = frozenset(("DescribeTasks", "ManageTask"))
    no_such_task = "ResourceNotFound.TaskNotFound"
    statuses: Mapping[str, Any] = {
        "pending": "WAITING",
        "running": "PROCESSING",
        "succeeded": "FINISH",
        "partial": "FINISH",
        "failed": "FINISH",
        "canceled": "FINISH",
        "unknown": "SUSPENDED",
    }
    kinds = KINDS
    part_kinds = tuple(MEMBERS)

    def answer(self, poll: Poll, word: Any) -> dict[str, Any]:
        return detail(poll, word)

    def asked_callback(self, order: Mapping[str, Any]) -> Wish | None:
        notify = order.get("TaskNotifyConfig")
        if not isinstance(notify, dict) or notify.get("NotifyType") != "URL" or not notify.get("NotifyUrl"):
            return None
        return Wish(str(notify["NotifyUrl"]), notify.get("NotifyMode") == "Change")

    def callback(self, poll: Poll, form: str, now: float) -> Message:
        return Message(json.dumps(event(poll, self.word(poll), now), ensure_ascii=False).encode("utf-8"), JSON)

    def order(self, call: Call, request: Request) -> Order:
        parameters = call.parameters or {}
        path = _input_path(wanted_object(parameters, "InputInfo"))
        if not _JOBS & set(parameters):
            raise VendorError("InvalidParameterValue", "The request names nothing to be done.")
        _check_sets(parameters)
        folder = optional_text(parameters, "OutputDir") or posixpath.dirname(path).rstrip("/") + "/"
        if not folder.startswith("/") or not folder.endswith("/"):
            raise VendorError("InvalidParameterValue", "OutputDir must begin and end with a slash.")
        if len(optional_text(parameters, "SessionId")) > _MOST_SESSION_ID:
            raise VendorError("InvalidParameterValue.SessionIdTooLong", "SessionId is too long.")
        if len(optional_text(parameters, "SessionContext")) > _MOST_SESSION_CONTEXT:
            raise VendorError("InvalidParameterValue.SessionContextTooLong", "SessionContext is too long.")
        if parameters.get("TaskType", "Online") not in ("Online", "Offline"):
            raise VendorError("InvalidParameterValue", "TaskType is Online or Offline.")
        priority = optional_number(parameters, "TasksPriority", 0)
        if priority not in range(-10, 11):
            raise VendorError("InvalidParameterValue", "TasksPriority lies between -10 and 10.")
        stem = posixpath.basename(path).partition(".")[0]
        kind = KINDS["ScheduleId" in parameters or "Activities" in parameters]
        details = {**parameters, "TasksPriority": priority, "folder": folder, "stem": stem}
        return Order(path, details, {**_storage(parameters), "kind": kind})

    def conflict(self, order: Order, lives: Lives) -> None:
        session = order.details.get("SessionId")
        if session and any(known.get("SessionId") == session for known in lives.orders(self.name)):
            raise VendorError("InvalidParameterValue.SessionId", f"The SessionId {session} has been used before.")

    def new_id(self, order: Order) -> str:
        return f"2600000001-{order.where['kind']}-{secrets.token_hex(16)}tt1"

    def started(self, poll: Poll) -> Reply:
        return api3_reply({"TaskId": poll.task.task_id})

    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        if call.action == "ManageTask":
            return self._abort(call, lives)
        return self._list(call.parameters or {}, lives)

    def _abort(self, call: Call, lives: Lives) -> Reply:
        if wanted_text(call.parameters or {}, "OperationType") != "Abort":
            raise VendorError("InvalidParameterValue.InvalidOperationType", "OperationType must be Abort.")
        poll = lives.state(self.name, call.task_id)
        if poll is None:
            return self.missing(call.task_id)
        allowed = ("WAITING", "PROCESSING") if poll.task.kind == "LiveStreamProcessTask" else ("WAITING",)
        if self.word(poll) not in allowed:
            raise VendorError("InvalidParameterValue.NotProcessingTask", "The task can no longer be aborted.")
        lives.end(self.name, call.task_id, Step("status", "canceled"))
        return api3_reply({})

    def _list(self, parameters: Mapping[str, Any], lives: Lives) -> Reply:
        status = wanted_text(parameters, "Status")
        if status not in _NATIVE:
            raise VendorError("InvalidParameterValue", f"Status is one of {', '.join(_NATIVE)}.")
        limit = optional_number(parameters, "Limit", _USUAL_LIMIT)
        if not 1 <= limit <= _MOST_LIMIT:
            raise VendorError("InvalidParameterValue.Limit", f"Limit lies between 1 and {_MOST_LIMIT}.")
        before = _scrolled_to(optional_text(parameters, "ScrollToken"))
        found = [poll for poll in reversed(lives.states(self.name)) if self.word(poll) == status]
        found = [poll for poll in found if _is_wanted(poll, status, parameters)]
        rest = [poll for poll in found if before is None or poll.number < before]
        page = rest[:limit]
        token = base64.b64encode(str(page[-1].number).encode("ascii")).decode("ascii") if len(rest) > limit else ""
        entries = [_entry(poll, status) for poll in page]
        return api3_reply({"TaskSet": entries, "ScrollToken": token, "TotalCount": len(found)})


def _input_path(source: Mapping[str, Any]) -> str:
    """Check where the input is. Returns its path."""
    kind = wanted_text(source, "Type", "InputInfo.")
    if kind not in _INPUTS:
        raise VendorError("InvalidParameterValue", f"InputInfo.Type is one of {', '.join(_INPUTS)}.")
    member, names = _INPUTS[kind]
    inner = wanted_object(source, member, "InputInfo.")
    values = [wanted_text(inner, name, f"InputInfo.{member}.") for name in names]
    path = values[-1] if values else str(inner.get("Object") or inner.get("FileId") or "")
    path = urlsplit(path).path if kind == "URL" else path
    return path if path.startswith("/") else f"/{path}"


def _storage(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return the bucket and the region of the results, as far as the request names them."""
    output = parameters.get("OutputStorage")
    source = parameters["InputInfo"].get("CosInputInfo") or {}
    if output is None:
        if parameters["InputInfo"]["Type"] == "URL":
            raise VendorError("MissingParameter", "The request is missing the parameter OutputStorage.")
        place = source
    else:
        wanted_text(wanted_object(parameters, "OutputStorage"), "Type", "OutputStorage.")
        place = {**source, **(output.get("CosOutputStorage") or {})}
    return {name.lower(): place[name] for name in ("Bucket", "Region") if place.get(name)}


def _check_sets(parameters: Mapping[str, Any]) -> None:
    """Check the lists of MediaProcessTask."""
    if "MediaProcessTask" not in parameters:
        return
    for name, entries in wanted_object(parameters, "MediaProcessTask").items():
        if name not in TASK_SETS:
            raise VendorError("UnknownParameter", f"The parameter MediaProcessTask.{name} is not recognized.")
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise VendorError("InvalidParameter", f"MediaProcessTask.{name} must be a list of objects.")
        for number, entry in enumerate(entries):
            for field in TASK_SETS[name].needed:
                wanted(entry, field, f"MediaProcessTask.{name}.{number}.")
            optional_number(entry, "Definition", 0)


def _scrolled_to(token: str) -> int | None:
    """Read a ScrollToken: return the number of the last task that was listed, None for the first page."""
    if not token:
        return None
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError):
        raise VendorError("InvalidParameterValue", "The ScrollToken is not one that was given out.") from None


def _is_wanted(poll: Poll, status: str, parameters: Mapping[str, Any]) -> bool:
    failed = parameters.get("SubTaskHasFailed")
    if failed is not None and (str(failed).lower() == "true") != has_failed_part(poll, status):
        return False
    least, most = (_time(parameters, name) for name in ("StartTime", "EndTime"))
    return (least is None or int(poll.created) >= least) and (most is None or int(poll.created) <= most)


def _time(parameters: Mapping[str, Any], name: str) -> int | None:
    text = optional_text(parameters, name)
    if not text:
        return None
    try:
        return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise VendorError("InvalidParameterValue", f"{name} is not a time such as 2021-02-03T04:05:06Z.") from None


def _entry(poll: Poll, status: str) -> dict[str, Any]:
    """Return one entry of a list. It has no status."""
    kind = poll.task.kind or KINDS[0]
    live = kind == "LiveStreamProcessTask"
    return {
        "TaskId": poll.task.task_id,
        "TaskType": "LiveProcessTask" if live else kind,
        **times(poll, status),
        "SubTaskTypes": [] if live else ["action-trans"],
    }
