# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent ESS: file conversion tasks of its two editions, ``essbasic`` and ``ess``, and how to start one.

Sources: the vendor's page of ``ChannelGetTaskResultApi`` (statuses, sample), the SDK ``essbasic.v20210526`` (error
codes, and ``DescribeFileConvertTask``, which replaces the older operation on 2026-12-31 with the same fields), the SDK
``ess.v20201111`` and the metadata of tccli (the company edition, whose operations have the same fields and statuses).

Starts: the vendor retires ``ChannelCreateConvertTaskApi`` on 2026-12-31, too; ``CreateFileConvertTask`` replaces it
with the same fields. Uploads of both editions go to the same host, with an ``Agent`` or a ``Caller``.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import typing as t
from datetime import date, datetime, timezone
from urllib.parse import urlsplit

from .. import _uncertain
from .._credentials import TencentCredentials
from .._errors import CloudError, quoted
from .._record import FAILED, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._transport import Answer, Request, check_endpoint
from ._api3 import COMMON_RULES, Api3Service, request_id_of
from ._tencent import QUOTA_ADVICE
from .answers import Rule, Rules, as_dict, as_list, native_status, task_error, text_or_none
from .base import Environ, Options, Ref, Response, Settings
from .starts import PreparedCall, Starter, check_length

AUTO = "auto"
OLD_ACTION = "ChannelGetTaskResultApi"
NEW_ACTION = "DescribeFileConvertTask"
RETIREMENT = date(2026, 12, 31)

CHANNEL = "channel"
COMPANY = "company"


class Edition(t.NamedTuple):
    """One of the two products of ESS, which have the same operations for conversions.

    :param service: the product's name in hosts and signatures.
    :param version: the version of its API.
    :param option: the option that names on whose behalf requests are made.
    """

    service: str
    version: str
    option: str


EDITIONS: dict[str, Edition] = {
    CHANNEL: Edition("essbasic", "2021-05-26", "agent"),
    COMPANY: Edition("ess", "2020-11-11", "operator"),
}
"""The editions. The vendor calls them third-party applications (operations ``Channel...``) and company applications."""

STATUSES: dict[str, str] = {
    "0": PENDING,
    "4": RUNNING,
    "8": SUCCEEDED,
    "-2": FAILED,
    "-6": FAILED,
    "-13": FAILED,
}
FAILURES: dict[str, tuple[str, str]] = {
    "-2": ("DownloadFailed", "download"),
    "-6": ("ProcessFailed", "processing"),
    "-13": ("ProcessTimeout", "timeout"),
}
"""The vendor's keyword and our reason for each failed status."""

RULES: Rules = {
    **COMMON_RULES,
    "InvalidParameter.DataNotFound": Rule("not_found"),
    "InvalidParameter.InvalidId": Rule("not_found"),
    "LimitExceeded.FileSize": Rule("invalid", "give a smaller file"),
    "OperationDenied.DocumentNoAvailable": Rule("server"),
    "OperationDenied.FileDeleted": Rule("not_found"),
    "OperationDenied.NoQuota": Rule("permission", QUOTA_ADVICE),
    "OperationDenied.OutQueryLimit": Rule("throttled"),
}

FILE_HOST = "https://file.ess.tencent.cn"
UPLOAD_VARIABLE = "CLOUDWAIT_ESS_UPLOAD_ENDPOINT"
MIB = 1024 * 1024
IMAGES = ("jpg", "jpeg", "png", "bmp")
TYPES = ("doc", "docx", "xls", "xlsx", *IMAGES, "html", "txt")
MAX_IMAGE = {CHANNEL: 8, COMPANY: 5}
MAX_FILE = 60
"""Largest upload in megabytes: of an image, by edition, and of any other file."""

MAX_NAME = 256
GONE = Rule("invalid", "check resource_id; ESS keeps what was uploaded for an hour")


