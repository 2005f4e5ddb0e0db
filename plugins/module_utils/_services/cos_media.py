# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""Tencent COS / Cloud Infinite: media jobs, such as transcoding, snapshots, concatenation, speech and pictures.

Sources: the vendor's page of the query ``GET /jobs/<id>`` (states, ``Progress``), the SDK ``cos-go-sdk-v5`` 0.7.75
(elements of results), the SDK ``cos-python-sdk-v5`` (the call). No source says which element ``ErrorCount`` is in, so it
is read from the job, its operation and the members of the operation.
"""

from __future__ import annotations

import typing as t

from .._record import PARTIAL, SUCCEEDED
from ._ci import CiService, Counts, Job, bad_count, place_of
from .answers import as_dict, as_list, task_error, text_or_none, whole_number

ERROR_COUNT = "ErrorCount"


class CosMedia(CiService):
    """Media jobs of Tencent COS (Cloud Infinite)."""

    word = "cos_media"
    title = "Tencent COS"
    path = "/jobs"
    job = "media job"

    @classmethod
    def has_tag(cls, tag: str) -> bool:
        """Returns whether jobs with a tag are no document jobs, whose tags begin with ``Doc``."""
        return not tag.startswith("Doc")

    def find_odd_result(self, job: Job) -> tuple[str, t.Any] | None:
        """Returns the name and value of an ``ErrorCount`` that cannot be read; null if there is none."""
        odd = [place[ERROR_COUNT] for place in _places_of_count(job) if bad_count(place, ERROR_COUNT)]
        return (ERROR_COUNT, odd[0]) if odd else None

    def judge(self, status: str, job: Job) -> tuple[str, Counts, dict[str, t.Any] | None]:
        """Returns the status, counts and error: a success with errors is ``partial``."""
        failed = max((whole_number(place[ERROR_COUNT]) or 0 for place in _places_of_count(job)), default=0)
        if status != SUCCEEDED or failed <= 0:
            return status, None, None
        counts: Counts = {"total": None, "succeeded": None, "failed": failed}
        parts = "1 part" if failed == 1 else f"{failed} parts"
        return PARTIAL, counts, task_error(None, f"{parts} of the job failed", "processing")

    def outputs(self, status: str, job: Job) -> list[dict[str, t.Any]]:
        """Returns the objects that the result names; if it names none, the object that was asked for."""
        if status not in (SUCCEEDED, PARTIAL):
            return []
        operation = as_dict(job.get("Operation"))
        target = as_dict(operation.get("Output"))
        file = as_dict(as_dict(operation.get("MediaResult")).get("OutputFile"))
        found = [(place, name) for place in (file, as_dict(file.get("SpriteOutputFile"))) for name in _names(place)]
        picture = as_dict(operation.get("PicProcessResult"))
        processed = as_dict(as_dict(picture.get("UploadResult") or picture).get("ProcessResults"))
        found += [(target, text_or_none(as_dict(each).get("Key"))) for each in as_list(processed.get("Object"))]
        asked_for = text_or_none(target.get("Object"))
        if not found and asked_for and "${" not in asked_for:
            found = [(target, asked_for)]
        return [
            {"type": "cos_object", "value": name, **place_of(place if place.get("Bucket") else target)}
            for place, name in found
            if name
        ]


def _places_of_count(job: Job) -> t.Iterator[dict[str, t.Any]]:
    """Yields the elements of a job that have an ``ErrorCount``."""
    operation = as_dict(job.get("Operation"))
    for place in (job, operation, *map(as_dict, operation.values())):
        if ERROR_COUNT in place:
            yield place


def _names(file: dict[str, t.Any]) -> list[str | None]:
    return [text_or_none(name) for name in as_list(file.get("ObjectName"))]


__all__ = ["CosMedia"]
