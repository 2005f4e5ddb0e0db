# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""What a report is about: waits and their cloud tasks, read from results of ``wait_for_task``.

Results are read leniently, since they may come from a file that an older or newer release has written: what a result does
not tell is left out of the report. Only what cannot be a result of a wait at all is refused.
"""

from __future__ import annotations

import json
import math
import typing as t
from datetime import datetime, timezone

from .._errors import CloudError, flat, one_line, shown
from .._record import PAUSED as NATIVE_PAUSE
from .._record import STATUSES, TERMINAL, UNKNOWN
from .._wait.verdict import ERROR, FAILED, NOT_FOUND, SATISFIED, STALLED, TIMED_OUT, UNFINISHED, problem_text

PAUSED = "paused"
"""Shown in place of ``pending`` while the queue of the cloud task is paused."""

UNSEEN = "unseen"
"""Shown in place of a status before the first record."""

NOT_STARTED = "not_started"
UNCERTAIN = "uncertain"

BROKEN = (ERROR, NOT_STARTED, UNCERTAIN)
"""Outcomes that tell of a problem with the wait or the start, and not with the conversion."""

BAD = (*BROKEN, NOT_FOUND, FAILED, STALLED, TIMED_OUT)
"""Outcomes of cloud tasks that did not satisfy the wait, gravest first."""

OUTCOMES = (*BAD, UNFINISHED, SATISFIED)
HISTORY_CUT = 100
"""A history of so many changes may lack changes in its middle."""

LONGEST = 1e10
"""Largest number that is believed."""

MOST_TEXT = 2000
"""Number of characters after which a text of the vendor is cut."""

ADVICE = "give the result of wait_for_task, as register keeps it, or a list of such results"

Result = t.Mapping[str, t.Any]


class Span(t.NamedTuple):
    """How long a cloud task had a status, in seconds since the wait began."""

    status: str
    start: float
    end: float


class CloudTask(t.NamedTuple):
    """A cloud task of a wait. Times are in seconds since the wait began.

    :param shown: the status, or the outcome where that tells more.
    :param said: what the vendor or a failed poll said about it, in one line.
    :param errors: times of failed polls.
    :param counts: how many of its pages, documents or parts have succeeded, and how many there are.
    :param gaps: times after which changes are missing, since a history keeps only the first and the last.
    """

    wait: int
    name: str | None
    provider: str
    task_id: str
    status: str
    outcome: str
    shown: str
    said: str
    elapsed: float
    polls: int
    spans: tuple[Span, ...]
    errors: tuple[float, ...]
    gaps: tuple[float, ...]
    outputs: tuple[str, ...]
    counts: tuple[int, int] | None
    ref: Result

    @property
    def is_good(self) -> bool:
        """Whether it satisfied the wait."""
        return self.outcome == SATISFIED

    @property
    def title(self) -> str:
        """The name that the user gave it, else its id."""
        return self.name or self.task_id or self.provider

    def seconds(self) -> dict[str, float]:
        """Returns how long it had each status, in the order in which it had them first."""
        total: dict[str, float] = {}
        for span in self.spans:
            total[span.status] = total.get(span.status, 0.0) + span.end - span.start
        return total


class Wait(t.NamedTuple):
    """A wait.

    :param began: when it began, in Unix seconds; null if the result does not tell.
    :param total: number of its cloud tasks.
    :param unlisted: number of satisfied cloud tasks that the result counts but does not list.
    """

    number: int
    outcome: str
    msg: str
    elapsed: float
    polls: int
    began: float | None
    total: int
    unlisted: int
    tasks: tuple[CloudTask, ...]

    @property
    def is_good(self) -> bool:
        """Whether it was satisfied."""
        return self.outcome == SATISFIED


class Report(t.NamedTuple):
    """All waits of a report, and its title."""

    title: str
    waits: tuple[Wait, ...]

    @property
    def tasks(self) -> list[CloudTask]:
        """All cloud tasks: those that did not satisfy the wait first, the others in their order."""
        return sorted((task for wait in self.waits for task in wait.tasks), key=lambda task: _rank(task.outcome))

    @property
    def total(self) -> int:
        """The number of all cloud tasks, including those that are not listed."""
        return sum(wait.total for wait in self.waits)

    @property
    def unlisted(self) -> int:
        """The number of satisfied cloud tasks that no result lists."""
        return sum(wait.unlisted for wait in self.waits)

    @property
    def is_good(self) -> bool:
        """Whether all waits were satisfied."""
        return all(wait.is_good for wait in self.waits)


def _rank(outcome: str) -> int:
    return 0 if outcome in BAD else OUTCOMES.index(outcome)


def read_report(waits: t.Any, title: str) -> Report:
    """Returns what the report is about.

    :param waits: the option ``waits``: a result, a list of results, the result of a loop, or any of these as JSON.
    :raises CloudError: ``config``, when one of them is no result of a wait.
    """
    results = list(_results(_parsed(waits), "waits"))
    if not results:
        raise CloudError("config", "waits holds no result of a wait", advice=ADVICE)
    return Report(line(title), tuple(_read_wait(result, number, at) for number, (at, result) in enumerate(results)))


def line(text: t.Any) -> str:
    """Returns a text as one line without control characters; a very long one is cut."""
    return one_line(text, MOST_TEXT) if isinstance(text, str) and len(text) > MOST_TEXT else flat(_text(text))


def _text(value: t.Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _parsed(value: t.Any) -> t.Any:
    """Returns a value, read as JSON if it is a text, as ansible passes it on the command line."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise CloudError("config", f"waits is {shown(value)}, which is a text", advice=ADVICE) from None