class Ess(Api3Service):
    """File conversions of Tencent ESS."""

    word = "ess"
    title = "Tencent ESS"
    ref_keys = ("agent", "operator", "edition", "profile")
    service = EDITIONS[CHANNEL].service
    version = EDITIONS[CHANNEL].version
    statuses = STATUSES
    rules = RULES
    own_options = item_options = ("api_action",)
    actions: t.ClassVar[dict[str, tuple[str, str]]] = {
        CHANNEL: (OLD_ACTION, NEW_ACTION),
        COMPANY: ("GetTaskResultApi", NEW_ACTION),
    }
    """For each edition, the operation that the vendor retires, and the one that replaces it."""
    rate = 10.0

    def __init__(
        self,
        settings: Settings,
        credentials: TencentCredentials,
        *,
        api_action: str = AUTO,
        today: t.Callable[[], date] = lambda: datetime.now(timezone.utc).date(),
    ) -> None:
        super().__init__(settings, credentials)
        if settings.site == "intl":
            raise CloudError(
                "config",
                'site is "intl", and Tencent ESS has no international site',
                advice="leave the option site out",
            )
        words = (AUTO, *self.actions[CHANNEL])
        if api_action not in words:
            said = f"api_action is {quoted(api_action)}, which is no operation for this"
            raise CloudError("config", said, advice=f"give one of {', '.join(words)}")
        self._may_switch = api_action == AUTO
        old, new = self.actions[CHANNEL]
        self._chosen = {CHANNEL: api_action, COMPANY: new if self._may_switch else api_action}
        if self._may_switch:
            self._chosen[CHANNEL] = new if today() > RETIREMENT else old

    @classmethod
    def make_blank_ref(cls, options: Options, environ: Environ) -> dict[str, t.Any]:
        """Returns a ref without a task id. It has no ``edition``, since ``agent`` or ``operator`` tells which it is.

        :raises CloudError: ``config``, when ``edition`` is unknown or contradicts ``agent`` and ``operator``.
        """
        ref = super().make_blank_ref(options, environ)
        edition = ref.pop("edition", AUTO)
        if edition not in (AUTO, *EDITIONS):
            said = f"edition is {quoted(edition)}, which is no edition of Tencent ESS"
            raise CloudError("config", said, advice=f"give one of {', '.join((AUTO, *EDITIONS))}")
        given = [each.option for each in EDITIONS.values() if ref.get(each.option)]
        if len(given) > 1:
            raise CloudError(
                "config",
                f"{' and '.join(given)} are both given, and a cloud task of Tencent ESS belongs to one edition",
                advice=f"give agent for the edition {CHANNEL}, or operator for the edition {COMPANY}",
            )
        if edition != AUTO and given != [EDITIONS[edition].option]:
            wanted = EDITIONS[edition].option
            said = f"edition is {quoted(edition)}, and {f'{given[0]} is given' if given else f'{wanted} is missing'}"
            raise CloudError("config", said, advice=f"give {wanted} with this edition")
        return ref

    @classmethod
    def merge(cls, own: Options, defaults: Options) -> dict[str, t.Any]:
        """Returns the options of one cloud task. An item with ``agent`` drops a common ``operator``, and vice versa."""
        merged = super().merge(own, defaults)
        given = [each.option for each in EDITIONS.values() if each.option in own]
        if len(given) == 1:
            merged.update({each.option: None for each in EDITIONS.values() if each.option != given[0]})
        return merged

    def action_of(self, ref: Ref) -> str:
        """Returns the operation in use for a ref's edition.

        :raises CloudError: ``config``, when the edition does not have the operation that ``api_action`` names.
        """
        edition = edition_of(ref)
        action = self._chosen[edition]
        if action not in self.actions[edition]:
            said = f"api_action is {quoted(action)}, which the edition {edition} of Tencent ESS does not have"
            raise CloudError("config", said, advice=f"give {AUTO} or {self.actions[edition][1]}")
        return action

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """Returns members for the result: those of every service, and the operation in use."""
        return {**super().about(ref), "api_action": self.action_of(ref)}

    def memory(self) -> str | None:
        """Returns the operation in use for each edition, so that the next round need not find out which is retired."""
        return " ".join(self._chosen.values())

    def recall(self, memory: str | None) -> None:
        """Use the operations of an earlier round, unless the user has chosen one."""
        if memory and self._may_switch:
            self._chosen.update(zip(EDITIONS, memory.split()))

    @property
    def api_action(self) -> str:
        """The operation in use for the edition for third-party applications."""
        return self._chosen[CHANNEL]

    def vendor_url(self, ref: Ref) -> str:
        """Returns the base URL of the ref's edition."""
        return f"https://{EDITIONS[edition_of(ref)].service}.tencentcloudapi.com"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that polls a cloud task.

        :raises CloudError: see :meth:`act`.
        """
        return self.act(ref, {"TaskId": ref["task_id"]})

    def act(self, ref: Ref, params: t.Mapping[str, t.Any]) -> Request:
        """Returns the request for the operation in use, with the agent or operator of the ref.

        :raises CloudError: ``config``, when a required member of agent or operator is missing, or when the edition does
            not have the operation that ``api_action`` names.
        """
        edition, action = edition_of(ref), self.action_of(ref)
        product = (EDITIONS[edition].service, EDITIONS[edition].version)
        request = self.make_request(self.base_url(ref), action, {**behalf_of(ref), **params}, product=product)
        request.action = action
        return request

    def repairs(self) -> dict[str, t.Callable[[CloudError, Request], bool]]:
        """Returns the repairs of every Tencent service, and one that switches from a retired operation to the other."""
        return {**super().repairs(), "action": self._repair_action}

    def _repair_action(self, error: CloudError, request: Request) -> bool:
        if not (self._may_switch and _is_gone(error, request.action)):
            return False
        version = request.headers["X-TC-Version"]
        edition = next(name for name, each in EDITIONS.items() if each.version == version)
        if self._chosen[edition] == request.action:  # otherwise another poll has switched already
            old, new = self.actions[edition]
            self._chosen[edition] = new if request.action == old else old
        return True

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record and the response. ``TaskStatus`` alone decides.

        ``TaskMessage`` is prose, and the ``TaskId`` of the answer may differ from the one that was asked for.

        :raises CloudError: when the answer is an error, or when it does not tell the status.
        """
        response = self.response_of(answer)
        request_id = request_id_of(response)
        native = native_status(answer, response, "TaskStatus", request_id)
        status = STATUSES.get(native, UNKNOWN)
        if status == UNKNOWN and native.startswith("-") and native[1:].isdigit():
            status = FAILED
        error = None
        if status == FAILED:
            keyword, reason = FAILURES.get(native, (native, "unknown"))
            error = task_error(keyword, response.get("TaskMessage") or keyword, reason)
        resource = text_or_none(response.get("ResourceId"))
        outputs = [{"type": "ess_resource", "value": resource}] if resource and status == SUCCEEDED else []
        return make_record(ref, status, native, error=error, outputs=outputs, request_id=request_id), response


