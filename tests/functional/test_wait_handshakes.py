# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A handshake that breaks on one connection in five costs a wait on 200 cloud tasks nothing but time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from .ansible_runs import NEEDS, Run
from .conftest import Simulator
from .wait_runs import item, outcomes, wait

BREAKS = ("tls_close", "tls_alert", "tls_plain")
EACH = 200 // len(NEEDS)
COUNT = EACH * len(NEEDS)
#: a first answer that takes a while, so that many are asked for side by side, over connections of their own
SLOW = {"fault": {"name": "hang", "seconds": 0.4}}
LEAST_BROKEN = 8


class Played(NamedTuple):
    """What was run against which clouds, by what breaks there."""

    run: Run
    clouds: Mapping[str, Simulator]


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Simulator], start_ansible: Callable[..., Any]) -> Played:
    life = [SLOW, {"status": "running"}, {"status": "succeeded"}]
    lives = [{"provider": provider, "task_id": "t{n}", "count": EACH, "life": life} for provider in NEEDS]
    clouds = {
        name: start_cloud(
            {"tasks": lives, "connections": [{"fault": name, "every": 5}]},
            tls=True,
        )
        for name in BREAKS
    }
    items = [item(provider, f"t{number}") for number in range(1, EACH + 1) for provider in NEEDS]
    waits = {
        name: wait(
            tasks=items,
            rate_limit=dict.fromkeys(NEEDS, 1000),
            keywords={"environment": clouds[name].environment},
        )
        for name in BREAKS
    }
    return Played(start_ansible({}).polls(waits), clouds)


@pytest.mark.parametrize("name", BREAKS)
def test_none_is_given_up(played: Played, name: str) -> None:
    result = played.run.results[name]
    assert result["outcome"] == "satisfied", result["msg"]
    assert outcomes(result) == ["satisfied"] * COUNT
    assert [task["poll_error"] for task in result["tasks"]] == [None] * COUNT
    assert played.clouds[name].stats()["connections_broken"] >= LEAST_BROKEN


@pytest.mark.parametrize("name", BREAKS)
def test_a_poll_whose_handshake_broke_was_not_sent(played: Played, name: str) -> None:
    asked = sum(bool(entry["task_id"]) for entry in played.clouds[name].journal())
    assert asked < played.run.results[name]["polls"]
