# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An idle hour: waiting for what does not move, at the defaults."""

from __future__ import annotations

import typing as t

from ..cloud import RUNNING, Cloud
from ..contenders import info, played, until, wait
from ..measure import Bench, Cost, Figures, at_once
from ..report import bar_note, number, ratio, table

TITLE = "An idle hour"
BASE = "Ansible alone (wait_for, which does nothing)"
OURS = "wait_for_task, 1 task"
MANY = "wait_for_task, 1,000 tasks"
UNTIL = "info module + until, delay 30, 1 task"
SIDE_BY_SIDE = ((BASE, OURS, UNTIL), (MANY,))


def contenders(bench: Bench, cloud: Cloud, seconds: int) -> dict[str, t.Callable[[], Cost]]:
    """Waits of so many seconds, all of which time out."""
    delay = bench.pick(30, 1)
    again = until(info("mps", "still-1"), "look.task.done", retries=max(1, seconds // delay), delay=delay)
    crowd = [f"still-{number}" for number in range(1, bench.pick(1000, 3) + 1)]
    tasks = {
        BASE: {"ansible.builtin.wait_for": {"timeout": seconds}},
        OURS: wait(provider="mps", task_id="still-1", timeout=seconds),
        UNTIL: again,
        MANY: wait(provider="mps", tasks=crowd, timeout=seconds),
    }
    return {name: played(cloud, {**task, "ignore_errors": True}) for name, task in tasks.items()}


def measure(bench: Bench) -> Figures:
    """CPU seconds an hour, from a short wait and a long one: those of one task side by side, as they sleep."""
    short, long = bench.pick((70, 190), (1, 1))
    with Cloud([{"provider": "mps", "task_id": "still-{n}", "count": 1000, "life": [RUNNING]}]) as cloud:
        waits = {seconds: contenders(bench, cloud, seconds) for seconds in (short, long)}
        some = [{(who, seconds): waits[seconds][who] for seconds in waits for who in names} for names in SIDE_BY_SIDE]
        done = {**at_once(some[0], most=8), **at_once(some[1], most=8)}
    found: Figures = {"short": short, "long": long}
    for who in waits[long]:
        less, more = done[who, short], done[who, long]
        found[who] = {"cpu": ratio(more.cpu - less.cpu, more.wall - less.wall) * 3600}
    return found


def tell(figures: Figures) -> str:
    """The section."""
    base = figures[BASE]["cpu"]
    own = {name: figures[name]["cpu"] - base for name in (OURS, UNTIL, MANY)}
    rows = [[BASE, number(base), number(base), ""]]
    rows += [[name, number(figures[name]["cpu"]), number(base), number(value)] for name, value in own.items()]
    reckoned = own[UNTIL] * 1000
    rows.append(
        ["info module + until, delay 30, 1,000 tasks: reckoned, 1,000 times the cost of one", "", "", number(reckoned)]
    )
    return f"""\
CPU seconds in an hour of waiting for cloud tasks that do not move, at the defaults. While any Ansible task runs, the
main process of `ansible-playbook` polls for its result a thousand times a second, whatever plugin it is; that is the
column "Ansible's polling", measured with an Ansible task that does nothing. What is left is what the waiting costs.
It is reckoned from waits of {figures["short"]} and {figures["long"]} seconds, whose difference has no start-up in it and looks at
intervals of `max_sleep`. Those of one task ran side by side.

{bar_note("idle_hour")}

{table(["an idle hour", "CPU s in all", "Ansible's polling", "the wait's own"], rows)}

`wait_for_task` starts one process a minute, for the progress line; `until` starts one for each look. For 1,000 tasks,
`until` would not even get round: it looks at the items of a loop one after the other.
"""
