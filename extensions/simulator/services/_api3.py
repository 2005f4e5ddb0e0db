# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services of Tencent API 3.0 share: TC3 signatures, and calls by POST with JSON or by GET with a query.

All of them answer at the path `/`. The product in the signature tells them apart.
"""

from __future__ import annotations

import json
import time
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, NamedTuple

from keyring import Keyring
from lives import Poll
from messages import JSON, Reply, Request, VendorError
from services._base import Call, Service, is_whole
from signatures import tc3_matches

MOST_SKEW = 300
MOST_BODY = 10 * 1024 * 1024
LONGEST_TIMESTAMP = 12


class Api(NamedTuple):
    """One product of API 3.0: its name in signatures, and what it offers."""

    product: str
    version: str
    actions: Mapping[str, frozenset[str]]
    """The names of its actions, each with the parameters that it knows."""
    big_actions: frozenset[str] = frozenset()
    """The actions that take bodies beyond `MOST_BODY`."""

    def parameters(self, action: str, retired: Mapping[str, str]) -> frozenset[str]:
        """Return the parameters that an action knows.

        :raises VendorError: when there is no such action, or none any more.
        """
        if action in retired:
            raise VendorError(retired[action], f"The action {action} is no longer offered.")
        if action not in self.actions:
            raise VendorError("InvalidAction", f"The action {action} does not exist.")
        return self.actions[action]


class Api3Service(Service):
    """A service of API 3.0.

    One whose cloud tasks are only polled sets `name`, `apis` and `statuses`, and defines `answer`.
    """

    #: the products that it answers for; their names are what tells its requests from those of others
    apis: tuple[Api, ...] = ()
    no_such_task = "ResourceNotFound"
    problems: Mapping[str, tuple[str, str]] = {
        "throttle": ("RequestLimitExceeded", "Your current request times exceed the limit of requests per second."),
        "internal_error": ("InternalError", "An internal error has occurred. Retry your request later."),
        "clock_error": ("AuthFailure.SignatureExpire", "The signature has expired. Check your system clock."),
        "token_refused": ("AuthFailure.TokenFailure", "The token is not valid or has expired."),
        "signature_in_message": ("AuthFailure.SignatureFailure", "The signature does not match."),
    }

    @abstractmethod
    def answer(self, poll: Poll, word: Any) -> dict[str, Any]:
        """Return the members of `Response` in the answer to a poll, without the request id."""

    def api(self, request: Request) -> Api | None:
        """Return the product that the request is for; None if it is for none of this service's."""
        product = request.tc3.service if request.path == "/" and request.tc3 is not None else None
        return next((api for api in self.apis if api.product == product), None)

    def claims(self, request: Request) -> bool:
        return self.api(request) is not None

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
        api = self.api(request)
        if api is None:
            raise _no_such_product(request)
        if request.method not in ("GET", "POST"):
            raise VendorError("UnsupportedProtocol", "Only GET and POST are supported.")
        if request.headers.get("x-tc-version") != api.version:
            raise VendorError("NoSuchVersion", f"The version of the API does not exist, it is {api.version}.")
        known = api.parameters(call.action, retired)
        if call.parameters is None:
            raise VendorError("InvalidParameter", "The parameters of the request cannot be read.")
        for name in call.parameters:
            if name not in known:
                raise VendorError("UnknownParameter", f"The parameter {name} is not recognized.")
        if len(request.body) > MOST_BODY and call.action not in api.big_actions:
            raise VendorError("RequestSizeLimitExceeded", "The size of the request exceeds the limit.")
        if "TaskId" in known:
            wanted_text(call.parameters, "TaskId")

    def missing(self, task_id: str) -> Reply:
        return self.error_reply(VendorError(self.no_such_task, "There is no such task."))

    def error_reply(self, problem: VendorError) -> Reply:
        return api3_error(problem)

    def native(self, poll: Poll, word: Any) -> Reply:
        return api3_reply(self.answer(poll, word))

    def raw(self, value: Any, status: int) -> Reply:
        if isinstance(value, dict) and "Response" not in value:
            value = {"Response": {"RequestId": str(uuid.uuid4()), **value}}
        return super().raw(value, status)


def api3_reply(fields: Mapping[str, Any]) -> Reply:
    """Return an answer in the form of API 3.0: `fields` are the members of `Response`."""
    return _reply({**fields, "RequestId": str(uuid.uuid4())})


def wanted(parameters: Mapping[str, Any], name: str, outer: str = "") -> Any:
    """Return a parameter.

    :raises VendorError: when it is missing.
    """
    value = parameters.get(name)
    if value is None:
        raise VendorError("MissingParameter", f"The request is missing the parameter {outer}{name}.")
    return value


def wanted_text(parameters: Mapping[str, Any], name: str, outer: str = "", most: int | None = None) -> str:
    """Return a parameter that is text.

    :raises VendorError: when it is missing, empty, no text, or longer than `most`.
    """
    value = wanted(parameters, name, outer)
    if not isinstance(value, str) or not value:
        raise VendorError("InvalidParameter", f"The parameter {outer}{name} must be text, and not empty.")
    if most is not None and len(value) > most:
        raise VendorError("InvalidParameter.ParamError", f"{outer}{name} has more than {most} characters.")
    return value


def wanted_object(parameters: Mapping[str, Any], name: str, outer: str = "") -> Mapping[str, Any]:
    """Return a parameter that is an object.

    :raises VendorError: when it is missing or no object.
    """
    value = wanted(parameters, name, outer)
    if not isinstance(value, dict):
        raise VendorError("InvalidParameter", f"The parameter {outer}{name} must be an object.")
    return value


def optional_text(parameters: Mapping[str, Any], name: str) -> str:
    """Return a parameter that is text; empty if it is missing.

    :raises VendorError: when it is no text.
    """
    value = parameters.get(name)
    if value is not None and not isinstance(value, str):
        raise VendorError("InvalidParameter", f"The parameter {name} must be text.")
    return value or ""


def optional_number(parameters: Mapping[str, Any], name: str, usual: int) -> int:
    """Return a parameter that is a whole number; `usual` if it is missing. A GET sends its digits as text.

    :raises VendorError: when it is no whole number.
    """
    value = parameters.get(name, usual)
    if isinstance(value, str) and value.lstrip("-").isdecimal() and len(value) < 12:
        value = int(value)
    if not is_whole(value):
        raise VendorError("InvalidParameter", f"The parameter {name} must be a whole number.")
    return int(value)


def api3_error(problem: VendorError) -> Reply:
    """Return an error in the form of API 3.0: with HTTP 200, unless the scenario names another status."""
    body = {"Error": {"Code": problem.code, "Message": problem.message}, "RequestId": str(uuid.uuid4())}
    reply = _reply(body, problem.http_status or 200)
    reply.verdict = problem.code
    return reply


def unclaimed(request: Request, keyring: Keyring, now: float) -> Reply | None:
    """Return the answer to a request of API 3.0 for a product of no service; None if it is none of API 3.0."""
    if request.path != "/" or ("x-tc-action" not in request.headers and "authorization" not in request.headers):
        return None
    return api3_error(_no_such_product(request))


def _no_such_product(request: Request) -> VendorError:
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
    """Turn the names of a query into objects: Agent.AppId=x becomes {Agent: {AppId: x}}. None if they contradict."""
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
