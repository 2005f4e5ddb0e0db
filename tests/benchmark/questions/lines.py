# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a change takes from the stand-in cloud's answer to the line that tells it."""

from __future__ import annotations

import math
import re
import statistics
import subprocess
import time
import typing as t

from ..cloud import DONE, Cloud
from ..contenders import wait
from ..measure import ROOT, Bench, Environment, Figures, playbook
from ..report import Target, number, table, verdicts

TITLE = "From an answer to its line"
ONE = "1 cloud task, a change with each poll"
MANY = "1,000 cloud tasks, ends spread over 60 s"
LIMIT = 1.0
REPETITIONS = 3

Times = dict[str, float]
"""When something happened, in Unix seconds, by what it was."""


def printed(task: Figures, environment: Environment, pattern: str) -> Times:
    """Play an Ansible task, and note when each line came through the pipe that is its standard output.

    :param pattern: of the lines that count; its group says what a line tells.
    """
    found: Times = {}
    output = []
    with playbook(task) as command:
        variables = {**environment, "CLOUDWAIT_PROGRESS": "1"}
        process = subprocess.Popen(
            command, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        for line in t.cast("t.IO[str]", process.stdout):
            now = time.time()
            output.append(line)
            match = re.search(pattern, line)
            if match:
                found.setdefault(match[1], now)
        if process.wait():
            raise RuntimeError("".join(output[-50:]))
    return found


def lateness(answered: Times, lines: Times) -> Figures:
    """Seconds from answers to lines; of what no line of its own tells, nothing."""
    late = sorted(at - answered[what] for what, at in lines.items())
    return {"lines": len(late), "median": statistics.median(late), "p95": late[math.ceil(len(late) * 0.95) - 1]}


def one(bench: Bench) -> Figures:
    """A cloud task of which each poll tells other progress; below 20 lines in 5 s, so that each has one."""
    count = bench.pick(60, 3)
    life = [{"status": "running", "progress": percent, "looks": 1} for percent in range(1, count + 1)]
    with Cloud([{"provider": "mps", "task_id": "film", "life": [*life, DONE]}]) as cloud:
        task = wait(provider="mps", task_id="film", sleep=0.4, max_sleep=0.4)
        lines = printed(task, cloud.environment(), r"mps film: running (\d+) %")
        calls = [entry["time"] for entry in cloud.control("journal")["entries"] if entry["task_id"] == "film"]
    return lateness({str(percent): at for percent, at in enumerate(calls, 1)}, lines)


def many(bench: Bench) -> Figures:
    """Cloud tasks that end one after the other; the answer that tells the end of one is the last about it."""
    count, spread = bench.pick((1000, 60.0), (8, 1.0))
    ids = [f"film-{place}" for place in range(count)]
    seconds = [bench.pick(5.0, 0.5) + spread * place / count for place in range(count)]
    lives = [[{"status": "running", "seconds": each}, DONE] for each in seconds]
    tasks = [{"provider": "mps", "task_id": name, "life": life} for name, life in zip(ids, lives)]
    with Cloud(tasks) as cloud:
        task = wait(provider="mps", tasks=ids, rate_limit={"mps": 200}, max_sleep=bench.pick(5, 1), sleep=1)
        lines = printed(task, cloud.environment(), r"mps (film-\d+): succeeded\b")
        answered = {entry["task_id"]: entry["time"] for entry in cloud.control("journal")["entries"]}
    return lateness(answered, lines)


def measure(bench: Bench) -> Figures:
    """Both, some times."""
    jobs = {ONE: lambda: one(bench), MANY: lambda: many(bench)}
    return bench.in_turn(jobs, REPETITIONS)


def middle(runs: t.Sequence[Figures], value: str) -> float:
    """The median of several runs."""
    return statistics.median(float(run[value]) for run in runs)


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    found = {who: middle(runs, "p95") for who, runs in figures.items()}
    wanted = "95 % of lines at most 1 s after the answer that they tell"
    return [Target(f"{wanted}: {who}", f"{value:.2f} s", value <= LIMIT) for who, value in found.items()]


def tell(figures: Figures) -> str:
    """The section."""
    rows = [
        [who, *(number(middle(runs, value)) for value in ("lines", "median", "p95"))] for who, runs in figures.items()
    ]
    return f"""\
Seconds from the stand-in cloud's answer that first tells a change to the line that `ansible-playbook` prints about it, as
whoever reads its standard output through a pipe sees it. The module runs on the controller's machine. How often a cloud
task is polled does not matter here. More than 20 changes in 5 s share a line, so with 1,000 cloud tasks those
count that have a line of their own. Medians of {REPETITIONS} runs.

{table(["a wait", "lines", "median s", "95 % s"], rows)}

{verdicts(targets(figures))}
"""
