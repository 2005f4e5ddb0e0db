# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent MPS: media tasks, and how to start, list and abort them.

Sources: the vendor's pages of ``DescribeTaskDetail`` (statuses, sample), ``DescribeTasks`` and ``ManageTask``, the SDK
``mps.v20190612`` (every nested place with a status) and the metadata of tccli (``ProcessMedia``).

``FINISH`` means that a cloud task has ended, not that it succeeded: its sub-tasks tell. They are recognized by their
shape, so that kinds which the vendor adds later count, too. Below, a sub-task is a part, and a part without parts below
it is a leaf.

The vendor refuses a second cloud task with the same ``SessionId``, presumably with the code
``InvalidParameterValue.SessionId``.
"""

from __future__ import annotations

import functools
import typing as t

from .. import _uncertain
from .._credentials import TencentCredentials
from .._errors import CloudError, quoted
from .._record import FAILED, PARTIAL, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._secrecy import MAX_DEPTH, redact, secrets_of
from .._transport import Answer, Request
from ._api3 import COMMON_RULES, Api3Service, request_id_of
from .answers import (
    Rule,
    Rules,
    as_dict,
    as_list,
    iso_time,
    lacks_member,
    named_id,
    native_status,
    odd_member,
    percent,
    task_error,
    text_or_none,
    whole_number,
    without_nulls,
)
from .base import Environ, Listed, Lists, Options, Page, Poll, Ref, Response, Settings
from .starts import (
    DAY,
    Aborter,
    PreparedCall,
    Retry,
    Starter,
    Taken,
    check_callback_url,
    check_length,
    check_range,
    list_tasks,
    path_of,
    utc,
)

STATUSES: dict[str, str] = {
    "WAITING": PENDING,
    "PROCESSING": RUNNING,
    "FINISH": SUCCEEDED,
}
"""Statuses of the whole cloud task. ``FINISH`` is ``succeeded`` only if the sub-tasks say so, too."""

PART_STATUSES: dict[str, str] = {
    "WAITING": PENDING,
    "PROCESSING": RUNNING,
    "SUCCESS": SUCCEEDED,
    "FINISH": SUCCEEDED,
    "FAIL": FAILED,
    "ERROR": FAILED,
}
"""Statuses of a sub-task, compared in capitals, since subtitle results write ``Success`` and ``Error``."""

REASONS: dict[str, str] = {
    "SourceFileError.DownloadNotAccessible": "download",
    "SourceFileError": "source",
    "InvalidInput": "source",
    "InternalError": "processing",
}
"""Our reason for each prefix of ``ErrCodeExt``; the first match counts."""

SOURCE_AT_FAULT = ("WorkflowTask", "ScheduleTask", "LiveScheduleTask")
"""Containers whose own ``ErrCode`` means, according to the SDK, that the source is at fault."""

CONTAINERS = (
    "WorkflowTask",
    "EditMediaTask",
    "LiveStreamProcessTask",
    "ScheduleTask",
    "LiveScheduleTask",
    "ExtractBlindWatermarkTask",
)
"""Containers: the members of an answer of which one holds the result of the cloud task."""

NO_POLL = ("BatchTaskEvent",)
"""Members of a callback with a ``TaskId`` that ``DescribeTaskDetail`` does not poll."""

WITHOUT_CONTAINER = ("EvaluationTask",)
"""Values of ``TaskType`` for which the vendor documents no container."""

WITHOUT_PART = ("CoverBySnapshot",)
"""Values of ``Type``, in an entry of a list of sub-tasks, for which the vendor documents no member with a status."""

OBJECTS = frozenset({"AiQualityControlTaskResult", "SmartEraseTaskResult", "AiDubbingTaskResult", "SubtitleInfo"})
ARRAYS = frozenset({"SmartSubtitlesTaskResult", "SubtitleResults", "RecognizeSubtitleResult", "TransSubtitleResult"})
"""Members that hold sub-tasks, besides those whose names end in ``Task``, ``ResItem`` or ``ResultSet``."""

OPEN = (PENDING, RUNNING)
NOT_PARTS = frozenset({"InputInfo", "MetaData", "TaskNotifyConfig", "Input"})
STORAGE_TYPES = {"COS": "cos_object", "AWS-S3": "s3_object", "VOD": "vod_file"}

USER_RULE = Rule("permission", "open the media processing service for this account, or use another account")
GONE_RULE = Rule(
    "not_found", "check the task id and the site; MPS keeps cloud tasks for 7 days (3 on the international site)"
)
RULES: Rules = {
    **COMMON_RULES,
    "InvalidParameterValue.NotProcessingTask": Rule("invalid", "wait for its end, MPS does not abort it any more"),
    "FailedOperation.InvalidMpsUser": USER_RULE,
    "FailedOperation.InvalidUser": USER_RULE,
    "FailedOperation.TaskNotFound": GONE_RULE,
    "FailedOperation.UserArrears": Rule("permission", "settle the account with the vendor"),
    "InvalidParameterValue.TaskId": GONE_RULE,
    "LimitExceeded.CreateTask": Rule(
        "throttled", "nothing was started: start it when others of the account's cloud tasks have ended"
    ),
    "InvalidParameterValue.UserUnRegister": USER_RULE,
    "ResourceNotFound*": GONE_RULE,
    "ResourceNotFound.UserUnregister": USER_RULE,
}

INPUTS = {"COS": "CosInputInfo", "URL": "UrlInputInfo", "AWS-S3": "S3InputInfo", "VOD": "VODInputInfo"}
"""Member of ``InputInfo`` that each ``Type`` needs."""

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
"""Parameters that name work to do; at least one of them is required."""

MAX_SESSION_ID = 50
MAX_SESSION_CONTEXT = 1000
LIVE = "Live"  # prefix of TaskType for live streams
DUPLICATE = "InvalidParameterValue.SessionId"
NOTIFY = "TaskNotifyConfig"  # does not change what is made
REMEMBERS = 2.5 * DAY
"""For how long a second start of a session is surely refused. The vendor's pages say three days, and seven."""

