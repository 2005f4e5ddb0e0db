# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DingTalk documents: copies started, their tasks polled, and the call that gives an app its token."""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from keyring import Keyring
from lives import Poll
from messages import JSON, Reply, Request, VendorError
from services._base import Call, Order, StartableAtOnce, WithOpenCalls, is_whole

TASK_PATH = "/v2.0/doc/task/info/"
TOKEN_PATH = "/v1.0/oauth2/accessToken"
COPY_PATH = "/v2.0/doc/dentries/copy"
APP_COPY_PATH = "/v2.0/doc/app/dentries/copy"
SCOPE = "SNS.Document.WorkspaceDocument.Read"
_COPIES = {COPY_PATH: "CopyDoc", APP_COPY_PATH: "CopyDocWithAppAuth"}


class DingtalkDocService(StartableAtOnce, WithOpenCalls):
    """There is no signature: a request has a token of an app or of a user."""

    name = "dingtalk_doc"
    usual_error_status = 400
    open_actions = frozenset(("GetAccessToken",))
    starting = frozenset(_COPIES.values())
    statuses: Mapping[str, Any] = {
        "pending": -1,
        "running": 0,
        "succeeded": 1,
        "partial": 2,
        "failed": 3,
        "unknown": 9,
    }
    problems: Mapping[str, tuple[str, str]] = {
        "throttle": ("Forbidden.AccessDenied.QpsLimitForApi", "钉钉服务端调用受到流控限制"),
        "internal_error": ("systemError", "服务繁忙,请稍后重试"),
        "token_refused": ("InvalidAuthentication", "不合法的access_token"),
        "signature_in_message": ("Forbidden.AccessDenied.AccessTokenPermissionDenied", "no permission."),
    }
    error_statuses: Mapping[str, int] = {
        "resource.not.found": 404,
        "InvalidAction.NotFound": 404,
        "systemError": 500,
        "unknownError": 500,
        "operationTimeout": 503,
    }

    def claims(self, request: Request) -> bool:
        return request.path.startswith(("/v2.0/", "/v1.0/"))

    def read(self, request: Request) -> Call:
        if request.path == TOKEN_PATH and request.method == "POST":
            return Call("GetAccessToken", "", {})
        if request.raw_path.startswith(TASK_PATH) and request.method == "GET":
            rest = request.raw_path[len(TASK_PATH) :]
            return Call("GetTaskInfo", "" if "/" in rest else unquote(rest), {})
        if request.path in _COPIES and request.method == "POST":
            return Call(_COPIES[request.path], "", _body(request) or {})
        return Call(f"{request.method} {request.path}", "", None)

    def open_call(self, call: Call, request: Request, keyring: Keyring) -> Reply:
        body = _body(request)
        if body is None:
            raise VendorError("Missingbody", "body is mandatory for this action.")
        issued = keyring.issue_token(str(body.get("appKey")), str(body.get("appSecret")))
        if issued is None:
            raise VendorError("invalidClientIdOrSecret", "无效的clientId或者clientSecret")
        return _reply({"accessToken": issued[0], "expireIn": issued[1]})

    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        token = request.headers.get("x-acs-dingtalk-access-token", "")
        good = keyring.user_token_is_good if request.path == COPY_PATH else keyring.token_is_good
        if not good(token):
            raise self.problem("token_refused")

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        if call.action in self.starting and _body(request) is None:
            raise VendorError("Missingbody", "body is mandatory for this action.")
        if call.parameters is None or not (call.task_id or call.action in self.starting):
            raise VendorError("InvalidAction.NotFound", "Specified api is not found, please check your url and method.")

    def order(self, call: Call, request: Request) -> Order:
        fields = dict(call.parameters or {})
        needed = ["sourceDentryUuid", "targetParentDentryUuid"]
        if call.action == "CopyDoc":
            wrapped = fields.get("param")
            fields = dict(wrapped) if isinstance(wrapped, dict) else {}
        else:
            needed.append("operatorId")
        for name in needed:
            if not isinstance(fields.get(name), str) or not fields[name]:
                raise VendorError("paramError", f"{name} is mandatory.")
        if not isinstance(fields.get("targetPreDentryUuid", ""), str):
            raise VendorError("paramError", "targetPreDentryUuid must be text.")
        return Order(fields["sourceDentryUuid"], fields)

    def new_id(self, order: Order) -> str:
        return str(secrets.randbelow(9 * 10**9) + 10**9)

    def started(self, poll: Poll) -> Reply:
        return _reply({"isAsync": True, "taskId": poll.task.task_id})

    def at_once(self, order: Order, result: Mapping[str, Any]) -> Reply:
        copy = {
            "dentryUuid": secrets.token_hex(16),
            "driveSpaceId": "1000",
            "driveDentryId": str(secrets.randbelow(9 * 10**9) + 10**9),
            "extension": "adoc",
            "name": f"Copy of {order.name}",
            "url": "https://example.com/i/nodes/EXAMPLE",
            "spaceInfo": {"sceneType": "im"},
        }
        return _reply({"isAsync": False, "syncCopyResult": {**copy, **result}})

    def missing(self, task_id: str) -> Reply:
        return self.error_reply(VendorError("resource.not.found", "The task does not exist."))

    def status_of(self, problem: VendorError) -> int:
        if problem.http_status is None and problem.code.startswith("Forbidden."):
            return 403
        return super().status_of(problem)

    def error_reply(self, problem: VendorError) -> Reply:
        request_id = str(uuid.uuid4()).upper()
        body: dict[str, Any] = {"code": problem.code, "requestid": request_id, "message": problem.message}
        if problem.code == "Forbidden.AccessDenied.AccessTokenPermissionDenied":
            body["accessdenieddetail"] = {"requiredScopes": [SCOPE]}
        reply = _reply(body, self.status_of(problem), request_id)
        reply.verdict = problem.code
        return reply

    def native(self, poll: Poll, word: Any) -> Reply:
        details = poll.base.details
        if word == self.statuses["failed"] and is_whole(details.get("code")):
            word = details["code"]
        total, good, bad = _counts(word, details, 4 if poll.task.order is None else 1)
        body = {"taskId": poll.task.task_id, "status": word}
        return _reply({**body, "totalCount": total, "succCount": good, "failCount": bad})

    def raw(self, value: Any, status: int) -> Reply:
        reply = super().raw(value, status)
        reply.headers = _headers(str(uuid.uuid4()).upper())
        return reply

    def refuse_native(self, word: Any) -> str:
        return "" if is_whole(word) else "must be a whole number"


def _counts(word: Any, details: Mapping[str, Any], usual: int) -> tuple[int, int, int]:
    """Return how many documents there are, how many were copied, and how many failed."""
    running = (usual, details.get("progress", 0) * usual // 100, 0)
    known = {-1: (0, 0, 0), 0: running, 1: (usual, usual, 0), 2: (usual, usual - 1, 1)}
    total, good, bad = known.get(word, (usual, 0, usual))
    counts = details.get("counts", {})
    good, bad = counts.get("succeeded", good), counts.get("failed", bad)
    return counts.get("total", max(total, good + bad)), good, bad


def _body(request: Request) -> dict[str, Any] | None:
    """Return the body of a request if it is a JSON object and says so, else None."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON:
        return None
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _reply(body: Mapping[str, Any], status: int = 200, request_id: str = "") -> Reply:
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
    return Reply(status, text, JSON, _headers(request_id or str(uuid.uuid4()).upper()))


def _headers(request_id: str) -> list[tuple[str, str]]:
    return [("x-acs-request-id", request_id), ("x-acs-trace-id", request_id.replace("-", "").lower())]
