# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ESS and MPS share: API 3.0 with TC3 signatures, by POST with JSON or by GET with a flattened query."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from keyring import Keyring
from lives import Look
from messages import JSON, Reply, Request, VendorError
from services._base import Call, Service, is_whole
from signatures import tc3_matches

MOST_SKEW = 300
MOST_BODY = 10 * 1024 * 1024
LONGEST_TIMESTAMP = 12


class Api3Service(Service):
    """A product of API 3.0."""

    product = ""
    version = ""
    #: action: the parameters that it knows
    actions: Mapping[str, frozenset[str]] = {}
    #: actions whose body may be larger than others'
    big_actions: frozenset[str] = frozenset()
    no_such_task = "ResourceNotFound"
    problems: Mapping[str, tuple[str, str]] = {
        "throttle": ("RequestLimitExceeded", "Your current request times exceed the limit of requests per second."),
        "internal_error": ("InternalError", "An internal error has occurred. Retry your request later."),
        "clock_error": ("AuthFailure.SignatureExpire", "The signature has expired. Check your system clock."),
        "token_refused": ("AuthFailure.TokenFailure", "The token is not valid or has expired."),
        "signature_in_message": ("AuthFailure.SignatureFailure", "The signature does not match."),
    }

    def claims(self, request: Request) -> bool:
        return request.path == "/" and request.tc3 is not None and request.tc3.service == self.product

    def read(self, request: Request) -> Call:
        parameters = _parameters(request)
        task_id = (parameters or {}).get("TaskId")
        return Call(request.headers.get("x-tc-action", ""), task_id if isinstance(task_id, str) else "", parameters)

    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        sent = request.tc3
        if sent is None:
            raise VendorError("AuthFailure.InvalidAuthorization", "The Authorization header cannot be read.")
        timestamp = request.headers.get("x-tc-timestamp", "")
        if not timestamp.isdecimal() or len(timestamp) > LONGEST_TIMESTAMP:
            raise VendorError("MissingParameter", "The request has no X-TC-Timestamp.")
        if abs(now - int(timestamp)) > MOST_SKEW:
            raise self.problem("clock_error")
        key = keyring.tencent(sent.secret_id)
        if key is None:
            raise VendorError("AuthFailure.SecretIdNotFound", "The SecretId is not found, check that it is correct.")
        query = request.query if request.method == "GET" else ""
        right_day = sent.date == time.strftime("%Y-%m-%d", time.gmtime(int(timestamp)))
        if not right_day or not tc3_matches(sent, key.secret_key, request.method, query, request.headers, request.body):
            raise VendorError("AuthFailure.SignatureFailure", "The signature does not match, check your SecretKey.")
        if key.token_problem(request.headers.get("x-tc-token", "")):
            raise self.problem("token_refused")

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        if request.method not in ("GET", "POST"):
            raise VendorError("UnsupportedProtocol", "Only GET and POST are supported.")
        if request.headers.get("x-tc-version") != self.version:
            raise VendorError("NoSuchVersion", f"The version of the API does not exist, it is {self.version}.")
        if call.action in retired:
            raise VendorError(retired[call.action], f"The action {call.action} is no longer offered.")
        known = self.actions.get(call.action)
        if known is None:
            raise VendorError("InvalidAction", f"The action {call.action} does not exist.")
        if call.parameters is None:
            raise VendorError("InvalidParameter", "The parameters of the request cannot be read.")
        for name in call.parameters:
            if name not in known:
                raise VendorError("UnknownParameter", f"The parameter {name} is not recognized.")
        if len(request.body) > MOST_BODY and call.action not in self.big_actions:
            raise VendorError("RequestSizeLimitExceeded", "The size of the request exceeds the limit.")
        if "TaskId" in known:
            wanted_text(call.parameters, "TaskId")

    def missing(self, task_id: str) -> Reply:
        return self.error_reply(VendorError(self.no_such_task, "There is no such task."))

    def error_reply(self, problem: VendorError) -> Reply:
        return api3_error(problem)

    def native(self, look: Look, word: Any) -> Reply:
        return api3_reply(self.answer(look, word))

    def started(self, look: Look) -> Reply:
        return api3_reply({"TaskId": look.task.task_id})

    def answer(self, look: Look, word: Any) -> dict[str, Any]:
        """Make what stands in `Response`, without the request id."""
        raise NotImplementedError

    def raw(self, value: Any, status: int) -> Reply:
        if isinstance(value, dict) and "Response" not in value:
            value = {"Response": {"RequestId": str(uuid.uuid4()), **value}}
        return super().raw(value, status)


