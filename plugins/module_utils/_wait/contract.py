# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""The data that the action plugin and the module of ``wait_for_task`` exchange, as types of plain JSON.

The action sends an ``Order`` as the module's option ``_round``; the module returns a ``RoundAnswer``, and may send an
``Update`` at any time while it runs, over the live channel. All hold durations, never clock readings, since the two may
run on different hosts; and no secrets. Where a dict has an entry for each cloud task, its key is the number of the cloud
task in the plan, as text, since JSON allows no other keys.
"""

from __future__ import annotations

import typing as t

SEVERAL = ("results", "refs", "tasks")
"""Keys of results with several cloud tasks, which may be items: of a loop, of a list module, and of a wait."""

Number = str
"""Number of a cloud task in the plan, as text such as ``"0"``."""

Ref = t.Mapping[str, t.Any]
Record = dict[str, t.Any]


class _Planned(t.TypedDict):
    """The members that every item of a plan has."""

    ref: dict[str, t.Any]


class PlanItem(_Planned, total=False):
    """One cloud task of a wait, made of an item of ``tasks``.

    It must be polled unless it has one of ``record``, ``twin_of`` and ``unstarted``.
    """

    name: str
    """The name that the user gave the cloud task."""
    options: dict[str, t.Any]
    """Options of the poll that are not part of a ref, such as ``api_action``."""
    record: Record
    """A record with a terminal status that came with the item."""
    twin_of: int
    """The number of an earlier item for the same cloud task."""
    twins: int
    """How many later items are for the same cloud task."""
    unstarted: bool
    """True in check mode for an item without a task id, because its start was not carried out."""


class TaskState(t.TypedDict, total=False):
    """What a round must know of a cloud task that earlier rounds have polled. Absent members have initial values."""

    polls: int
    """Number of polls so far."""
    errors: int
    """Failed polls in a row."""
    missing: int
    """Polls since the last record that were answered with "not found"."""
    fingerprint: str | None
    """Digest of the last record, see ``verdict.fingerprint``; absent before the first record."""
    status: str | None
    latest: str | None
    """Status that the last record told, whether or not it has counted yet."""
    same: int
    """Number of records in a row that told it."""
    trouble: str | None
    """Digest of the error that polls fail with at present."""
    asked: bool
    """Whether a sweep has asked for a poll that has not been made yet."""
    due_in: float
    """Seconds until the next poll."""
    changed_ago: float
    """Seconds since the record last changed."""
    began: float
    """Seconds since the wait began at which the cloud task was first seen running."""
    marks: list[list[float]]
    """Times and progress that were seen, see ``forecast.Life``."""


class QueueState(t.TypedDict):
    """The pace at which a service is polled."""

    ready_in: float
    """Seconds until the next call may be sent."""
    slowdown: float
    """Factor by which calls are slower than the rate limit, after the vendor has throttled; at least 1."""


class SweepState(t.TypedDict):
    """The state of the sweeps through the lists of an account."""

    passes: int
    """Number of sweeps so far."""
    errors: int
    """Failed sweeps in a row."""
    due_in: float
    """Seconds until the next page is read."""
    given_up: bool
    """Whether each cloud task is polled by itself again."""


class Handover(t.TypedDict, total=False):
    """What one round tells the next. The action passes it on and only adjusts durations by the time that has passed."""

    clock_offset: float
    """Seconds to add to this host's clock, as the vendor's answers have shown."""
    carried: dict[str, str]
    """What each service needs to know in the next round, by account."""
    warned: list[str]
    """Identifiers of the warnings that were given."""
    queues: dict[str, QueueState]
    """By provider word."""
    states: dict[Number, TaskState]
    """Of the cloud tasks that must still be polled."""
    sweeps: dict[str, SweepState]
    """By account."""
    lives: dict[str, list[float]]
    """For how many seconds cloud tasks ran that have ended well, by provider word."""


class Order(Handover, total=False):
    """What the action asks of a round. All times are seconds, counted from the beginning of the round."""

    left: float
    """Time until the deadline of the wait."""
    elapsed: float
    """How long the wait had lasted when the round began."""
    linger: float
    """Time after which the round ends even if nothing has changed."""
    after_change: float
    """Time after which the round ends if something has changed."""
    first: bool
    """Whether the round ends as soon as every cloud task has been polled once."""
    within: float | None
    """Time after which the round must have ended, whatever it is doing; null for no such limit."""
    once: bool
    """Whether every cloud task is polled just once, however long that takes."""
    condition: bool
    """Whether a condition decides, which only the action can evaluate."""
    satisfied: int
    """How many cloud tasks have ended in earlier rounds and satisfied the wait."""
    otherwise: int
    """How many have ended in earlier rounds without satisfying it."""
    plan: dict[Number, PlanItem]
    """What is still open; absent in the first round, which makes the plan from the options."""
    plan_only: bool
    """Whether to return the plan without polling."""
    abort: bool
    """Whether to abort the cloud tasks of ``plan`` in place of polling them."""
    channel: str
    """Path of the Unix socket of the live channel. A round that can use it tells changes at once and goes on."""
    asked_at: float
    """The clock of the controller when it gave the order. With a live channel, it is also the clock of the module."""
    controller: int
    """Process id of the controller, where it is on the same machine and there is no live channel."""


class Change(t.TypedDict):
    """A change of a record. ``elapsed`` is in seconds since the wait began."""

    elapsed: float
    status: str
    native_status: str | None
    progress: int | None


class Failure(t.TypedDict):
    """A failed poll. ``elapsed`` is in seconds since the wait began."""

    elapsed: float
    kind: str
    code: str | None
    request_id: str | None


class PollError(t.TypedDict):
    """Why the last poll gave no record: the members of ``error`` in a result, and the advice."""

    kind: str
    code: str | None
    message: str
    http_status: int | None
    request_id: str | None
    retryable: bool
    advice: str


class Report(t.TypedDict):
    """What a round has found out."""

    polls: dict[Number, int]
    """Number of polls of each cloud task that was polled in this round, including those of earlier rounds."""
    errors: dict[Number, PollError]
    """Errors of the cloud tasks whose last poll failed."""
    troubles: dict[Number, bool]
    """True if polls of a cloud task have begun to fail, or fail in another way; false if they succeed again."""
    records: dict[Number, Record]
    """Records that have changed, shortened by ``compact``."""
    history: dict[Number, list[Change]]
    """Changes of these records in this round, oldest first."""
    failures: dict[Number, list[Failure]]
    """Failed polls in this round, oldest first."""
    responses: dict[Number, dict[str, t.Any]]
    """The vendor's last answers, with ``return_response``."""
    expected: dict[Number, float]
    """For each changed cloud task whose end can be forecast, when that should be: seconds since the wait began."""
    outcomes: dict[Number, list[t.Any]]
    """For each cloud task that has ended: its outcome, and the seconds since the wait began."""
    api_calls: dict[str, int]
    """Number of requests that were sent, by provider word."""


