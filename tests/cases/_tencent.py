# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the services of Tencent share, and the two families of their answers: API 3.0, and Cloud Infinite."""

from __future__ import annotations

import json
import typing as t
from xml.sax.saxutils import escape

from ._case import ABSENT, TASK_ID, Case, Credentials, Reply, codes

KEYS = Credentials(
    options={"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"},
    wrong={"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-WRONG-KEY"},
    variables={"secret_id": "TENCENTCLOUD_SECRET_ID", "secret_key": "TENCENTCLOUD_SECRET_KEY"},
    secrets=("secret_key",),
    header="Authorization",
)
BUCKET = {"bucket": "examplebucket-1250000000", "region": "ap-beijing"}


# API 3.0


def api3(**response: t.Any) -> Reply:
    """Returns an answer of API 3.0."""
    members = {name: value for name, value in response.items() if value is not ABSENT}
    return Reply(json.dumps({"Response": {"RequestId": "r1", **members}}).encode())


API3_ERRORS = codes(
    auth="AuthFailure.SecretIdNotFound AuthFailure.SignatureFailure AuthFailure.InvalidSecretId AuthFailure.TokenFailure"
    " AuthFailure.MFAFailure AuthFailure.InvalidAuthorization",
    clock="AuthFailure.SignatureExpire",
    permission="UnauthorizedOperation UnauthorizedOperation.CamNoAuth AuthFailure.UnauthorizedOperation OperationDenied"
    " LimitExceeded IpInBlacklist IpNotInWhitelist",
    invalid="InvalidParameterValue InvalidParameter InvalidParameter.ParamError MissingParameter UnknownParameter"
    " InvalidAction InvalidRequest NoSuchVersion NoSuchProduct UnsupportedOperation UnsupportedProtocol"
    " UnsupportedRegion ActionOffline RequestSizeLimitExceeded",
    not_found="ResourceNotFound",
    throttled="RequestLimitExceeded RequestLimitExceeded.IPLimitExceeded RequestLimitExceeded.UinLimitExceeded"
    " RequestLimitExceeded.GlobalRegionUinLimitExceeded FailedOperation.RequestLimitExceeded",
    server="InternalError InternalError.Api ServiceUnavailable ResourceUnavailable FailedOperation NeverHeardOf",
)
"""What every service of API 3.0 may say."""


def api3_case(*, errors: t.Mapping[str, str], **own: t.Any) -> Case:
    """Returns the case of a service of API 3.0.

    :param errors: error codes of its own.
    """
    return Case(
        refuse=lambda code, message: api3(Error={"Code": code, "Message": message}),
        errors={**API3_ERRORS, **errors},
        credentials=KEYS,
        **own,
    )


# Cloud Infinite


def element(name: str, value: t.Any) -> str:
    """Returns an XML element: one for each entry of a list, nested ones for a dict."""
    if value is ABSENT:
        return ""
    if isinstance(value, list):
        return "".join(element(name, each) for each in value)
    inner = elements(value) if isinstance(value, dict) else escape("" if value is None else str(value))
    return f"<{name}>{inner}</{name}>"


def elements(values: t.Mapping[str, t.Any]) -> str:
    """Returns an XML element for each member of a dict."""
    return "".join(element(name, value) for name, value in values.items())


def jobs(*several: t.Mapping[str, t.Any]) -> Reply:
    """Returns an answer with jobs."""
    return Reply(element("Response", {"JobsDetail": list(several)}).encode(), headers={"x-ci-request-id": "r1"})


def job(state: t.Any, **more: t.Any) -> Reply:
    """Returns an answer with the one job that was asked for."""
    return jobs({"JobId": TASK_ID, "State": state, **more})


CI_STATUSES = {
    "Submitted": "pending",
    "Pause": "pending",
    "Running": "running",
    "Success": "succeeded",
    "Failed": "failed",
    "Cancel": "canceled",
}
CI_ERRORS = {
    **codes(
        auth="InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken",
        permission="AccessDenied AccessForbidden NoProcessAuthority PaymentRequired UnavailableForLegalReasons"
        " NeverHeardOf",
        invalid="NoSuchBucket BadDigest MethodNotAllowed MissingContentLength",
        not_found="NoSuchJob",
        throttled="SlowDown",
        server="InternalError ServiceUnavailable RequestTimeout",
        network="UserNetworkTooSlow IncompleteBody",
        clock="RequestTimeTooSkewed",
    ),
    "Request has expired": "clock",
}
"""What every service of Cloud Infinite may say; a code that no page lists goes by its HTTP status, which is 403 here."""

CI_PLAYS = {
    "pending": "Submitted",
    "running": "Running",
    "succeeded": "Success",
    "partial": "Success",
    "failed": "Failed",
    "canceled": "Cancel",
    "unknown": "Reviewing",
}


def ci_case(**own: t.Any) -> Case:
    """Returns the case of a service of Cloud Infinite."""

    def refuse(code: str, message: str) -> Reply:
        return Reply(element("Error", {"Code": code, "Message": message}).encode(), 403)

    family: dict[str, t.Any] = {
        "host": "examplebucket-1250000000.ci.ap-beijing.myqcloud.com",
        "statuses": CI_STATUSES,
        "answer": job,
        "refuse": refuse,
        "errors": CI_ERRORS,
        "plays": CI_PLAYS,
        "credentials": KEYS,
        "needs": BUCKET,
    }
    return Case(**{**family, **own})
