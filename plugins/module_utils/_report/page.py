# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The report as one HTML page, which needs no script and asks no host for anything."""

from __future__ import annotations

import base64
import hashlib
import re
import typing as t
from html import escape

from .._version import __version__
from .._wait.verdict import UNFINISHED
from .model import BAD, CloudTask, Report
from .style import STYLE, shape, symbols, tone_of
from .timeline import make_time_line
from .words import Words, duration, outputs, reason, times, verdict, wait_problem

MOST_PROBLEMS = 5
"""Number of problems at the head of the page; all of them are in the table."""

UNFOLDED = 60
"""Number of rows that are not folded. Up to so many cloud tasks, the whole table is open."""

CHUNK = 500
"""Number of rows of a folded table."""

MOST_OUTPUTS = 3
COLUMNS = ("task", "service", "status", "time", "result")
GROUP_COLUMNS = ("task", "time", "result")
"""Columns of a group, whose title names the service and the status; many rows are faster without them."""


def make_html(report: Report, words: Words) -> str:
    """Returns the report as the text of an HTML file."""
    title = report.title or words["title"]
    line = verdict(report, words)
    # Nothing but this style sheet is allowed: no script, no request, no style of an element
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return "".join(
        [
            f'<!DOCTYPE html>\n<html lang="{words["lang"]}">\n<head>\n<meta charset="utf-8">\n',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n',
            '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n',
            '<link rel="icon" href="data:,">\n',
            f"<title>{escape(line)} | {escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{symbols()}\n",
            f"<main>\n{_head(report, title, line, words)}\n{_problems(report, words)}\n",
            f"{make_time_line(report, words)}\n{_tables(report, words)}\n</main>\n",
            f"<footer>{escape(words['made_by'].format(version=__version__))}</footer>\n</body>\n</html>\n",
        ]
    )


def _glued(line: str) -> str:
    """Returns a line in which no number stands at the end of a row, away from what it counts."""
    return re.sub(r"(?<=\d) (?=\w)", "\u00a0", line)


def _icon(word: str, *, is_good: bool = False) -> str:
    return f'<svg viewBox="-8.5 -8.5 17 17" aria-hidden="true">{shape(word, is_good=is_good)}</svg>'


def _head(report: Report, title: str, line: str, words: Words) -> str:
    is_open = not report.is_good and not any(task.outcome in BAD for task in report.tasks) and report.total
    icon = _icon("succeeded" if report.is_good else "unfinished" if is_open else "failed")
    seconds, polls = sum(wait.elapsed for wait in report.waits), sum(wait.polls for wait in report.waits)
    facts = [(words[outcome], f"{count:,}") for outcome, count in _counts(report) if count]
    facts += [(words["took"], duration(seconds, words)), (words["polls"], f"{polls:,}")]
    pairs = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    more = f'{_share(report)}<dl class="facts">{pairs}</dl>' if report.total else ""
    return (
        f'<header><p class="title">{escape(title)}</p><h1>{icon}<span>{escape(_glued(line))}</span></h1>{more}</header>'
    )


def _counts(report: Report) -> list[tuple[str, int]]:
    """Returns how many cloud tasks have which outcome."""
    tasks = report.tasks
    bad = [(word, sum(task.outcome == word for task in tasks)) for word in BAD]
    still_open = sum(task.outcome == UNFINISHED for task in tasks)
    return [("satisfied", report.total - sum(not task.is_good for task in tasks)), *bad, (UNFINISHED, still_open)]


def _share(report: Report) -> str:
    """Returns a bar whose parts are as long as the shares of the outcomes."""
    parts, left = [], 0.0
    for outcome, count in _counts(report):
        share = 100 * count / max(1, report.total)
        tone = "satisfied" if outcome == "satisfied" else "unfinished" if outcome == UNFINISHED else "failed"
        if count:
            parts.append(f'<rect class="s-{tone}" x="{left:.3f}%" width="{share:.3f}%" height="6"/>')
        left += share
    return f'<svg class="share" aria-hidden="true">{"".join(parts)}</svg>'


def _problems(report: Report, words: Words) -> str:
    """Returns what went wrong, as a list; empty if nothing did."""
    waits = [
        _problem(
            "error",
            words["wait"].format(number=wait.number + 1) if len(report.waits) > 1 else "",
            "",
            wait.msg or words[wait.outcome],
        )
        for wait in report.waits
        if wait_problem(wait)
    ]
    bad = [task for task in report.tasks if task.outcome in BAD]
    shown = [*waits, *(_task_problem(task, words) for task in bad[:MOST_PROBLEMS])]
    if not shown:
        return ""
    left = len(bad) - MOST_PROBLEMS
    more = f'<p class="note">{words["problems_more"].format(left)}</p>' if left > 0 else ""
    return (
        f'<section aria-labelledby="problems"><h2 id="problems">{words["problems"]}</h2>'
        f'<ul class="card">{"".join(shown)}</ul>{more}</section>'
    )


