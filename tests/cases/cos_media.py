# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Media jobs of Cloud Infinite."""

from __future__ import annotations

import typing as t

from ._case import Reply, Sample
from ._tencent import ci_case, job

PLACE = {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing"}


def made(name: str) -> dict[str, t.Any]:
    """Returns what a record says of an object."""
    return {"type": "cos_object", "value": name, "bucket": "examplebucket-1250000000", "region": "ap-beijing"}


def success(**operation: t.Any) -> Reply:
    """Returns a job that is over."""
    return job("Success", Tag="Transcode", Progress=100, Operation={"Output": PLACE, **operation})


FILE = {**PLACE, "ObjectName": ["out/a.mp4", "out/b.mp4"], "SpriteOutputFile": {**PLACE, "ObjectName": "out/s.jpg"}}
PICTURE = {"UploadResult": {"ProcessResults": {"Object": {"Key": "out/p.png", "Location": "x"}}}}
CASE = ci_case(
    title="Tencent COS",
    source="page of the query of a media job, State; All is a filter of the list call and no state",
    samples={
        "files": Sample(
            success(MediaResult={"OutputFile": FILE, "ErrorCount": "0"}),
            {
                "status": "succeeded",
                "progress": 100,
                "outputs": [made(f"out/{n}") for n in ("a.mp4", "b.mp4", "s.jpg")],
            },
        ),
        "picture": Sample(success(PicProcessResult=PICTURE), {"status": "succeeded", "outputs": [made("out/p.png")]}),
        "speech": Sample(
            success(Output={**PLACE, "Object": "out/speech.txt"}),
            {"status": "succeeded", "outputs": [made("out/speech.txt")]},
        ),
        "partial": Sample(
            success(MediaResult={"OutputFile": FILE, "ErrorCount": "2"}),
            {
                "status": "partial",
                "counts": {"total": None, "succeeded": None, "failed": 2},
                "error": {"code": None, "message": "2 parts of the job failed", "reason": "processing"},
            },
        ),
    },
)
