# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The base class of services of Cloud Infinite: jobs in a COS bucket, which are polled alike and answer in XML.

Sources: the vendor's page "Querying Specified File Transcoding Job" (elements, samples), the page of the start call
(states), the COS list of error codes. ``State`` is the status; ``Code`` reads ``Success`` while a job still waits.
"""

from __future__ import annotations

import abc
import contextlib
import re
import typing as t
from urllib.parse import quote, unquote, urlencode
from xml.parsers.expat import ExpatError, ParserCreate

from .._errors import CloudError, quoted
from .._record import CANCELED, FAILED, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._transport import Answer, Request
from ..signing import cos
from ._tencent import KEY_ADVICE, TencentService
from .answers import (
    Rule,
    Rules,
    as_dict,
    as_list,
    http_error,
    iso_time,
    lacks_member,
    named_id,
    native_word,
    odd_member,
    percent,
    task_error,
    text_or_none,
    unreadable,
    vendor_error,
    whole_number,
    without_nulls,
)
from .base import Environ, Options, Ref, Response

HAS_XMLTODICT = True
try:
    import xmltodict
except ImportError:
    HAS_XMLTODICT = False

SIGNED_BEFORE = 60
SIGNED_FOR = 10000
"""Seconds before and after the present time for which a signature is valid, as in the vendor's SDK."""

LISTS = ("JobsDetail", "PageInfo", "NonExistJobIds")
"""XML elements that may occur once or several times. They are always read as lists."""

Job = dict[str, t.Any]
Counts = t.Optional[dict[str, t.Optional[int]]]

CLOCK_MESSAGES = {
    r"request has expired|request\s*time\s*too\s*skewed|difference between the request time": Rule("clock")
}
"""Rules for messages that tell of a wrong clock, for an error code that also has other causes."""