LISTS = ("WAITING", "PROCESSING", "FINISH")
"""The vendor's lists, in the order in which a cloud task moves through them, so that reading them all misses none."""


class Mps(Api3Service, Lists, Aborter):
    """Media tasks of Tencent MPS."""

    word = "mps"
    title = "Tencent MPS"
    ref_keys = ("site", "profile")
    service = "mps"
    version = "2019-06-12"
    statuses = STATUSES
    rules = RULES
    own_options = ("http_method",)
    list_keys = ("site", "profile")
    open_lists: t.ClassVar[t.Mapping[str, Options]] = {name: {"Status": name} for name in ("PROCESSING", "WAITING")}
    rate = 50.0
    keeps = "7 days (3 on the international site)"

    def __init__(self, settings: Settings, credentials: TencentCredentials, *, http_method: str = "POST") -> None:
        super().__init__(settings, credentials)
        self._http_method = http_method

    @classmethod
    def named_in_callback(cls, content: Options) -> t.Iterator[dict[str, str]]:
        """Yields the ids in the members of a callback that hold a container, and that of a callback of a live stream.

        What the API action ``ParseNotification`` returns is the same within ``Response``.
        """
        inner = as_dict(content.get("Response", content))
        named = [
            as_dict(member).get("TaskId")
            for name, member in inner.items()
            if str(name).endswith(("TaskEvent", "Task")) and name not in NO_POLL
        ]
        named += [inner.get("TaskId")] if "NotificationType" in inner else []
        for task_id in filter(None, map(named_id, named)):
            yield {"task_id": task_id}

    def vendor_url(self, ref: Ref) -> str:
        """Returns the base URL of the site."""
        return f"https://mps.{'intl.' if self.settings.site == 'intl' else ''}tencentcloudapi.com"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """Returns the request that polls a cloud task.

        :raises CloudError: when a profile or the metadata service has no keys.
        """
        params = {"TaskId": ref["task_id"]}
        return self.make_request(self.base_url(ref), "DescribeTaskDetail", params, method=self._http_method)

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """Returns the record and the response. The sub-tasks decide the status once the vendor says that it has ended.

        :raises CloudError: when the answer is an error, or when it does not tell the status.
        """
        response = self.response_of(answer)
        request_id = request_id_of(response)
        native = native_status(answer, response, "Status", request_id)
        kind, container = _container(response)
        if STATUSES.get(native) == SUCCEEDED:
            _check_end(response, kind, container, answer)
        leaves = _leaves(container)
        status = STATUSES.get(native, UNKNOWN)
        if status == SUCCEEDED:
            status = _verdict(kind, container, leaves)
        record = make_record(
            ref,
            status,
            native,
            progress=_progress(leaves),
            counts=_counts(leaves),
            error=_error(status, kind, container, leaves),
            parts=leaves,
            outputs=list(_find_outputs(container)),
            created_at=iso_time(response.get("CreateTime")),
            started_at=iso_time(response.get("BeginProcessTime")),
            finished_at=iso_time(response.get("FinishTime")),
            request_id=request_id,
        )
        return record, response

    # --- lists ---

    def list_filters(self, options: Options) -> t.Iterator[tuple[str, Options]]:
        """Yields the list of each wanted status, in the order in which a cloud task moves through them.

        :raises CloudError: ``config``, when ``start_time`` or ``end_time`` is not a time.
        """
        filters = {
            "SubTaskHasFailed": options["sub_task_has_failed"],
            "StartTime": utc(options, "start_time"),
            "EndTime": utc(options, "end_time"),
        }
        for name in (word for word in LISTS if word in options["statuses"]):
            yield name, {"Status": name, **filters}

    def watch_filters(self, options: Options, since: str) -> t.Iterator[tuple[str, Options]]:
        """Yields the lists of both open statuses, and that of cloud tasks that have ended since."""
        for name in LISTS:
            yield name, {"Status": name, "StartTime": None if name in self.open_lists else since}

    def list_request(self, ref: Ref, filters: Options, *, token: str | None, size: int) -> Request:
        """Returns the request for one page of the media tasks of the account."""
        params = without_nulls({**filters, "Limit": size, "ScrollToken": token})
        return self.make_request(self.base_url({}), "DescribeTasks", params)

    def read_page(self, answer: Answer) -> Page:
        """Returns the page. Entries without an id are left out."""
        response = self.response_of(answer)
        entries = [entry for entry in as_list(response.get("TaskSet")) if as_dict(entry).get("TaskId")]
        token, total = text_or_none(response.get("ScrollToken")), whole_number(response.get("TotalCount"))
        return Page({str(entry["TaskId"]): entry for entry in entries}, token, total)

    def listed(self, ref: Ref, name: str, entry: dict[str, t.Any]) -> Listed:
        """Returns a cloud task, with a record only while it is unfinished: lists do not tell how others ended.

        Entries have no status of their own; the name of the list is their status.
        """
        record = None
        if name in self.open_lists:
            created, started = iso_time(entry.get("CreateTime")), iso_time(entry.get("BeginProcessTime"))
            record = make_record(ref, STATUSES[name], name, created_at=created, started_at=started)
        return Listed(dict(ref), record, {**entry, "Status": name})

    def prepare_abort(self, ref: Ref, poll: Poll) -> PreparedCall:
        """Returns the call that aborts a cloud task. Its answer tells nothing about the cloud task.

        :param poll: the result of a poll that was made just before.
        :raises CloudError: ``invalid``, when the vendor no longer aborts the cloud task.
        """
        status, kind = poll.record["status"], poll.response.get("TaskType")
        if status != PENDING and not (status == RUNNING and str(kind).startswith(LIVE)):
            raise CloudError(
                "invalid",
                f"its status is {status}, and MPS aborts cloud tasks only while they wait (live streams also while "
                "they run)",
                advice="wait for its end",
            )
        params = {"OperationType": "Abort", "TaskId": ref["task_id"]}
        return PreparedCall(
            lambda: self.make_request(self.base_url(ref), "ManageTask", params),
            lambda answer: ({}, self.response_of(answer)),
            doubt=_uncertain.MPS_ABORT,
        )


