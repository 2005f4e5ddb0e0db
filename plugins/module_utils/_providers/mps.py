# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent MPS: media tasks.

Sources: the vendor's page of ``DescribeTaskDetail`` (statuses, sample) and the SDK ``mps.v20190612`` (every nested
place with a status). ``FINISH`` means over, not succeeded: what became of a cloud task is told by its sub-tasks, which
are found by their shape, so that a kind which the vendor adds next year counts too.
"""

from __future__ import annotations

import typing as t

from .._credentials import TencentCredentials
from .._errors import CloudError
from .._status import FAILED, PARTIAL, PENDING, RUNNING, SUCCEEDED, UNKNOWN, Record, make_record
from .._sweep import PAGE, Page, Swept
from .._transport import Answer, Request
from ._api3 import COMMON_RULES, Api3Provider
from .base import (
    MAX_DEPTH,
    Ref,
    Response,
    Rule,
    Rules,
    Settings,
    as_dict,
    as_list,
    iso_time,
    percent,
    task_error,
    text_or_none,
    time_left,
    whole_number,
)

STATUSES: dict[str, str] = {
    "WAITING": PENDING,
    "PROCESSING": RUNNING,
    "FINISH": SUCCEEDED,
}
"""Of the whole cloud task; ``FINISH`` is only the best that the sub-tasks can leave of it."""

PART_STATUSES: dict[str, str] = {
    "WAITING": PENDING,
    "PROCESSING": RUNNING,
    "SUCCESS": SUCCEEDED,
    "FINISH": SUCCEEDED,
    "FAIL": FAILED,
    "ERROR": FAILED,
}
"""Of a sub-task, in capitals: subtitle results write ``Success`` and ``Error``."""

REASONS: dict[str, str] = {
    "SourceFileError.DownloadNotAccessible": "download",
    "SourceFileError": "source",
    "InvalidInput": "source",
    "InternalError": "processing",
}
"""Our reason for each family of ``ErrCodeExt``; the first that it begins with."""

SOURCE_AT_FAULT = ("WorkflowTask", "ScheduleTask", "LiveScheduleTask")
"""The kinds of which the SDK says that an ``ErrCode`` of the whole means that the source is at fault."""

OPEN = (PENDING, RUNNING)
NOT_PARTS = frozenset({"InputInfo", "MetaData", "TaskNotifyConfig", "Input"})
STORAGE_TYPES = {"COS": "cos_object", "AWS-S3": "s3_object", "VOD": "vod_file"}

USER_RULE = Rule("permission", "open the media processing service for this account, or use another account")
GONE_RULE = Rule("not_found", "check the task id and the site; MPS keeps cloud tasks for 7 days (3 on the other site)")
RULES: Rules = {
    **COMMON_RULES,
    "FailedOperation.InvalidMpsUser": USER_RULE,
    "FailedOperation.InvalidUser": USER_RULE,
    "FailedOperation.TaskNotFound": GONE_RULE,
    "FailedOperation.UserArrears": Rule("permission", "settle the account with the vendor"),
    "InvalidParameterValue.TaskId": GONE_RULE,
    "InvalidParameterValue.UserUnRegister": USER_RULE,
    "ResourceNotFound*": GONE_RULE,
    "ResourceNotFound.UserUnregister": USER_RULE,
}


class MpsProvider(Api3Provider):
    """Media processing."""

    name = "mps"
    title = "Tencent MPS"
    ref_keys = ("site", "profile")
    endpoint_variable = "CLOUDWAIT_MPS_ENDPOINT"
    service = "mps"
    version = "2019-06-12"
    rules = RULES
    own_options = ("http_method",)
    open_lists = ("PROCESSING", "WAITING")
    rate = 50.0

    def __init__(self, settings: Settings, credentials: TencentCredentials, *, http_method: str = "POST") -> None:
        super().__init__(settings, credentials)
        self._http_method = http_method

    def vendor_url(self, ref: Ref) -> str:
        """A host a site."""
        return f"https://mps.{'intl.' if self.settings.site == 'intl' else ''}tencentcloudapi.com"

    def request(self, ref: Ref, *, timeout: float | None = None) -> Request:
        """One cloud task by its id."""
        params = {"TaskId": ref["task_id"]}
        return self.call(self.base_url(ref), "DescribeTaskDetail", params, method=self._http_method)

    def read(self, ref: Ref, answer: Answer) -> tuple[Record, Response]:
        """The verdict over the sub-tasks, once the vendor says that it is over."""
        response = self.response_of(answer)
        native = text_or_none(response.get("Status"))
        kind, container = _container(response)
        leaves = _leaves(container)
        status = STATUSES.get(native or "", UNKNOWN)
        if status == SUCCEEDED:
            status = _verdict(container, leaves)
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
            request_id=text_or_none(response.get("RequestId")),
        )
        return record, response

    # --- lists ---

    def list_request(self, params: t.Mapping[str, t.Any]) -> Request:
        """A page of one of the vendor's lists."""
        return self.call(self.base_url({}), "DescribeTasks", params)

    def page_of(self, answer: Answer) -> Page:
        """What a page says; its entries have no status, the list's name is it."""
        response = self.response_of(answer)
        entries = [entry for entry in as_list(response.get("TaskSet")) if as_dict(entry).get("TaskId")]
        token, total = text_or_none(response.get("ScrollToken")), whole_number(response.get("TotalCount"))
        return Page({str(entry["TaskId"]): entry for entry in entries}, token, total)

    def read_page(self, name: str, token: str | None, *, timeout: float | None = None) -> Swept:
        """A page as large as the vendor gives."""
        params = {"Status": name, "Limit": PAGE, **({"ScrollToken": token} if token else {})}
        try:
            page, calls = self.exchange(lambda: self.list_request(params), self.page_of, left=time_left(timeout))
        except CloudError as error:
            return Swept(None, error, error.calls)
        return Swept(page, None, calls)

    def listed_record(self, ref: Ref, name: str, entry: t.Mapping[str, t.Any]) -> Record:
        """The status is that of the list."""
        created, started = iso_time(entry.get("CreateTime")), iso_time(entry.get("BeginProcessTime"))
        return make_record(ref, STATUSES[name], name, created_at=created, started_at=started)


