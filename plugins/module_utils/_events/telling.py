# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: events, on the controller only.
"""The events of the source ``cloud_tasks``: what they hold, and the ids by which doubles can be told."""

from __future__ import annotations

import json
import typing as t
import uuid

from .._wait.verdict import fingerprint

END = "end"
CHANGE = "change"
NAMESPACE = uuid.UUID("3f1d7d5c-52c2-5c0a-9c56-1f0e2a6b7f1e")

Record = dict[str, t.Any]
Event = dict[str, t.Any]


class News(t.NamedTuple):
    """What the engine has found out about a cloud task.

    :param key: see :func:`key_of`.
    :param record: the record; for a cloud task that was never seen, one of unknown status.
    :param outcome: how it ended for us; null for a change.
    :param error: why the last poll gave no record; null after a good poll.
    """

    key: str
    record: Record
    outcome: str | None = None
    error: t.Mapping[str, t.Any] | None = None

    @property
    def kind(self) -> str:
        """The ``kind`` of the event."""
        return CHANGE if self.outcome is None else END


def key_of(ref: t.Mapping[str, t.Any]) -> str:
    """Returns a text that is equal for equal refs."""
    return json.dumps(ref, sort_keys=True, separators=(",", ":"))


def event_id(news: News, number: int = 0) -> str:
    """Returns the id of an event, which is the same each time that it is told.

    :param number: ``changes`` of the watch, since a record may change back, and a cloud task may be given up twice.
    """
    record = news.record
    if news.outcome is None:
        mark = f"{number} {fingerprint(record)}"
    else:
        mark = f"{news.outcome} {record['status']}" + (f" {number}" if number and not record["done"] else "")
    return str(uuid.uuid5(NAMESPACE, f"{news.key}\n{news.kind}\n{mark}"))


def make_event(news: News, number: int = 0, name: str | None = None) -> Event:
    """Returns an event. ``meta.uuid`` is what ansible-rulebook tells doubles by, where it keeps a database.

    :param number: see :func:`event_id`.
    :param name: the name that the user gave the cloud task.
    """
    own = event_id(news, number)
    event: Event = {"cloud_task": news.record, "kind": news.kind, "event_id": own, "outcome": news.outcome}
    if name is not None:
        event["name"] = name
    if news.error is not None:
        event["poll_error"] = dict(news.error)
    return {**event, "meta": {"uuid": own}}


__all__ = ["CHANGE", "END", "Event", "News", "event_id", "key_of", "make_event"]