class MpsStarts(Mps, Starter):
    """Media tasks that can also be started."""

    rules: t.ClassVar[Rules] = {
        **RULES,
        "ResourceNotFound*": Rule("not_found", "check the task id or, of a start, the templates and the schedule"),
        DUPLICATE: Rule(
            "invalid",
            "a cloud task of this session_id exists: look for it with mps_task_list_info, or give another session_id (with "
            "a ledger and no session_id, another idempotency_key)",
        ),
    }

    def prepare(self, ref: Ref, options: Options, environ: Environ) -> PreparedCall:
        """Returns the call that starts a media task of any kind.

        :raises CloudError: ``config``, when the options break a rule of the vendor.
        """
        if options["session_id"] == "":
            said = "session_id is empty, so nothing would keep a second start from happening"
            raise CloudError("config", said, advice="give one, or leave the option out")
        session = {"SessionId": options["session_id"], "SessionContext": options["session_context"]}
        params = {**options["parameters"], **without_nulls(session), **_callback(options)}
        self._used.update(dict.fromkeys(secrets_of(params)))  # before the checks, so that messages hide them, too
        _check(params)
        repeatable = bool(params.get("SessionId"))

        def make_request() -> Request:
            return self.make_request(self.base_url(ref), "ProcessMedia", params)

        return PreparedCall(
            make_request,
            lambda answer: self.read_start(ref, answer),
            doubt=_uncertain.mps(repeatable=repeatable),
            repeatable=repeatable,
            certain=(DUPLICATE,),
            asked=lambda: _without_queries(redact({name: value for name, value in params.items() if name != NOTIFY})),
            remembers=REMEMBERS,
            find=functools.partial(self._find, ref, params),
            lists=(3 if self.settings.site == "intl" else 7) * DAY,
        )

    def marked(self, options: Options, mark: str, attempt: int) -> Options:
        """Returns the options with the mark as session id, unless the user has given one.

        The vendor refuses a second start of a session, so that later attempts add their number to the user's one.
        """
        own = options["session_id"] or options["parameters"].get("SessionId")
        if own and attempt > 1:
            numbered = f"{own}-{attempt}"
            own = numbered if len(numbered) <= MAX_SESSION_ID else mark
        return {**options, "session_id": own or mark}

    def _find(self, ref: Ref, params: Options, since: str, known: t.Container[str], retry: Retry) -> t.Iterator[Poll]:
        """Yields the cloud task that a start with these parameters has made: the one of its session and input.

        Lists do not tell the session, so each candidate is polled.

        :raises Taken: when others have used the session for other work.
        """
        filters = {"statuses": LISTS, "start_time": since}
        nulls = dict.fromkeys(("end_time", "sub_task_has_failed", "limit"))
        for listed in list_tasks(self, ref, {**filters, **nulls}, retry):
            if listed.ref["task_id"] in known:
                continue
            try:
                poll = retry(functools.partial(self.poll, listed.ref))
            except CloudError as error:
                if error.kind != "not_found":
                    raise
                continue  # lists go further back than polls on the international site
            if poll.response.get("SessionId") == params.get("SessionId"):
                if _has_input(poll.response, params) and _has_templates(poll.response, params):
                    yield poll
                elif not _has_url(poll.response, params):  # in which form the vendor repeats a URL is not documented
                    raise Taken(
                        f"the media task {quoted(listed.ref['task_id'])}, which does other work, has used the session_id "
                        f"{quoted(params['SessionId'])}, so that nothing was started",
                        advice="give another session_id, or another idempotency_key if session_id is not given",
                    )
                return


