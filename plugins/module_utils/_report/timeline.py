# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The time line of the HTML report, as SVG: a bar for each cloud task, or counts where there are too many.

Positions are percent, so that the picture fits any width while its text keeps its size.
"""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone
from html import escape

from .axis import Axis, count_statuses
from .model import BAD, CloudTask, Report
from .style import shape, tone_of
from .words import Words, duration

MOST_BARS = 60
"""Number of cloud tasks up to which each has a bar."""

MOST_BAD_BARS = 20
MOST_ID = 14
SLOWEST = 8
COLUMNS = 200
MIDDLE = 17
"""Middle of a bar, in pixels from the top of its row."""

STACKED = ("satisfied", "failed", "running", "unknown", "paused", "pending", "unseen")
"""Statuses in the picture of counts, from below."""

LIVING = ("unseen", "pending", "paused", "running", "unknown")


def make_time_line(report: Report, words: Words) -> str:
    """Returns the time line as HTML; empty if there is nothing to draw."""
    tasks = report.tasks
    if not any(task.spans or task.polls for task in tasks):
        return ""
    axis = Axis(report)
    many = len(tasks) > MOST_BARS
    body = _counts(tasks, axis, words) if many else "".join(_bars(report, axis, words))
    caption = words["count_picture" if many else "picture"]
    starts = "" if axis.began is None else f"{words['starts'].format(time=_clock(axis.began))}"
    return (
        f'<section aria-labelledby="time"><h2 id="time">{words["time_line"]}</h2>'
        f'<figure class="card"><div role="img" aria-label="{escape(caption)}">'
        f'{_legend(tasks, words)}<div class="chart">{_axis_row(axis, words)}{body}</div></div>'
        f'</figure><p class="note">{starts}</p></section>'
    )


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _bars(report: Report, axis: Axis, words: Words) -> t.Iterator[str]:
    """Yields a row for each cloud task, in input order; with headings, if several waits have several."""
    waits = [wait for wait in report.waits if wait.tasks]
    headed = 1 < len(waits) < len(report.tasks)
    for wait in waits:
        if headed:
            title = f"{words['wait'].format(number=wait.number + 1)} · {words[wait.outcome]}"
            yield f'<div class="row head"><h3>{title}, {duration(wait.elapsed, words)}</h3></div>'
        for task in wait.tasks:
            yield _row(task, axis, words)


def _row(task: CloudTask, axis: Axis, words: Words) -> str:
    tone = tone_of(task.shown, is_good=task.is_good)
    name = f"<b>{escape(_label(task))}</b><span>{escape(task.provider)}</span>"
    end = f"{words[task.shown]} <span>{duration(task.elapsed, words)}</span>"
    return f'<div class="row"><div class="name">{name}</div>{_bar(task, axis)}<div class="end {tone}">{end}</div></div>'


def _label(task: CloudTask) -> str:
    """Returns the name of a cloud task, or the end of its id: long ids of one service begin alike."""
    return task.title if task.name or len(task.title) <= MOST_ID else f"…{task.title[1 - MOST_ID :]}"


def _bar(task: CloudTask, axis: Axis) -> str:
    """Returns the bar of a cloud task: a span for each status, marks, and a shape for how it ended."""
    parts = [_grid(axis)]
    for span in task.spans:
        left, right = (axis.percent(task.wait, seconds) for seconds in (span.start, span.end))
        height = 2 if span.status == "unseen" else 12
        size = f'x="{left:.3f}%" y="{MIDDLE - height / 2:g}" width="{max(right - left, 0.1):.3f}%" height="{height}"'
        parts.append(f'<rect class="s-{span.status}" {size}/>')
    for seconds in task.gaps:
        parts.append(_at(axis.percent(task.wait, seconds), '<path class="gap" d="M-3 9l3-18m1 18l3-18"/>'))
    for seconds in task.errors:
        parts.append(_at(axis.percent(task.wait, seconds), '<path class="err" d="M-3-16l5 5m0-5l-5 5"/>'))
    parts.append(_at(axis.percent(task.wait, task.elapsed), shape(task.shown, is_good=task.is_good)))
    return f"<svg>{''.join(parts)}</svg>"


def _at(percent: float, form: str) -> str:
    """Returns a form that is drawn around a place on the middle of a bar."""
    return f'<svg x="{percent:.3f}%" y="{MIDDLE}" overflow="visible">{form}</svg>'


def _grid(axis: Axis) -> str:
    return "".join(
        f'<line class="grid" x1="{place:.3f}%" x2="{place:.3f}%" y1="0" y2="100%"/>' for place, dummy in axis.labels()
    )


def _axis_row(axis: Axis, words: Words) -> str:
    """Returns the labels above the bars. The last one is aligned to its left where it would stick out."""
    texts = []
    for place, seconds in axis.labels():
        anchor = "start" if place < 3 else "end" if place > 97 else "middle"
        label = duration(seconds, words) if seconds else "0"
        texts.append(f'<text x="{place:.3f}%" y="18" text-anchor="{anchor}">{label}</text>')
    return f'<div class="row axis"><div class="blank"></div><svg>{"".join(texts)}</svg><div class="blank"></div></div>'


def _legend(tasks: t.Sequence[CloudTask], words: Words) -> str:
    """Returns what the patterns, shapes and marks mean that the picture has."""
    spans = {span.status for task in tasks for span in task.spans}
    items = [(_swatch(status), words[status]) for status in LIVING if status in spans]
    if len(tasks) > MOST_BARS:
        items += [(_swatch("failed"), words["not_satisfied"]), (_swatch("satisfied"), words["satisfied"])]
    for word, is_good in dict.fromkeys((task.shown, task.is_good) for task in tasks):
        items.append((f'<svg viewBox="-11 -8 22 16">{shape(word, is_good=is_good)}</svg>', words[word]))
    if any(task.errors for task in tasks):
        items.append(
            ('<svg viewBox="-11 -8 22 16"><path class="err" d="M-3-3l6 6m0-6l-6 6"/></svg>', words["mark_error"])
        )
    if any(task.gaps for task in tasks):
        items.append(
            ('<svg viewBox="-11 -8 22 16"><path class="gap" d="M-3 8l3-16m1 16l3-16"/></svg>', words["mark_gap"])
        )
    return f'<ul class="legend">{"".join(f"<li>{picture}{word}</li>" for picture, word in items)}</ul>'


def _swatch(status: str) -> str:
    y, height = (6, 2) if status == "unseen" else (2, 11)
    return f'<svg><rect class="s-{status}" x=".5" y="{y}" width="21" height="{height}"/></svg>'


def _counts(tasks: t.Sequence[CloudTask], axis: Axis, words: Words) -> str:
    """Returns a picture of how many cloud tasks had which status, and bars of those that matter most."""
    bad = [task for task in tasks if task.outcome in BAD]
    slowest = sorted((task for task in tasks if task.is_good), key=lambda task: -task.elapsed)[:SLOWEST]
    rows = [_stack(tasks, axis, words), *(_row(task, axis, words) for task in bad[:MOST_BAD_BARS])]
    if len(bad) > MOST_BAD_BARS:
        rows.append(f'<p class="note">{words["problems_more"].format(len(bad) - MOST_BAD_BARS)}</p>')
    if slowest:
        rows.append(f'<div class="row head"><h3>{words["slowest"]}</h3></div>')
    return "".join([*rows, *(_row(task, axis, words) for task in slowest)])


def _stack(tasks: t.Sequence[CloudTask], axis: Axis, words: Words) -> str:
    counts = count_statuses(tasks, axis, COLUMNS)
    below = [0] * COLUMNS
    areas = []
    for status in STACKED:
        if status in counts:
            above = [low + count for low, count in zip(below, counts[status])]
            areas.append(f'<path class="s-{status}" d="{_area(below, above, len(tasks))}"/>')
            below = above
    picture = f'<svg class="count" viewBox="0 0 {COLUMNS - 1} 100" preserveAspectRatio="none">{"".join(areas)}</svg>'
    name = f'<div class="name">{words["cloud_tasks"].format(total=len(tasks))}</div>'
    return f'<div class="row count-row">{name}{picture}<div class="blank"></div></div>'


def _area(below: t.Sequence[int], above: t.Sequence[int], total: int) -> str:
    """Returns the outline of an area between two lines of counts."""
    points = [*enumerate(above), *reversed(list(enumerate(below)))]
    return "M" + "L".join(f"{column} {100 - 100 * count / total:.2f}" for column, count in points) + "z"


__all__ = ["make_time_line"]
