# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the services of Tencent Cloud Infinite share: hosts, paths, COS signatures, errors, and the form of a job.

All of them answer on the same host, `<bucket>.ci.<region>.myqcloud.com`. The path tells them apart: the jobs of a
service are polled at `<path>/<job id>`.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote

from keyring import Keyring, TencentKey
from lives import Poll
from messages import JSON, XML, Reply, Request, VendorError
from services._base import Call, Calling, Message, Wish
from services._ci_xml import Fields, as_object, write
from signatures import cos_matches, parse_cos

MOST_SKEW = 900
QUEUE = "p00000000000000000000000000000000"
PROBLEMS: Mapping[str, tuple[str, str]] = {
    "throttle": ("SlowDown", "Please reduce your request rate."),
    "internal_error": ("InternalError", "We encountered an internal error. Please try again."),
    "clock_error": ("RequestTimeTooSkewed", "The difference between the request time and the time is too large."),
    "token_refused": ("ExpiredToken", "The security token has expired."),
    "signature_in_message": ("SignatureDoesNotMatch", "The Signature you specified is invalid."),
}
USUAL_ERROR_STATUS = 403
ERROR_STATUSES: Mapping[str, int] = {
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
_SIGNED = "q-sign-algorithm"
_HOST = re.compile(r"(?P<bucket>[^.]+)\.ci\.(?P<region>[^.]+)\.myqcloud\.com(:\d+)?$")
_OTHER_HOST = re.compile(r"\.(myqcloud|tencentcos|tencentcloudapi)\.(com|cn)(:\d+)?$")
_SPAN = re.compile(r"([0-9]{1,12});([0-9]{1,12})$")
_COLONLESS = re.compile(r"(\d{2}:\d{2}:\d{2}\+08)(00)")
_OVER = ("Success", "Failed", "Cancel")


class Place(NamedTuple):
    """The bucket whose jobs a request is about."""

    bucket: str
    region: str


class CiService(Calling):
    """A service of Cloud Infinite.

    One whose jobs are only polled sets `name`, `path`, `poll_action` and `tag`, and defines `operation`.
    """

    #: where its jobs are, such as /doc_jobs
    path = ""
    #: the vendor's name of a poll
    poll_action = ""
    #: HTTP method of a call to the path itself: the vendor's name of that call
    actions: Mapping[str, str] = {}
    #: what a job has as its Tag, unless its kind says otherwise
    tag = ""
    #: the object that a job of the scenario has as its input
    usual_input = "in/film.mp4"
    #: whether a job has a Progress
    has_progress = False
    content_type = XML
    usual_error_status = USUAL_ERROR_STATUS
    error_statuses = ERROR_STATUSES
    problems = PROBLEMS
    statuses: Mapping[str, Any] = {
        "pending": "Submitted",
        "running": "Running",
        "succeeded": "Success",
        "partial": "Success",
        "failed": "Failed",
        "canceled": "Cancel",
        "unknown": "Reviewing",
    }

    @abstractmethod
    def operation(self, poll: Poll, word: Any) -> Fields:
        """Return the elements of `Operation`: what is asked for and, once `word` is `Success`, the results."""

    def source(self, poll: Poll) -> Fields:
        """Return the elements of `Input`."""
        return [("BucketId", poll.task.bucket), ("Object", self.usual_input), ("Region", poll.task.region)]

    def job(self, poll: Poll, word: Any) -> Fields:
        """Return one job, as polls, starts and lists have it. `word` is its `State`."""
        details = poll.base.details
        failed = word == "Failed"
        content: Fields = [
            ("Code", details.get("code", "ConvertFailed") if failed else "Success"),
            ("CreationTime", local(poll.created)),
            ("EndTime", local(poll.began) if word in _OVER else "-"),
            ("Input", self.source(poll)),
            ("JobId", poll.task.task_id),
            ("Message", details.get("message", "") if failed else ""),
            ("Operation", self.operation(poll, word)),
            *([("Progress", _progress(poll, word))] if self.has_progress else []),
            ("QueueId", (poll.task.order or {}).get("queue", QUEUE)),
            ("StartTime", "-" if word == "Submitted" else local(poll.created)),
            ("State", word),
            ("Tag", poll.task.kind or self.tag),
        ]
        return [("JobsDetail", content)]

    def asked_callback(self, order: Mapping[str, Any]) -> Wish | None:
        return None

    def callback(self, poll: Poll, form: str, now: float) -> Message:
        fields = [("EventName", "TaskFinish"), *self.job(poll, self.word(poll))]
        if form == "JSON":
            text = json.dumps(as_object(fields), ensure_ascii=False)
            return Message(_COLONLESS.sub(r"\1:\2", text).encode("utf-8"), JSON)
        return Message((_HEAD + write([("Response", fields)])).encode("utf-8", "replace"), XML)

    def claims(self, request: Request) -> bool:
        inside = request.path == self.path or request.path.startswith(f"{self.path}/")
        return inside and (_HOST.match(request.host) is not None or _OTHER_HOST.search(request.host) is None)

    def read(self, request: Request) -> Call:
        if request.method == "GET" and request.raw_path.startswith(f"{self.path}/"):
            return Call(self.poll_action, unquote(request.raw_path[len(self.path) + 1 :]), {})
        if request.path == self.path and request.method in self.actions:
            return Call(self.actions[request.method], "", dict(request.parameters))
        return unknown_call(request)

    def authenticate(self, request: Request, keyring: Keyring, now: float) -> None:
        check_signature(request, keyring, now)

    def check(self, call: Call, request: Request, retired: Mapping[str, str]) -> None:
        if call.parameters is None and request.path == self.path:
            raise VendorError("MethodNotAllowed", "The specified method is not allowed against this resource.")
        if call.action not in self.actions.values() and (not call.task_id or "/" in call.task_id):
            raise no_such_path()

    def sees(self, poll: Poll, request: Request) -> bool:
        place = place_of(request)
        return poll.task.any_bucket or place is None or place.bucket == poll.task.bucket

    def missing(self, task_id: str) -> Reply:
        return response([("NonExistJobIds", task_id)])

    def error_reply(self, problem: VendorError) -> Reply:
        return ci_error(problem, self.path, self.status_of(problem))

    def native(self, poll: Poll, word: Any) -> Reply:
        return response(self.job(poll, word))

    def raw(self, value: Any, status: int) -> Reply:
        return _reply(value, status)

    def refuse_native(self, word: Any) -> str:
        return "" if isinstance(word, str) else "must be text such as Running"


def _progress(poll: Poll, word: Any) -> int:
    """Return the progress that the step names, else 100 for a job that has succeeded, and 0 for all others."""
    return int(poll.base.details.get("progress", 100 if word == "Success" else 0))


class Results(NamedTuple):
    """How many results a job has: those that are there, those that failed, and both together."""

    good: int
    bad: int
    total: int


def results(poll: Poll, outputs: Sequence[str]) -> Results:
    """Count the results of a job that is over: as `counts` of its step says, else one for each output.

    A job that is `partial` has one failed result more, unless `counts` says how many.
    """
    partial = poll.base.kind == "status" and poll.base.value == "partial"
    counts = poll.base.details.get("counts", {})
    good = counts.get("succeeded", len(outputs))
    bad = counts.get("failed", 1 if partial else 0)
    return Results(good, bad, counts.get("total", good + bad))


def place_of(request: Request) -> Place | None:
    """Return the bucket that the host of a request names; None for any other host, such as this machine's address."""
    found = _HOST.match(request.host)
    return None if found is None else Place(found["bucket"], found["region"])


def local(seconds: float) -> str:
    """Write a time as 2026-01-02T03:04:05+0800."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0800", time.gmtime(seconds + 8 * 3600))


# Who calls


def check_signature(request: Request, keyring: Keyring, now: float, *, header: str = "x-ci-security-token") -> None:
    """Check the COS signature of a request, and the token of a temporary key, whose `header` depends on the kind of host.

    :raises VendorError: when one of them is missing or not good at the time `now`.
    """
    text = request.headers.get("authorization", "")
    if not text:
        raise VendorError("AccessDenied", "Access Denied.")
    sent = parse_cos(text)
    spans = (_SPAN.match(sent.sign_time), _SPAN.match(sent.key_time)) if sent else (None, None)
    if sent is None or spans[0] is None or spans[1] is None:
        raise VendorError("AccessDenied", "The Authorization header cannot be read.")
    for span in spans:
        if span is not None and now < int(span[1]) - MOST_SKEW:
            raise VendorError(*PROBLEMS["clock_error"])
        if span is not None and now > int(span[2]):
            raise VendorError("Request has expired", "Request has expired")
    key = keyring.tencent(sent.secret_id)
    if key is None:
        raise VendorError("InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")
    if not cos_matches(sent, key.secret_key, request.method, request.path, request.parameters, request.headers):
        raise VendorError("SignatureDoesNotMatch", "The Signature you specified is invalid.")
    _check_token(key, request.headers.get(header, ""))


def _check_token(key: TencentKey, token: str) -> None:
    problem = key.token_problem(token)
    if problem == "expired":
        raise VendorError(*PROBLEMS["token_refused"])
    if problem == "missing":
        raise VendorError("InvalidAccessKeyId", "The Access Key Id is temporary and came without its token.")
    if problem:
        raise VendorError("AccessDenied", "The security token is not the one of this key.")


# Answers


def response(fields: Fields) -> Reply:
    """Return elements as an answer."""
    return _reply(_HEAD + write([("Response", fields)]))


def ci_error(problem: VendorError, resource: str, status: int) -> Reply:
    """Return an error in the vendor's form. `resource` is what was asked for."""
    request_id = _request_id()
    fields = [
        ("Code", problem.code),
        ("Message", problem.message),
        ("Resource", resource.strip("/")),
        ("RequestId", request_id),
        ("TraceId", ""),
    ]
    reply = _reply(_HEAD + write([("Error", fields)]), status, request_id)
    reply.verdict = problem.code
    return reply


def unknown_call(request: Request) -> Call:
    """Return what the journal has for a call of a name that nobody knows: its method and where its path begins."""
    return Call(f"{request.method} /{request.path.split('/')[1]}", "", None)


def no_such_path() -> VendorError:
    """Return the error for a path that does not exist."""
    return VendorError("NoSuchKey", "The specified key does not exist.")


def unclaimed(request: Request, keyring: Keyring, now: float) -> Reply | None:
    """Return the answer to a request that has a COS signature, and a path of no service; None if it has none."""
    if not request.headers.get("authorization", "").startswith(_SIGNED):
        return None
    problem = no_such_path()
    try:
        check_signature(request, keyring, now)
    except VendorError as found:
        problem = found
    return ci_error(problem, f"{request.host}{request.path}", ERROR_STATUSES.get(problem.code, USUAL_ERROR_STATUS))


_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


def _reply(text: str, status: int = 200, request_id: str = "") -> Reply:
    headers = [("Server", "tencent-ci"), ("x-ci-request-id", request_id or _request_id())]
    return Reply(status, text.encode("utf-8", "replace"), XML, headers)


def _request_id() -> str:
    return base64.b64encode(secrets.token_hex(12).encode("ascii")).decode("ascii")