class EssStarts(Ess, Starter):
    """File conversions that can also be started. Their output is always a PDF."""

    actions: t.ClassVar[dict[str, tuple[str, str]]] = {
        CHANNEL: ("ChannelCreateConvertTaskApi", "CreateFileConvertTask"),
        COMPANY: ("CreateConvertTaskApi", "CreateFileConvertTask"),
    }
    rules: t.ClassVar[Rules] = {**RULES, "InvalidParameter.DataNotFound": GONE, "InvalidParameter.InvalidId": GONE}

    resource_id: str | None = None
    """Id of the file that was uploaded here; null before the upload."""

    upload_url = FILE_HOST
    """Base URL for uploads."""

    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """Returns the call that converts a file of this host, after an upload, or a file that was uploaded before.

        :raises CloudError: ``config``, when the options or the file break a rule of the vendor.
        """
        behalf_of(ref)
        src = options["src"]
        file = os.path.basename(src or "")
        name = options["resource_name"] or file
        if not name:
            raise CloudError("config", "resource_name is missing", advice="give the file's name with its suffix")
        check_length("resource_name", name, MAX_NAME)
        kind = options["resource_type"] or _type_of(name if "." in name else file or name)
        if src is not None:
            self.upload_url = self._find_upload_url(environ)
            if not (self.check_mode and not os.path.exists(src)):
                _check_file(src, kind, MAX_IMAGE[edition_of(ref)] if kind in IMAGES else MAX_FILE)

        def make_request() -> Request:
            if src is not None and self.resource_id is None:
                self.resource_id = self._upload(ref, src, name)
            resource = {"ResourceId": self.resource_id or options["resource_id"]}
            return self.act(ref, {"ResourceType": kind, "ResourceName": name, **resource})

        return PreparedCall(
            make_request,
            lambda answer: self.read_start(ref, answer),
            doubt=_uncertain.ESS,
            asked=lambda: {"ResourceType": kind, "ResourceName": name, **_source_of(options)},
        )

    def poller(self, options: Options, environ: Environ) -> Ess:
        """Returns the service that polls, whose operations are others."""
        poller = Ess(self.settings, self._credentials)
        poller._used = self._used
        return poller

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """Returns members for the result: also the id of the uploaded file, and its host if it is not the vendor's.

        ESS keeps uploaded files for an hour, so another start can use that id.
        """
        about = super().about(ref)
        if self.resource_id is not None:
            about["resource_id"] = self.resource_id
        if self.upload_url != FILE_HOST:
            hosts = dict.fromkeys(filter(None, (about.get("endpoint_host"), urlsplit(self.upload_url).netloc)))
            about["endpoint_host"] = ", ".join(hosts)
        return about

    def _find_upload_url(self, environ: Environ) -> str:
        given = environ.get(UPLOAD_VARIABLE)
        if given:
            check_endpoint(given, UPLOAD_VARIABLE)
        return (given or self.settings.endpoint or FILE_HOST).rstrip("/")

    def _upload(self, ref: Ref, src: str, name: str) -> str:
        """Upload a file and return its id. Uploading twice does no harm, so this may be repeated.

        :raises CloudError: when the file cannot be read or uploaded.
        """
        content = base64.b64encode(_read_file(src)).decode("ascii")
        files = [{"FileBody": content, "FileName": name}]
        edition = edition_of(ref)
        caller = behalf_of(ref) if edition == CHANNEL else {"Caller": {"OperatorId": operator_of(ref)}}
        params = {**caller, "BusinessType": "DOCUMENT", "FileInfos": files}
        product = (EDITIONS[edition].service, EDITIONS[edition].version)

        def make_request() -> Request:
            return self.make_request(self.upload_url, "UploadFiles", params, product=product)

        try:
            response = self.call(make_request, lambda answer: ({}, self.response_of(answer))).response
        except CloudError as error:
            raise error.within("the file could not be uploaded") from None
        ids = as_list(response.get("FileIds"))
        if not ids or not isinstance(ids[0], str):
            raise CloudError("protocol", "the file was uploaded, and the answer gave no id for it")
        return ids[0]


