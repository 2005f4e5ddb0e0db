# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A loop without an end of its own: cloud tasks that are added, hints that they have ended, deadlines of their own."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER, RateBudget
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.judge import CloudTask
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.loop import Loop
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.policy import Limits, Policy
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.sources import TaskSource


class Watch:
    """An endless loop with a clock of its own, for which things happen at given seconds."""

    def __init__(self, life: t.Callable[[float, int], str], rate: float = 1e9, **policy: t.Any) -> None:
        self.now = 0.0
        self.life = life
        self.plan: list[tuple[float, t.Callable[[], t.Any]]] = []
        self.polls: list[tuple[float, int]] = []
        self.told: dict[str, list[t.Any]] = {}
        self.sources: dict[int, TaskSource] = {}
        self.loop = Loop(
            [],
            lambda task: self.poll,
            policy=Policy(frozenset({"succeeded"}), **policy),
            limits=Limits(left=FOREVER, endless=True),
            budgets={"mps": RateBudget(rate)},
            clock=lambda: self.now,
            sleep=self.sleep,
            chance=lambda: 0.0,
            side_by_side=False,
            tell=self.tell,
        )

    def sleep(self, seconds: float) -> None:
        """Pass the time, and let happen what is planned for it."""
        if not self.plan:
            self.loop.stop()
            return
        at, what = self.plan[0]
        self.now = min(at, self.now + seconds)
        if self.now >= at:
            self.plan.pop(0)
            what()

    def poll(self, ref: t.Any, *, timeout: float, record_only: bool) -> Poll:
        number = int(ref["task_id"])
        self.polls.append((self.now, number))
        status = self.life(self.now, number)
        if status == "gone":
            raise CloudError("not_found", "no such task")
        return Poll(make_record(ref, status, status), {}, 1)

    def tell(self, report: t.Mapping[str, t.Any], handover: t.Any) -> bool:
        for number, outcome in report["outcomes"].items():
            self.told[number] = [outcome[0], self.now]
        return True

    def add(self, number: int, **more: t.Any) -> None:
        task = CloudTask(number, {"ref": {"provider": "mps", "task_id": str(number)}}, {}, **more)
        self.sources[number] = self.loop.add(task, self.poll)

    def hint(self, number: int) -> None:
        self.sources[number].hasten(self.now)

    def at(self, seconds: float, what: t.Callable[[], t.Any]) -> None:
        self.plan.append((seconds, what))

    def run(self, seconds: float) -> None:
        self.at(seconds, self.loop.stop)
        self.loop.run()


def test_cloud_tasks_are_added_while_the_loop_runs_and_it_goes_on_when_all_have_ended() -> None:
    watch = Watch(lambda now, number: "succeeded" if now >= 10 * number else "running")
    watch.at(1, lambda: watch.add(1, began_at=1.0))
    watch.at(100, lambda: watch.add(2, began_at=100.0))
    watch.run(200)
    assert watch.polls == [(1.0, 1), (3.0, 1), (6.0, 1), (10.5, 1), (100.0, 2)]
    assert watch.told == {"1": ["satisfied", 10.5], "2": ["satisfied", 100.0]}


def test_a_hint_causes_one_poll_at_once() -> None:
    watch = Watch(lambda now, number: "succeeded" if now >= 50 else "running", sleep=30, max_sleep=30)
    watch.at(0, lambda: watch.add(1, began_at=0.0))
    watch.at(7, lambda: watch.hint(1))
    watch.at(50, lambda: watch.hint(1))
    watch.at(50, lambda: watch.hint(1))
    watch.run(200)
    assert [now for now, dummy in watch.polls] == [0.0, 7.0, 37.0, 50.0]
    assert watch.told == {"1": ["satisfied", 50.0]}


def test_hints_in_quick_succession_cause_a_poll_each_half_second() -> None:
    watch = Watch(lambda now, number: "running", sleep=30, max_sleep=30)
    watch.at(0, lambda: watch.add(1, began_at=0.0))
    for tenth in range(100, 120):
        watch.at(tenth / 10, lambda: watch.hint(1))
    watch.run(20)
    assert [now for now, dummy in watch.polls] == [0.0, 10.0, 10.5, 11.0, 11.5, 12.0]


def test_a_hint_comes_before_cloud_tasks_that_wait_for_the_rate() -> None:
    watch = Watch(lambda now, number: "running", rate=1.0, sleep=100, max_sleep=100)
    for number in range(10):
        watch.at(0, lambda number=number: watch.add(number, began_at=0.0))  # type: ignore[misc] # defaults bind them
    watch.at(3.5, lambda: watch.hint(9))
    watch.run(8)
    assert [number for dummy, number in watch.polls][:6] == [0, 1, 2, 3, 9, 4]
    assert [now for now, dummy in watch.polls][:6] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_a_hint_about_one_that_has_ended_costs_nothing() -> None:
    watch = Watch(lambda now, number: "succeeded")
    watch.at(0, lambda: watch.add(1, began_at=0.0))
    watch.at(5, lambda: watch.hint(1))
    watch.run(9)
    assert watch.polls == [(0.0, 1)]


def test_a_hint_during_a_poll_is_followed_by_another_poll() -> None:
    watch = Watch(lambda now, number: "running", sleep=30, max_sleep=30)

    def hinted(now: float, number: int) -> str:
        if len(watch.polls) == 1:
            watch.hint(1)
        return "running"

    watch.life = hinted
    watch.at(0, lambda: watch.add(1, began_at=0.0))
    watch.run(9)
    assert [now for now, dummy in watch.polls] == [0.0, 0.5]


@pytest.mark.parametrize("status", ["running", "gone"])
def test_each_cloud_task_has_a_deadline_of_its_own(status: str) -> None:
    watch = Watch(lambda now, number: status, not_found_grace=1000)
    watch.at(5, lambda: watch.add(1, began_at=5.0, deadline=20.0))
    watch.run(100)
    assert watch.told == {"1": ["timed_out" if status == "running" else "not_found", 20.0]}


def test_a_forecast_counts_from_when_a_cloud_task_was_added() -> None:
    watch = Watch(lambda now, number: "succeeded" if now >= 1000 * number + 100 else "running", max_sleep=1000)
    for number in range(1, 6):
        at = 1000.0 * number
        watch.at(at, lambda number=number, at=at: watch.add(number, began_at=at))  # type: ignore[misc] # as above
    watch.run(6000)
    assert watch.told["5"][1] < watch.told["1"][1] + 4000


def test_an_unknown_cloud_task_has_its_grace_from_when_it_was_added() -> None:
    watch = Watch(lambda now, number: "gone", not_found_grace=30)
    watch.at(1000, lambda: watch.add(1, began_at=1000.0))
    watch.run(2000)
    assert watch.told == {"1": ["not_found", 1030.0]}
