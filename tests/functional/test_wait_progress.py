# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress lines: when there are any, what they say, and that a vendor cannot speak through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run
from .wait_runs import Running, life, lines_of, until, wait

BEGINNING = "[localhost] cloudwait: "
SPEECH = "torn\n::error::it is not\r\n\x1b[31mred\x07##[error] \u202eback " + "and on " * 60
LIVES = [
    life("endless", "running"),
    life("speaks", "pending", "pending", {"status": "failed", "code": "E\n::set-env", "message": SPEECH}),
    life("secret film", "running", "succeeded"),
    life("::error::\n::x", "succeeded"),
    {"provider": "mps", "task_id": "many {n}", "count": 30, "life": [{"status": "succeeded"}]},
]
WAITS = {
    "changes": wait(provider="mps", task_id="speaks"),
    "no heartbeat": wait(provider="mps", task_id="endless", timeout=1, heartbeat=0),
    "no log": wait(provider="mps", task_id="secret film", keywords={"no_log": True}),
    "many": wait(provider="mps", tasks=[f"many {n}" for n in range(1, 31)]),
}  # fmt: skip


class Played(NamedTuple):
    """Lines by the name of the wait, and the run that printed none."""

    lines: dict[str, list[str]]
    run: Run
    silent: Run


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": LIVES})
    ansible = start_ansible(cloud.environment)
    run = ansible.polls(WAITS)
    sections = run.output.split("TASK [")
    lines = {section.split("]")[0]: lines_of(section) for section in sections}
    ansible.environment["CLOUDWAIT_PROGRESS"] = "0"
    silent = ansible.polls({"silent": WAITS["changes"]})
    return Played(lines, run, silent)


def test_each_change_has_a_line_and_so_has_the_end(played: Played) -> None:
    pending, failed, end = played.lines["changes"]
    assert pending.startswith(BEGINNING + "mps speaks: pending after ")
    assert failed.startswith(BEGINNING + "mps speaks: failed 100 % after ")
    assert ", was pending: E ::set-env" in failed
    assert end.startswith(BEGINNING + "0 of 1 cloud tasks satisfied the wait after ")


def test_lines_come_while_nothing_changes(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> None:
    cloud = start_cloud({"tasks": LIVES})
    waiting = wait(provider="mps", tasks=["endless", "secret film"], heartbeat=0.5)
    run = Running(start_ansible(cloud.environment), waiting)
    try:
        until(lambda: run.output.count("still open") > 1, "a second heartbeat")
        cloud.control("tasks", {"tasks": [life("endless", "succeeded")]})
        assert run.result()["outcome"] == "satisfied"
    finally:
        run.stop()
    beats = [line for line in lines_of(run.output) if "1 of 2 still open (1 running), " in line]
    assert beats
    assert " s elapsed, " in beats[-1]
    assert "; mps endless has been running for " in beats[-1]


@pytest.mark.parametrize("name", ["no heartbeat", "no log"])
def test_there_are_no_lines(played: Played, name: str) -> None:
    assert played.lines[name] == []


def test_nothing_of_a_wait_without_log_is_shown(played: Played) -> None:
    assert "secret film" not in played.run.output


def test_the_environment_turns_lines_off(played: Played) -> None:
    assert played.silent.results["silent"]["outcome"] == "failed"
    assert lines_of(played.silent.output) == []


def test_a_vendors_text_stays_within_its_line(played: Played) -> None:
    lines = [line for some in played.lines.values() for line in some]
    assert lines
    for line in lines:
        assert line.startswith(BEGINNING)
        assert len(line) <= 200
        assert line.isprintable()
    assert "\n::" not in played.run.output


def test_many_changes_at_once_are_summed_up(played: Played) -> None:
    assert len(played.lines["many"]) == 22
    assert played.lines["many"][-2] == BEGINNING + "and 10 more have changed"
