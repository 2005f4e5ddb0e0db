# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One poll from a playbook: the whole process, start-up and all."""

from __future__ import annotations

from ...functional.ansible_runs import MODULES
from ..cloud import RUNNING, SERVICES, Cloud
from ..contenders import info, played, sdk, uri
from ..measure import Bench, Figures, costs
from ..report import Target, bar_note, number, paired, table, verdicts

TITLE = "One poll from a playbook"
REPETITIONS = 25
URI = "ansible.builtin.uri, unsigned"
SDK = "module on the SDK"


def measure(bench: Bench) -> Figures:
    """A playbook of one Ansible task, by module."""
    with Cloud([{"provider": name, "task_id": "still", "life": [RUNNING]} for name in SERVICES]) as cloud:
        names = bench.pick([name for name in SERVICES if name in MODULES], ["mps"])
        jobs = {MODULES[name]: played(cloud, info(name, "still")) for name in names}
        jobs[URI] = played(cloud, uri(cloud, "still"))
        jobs[SDK] = played(cloud, sdk("still"))
        jobs["ansible.builtin.ping"] = played(cloud, {"ansible.builtin.ping": {}})
        return {name: costs(runs) for name, runs in bench.warmed(jobs, REPETITIONS).items()}


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    cpu = {name: cost["cpu"] for name, cost in figures.items()}
    worst = max(paired(cpu[name], cpu[URI]) for name in MODULES.values() if name in cpu)
    return [Target("no info module above 0.97 times the CPU of uri", f"{worst:.2f} times", worst <= 0.97)]


def tell(figures: Figures) -> str:
    """The section."""
    base = figures[URI]
    rows = [
        [
            name,
            *(number(cost[what][value]) for what in ("cpu", "wall") for value in ("median", "least")),
            *(f"{paired(cost[what], base[what]):.2f}" for what in ("cpu", "wall")),
        ]
        for name, cost in figures.items()
    ]
    head = ["one Ansible task", "CPU s", "least", "wall s", "least", "CPU / uri", "wall / uri"]
    return f"""\
`ansible-playbook` with one Ansible task, from start to end. `ansible.builtin.uri` sends an unsigned GET and gets JSON,
and that is all it does; ours sign, check and read the answer. The module on the vendor's SDK is written as most
collections write theirs. `ansible.builtin.ping` asks nobody: it is what Ansible costs by itself. All ran {REPETITIONS} times
in turn; how many times `uri` something costs is the median of that in each turn.

{bar_note("playbook_poll")}

{table(head, rows)}

{verdicts(targets(figures))}
"""
