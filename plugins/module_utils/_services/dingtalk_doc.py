# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""DingTalk: document tasks, and how to start one by copying a document.

Sources: the vendor's page of ``GetTaskInfo`` (statuses, sample), of the access token of an internal app, and of
``CopyDoc`` (which wants the token of a user); the SDK ``doc_2_0`` (``CopyDocWithAppAuth``, for which no page was found,
and the answer of both); clients of others for the codes of throttling and refused tokens, which come as HTTP 403 and 400.
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
    lacks_member,
    native_word,
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
"""The kinds of errors that the host of another site gives to what is right on its own."""

RENEW_BEFORE = 200
"""Seconds before the end of a token at which it is fetched again: the page says to keep one for 7000 of its 7200."""

LONGEST_LIFE = 24 * 3600
"""The most seconds for which a token is believed to live."""

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
"""What the vendor's page says of a status; its answers have no message."""

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
"""The vendor's name of each of our options."""


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
        """With the first app or token that is given."""
        return cls(settings, dingtalk_app(options, environ))

    @classmethod
    def site_of(cls, options: Options, environ: Environ) -> str | None:
        """A site that is not given is that of the environment.

        :raises CloudError: ``config``, when the environment names none.
        """
        site = super().site_of(options, environ)
        if site is not None:
            return site
        check_site(environ.get(SITE_VARIABLE) or None, SITE_VARIABLE)
        return environ.get(SITE_VARIABLE) or None

    @classmethod
    def make_blank_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """The site is in the ref, wherever it came from."""
        return super().make_blank_ref({**options, "site": cls.site_of(options, environ)}, environ)

    @property
    def credential_source(self) -> str:
        """Where the app's key or the token come from."""
        return self._app.source

    def secrets(self) -> list[str]:
        """The app's secret and every token so far."""
        return list(self._used)

    def vendor_url(self, ref: Ref) -> str:
        """The page of the call names the international host; ``site: china`` has another."""
        return "https://api.dingtalk.com" if self.settings.site == "china" else "https://api.dingtalk.io"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """One cloud task by its id."""
        return self.make_request("GET", ref, f"/v2.0/doc/task/info/{quote(ref['task_id'], safe='')}", timeout=timeout)

    def exchange(
        self, make_request: MakeRequest, read: t.Callable[[Answer], T], *, left: TimeLeft = lambda: None
    ) -> tuple[T, int]:
        """As of all services; errors that the wrong host would give ask whether it is, unless the user chose it."""
        try:
            return super().exchange(make_request, read, left=left)
        except CloudError as error:
            if error.kind in WRONG_HOST and self.settings.site is None and self.settings.endpoint is None:
                error.advice = f"{error.advice}; {SITE_QUESTION}"
            raise

    def make_request(
        self, method: str, ref: Ref, path: str, *, body: bytes | None = None, timeout: float | None = None
    ) -> Request:
        """The request for anything of the service; the token is the whole signature."""
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
        """An app token and the seconds of its life. The body must be JSON: a form is refused."""
        body = json.dumps({"appKey": self._app.app_key, "appSecret": self._app.app_secret}).encode("ascii")
        headers = {"Content-Type": "application/json"}
        request = Request("POST", base + TOKEN_PATH, headers=headers, body=body, sign=lambda dummy: {})
        try:
            data = decode(self.settings.transport.send(request, timeout=timeout))
        except CloudError as error:
            error = error.within("no access token could be fetched")
            if error.kind == "not_found":  # it is the call that is not there, not the cloud task
                error.kind, error.advice = "config", "check the endpoint and the site"
            raise error from None
        token, life = data.get("accessToken"), whole_number(data.get("expireIn"))
        if not isinstance(token, str) or not re.fullmatch("[!-~]+", token):
            raise CloudError("protocol", f"{request.host} answered without an access token")
        self._used[token] = None
        return token, None if life is None else min(life, LONGEST_LIFE)

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """A refused token is fetched again. There is no clock to mend: nothing is signed."""
        return {"token": self._repair_token}

    def _repair_token(self, error: CloudError, request: Request) -> bool:
        if error.code != TOKEN_REFUSED or self._app.app_key is None:
            return False
        self._token.refuse(request.keys)
        return True

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """``status`` alone decides: the counters of the vendor's own sample contradict it."""
        response = decode(answer)
        native = native_word(response.get("status"))
        if isinstance(response.get("status"), (dict, list)):
            raise odd_member(answer, "status", response["status"], request_id_of(answer))
        if native is None:
            raise lacks_member(answer, "status", request_id_of(answer))
        status = STATUSES.get(native or "", UNKNOWN)
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
    """Documents of DingTalk, as a user or as an app."""

    @classmethod
    def create(cls, settings: Settings, options: Options, environ: Environ) -> DingTalkDocStarts:
        """With the token of a user, which an app's never replaces; with the app's when there is an operator."""
        if options["operator_id"] == "":
            raise CloudError("config", "operator_id is empty", advice="give it to copy as an app, or leave it out")
        if options["operator_id"]:
            return t.cast(DingTalkDocStarts, super().create(settings, options, environ))
        return cls(settings, dingtalk_user(options, environ))

    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """A copy, at once or as a cloud task, as DingTalk decides."""
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
        )


def request_id_of(answer: Answer) -> str | None:
    """The vendor's id of the request."""
    return answer.headers.get("x-acs-request-id")


def decode(answer: Answer) -> dict[str, t.Any]:
    """The body. Without an error code in it, HTTP 403 is the limit of this address, not a refusal.

    :raises CloudError: when it is an error of the vendor, or nothing of the vendor's form.
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
    """Documents that are over, of all."""
    if not counts or not counts["total"] or counts["succeeded"] is None or counts["failed"] is None:
        return None
    return max(0, min(100, (counts["succeeded"] + counts["failed"]) * 100 // counts["total"]))


def _read_copy(ref: Ref, answer: Answer) -> tuple[Record, Response]:
    """A cloud task to wait for, or the copy itself: a small document is copied at once.

    What is there decides, since an id must not be lost: ``isAsync`` only where both are there, or neither is.
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