def api3_reply(fields: Mapping[str, Any]) -> Reply:
    """Put an answer into the form of API 3.0."""
    return _reply({**fields, "RequestId": str(uuid.uuid4())})


def wanted(parameters: Mapping[str, Any], name: str, outer: str = "") -> Any:
    """Take a parameter that must be there."""
    value = parameters.get(name)
    if value is None:
        raise VendorError("MissingParameter", f"The request is missing the parameter {outer}{name}.")
    return value


def wanted_text(parameters: Mapping[str, Any], name: str, outer: str = "", most: int | None = None) -> str:
    """Take a parameter that must be there and be text."""
    value = wanted(parameters, name, outer)
    if not isinstance(value, str) or not value:
        raise VendorError("InvalidParameter", f"The parameter {outer}{name} must be text, and not empty.")
    if most is not None and len(value) > most:
        raise VendorError("InvalidParameter.ParamError", f"{outer}{name} has more than {most} characters.")
    return value


def wanted_object(parameters: Mapping[str, Any], name: str, outer: str = "") -> Mapping[str, Any]:
    """Take a parameter that must be there and be an object."""
    value = wanted(parameters, name, outer)
    if not isinstance(value, dict):
        raise VendorError("InvalidParameter", f"The parameter {outer}{name} must be an object.")
    return value


def optional_text(parameters: Mapping[str, Any], name: str) -> str:
    """Take a parameter that may be left out, and else must be text."""
    value = parameters.get(name)
    if value is not None and not isinstance(value, str):
        raise VendorError("InvalidParameter", f"The parameter {name} must be text.")
    return value or ""


def optional_number(parameters: Mapping[str, Any], name: str, usual: int) -> int:
    """Take a whole number that may be left out; text of digits is taken, too: a GET has nothing else."""
    value = parameters.get(name, usual)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 12:
        value = int(value)
    if not is_whole(value):
        raise VendorError("InvalidParameter", f"The parameter {name} must be a whole number.")
    return int(value)


def api3_error(problem: VendorError) -> Reply:
    """Put an error into the form of API 3.0: HTTP 200, unless the scenario wants another status."""
    body = {"Error": {"Code": problem.code, "Message": problem.message}, "RequestId": str(uuid.uuid4())}
    reply = _reply(body, problem.http_status or 200)
    reply.verdict = problem.code
    return reply


def unclaimed(request: Request) -> VendorError | None:
    """Say what is wrong with a request of API 3.0 that no product wants; None when it is not one."""
    if request.path != "/" or ("x-tc-action" not in request.headers and "authorization" not in request.headers):
        return None
    if request.tc3 is None:
        return VendorError("AuthFailure.InvalidAuthorization", "The Authorization header is missing or cannot be read.")
    return VendorError("NoSuchProduct", f"There is no product {request.tc3.service}.")


def _reply(response: Mapping[str, Any], status: int = 200) -> Reply:
    return Reply(status, json.dumps({"Response": response}, ensure_ascii=False).encode("utf-8", "replace"), JSON)


def _parameters(request: Request) -> Mapping[str, Any] | None:
    if request.method == "GET":
        return _nested(request.parameters)
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _nested(pairs: list[tuple[str, str]]) -> Mapping[str, Any] | None:
    """Undo the flattening of a GET: Agent.AppId=x becomes {Agent: {AppId: x}}."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        *outer, last = name.split(".")
        place = found
        for part in outer:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                return None
        place[last] = value
    return {name: _lists(value) for name, value in found.items()}


def _lists(value: Any) -> Any:
    """Turn objects whose names are 0, 1, 2 ... into lists."""
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(each) for name, each in value.items()}
    return list(inner.values()) if list(inner) == [str(number) for number in range(len(inner))] else inner
