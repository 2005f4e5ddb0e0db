# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: reports of waits, pure functions.
"""The report as JUnit, for GitLab, Jenkins, GitHub's readers and others.

It keeps to what the schema of Jenkins (junit-10.xsd of its plugin xUnit) allows and what GitLab reads: GitLab shows the
text of ``failure`` and not its ``message``, and of two test cases with the same names only the first. Jenkins fails the
build for a file without test cases.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime, timezone

from .._wait.verdict import UNFINISHED
from .model import BROKEN, CloudTask, Report, Wait
from .words import Words, outputs, reason, verdict, wait_problem

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, not even as references."""

ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
UNSAFE = re.compile("[&<>\"']")


class Case(t.NamedTuple):
    """A test case: a cloud task, or a wait of which no cloud task tells how it ended.

    :param kind: ``failure``, ``error`` or ``skipped``; empty if it passed.
    """

    class_name: str
    name: str
    seconds: float
    kind: str = ""
    word: str = ""
    why: str = ""
    printed: str = ""


def make_junit(report: Report, words: Words) -> str:
    """Returns the report as the text of a JUnit file: a suite for each wait, a case for each cloud task."""
    names: dict[tuple[str, str], int] = {}
    suites = [(wait, [_unique(case, names) for case in _cases(wait, words)]) for wait in report.waits]
    cases = [case for dummy, some in suites for case in some]
    seconds = sum(wait.elapsed for wait in report.waits)
    title = report.title or words["title"]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuites {_attributes(name=title, tests=len(cases), **_counts(cases), time=f'{seconds:.3f}')}>",
        *(line for wait, some in suites for line in _suite(report, wait, some, words)),
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _suite(report: Report, wait: Wait, cases: t.Sequence[Case], words: Words) -> t.Iterator[str]:
    title = report.title or words["title"]
    name = title if len(report.waits) == 1 else f"{title}, {words['wait'].format(number=wait.number + 1)}"
    skipped = sum(case.kind == "skipped" for case in cases)
    began = {} if wait.began is None else {"timestamp": _stamp(wait.began)}
    counts = {"tests": len(cases), **_counts(cases), "skipped": skipped}
    yield f"  <testsuite {_attributes(name=name, **counts, time=f'{wait.elapsed:.3f}', **began)}>"
    yield "    <properties>"
    for key, value in _properties(report, wait, words).items():
        yield f"      <property {_attributes(name=key, value=value)}/>"
    yield "    </properties>"
    for case in cases:
        yield from _case(case)
    if wait.msg:
        more = f"\n{words['unlisted'].format(wait.unlisted)}" if wait.unlisted else ""
        yield f"    <system-out>{escape(wait.msg + more)}</system-out>"
    yield "  </testsuite>"


def _properties(report: Report, wait: Wait, words: Words) -> dict[str, t.Any]:
    """Returns facts about the wait; those about all waits stand in the first suite only where there is one wait."""
    whole = {"verdict": verdict(report, words)} if len(report.waits) == 1 else {}
    return {
        "outcome": wait.outcome,
        **whole,
        "polls": wait.polls,
        "cloud_tasks": wait.total,
        "satisfied_not_listed": wait.unlisted,
    }


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, tz=timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def _counts(cases: t.Iterable[Case]) -> dict[str, int]:
    kinds = [case.kind for case in cases]
    return {"failures": kinds.count("failure"), "errors": kinds.count("error")}


def _cases(wait: Wait, words: Words) -> t.Iterator[Case]:
    for task in wait.tasks:
        yield _case_of(task, words)
    if wait_problem(wait):
        yield _case_of_wait(wait, words, "error")
    elif not wait.tasks:
        yield _case_of_wait(wait, words, "skipped" if wait.outcome == UNFINISHED else "")


def _case_of_wait(wait: Wait, words: Words, kind: str) -> Case:
    """Returns a case for a wait itself, where no cloud task tells how it ended."""
    name = words["wait"].format(number=wait.number + 1)
    return Case("cloudwait.wait", name, wait.elapsed, kind, wait.outcome, wait.msg or wait.outcome)


def _case_of(task: CloudTask, words: Words) -> Case:
    why = reason(task, words)
    kind = "" if task.is_good else "skipped" if task.outcome == UNFINISHED else "failure"
    printed = [f"{task.provider} {task.task_id}".strip() if task.name else "", outputs(task, words, most=20)]
    return Case(
        class_name=f"cloudwait.{task.provider or 'unknown'}",
        name=task.title or words["unknown"],
        seconds=task.elapsed,
        kind="error" if task.outcome in BROKEN else kind,
        word=task.shown,
        why=why,
        printed="\n".join(filter(None, [*printed, why if task.is_good else ""])),
    )


def _unique(case: Case, names: dict[tuple[str, str], int]) -> Case:
    """Returns the case under a name that no other has, since readers keep only one of those with the same name."""
    key = (case.class_name, case.name)
    names[key] = names.get(key, 0) + 1
    return case if names[key] == 1 else _unique(case._replace(name=f"{case.name} ({names[key]})"), names)


def _case(case: Case) -> t.Iterator[str]:
    head = f"    <testcase {_attributes(classname=case.class_name, name=case.name, time=f'{case.seconds:.3f}')}"
    if not case.kind and not case.printed:
        yield f"{head}/>"
        return
    yield f"{head}>"
    if case.kind:
        yield f"      <{case.kind} {_attributes(type=case.word, message=case.why)}>{escape(case.why)}</{case.kind}>"
    if case.printed:
        yield f"      <system-out>{escape(case.printed)}</system-out>"
    yield "    </testcase>"


def _attributes(**values: t.Any) -> str:
    return " ".join(f'{name}="{escape(value)}"' for name, value in values.items())


def escape(value: t.Any) -> str:
    """Returns a value as text or attribute of XML. Characters that XML does not allow become U+FFFD."""
    return UNSAFE.sub(lambda found: ENTITIES[found[0]], NOT_XML.sub("\ufffd", str(value)))


__all__ = ["escape", "make_junit"]
