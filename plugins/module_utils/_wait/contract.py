# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""What goes between the action plugin and the module of ``wait_for_task``, as types of plain JSON.

The action sends an ``Order`` as the module's option ``_round``; the module returns a ``RoundAnswer``. Both hold durations,
counts and words of our own: never a clock reading, since the two may run on different hosts, and never a secret. Cloud
tasks are told apart by their number in the plan, as text, since JSON has no other keys.
"""

from __future__ import annotations

import typing as t

Number = str
"""The number of a cloud task in the plan, such as ``"0"``."""

Ref = t.Mapping[str, t.Any]
Record = dict[str, t.Any]


class _Planned(t.TypedDict):
    """What every item of a plan has."""

    ref: dict[str, t.Any]


class PlanItem(_Planned, total=False):
    """One cloud task of a wait, as the module understands an item of ``tasks``.

    Without ``record``, ``twin_of`` and ``unstarted`` it must be polled.
    """

    name: str
    """What people are shown, where the user gave one."""
    options: dict[str, t.Any]
    """Options of the poll that no ref holds, such as ``api_action``."""
    record: Record
    """A record that came with the item and is done."""
    twin_of: int
    """The number of an earlier item that is the same cloud task."""
    unstarted: bool
    """True in check mode, where a start that was not carried out left no id."""


class TaskState(t.TypedDict, total=False):
    """What a round must know of a cloud task that earlier rounds have polled. Absent members are as at the beginning."""

    polls: int
    errors: int
    """Failed polls in a row."""
    missing: int
    """Polls in a row that the vendor answered with "not found"."""
    fingerprint: str | None
    """The last record in short; absent while there was none."""
    status: str | None
    trouble: str | None
    """Why polls fail now, in short."""
    asked: bool
    """Whether a sweep has asked for a poll that has not come yet."""
    due_in: float
    """Seconds to the next poll."""
    changed_ago: float
    """Seconds since the last change."""


class QueueState(t.TypedDict):
    """The pace at which a service is polled."""

    ready_in: float
    """Seconds until the next call may be sent."""
    slowdown: float
    """How much slower than the rate limit, after the vendor has throttled."""


class SweepState(t.TypedDict):
    """A sweep through the lists of an account."""

    passes: int
    errors: int
    due_in: float
    given_up: bool


class Handover(t.TypedDict, total=False):
    """What one round tells the next, through the action, which only makes durations older."""

    clock_offset: float
    """Seconds by which this host's clock was found to be wrong."""
    carried: dict[str, str]
    """What a service wants to know in the next round, by account."""
    warned: list[str]
    """Marks of warnings that were given."""
    queues: dict[str, QueueState]
    """By service."""
    states: dict[Number, TaskState]
    """Of the cloud tasks that are not over."""
    sweeps: dict[str, SweepState]
    """By account."""


class Order(Handover, total=False):
    """What the action asks of a round. All times are seconds from its beginning."""

    left: float
    """To the deadline of the wait."""
    elapsed: float
    """Since the wait began."""
    linger: float
    """After which the round ends although nothing has changed."""
    after_change: float
    """After which the round ends when something has changed."""
    first: bool
    """Whether the round ends as soon as everything was polled once."""
    within: float | None
    """After which the round must be over, whatever it is doing."""
    once: bool
    """Whether everything is polled once and no more."""
    condition: bool
    """Whether the action decides by a condition, so that the module does not know what is good."""
    satisfied: int
    """How many cloud tasks earlier rounds have seen satisfied."""
    plan: dict[Number, PlanItem]
    """What is still open; absent in the first round, which makes the plan from the options."""
    plan_only: bool
    """Whether only the plan is wanted."""


class Change(t.TypedDict):
    """A change of a record, ``elapsed`` seconds after the wait began."""

    elapsed: float
    status: str
    native_status: str | None
    progress: int | None


class PollError(t.TypedDict):
    """Why the last poll gave no record: the ``error`` of a result, and what to do about it."""

    kind: str
    code: str | None
    message: str
    http_status: int | None
    request_id: str | None
    retryable: bool
    advice: str


class Report(t.TypedDict):
    """What a round has seen."""

    polls: dict[Number, int]
    """The polls of each cloud task that was polled in this round, those of earlier rounds included."""
    errors: dict[Number, PollError]
    """Of those whose last poll failed."""
    troubles: dict[Number, bool]
    """Those whose polls have begun to fail, or to fail in another way (true), or succeed again (false)."""
    records: dict[Number, Record]
    """Of those that have changed: what ``compact`` makes of the record."""
    history: dict[Number, list[Change]]
    """Of the same."""
    outcomes: dict[Number, list[t.Any]]
    """Of those that are over: a list of the outcome and of the seconds since the wait began."""
    api_calls: dict[str, int]
    """How many requests were sent, by service."""


class RoundAnswer(t.TypedDict, total=False):
    """What the module returns.

    ``plan`` and ``about`` are there in the first round, and alone when only the plan was asked for.
    """

    invocation: dict[str, t.Any]
    """Empty; without it Ansible would add all options."""
    cost: float
    """CPU seconds that it took to hand the answer over."""
    notes: list[str]
    """Warnings for the user."""
    next: Handover
    report: Report
    plan: list[PlanItem]
    about: dict[str, str]
    """More members for the result, such as ``endpoint_host``."""


__all__ = [
    "Change",
    "Handover",
    "Number",
    "Order",
    "PlanItem",
    "PollError",
    "QueueState",
    "Record",
    "Ref",
    "Report",
    "RoundAnswer",
    "SweepState",
    "TaskState",
]
