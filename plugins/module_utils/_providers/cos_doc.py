# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent COS / Cloud Infinite: document jobs.

Sources: the vendor's page "Querying Specified File Transcoding Job" (elements, samples), the page of the start call
(states), the COS list of error codes. ``State`` is the status; ``Code`` reads ``Success`` while a job still waits.
"""

from __future__ import annotations

import contextlib
import re
import typing as t
from urllib.parse import quote, unquote, urlencode, urlsplit
from xml.parsers.expat import ExpatError, ParserCreate

from .._errors import CloudError, quoted
from .._status import CANCELED, FAILED, PARTIAL, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._transport import Answer, Request
from ..signing import cos
from ._api3 import KEY_ADVICE, TencentProvider
from .base import (
    Options,
    Ref,
    Response,
    Rule,
    Rules,
    as_dict,
    as_list,
    counts_of,
    http_error,
    iso_time,
    lacks_member,
    native_word,
    odd_member,
    percent,
    task_error,
    text_or_none,
    unreadable,
    vendor_error,
    whole_number,
)

HAS_XMLTODICT = True
try:
    import xmltodict
except ImportError:
    HAS_XMLTODICT = False

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from requests import PreparedRequest

SIGNED_BEFORE = 60
SIGNED_FOR = 10000
"""Seconds around now for which a signature holds, as in the vendor's SDK."""

LISTS = ("JobsDetail", "PageInfo", "NonExistJobIds")
"""The elements that may come once or often."""

STATUSES: dict[str, str] = {
    "Submitted": PENDING,
    "Pause": PENDING,
    "Running": RUNNING,
    "Success": SUCCEEDED,
    "Failed": FAILED,
    "Cancel": CANCELED,
}

DOC_PROCESS = "DocProcess"
"""The tag of a job that makes pages or a PDF; those of other tags rewrite the document as one object."""

CLOCK_MESSAGES = {
    r"request has expired|request\s*time\s*too\s*skewed|difference between the request time": Rule("clock")
}
"""What the vendor says of a time that is off under a code that does not tell of it."""

RULES: Rules = {
    "AccessDenied": Rule(
        "permission",
        "give this account the right to document jobs (ci) of the bucket",
        by_message=CLOCK_MESSAGES,
    ),
    "AccessForbidden": Rule("permission"),
    "BadDigest": Rule("invalid"),
    "ExpiredToken": Rule("auth", "the token has ended: fetch new temporary keys"),
    "IncompleteBody": Rule("network"),
    "InternalError": Rule("server"),
    "InvalidAccessKeyId": Rule("auth", KEY_ADVICE),
    "MethodNotAllowed": Rule("invalid", "check the endpoint"),
    "MissingContentLength": Rule("invalid", "check that no proxy changes requests"),
    "NoProcessAuthority": Rule("permission"),
    "NoSuchBucket": Rule("invalid", "check bucket (its name and the APPID behind the dash) and region"),
    "NoSuchJob": Rule("not_found"),
    "PaymentRequired": Rule("permission", "settle the account with the vendor"),
    "Request has expired": Rule("clock"),
    "RequestTimeTooSkewed": Rule("clock"),
    "RequestTimeout": Rule("server"),
    "ServiceUnavailable": Rule("server"),
    "SignatureDoesNotMatch": Rule("auth", KEY_ADVICE),
    "SlowDown": Rule("throttled"),
    "UnavailableForLegalReasons": Rule("permission"),
    "UserNetworkTooSlow": Rule("network"),
}


