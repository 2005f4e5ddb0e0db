# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as a user writes them: of a real wait that failed, in the same play, with its own result."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Ansible, Run
from .conftest import Simulator
from .wait_runs import item, life, wait

TORN = {"status": "failed", "code": -6, "message": "The film <b>is</b> torn."}
LIVES = [life("film", "running", "succeeded"), life("trailer", "running", TORN, provider="ess")]
TASKS = [item("mps", "film", name="Film"), item("ess", "trailer", name="Trailer")]
REPORT = "cloudwait.conversion.wait_report"


class Reports(NamedTuple):
    folder: Path
    run: Run


@pytest.fixture(scope="module")
def reports(
    start_cloud: Callable[..., Simulator],
    start_ansible: Callable[..., Ansible],
    tmp_path_factory: pytest.TempPathFactory,
) -> Reports:
    folder = tmp_path_factory.mktemp("reports")
    waits = "{{ [poll_0, poll_1] }}"

    def report(name: str, waits: Any = waits, **more: Any) -> dict[str, Any]:
        return {REPORT: {"waits": waits, "dest": str(folder / name), "mode": "0644"}, **more}

    cloud = start_cloud({"tasks": LIVES})
    run = start_ansible(cloud.environment).polls(
        {
            "failed": wait(tasks=TASKS, fail_fast=False),
            "refused": wait(tasks=[{"task_id": "film"}]),
            "page": report("night.html"),
            "page again": report("night.html"),
            "junit": report("junit.xml"),
            "json": report("night.json"),
            "markdown": report("summary.md", check_mode=True, diff=True),
            "a poll": report("poll.html", waits="{{ poll_2 }}"),
        }
    )
    return Reports(folder, run)


def test_a_wait_that_failed_is_reported(reports: Reports) -> None:
    text = (reports.folder / "night.html").read_text(encoding="utf-8")
    assert "<h1>" in text
    assert "1 of 2 cloud tasks failed" in text
    assert "The film &lt;b&gt;is&lt;/b&gt; torn" in text
    assert "has no provider" in text  # the wait that was refused
    assert [reports.run.results[name]["changed"] for name in ("page", "page again")] == [True, False]


def test_junit_and_json_tell_the_same(reports: Reports) -> None:
    root = ET.fromstring((reports.folder / "junit.xml").read_text(encoding="utf-8"))
    data = json.loads((reports.folder / "night.json").read_text(encoding="utf-8"))
    (failure,) = root.iter("failure")
    trailer = data["waits"][0]["tasks"][1]
    assert (trailer["name"], trailer["status"]) == ("Trailer", "failed")
    assert "The film <b>is</b> torn" in (failure.text or "")
    assert failure.text == trailer["reason"]
    assert len(list(root.iter("error"))) == 1


def test_check_mode_shows_the_difference_and_writes_nothing(reports: Reports) -> None:
    result = reports.run.results["markdown"]
    assert "1 of 2 cloud tasks failed" in result["diff"]["after"]
    assert not (reports.folder / "summary.md").exists()


def test_the_result_of_something_else_is_refused(reports: Reports) -> None:
    assert reports.run.sentence("a poll").startswith("Writing the report failed: waits is no result of a wait: ")
    assert not (reports.folder / "poll.html").exists()
