# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulates waits with each pace, by kind of lives, progress and starts: ``paces.py COUNT``; prints them as JSON."""

from __future__ import annotations

import json
import sys
import typing as t

from ansible_collections.cloudwait.conversion.tests.benchmark import pace

Row = dict[str, t.Any]


def compare(lives: list[float], progress: pace.Progress | None, starts: list[float]) -> Row:
    """Calls for each cloud task, and how late an end is seen, with both paces and with as many calls."""
    expected = pace.simulate(lives, progress, pace="expected", starts=starts)
    fixed = pace.simulate(lives, progress, pace="fixed", starts=starts)
    as_many = pace.fixed_at(expected.calls, lives, progress, starts=starts)
    both = {"expected": expected, "fixed": fixed, "as_many": as_many}
    return {name: seen._asdict() for name, seen in both.items()}


def rows(count: int) -> t.Iterator[Row]:
    """One for each kind of lives, of progress and of starts."""
    for lives_name, lives in pace.distributions(count).items():
        for progress_name, progress in pace.PROGRESS.items():
            for together in (True, False):
                starts = [0.0 if together else pace.MEDIAN * place / count for place in range(count)]
                kind = {"lives": lives_name, "progress": progress_name, "together": together}
                yield {**kind, **compare(lives, progress, starts)}


print(json.dumps({"count": int(sys.argv[1]), "rows": list(rows(int(sys.argv[1])))}))