class CosDocProvider(TencentProvider):
    """Document jobs of Cloud Infinite, in a bucket of COS."""

    name = "cos_doc"
    title = "Tencent COS"
    ref_keys = ("bucket", "region", "profile")
    endpoint_variable = "CLOUDWAIT_COS_DOC_ENDPOINT"
    expired_codes = ("ExpiredToken",)
    rate = 20.0

    @classmethod
    def missing_libraries(cls) -> list[str]:
        """The answers are XML."""
        return super().missing_libraries() + ([] if HAS_XMLTODICT else ["xmltodict"])

    @classmethod
    def make_blank_ref(cls, options: Options, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
        """A region that is not given is that of the environment."""
        region = options.get("region") or environ.get("TENCENTCLOUD_REGION")
        return super().make_blank_ref({**options, "region": region}, environ)

    @classmethod
    def make_ref(cls, options: Options, environ: t.Mapping[str, str]) -> dict[str, t.Any]:
        """A bucket or region that cannot be is refused before anything is sent."""
        ref = super().make_ref(options, environ)
        _vendor_url(ref)
        return ref

    def vendor_url(self, ref: Ref) -> str:
        """A host a bucket; the same form for Chinese and international regions, so ``site`` changes nothing."""
        return _vendor_url(ref)

    def base_url(self, ref: Ref) -> str:
        """The bucket and the region are checked with an endpoint of the user's, too."""
        vendor = self.vendor_url(ref)
        return (self.settings.endpoint or vendor).rstrip("/")

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """One document job by its id."""
        return self.call("GET", f"{self.base_url(ref)}/doc_jobs/{quote(ref['task_id'], safe='')}")

    def call(self, method: str, url: str, *, params: cos.Pairs = (), body: bytes | None = None) -> Request:
        """The request for anything of the service; all parameters are signed."""
        keys = self.keys()
        pairs = list(params.items() if isinstance(params, t.Mapping) else params)

        def sign(prepared: PreparedRequest) -> t.Mapping[str, str]:
            parts = urlsplit(t.cast(str, prepared.url))
            now = int(self.settings.clock.time())
            return cos.sign(
                method=method,
                path=unquote(parts.path),
                params=pairs,
                headers={"Host": parts.netloc},
                secret_id=keys.secret_id,
                secret_key=keys.secret_key,
                token=keys.token,
                times=cos.key_time(now - SIGNED_BEFORE, now + SIGNED_FOR),
            )

        headers = {} if body is None else {"Content-Type": "application/xml"}
        query = "?" + urlencode(pairs, quote_via=quote) if pairs else ""
        return Request(method, url + query, headers=headers, body=body, sign=sign, keys=keys)

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """The job of the id that was asked for."""
        request_id = answer.headers.get("x-ci-request-id")
        response = decode(answer)
        job = _find_job(response, ref["task_id"], answer, request_id)
        odd = find_odd(job)
        if odd == ("State", None):
            raise lacks_member(answer, "State", request_id)
        if odd is not None:
            raise odd_member(answer, *odd, request_id)
        return job_record(ref, job, request_id), response


def _vendor_url(ref: Ref) -> str:
    bucket, region = ref.get("bucket") or "", ref.get("region") or ""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*-[0-9]+", bucket):
        raise CloudError(
            "config",
            f"bucket is {quoted(bucket)}, which is not of the form name-appid" if bucket else "bucket is missing",
            advice="give the bucket's name with the APPID behind a dash, such as examplebucket-1250000000",
        )
    if not re.fullmatch(r"[a-z0-9-]+", region):
        raise CloudError(
            "config",
            f"region is {quoted(region)}, which is no region's id" if region else "region is missing",
            advice="give the region's id, such as ap-beijing, or set TENCENTCLOUD_REGION",
        )
    return f"https://{bucket}.ci.{region}.myqcloud.com"


def find_odd(job: dict[str, t.Any]) -> tuple[str, t.Any] | None:
    """What keeps the status of a job from being told, and its value.

    :returns: ``State`` where it is missing or no text; of a success, what tells of its pages where that is there and cannot
        be read. Null where nothing is wrong.
    """
    state = native_word(job.get("State"))
    if state is None:
        return "State", job.get("State")
    if STATUSES.get(state) != SUCCEEDED or "Operation" not in job:
        return None
    operation = job["Operation"]
    if not isinstance(operation, dict):
        return "Operation", operation
    if "DocProcessResult" not in operation:  # jobs of other tags have none
        return None
    result = operation["DocProcessResult"]
    if not isinstance(result, dict):
        return "DocProcessResult", result
    for name in ("FailPageCount", "SuccPageCount"):
        number = whole_number(result.get(name))
        if (name in result or name == "FailPageCount") and (number is None or number < 0):
            return name, result.get(name)
    return None


def job_record(ref: Ref, job: dict[str, t.Any], request_id: str | None) -> Record:
    """What an entry of ``JobsDetail`` says."""
    native = native_word(job.get("State"))
    operation = as_dict(job.get("Operation"))
    result = as_dict(operation.get("DocProcessResult"))
    counts = counts_of(result, total="TotalPageCount", succeeded="SuccPageCount", failed="FailPageCount")
    status = STATUSES.get(native or "", UNKNOWN)
    if status == SUCCEEDED and counts and (counts["failed"] or 0) > 0:
        status = PARTIAL if counts["succeeded"] else FAILED
    return make_record(
        ref,
        status,
        native,
        progress=percent(job.get("Progress")),
        counts=counts,
        error=_error(status, native, job, counts),
        outputs=_outputs(result, as_dict(operation.get("Output"))) or _rewritten(status, job),
        created_at=iso_time(job.get("CreationTime")),
        started_at=iso_time(job.get("StartTime")),
        finished_at=iso_time(job.get("EndTime")),
        request_id=request_id,
    )


def _declares_type(body: bytes) -> bool:
    """Whether an answer declares a document type, and with it perhaps entities, in any encoding that the parser reads."""
    if not re.search(b"<\0?!\0?D\0?O\0?C\0?T\0?Y\0?P\0?E", body):
        return False
    found: list[str] = []
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = lambda name, *dummy: found.append(name)
    with contextlib.suppress(ExpatError, ValueError, LookupError):  # what is no XML is refused where it is read
        parser.Parse(body, True)
    return bool(found)


def encode(content: dict[str, t.Any]) -> bytes:
    """The XML of a body, with one root."""
    return xmltodict.unparse(content).encode("utf-8")


def decode(answer: Answer) -> Response:
    """What stands under ``Response``.

    The vendor declares no document type. One that does may define entities: some versions of the parser refuse them,
    others drop them silently, and the record would then be made of what is left. So it is refused here first.

    :raises CloudError: when it is an error of the vendor, or nothing of the vendor's form.
    """
    request_id = answer.headers.get("x-ci-request-id")
    if _declares_type(answer.body):
        raise unreadable(answer, "XML that declares no document type and no entity")
    try:
        data = as_dict(xmltodict.parse(answer.body, force_list=LISTS, disable_entities=True))
    except (ExpatError, ValueError, LookupError):  # not XML; an entity; an unknown encoding
        data = {}
    if isinstance(data.get("Error"), dict):
        failure = data["Error"]
        raise vendor_error(
            answer,
            RULES,
            code=text_or_none(failure.get("Code")) or "an error without a code",
            message=text_or_none(failure.get("Message")) or "",
            request_id=text_or_none(failure.get("RequestId")) or request_id,
        )
    if answer.status != 200:
        raise unreadable(answer, "an XML document of the vendor") if not data else http_error(answer)
    if "Response" not in data:
        raise unreadable(answer, "an XML Response")
    return as_dict(data["Response"])


def _find_job(response: Response, task_id: str, answer: Answer, request_id: str | None) -> dict[str, t.Any]:
    jobs = [job for job in response.get("JobsDetail", []) if isinstance(job, dict)]
    named = [job for job in jobs if job.get("JobId") == task_id]
    if named:
        return named[0]
    absent = [text.strip() for text in map(text_or_none, response.get("NonExistJobIds", [])) if text]
    if task_id in absent or any(task_id in map(str.strip, text.split(",")) for text in absent):
        raise CloudError(
            "not_found",
            f"the vendor knows no document job {quoted(task_id)} in this bucket",
            code="NonExistJobIds",
            http_status=answer.status,
            request_id=request_id,
            advice="check the job id, bucket and region; records are kept for one month",
        )
    if len(jobs) == 1:  # the only one that was asked for, by whatever name
        return jobs[0]
    raise CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and without the job that was asked for",
        http_status=answer.status,
        request_id=request_id,
    )


