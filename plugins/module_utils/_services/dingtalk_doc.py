# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""DingTalk: document tasks, and how to start one by copying a document.

Sources: the vendor's page of ``GetTaskInfo`` (statuses, sample), of the access token of an internal app, and of
``CopyDoc`` (which wants the token of a user); the SDK ``doc_2_0`` (``CopyDocWithAppAuth``, for which no page was found,
and the answer of both); clients of others for the codes of throttling and refused tokens, which come as HTTP 403 and
400.
"""

from __future__ import annotations

import json
import re
import time
import typing as t
from urllib.parse import quote

from .. import _uncertain
from .._credentials import Cached, DingTalkApp, dingtalk_app, dingtalk_user
from .._errors import CloudError, one_line
from .._record import FAILED, PARTIAL, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._transport import Answer, Request
from .answers import (
    Rule,
    Rules,
    as_dict,
    as_list,
    counts_of,
    decode_json,
    http_error,
    native_status,
    odd_member,
    task_error,
    text_or_none,
    vendor_error,
    whole_number,
)
from .base import Environ, MakeRequest, Options, Ref, Response, Service, Settings, T, TimeLeft, check_site
from .starts import PreparedCall, Starter, new_id, pending_record

SITE_VARIABLE = "DINGTALK_SITE"
SITE_QUESTION = f"is the organization on the Chinese site? then set site: china, or {SITE_VARIABLE}=china"
TOKEN_HEADER = "x-acs-dingtalk-access-token"
TOKEN_PATH = "/v1.0/oauth2/accessToken"
TOKEN_REFUSED = "InvalidAuthentication"
WRONG_HOST = ("auth", "not_found")
"""Kinds of errors that the host of the wrong site returns for credentials and ids that are right on the other."""

RENEW_BEFORE = 200
"""Seconds before a token ends at which it is fetched again: the vendor's page says to use one for 7000 of its 7200."""

LONGEST_LIFE = 24 * 3600
"""Longest lifetime of a token in seconds. An answer that states a longer one is not believed."""

STATUSES: dict[str, str] = {
    "-1": PENDING,
    "0": RUNNING,
    "1": SUCCEEDED,
    "2": PARTIAL,
    "3": FAILED,
    "4": FAILED,
}
FAILURES: dict[str, str] = {
    "2": "some documents failed",
    "3": "all documents failed",
    "4": "the cloud task failed",
}
"""Meaning of each failed or partial status on the vendor's page, since answers have no message."""

RULES: Rules = {
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": Rule("permission"),
    "Forbidden.AccessDenied.ApiCountLimitForOrg": Rule(
        "permission", "wait for the next month or buy more calls: those of the organization are used up"
    ),
    "Forbidden.AccessDenied.QpsLimit*": Rule("throttled"),
    TOKEN_REFUSED: Rule(
        "auth",
        "check the token and the site, or give app_key and app_secret to have tokens fetched",
    ),
    "Missingbody": Rule("invalid", "check that no proxy changes requests"),
    "invalidClientIdOrSecret": Rule("auth", "check app_key and app_secret, and the site"),
    "operationTimeout": Rule("server"),
    "paramError": Rule("invalid"),
    "resource.not.found*": Rule("not_found"),
    "systemError": Rule("server"),
    "unknownError": Rule("server"),
}

USER_PATH = "/v2.0/doc/dentries/copy"
APP_PATH = "/v2.0/doc/app/dentries/copy"
MEMBERS = {
    "sourceDentryUuid": "source_dentry_uuid",
    "targetParentDentryUuid": "target_parent_dentry_uuid",
    "targetPreDentryUuid": "target_pre_dentry_uuid",
}
"""Our option for each member of the vendor's request."""


