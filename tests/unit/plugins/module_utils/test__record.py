# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records on their way from the host to the controller."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import STATUSES, compact, expand, make_record

REF = {"provider": "cos_doc", "task_id": "d1", "bucket": "examplebucket-1250000000", "region": "ap-beijing"}


@pytest.mark.parametrize("status", STATUSES)
def test_what_a_record_does_not_know_does_not_travel(status: str) -> None:
    record = make_record(REF, status, None)
    assert compact(record) == {"status": status}
    assert expand(REF, compact(record)) == record


@pytest.mark.parametrize(
    "known",
    [
        {"progress": 0},
        {"counts": {"total": 2, "done": 1, "failed": None}, "request_id": "r1"},
        {"error": {"code": "No", "message": ""}, "finished_at": "2026-01-02T03:04:05Z"},
        {"parts": [{"status": "failed", "progress": None}], "outputs": [{"type": "object", "value": "out/1.png"}]},
    ],
)
def test_what_it_knows_arrives(known: dict[str, t.Any]) -> None:
    record = make_record(REF, "running", "Running", **known)
    assert compact(record) == {"status": "running", "native_status": "Running", **known}
    assert expand(REF, compact(record)) == record
