# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An idle hour: waiting for what does not move, at the defaults."""

from __future__ import annotations

import contextlib
import functools
import pathlib
import subprocess
import time
import typing as t

from ..cloud import DONE, RUNNING, Cloud
from ..contenders import SELDOM_INTERVAL, info, played, seldom, until, wait
from ..measure import ROOT, Bench, Cost, Environment, Figures, at_once, playbook, spread
from ..probe import descendants
from ..report import Target, bar_note, number, paired, ratio, table, verdicts

TITLE = "An idle hour"
OURS = "wait_for_task, 1 task"
MANY = "wait_for_task, 1,000 tasks"
UNTIL = "info module + until, delay 30, 1 task"
UNTIL_MANY = "the same loop, 1,000 tasks: reckoned"
DEFAULT = "internal_poll_interval at its default, 0.001"
SELDOM = f"internal_poll_interval: {SELDOM_INTERVAL}"
HOUR = 3600
EVERY = {OURS: 600, MANY: 600, UNTIL: 30}
"""Seconds between two starts of the module: the longest round, and the delay that one would choose."""
REPETITIONS = 3
BEGUN, WATCHED = 30, 90
"""Seconds after which a wait has begun for certain, and for which it is watched then."""

Key = tuple[str, int]
Jobs = dict[Key, t.Callable[[], Cost]]


def patient(task: Figures) -> Figures:
    """A wait that may end badly, as it must."""
    return {**task, "ignore_errors": True}


def open_cloud() -> Cloud:
    """One with cloud tasks that do not move, and with others that have ended."""
    still = {"provider": "mps", "task_id": "still-{n}", "count": 1000, "life": [RUNNING]}
    return Cloud([still, {"provider": "mps", "task_id": "over-{n}", "count": 20, "life": [DONE]}])


def used(root: int) -> float:
    """CPU seconds of a process and of those below it; more exact than the ticks of ``stat``, but of living threads only."""
    nanoseconds = 0
    for pid in [root, *descendants(root)]:
        for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):
                nanoseconds += int(path.read_text("ascii").split()[0])
    return nanoseconds / 1e9


def an_hour_of(bench: Bench, cloud: Cloud, task: Figures, variables: Environment) -> float:
    """CPU seconds an hour of an Ansible task that goes on for long enough, once it has begun."""
    with playbook(task) as command:
        environment = {**cloud.environment(), **variables}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        time.sleep(bench.pick(BEGUN, 1))
        cpu, began = used(process.pid), time.monotonic()
        time.sleep(bench.pick(WATCHED, 1))
        cpu, seconds = used(process.pid) - cpu, time.monotonic() - began
        process.wait()
    return cpu / seconds * HOUR


def long_waits(bench: Bench, cloud: Cloud) -> dict[str, t.Callable[[], float]]:
    """An Ansible task that does nothing, and waits of ours."""
    seconds = bench.pick(BEGUN + WATCHED + 5, 3)
    crowd = [f"still-{number}" for number in range(1, bench.pick(1000, 3) + 1)]
    nothing: Figures = {"ansible.builtin.wait_for": {"timeout": seconds}}
    tasks = {
        DEFAULT: (nothing, {}),
        SELDOM: (nothing, seldom(cloud)),
        OURS: (wait(provider="mps", task_id="still-1", timeout=seconds), seldom(cloud)),
        MANY: (wait(provider="mps", tasks=crowd, timeout=seconds), seldom(cloud)),
    }
    return {who: functools.partial(an_hour_of, bench, cloud, *parts) for who, parts in tasks.items()}


