# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An idle hour: waiting for what does not move, at the defaults."""

from __future__ import annotations

import contextlib
import typing as t

from ..cloud import RUNNING, Cloud
from ..contenders import info, played, until, wait
from ..measure import Bench, Cost, Figures, at_once, spread
from ..report import bar_note, number, ratio, table

TITLE = "An idle hour"
BASE = "Ansible alone (wait_for, which does nothing)"
OURS = "wait_for_task, 1 task"
MANY = "wait_for_task, 1,000 tasks"
UNTIL = "info module + until, delay 30, 1 task"
UNTIL_MANY = "the same loop, 1,000 tasks: reckoned"
HOUR = 3600
EVERY = {OURS: 60, UNTIL: 30}
"""Seconds between two starts of the module at the defaults: the heartbeat, and the delay that one would choose."""
REPETITIONS = 3


def waits(seconds: int) -> dict[str, t.Callable[[int], Figures]]:
    """Waits for one cloud task that all time out then, with so many seconds between two starts of the module."""

    def ours(every: int) -> Figures:
        return wait(
            provider="mps", task_id="still-1", timeout=seconds, heartbeat=every, sleep=every / 2, max_sleep=every / 2
        )

    def again(every: int) -> Figures:
        return until(info("mps", "still-1"), "poll.task.done", retries=max(1, seconds // every), delay=every)

    return {OURS: ours, UNTIL: again}


def cost_of_a_start(bench: Bench, task: t.Callable[[int], Figures], polling: float) -> float:
    """CPU seconds: two waits of equal length, side by side, of which one starts the module often.

    How often is what the stand-in cloud saw: each start opens a connection.

    :param polling: what any Ansible task uses a second; ``until`` takes somewhat longer the more often it starts.
    """
    often, seldom = bench.pick((2, 31), (1, 2))
    with contextlib.ExitStack() as stack:
        clouds = {every: stack.enter_context(open_cloud(1)) for every in (often, seldom)}
        done = at_once({every: played(cloud, patient(task(every))) for every, cloud in clouds.items()})
        starts = {every: cloud.control("stats")["connections_accepted"] for every, cloud in clouds.items()}
    own = {every: cost.cpu - cost.wall * polling for every, cost in done.items()}
    return ratio(own[often] - own[seldom], starts[often] - starts[seldom])


def patient(task: Figures) -> Figures:
    """A wait that may end badly, as it must."""
    return {**task, "ignore_errors": True}


def open_cloud(count: int) -> Cloud:
    """One with so many cloud tasks that do not move."""
    return Cloud([{"provider": "mps", "task_id": "still-{n}", "count": count, "life": [RUNNING]}])


def long_waits(bench: Bench) -> Figures:
    """CPU seconds an hour of what goes on all the time, from a short wait and a long one."""
    short, long = bench.pick((40, 160), (1, 1))
    crowd = [f"still-{number}" for number in range(1, bench.pick(1000, 3) + 1)]
    jobs: dict[tuple[str, int], t.Callable[[], Cost]] = {}
    with open_cloud(1000) as cloud:
        for seconds in (short, long):
            nothing = {"ansible.builtin.wait_for": {"timeout": seconds}}
            jobs[BASE, seconds] = played(cloud, patient(nothing))
            jobs[MANY, seconds] = played(cloud, patient(wait(provider="mps", tasks=crowd, timeout=seconds)))
        done = at_once(jobs)
    hours = {
        who: ratio(done[who, long].cpu - done[who, short].cpu, done[who, long].wall - done[who, short].wall) * HOUR
        for who in (BASE, MANY)
    }
    return {BASE: {"cpu": hours[BASE]}, MANY: {"cpu": hours[MANY] - hours[BASE]}}


def measure(bench: Bench) -> Figures:
    """CPU seconds an hour."""
    found = long_waits(bench)
    polling = found[BASE]["cpu"] / HOUR
    tasks = waits(bench.pick(62, 2))
    jobs = {who: lambda task=task: cost_of_a_start(bench, task, polling) for who, task in tasks.items()}
    starts = bench.in_turn(jobs, REPETITIONS)
    for who, values in starts.items():
        hours = spread([value * HOUR / EVERY[who] for value in values])
        found[who] = {"starts": HOUR // EVERY[who], "cpu": hours["median"], **hours}
    return found


def tell(figures: Figures) -> str:
    """The section."""
    rows = []
    for who in (OURS, UNTIL):
        one = figures[who]
        hours = [number(one[name]) for name in ("cpu", "least", "most")]
        rows.append([who, str(one["starts"]), number(one["cpu"] / one["starts"]), *hours])
    rows.append([MANY, str(figures[OURS]["starts"]), "", number(figures[MANY]["cpu"]), "", ""])
    reckoned = number(figures[UNTIL]["cpu"] * 1000)
    rows.append([UNTIL_MANY, "", "", reckoned, "", ""])
    return f"""\
CPU seconds in an hour of waiting for cloud tasks that do not move, at the defaults. `wait_for_task` starts one process
a minute, for the progress line, and polls at intervals of `max_sleep`; `until` starts one process for each poll. What a
start costs, polls in it included, is measured with two waits of equal length of which one starts it more often; the
stand-in cloud counted how often. {REPETITIONS} such pairs each, the median and the extremes.

{bar_note("idle_hour")}

{table(["an idle hour", "starts", "CPU s a start", "CPU s in all", "least", "most"], rows)}

What Ansible itself uses meanwhile is not in it: while any Ansible task runs, the main process of `ansible-playbook` polls
for the result a thousand times a second, whatever plugin it is. That is {number(figures[BASE]["cpu"])} CPU seconds an hour here, measured with an
Ansible task that does nothing. `wait_for_task` with 1,000 tasks is reckoned from a short wait and a long one, less that.
The last row is 1,000 times the cost of one loop; in truth `until` would not even get round, since it polls the items
of a loop one after the other.
"""
