# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulates waits with the loop of the wait and a clock of its own: how late ends are seen, and with how many calls.

Hours of waiting take seconds here. Rates are no limit, and a poll takes no time.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import RateBudget
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.judge import CloudTask
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.loop import Loop
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.policy import Limits, Policy

MEDIAN = 300.0
SEED = 20261128

Progress = Callable[[float], int]
"""Progress that the vendor tells, by the part of the life that is over."""


class Seen(NamedTuple):
    """What a simulated wait needed: calls for each cloud task, and the mean seconds from an end to the poll that saw it."""

    calls: float
    late: float


class Simulation:
    """Cloud tasks and a clock.

    :param lives: seconds for which each cloud task runs.
    :param starts: seconds after which each begins to run; by default at once.
    """

    def __init__(self, lives: Sequence[float], progress: Progress | None, starts: Sequence[float] = ()) -> None:
        self.now = 0.0
        self.calls = 0
        self.late: list[float] = []
        self._lives = lives
        self._progress = progress
        self._starts = starts or [0.0] * len(lives)

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def poll_of(self, task: CloudTask) -> Callable[..., Poll]:
        """Returns what polls a cloud task."""
        return lambda ref, **dummy: self._poll(task.number, ref)

    def _poll(self, number: int, ref: Mapping[str, Any]) -> Poll:
        self.calls += 1
        life, age = self._lives[number], self.now - self._starts[number]
        if age >= life:
            self.late.append(age - life)
            return Poll(make_record(ref, "succeeded", "FINISH"), {}, 1)
        if age < 0:
            return Poll(make_record(ref, "pending", "WAITING"), {}, 1)
        progress = self._progress(age / life) if self._progress else None
        return Poll(make_record(ref, "running", "PROCESSING", progress=progress), {}, 1)


def simulate(
    lives: Sequence[float],
    progress: Progress | None,
    *,
    pace: str,
    max_sleep: float = 30.0,
    starts: Sequence[float] = (),
) -> Seen:
    """Wait for cloud tasks. For ``lives`` and ``starts``, see :class:`Simulation`."""
    cloud = Simulation(lives, progress, starts)
    Loop(
        [CloudTask(number, {"ref": {"provider": "mps", "task_id": str(number)}}, {}) for number in range(len(lives))],
        cloud.poll_of,
        policy=Policy(frozenset({"succeeded"}), pace=pace, max_sleep=max_sleep),
        limits=Limits(left=1e7),
        budgets={"mps": RateBudget(1e9)},
        clock=lambda: cloud.now,
        sleep=cloud.sleep,
        chance=random.Random(SEED).random,
        side_by_side=False,
    ).run()
    return Seen(cloud.calls / len(lives), statistics.mean(cloud.late))


def fixed_at(calls: float, lives: Sequence[float], progress: Progress | None, **more: Any) -> Seen:
    """Wait for the same with ``pace: fixed``, and with the ``max_sleep`` that needs as many calls, to one per cent."""
    least, most = 2.0, 600.0
    for dummy in range(16):
        middle = math.sqrt(least * most)
        seen = simulate(lives, progress, pace="fixed", max_sleep=middle, **more)
        if abs(seen.calls - calls) <= calls / 100:
            break
        least, most = (middle, most) if seen.calls > calls else (least, middle)
    return seen


def stalling(part: float) -> int:
    """Progress that stands still at 30 and at 70 per cent, each for a fifth of the life."""
    steps = ((0.2, 30), (0.4, 30), (0.6, 70), (0.8, 70), (1.0, 100))
    before, reached = 0.0, 0
    for end, percent in steps:
        if part <= end:
            return int(reached + (percent - reached) * (part - before) / (end - before))
        before, reached = end, percent
    return 100


def distributions(count: int) -> dict[str, list[float]]:
    """Seconds for which so many cloud tasks run, by the name of the distribution."""
    chance = random.Random(SEED)
    return {
        f"all {MEDIAN:.0f} s": [MEDIAN] * count,
        f"log-normal, median {MEDIAN:.0f} s, sigma 0.5": [
            MEDIAN * math.exp(chance.gauss(0, 0.5)) for dummy in range(count)
        ],
        "two humps, 120 and 600 s, each 5 % wide": [
            chance.choice((120.0, 600.0)) * math.exp(chance.gauss(0, 0.05)) for dummy in range(count)
        ],
    }


PROGRESS: dict[str, Progress | None] = {
    "unknown": None,
    "in per cent": lambda part: int(100 * part),
    "in steps of 10": lambda part: int(10 * part) * 10,
    "with two stalls": stalling,
}
