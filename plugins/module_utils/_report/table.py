# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The cloud tasks of waits as an aligned table, for a terminal."""

from __future__ import annotations

import typing as t
import unicodedata

from .model import CloudTask, Report
from .style import tone_of
from .words import Words, duration, outputs, reason

MOST_CELL = 40
MOST_LAST = 70
GAP = "  "

Row = t.Sequence[str]


def make_table(report: Report, words: Words) -> list[tuple[str, str]]:
    """Returns a line for each cloud task in input order, with ``good``, ``bad``, ``late`` or ``open`` for its colour."""
    tasks = [task for wait in report.waits for task in wait.tasks]
    rows = [_row(task, words) for task in tasks]
    widths = [max(map(width, column)) for column in zip(*rows)]
    lines = [GAP.join(_padded(cell, wide) for cell, wide in zip(row, widths)).rstrip() for row in rows]
    return [(line, tone_of(task.shown, is_good=task.is_good)) for line, task in zip(lines, tasks)]


def _row(task: CloudTask, words: Words) -> Row:
    result = reason(task, words) or outputs(task, words, most=1)
    cells = (task.title, task.provider, words[task.shown])
    took = duration(task.elapsed, words).replace("\u00a0", " ")
    return [*(_cut(cell, MOST_CELL) for cell in cells), took, _cut(result, MOST_LAST)]


def _cut(text: str, most: int) -> str:
    """Returns a text without its end, if it is too wide."""
    if width(text) <= most:
        return text
    while width(text) > most - 3:
        text = text[:-1]
    return text.rstrip() + "..."


def _padded(text: str, wide: int) -> str:
    return text + " " * (wide - width(text))


def width(text: str) -> int:
    """Returns how many columns of a terminal a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


__all__ = ["make_table", "width"]
