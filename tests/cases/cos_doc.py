# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Document jobs of Cloud Infinite."""

from __future__ import annotations

import typing as t

from ._case import Examples, Reply, Sample, Start
from ._tencent import ci_case, job

PLACE = {"Bucket": "examplebucket-1250000000", "Region": "ap-beijing"}


def result(succeeded: int, failed: int, **more: t.Any) -> Reply:
    """Returns a job that is over, with so many good and bad pages."""
    counts = {"TotalPageCount": succeeded + failed, "SuccPageCount": succeeded, "FailPageCount": failed}
    return job("Success", Tag="DocProcess", Operation={"Output": PLACE, "DocProcessResult": {**counts, **more}})


def start_options(name: str) -> dict[str, t.Any]:
    """Returns what a start needs."""
    return {"input_object": f"in/{name}.docx", "output": {"object": f"out/{name}-${{Number}}.jpg"}}


CASE = ci_case(
    title="Tencent COS",
    source="page of CreateDocProcessJobs, State; All is a filter of the list call and no state",
    module="cos_doc_job_info",
    examples=Examples({"job_id": "job"}, {"d00000000000000000000000000000001": "succeeded", "job": "partial"}),
    samples={
        "success": Sample(
            result(1, 0, PageInfo={"PageNo": 1, "TgtUri": "out/plan-1.jpg"}),
            {
                "status": "succeeded",
                "counts": {"total": 1, "succeeded": 1, "failed": 0},
                "outputs": [
                    {
                        "type": "cos_object",
                        "value": "out/plan-1.jpg",
                        "bucket": "examplebucket-1250000000",
                        "region": "ap-beijing",
                        "page": 1,
                    }
                ],
            },
        ),
        "partial": Sample(
            result(1, 1),
            {
                "status": "partial",
                "error": {"code": None, "message": "1 of 2 pages failed", "reason": "processing"},
            },
        ),
        "no page": Sample(result(0, 2), {"status": "failed", "done": True}),
        "failure": Sample(
            job("Failed", Code="FileDamaged", Message="no document"),
            {
                "status": "failed",
                "error": {"code": "FileDamaged", "message": "no document", "reason": "unknown"},
            },
        ),
        "waits": Sample(job("Submitted", Code="Success"), {"status": "pending", "error": None}),
    },
    start=Start(
        module="cos_doc_job",
        service="CosDocStarts",
        options=start_options,
        actions=("CreateDocProcessJobs",),
        started=job("Submitted"),
        without_id=Reply(b"<Response/>"),
        doubt="the cloud task may exist and cost money: look for it with cos_doc_job_list_info before you start it again",
        is_found_again=True,
    ),
)
