# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The report as JSON, for programs."""

from __future__ import annotations

import json
import typing as t

from .model import CloudTask, Report, Wait
from .words import Words, reason, verdict


def make_json(report: Report, words: Words) -> str:
    """Returns the report as the text of a JSON file."""
    data = {
        "title": report.title or words["title"],
        "verdict": verdict(report, words),
        "satisfied": report.is_good,
        "total": report.total,
        "waits": [_wait(wait, words) for wait in report.waits],
    }
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _wait(wait: Wait, words: Words) -> dict[str, t.Any]:
    return {
        "outcome": wait.outcome,
        "msg": wait.msg,
        "elapsed": wait.elapsed,
        "polls": wait.polls,
        "total": wait.total,
        "satisfied_not_listed": wait.unlisted,
        "tasks": [_task(task, words) for task in wait.tasks],
    }


def _task(task: CloudTask, words: Words) -> dict[str, t.Any]:
    return {
        "name": task.name,
        "provider": task.provider,
        "task_id": task.task_id,
        "status": task.status,
        "outcome": task.outcome,
        "elapsed": task.elapsed,
        "polls": task.polls,
        "seconds": {status: round(seconds, 3) for status, seconds in task.seconds().items()},
        "reason": reason(task, words) or None,
        "outputs": list(task.outputs),
        "counts": dict(zip(("succeeded", "total"), task.counts)) if task.counts else None,
        "ref": dict(task.ref),
    }


__all__ = ["make_json"]
