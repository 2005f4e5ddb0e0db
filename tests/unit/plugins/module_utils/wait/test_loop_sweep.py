# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The wait loop where lists take the place of polls; on a fake clock, with a cloud of 102 cloud tasks or more."""

from __future__ import annotations

import functools
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import RateBudget
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Page, Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.judge import CloudTask, Judge
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.loop import Loop
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.policy import Limits, Policy
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.sources import SweepSource, TaskSource
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.sweep import Sweep

DONE = frozenset({"succeeded"})
NATIVE = {"WAITING": "pending", "PROCESSING": "running"}


class World:
    """Cloud tasks that run from a moment on and end at another, and a clock that only sleeping moves.

    :param runs: when each begins to run; a missing one runs from the beginning.
    :param ends: when each is over; a missing one never is.
    """

    def __init__(
        self, count: int, *, runs: t.Mapping[int, float] | None = None, ends: t.Mapping[int, float] | None = None
    ) -> None:
        self.now = 0.0
        self.count = count
        self.runs = runs or {}
        self.ends = ends or {}
        self.hidden: set[int] = set()  # those that no list has in the first second
        self.others = 0  # cloud tasks of somebody else that run, too
        self.unknown: set[int] = set()  # those that the vendor does not know at all
        self.refusals: list[CloudError] = []
        self.pages: list[tuple[float, str]] = []
        self.polls: list[tuple[float, int]] = []

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds

    def status(self, number: int) -> str:
        if self.now >= self.ends.get(number, 1e9):
            return "succeeded"
        return "running" if self.now >= self.runs.get(number, 0.0) else "pending"

    def poll(self, task: CloudTask, seconds: float) -> Poll:
        self.polls.append((round(self.now, 3), task.number))
        if task.number in self.unknown:
            raise error("not_found", "no such task")
        ref = {"provider": "mps", "task_id": f"m{task.number}"}
        return Poll(make_record(ref, self.status(task.number), "native", progress=40), {}, 1)

    def read(self, name: str, token: str | None, seconds: float) -> tuple[Page, int]:
        self.pages.append((round(self.now, 3), name))
        if self.refusals:
            refusal = self.refusals.pop(0)
            refusal.calls = 1
            raise refusal
        gone = self.unknown | (self.hidden if self.now < 1 else set())  # lists come late
        listed = [n for n in range(self.count) if self.status(n) == NATIVE[name] and n not in gone]
        begin = int(token or 0)
        names = [f"other{n}" for n in range(self.others if name == "PROCESSING" else 0)] + [f"m{n}" for n in listed]
        entries: dict[str, dict[str, t.Any]] = {entry: {} for entry in names[begin : begin + 100]}
        more = str(begin + 100) if len(names) > begin + 100 else None
        return Page(entries, more, len(names)), 1

    def run_in_rounds(self, count: int, *, after_change: float, linger: float) -> list[t.Mapping[str, t.Any]]:
        """Rounds of the module, one after the other; each knows what the one before has handed over."""
        reports: list[t.Mapping[str, t.Any]] = []
        states: dict[str, t.Any] = {str(number): {} for number in range(self.count)}
        sweep: dict[str, t.Any] = {}
        for dummy in range(count):
            limits = Limits(left=9000, linger=linger, after_change=after_change, elapsed=self.now)
            reports.append(self.run(limits=limits, states=states, **sweep))
            states = dict(reports[-1]["states"])
            sweep = {name: reports[-1]["sweeps"]["account"][name] for name in ("passes", "errors", "due_in")}
        return reports

    def make_sweeps(
        self,
        sources: t.Mapping[int, TaskSource],
        judge: Judge,
        now: float,
        *,
        passes: int,
        errors: int,
        due_in: float,
    ) -> dict[str, SweepSource]:
        numbers = {f"m{number}": number for number in sources}
        return {
            "account": SweepSource(
                Sweep(("PROCESSING", "WAITING"), numbers, passes=passes, errors=errors),
                sources,
                judge,
                order=-1,
                read=self.read,
                record=lambda task, name, entry: make_record(task.item["ref"], NATIVE[name], name),
                due_at=now + due_in,
            )
        }

    def run(
        self,
        *,
        policy: Policy | None = None,
        limits: Limits | None = None,
        states: t.Mapping[str, t.Any] | None = None,
        passes: int = 0,
        errors: int = 0,
        due_in: float = 0.0,
    ) -> t.Mapping[str, t.Any]:
        known = states if states is not None else {str(number): {} for number in range(self.count)}
        tasks = [
            CloudTask(int(number), {"ref": {"provider": "mps", "task_id": f"m{number}"}}, state)
            for number, state in known.items()
        ]
        report, handover = Loop(
            tasks,
            lambda task: lambda ref, *, timeout, record_only: self.poll(task, timeout),
            policy=policy or Policy(DONE),
            limits=limits or Limits(left=900),
            budgets={"mps": RateBudget(1e9)},
            clock=lambda: self.now,
            sleep=self.sleep,
            chance=lambda: 0.0,
            side_by_side=False,
            make_sweeps=functools.partial(self.make_sweeps, passes=passes, errors=errors, due_in=due_in),
        ).run()
        return {**report, **handover}