# --- What became of it ---------------------------------------------------------------------------------------------


def _container(response: Response) -> tuple[str, dict[str, t.Any]]:
    """The member that is filled, and its name. ``TaskType`` is not always that name, and evaluations have none."""
    filled = {
        name: value for name, value in response.items() if isinstance(value, dict) and value and name not in NOT_PARTS
    }
    wanted = str(response.get("TaskType") or "")
    with_status = [name for name, value in filled.items() if "Status" in value]
    for name in (wanted, f"{wanted}Task", *with_status, *filled):
        if name in filled:
            return name, filled[name]
    return "", {}


def _container_failed(container: dict[str, t.Any]) -> bool:
    code = whole_number(container.get("ErrCode"))
    return bool(code) or _part_status(container.get("Status")) == FAILED


def _verdict(container: dict[str, t.Any], leaves: list[dict[str, t.Any]]) -> str:
    """What ``FINISH`` means for a container and its leaves, the gravest first."""
    statuses = [leaf["status"] for leaf in leaves]
    bad = statuses.count(FAILED)
    if _container_failed(container) or (bad and bad == len(statuses)):
        return FAILED
    if _part_status(container.get("Status")) in OPEN or any(status in OPEN for status in statuses):
        return RUNNING
    if bad:
        return PARTIAL
    return UNKNOWN if UNKNOWN in statuses else SUCCEEDED


def _error(
    status: str, kind: str, container: dict[str, t.Any], leaves: list[dict[str, t.Any]]
) -> dict[str, t.Any] | None:
    """Of the container, else of the first part that failed, with how many there are."""
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
    """The mean over the parts, when each either tells a number or is over."""
    numbers = [100 if leaf["status"] in (SUCCEEDED, FAILED) else leaf["progress"] for leaf in leaves]
    if not numbers or any(number is None for number in numbers):
        return None
    return sum(numbers) // len(numbers)


# --- Parts, by shape -----------------------------------------------------------------------------------------------


def _part_status(word: t.Any) -> str:
    return PART_STATUSES.get(str(word).upper(), UNKNOWN)


def _is_part(value: dict[str, t.Any], inside_output: bool) -> bool:
    word = value.get("Status")
    return (
        isinstance(word, str)
        and bool(word.strip())
        and (inside_output or any(name in value for name in ("ErrCode", "ErrCodeExt", "Message")))
    )


def _leaves(container: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    return [leaf for name, member in container.items() for leaf in _walk(name, member, name == "Output", 0)]


def _walk(kind: str, value: t.Any, inside_output: bool, depth: int) -> list[dict[str, t.Any]]:
    """The leaf parts in and below a value.

    A part above others is no leaf, but when it failed or still runs and none of its leaves says so, it adds itself.
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
        for leaf in _walk(name, member, inside_output or name == "Output", depth + 1)
    ]
    if _is_part(value, inside_output):
        status = _part_status(value["Status"])
        said_below = {RUNNING if leaf["status"] in OPEN else leaf["status"] for leaf in leaves}
        if not leaves or (status in (FAILED, *OPEN) and (RUNNING if status in OPEN else status) not in said_below):
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
    """Of a part that failed, whose codes may all the same be the words for success."""
    codes = (text_or_none(value.get(name)) for name in ("ErrCodeExt", "ErrCode"))
    code = next((code for code in codes if code not in (None, "SUCCESS", "0")), None)
    reasons = (reason for family, reason in REASONS.items() if (code or "").startswith(family))
    return task_error(code, value.get("Message"), next(reasons, "unknown"))


def _find_outputs(value: t.Any, depth: int = 0) -> t.Iterator[dict[str, t.Any]]:
    """The files of every ``Output`` below a value."""
    for member in as_list(value):
        for name, child in as_dict(member).items():
            if name == "Output":
                yield from _outputs(child, {}, depth)
            elif name not in NOT_PARTS and depth < MAX_DEPTH:
                yield from _find_outputs(child, depth + 1)


def _outputs(value: t.Any, storage: dict[str, t.Any], depth: int = 0) -> t.Iterator[dict[str, t.Any]]:
    """The files in an ``Output``: members named ``...Path`` or ``...PathSet``, in the nearest storage above them."""
    for output in map(as_dict, as_list(value)):
        near = as_dict(output.get("OutputStorage") or output.get("Storage")) or storage
        for name, member in output.items():
            if name.endswith(("Path", "PathSet")):
                yield from (_output(path, near) for path in as_list(member) if path and isinstance(path, str))
            elif name not in (*NOT_PARTS, "OutputStorage", "Storage") and depth < MAX_DEPTH:
                yield from _outputs(member, near, depth + 1)


def _output(path: str, storage: dict[str, t.Any]) -> dict[str, t.Any]:
    kind = STORAGE_TYPES.get(str(storage.get("Type")), "path")
    place = as_dict(storage.get("CosOutputStorage") or storage.get("S3OutputStorage"))
    bucket = text_or_none(place.get("Bucket") or place.get("S3Bucket"))
    region = text_or_none(place.get("Region") or place.get("S3Region"))
    output = {"type": kind, "value": path}
    return {**output, "bucket": bucket, "region": region} if bucket else output


__all__ = ["PART_STATUSES", "STATUSES", "MpsProvider"]