def _without_queries(value: t.Any) -> t.Any:
    """Returns a copy in which no member ``Url`` has a query, which may be another signature each time."""
    if isinstance(value, dict):
        return {
            name: path_of(member) if name == "Url" and isinstance(member, str) else _without_queries(member)
            for name, member in value.items()
        }
    return [_without_queries(member) for member in value] if isinstance(value, list) else value


def _has_input(response: Response, params: Options) -> bool:
    """Returns whether a cloud task has the input of a start, as far as both are told in plain values."""
    wanted = _without_queries(redact(as_dict(params.get("InputInfo"))))  # as in the response
    told = _without_queries(as_dict(_container(response)[1].get("InputInfo")))
    pairs = [(told.get("Type"), wanted.get("Type"))]
    for member in INPUTS.values():
        inner = as_dict(told.get(member))
        pairs += [(inner.get(name), value) for name, value in as_dict(wanted.get(member)).items()]
    plain = [pair for pair in pairs if all(isinstance(value, (str, int)) and value != "" for value in pair)]
    return all(str(one).strip("/") == str(other).strip("/") for one, other in plain)


def _has_url(response: Response, params: Options) -> bool:
    """Returns whether the inputs of a cloud task and of a start are both URLs."""
    inputs = (params.get("InputInfo"), _container(response)[1].get("InputInfo"))
    return all(as_dict(each).get("Type") == "URL" for each in inputs)


def _has_templates(response: Response, params: Options) -> bool:
    """Returns whether a cloud task transcodes with the templates of a start, as far as both are told by number.

    The vendor tells neither the folder nor the bucket of the output before there is one.
    """
    wanted = as_list(as_dict(params.get("MediaProcessTask")).get("TranscodeTaskSet"))
    parts = [as_dict(part) for part in as_list(_container(response)[1].get("MediaProcessResultSet"))]
    told = [as_dict(as_dict(part.get("TranscodeTask")).get("Input")) for part in parts]
    numbers, others = (
        {str(as_dict(one).get("Definition") or "") for one in some} - {"", "0"} for some in (wanted, told)
    )
    return not numbers or not others or numbers == others


