# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A hundred thousand cloud tasks in one wait, beside ten thousand. Not part of the default run, since it takes long."""

from __future__ import annotations

import statistics
import typing as t

from ..measure import Bench, Figures
from ..report import Target, number, ratio, table, verdicts
from .many_tasks import LIVES, OURS, PROBLEMS, RATES_OF_MANY, Run, largest_process, memory

TITLE = "A hundred thousand cloud tasks"
REPETITIONS = 3


def counts(bench: Bench) -> tuple[int, int]:
    """How many, the lower number first."""
    return bench.pick((10_000, 100_000), (20, 120))


def measure(bench: Bench) -> Figures:
    """Waits for few and many, in turn; and one that returns no records but those of problems."""
    jobs = {f"{count} {OURS}": Run(bench, OURS, count).measure for count in counts(bench)}
    runs = [run for some in bench.in_turn(jobs, REPETITIONS).values() for run in some]
    return {"runs": [*runs, Run(bench, PROBLEMS, counts(bench)[-1]).measure()]}


def groups(figures: Figures) -> dict[tuple[int, str], list[Figures]]:
    """The runs, by number of cloud tasks and contender."""
    found: dict[tuple[int, str], list[Figures]] = {}
    for run in figures["runs"]:
        found.setdefault((run["count"], run["who"]), []).append(run)
    return found


def middle(runs: t.Iterable[Figures], value: t.Callable[[Figures], float]) -> float:
    """The median of several runs."""
    return statistics.median(map(value, runs))


def after(run: Figures) -> float:
    """Milliseconds for each cloud task between the last poll and the end."""
    return float(run["after"] / run["count"] * 1000)


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    few, many = (runs for (dummy, who), runs in groups(figures).items() if who == OURS)
    size, times = middle(many, largest_process), ratio(middle(many, after), middle(few, after))
    short = figures["runs"][-1]
    return [
        Target("100,000 cloud tasks in at most 500 MiB, largest process", f"{size:.0f} MiB", size <= 500),
        Target("100,000 in at most 500 MiB with return_records: problems", *memory(short, 500)),
        Target(
            "time after the last poll, for each cloud task, 100,000 at most 1.1 times 10,000",
            f"{times:.2f} times",
            times <= 1.1,
        ),
    ]


def tell(figures: Figures) -> str:
    """The section."""
    values: list[t.Callable[[Figures], float]] = [
        lambda run: run["wall"],
        lambda run: run["cpu"],
        lambda run: sum(run["calls"].values()),
        lambda run: run["after"],
        after,
        largest_process,
        lambda run: run["peaks"].get("together", 0.0),
    ]
    rows = [
        [f"{count:,}", who, *(number(middle(runs, value)) for value in values)]
        for (count, who), runs in groups(figures).items()
    ]
    head = ["cloud tasks", "who", "wall s", "CPU s", "calls", "after the last poll s", "ms a cloud task", "largest MiB"]
    least, most = LIVES[100_000]
    few, many = (f"{RATES_OF_MANY[count]:,}" for count in (10_000, 100_000))
    return f"""\
Media tasks whose lives last {least} to {most} s, at up to {many} calls a second ({few} for 10,000). After the last poll, the
module returns its answer, the action makes the result, and Ansible passes that on and prints it. Medians of {REPETITIONS} runs,
but one with `return_records: problems`. This question is asked by `--only a_hundred_thousand`.

{table([*head, "together MiB"], rows)}

{verdicts(targets(figures))}
"""
