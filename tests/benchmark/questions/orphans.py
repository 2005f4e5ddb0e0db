# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long the module lives when its controller has been killed."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
import typing as t

from ..cloud import RUNNING, Cloud
from ..contenders import wait
from ..measure import ROOT, Bench, Figures, playbook, spread
from ..probe import descendants
from ..report import Target, number, table, verdicts

TITLE = "After kill -9 of ansible-playbook"
MODULE = "the module"
ALL = "all processes that were started"
LIMIT = 2.0
PATIENCE = 90.0  # seconds; what then still lives is ended
REPETITIONS = 3


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for does not."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def is_module(pid: int) -> bool:
    """Whether a process is the module, or waits for it."""
    with contextlib.suppress(OSError):
        return b"AnsiballZ_wait_for_task" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def seconds_until_gone(pids: t.Collection[int], began: float) -> float:
    """Wait until none of these processes lives."""
    while any(map(is_alive, pids)) and time.monotonic() < began + PATIENCE:
        time.sleep(0.02)
    return time.monotonic() - began


def killed(bench: Bench) -> dict[str, float]:
    """Kill a wait that has polled, and see what goes on."""
    with Cloud([{"provider": "mps", "task_id": "still", "life": [RUNNING]}]) as cloud:
        with playbook(wait(provider="mps", task_id="still", timeout=600)) as command:
            process = subprocess.Popen(
                command, cwd=ROOT, env=cloud.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while not cloud.control("stats")["calls"].get("mps") and process.poll() is None:
                time.sleep(0.1)
            time.sleep(bench.pick(5, 0.5))
            pids = descendants(process.pid)
            modules = [pid for pid in pids if is_module(pid)]
            began = time.monotonic()
            process.kill()
            process.wait()
        if not modules:
            raise RuntimeError("the wait ended before it was killed")
        found = {MODULE: seconds_until_gone(modules, began), ALL: seconds_until_gone(pids, began)}
        for pid in filter(is_alive, pids):
            os.kill(pid, signal.SIGKILL)
    return found


def measure(bench: Bench) -> Figures:
    """Seconds that they live on."""
    runs = [killed(bench) for dummy in range(bench.pick(REPETITIONS, 1))]
    return {name: spread([run[name] for run in runs]) for name in (MODULE, ALL)}


def targets(figures: Figures) -> list[Target]:
    """What was wanted."""
    most = figures[MODULE]["most"]
    return [Target("no module that lives 2 s after kill -9 of its controller", f"at most {most:.2f} s", most <= LIMIT)]


def tell(figures: Figures) -> str:
    """The section."""
    rows = [[name, *(number(lives[value]) for value in ("median", "least", "most"))] for name, lives in figures.items()]
    return f"""\
Seconds that something lives on when `ansible-playbook` gets the signal KILL in the middle of a wait on its own machine,
{REPETITIONS} times. What still lived after {PATIENCE:.0f} s was ended.

{table(["what", "median s", "least", "most"], rows)}

{verdicts(targets(figures))}
"""