def edition_of(ref: Ref) -> str:
    """Returns the edition that a ref belongs to."""
    return COMPANY if ref.get("operator") else CHANNEL


def behalf_of(ref: Ref) -> dict[str, t.Any]:
    """Returns the parameter that names on whose behalf a request is made.

    :raises CloudError: ``config``, when a member is missing that the vendor's page requires.
    """
    if edition_of(ref) == CHANNEL:
        return {"Agent": agent_of(ref)}
    return {"Operator": {"UserId": operator_of(ref)}}


def operator_of(ref: Ref) -> str:
    """Returns the id of the employee who makes the request, in the company edition.

    :raises CloudError: ``config``, when the ref has none.
    """
    user_id = as_dict(ref.get("operator")).get("user_id")
    if not user_id:
        raise CloudError("config", "operator lacks user_id", advice="give the id of an employee of the company")
    return str(user_id)


def agent_of(ref: Ref) -> dict[str, t.Any]:
    """Returns the vendor's ``Agent``.

    :raises CloudError: ``config``, when one of the three members that the vendor's page requires is missing.
    """
    agent = as_dict(ref.get("agent"))
    open_id = as_dict(agent.get("proxy_operator")).get("open_id")
    wanted = {
        "app_id": agent.get("app_id"),
        "proxy_organization_open_id": agent.get("proxy_organization_open_id"),
        "proxy_operator.open_id": open_id,
    }
    missing = [name for name, value in wanted.items() if not value]
    if not agent:
        raise CloudError(
            "config",
            "neither agent nor operator is given",
            advice="give agent for a third-party application, or operator for an application of the company itself",
        )
    if missing:
        raise CloudError("config", f"agent lacks {', '.join(missing)}", advice="give agent with all three members")
    result = {
        "AppId": agent["app_id"],
        "ProxyOrganizationOpenId": agent["proxy_organization_open_id"],
        "ProxyOperator": {"OpenId": open_id},
    }
    if agent.get("proxy_app_id"):
        result["ProxyAppId"] = agent["proxy_app_id"]
    return result


