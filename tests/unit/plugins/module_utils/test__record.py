# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records on their way from the host to the controller."""

from __future__ import annotations

import json
import pickle
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import (
    KNOWN_TEXTS,
    STATUSES,
    compact,
    expand,
    make_record,
    shared,
)

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


def test_equal_texts_of_many_records_are_one_object() -> None:
    outputs = [{"type": "cos_object", "bucket": "examplebucket-1250000000", "value": None}]
    record = {**make_record(REF, "succeeded", "Success", outputs=outputs, progress=100), "counts": {}}
    one, other = (shared(json.loads(json.dumps(record))) for dummy in range(2))
    assert one == other == record
    assert one is not other
    assert one["outputs"][0]["bucket"] is other["outputs"][0]["bucket"]
    assert all(name is same for name, same in zip(one["outputs"][0], other["outputs"][0]))
    again = pickle.loads(pickle.dumps([one, other]))
    assert again[0]["outputs"][0]["bucket"] is again[1]["outputs"][0]["bucket"]


def test_texts_of_ids_are_not_kept_for_ever() -> None:
    names = [f"r{number}" for number in (*range(KNOWN_TEXTS + 1), 0)]
    kept = [shared(name) for name in names]
    assert kept[-1] == kept[0]
    assert kept[-1] is not kept[0]