# --- Status of the whole -------------------------------------------------------------------------------------------


def _container(response: Response) -> tuple[str, dict[str, t.Any]]:
    """Returns name and content of the container that is filled; empty content if there is none, as for evaluations.

    ``TaskType`` is not always the name of the container.
    """
    filled = {
        name: value for name, value in response.items() if isinstance(value, dict) and value and name not in NOT_PARTS
    }
    wanted = str(response.get("TaskType") or "")
    with_status = [name for name, value in filled.items() if "Status" in value]
    for name in (wanted, f"{wanted}Task", *with_status, *filled):
        if name in filled:
            return name, filled[name]
    return wanted, {}


def _check_end(response: Response, kind: str, container: dict[str, t.Any], answer: Answer) -> None:
    """Refuse an answer with ``FINISH`` whose container cannot be read, so that it never counts as a success.

    :raises CloudError: ``protocol``.
    """
    request_id, task_type = request_id_of(response), str(response.get("TaskType") or "")
    for name in (*CONTAINERS, task_type, f"{task_type}Task"):
        if not isinstance(response.get(name), (dict, type(None))) and name != "TaskType":
            raise odd_member(answer, name, response[name], request_id)
    if not container:
        if {task_type, f"{task_type}Task"} & set(CONTAINERS):
            raise lacks_member(answer, task_type, request_id)
        return
    status, code = container.get("Status"), container.get("ErrCode")
    if status is None or status == "":
        raise lacks_member(answer, f"{kind}.Status", request_id)
    if not isinstance(status, str):
        raise odd_member(answer, f"{kind}.Status", status, request_id)
    if code is not None and whole_number(code) is None:
        raise odd_member(answer, f"{kind}.ErrCode", code, request_id)
    _check_places(kind, container, answer, request_id)
    if code is None and not _leaves(container):
        raise lacks_member(answer, f"{kind}.ErrCode", request_id)


def _check_places(where: str, value: t.Any, answer: Answer, request_id: str | None, depth: int = 0) -> None:
    """Refuse values of a wrong type where sub-tasks belong, at any depth.

    :param where: path of ``value`` in the answer, for the message.
    :raises CloudError: ``protocol``.
    """
    for name, member in as_dict(value).items() if depth <= MAX_DEPTH else ():
        if name in NOT_PARTS or member is None:
            continue
        place = f"{where}.{name}"
        if not isinstance(member, _shape_of(name)):
            raise odd_member(answer, place, member, request_id)
        for number, entry in enumerate(as_list(member)):
            if _shape_of(name) == (list,) and not isinstance(entry, dict):
                raise odd_member(answer, f"{place}[{number}]", entry, request_id)
            _check_places(place, entry, answer, request_id, depth + 1)


@functools.lru_cache(maxsize=256)
def _shape_of(name: str) -> tuple[type, ...]:
    """Returns the types that a member of this name may have, besides null."""
    if name in ARRAYS or name.endswith("ResultSet"):
        return (list,)
    if name in OBJECTS or name.endswith(("Task", "ResItem")):
        return (dict,)
    return (dict, list) if name == "Output" or name.endswith("TaskResult") else (object,)


def _container_failed(container: dict[str, t.Any]) -> bool:
    code = whole_number(container.get("ErrCode"))
    return bool(code) or _part_status(container.get("Status")) == FAILED


def _verdict(kind: str, container: dict[str, t.Any], leaves: list[dict[str, t.Any]]) -> str:
    """Returns the status that ``FINISH`` stands for, given a container and its leaves."""
    if not container:
        return SUCCEEDED if kind in WITHOUT_CONTAINER else UNKNOWN
    statuses = [leaf["status"] for leaf in leaves]
    bad = statuses.count(FAILED)
    if _container_failed(container) or (bad and bad == len(statuses)):
        return FAILED
    if _part_status(container.get("Status")) in OPEN or any(status in OPEN for status in statuses):
        return RUNNING
    if bad:
        return PARTIAL
    odd = _part_status(container["Status"]) == UNKNOWN or UNKNOWN in statuses
    return UNKNOWN if odd else SUCCEEDED