class DingTalkDoc(Service):
    """Document tasks of DingTalk, such as copies."""

    word = "dingtalk_doc"
    title = "DingTalk"
    ref_keys = ("site",)
    statuses = STATUSES
    rate = 10.0

    def __init__(
        self, settings: Settings, app: DingTalkApp, *, monotonic: t.Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(settings)
        self._app = app
        self._token: Cached[str] = Cached(monotonic, renew_before=RENEW_BEFORE, value=app.access_token)
        self._used: dict[str, None] = dict.fromkeys(filter(None, (app.app_secret, app.access_token)))

    @classmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> DingTalkDoc:
        """Returns the service with the first app or token that options or environment give.

        :raises CloudError: ``config``, when they give none or an incomplete set.
        """
        return cls(settings, dingtalk_app(options, environ))

    @classmethod
    def site_of(cls, options: Options, environ: Environ) -> str | None:
        """Returns the option ``site``, else the site that ``DINGTALK_SITE`` names; null where neither is given.

        :raises CloudError: ``config``, when the variable names an unknown site.
        """
        site = super().site_of(options, environ)
        if site is not None:
            return site
        check_site(environ.get(SITE_VARIABLE) or None, SITE_VARIABLE)
        return environ.get(SITE_VARIABLE) or None

    @classmethod
    def make_blank_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns a ref without a task id. It has the site even where that comes from the environment.

        :raises CloudError: ``config``, when options or environment name an unknown site.
        """
        return super().make_blank_ref({**options, "site": cls.site_of(options, environ)}, environ)

    @property
    def credential_source(self) -> str:
        """Where the app's key and secret, or the token, come from."""
        return self._app.source

    def secrets(self) -> list[str]:
        """Returns the app's secret and every token used so far."""
        return list(self._used)

    def vendor_url(self, ref: Ref) -> str:
        """Returns the international host, which the vendor's page of the call names, unless ``site`` is ``china``."""
        return "https://api.dingtalk.com" if self.settings.site == "china" else "https://api.dingtalk.io"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that polls a cloud task.

        :param timeout: seconds for a token to be fetched first; null for the usual time.
        :raises CloudError: when no token can be fetched.
        """
        return self.make_request("GET", ref, f"/v2.0/doc/task/info/{quote(ref['task_id'], safe='')}", timeout=timeout)

    def exchange(
        self, make_request: MakeRequest, read: t.Callable[[Answer], T], *, left: TimeLeft = lambda: None
    ) -> tuple[T, int]:
        """Send a request like any service does; see the base class for parameters, result and errors.

        The advice of errors that a wrong site may have caused mentions the site, unless the user has chosen the host.
        """
        try:
            return super().exchange(make_request, read, left=left)
        except CloudError as error:
            if error.kind in WRONG_HOST and self.settings.site is None and self.settings.endpoint is None:
                error.advice = f"{error.advice}; {SITE_QUESTION}"
            raise

    def make_request(
        self, method: str, ref: Ref, path: str, *, body: bytes | None = None, timeout: float | None = None
    ) -> Request:
        """Returns a request for any operation. The token alone authenticates it; there is no signature.

        :param path: path of the operation below the base URL.
        :param timeout: seconds for a token to be fetched first; null for the usual time.
        :raises CloudError: when no token can be fetched.
        """
        base = self.base_url(ref)
        token = self._token.get(lambda: self._fetch_token(base, timeout))
        return Request(
            method,
            base + path,
            headers={"Content-Type": "application/json"},
            body=body,
            sign=lambda dummy: {TOKEN_HEADER: token},
            keys=token,
        )

    def _fetch_token(self, base: str, timeout: float | None) -> tuple[str, float | None]:
        """Returns a new app token and its lifetime in seconds, null if unknown.

        The body of the request is JSON, since the vendor refuses a form.

        :raises CloudError: when the vendor gives no token.
        """
        body = json.dumps({"appKey": self._app.app_key, "appSecret": self._app.app_secret}).encode("ascii")
        headers = {"Content-Type": "application/json"}
        request = Request("POST", base + TOKEN_PATH, headers=headers, body=body, sign=lambda dummy: {})
        try:
            data = decode(self.settings.transport.send(request, timeout=timeout))
        except CloudError as error:
            error = error.within("no access token could be fetched")
            if error.kind == "not_found":  # the URL of the token call was not found, not the cloud task
                error.kind, error.advice = "config", "check the endpoint and the site"
            raise error from None
        token, life = data.get("accessToken"), whole_number(data.get("expireIn"))
        if not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
            raise CloudError("protocol", f"{request.host} answered without an access token")
        self._used[token] = None
        return token, None if life is None else min(life, LONGEST_LIFE)

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """Returns the one repair: fetch a refused token again. The clock needs none, since nothing is signed."""
        return {"token": self._repair_token}

    def _repair_token(self, error: CloudError, request: Request) -> bool:
        if error.code != TOKEN_REFUSED or self._app.app_key is None:
            return False
        self._token.refuse(request.keys)
        return True

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record and the response. ``status`` alone decides, since the vendor's sample has wrong counters.

        :raises CloudError: when the answer is an error, or when it does not tell the status.
        """
        response = decode(answer)
        native = native_status(answer, response, "status", request_id_of(answer))
        status = STATUSES.get(native, UNKNOWN)
        counts = counts_of(response, total="totalCount", succeeded="succCount", failed="failCount")
        error = None
        if status in (PARTIAL, FAILED):
            error = task_error(native, f"{FAILURES[native or '']}; the vendor gives no reason")
        record = make_record(
            ref,
            status,
            native,
            progress=_progress(counts),
            counts=counts,
            error=error,
            request_id=request_id_of(answer),
        )
        return record, response


class DingTalkDocStarts(DingTalkDoc, Starter):
    """Document tasks that can also be started, as a user or as an app."""

    @classmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> DingTalkDocStarts:
        """Returns the service with a user's token, or with an app where ``operator_id`` is given.

        A user's token is never replaced by an app's, which would act as somebody else.

        :raises CloudError: ``config``, when ``operator_id`` is empty, or when credentials are missing or incomplete.
        """
        if options["operator_id"] == "":
            raise CloudError("config", "operator_id is empty", advice="give it to copy as an app, or leave it out")
        if options["operator_id"]:
            return t.cast(DingTalkDocStarts, super().create(settings, options, environ))
        return cls(settings, dingtalk_user(options, environ))

    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """Returns the call that copies a document. DingTalk decides whether it copies at once or as a cloud task.

        :raises CloudError: ``config``, when an id of a document is empty.
        """
        param = {theirs: options[ours] for theirs, ours in MEMBERS.items() if options[ours] is not None}
        empty = [ours for theirs, ours in MEMBERS.items() if not param.get(theirs, "x").strip()]
        if empty:
            are = "is" if len(empty) == 1 else "are"
            raise CloudError("config", f"{' and '.join(empty)} {are} empty", advice="give the dentryUuid of a document")
        as_app = {"operatorId": options["operator_id"], **param}
        path, content = (APP_PATH, as_app) if options["operator_id"] else (USER_PATH, {"param": param})
        body = json.dumps(content).encode("ascii")

        def make_request() -> Request:
            return self.make_request("POST", ref, path, body=body)

        return PreparedCall(
            make_request,
            lambda answer: _read_copy(ref, answer),
            doubt=_uncertain.DINGTALK_DOC,
            asked=lambda: as_app if options["operator_id"] else param,
        )

    def poller(self, options: Options, environ: Environ) -> DingTalkDoc:
        """Returns the service that polls, which needs an app even where a user has started the copy.

        :raises CloudError: ``config``, when options and environment give no app or an incomplete one.
        """
        poller = DingTalkDoc.create(self.settings, options, environ)
        self._used.update(poller._used)
        poller._used = self._used
        return poller


def request_id_of(answer: Answer) -> str | None:
    """Returns the vendor's id of the request; null when the answer has none."""
    return answer.headers.get("x-acs-request-id")


def decode(answer: Answer) -> dict[str, t.Any]:
    """Returns the body as a JSON object.

    HTTP 403 without an error code means that this address has sent too many requests, not that permission is missing.

    :raises CloudError: when the answer is an error, or does not have the form that the vendor documents.
    """
    try:
        data = decode_json(answer)
    except CloudError as error:
        if answer.status == 403:
            raise _address_limit(answer) from None
        raise error
    said = data.get("code") or data.get("Code")
    if isinstance(said, (dict, list)):
        raise odd_member(answer, "code", said, request_id_of(answer))
    code = text_or_none(said)
    if not code:
        if answer.status == 403 or "punish" in data:
            raise _address_limit(answer)
        if answer.status != 200:
            raise http_error(answer)
        return data
    detail = as_dict(data.get("accessdenieddetail") or data.get("accessDeniedDetail"))
    scopes = one_line(", ".join(map(str, as_list(detail.get("requiredScopes")))), 200)
    raise vendor_error(
        answer,
        RULES,
        code=code,
        message=text_or_none(data.get("message") or data.get("Message")) or "",
        request_id=text_or_none(data.get("requestid") or data.get("requestId")) or request_id_of(answer),
        said_more=f" and wants the permission {scopes}" if scopes else "",
    )


def _address_limit(answer: Answer) -> CloudError:
    return CloudError(
        "throttled",
        f"{answer.host} answered with HTTP {answer.status} and no error code, as when one address calls too often",
        http_status=answer.status,
        retry_after=answer.retry_after(),
        advice="wait some minutes, or check that no network filter answers in the vendor's place",
    )


def _progress(counts: dict[str, int | None] | None) -> int | None:
    """Returns the percentage of documents that have ended; null when the counts do not tell."""
    if not counts or not counts["total"] or counts["succeeded"] is None or counts["failed"] is None:
        return None
    return max(0, min(100, (counts["succeeded"] + counts["failed"]) * 100 // counts["total"]))


def _read_copy(ref: Ref, answer: Answer) -> tuple[Record, Response]:
    """Returns the record of a cloud task to wait for, or of a finished copy: small documents are copied at once.

    An id or a copy in the answer tells which it is, so that no id is lost. ``isAsync`` decides only where the answer
    has both or neither.
    """
    response = decode(answer)
    request_id = request_id_of(answer)
    copy = as_dict(response.get("syncCopyResult"))
    has_id, has_copy = response.get("taskId") not in (None, ""), bool(copy.get("dentryUuid"))
    if (has_id and not has_copy) or (response.get("isAsync") and has_id == has_copy):
        return pending_record(ref, response.get("taskId"), answer, request_id), response
    uuid = new_id(copy.get("dentryUuid"), answer.host)
    output = {"type": "dingtalk_document", "value": uuid, "url": text_or_none(copy.get("url"))}
    return make_record(ref, SUCCEEDED, None, outputs=[output], request_id=request_id), response


__all__ = ["STATUSES", "DingTalkDoc", "DingTalkDocStarts"]
