# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 0: values and exceptions, standard library only.
"""The values of ``status``, and the members of a normalized record."""

from __future__ import annotations

import functools
import typing as t

PENDING = "pending"
RUNNING = "running"
SUCCEEDED = "succeeded"
PARTIAL = "partial"
FAILED = "failed"
CANCELED = "canceled"
UNKNOWN = "unknown"

STATUSES = (PENDING, RUNNING, SUCCEEDED, PARTIAL, FAILED, CANCELED, UNKNOWN)
TERMINAL = frozenset({SUCCEEDED, PARTIAL, FAILED, CANCELED})

PAUSED = "Pause"
"""Native status of a cloud task that waits because its queue is paused. Tencent COS tells it."""

Record = dict[str, t.Any]
"""What a poll tells about a cloud task, in the same form for all services; see :func:`make_record`."""

T = t.TypeVar("T")

KNOWN_TEXTS = 4096
"""Number of texts that are remembered to share them. Ids occur once, and all others in this number of records again."""


def make_record(
    ref: t.Mapping[str, t.Any],
    status: str,
    native_status: str | None,
    *,
    progress: int | None = None,
    counts: dict[str, int | None] | None = None,
    error: dict[str, t.Any] | None = None,
    parts: list[dict[str, t.Any]] | None = None,
    outputs: list[dict[str, t.Any]] | None = None,
    created_at: str | None = None,
    started_at: str | None = None,
    finished_at: str | None = None,
    request_id: str | None = None,
) -> Record:
    """Returns a record with every key. Unknown values are null; unknown ``parts`` and ``outputs`` are empty."""
    return {
        "provider": ref["provider"],
        "task_id": ref.get("task_id"),
        "status": status,
        "native_status": native_status,
        "done": status in TERMINAL,
        "progress": progress,
        "counts": counts,
        "error": error,
        "parts": parts or [],
        "outputs": outputs or [],
        "created_at": created_at,
        "started_at": started_at,
        "finished_at": finished_at,
        "request_id": request_id,
        "ref": dict(ref),
    }


def compact(record: Record) -> Record:
    """Returns the status and the other members of a record that its ref and default values do not tell."""
    blank = make_record(record["ref"], record["status"], None)
    return {"status": record["status"], **{name: value for name, value in record.items() if value != blank[name]}}


def expand(ref: t.Mapping[str, t.Any], told: Record) -> Record:
    """Returns the record that ``compact`` has shortened.

    :param told: what ``compact`` returned.
    """
    return {**make_record(ref, told["status"], None), **told}


_one_text = functools.lru_cache(maxsize=KNOWN_TEXTS)(str)


def shared(value: T) -> T:
    """Returns a copy of plain JSON types in which texts that occurred lately are the same objects as before.

    Records differ in few texts. So those of many cloud tasks need half the memory, also in the processes to which Python
    copies them: ``pickle`` keeps apart what is apart, even if it is equal.
    """
    if isinstance(value, dict):
        return t.cast(T, {_one_text(name): member and shared(member) for name, member in value.items()})
    if isinstance(value, list):
        return t.cast(T, [shared(member) for member in value])
    return t.cast(T, _one_text(value)) if isinstance(value, str) else value


__all__ = [
    "CANCELED",
    "FAILED",
    "PARTIAL",
    "PAUSED",
    "PENDING",
    "RUNNING",
    "STATUSES",
    "SUCCEEDED",
    "TERMINAL",
    "UNKNOWN",
    "Record",
    "compact",
    "expand",
    "make_record",
    "shared",
]