def _results(value: t.Any, at: str) -> t.Iterator[tuple[str, Result]]:
    """Yields each result with its place in the option. What was skipped is no wait, and left out."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from _results(each, f"{at}[{number}]")
    elif isinstance(value, dict) and isinstance(value.get("results"), list) and "outcome" not in value:
        yield from _results(value["results"], f"{at}.results")
    elif isinstance(value, dict) and _is_wait(value):
        yield at, value
    elif not (isinstance(value, dict) and value.get("skipped") is True):
        raise CloudError("config", f"{at} is no result of a wait: {_what(value)}", advice=ADVICE)


def _is_wait(result: Result) -> bool:
    known = isinstance(result.get("outcome"), str) and isinstance(result.get("tasks"), list)
    return known or (result.get("unreachable") is True and isinstance(result.get("msg"), str))


def _what(value: t.Any) -> str:
    """Returns what is wrong with a value that is no result of a wait."""
    if not isinstance(value, dict):
        return f"it is {shown(value)}"
    lacking = [name for name, kind in (("outcome", str), ("tasks", list)) if not isinstance(value.get(name), kind)]
    failed = f", and it failed: {one_line(value['msg'], 200)}" if value.get("failed") and value.get("msg") else ""
    return f"it has no {' and no '.join(lacking)}{failed}"


def _read_wait(result: Result, number: int, at: str) -> Wait:
    tasks = result.get("tasks") or []
    for index, task in enumerate(tasks):
        if not isinstance(task, dict):
            raise CloudError("config", f"{at}.tasks[{index}] is no cloud task: it is {shown(task)}", advice=ADVICE)
    elapsed = _number(result.get("elapsed"))
    summary = result.get("summary")
    total = max(len(tasks), int(_number(summary.get("total"))) if isinstance(summary, dict) else 0)
    began = _began(result, tasks)
    return Wait(
        number=number,
        outcome=str(result["outcome"]) if result.get("outcome") in OUTCOMES else ERROR,
        msg=line(result.get("msg")),
        elapsed=elapsed,
        polls=int(_number(result.get("polls"))),
        began=began,
        total=total,
        unlisted=total - len(tasks),
        tasks=tuple(_read_task(task, number, began) for task in tasks),
    )


def _number(value: t.Any) -> float:
    """Returns a number that is not below 0; 0 for anything else."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)
    return min(max(0.0, float(value)), LONGEST) if is_number else 0.0


def unix(text: t.Any) -> float | None:
    """Returns a time such as ``2026-01-02T03:04:05Z`` in Unix seconds; null if it is none."""
    if not isinstance(text, str) or text[-1:] != "Z":
        return None
    try:
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return None


def _began(result: Result, tasks: t.Sequence[Result]) -> float | None:
    """Returns when a wait began, in Unix seconds; null if nothing tells.

    A history has times of day without fractions, and ``elapsed`` tells how long after the beginning a cloud task ended.
    The latest beginning that agrees with all of them is the most precise.
    """
    told = unix(result.get("started_at"))
    if told is not None:
        return told
    changes = [(task, [at for at in map(_when, _history(task)) if at is not None]) for task in tasks]
    firsts = [times[0] for dummy, times in changes if times]
    if not firsts:
        return None
    ends = [times[-1] - _number(task.get("elapsed")) for task, times in changes if times and task.get("done") is True]
    return min(max(ends, default=min(firsts)), min(firsts) + 1.0)


def _history(task: Result) -> list[Result]:
    history = task.get("history")
    return [change for change in history if isinstance(change, dict)] if isinstance(history, list) else []


