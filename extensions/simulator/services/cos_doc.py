# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent COS / Cloud Infinite: document jobs made, looked at and listed."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from keyring import Keyring, TencentKey
from lives import Lives, Look
from messages import XML, Reply, Request, VendorError
from services._base import Call, Order, Service
from services._cos_jobs import QUEUE, BadXml, elements, escaped, is_sheet, job, read
from signatures import cos_matches, parse_cos

MOST_SKEW = 900
_VENDOR_HOST = re.compile(r"(?P<bucket>[^.]+)\.ci\.(?P<region>[^.]+)\.myqcloud\.com(:\d+)?$")
_STATES = frozenset(("All", "Submitted", "Running", "Success", "Failed", "Pause", "Cancel"))
_MOST_SIZE = 100
_MQ = ("MqMode", "MqRegion", "MqName")
_KAFKA = ("Region", "InstanceId", "Topic")
_SPAN = re.compile(r"([0-9]{1,12});([0-9]{1,12})$")


class CosDocService(Service):
    """XML in answers, HTTP statuses in errors."""

    name = "cos_doc"
    starting = frozenset(("CreateDocProcessJobs",))
    managing = frozenset(("DescribeDocProcessJobs",))
    content_type = XML
    usual_error_status = 403
    statuses: Mapping[str, Any] = {
        "pending": "Submitted",
        "running": "Running",
        "succeeded": "Success",
        "partial": "Success",
        "failed": "Failed",
        "canceled": "Cancel",
        "unknown": "Reviewing",
    }
    problems: Mapping[str, tuple[str, str]] = {
        "throttle": ("SlowDown", "Please reduce your request rate."),
        "internal_error": ("InternalError", "We encountered an internal error. Please try again."),
        "clock_error": ("RequestTimeTooSkewed", "The difference between the request time and the time is too large."),
        "token_refused": ("ExpiredToken", "The security token has expired."),
        "signature_in_message": ("SignatureDoesNotMatch", "The Signature you specified is invalid."),
    }
    error_statuses: Mapping[str, int] = {
        "ExpiredToken": 400,
        "InvalidArgument": 400,
        "InvalidRequest": 400,
        "InvalidURI": 400,
        "MalformedXML": 400,
        "MissingRequestBodyError": 400,
        "RequestTimeout": 400,
        "PaymentRequired": 402,
        "NoSuchBucket": 404,
        "NoSuchJob": 404,
        "NoSuchKey": 404,
        "MethodNotAllowed": 405,
        "UnavailableForLegalReasons": 451,
        "InternalError": 500,
        "ServiceUnavailable": 503,
        "SlowDown": 503,
    }

    def claims(self, request: Request) -> bool:
        signed = request.headers.get("authorization", "").startswith("q-sign-algorithm")
        return signed or request.path == "/doc_jobs" or request.path.startswith("/doc_jobs/")

    def read(self, request: Request) -> Call:
        if request.method == "GET" and request.raw_path.startswith("/doc_jobs/"):
            return Call("DescribeDocProcessJob", unquote(request.raw_path[len("/doc_jobs/") :]), {})
        if request.path == "/doc_jobs" and request.method in ("GET", "POST"):
            lists = request.method == "GET"
            return Call("DescribeDocProcessJobs" if lists else "CreateDocProcessJobs", "", dict(request.parameters))
        return Call(f"{request.method} /{request.path.split('/')[1]}", "", None)

    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        text = request.headers.get("authorization", "")
        if not text:
            raise VendorError("AccessDenied", "Access Denied.")
        sent = parse_cos(text)
        spans = (_SPAN.match(sent.sign_time), _SPAN.match(sent.key_time)) if sent else (None, None)
        if sent is None or spans[0] is None or spans[1] is None:
            raise VendorError("AccessDenied", "The Authorization header cannot be read.")
        for span in spans:
            if span is not None and now < int(span[1]) - MOST_SKEW:
                raise self.problem("clock_error")
            if span is not None and now > int(span[2]):
                raise VendorError("Request has expired", "Request has expired")
        key = keyring.tencent(sent.secret_id)
        if key is None:
            raise VendorError("InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
        if not cos_matches(sent, key.secret_key, request.method, request.path, request.parameters, request.headers):
            raise VendorError("SignatureDoesNotMatch", "The Signature you specified is invalid.")
        self._check_token(key, request.headers.get("x-ci-security-token", ""))

    def _check_token(self, key: TencentKey, token: str) -> None:
        problem = key.token_problem(token)
        if problem == "expired":
            raise self.problem("token_refused")
        if problem == "missing":
            raise VendorError("InvalidAccessKeyId", "The Access Key Id is temporary and came without its token.")
        if problem:
            raise VendorError("AccessDenied", "The security token is not the one of this key.")

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        if call.parameters is None and request.path == "/doc_jobs":
            raise VendorError("MethodNotAllowed", "The specified method is not allowed against this resource.")
        if call.action in self.starting | self.managing:
            return
        if not call.task_id or "/" in call.task_id:
            raise VendorError("NoSuchKey", "The specified key does not exist.")

    def sees(self, look: Look, request: Request) -> bool:
        found = _VENDOR_HOST.match(request.host)
        return look.task.any_bucket or found is None or found["bucket"] == look.task.bucket

    def missing(self, task_id: str) -> Reply:
        return _reply(f"<Response><NonExistJobIds>{escaped(task_id)}</NonExistJobIds></Response>")

    def error_reply(self, problem: VendorError) -> Reply:
        request_id = _request_id()
        text = (
            f"<Error><Code>{escaped(problem.code)}</Code><Message>{escaped(problem.message)}</Message>"
            f"<Resource>doc_jobs</Resource><RequestId>{request_id}</RequestId><TraceId></TraceId></Error>"
        )
        reply = _reply(text, self.status_of(problem), request_id)
        reply.verdict = problem.code
        return reply

    def raw(self, value: Any, status: int) -> Reply:
        return _reply(value, status, whole=True)

    def refuse_native(self, word: Any) -> str:
        return "" if isinstance(word, str) else "must be text such as Running"

    def native(self, look: Look, word: Any) -> Reply:
        return _reply(f"<Response>{job(look, word)}</Response>")

    def order(self, call: Call, request: Request) -> Order:
        root, tree = _tree(request.body)
        if root != "Request" or not isinstance(tree, dict):
            raise VendorError("MalformedXML", "The XML you provided was not well-formed.")
        if _needed(tree, "Tag") != "DocProcess":
            raise VendorError("InvalidArgument", "The Tag must be DocProcess.")
        doc = _inner(tree, "Operation", "DocProcess", optional=True)
        details: dict[str, Any] = {
            "input": _source(tree),
            **{name.lower(): _needed(tree, "Operation", "Output", name) for name in ("Region", "Bucket")},
            "output": _needed(tree, "Operation", "Output", "Object"),
            "doc": {name: value for name, value in doc.items() if isinstance(value, str)},
            "queue": str(tree.get("QueueId") or QUEUE),
            "user_data": _checked_callback(tree),
        }
        _check_template(details)
        found = _VENDOR_HOST.match(request.host)
        where: dict[str, Any] = {"region": details["region"], "bucket": details["bucket"]}
        if found is not None:
            where = {"region": found["region"], "bucket": found["bucket"], "any_bucket": False}
        return Order(details["input"], details, where)

    def new_id(self, order: Order) -> str:
        return "d" + secrets.token_hex(16)

    def started(self, look: Look) -> Reply:
        return _reply(f"<Response>{job(look, self.statuses['pending'])}</Response>")

    def manage(self, call: Call, request: Request, lives: Lives, now: float) -> Reply:
        given = call.parameters or {}
        if given.get("tag") != "DocProcess":
            raise VendorError("InvalidArgument", "The tag must be DocProcess.")
        ascending = _one_of(given, "orderByTime", ("Desc", "Asc")) == "Asc"
        size = given.get("size") or "10"
        if not size.isdecimal() or not 1 <= int(size) <= _MOST_SIZE:
            raise VendorError("InvalidArgument", f"The size must be a number from 1 to {_MOST_SIZE}.")
        states = (given.get("states") or "All").split(",")
        if not set(states) <= _STATES:
            raise VendorError("InvalidArgument", "The states are not known.")
        token = given.get("nextToken", "")
        if token and not token.isdecimal():
            raise VendorError("InvalidArgument", "The nextToken is not one that was given out.")
        spans = [_seconds(given, name) for name in ("startCreationTime", "endCreationTime")]
        found = [
            look for look in lives.states(self.name) if self.sees(look, request) and _is_wanted(look, given, spans)
        ]
        found = [
            look for look in found if self.word(look) in _STATES and (self.word(look) in states or "All" in states)
        ]
        found.sort(key=lambda look: look.number, reverse=not ascending)
        if token:
            found = [look for look in found if (look.number > int(token) if ascending else look.number < int(token))]
        page = found[: int(size)]
        jobs = "".join(job(look, self.word(look)) for look in page)
        rest = elements([("NextToken", page[-1].number if len(found) > len(page) else "")])
        return _reply(f"<Response>{jobs}{rest}</Response>")


def _tree(body: bytes) -> tuple[str, Any]:
    if not body:
        raise VendorError("MissingRequestBodyError", "Request body is empty.")
    try:
        return read(body)
    except BadXml:
        raise VendorError("MalformedXML", "The XML you provided was not well-formed.") from None


def _inner(tree: Mapping[str, Any], *names: str, optional: bool = False) -> Mapping[str, Any]:
    place: Any = tree
    for name in names:
        place = place.get(name) if isinstance(place, dict) else None
    if isinstance(place, dict):
        return place
    if optional:
        return {}
    raise VendorError("InvalidArgument", f"The element {'.'.join(names)} is missing.")


def _needed(tree: Mapping[str, Any], *names: str) -> str:
    """Take the text of an element that must be there."""
    place = _inner(tree, *names[:-1]) if names[1:] else tree
    value = place.get(names[-1])
    if not isinstance(value, str) or not value:
        raise VendorError("InvalidArgument", f"The element {'.'.join(names)} is missing or empty.")
    return value


def _source(tree: Mapping[str, Any]) -> str:
    """Take the object or the URL of the document."""
    given = _inner(tree, "Input", optional=True).get("Url")
    return given.partition("?")[0] if isinstance(given, str) and given else _needed(tree, "Input", "Object")


def _checked_callback(tree: Mapping[str, Any]) -> str:
    """Check what a job says of its callback, which is never sent, and give back its user data."""
    kind = tree.get("CallBackType") or "Url"
    if kind not in ("Url", "TDMQ", "Kafka"):
        raise VendorError("InvalidArgument", "The CallBackType is one of Url, TDMQ, Kafka.")
    if (tree.get("CallBackFormat") or "XML") not in ("XML", "JSON"):
        raise VendorError("InvalidArgument", "The CallBackFormat is one of XML, JSON.")
    queues = {"TDMQ": ("CallBackMqConfig", _MQ), "Kafka": ("CallBackKafkaConfig", _KAFKA)}
    if kind in queues:
        element, names = queues[kind]
        for name in names:
            _needed(tree, element, name)
    operation = tree.get("Operation")
    given = operation.get("UserData") if isinstance(operation, dict) else None
    return given if isinstance(given, str) else ""


def _check_template(details: Mapping[str, Any]) -> None:
    """Check that each page gets a name of its own."""
    template = details["output"]
    folder, dummy, name = template.rpartition("/")
    if details["doc"].get("TgtType") == "pdf":
        good = True
    elif is_sheet(details):
        good = "${SheetID}" in folder and "${Number}" in name
    else:
        good = "${Number}" in template or "${Page}" in template
    if not good:
        raise VendorError(
            "InvalidArgument", "The element Operation.Output.Object lacks ${Number}, ${Page} or ${SheetID}."
        )


def _one_of(given: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    value = given.get(name) or words[0]
    if value not in words:
        raise VendorError("InvalidArgument", f"The {name} is one of {', '.join(words)}.")
    return value


def _seconds(given: Mapping[str, str], name: str) -> float | None:
    """Read a time such as 2026-01-02T03:04:05+0800."""
    text = given.get(name)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()
    except ValueError:
        raise VendorError("InvalidArgument", f"The {name} is not a time such as 2026-01-02T03:04:05+0800.") from None


def _is_wanted(look: Look, given: Mapping[str, str], spans: list[float | None]) -> bool:
    queue = (look.task.order or {}).get("queue", QUEUE)
    least, most = spans
    created = int(look.created)
    return (
        given.get("queueId") in (None, "", queue)
        and (least is None or created >= least)
        and (most is None or created <= most)
    )


def _reply(text: str, status: int = 200, request_id: str = "", whole: bool = False) -> Reply:
    head = "" if whole else '<?xml version="1.0" encoding="utf-8"?>\n'
    headers = [("Server", "tencent-ci"), ("x-ci-request-id", request_id or _request_id())]
    return Reply(status, (head + text).encode("utf-8", "replace"), XML, headers)


def _request_id() -> str:
    return base64.b64encode(secrets.token_hex(12).encode("ascii")).decode("ascii")
