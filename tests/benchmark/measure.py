# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How everything is measured: a command's whole process tree, repeated, contenders in turn."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROBE = pathlib.Path(__file__).with_name("probe.py")

Figures = dict[str, t.Any]
Environment = t.Mapping[str, str]
K = t.TypeVar("K")
T = t.TypeVar("T")


class Cost(t.NamedTuple):
    """What one run of a command took: seconds of CPU and of the clock, and the largest process of each role in MiB.

    :param ended: when the command ended, in Unix seconds.
    """

    cpu: float
    wall: float
    ended: float
    peaks: dict[str, float]


@dataclasses.dataclass(frozen=True)
class Bench:
    """How thoroughly to measure.

    :param smoke: only see that everything runs: small numbers, side by side; its figures mean nothing.
    :param tccli: the vendor's command line, where it is installed.
    :param aiohttp: a Python that has aiohttp, where there is one.
    """

    smoke: bool
    tccli: str | None = None
    aiohttp: str | None = None

    def pick(self, full: T, smoke: T) -> T:
        """The one or the other."""
        return smoke if self.smoke else full

    def in_turn(self, jobs: t.Mapping[str, t.Callable[[], T]], repetitions: int) -> dict[str, list[T]]:
        """Run all jobs, one after the other and that so often, so that a drift of the machine hits all alike."""
        if self.smoke:
            return {name: [result] for name, result in at_once(jobs).items()}
        results: dict[str, list[T]] = {name: [] for name in jobs}
        for dummy in range(repetitions):
            for name, job in jobs.items():
                results[name].append(job())
        return results

    def warmed(self, jobs: t.Mapping[str, t.Callable[[], T]], repetitions: int) -> dict[str, list[T]]:
        """The same, but each has run once for nothing before that, so that all files are read and compiled."""
        return {name: results[bool(results[1:]) :] for name, results in self.in_turn(jobs, repetitions + 1).items()}


def at_once(jobs: t.Mapping[K, t.Callable[[], T]], most: int = 4) -> dict[K, T]:
    """Run jobs side by side: for those that mostly sleep, and for smoke runs."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=most) as pool:
        running = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: future.result() for name, future in running.items()}


def run(command: t.Sequence[str], environment: Environment, *, sample: bool = False) -> Cost:
    """A command to its good end.

    :raises RuntimeError: when it ends badly; a figure of something that did not work would be worth nothing.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        output = pathlib.Path(folder, "figures.json")
        probe = [sys.executable, str(PROBE), str(output), *(["--sample"] if sample else []), *command]
        subprocess.run(probe, env=dict(environment), cwd=ROOT, check=True)
        figures = json.loads(output.read_text(encoding="utf-8"))
        if figures["status"]:
            words = pathlib.Path(folder, "figures.json.log").read_text(encoding="utf-8", errors="replace")
            raise RuntimeError(f"{command} ended with status {figures['status']}: {words[-3000:]}")
        return Cost(**{name: figures[name] for name in Cost._fields})


@contextlib.contextmanager
def playbook(task: t.Mapping[str, t.Any]) -> t.Iterator[list[str]]:
    """The command that plays one Ansible task, or the ``block`` of several."""
    plays = [{"name": "Measured", "hosts": "localhost", "gather_facts": False, "tasks": [task]}]
    with tempfile.NamedTemporaryFile("w", suffix=".yml", encoding="utf-8") as file:
        json.dump(plays, file)
        file.flush()
        yield [sys.executable, "-m", "ansible", "playbook", file.name]


def play(task: t.Mapping[str, t.Any], environment: Environment, *, sample: bool = False) -> Cost:
    """A playbook of one Ansible task, or of the ``block`` of several."""
    with playbook(task) as command:
        return run(command, environment, sample=sample)


def spread(values: t.Sequence[float]) -> Figures:
    """Several values of one thing."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values), "values": list(values)}


def costs(runs: t.Sequence[Cost]) -> Figures:
    """CPU and wall of several runs."""
    return {"cpu": spread([run.cpu for run in runs]), "wall": spread([run.wall for run in runs])}


Counted = t.Callable[[int], Cost]
"""What so many polls cost."""


def slopes(bench: Bench, contenders: t.Mapping[str, tuple[Counted, int, int]], repetitions: int) -> dict[str, Figures]:
    """CPU milliseconds of one more poll, whatever the start-up costs: from few polls to many, in each repetition."""

    def slope(cost: Counted, few: int, many: int) -> float:
        cpu = {count: cost(count).cpu for count in dict.fromkeys((few, many))}  # one run is enough for a smoke run
        return (cpu[many] - cpu[few]) / max(1, many - few) * 1000

    jobs = {name: lambda parts=parts: slope(*parts) for name, parts in contenders.items()}
    return {name: spread(values) for name, values in bench.warmed(jobs, repetitions).items()}
