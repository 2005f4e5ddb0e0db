# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of waits, as ``wait_for_task`` returns them, for tests of reports."""

from __future__ import annotations

import typing as t
from datetime import datetime, timedelta, timezone

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)

Result = dict[str, t.Any]
Change = tuple[float, str]


def clock(seconds: float) -> str:
    """The time of day so many seconds after the wait began, as a history has it."""
    return (BEGAN + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def cloud_task(task_id: str, outcome: str, *changes: Change, elapsed: float = 9.0, **more: t.Any) -> Result:
    """A member of ``tasks``. Its status is that of the last change.

    :param changes: seconds since the wait began, and status.
    :param more: members that differ from those of a plain cloud task.
    """
    status = changes[-1][1] if changes else "unknown"
    ref = {"provider": more.get("provider", "mps"), "task_id": task_id}
    history = [
        {"at": clock(seconds), "status": status, "native_status": status.upper(), "progress": None}
        for seconds, status in changes
    ]
    plain: Result = {
        **ref,
        "ref": ref,
        "name": None,
        "status": status,
        "native_status": status.upper() if changes else None,
        "done": status in ("succeeded", "partial", "failed", "canceled"),
        "progress": None,
        "counts": None,
        "error": None,
        "parts": [],
        "outputs": [],
        "outcome": outcome,
        "polls": 3,
        "elapsed": elapsed,
        "history": history,
        "poll_error": None,
    }
    return {**plain, **more}


def wait_result(outcome: str, *tasks: Result, elapsed: float = 9.0, **more: t.Any) -> Result:
    """The result of a wait."""
    return {
        "changed": False,
        "outcome": outcome,
        "failed": outcome != "satisfied",
        "msg": f"The outcome is {outcome}.",
        "tasks": list(tasks),
        "summary": {"total": len(tasks)},
        "elapsed": elapsed,
        "polls": 3 * len(tasks),
        "api_calls": {"mps": 3 * len(tasks)},
        **more,
    }


def evening() -> Result:
    """A wait with an end of each kind."""
    torn = {"code": "E-9", "message": "the film is torn", "reason": "source"}
    gone = {"kind": "not_found", "code": "ResourceNotFound", "message": "no such task"}
    mute = {"kind": "network", "code": None, "message": "nothing listens"}
    path = {"type": "path", "value": "/out/film.mp4"}
    return wait_result(
        "failed",
        cloud_task(
            "1-film", "satisfied", (1, "pending"), (3, "running"), (8, "succeeded"), name="Film", outputs=[path]
        ),
        cloud_task("1-trailer", "failed", (1, "running"), (4, "failed"), elapsed=4.5, name="Trailer", error=torn),
        cloud_task("1-slow", "timed_out", (1, "pending"), (5, "running"), poll_error=mute),
        cloud_task("1-gone", "not_found", elapsed=6.0, poll_error=gone),
        cloud_task("1-open", "unfinished", (1, "running")),
    )


def many(count: int) -> Result:
    """A wait for very many cloud tasks, of which one in twenty failed."""
    path = {"type": "path", "value": "/out/film.mp4"}
    torn = {"code": "E-9", "message": "the film is torn", "reason": "source"}

    def one(number: int) -> Result:
        start, end = 1 + number % 300, 400 + number % 3000
        bad = number % 20 == 7
        word = "failed" if bad else "succeeded"
        changes = ((1, "pending"), (start, "running"), (end, word))
        more = {"error": torn} if bad else {"outputs": [path]}
        name = f"Film {number}" if number % 2 else None
        outcome = "failed" if bad else "satisfied"
        provider = ("mps", "cos_doc", "ess")[number % 3]
        return cloud_task(
            f"2600000001-WorkflowTask-{number:08d}",
            outcome,
            *changes,
            elapsed=float(end),
            provider=provider,
            name=name,
            **more,
        )

    return wait_result("failed", *map(one, range(count)), elapsed=3600.0)