def _is_gone(error: CloudError, action: str | None) -> bool:
    if error.code in ("InvalidAction", "ActionOffline"):
        return True
    return error.code == "UnsupportedOperation" and str(action) in (error.message or "")


def _type_of(name: str) -> str:
    suffix = os.path.splitext(name)[1][1:].lower()
    if suffix not in TYPES:
        what = f"the suffix {quoted(suffix, 40)}" if suffix else "no suffix"
        said = f"the file's name is {quoted(name)}, which has {what}"
        raise CloudError("config", said, advice=f"give resource_type, or a name that ends in one of {', '.join(TYPES)}")
    return suffix


def _check_file(path: str, kind: str, most: int) -> None:
    """Refuse a file that is not regular, not readable, empty or larger than ESS accepts.

    :param kind: type of the file, for the message.
    :param most: largest size in megabytes.
    :raises CloudError: ``config``.
    """
    try:
        about = os.stat(path)
    except (OSError, ValueError) as error:  # ValueError: the path has a null byte
        reason = getattr(error, "strerror", None) or "it is not the name of a file"
        advice = "give a file of the host that the Ansible task runs on"
        raise CloudError("config", f"src is {_shown(path)}, which cannot be used: {reason}", advice=advice) from None
    if not stat.S_ISREG(about.st_mode):
        raise CloudError("config", f"src is {_shown(path)}, which is not a regular file", advice="give a file")
    if not os.access(path, os.R_OK):
        said = f"src is {_shown(path)}, which the user that the Ansible task runs as may not read"
        raise CloudError("config", said, advice="let that user read it, or run the Ansible task as another")
    if not about.st_size:
        raise CloudError("config", f"src is {_shown(path)}, which is empty", advice="give a file with something in it")
    if about.st_size > most * MIB:
        size = f"{about.st_size / MIB:.1f} MB"
        advice = f"give one of at most {most} MB, which is what ESS takes of the type {kind}"
        raise CloudError("config", f"src is {_shown(path)}, which has {size}", advice=advice)


def _shown(path: str) -> str:
    return quoted(os.path.abspath(path), 300)


def _source_of(options: Options) -> dict[str, t.Any]:
    """Returns what tells a file from others: the id of an upload, or a digest of the content of a file.

    :raises CloudError: ``config``, when the file cannot be read.
    """
    if options["src"] is None:
        return {"ResourceId": options["resource_id"]}
    if not os.path.exists(options["src"]):  # only in check mode
        return {"sha256": None}
    return {"sha256": hashlib.sha256(_read_file(options["src"])).hexdigest()}


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        said = f"src is {_shown(path)}, which cannot be read: {error.strerror}"
        raise CloudError("config", said, advice="give a file that can be read") from None


__all__ = ["AUTO", "CHANNEL", "COMPANY", "NEW_ACTION", "OLD_ACTION", "TYPES", "Ess", "EssStarts"]