def _error(
    status: str, kind: str, container: dict[str, t.Any], leaves: list[dict[str, t.Any]]
) -> dict[str, t.Any] | None:
    """Returns the error of the container, else of the first failed part, with the number of failed parts.

    Null unless ``status`` is ``failed`` or ``partial``.
    """
    if status not in (FAILED, PARTIAL):
        return None
    bad = [leaf for leaf in leaves if leaf["status"] == FAILED]
    code = whole_number(container.get("ErrCode")) or None
    if code or not bad:
        return task_error(code, container.get("Message"), "source" if code and kind in SOURCE_AT_FAULT else "unknown")
    first = bad[0]["error"]
    message = f"{bad[0]['kind']}: {first['message'] or first['code'] or 'failed'}"
    if len(leaves) > 1:
        message = f"{len(bad)} of {len(leaves)} parts failed, the first is {message}"
    return {**first, "message": message}


def _counts(leaves: list[dict[str, t.Any]]) -> dict[str, int | None] | None:
    if not leaves:
        return None
    statuses = [leaf["status"] for leaf in leaves]
    return {"total": len(statuses), "succeeded": statuses.count(SUCCEEDED), "failed": statuses.count(FAILED)}


def _progress(leaves: list[dict[str, t.Any]]) -> int | None:
    """Returns the mean progress of the parts; null unless each part has ended or tells its progress."""
    numbers = [100 if leaf["status"] in (SUCCEEDED, FAILED) else leaf["progress"] for leaf in leaves]
    if not numbers or any(number is None for number in numbers):
        return None
    return sum(numbers) // len(numbers)


# --- Parts, recognized by their shape ------------------------------------------------------------------------------


def _part_status(word: t.Any) -> str:
    return PART_STATUSES.get(word.strip().upper(), UNKNOWN) if isinstance(word, str) else UNKNOWN


def _is_part(value: dict[str, t.Any], inside_output: bool) -> bool:
    """Returns whether an object has the shape of a part, with or without a readable status."""
    if any(name in value for name in ("ErrCode", "ErrCodeExt")):
        return True
    return "Status" in value and (inside_output or "Message" in value)


