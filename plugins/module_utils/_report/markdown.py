# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The report as Markdown, for a pull request or the summary of a step.

Text of vendors and users stands in ``code`` elements, and all its punctuation is written as numbers. So it can be neither
Markdown nor HTML nor the end of a cell, and sites do not turn it into a link, a mention or a reference.
"""

from __future__ import annotations

import typing as t

from .._wait.verdict import UNFINISHED
from .model import BAD, CloudTask, Report
from .words import Words, duration, outputs, reason, times, verdict, wait_problem

MOST = 55_000
"""Characters of a report. GitHub refuses comments of more than 65,536."""

MOST_CELL = 300
PLAIN = " -,/"
"""Punctuation that means nothing within a line, without the rest of it."""

MARKS = {True: "✅", False: "❌"}


def make_markdown(report: Report, words: Words) -> str:
    """Returns the report as Markdown: the verdict, what went wrong, and a folded table of the others."""
    tasks = report.tasks
    bad = [task for task in tasks if task.outcome in BAD]
    others = [task for task in tasks if task.outcome not in BAD]
    facts = (
        f"{words['took']} {duration(sum(wait.elapsed for wait in report.waits), words)}",
        f"{sum(wait.polls for wait in report.waits)} {words['polls']}",
    )
    lines = [
        f"### {escape(report.title or words['title'])}",
        "",
        f"{MARKS[report.is_good]} **{verdict(report, words)}** ({words['comma'].join(facts)})",
        "",
    ]
    for wait in report.waits:
        if wait_problem(wait):
            lines += [f"- {code(wait.msg or wait.outcome)}", ""]
    room = MOST - sum(map(len, lines))
    table, room = _table(bad, words, room)
    lines += table
    if others:
        title = words["comma"].join(_group_titles(others, report.unlisted, words))
        table, room = _table(others, words, room)
        lines += [f"<details><summary>{title}</summary>", "", *table, "</details>", ""]
    elif report.unlisted:
        lines += [words["unlisted"].format(report.unlisted), ""]
    return "\n".join(lines)


def _group_titles(tasks: t.Sequence[CloudTask], unlisted: int, words: Words) -> t.Iterator[str]:
    """Yields how many cloud tasks the folded table is about."""
    still_open = sum(task.outcome == UNFINISHED for task in tasks)
    if len(tasks) > still_open:
        yield words["group"].format(count=len(tasks) - still_open, status=words["satisfied"])
    if still_open:
        yield words["group"].format(count=still_open, status=words[UNFINISHED])
    if unlisted:
        yield words["unlisted"].format(unlisted)


def _table(tasks: t.Sequence[CloudTask], words: Words, room: int) -> tuple[list[str], int]:
    """Returns a table of cloud tasks, and how much room is left after it. Rows without room are counted."""
    if not tasks:
        return [], room
    columns = [words[name] for name in ("task", "service", "status", "time", "result")]
    lines = [f"| {' | '.join(columns)} |", f"|{' --- |' * len(columns)}"]
    left = len(tasks)
    for task in tasks:
        row = _row(task, words)
        if room < len(row):
            break
        room, left = room - len(row) - 1, left - 1
        lines.append(row)
    return [*lines, *(["", words["more"].format(left)] if left else []), ""], room


def _row(task: CloudTask, words: Words) -> str:
    told = reason(task, words) or outputs(task, words)
    name = code(task.title) + (f"<br>{code(task.task_id)}" if task.name and task.task_id else "")
    cells = [name, code(task.provider), words[task.shown], times(task, words), code(told)]
    return f"| {' | '.join(cells)} |"


def escape(text: str) -> str:
    """Returns a text with ASCII punctuation as numbers, so that it has no meaning in Markdown and HTML."""
    return "".join(char if char.isalnum() or char in PLAIN or ord(char) > 127 else f"&#{ord(char)};" for char in text)


def code(text: str) -> str:
    """Returns a text as a ``code`` element; a long one is cut."""
    short = text if len(text) <= MOST_CELL else text[: MOST_CELL - 3] + "..."
    return f"<code>{escape(short)}</code>" if short else ""


__all__ = ["code", "escape", "make_markdown"]