def error(kind: str, said: str) -> CloudError:
    """What a request has met."""
    made = CloudError(kind, said)
    made.calls = 1
    return made


def test_each_is_looked_at_once_at_its_end() -> None:
    world = World(250, ends=dict.fromkeys(range(250), 4.0))
    report = world.run()
    assert sorted(number for dummy, number in world.polls) == list(range(250))
    assert {when for when, dummy in world.polls} == {5.0}
    assert {when for when, dummy in world.pages} == {0.0, 2.0, 5.0}
    assert report["api_calls"] == {"mps": 250 + len(world.pages)}
    assert {outcome for outcome, dummy in report["outcomes"].values()} == {"satisfied"}


def test_passes_grow_apart_like_polls() -> None:
    world = World(101, ends=dict.fromkeys(range(101), 40.0))
    world.run()
    assert sorted({when for when, dummy in world.pages}) == [0.0, 2.0, 5.0, 9.5, 16.25, 26.375, 41.562]


def test_no_more_than_a_page_for_each_hundred_and_pass() -> None:
    world = World(250, runs=dict.fromkeys(range(150), 90.0), ends=dict.fromkeys(range(250), 180.0))
    world.run()
    moments = sorted({when for when, dummy in world.pages})
    assert moments[:4] == [0.0, 2.0, 5.0, 9.5]
    for moment in moments:
        assert sum(when == moment for when, dummy in world.pages) <= 3


def test_a_round_of_several_passes_is_followed_by_as_many_pauses() -> None:
    world = World(120, runs=dict.fromkeys(range(101), 500.0))
    world.others = 150
    world.run(limits=Limits(left=900, linger=30))
    assert sorted({when for when, dummy in world.pages})[:4] == [0.0, 4.0, 10.0, 19.0]
    assert sum(when == 0.0 for when, dummy in world.pages) == 4


def test_rounds_of_the_module_do_not_break_off_rounds_through_the_lists() -> None:
    """Each of these ends after a change, and another one goes on with what it hands over."""
    world = World(150, ends={number: 40.0 + number for number in range(45)})
    reports = world.run_in_rounds(12, after_change=5.0, linger=20.0)
    ended = {int(number): when for report in reports for number, (dummy, when) in report["outcomes"].items()}
    lags = [when - world.ends[number] for number, when in ended.items()]
    assert len(ended) > 20
    assert max(lags) <= 62.0


def test_a_first_round_needs_no_poll() -> None:
    world = World(200, runs=dict.fromkeys(range(100), 9.0))
    report = world.run(limits=Limits(left=900, first=True))
    assert world.polls == []
    assert {record["status"] for record in report["records"].values()} == {"pending", "running"}
    assert len(report["states"]) == 200


def test_one_on_no_list_is_looked_at_and_its_progress_is_not_hidden_again() -> None:
    world = World(101)
    world.hidden = {7}
    report = world.run(limits=Limits(left=900, linger=6))
    assert world.polls == [(0.0, 7)]
    assert report["records"]["7"]["progress"] == 40
    assert "progress" not in report["records"]["8"]


def test_one_that_the_vendor_does_not_know_ends_as_not_found() -> None:
    world = World(102, ends=dict.fromkeys(range(102), 60.0))
    world.unknown = {3}
    report = world.run(policy=Policy(DONE, fail_fast=False, not_found_grace=10))
    assert report["outcomes"]["3"][0] == "not_found"
    assert sum(outcome == "satisfied" for outcome, dummy in report["outcomes"].values()) == 101


def test_a_list_that_is_refused_leaves_polls() -> None:
    world = World(101, ends=dict.fromkeys(range(101), 1.0))
    world.refusals = [CloudError("permission", "no")]
    report = world.run()
    assert len(world.pages) == 1
    assert [number for when, number in world.polls if when == 0.0] == list(range(101))
    assert {outcome for outcome, dummy in report["outcomes"].values()} == {"satisfied"}
    assert report["sweeps"]["account"]["given_up"]


def test_an_error_that_may_pass_costs_a_pass() -> None:
    world = World(101, ends=dict.fromkeys(range(101), 4.0))
    world.refusals = [CloudError("server", "HTTP 503")]
    world.run()
    assert {when for when, dummy in world.pages} == {0.0, 2.0, 5.0}
    assert len(world.polls) == 101


def test_few_that_are_left_are_looked_at_by_themselves() -> None:
    world = World(150, ends={**dict.fromkeys(range(60), 1.0), **dict.fromkeys(range(60, 150), 30.0)})
    world.run()
    assert max(when for when, dummy in world.pages) == 2.0
    assert len([number for dummy, number in world.polls if number == 149]) > 2


@pytest.mark.parametrize("left", [10.0, 2.0])
def test_at_the_deadline_each_is_polled(left: float) -> None:
    world = World(150, ends={3: left})
    report = world.run(limits=Limits(left=left), policy=Policy(DONE, fail_fast=False))
    assert len([number for when, number in world.polls if when == left]) == 150
    assert report["outcomes"]["3"][0] == "satisfied"
    assert report["outcomes"]["4"][0] == "timed_out"