def _leaves(container: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    return [leaf for name, member in container.items() for leaf in _entries(name, member)]


def _entries(name: str, member: t.Any) -> list[dict[str, t.Any]]:
    """Returns the leaves in a member of the container.

    An entry of a list of sub-tasks in which no part is found counts as a part of unknown status, except where its
    ``Type`` is in ``WITHOUT_PART``.
    """
    if _shape_of(name) != (list,):
        return _walk(name, member, name == "Output", 0)
    leaves = []
    for entry in map(as_dict, as_list(member)):
        found = _walk(name, entry, False, 0)
        kind = text_or_none(entry.get("Type") or entry.get("ActivityType")) or name
        leaves += found or ([] if kind in WITHOUT_PART else [_part(kind, UNKNOWN, {})])
    return leaves


def _walk(kind: str, value: t.Any, inside_output: bool, depth: int) -> list[dict[str, t.Any]]:
    """Returns the leaves in and below a value.

    A part with parts below it is added as well when its own status says more than theirs: it failed or still runs and
    none of them does, or its status is unknown and all of them succeeded.
    """
    if kind in NOT_PARTS or depth > MAX_DEPTH:
        return []
    if isinstance(value, list):
        return [leaf for member in value for leaf in _walk(kind, member, inside_output, depth + 1)]
    if not isinstance(value, dict):
        return []
    leaves = [
        leaf
        for name, member in value.items()
        if isinstance(member, (dict, list))
        for leaf in _walk(name, member, inside_output or name == "Output", depth + 1)
    ]
    if _is_part(value, inside_output):
        status = _part_status(value.get("Status"))
        said_below = {RUNNING if leaf["status"] in OPEN else leaf["status"] for leaf in leaves}
        said = RUNNING if status in OPEN else status
        is_news = said_below == {SUCCEEDED} if said == UNKNOWN else said != SUCCEEDED and said not in said_below
        if not leaves or is_news:
            leaves.append(_part(kind, status, value))
    return leaves


def _part(kind: str, status: str, value: dict[str, t.Any]) -> dict[str, t.Any]:
    return {
        "kind": kind,
        "status": status,
        "progress": 100 if status == SUCCEEDED else percent(value.get("Progress")),
        "error": _part_error(value) if status == FAILED else None,
        "outputs": list(_outputs(value.get("Output", value), {})),
    }


def _part_error(value: dict[str, t.Any]) -> dict[str, t.Any]:
    """Returns the error of a failed part. Codes that are words for success are left out: the vendor may send them."""
    codes = (text_or_none(value.get(name)) for name in ("ErrCodeExt", "ErrCode"))
    code = next((code for code in codes if code not in (None, "SUCCESS", "0", "0.0")), None)
    reasons = (reason for family, reason in REASONS.items() if (code or "").startswith(family))
    return task_error(code, value.get("Message"), next(reasons, "unknown"))


def _find_outputs(value: t.Any, depth: int = 0) -> t.Iterator[dict[str, t.Any]]:
    """Yields the files of every ``Output`` below a value."""
    for member in as_list(value):
        for name, child in as_dict(member).items():
            if name == "Output":
                yield from _outputs(child, {}, depth)
            elif isinstance(child, (dict, list)) and name not in NOT_PARTS and depth < MAX_DEPTH:
                yield from _find_outputs(child, depth + 1)


def _outputs(value: t.Any, storage: dict[str, t.Any], depth: int = 0) -> t.Iterator[dict[str, t.Any]]:
    """Yields the files in an ``Output``, each with the nearest storage above it. Paths in one object come once.

    Files are members named ``...Path``, ``...Paths`` or ``...PathSet``; ``...FileId`` where the path beside it is
    empty, since the file is in VOD then; and the URLs in ``FileList``, which are those of a recorded live stream.

    :param storage: the storage of files that have none of their own.
    """
    for output in map(as_dict, as_list(value)):
        near = as_dict(output.get("OutputStorage") or output.get("Storage")) or storage
        told: set[str] = set()
        for name, member in output.items():
            if name.endswith(("Path", "Paths", "PathSet")):
                paths = [path for path in as_list(member) if path and isinstance(path, str) and path not in told]
                told.update(paths)
                yield from (_output(path, near) for path in dict.fromkeys(paths))
            elif name.endswith("FileId"):
                if member and isinstance(member, (str, int)) and not output.get(f"{name[:-6]}Path"):
                    yield {**_output(str(member), near), "type": "vod_file"}
            elif name == "FileList":
                urls = (as_dict(file).get("Url") for file in as_list(member))
                yield from ({"type": "path", "value": url, "url": url} for url in urls if url and isinstance(url, str))
            elif name not in (*NOT_PARTS, "OutputStorage", "Storage") and depth < MAX_DEPTH:
                yield from _outputs(member, near, depth + 1)


def _output(path: str, storage: dict[str, t.Any]) -> dict[str, t.Any]:
    kind = STORAGE_TYPES.get(str(storage.get("Type")), "path")
    places = (storage.get(f"{name}OutputStorage") for name in ("Cos", "S3", "VOD"))
    place = as_dict(next(filter(None, places), None))
    bucket = text_or_none(place.get("Bucket") or place.get("S3Bucket"))
    region = text_or_none(place.get("Region") or place.get("S3Region"))
    output = {"type": kind, "value": path}
    return {**output, "bucket": bucket, "region": region} if bucket else output


# --- The vendor's rules for starts ---------------------------------------------------------------------------------


def _callback(options: Options) -> dict[str, t.Any]:
    """Returns the parameter that asks for callbacks; an empty dict if the options ask for none.

    :raises CloudError: ``config``, when the options do not belong together.
    """
    url = options["callback_url"]
    given = [name for name in ("callback_mode", "callback_key") if options[name] is not None]
    if url is None and given:
        said = f"{given[0]} is given, and callback_url is missing"
        raise CloudError("config", said, advice="give callback_url, too")
    if url is None:
        return {}
    if options["parameters"].get("TaskNotifyConfig"):
        said = "both callback_url and parameters.TaskNotifyConfig are given"
        raise CloudError("config", said, advice="give one of them")
    check_callback_url(url)
    notify = {"NotifyUrl": url, "NotifyMode": options["callback_mode"], "NotifyKey": options["callback_key"]}
    return {"TaskNotifyConfig": {"NotifyType": "URL", **without_nulls(notify)}}


def _check(params: dict[str, t.Any]) -> None:
    """Refuse parameters that the vendor would refuse.

    :raises CloudError: ``config``, with the rule that is broken.
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


__all__ = ["LISTS", "PART_STATUSES", "STATUSES", "Mps", "MpsStarts"]