class Abort(t.TypedDict):
    """What became of a cloud task that was to be aborted."""

    aborted: bool
    reason: str | None
    """Why it was not aborted, or why that is uncertain; null if it was."""


class Update(t.TypedDict, total=False):
    """What a round tells about changes, over the live channel or with its answer.

    The first one of a wait adds ``plan`` and ``about``.
    """

    notes: list[str]
    """Warnings for the user."""
    next: Handover
    """What the next round must know. Its ``states`` replace those told before; other cloud tasks keep theirs."""
    report: Report
    plan: list[PlanItem]
    about: dict[str, str]
    """More members for the result, such as ``endpoint_host``."""


class RoundAnswer(Update, total=False):
    """What the module returns for a round: what it has not told over the live channel.

    With ``plan_only``, it has ``plan``, ``about`` and ``invocation`` alone.
    """

    invocation: dict[str, t.Any]
    """Always empty. If it were absent, Ansible would add all options."""
    aborts: dict[Number, Abort]
    """With ``abort`` in the order, this and ``api_calls`` are all but ``invocation``."""
    api_calls: dict[str, int]
    cost: float
    """CPU seconds that starting the round and returning its answer took."""
    polled_for: float
    """Seconds of the round without the start of the module and the return of its answer."""


__all__ = [
    "SEVERAL",
    "Abort",
    "Change",
    "Failure",
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
    "Update",
]
