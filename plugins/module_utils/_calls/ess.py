# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: what a service can do besides being looked at.
"""Tencent ESS: uploading a file and starting its conversion to PDF, in both editions.

Sources: the SDK ``essbasic.v20210526`` and the metadata of tccli (parameters, limits, the file host). The vendor retires
``ChannelCreateConvertTaskApi`` on 2026-12-31; ``CreateFileConvertTask`` takes its place with the same fields. The SDK
``ess.v20201111`` for the company edition, whose uploads go to the same host by a ``Caller`` in place of an ``Agent``.
"""

from __future__ import annotations

import base64
import os
import stat
import typing as t
from urllib.parse import urlsplit

from .. import _uncertain
from .._errors import CloudError, quoted
from .._providers.base import Options, Ref, Response, Rule, Rules, as_list, text_or_none
from .._providers.ess import (
    CHANNEL,
    COMPANY,
    EDITIONS,
    RULES,
    EssProvider,
    behalf_of,
    edition_of,
    operator_of,
)
from .._status import Record
from .._transport import Answer, Request, check_endpoint
from .base import Deed, Starter, check_length, pending_record

FILE_HOST = "https://file.ess.tencent.cn"
UPLOAD_VARIABLE = "CLOUDWAIT_ESS_UPLOAD_ENDPOINT"
MIB = 1024 * 1024
IMAGES = ("jpg", "jpeg", "png", "bmp")
TYPES = ("doc", "docx", "xls", "xlsx", *IMAGES, "html", "txt")
MAX_IMAGE = {CHANNEL: 8, COMPANY: 5}
MAX_FILE = 60
"""Megabytes that an upload may have, images by edition."""

MAX_NAME = 256
GONE = Rule("invalid", "check resource_id; ESS keeps what was uploaded for an hour")


class EssCalls(EssProvider, Starter):
    """File conversion in Tencent ESS; what it makes is always a PDF."""

    actions: t.ClassVar[dict[str, tuple[str, str]]] = {
        CHANNEL: ("ChannelCreateConvertTaskApi", "CreateFileConvertTask"),
        COMPANY: ("CreateConvertTaskApi", "CreateFileConvertTask"),
    }
    rules: t.ClassVar[Rules] = {**RULES, "InvalidParameter.DataNotFound": GONE, "InvalidParameter.InvalidId": GONE}

    resource_id: str | None = None
    """What was uploaded here."""

    upload_url = FILE_HOST
    """Where files go."""

    def prepare(self, ref: Ref, options: Options, environ: t.Mapping[str, str]) -> Deed:
        """A conversion of a file on this host, or of one that was uploaded before."""
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

        return Deed(
            make_request,
            lambda answer: self._read_start(ref, answer),
            doubt=_uncertain.ESS,
        )

    def about(self, ref: Ref) -> dict[str, t.Any]:
        """What was uploaded, too, which ESS keeps for an hour; and the host that it went to."""
        about = super().about(ref)
        if self.resource_id is not None:
            about["resource_id"] = self.resource_id
        if self.upload_url != FILE_HOST:
            hosts = dict.fromkeys(filter(None, (about.get("endpoint_host"), urlsplit(self.upload_url).netloc)))
            about["endpoint_host"] = ", ".join(hosts)
        return about

    def _find_upload_url(self, environ: t.Mapping[str, str]) -> str:
        given = environ.get(UPLOAD_VARIABLE)
        if given:
            check_endpoint(given, UPLOAD_VARIABLE)
        return (given or self.settings.endpoint or FILE_HOST).rstrip("/")

    def _upload(self, ref: Ref, src: str, name: str) -> str:
        """Sending a file twice harms nobody, so this may be repeated."""
        content = base64.b64encode(_read_file(src)).decode("ascii")
        files = [{"FileBody": content, "FileName": name}]
        edition = edition_of(ref)
        caller = behalf_of(ref) if edition == CHANNEL else {"Caller": {"OperatorId": operator_of(ref)}}
        params = {**caller, "BusinessType": "DOCUMENT", "FileInfos": files}
        product = (EDITIONS[edition].service, EDITIONS[edition].version)

        def make_request() -> Request:
            return self.call(self.upload_url, "UploadFiles", params, product=product)

        try:
            response = self.ask(make_request, lambda answer: ({}, self.response_of(answer))).response
        except CloudError as error:
            error.said = f"the file could not be uploaded: {error.said}"
            raise
        ids = as_list(response.get("FileIds"))
        if not ids or not isinstance(ids[0], str):
            raise CloudError("protocol", "the file was uploaded, and the answer gave no id for it")
        return ids[0]

    def _read_start(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        response = self.response_of(answer)
        request_id = text_or_none(response.get("RequestId"))
        return pending_record(ref, response.get("TaskId"), answer, request_id), response


def _type_of(name: str) -> str:
    suffix = os.path.splitext(name)[1][1:].lower()
    if suffix not in TYPES:
        what = f"the suffix {quoted(suffix, 40)}" if suffix else "no suffix"
        said = f"the file's name is {quoted(name)}, which has {what}"
        raise CloudError("config", said, advice=f"give resource_type, or a name that ends in one of {', '.join(TYPES)}")
    return suffix


def _check_file(path: str, kind: str, most: int) -> None:
    """A regular file of a size that ESS takes.

    :param most: megabytes.
    :raises CloudError: ``config``.
    """
    try:
        about = os.stat(path)
    except (OSError, ValueError) as error:  # the latter for a null byte, say
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


def _read_file(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        said = f"src is {_shown(path)}, which cannot be read: {error.strerror}"
        raise CloudError("config", said, advice="give a file that can be read") from None


__all__ = ["TYPES", "EssCalls"]
