# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One poll from a shell."""

from __future__ import annotations

import sys

from ..cloud import RUNNING, Cloud
from ..contenders import started, tccli
from ..measure import Bench, Figures, costs
from ..report import Target, bar_note, number, table

TITLE = "One poll from a shell"
REPETITIONS = 7


def measure(bench: Bench) -> Figures:
    """Ad-hoc Ansible, and the vendor's command line."""
    module = ["-m", "cloudwait.conversion.mps_task_detail", "-a", "task_id=still"]
    with Cloud([{"provider": "mps", "task_id": "still", "life": [RUNNING]}]) as cloud:
        jobs = {
            "ansible -m mps_task_detail": started(
                cloud, [sys.executable, "-m", "ansible", "adhoc", "localhost", *module]
            )
        }
        if bench.tccli:
            jobs["tccli mps DescribeTaskDetail"] = started(cloud, tccli(bench, cloud, "still"))
        return {name: costs(runs) for name, runs in bench.warmed(jobs, REPETITIONS).items()}


def targets(figures: Figures) -> list[Target]:
    """Nothing was wanted."""
    return []


def tell(figures: Figures) -> str:
    """The section."""
    rows = [
        [f"`{name}`", *(number(cost[what][value]) for what in ("cpu", "wall") for value in ("median", "least"))]
        for name, cost in figures.items()
    ]
    return f"""\
A command that is typed or called by a script. `tccli` is the vendor's own and prints the vendor's answer; ours prints the
normalized record with it.

{bar_note("shell_poll")}

{table(["command", "CPU s", "least", "wall s", "least"], rows)}
"""
