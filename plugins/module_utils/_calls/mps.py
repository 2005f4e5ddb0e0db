# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: what a service can do besides being looked at.
"""Tencent MPS: starting, listing and aborting media tasks.

Sources: the vendor's pages of ``DescribeTasks`` and ``ManageTask``, the SDK ``mps.v20190612`` and the metadata of tccli
(``ProcessMedia``). The vendor makes no second cloud task of the same ``SessionId``: it refuses it, presumably with the
code ``InvalidParameterValue.SessionId``.
"""

from __future__ import annotations

import typing as t

from .. import _uncertain
from .._errors import CloudError, quoted
from .._providers.base import (
    Look,
    Options,
    Ref,
    Response,
    Rule,
    as_dict,
    secret_texts,
    text_or_none,
    without_nulls,
)
from .._providers.mps import RULES, MpsProvider
from .._status import PENDING, RUNNING, Record
from .._sweep import Page
from .._transport import Answer, Request
from .base import Call, Deed, Listed, Lister, Starter, check_length, check_range, pending_record, read_pages, utc

INPUTS = {"COS": "CosInputInfo", "URL": "UrlInputInfo", "AWS-S3": "S3InputInfo", "VOD": "VODInputInfo"}
"""The member of ``InputInfo`` that each ``Type`` needs."""

WORK = (
    "MediaProcessTask",
    "AiContentReviewTask",
    "AiAnalysisTask",
    "AiRecognitionTask",
    "AiQualityControlTask",
    "SmartSubtitlesTask",
    "SmartEraseTask",
    "AIDubbingTask",
    "ScheduleId",
    "Activities",
)
"""The members that name something to do; one of them must be there."""

MAX_SESSION_ID = 50
MAX_SESSION_CONTEXT = 1000
LIVE = "Live"  # what the vendor's words for cloud tasks of live streams begin with
DUPLICATE = "InvalidParameterValue.SessionId"
LISTS = ("WAITING", "PROCESSING", "FINISH")
"""The lists that the vendor keeps, in the order in which a cloud task goes through them: so none slips through."""


class MpsCalls(MpsProvider, Starter, Lister):
    """Media processing."""

    rules: t.ClassVar[t.Mapping[str, Rule]] = {
        **RULES,
        "InvalidParameterValue.NotProcessingTask": Rule("invalid", "wait for its end, MPS does not abort it any more"),
        "ResourceNotFound*": Rule("not_found", "check the task id or, of a start, the templates and the schedule"),
        DUPLICATE: Rule(
            "invalid", "a cloud task of this session_id exists: look for it with mps_task_list_info, or give another"
        ),
    }

    def prepare(self, ref: Ref, options: Options, environ: t.Mapping[str, str]) -> Deed:
        """A media task of any kind."""
        if options["session_id"] == "":
            said = "session_id is empty, so nothing would keep a second start from happening"
            raise CloudError("config", said, advice="give one, or leave the option out")
        session = {"SessionId": options["session_id"], "SessionContext": options["session_context"]}
        params = {**options["parameters"], **without_nulls(session)}
        self._used.update(dict.fromkeys(secret_texts(params)))  # also of what is refused
        _check(params)
        repeatable = bool(params.get("SessionId"))

        def make_request() -> Request:
            return self.call(self.base_url(ref), "ProcessMedia", params)

        return Deed(
            make_request,
            lambda answer: self._read_start(ref, answer),
            doubt=_uncertain.mps(repeatable=repeatable),
            repeatable=repeatable,
            certain=(DUPLICATE,),
        )

    def _read_start(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        response = self.response_of(answer)
        request_id = text_or_none(response.get("RequestId"))
        return pending_record(ref, response.get("TaskId"), answer, request_id), response

    def list_tasks(self, ref: Ref, options: Options, call: Call) -> t.Iterator[Listed]:
        """The media tasks of the account, out of one list a status; one that moves meanwhile comes once.

        Of those that are over the list does not say how they ended, so there is no record.
        """
        seen: set[str] = set()
        for status in (word for word in LISTS if word in options["statuses"]):
            for entry in self._read_list(ref, status, options, call):
                found = {**ref, "task_id": str(entry["TaskId"])}
                if found["task_id"] not in seen:
                    seen.add(found["task_id"])
                    record = self.listed_record(found, status, entry) if status in self.open_lists else None
                    yield Listed(found, record, {**entry, "Status": status})

    def _read_list(self, ref: Ref, status: str, options: Options, call: Call) -> t.Iterator[dict[str, t.Any]]:
        filters = {
            "Status": status,
            "SubTaskHasFailed": options["sub_task_has_failed"],
            "StartTime": utc(options, "start_time"),
            "EndTime": utc(options, "end_time"),
        }

        def fetch(token: str | None, size: int) -> Page:
            params = without_nulls({**filters, "Limit": size, "ScrollToken": token})
            return call(lambda: self.exchange(lambda: self.list_request(params), self.page_of)[0])

        return read_pages(fetch, options["limit"])

    def prepare_abort(self, ref: Ref, look: Look) -> Deed:
        """The end of a cloud task before its time; the answer says nothing of it.

        :param look: a look at it, just now.
        :raises CloudError: ``invalid``, when the vendor does not abort it any more.
        """
        status, kind = look.record["status"], look.response.get("TaskType")
        if status != PENDING and not (status == RUNNING and str(kind).startswith(LIVE)):
            raise CloudError(
                "invalid",
                f"its status is {status}, and MPS aborts cloud tasks only while they wait (live streams also while "
                "they run)",
                advice="wait for its end",
            )
        params = {"OperationType": "Abort", "TaskId": ref["task_id"]}
        return Deed(
            lambda: self.call(self.base_url(ref), "ManageTask", params),
            lambda answer: ({}, self.response_of(answer)),
            doubt=_uncertain.MPS_ABORT,
        )


def _check(params: dict[str, t.Any]) -> None:
    """What the vendor would refuse.

    :raises CloudError: ``config``.
    """
    source = as_dict(params.get("InputInfo"))
    kind = source.get("Type")
    if not isinstance(kind, str) or kind not in INPUTS:
        said = "is missing" if kind is None else f"is {quoted(kind)}, which the vendor does not know"
        raise CloudError("config", f"parameters.InputInfo.Type {said}", advice=f"give one of {', '.join(INPUTS)}")
    member = INPUTS[kind]
    if not as_dict(source.get(member)):
        said = f"parameters.InputInfo.{member} is missing, and Type is {quoted(kind)}"
        raise CloudError("config", said, advice=f"give {member}, or the Type of what is given")
    if kind == "URL" and not as_dict(params.get("OutputStorage")):
        said = 'parameters.OutputStorage is missing, and parameters.InputInfo.Type is "URL"'
        raise CloudError("config", said, advice="say where the output goes")
    if not any(params.get(name) for name in WORK):
        raise CloudError("config", "parameters names nothing to do", advice=f"give one of {', '.join(WORK)}")
    folder = params.get("OutputDir")
    if folder is not None and not (str(folder).startswith("/") and str(folder).endswith("/")):
        said = f"parameters.OutputDir is {quoted(folder)}, which does not begin and end with a slash"
        raise CloudError("config", said, advice="give a folder such as /out/")
    if isinstance(params.get("TasksPriority"), int):
        check_range(params, "TasksPriority", -10, 10)
    check_length("session_id", text_or_none(params.get("SessionId")), MAX_SESSION_ID)
    check_length("session_context", text_or_none(params.get("SessionContext")), MAX_SESSION_CONTEXT)


__all__ = ["LISTS", "MpsCalls"]