RULES: Rules = {
    "AccessDenied": Rule(
        "permission",
        "give this account the permission for jobs of Cloud Infinite (ci) in the bucket",
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


class CiService(TencentService):
    """A service that polls jobs of one kind in a COS bucket."""

    path: t.ClassVar[str]
    """Path of the jobs below the base URL, such as ``/doc_jobs``."""
    job: t.ClassVar[str]
    """Name of one job in messages, such as "document job"."""
    token_header: t.ClassVar[str] = cos.CI_TOKEN_HEADER
    """Name of the header for the token of temporary keys, which depends on the kind of host."""
    ref_keys = ("bucket", "region", "profile")
    expired_codes = ("ExpiredToken",)
    statuses: t.ClassVar[t.Mapping[str, str]] = {
        "Submitted": PENDING,
        "Pause": PENDING,
        "Running": RUNNING,
        "Success": SUCCEEDED,
        "Failed": FAILED,
        "Cancel": CANCELED,
    }
    rate = 20.0
    keeps = "one month"

    @classmethod
    def missing_libraries(cls) -> list[str]:
        """Returns the names of packages that are not installed, including ``xmltodict``, which reads XML."""
        return super().missing_libraries() + ([] if HAS_XMLTODICT else ["xmltodict"])

    @classmethod
    def make_blank_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns a ref without a task id. Without the option ``region``, the region of the environment is used.

        :raises CloudError: ``config``, when an option has an invalid value.
        """
        region = options.get("region") or environ.get("TENCENTCLOUD_REGION")
        return super().make_blank_ref({**options, "region": region}, environ)

    @classmethod
    def make_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns the ref of a job.

        :raises CloudError: ``config``, when the id, bucket or region is missing or malformed.
        """
        ref = super().make_ref(options, environ)
        _vendor_url(ref)
        return ref

    @classmethod
    def named_in_callback(cls, content: Options) -> t.Iterator[dict[str, str]]:
        """Yields id and place of each job of this kind.

        The XML form has an element ``Response`` around everything, the JSON form has none. Older callbacks do not name
        the bucket of the input, so that of the output is taken, which is the same in most cases.
        """
        inner = as_dict(content.get("Response", content))
        for job in map(as_dict, as_list(inner.get("JobsDetail"))):
            task_id, tag = named_id(job.get("JobId")), job.get("Tag")
            if task_id is None or not (tag is None or (isinstance(tag, str) and cls.has_tag(tag))):
                continue
            source, target = as_dict(job.get("Input")), as_dict(as_dict(job.get("Operation")).get("Output"))
            bucket = named_id(source.get("BucketId")) or named_id(target.get("Bucket"))
            region = named_id(source.get("Region")) or named_id(target.get("Region"))
            yield without_nulls({"task_id": task_id, "bucket": bucket, "region": region})

    def vendor_url(self, ref: Ref) -> str:
        """Returns the base URL for a bucket and region. Its form is the same for all sites, so ``site`` has no effect.

        :raises CloudError: ``config``, when bucket or region is missing or malformed.
        """
        return _vendor_url(ref)

    def base_url(self, ref: Ref) -> str:
        """Returns the base URL for requests, without a slash at the end.

        :raises CloudError: ``config``, when bucket or region is missing or malformed, also where an endpoint is set.
        """
        vendor = self.vendor_url(ref)
        return (self.settings.endpoint or vendor).rstrip("/")

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that polls a job."""
        return self.make_request("GET", f"{self.base_url(ref)}{self.path}/{quote(ref['task_id'], safe='')}")

    def make_request(self, method: str, url: str, *, params: cos.Pairs = (), body: bytes | None = None) -> Request:
        """Returns a request. It is signed when it is sent.

        :param params: parameters of the query; all of them are signed.
        :param body: XML, or null for a request without a body.
        :raises CloudError: when a profile or the metadata service has no keys.
        """
        keys = self.keys()
        pairs = list(params.items() if isinstance(params, t.Mapping) else params)

        def sign(request: Request) -> t.Mapping[str, str]:
            now = int(self.settings.clock.time())
            return cos.sign(
                method=method,
                path=unquote(request.parts.path),
                params=pairs,
                headers={"Host": request.host},
                secret_id=keys.secret_id,
                secret_key=keys.secret_key,
                token=keys.token,
                token_header=self.token_header,
                times=cos.key_time(now - SIGNED_BEFORE, now + SIGNED_FOR),
            )

        headers = {} if body is None else {"Content-Type": "application/xml"}
        query = "?" + urlencode(pairs, quote_via=quote) if pairs else ""
        return Request(method, url + query, headers=headers, body=body, sign=sign, keys=keys)

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record of the job that was polled, and the response.

        :raises CloudError: when the answer is an error, or when it does not tell the status of the job.
        """
        request_id = answer.headers.get("x-ci-request-id")
        response = decode(answer)
        job = _find_job(response, ref["task_id"], self, answer)
        odd = self.find_odd(job)
        if odd == ("State", None):
            raise lacks_member(answer, "State", request_id)
        if odd is not None:
            raise odd_member(answer, *odd, request_id)
        return self.job_record(ref, job, request_id), response

    def find_odd(self, job: Job) -> tuple[str, t.Any] | None:
        """Returns name and value of an unreadable element that the status depends on; null if there is none."""
        state = native_word(job.get("State"))
        if state is None:
            return "State", job.get("State")
        if self.statuses.get(state) != SUCCEEDED or "Operation" not in job:
            return None
        operation = job["Operation"]
        return self.find_odd_result(job) if isinstance(operation, dict) else ("Operation", operation)

    def job_record(self, ref: Ref, job: Job, request_id: str | None) -> Record:
        """Returns the record for an entry of ``JobsDetail``."""
        native = native_word(job.get("State"))
        status, counts, error = self.judge(self.statuses.get(native or "", UNKNOWN), job)
        if native == "Failed":  # Code and Message mean nothing in any other state
            error = task_error(job.get("Code"), job.get("Message"))
        return make_record(
            ref,
            status,
            native,
            progress=percent(job.get("Progress")),
            counts=counts,
            error=error,
            outputs=self.outputs(status, job),
            created_at=iso_time(job.get("CreationTime")),
            started_at=iso_time(job.get("StartTime")),
            finished_at=iso_time(job.get("EndTime")),
            request_id=request_id,
        )

    # --- to be defined for each kind of job ---

    @classmethod
    @abc.abstractmethod
    def has_tag(cls, tag: str) -> bool:
        """Returns whether jobs with a ``Tag`` are of this kind."""

    @abc.abstractmethod
    def find_odd_result(self, job: Job) -> tuple[str, t.Any] | None:
        """Returns name and value of a result element of a successful job that cannot be read; null if there is none.

        Only elements count that tell whether all parts of the job succeeded.
        """

    @abc.abstractmethod
    def judge(self, status: str, job: Job) -> tuple[str, Counts, dict[str, t.Any] | None]:
        """Returns the status that follows from a job's result, the counts, and the error of a partial success.

        :param status: our status for the job's ``State``.
        """

    @abc.abstractmethod
    def outputs(self, status: str, job: Job) -> list[dict[str, t.Any]]:
        """Returns the ``outputs`` of the record: what the job has made."""


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


def _find_job(response: Response, task_id: str, service: CiService, answer: Answer) -> Job:
    """Returns the job with an id.

    :raises CloudError: ``not_found`` when the vendor says that there is no such job, ``protocol`` when the answer does
        not mention it.
    """
    request_id = answer.headers.get("x-ci-request-id")
    jobs = [job for job in response.get("JobsDetail", []) if isinstance(job, dict)]
    named = [job for job in jobs if job.get("JobId") == task_id]
    if named:
        return named[0]
    absent = [text.strip() for text in map(text_or_none, response.get("NonExistJobIds", [])) if text]
    if task_id in absent or any(task_id in map(str.strip, text.split(",")) for text in absent):
        raise CloudError(
            "not_found",
            f"the vendor knows no {service.job} {quoted(task_id)} in this bucket",
            code="NonExistJobIds",
            http_status=answer.status,
            request_id=request_id,
            advice=f"check the job id, bucket and region; records are kept for {service.keeps}",
        )
    if len(jobs) == 1:  # the request was for one job, so this is it, even under another id
        return jobs[0]
    raise CloudError(
        "protocol",
        f"{answer.host} answered with HTTP {answer.status} and without the job that was asked for",
        http_status=answer.status,
        request_id=request_id,
    )


def _declares_type(body: bytes) -> bool:
    """Returns whether an answer declares a document type (DTD), in any encoding that the parser reads."""
    if not re.search(b"<\0?!\0?D\0?O\0?C\0?T\0?Y\0?P\0?E", body):
        return False
    found: list[str] = []
    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = lambda name, *dummy: found.append(name)
    with contextlib.suppress(ExpatError, ValueError, LookupError):  # decode() refuses what is not XML
        parser.Parse(body, True)
    return bool(found)


def encode(content: dict[str, t.Any]) -> bytes:
    """Returns the body of a request as XML.

    :param content: the elements as nested dicts; one root element.
    """
    return xmltodict.unparse(content).encode("utf-8")


def is_shallow(body: bytes, most: int) -> bool:
    """Returns whether the elements of XML are nested in at most so many levels. Reading deep ones takes minutes.

    What is no XML may count as either.
    """
    depth = 0

    def start(*dummy: t.Any) -> None:
        nonlocal depth
        depth += 1
        if depth > most:
            raise ValueError

    def end(*dummy: t.Any) -> None:
        nonlocal depth
        depth -= 1

    parser = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    try:
        parser.Parse(body, True)
    except (ExpatError, LookupError):
        return True
    except ValueError:
        return False
    return True


def read_xml(body: bytes) -> dict[str, t.Any] | None:
    """Returns the content of XML as nested dicts; null for what is no XML, and for XML that declares a document type.

    :raises CloudError: ``config``, when the package that reads XML is missing.
    """
    if not HAS_XMLTODICT:
        said = "the Python package xmltodict is missing, which reads XML"
        raise CloudError("config", said, advice="install xmltodict where this plugin runs")
    if _declares_type(body):
        return None
    try:
        return as_dict(xmltodict.parse(body, force_list=LISTS, disable_entities=True))
    except (ExpatError, ValueError, LookupError):  # not XML, an entity, or an unknown encoding
        return None


def decode(answer: Answer, root: str = "Response") -> Response:
    """Returns the elements under the root element.

    The vendor never declares a document type. A declaration could define entities: some versions of the parser refuse
    them, others drop them silently, which would leave the record incomplete. So declarations are refused first.

    :raises CloudError: when the answer is an error, or does not have the form that the vendor documents.
    """
    request_id = answer.headers.get("x-ci-request-id")
    if _declares_type(answer.body):
        raise unreadable(answer, "XML that declares no document type and no entity")
    data = read_xml(answer.body) or {}
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
    if root not in data:
        raise unreadable(answer, f"an XML {root}")
    return as_dict(data[root])


def place_of(target: t.Mapping[str, t.Any]) -> dict[str, str | None]:
    """Returns the ``bucket`` and ``region`` of an element that has both."""
    return {ours: text_or_none(target.get(theirs)) for ours, theirs in (("bucket", "Bucket"), ("region", "Region"))}


def bad_count(parent: t.Mapping[str, t.Any], name: str) -> bool:
    """Returns whether an element that should hold a count is missing, unreadable or negative."""
    number = whole_number(parent.get(name))
    return number is None or number < 0


__all__ = ["CiService", "Counts", "Job", "bad_count", "decode", "encode", "is_shallow", "place_of", "read_xml"]