def _when(change: Result) -> float | None:
    return unix(change.get("at"))


def _read_task(task: Result, wait: int, began: float | None) -> CloudTask:
    ref = task.get("ref") if isinstance(task.get("ref"), dict) else {}
    known: Result = {**t.cast(Result, ref), **task}
    status = known.get("status") if known.get("status") in STATUSES else UNKNOWN
    outcome = known.get("outcome") if known.get("outcome") in OUTCOMES else ERROR
    elapsed = _number(task.get("elapsed"))
    spans, errors, gaps = _times(task, str(status), elapsed, began)
    shown_as = str(status if outcome in (SATISFIED, FAILED) else outcome)
    return CloudTask(
        wait=wait,
        name=line(known.get("name")) or None,
        provider=line(known.get("provider")),
        task_id=line(known.get("task_id")),
        status=spans[-1].status if spans and spans[-1].status == PAUSED else str(status),
        outcome=str(outcome),
        shown=shown_as,
        said=_said(task, str(outcome)),
        elapsed=elapsed,
        polls=int(_number(task.get("polls"))),
        spans=spans,
        errors=errors,
        gaps=gaps,
        outputs=tuple(_outputs(task.get("outputs"))),
        counts=_counts(task.get("counts")),
        ref=t.cast(Result, ref),
    )


def _said(task: Result, outcome: str) -> str:
    """Returns what is known about why a cloud task ended as it did, in one line."""
    error, poll_error = (
        task.get(name) if isinstance(task.get(name), dict) else None for name in ("error", "poll_error")
    )
    told = error if outcome in (SATISFIED, FAILED) else poll_error or error
    return line(task.get("message")) or problem_text(t.cast("Result | None", told))


def _outputs(outputs: t.Any) -> t.Iterator[str]:
    for output in outputs if isinstance(outputs, list) else []:
        value = line(output.get("value")) if isinstance(output, dict) else ""
        if value:
            yield value


def _counts(counts: t.Any) -> tuple[int, int] | None:
    known = isinstance(counts, dict) and all(isinstance(counts.get(name), int) for name in ("succeeded", "total"))
    return (counts["succeeded"], counts["total"]) if known else None


Times = tuple[tuple[Span, ...], tuple[float, ...], tuple[float, ...]]


def _times(task: Result, status: str, elapsed: float, began: float | None) -> Times:
    """Returns the spans, the times of failed polls, and the times after which changes are missing."""
    changes: list[tuple[float, str]] = []
    errors: list[float] = []
    history = _history(task)
    for change in history:
        after = _after(change, elapsed, began)
        if after is None:
            continue
        if change.get("error"):
            errors.append(after)
        if change.get("status") in STATUSES:
            changes.append((max(after, changes[-1][0] if changes else 0.0), _shown_status(change)))
    ended = status in TERMINAL
    if ended and changes:
        changes[-1] = (max(elapsed, changes[-1][0]), changes[-1][1])  # it is known to the millisecond
    if task.get("poll_error") and not ended:
        errors.append(elapsed)
    middle = HISTORY_CUT // 2
    gaps = (changes[middle - 1][0],) if len(changes) >= HISTORY_CUT else ()
    return tuple(_spans(changes, elapsed, ended=ended)), tuple(errors), gaps


def _after(change: Result, elapsed: float, began: float | None) -> float | None:
    """Returns how long after the beginning of the wait a change was seen; null if it is not known."""
    if "elapsed" in change:
        return min(_number(change["elapsed"]), elapsed)
    at = _when(change)
    return None if at is None or began is None else min(max(0.0, at - began), elapsed)


def _shown_status(change: Result) -> str:
    return PAUSED if change.get("native_status") == NATIVE_PAUSE else str(change["status"])


def _spans(changes: t.Sequence[tuple[float, str]], elapsed: float, *, ended: bool) -> t.Iterator[Span]:
    """Yields the spans between changes; changes that keep the status, such as of the progress, make no new one."""
    start, status = 0.0, UNSEEN
    for after, other in changes:
        if other != status:
            if after > start:
                yield Span(status, start, after)
            start, status = after, other
    if status not in TERMINAL and not (status == UNSEEN and ended) and elapsed > start:
        yield Span(status, start, elapsed)


__all__ = [
    "BAD",
    "BROKEN",
    "NOT_STARTED",
    "OUTCOMES",
    "PAUSED",
    "UNCERTAIN",
    "UNSEEN",
    "CloudTask",
    "Report",
    "Span",
    "Wait",
    "line",
    "read_report",
    "unix",
]
