# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions: expressions over a record, evaluated on the controller, and never a vendor's text as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run
from .wait_runs import check_whole, item, life, lines_of, outcomes, polls_of, wait

SPEAKS = "{{ lookup('pipe', 'touch templated') }} {{ 1 + 1 }}"
DONE: dict[str, Any] = {
    "provider": "mps", "task_id": "over", "status": "succeeded", "native_status": "FINISH", "done": True,
    "progress": 100, "counts": None, "error": None, "parts": [], "outputs": [], "created_at": None,
    "started_at": None, "finished_at": None, "request_id": None, "ref": {"provider": "mps", "task_id": "over"},
}  # fmt: skip
LIVES = [
    life("half way", {"status": "running", "progress": 60}),
    life("endless", {"status": "running", "progress": 10}),
    life("bad", "failed"),
    life("good", "running", "succeeded"),
    life("no progress", "pending", "running", "succeeded", provider="ess"),
    life("speaks", {"status": "failed", "message": SPEAKS, "code": SPEAKS}, provider="cos_doc"),
]


def mps(*items: Any, **options: Any) -> dict[str, Any]:
    """A wait on media tasks."""
    return wait(provider="mps", tasks=list(items), **options)


WAITS: dict[str, dict[str, Any]] = {
    "one": mps("half way", condition="task.progress >= goal", keywords={"vars": {"goal": 50}}),
    "all of a list": mps("good", condition=["task.done", "task.status == item"], keywords={"loop": ["succeeded"]}),
    "false at the end": mps("bad", "endless", condition="task.status == 'succeeded'"),
    "any": mps("endless", "good", condition="task.done", require="any"),
    "null while it goes on": wait(**item("ess", "no progress"), condition="task.done or task.progress > 5"),
    "null at the end": wait(**item("ess", "no progress"), condition=["task.progress > 5", "task.done"]),
    "no number": wait(provider="mps", task_id="good", condition="1 / (task.progress - 100) > 5"),
    "over already": mps({"task": DONE}, condition="task.progress == 100"),
    "over already and false": mps({"task": DONE}, condition="task.progress == 99"),
    "with until": mps("good", condition="task.done", until="done"),
    "check mode": mps("endless", {"task": DONE}, condition="task.done", keywords={"check_mode": True}),
    "speaks": wait(**item("cos_doc", "speaks"), condition="'1 + 1' in task.error.message"),
    "speaks in vain": wait(**item("cos_doc", "speaks"), condition="task.error.message == 'x'"),
    "time is up": mps("endless", condition="task.progress == 11", timeout=1),
    "never to be told": mps("endless", condition="task.error.code == 11", timeout=1),
    "mistyped": mps("endless", condition="task.progres == 11"),
    "unfinished": mps("endless", condition="task.progress >= "),
    "unknown filter": mps("endless", condition=["task.done", "task.progress | percnt > 5"]),
    "empty": mps("endless", condition=" "),
    "empty list": mps("endless", condition=[]),
}


class Played(NamedTuple):
    """What was run against which cloud, and where."""

    run: Run
    cloud: Any
    folder: Path


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": LIVES})
    ansible = start_ansible(cloud.environment)
    show = {"ansible.builtin.debug": {"msg": "<{{ poll_11.task.error.message }}>"}}
    return Played(ansible.polls(WAITS, post_tasks=[show]), cloud, ansible.folder)


def ended(played: Played, name: str) -> dict[str, Any]:
    result: dict[str, Any] = played.run.results[name]
    (inner,) = result.get("results", [result])  # of a loop
    check_whole(inner)
    whole: dict[str, Any] = inner
    return whole


@pytest.mark.parametrize(
    ("name", "whole", "each"),
    [
        ("one", "satisfied", ["satisfied"]),
        ("all of a list", "satisfied", ["satisfied"]),
        ("false at the end", "failed", ["failed", "unfinished"]),
        ("any", "satisfied", ["unfinished", "satisfied"]),
        ("null while it goes on", "satisfied", ["satisfied"]),
        ("null at the end", "error", ["error"]),
        ("no number", "error", ["error"]),
        ("over already", "satisfied", ["satisfied"]),
        ("over already and false", "failed", ["failed"]),
        ("with until", "error", []),
        ("check mode", "unfinished", ["unfinished", "satisfied"]),
        ("speaks", "satisfied", ["satisfied"]),
        ("speaks in vain", "failed", ["failed"]),
        ("time is up", "timed_out", ["timed_out"]),
        ("never to be told", "timed_out", ["timed_out"]),
        ("mistyped", "error", []),
        ("unfinished", "error", []),
        ("unknown filter", "error", []),
        ("empty", "error", []),
        ("empty list", "error", []),
    ],
)
def test_outcomes(played: Played, name: str, whole: str, each: list[str]) -> None:
    result = ended(played, name)
    assert (result["outcome"], outcomes(result)) == (whole, each)
    assert result.get("failed", False) == (whole not in ("satisfied", "unfinished"))


def test_a_condition_ends_the_wait_before_the_cloud_task_does(played: Played) -> None:
    assert (ended(played, "one")["task"]["status"], ended(played, "one")["task"]["progress"]) == ("running", 60)


def test_what_cannot_be_evaluated_at_the_end_is_named(played: Played) -> None:
    assert "task.progress > 5" in ended(played, "null at the end")["msg"]
    assert ended(played, "null at the end")["task"]["status"] == "succeeded"
    assert '"1 / (task.progress - 100) > 5" cannot be evaluated' in ended(played, "no number")["msg"]


def test_what_could_not_be_evaluated_until_time_was_up_is_named(played: Played) -> None:
    assert '"task.error.code == 11" cannot be evaluated' in ended(played, "never to be told")["msg"]
    assert ended(played, "never to be told")["task"]["poll_error"]["kind"] == "config"
    assert ended(played, "time is up")["task"]["poll_error"] is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mistyped", 'condition "task.progres == 11" uses task.progres, and a record has provider, task_id, status, '),
        ("unfinished", 'condition "task.progress >= " is no valid expression: '),
        ("unknown filter", 'condition "task.progress | percnt > 5" is no valid expression: '),
        ("empty", "condition is an empty text; correct condition."),
        ("empty list", "condition is an empty list; correct condition."),
    ],
)
def test_a_mistake_in_a_condition_is_told_before_anything_is_sent(played: Played, name: str, said: str) -> None:
    result = ended(played, name)
    assert result["msg"].startswith(f"Waiting for cloud tasks failed: {said}")
    assert (result["error"]["kind"], result["polls"]) == ("config", 0)


def test_what_is_over_is_judged_without_a_poll(played: Played) -> None:
    assert polls_of(played.cloud, "over") == 0


def test_condition_and_until_exclude_each_other(played: Played) -> None:
    assert "give one of them" in ended(played, "with until")["msg"]


def test_a_vendors_text_is_never_templated(played: Played) -> None:
    assert ended(played, "speaks")["task"]["error"]["message"] == SPEAKS
    assert f"<{SPEAKS}>" in played.run.output
    assert not (played.folder / "templated").exists()
    assert any("{{ 1 + 1 }}" in line for line in lines_of(played.run.output))