def _task_problem(task: CloudTask, words: Words) -> str:
    about = f"{escape(task.provider)} · {words[task.shown]} · {duration(task.elapsed, words)}"
    return _problem(task.shown, task.title, about, reason(task, words))


def _problem(word: str, name: str, about: str, why: str) -> str:
    head = f'<strong class="name">{escape(name)}</strong><span class="about">{about}</span>' if name else ""
    return f'<li class="problem">{_icon(word)}{head}<span class="why">{escape(why)}</span></li>'


def _tables(report: Report, words: Words) -> str:
    """Returns the tables: all in one where there are few; else those that went wrong first, and the others folded."""
    tasks = report.tasks
    if not tasks and not report.unlisted:
        return ""
    note = f'<p class="note">{words["unlisted"].format(report.unlisted)}</p>' if report.unlisted else ""
    bad = [task for task in tasks if task.outcome in BAD] if len(tasks) > UNFOLDED else tasks
    blocks = [f'<div class="card">{_table(bad[:UNFOLDED], words)}</div>'] if bad else []
    folded = [
        _folded(words["rest"].format(count=len(some), first=first + 1, last=first + len(some)), some, words)
        for first, some in _chunks(bad, UNFOLDED)
    ]
    folded += [block for title, some in _groups(tasks[len(bad) :], words) for block in _fold_group(title, some, words)]
    if folded:
        blocks.append(f'<div class="card">{"".join(folded)}</div>')
    return f'<section aria-labelledby="all"><h2 id="all">{words["all_tasks"]}</h2>{"".join(blocks)}{note}</section>'


def _chunks(tasks: t.Sequence[CloudTask], first: int) -> t.Iterator[tuple[int, t.Sequence[CloudTask]]]:
    for start in range(first, len(tasks), CHUNK):
        yield start, tasks[start : start + CHUNK]


def _groups(tasks: t.Iterable[CloudTask], words: Words) -> list[tuple[str, list[CloudTask]]]:
    """Returns cloud tasks by service and status, each group with its title."""
    groups: dict[tuple[str, str], list[CloudTask]] = {}
    for task in tasks:
        groups.setdefault((task.provider, task.shown), []).append(task)
    return [
        (f"{escape(provider)}{words['colon']}{words['group'].format(count=len(some), status=words[shown])}", some)
        for (provider, shown), some in groups.items()
    ]


def _fold_group(title: str, tasks: t.Sequence[CloudTask], words: Words) -> t.Iterator[str]:
    for start, some in _chunks(tasks, 0):
        part = f" ({start + 1:,}-{start + len(some):,})" if len(tasks) > CHUNK else ""
        yield _folded(title + part, some, words, GROUP_COLUMNS)


def _folded(title: str, tasks: t.Sequence[CloudTask], words: Words, columns: t.Sequence[str] = COLUMNS) -> str:
    return f"<details><summary>{title}</summary>{_table(tasks, words, columns)}</details>"


def _table(tasks: t.Sequence[CloudTask], words: Words, columns: t.Sequence[str] = COLUMNS) -> str:
    """Returns a table. Its roles are named, since a phone shows its rows as blocks, which have none by themselves."""
    heads = "".join(f'<th role="columnheader" scope="col" class="c-{name}">{words[name]}</th>' for name in columns)
    rows = "".join(_row(task, words, columns) for task in tasks)
    return (
        f'<table role="table"><thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
        f'<tbody role="rowgroup">{rows}</tbody></table>'
    )


def _row(task: CloudTask, words: Words, columns: t.Sequence[str]) -> str:
    tone = tone_of(task.shown, is_good=task.is_good)
    title = f'<span class="name">{escape(task.title)}</span>' if task.name or not task.task_id else ""
    cells = {
        "task": f"{title}{_id(task.task_id)}",
        "service": escape(task.provider),
        "status": f'<span class="badge {tone}">{_icon(task.shown, is_good=task.is_good)}{words[task.shown]}</span>',
        "time": times(task, words),
        "result": _result(task, words),
    }
    return f"<tr role=row>{''.join(f'<td role=cell class={name}>{cells[name]}</td>' for name in columns)}</tr>"


def _id(task_id: str) -> str:
    return f'<span class="id">{escape(task_id)}</span>' if task_id else ""


def _result(task: CloudTask, words: Words) -> str:
    """Returns the outputs, and the reason above them if there is one."""
    why = escape(reason(task, words))
    made = "".join(f"<li><code>{escape(output)}</code></li>" for output in task.outputs[:MOST_OUTPUTS])
    more = len(task.outputs) - MOST_OUTPUTS
    made += f"<li>{words['more'].format(more)}</li>" if more > 0 else ""
    made = made or (f"<li>{outputs(task, words)}</li>" if task.counts and not why else "")
    return why + (f'<ul class="made">{made}</ul>' if made else "")


__all__ = ["make_html"]
