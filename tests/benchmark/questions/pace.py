# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where polls are placed: lateness and calls of ``pace: expected`` and ``pace: fixed``, by simulation."""

from __future__ import annotations

import json
import subprocess
import typing as t

from ..cloud import TREE, Cloud
from ..contenders import program
from ..measure import ROOT, Bench, Figures
from ..report import Target, number, ratio, table, verdicts

TITLE = "Where polls are placed"
UNKNOWN = "unknown"
LIMIT = 0.5


def measure(bench: Bench) -> Figures:
    """Simulated waits, in a process that finds this collection."""
    with Cloud() as cloud:
        environment = {**cloud.environment(), **TREE}
        command = program("paces.py", str(bench.pick(100, 2)))
        done = subprocess.run(command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return t.cast("Figures", json.loads(done.stdout))


def share(row: Figures) -> float:
    """How late ``expected`` is, beside ``fixed`` with as many calls."""
    return ratio(row["expected"]["late"], row["as_many"]["late"])


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    worst = max(share(row) for row in figures["rows"] if row["progress"] != UNKNOWN)
    wanted = "at most 0.5 of the lateness of fixed at as many calls, where progress is known"
    return [Target(f"pace: expected, {wanted}", f"at most {worst:.2f}", worst <= LIMIT)]


def tell(figures: Figures) -> str:
    """The section."""
    rows = [
        [
            row["lives"],
            row["progress"],
            "together" if row["together"] else "one after the other",
            *(number(row[pace][value]) for pace in ("expected", "fixed") for value in ("calls", "late")),
            number(row["as_many"]["late"]),
            f"{share(row):.2f}",
        ]
        for row in figures["rows"]
    ]
    head = ["they run for", "progress", "start", "expected: calls", "late s", "fixed: calls", "late s"]
    return f"""\
Waits for {figures["count"]} cloud tasks at the defaults, simulated with the wait's own loop and a clock of its own, without limits of
rates: calls for each cloud task, and the mean seconds from an end to the poll that saw it. Cloud tasks start together, or
one after the other within 300 s. `fixed` with as many calls as `expected` has the `max_sleep` for it. Where progress is
unknown, `expected` can only learn from the cloud tasks that have ended in the same wait: it is sooner where they take about
the same time, and otherwise spends some more calls. Progress with two stalls stands still at 30 and at 70 %, each for a
fifth of the time.

{table([*head, "fixed, as many calls: late s", "expected / fixed"], rows)}

{verdicts(targets(figures))}
"""
