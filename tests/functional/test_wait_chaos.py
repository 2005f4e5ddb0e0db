# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait in which every second answer or so is broken by chance: no verdict is wrong, and nothing is given up.

The seed decides all: CHAOS_SEEDS="1-50" runs other seeds than the usual one.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from ..cases import CASES
from ..cases._case import TERMINAL
from .ansible_runs import CRASHES, NEEDS, Run
from .conftest import Simulator
from .wait_runs import check_whole, free_of, item, polls_of, wait

EACH = 10
#: how likely another fault is before each step of a life, by seed
CHANCES = (0.3, 0.45, 0.6)
#: that of a request to the cloud in which some answers hang: a good one on a slow machine may then fail, too
REQUEST_TIMEOUT = 1.5
ENDS = {word: [status for status in case.plays if status in TERMINAL] for word, case in CASES.items()}


def fault(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


#: faults that leave the right answer as it is, or bring it late
HARMLESS = [
    fault("double_headers"),
    fault("odd_chunks"),
    fault("hang", seconds=0.3),
    fault("drip", bytes_per_second=4000),
    fault("drip_headers", bytes_per_second=4000),
]
#: faults that only a time limit ends
SLOW = [
    fault("hang", seconds=5),
    fault("drip", bytes_per_second=100),
    fault("drip_headers", bytes_per_second=100),
]
#: faults that cost a poll
COUNTED = [
    *(fault(name) for name in ("http_429", "http_500", "http_502", "http_503", "throttle", "internal_error")),
    fault("http_429", retry_after=1),
    fault("http_429", retry_after=1, as_date=True),
    fault("throttle", retry_after=1),
    fault("http_503", retry_after=1),
    fault("redirect"),
    fault("redirect", status=301, location="https://elsewhere.example.com/path?query=1"),
    *(fault(name) for name in ("empty", "list", "null", "not_utf8", "not_json", "html", "entity", "gzip", "not_gzip")),
    *(fault(name) for name in ("reset", "truncated", "truncated_chunked", "wrong_content_length")),
    *(fault(name) for name in ("double_length", "bad_chunks", "cut_header", "endless")),
    fault("huge", bytes=17 * 1024 * 1024),
    fault("huge", bytes=1000),
]
OVER_TLS = [fault("tls_bad_record")]
#: faults that a wait repairs within a poll, once: the next answer of that poll may be any other
REPAIRED = {word: case.repaired for word, case in CASES.items()}
#: what is no passing trouble, and so is final
FINAL = {"signature_in_message"}
CONNECTIONS = {
    False: [{"fault": "close", "every": 6}],
    True: [
        {"fault": "tls_close", "every": 5},
        {"fault": "tls_alert", "every": 7},
        {"fault": "tls_plain", "every": 11},
        {"fault": "close", "every": 13},
    ],
}


def seeds() -> list[int]:
    """The seeds to run: one, unless the environment asks for a range or a list, such as "1-50" or "3,7"."""
    found: list[int] = []
    for part in os.environ.get("CHAOS_SEEDS", "1").split(","):
        first, dummy, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


class Deck:
    """Faults in an order by chance, each of them once before any comes again."""

    def __init__(self, chance: random.Random, faults: list[dict[str, Any]]) -> None:
        self._chance = chance
        self._faults = faults
        self._left: list[dict[str, Any]] = []

    def draw(self) -> dict[str, Any]:
        if not self._left:
            self._left = self._chance.sample(self._faults, len(self._faults))
        return self._left.pop()


class Plan:
    """What a seed makes of the cloud."""

    def __init__(self, seed: int, tls: bool) -> None:
        self._chance = random.Random(seed)
        self._likely = self._chance.choice(CHANCES)
        self._counted = COUNTED + (OVER_TLS if tls else [])
        self._deck = Deck(self._chance, [*HARMLESS, *SLOW, *self._counted, REPAIRED])
        self.lives = [life for provider in NEEDS for life in self._lives(provider)]
        self.doomed = [self._doomed(provider) for provider in NEEDS]
        self.token_faults = [
            {"fault": self._chance.choice(self._counted), "provider": "dingtalk_doc", "action": "GetAccessToken",
             "looks": self._chance.randrange(3) + 1}
        ]  # fmt: skip

    def _lives(self, provider: str) -> Iterator[dict[str, Any]]:
        for number in range(EACH):
            steps: list[dict[str, Any]] = []
            for step in self._honest(provider):
                steps += [*self._faults(provider), step]
            yield {"provider": provider, "task_id": f"c{number}", "life": steps}

    def _honest(self, provider: str) -> list[dict[str, Any]]:
        """What happens to a cloud task; it never begins with its end, which a harmless fault before would show."""
        missing = [{"missing": True}] * self._chance.choice((0, 0, 1, 2))
        words = ["pending"] * self._chance.randrange(3) + ["running"] * self._chance.randint(1, 3)
        return [*missing, *({"status": word} for word in (*words, self._chance.choice(ENDS[provider])))]

    def _faults(self, provider: str) -> list[dict[str, Any]]:
        """So many faults as chance will have it; no two in a row that are repaired within the poll."""
        found: list[dict[str, Any]] = []
        while self._chance.random() < self._likely:
            drawn = self._deck.draw()
            name = REPAIRED[provider] if drawn is REPAIRED else drawn
            if drawn is not REPAIRED or not found or found[-1]["fault"] != name:
                found.append({"fault": name})
        return found

    def _doomed(self, provider: str) -> dict[str, Any]:
        broken = [{"fault": self._chance.choice(self._counted)} for dummy in range(3)]
        return {"provider": provider, "task_id": "doomed", "life": [{"status": "running"}, *broken]}


class Played(NamedTuple):
    """What was planned, and what came of it."""

    plan: Plan
    run: Run
    cloud: Simulator
    down: Simulator


@pytest.fixture(
    scope="module",
    params=[(tls, seed) for seed in seeds() for tls in (False, True)],
    ids=lambda param: f"{'https' if param[0] else 'http'}-seed-{param[1]}",
)
def played(
    request: pytest.FixtureRequest, start_cloud: Callable[..., Simulator], start_ansible: Callable[..., Any]
) -> Iterator[Played]:
    tls, seed = request.param
    plan = Plan(seed, tls)
    scenario = {"tasks": plan.lives, "faults": plan.token_faults, "connections": CONNECTIONS[tls]}
    cloud, down = start_cloud(scenario, tls=tls), start_cloud({"tasks": plan.doomed}, tls=tls)
    fast: dict[str, Any] = {
        "rate_limit": dict.fromkeys(NEEDS, 1000),
        "fail_fast": False,
        "timeout": 240,
        "not_found_grace": 240,
    }
    waits = {
        "chaos": wait(
            tasks=[item(life["provider"], life["task_id"]) for life in plan.lives],
            **{**fast, "max_errors": 1000, "request_timeout": REQUEST_TIMEOUT},
        ),
        "down": wait(
            tasks=[item(life["provider"], life["task_id"]) for life in plan.doomed],
            keywords={"environment": down.environment},
            **{**fast, "max_errors": 3},
        ),
    }
    yield Played(plan, start_ansible(cloud.environment).polls(waits), cloud, down)
    for simulator in (cloud, down):
        simulator.stop()


def test_every_verdict_is_the_right_one(played: Played, record_property: Callable[[str, object], None]) -> None:
    result = played.run.results["chaos"]
    check_whole(result)
    found = {(task["provider"], task["task_id"]): (task["status"], task["outcome"]) for task in result["tasks"]}
    ends = [(life["provider"], life["task_id"], life["life"][-1]["status"]) for life in played.plan.lives]
    right = {(provider, name): (end, "satisfied" if end == "succeeded" else "failed") for provider, name, end in ends}
    broken = Counter(entry["verdict"] for entry in played.cloud.journal())
    figures = {
        "polls": result["polls"],
        "verdicts": Counter(outcome for dummy, outcome in found.values()),
        "wrong": sum(found[key] != right[key] for key in right),
        "faults": broken,
        "connections": played.cloud.stats()["connections_broken"],
    }
    record_property("chaos", json.dumps(figures))
    assert found == right
    assert result["outcome"] == "failed"
    assert [task["poll_error"] for task in result["tasks"]] == [None] * len(right)


def test_no_record_runs_ahead_of_its_cloud_task(played: Played) -> None:
    answered = Counter((entry["provider"], entry["task_id"]) for entry in played.cloud.journal())
    for task, life in zip(played.run.results["chaos"]["tasks"], played.plan.lives):
        told = iter([step["status"] for step in life["life"] if "status" in step])
        seen = [change["status"] for change in task["history"] if "error" not in change]
        assert all(status in told for status in seen), (seen, life)  # in this order: each uses up what came before
        asked = answered[life["provider"], life["task_id"]]
        assert asked >= len(life["life"]), life  # an end is known only from the answer that told it


def test_all_faults_that_were_planned_have_happened(played: Played) -> None:
    steps = [step["fault"] for life in played.plan.lives for step in life["life"] if "fault" in step]
    planned = {step if isinstance(step, str) else step["name"] for step in steps}
    assert planned >= {each["name"] for each in (*HARMLESS, *SLOW, *COUNTED)}
    assert planned <= {entry["verdict"] for entry in played.cloud.journal()}
    assert played.cloud.stats()["connections_broken"] > 0


def test_polls_that_all_fail_end_a_cloud_task_with_its_last_state(played: Played) -> None:
    result = played.run.results["down"]
    check_whole(result)
    for task in result["tasks"]:
        assert (task["outcome"], task["status"], task["polls"]) == ("error", "running", 4)
        assert task["poll_error"]["retryable"] is True
    assert polls_of(played.down, "doomed") == 4 * len(NEEDS)


def test_what_is_printed_is_clean(played: Played) -> None:
    assert all(line.isprintable() for line in played.run.output.split("\n"))
    assert not [word for word in CRASHES if word in json.dumps(played.run.results)]
    secrets = [value for name, value in played.cloud.environment.items() if name.endswith(("_KEY", "_SECRET"))]
    assert secrets
    free_of(secrets, played.run)


def test_every_fault_of_the_stand_in_is_played_or_final(start_simulator: Callable[..., Simulator]) -> None:
    with pytest.raises(RuntimeError) as refused:
        start_simulator().control("faults", {"faults": [{"fault": "?"}]})
    names = str(refused.value).partition(" is not one of ")[2].rstrip(".").split(", ")
    played = {each["name"] for each in (*HARMLESS, *SLOW, *COUNTED, *OVER_TLS)}
    assert played | set(REPAIRED.values()) | FINAL == set(names)
