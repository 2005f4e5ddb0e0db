# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events and their ids."""

from __future__ import annotations

import typing as t
import uuid

from ansible_collections.cloudwait.conversion.plugins.module_utils._events.telling import News, key_of, make_event
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record

REF = {"provider": "mps", "task_id": "film"}


def news(status: str, outcome: str | None = None, **more: t.Any) -> News:
    return News(key_of(REF), make_record(REF, status, status, **more), outcome)


def test_an_end_is_told_with_its_record_and_outcome() -> None:
    event = make_event(news("succeeded", "satisfied"), name="Film of the night")
    assert {name: event[name] for name in ("kind", "outcome", "name")} == {
        "kind": "end",
        "outcome": "satisfied",
        "name": "Film of the night",
    }
    assert event["cloud_task"] == make_record(REF, "succeeded", "succeeded")
    assert uuid.UUID(event["event_id"]).version == 5
    assert event["meta"] == {"uuid": event["event_id"]}


def test_an_id_is_the_same_each_time_that_an_event_is_told() -> None:
    again = make_event(news("failed", "failed", request_id="another"))["event_id"]
    assert make_event(news("failed", "failed", request_id="r1"))["event_id"] == again
    assert key_of({"task_id": "film", "provider": "mps"}) == key_of(REF)


def test_ids_of_different_events_differ() -> None:
    ids = [
        make_event(news("failed", "failed"))["event_id"],
        make_event(news("succeeded", "satisfied"))["event_id"],
        make_event(news("running", "timed_out"))["event_id"],
        make_event(news("running"))["event_id"],
        make_event(news("running", progress=5))["event_id"],
        make_event(news("running"), number=2)["event_id"],
        make_event(news("failed", "failed")._replace(key=key_of({**REF, "task_id": "other"})))["event_id"],
    ]
    assert len(set(ids)) == len(ids)


def test_an_end_without_a_record_says_why() -> None:
    event = make_event(news("unknown", "not_found")._replace(error={"kind": "not_found"}))
    assert (event["outcome"], event["poll_error"], event["cloud_task"]["done"]) == (
        "not_found",
        {"kind": "not_found"},
        False,
    )