def loops(bench: Bench, clouds: t.Mapping[int, Cloud]) -> Jobs:
    """Loops with ``until`` of equal length, each in a cloud of its own, by the seconds between two polls."""
    seconds = bench.pick(62, 2)
    jobs: Jobs = {}
    for every, cloud in clouds.items():
        tries = {"retries": max(1, seconds // every), "delay": every}
        task = until(info("mps", "still-1"), "poll.task.done", **tries)
        jobs[UNTIL, every] = played(cloud, patient(task), seldom(cloud))
    return jobs


def waits_in_turn(bench: Bench, cloud: Cloud) -> Jobs:
    """Some waits, one after the other, for what has ended: few and many of them."""

    def job(count: int) -> t.Callable[[], Cost]:
        names = [f"over-{number}" for number in range(1, count + 1)]
        return played(cloud, {**wait(provider="mps", task_id="{{ item }}"), "loop": names}, seldom(cloud))

    return {(OURS, count): job(count) for count in bench.pick((2, 14), (1,))}


def turn(bench: Bench) -> dict[str, dict[str, float]]:
    """Everything once: CPU seconds an hour of what goes on all the time, and CPU seconds of a start."""
    often = bench.pick((2, 31), (1,))
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(open_cloud())
        clouds = {every: stack.enter_context(open_cloud()) for every in often}
        sleepers: dict[t.Any, t.Callable[[], t.Any]] = {**long_waits(bench, cloud), **loops(bench, clouds)}
        done = at_once(sleepers, most=len(sleepers))
        starts = [clouds[every].control("stats")["connections_accepted"] for every in often]
        waits = {count: job() for (dummy, count), job in waits_in_turn(bench, cloud).items()}
    quiet: dict[str, float] = {who: done[who] for who in (DEFAULT, SELDOM, OURS, MANY)}
    own = [done[UNTIL, every].cpu - done[UNTIL, every].wall * quiet[SELDOM] / HOUR for every in often]
    few, many = min(waits), max(waits)
    a_start = ratio(waits[many].cpu - waits[few].cpu, many - few)
    return {
        "quiet": {**quiet, **{who: quiet[who] - quiet[SELDOM] for who in (OURS, MANY)}, UNTIL: 0.0},
        "start": {OURS: a_start, MANY: a_start, UNTIL: ratio(own[0] - own[-1], starts[0] - starts[-1])},
    }


def measure(bench: Bench) -> Figures:
    """CPU seconds an hour."""
    turns = [turn(bench) for dummy in range(bench.pick(REPETITIONS, 1))]
    found: Figures = {who: spread([each["quiet"][who] for each in turns]) for who in (DEFAULT, SELDOM)}
    for who, every in EVERY.items():
        hours = spread([each["quiet"][who] + each["start"][who] * HOUR / every for each in turns])
        parts = {name: spread([each[name][who] for each in turns])["median"] for name in ("quiet", "start")}
        found[who] = {"starts": HOUR // every, "cpu": hours["median"], **parts, **hours}
    return found


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    share = paired(figures[OURS], figures[UNTIL])
    wanted = "an idle hour for at most 0.08 of the CPU of until with delay: 30"
    return [Target(wanted, f"{share:.3f}", share <= 0.08)]


def tell(figures: Figures) -> str:
    """The section."""
    rows = []
    for who in EVERY:
        one = figures[who]
        hours = [number(one[name]) for name in ("quiet", "cpu", "least", "most")]
        rows.append([who, str(one["starts"]), number(one["start"]), *hours])
    rows.append([UNTIL_MANY, "", "", "", number(figures[UNTIL]["cpu"] * 1000), "", ""])
    head = ["an idle hour", "starts", "CPU s a start", "CPU s between", "CPU s in all", "least", "most"]
    polling = [
        [name, *(number(figures[name][value]) for value in ("median", "least", "most"))] for name in (DEFAULT, SELDOM)
    ]
    return f"""\
CPU seconds in an hour of waiting for cloud tasks that do not move, at the defaults. `wait_for_task` starts the module
every 10 minutes, and prints a line a minute meanwhile; `until` starts a module for each poll.

- **between**: what goes on all the time, seen from second {BEGUN} to second {BEGUN + WATCHED} of a wait, less that of an Ansible task that does
  nothing. Polls are somewhat more frequent then than later in the hour.
- **a start**, of `wait_for_task`: the slope between 2 waits and 14, in a loop, for cloud tasks that have ended. That of
  1,000 cloud tasks is reckoned to cost as much. Of `until`: two loops of equal length, of which one polls more often, and
  the stand-in cloud counted how often.

{REPETITIONS} turns, of which the parts that mostly sleep run side by side; the median and the extremes. The last row is
1,000 times the cost of one loop; in truth `until` would not even get round, since it polls the items of a loop one
after the other.

{bar_note("idle_hour")}

{table(head, rows)}

{verdicts(targets(figures))}

What Ansible itself uses meanwhile is not in it: while any Ansible task runs, the main process of `ansible-playbook` polls
for its result a thousand times a second, whatever plugin it is. `internal_poll_interval` in `ansible.cfg` makes that less
often, and was set to 0.05 for the figures above. CPU seconds in an hour of an Ansible task that does nothing:

{table(["Ansible alone", "CPU s", "least", "most"], polling)}
"""
