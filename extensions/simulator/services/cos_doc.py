# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tencent COS / Cloud Infinite: one look at a document job."""

from __future__ import annotations

import base64
import html
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from keyring import Keyring, TencentKey
from lives import Look
from messages import XML, Reply, Request, VendorError
from services._base import Call, Service, is_whole
from signatures import cos_matches, parse_cos

MOST_SKEW = 900
_VENDOR_HOST = re.compile(r"(?P<bucket>[^.]+)\.ci\.[^.]+\.myqcloud\.com(:\d+)?$")
_SPAN = re.compile(r"([0-9]{1,12});([0-9]{1,12})$")


class CosDocService(Service):
    """XML in answers, HTTP statuses in errors."""

    name = "cos_doc"
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
        if not call.task_id or "/" in call.task_id:
            raise VendorError("NoSuchKey", "The specified key does not exist.")

    def sees(self, look: Look, request: Request) -> bool:
        found = _VENDOR_HOST.match(request.host)
        return look.task.any_bucket or found is None or found["bucket"] == look.task.bucket

    def missing(self, task_id: str) -> Reply:
        return _reply(f"<Response><NonExistJobIds>{_text(task_id)}</NonExistJobIds></Response>")

    def error_reply(self, problem: VendorError) -> Reply:
        request_id = _request_id()
        text = (
            f"<Error><Code>{_text(problem.code)}</Code><Message>{_text(problem.message)}</Message>"
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
        details = look.base.details
        over = word in ("Success", "Failed", "Cancel")
        failed = word == "Failed"
        fields = [
            ("Code", details.get("code", "ConvertFailed") if failed else "Success"),
            ("CreationTime", _local(look.created)),
            ("EndTime", _local(look.began) if over else "-"),
        ]
        job = (
            f"{_elements(fields)}<Input>{_elements([('Object', 'docs/report.docx')])}</Input>"
            f"{_elements([('JobId', look.task.task_id), ('Message', details.get('message', '') if failed else '')])}"
            "<Operation><DocProcess><EndPage>-1</EndPage><ImageParams/><SrcType/><StartPage>1</StartPage>"
            "<TgtType>png</TgtType></DocProcess>"
            f"{_result(look) if word == 'Success' else ''}{_output(look)}</Operation>"
            "<QueueId>p00000000000000000000000000000000</QueueId>"
            f"{_elements([('StartTime', '-' if word == 'Submitted' else _local(look.created)), ('State', word)])}"
            "<Tag>DocProcess</Tag>"
        )
        return _reply(f"<Response><JobsDetail>{job}</JobsDetail></Response>")


def _result(look: Look) -> str:
    details = look.base.details
    outputs = list(details.get("outputs", ["out/page-1.png", "out/page-2.png"]))
    partial = look.base.kind == "status" and look.base.value == "partial"
    counts = details.get("counts", {})
    good = counts.get("succeeded", len(outputs))
    bad = counts.get("failed", 1 if partial else 0)
    pages = "".join(
        f"<PageInfo>{_elements([('PageNo', number), ('TgtUri', path)])}</PageInfo>"
        for number, path in enumerate(outputs[:good], start=1)
    )
    numbers = _elements([("SuccPageCount", good), ("TaskId", ""), ("TgtType", "")])
    total = _elements([("TotalPageCount", counts.get("total", good + bad))])
    return f"<DocProcessResult>{_elements([('FailPageCount', bad)])}{pages}{numbers}{total}</DocProcessResult>"


def _output(look: Look) -> str:
    fields = [("Bucket", look.task.bucket), ("Object", "out/page-${Number}.png"), ("Region", look.task.region)]
    return f"<Output>{_elements(fields)}</Output>"


def _elements(fields: Iterable[tuple[str, Any]]) -> str:
    return "".join(
        f"<{name}>{_text(str(value))}</{name}>" if is_whole(value) or value else f"<{name}/>" for name, value in fields
    )


def _reply(text: str, status: int = 200, request_id: str = "", whole: bool = False) -> Reply:
    head = "" if whole else '<?xml version="1.0" encoding="utf-8"?>\n'
    headers = [("Server", "tencent-ci"), ("x-ci-request-id", request_id or _request_id())]
    return Reply(status, (head + text).encode("utf-8", "replace"), XML, headers)


def _text(value: str) -> str:
    return html.escape(value, quote=False)


def _request_id() -> str:
    return base64.b64encode(secrets.token_hex(12).encode("ascii")).decode("ascii")


def _local(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+0800", time.gmtime(seconds + 8 * 3600))
