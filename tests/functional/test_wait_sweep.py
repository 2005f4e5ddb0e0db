# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits on more than a hundred media tasks, with and without the vendor's lists in place of polls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Ansible, Run
from .conftest import Simulator
from .wait_runs import outcomes, wait

COUNT = 120
#: how many of each status there are before all succeed; none moves from list to list, which would cost it a poll
FIRST = {"running": 105, "pending": 15}
#: how long that takes from the first poll or list on
SECONDS = {"auto": 5}
WAITS: dict[str, dict[str, Any]] = {
    "never": {},
    "auto": {"sweep": "auto"},
    "alone": {"sweep": "auto"},
    "check": {"sweep": "auto"},
    "progress": {"sweep": "auto", "condition": "task.progress == 100"},
}
KEYWORDS: dict[str, dict[str, Any]] = {"alone": {"async": 120, "poll": 1}, "check": {"check_mode": True}}


class Swept(NamedTuple):
    """What was asked, by wait, and what came of it."""

    run: Run
    calls: Mapping[str, Counter[str]]


def make_lives(name: str) -> list[dict[str, Any]]:
    """The cloud tasks of a wait, as the simulator makes them."""
    lives = []
    for status, count in FIRST.items():
        steps = [{"status": status, "seconds": SECONDS.get(name, 1)}, {"status": "succeeded"}]
        lives.append({"provider": "mps", "task_id": f"{name}-{status}-{{n}}", "count": count, "life": steps})
    return lives


def make_wait(name: str, **options: Any) -> dict[str, Any]:
    names = [f"{name}-{status}-{number}" for status, count in FIRST.items() for number in range(1, count + 1)]
    fast = {"rate_limit": {"mps": 500}, "heartbeat": 0}
    return wait(provider="mps", tasks=names, keywords=KEYWORDS.get(name), **fast, **options)


def play(cloud: Simulator, ansible: Ansible, waits: Mapping[str, Mapping[str, Any]]) -> Swept:
    """One wait after the other; each has its cloud tasks made just before, and a note in the journal."""
    headers = {"X-Simulator-Key": cloud.control_key}
    polls: dict[str, dict[str, Any]] = {}
    for name, options in waits.items():
        url = f"{cloud.url}/{name}"
        polls[f"mark {name}"] = {"ansible.builtin.uri": {"url": url, "status_code": [400, 404]}}
        body = {"tasks": make_lives(name)}
        make = {"url": f"{cloud.url}/_simulator/tasks", "method": "POST", "headers": headers}
        polls[f"make {name}"] = {"ansible.builtin.uri": {**make, "body": body, "body_format": "json"}}
        polls[name] = make_wait(name, **options)
    run = ansible.polls(polls)
    calls: dict[str, Counter[str]] = {name: Counter() for name in waits}
    present: Counter[str] = Counter()
    for entry in cloud.journal():
        present = calls.get(entry["path"].lstrip("/"), present)
        present[str(entry["action"])] += 1
    return Swept(run, calls)


@pytest.fixture(scope="module")
def swept(start_cloud: Callable[..., Simulator], start_ansible: Callable[..., Ansible]) -> Swept:
    cloud = start_cloud()
    ansible = start_ansible(cloud.environment)
    ansible.environment["ANSIBLE_ASYNC_DIR"] = str(ansible.home / "jobs")  # else it is looked for in the user's own
    return play(cloud, ansible, WAITS)


@pytest.mark.parametrize("name", ["never", "auto", "alone", "progress"])
def test_all_are_seen_to_their_end(swept: Swept, name: str) -> None:
    result = swept.run.results[name]
    assert Counter(outcomes(result)) == {"satisfied": COUNT}, (result["msg"], result["tasks"][0])


@pytest.mark.parametrize("name", ["auto", "alone"])
def test_lists_take_the_place_of_polls(swept: Swept, name: str) -> None:
    assert swept.calls[name]["DescribeTasks"] >= 2
    assert swept.calls[name]["DescribeTaskDetail"] == COUNT  # one to see each end
    assert swept.calls["never"]["DescribeTaskDetail"] >= 2 * COUNT


@pytest.mark.parametrize("name", ["never", "check", "progress"])
def test_there_are_no_lists_unless_they_are_wanted_and_tell_enough(swept: Swept, name: str) -> None:
    assert swept.calls[name]["DescribeTasks"] == 0


def test_pages_are_calls_and_not_polls(swept: Swept) -> None:
    result, calls = swept.run.results["auto"], swept.calls["auto"]
    assert result["api_calls"] == {"mps": calls["DescribeTasks"] + calls["DescribeTaskDetail"]}
    assert result["polls"] == calls["DescribeTaskDetail"]


def test_what_the_lists_told_is_in_the_history(swept: Swept) -> None:
    words = {change["status"] for task in swept.run.results["auto"]["tasks"] for change in task["history"]}
    assert words == {"pending", "running", "succeeded"}


def test_a_refused_list_is_told_and_costs_the_wait_nothing(
    start_simulator: Callable[..., Simulator], start_ansible: Callable[..., Ansible]
) -> None:
    cloud = start_simulator({"retired_actions": ["DescribeTasks"]})
    found = play(cloud, start_ansible(cloud.environment), {"auto": {"sweep": "auto"}})
    assert Counter(outcomes(found.run.results["auto"])) == {"satisfied": COUNT}
    assert found.calls["auto"]["DescribeTasks"] == 1
    warnings = " ".join(found.run.results["auto"]["warnings"])
    assert "The list of cloud tasks was refused, so each is polled" in warnings
    assert "ActionOffline" in warnings
