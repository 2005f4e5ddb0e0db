# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: what a service can do besides being looked at.
"""DingTalk: copying a document.

Sources: the vendor's page of ``CopyDoc`` (which wants the token of a user), the SDK ``doc_2_0`` (``CopyDocWithAppAuth``,
for which no page was found, and the answer of both).
"""

from __future__ import annotations

import json
import typing as t

from .. import _uncertain
from .._credentials import dingtalk_user
from .._errors import CloudError
from .._providers.base import Options, Ref, Response, Settings, as_dict, text_or_none
from .._providers.dingtalk_doc import DingTalkDocProvider, decode, request_id_of
from .._status import SUCCEEDED, Record, make_record
from .._transport import Answer, Request
from .base import Deed, Starter, new_id, pending_record

USER_PATH = "/v2.0/doc/dentries/copy"
APP_PATH = "/v2.0/doc/app/dentries/copy"
MEMBERS = {
    "sourceDentryUuid": "source_dentry_uuid",
    "targetParentDentryUuid": "target_parent_dentry_uuid",
    "targetPreDentryUuid": "target_pre_dentry_uuid",
}
"""The vendor's name of each of our options."""


class DingTalkDocCalls(DingTalkDocProvider, Starter):
    """Documents of DingTalk, as a user or as an app."""

    @classmethod
    def create(cls, settings: Settings, options: Options, environ: t.Mapping[str, str]) -> DingTalkDocCalls:
        """With the token of a user, which an app's never replaces; with the app's when there is an operator."""
        if options["operator_id"] == "":
            raise CloudError("config", "operator_id is empty", advice="give it to copy as an app, or leave it out")
        if options["operator_id"]:
            return t.cast(DingTalkDocCalls, super().create(settings, options, environ))
        return cls(settings, dingtalk_user(options, environ))

    def prepare(self, ref: Ref, options: Options, environ: t.Mapping[str, str]) -> Deed:
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
            return self.call("POST", ref, path, body=body)

        return Deed(
            make_request,
            lambda answer: _read(ref, answer),
            doubt=_uncertain.DINGTALK_DOC,
        )


def _read(ref: Ref, answer: Answer) -> tuple[Record, Response]:
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


__all__ = ["DingTalkDocCalls"]