def _error(
    status: str, native: str | None, job: dict[str, t.Any], counts: dict[str, int | None] | None
) -> dict[str, t.Any] | None:
    """``Code`` and ``Message`` mean something only when the job failed; else the page counts tell."""
    if native == "Failed":
        return task_error(job.get("Code"), job.get("Message"))
    if status in (PARTIAL, FAILED) and counts:
        done, failed = counts["succeeded"] or 0, counts["failed"] or 0
        return task_error(None, f"{failed} of {done + failed} pages failed", "processing")
    return None


def _outputs(result: dict[str, t.Any], target: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    outputs = []
    for page in as_list(result.get("PageInfo")):
        uri = text_or_none(as_dict(page).get("TgtUri"))
        if uri:
            output: dict[str, t.Any] = {
                "type": "cos_object",
                "value": uri,
                "bucket": text_or_none(target.get("Bucket")),
                "region": text_or_none(target.get("Region")),
                "page": whole_number(page.get("PageNo")),
            }
            if "PicNum" in page:  # of a spreadsheet: PageNo is the sheet then
                output.update(sheet=output["page"], page=whole_number(page.get("PicNum")))
            outputs.append(output)
    return outputs


def _rewritten(status: str, job: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """The one object of a job that names no pages, such as ``DocWatermark``: the name that was asked for."""
    target = as_dict(as_dict(job.get("Operation")).get("Output"))
    name, tag = text_or_none(target.get("Object")), text_or_none(job.get("Tag"))
    if status != SUCCEEDED or tag in (None, DOC_PROCESS) or name is None or "${" in name:
        return []
    place = {ours: text_or_none(target.get(theirs)) for ours, theirs in (("bucket", "Bucket"), ("region", "Region"))}
    return [{"type": "cos_object", "value": name, **place, "page": None}]


__all__ = ["DOC_PROCESS", "STATUSES", "CosDocProvider", "decode", "encode", "find_odd", "job_record"]
