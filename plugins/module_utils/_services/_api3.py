# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The base class of services of Tencent Cloud API 3.0: requests, answers and error codes.

Sources: the vendor's guides "Signature v3", "Common Parameters" and "Error Codes"; the SDK's client.
"""

from __future__ import annotations

import json
import typing as t

from .._record import Record
from .._transport import Answer, Request
from ..signing import tc3
from ._tencent import KEY_ADVICE, QUOTA_ADVICE, TencentService
from .answers import Rule, Rules, decode_json, http_error, odd_member, text_or_none, vendor_error
from .base import Ref, Response
from .starts import pending_record

TOKEN_CODE = "AuthFailure.TokenFailure"

COMMON_RULES: Rules = {
    "AuthFailure*": Rule("auth", KEY_ADVICE),
    "AuthFailure.SignatureExpire": Rule("clock"),
    TOKEN_CODE: Rule("auth", "the token has ended or does not belong to the key pair: fetch new temporary keys"),
    "AuthFailure.UnauthorizedOperation": Rule("permission"),
    "FailedOperation*": Rule("server"),
    "FailedOperation.RequestLimitExceeded*": Rule("throttled"),
    "InternalError*": Rule("server"),
    "InvalidAction*": Rule("invalid", "the vendor does not offer this operation here: check the site and endpoint"),
    "InvalidParameter*": Rule("invalid"),
    "InvalidRequest*": Rule("invalid"),
    "IpInBlacklist*": Rule("permission", "take this host's address off the account's block list"),
    "IpNotInWhitelist*": Rule("permission", "put this host's address on the account's allow list"),
    "LimitExceeded*": Rule("permission", QUOTA_ADVICE),
    "MissingParameter*": Rule("invalid"),
    "NoSuch*": Rule("invalid", "the endpoint serves another product or version: check it"),
    "ActionOffline*": Rule("invalid", "the vendor has retired this operation: use a newer release of the collection"),
    "OperationDenied*": Rule("permission"),
    "RequestLimitExceeded*": Rule("throttled"),
    "RequestSizeLimitExceeded*": Rule("invalid"),
    "ResourceInsufficient*": Rule("permission", "a resource of the account is used up: raise it with the vendor"),
    "ResourceInUse*": Rule("invalid"),
    "ResourceNotFound*": Rule("not_found"),
    "ResourcesSoldOut*": Rule("permission", "the vendor has no more of it: try again later or elsewhere"),
    "ResourceUnavailable*": Rule("server"),
    "ServiceUnavailable*": Rule("server"),
    "UnauthorizedOperation*": Rule("permission"),
    "UnknownParameter*": Rule("invalid"),
    "Unsupported*": Rule("invalid"),
}


class Api3Service(TencentService):
    """A service of Tencent Cloud API 3.0. Builds its requests, and reads what all its answers have in common."""

    service: t.ClassVar[str]
    """Name of the product: the first label of the vendor's host, and part of the signature whatever the host is."""
    version: t.ClassVar[str]
    """Version of the API: a date, such as ``2019-06-12``."""
    rules: t.ClassVar[Rules] = COMMON_RULES
    """What each error code means."""
    expired_codes = (TOKEN_CODE,)

    def make_request(
        self,
        url: str,
        action: str,
        params: t.Mapping[str, t.Any],
        *,
        method: str = "POST",
        product: tuple[str, str] | None = None,
    ) -> Request:
        """Returns the request for an operation. It is signed when it is sent.

        :param url: base URL, without a slash at the end.
        :param action: the operation, such as ``DescribeTaskDetail``.
        :param params: parameters of the operation, of JSON types.
        :param method: ``POST`` to send the parameters as JSON, ``GET`` to send them in the query.
        :param product: ``service`` and ``version`` to use in place of those of the class.
        :raises CloudError: when a profile or the metadata service has no keys.
        """
        keys = self.keys()
        service, version = product or (self.service, self.version)
        headers = {"X-TC-Action": action, "X-TC-Version": version, "X-TC-Language": "en-US"}
        if method == "GET":
            url = f"{url}/?{tc3.query_string(params)}"
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            body = None
        else:
            url = f"{url}/"
            headers["Content-Type"] = "application/json"
            body = json.dumps(params).encode("ascii")

        def sign(request: Request) -> t.Mapping[str, str]:
            return tc3.sign(
                method=method,
                host=request.host,
                service=service,
                content_type=headers["Content-Type"],
                payload=body or b"",
                secret_id=keys.secret_id,
                secret_key=keys.secret_key,
                token=keys.token,
                timestamp=int(self.settings.clock.time()),
                uri=request.parts.path,
                query=request.parts.query,
            )

        return Request(method, url, headers=headers, body=body, sign=sign, keys=keys)

    def response_of(self, answer: Answer) -> Response:
        """Returns the object under ``Response``.

        :raises CloudError: when it holds an error, or when the answer does not have the form that the vendor documents.
        """
        data = decode_json(answer)
        response = data.get("Response")
        if not isinstance(response, dict):
            error = http_error(answer)
            if error.kind == "protocol":
                error.said = f"{answer.host} answered with HTTP {answer.status} and JSON without a Response"
            raise error
        failure = response.get("Error")
        if failure is not None:
            if not isinstance(failure, dict):
                raise odd_member(answer, "Error", failure, request_id_of(response))
            raise vendor_error(
                answer,
                self.rules,
                code=str(failure.get("Code") or "an error without a code"),
                message=str(failure.get("Message") or ""),
                request_id=request_id_of(response),
            )
        if answer.status != 200:
            raise http_error(answer)
        return response

    def read_start(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record of a new cloud task, of which the answer tells only the id, and the response.

        :raises CloudError: see :meth:`response_of`; ``protocol``, when the answer has no id.
        """
        response = self.response_of(answer)
        request_id = text_or_none(response.get("RequestId"))
        return pending_record(ref, response.get("TaskId"), answer, request_id), response


def request_id_of(response: Response) -> str | None:
    """Returns the vendor's id of the request; null when the response has none."""
    value = response.get("RequestId")
    return value if isinstance(value, str) else None


__all__ = ["COMMON_RULES", "Api3Service", "request_id_of"]
