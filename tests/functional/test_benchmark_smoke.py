# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks still run: each question with small numbers, whose figures mean nothing and are not looked at."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .ansible_runs import HANGS

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = {
    "playbook_poll": "One poll from a playbook",
    "shell_poll": "One poll from a shell",
    "one_more_poll": "One more poll in a wait",
    "idle_hour": "An idle hour",
    "lines": "From an answer to its line",
    "pace": "Where polls are placed",
    "many_tasks": "Many cloud tasks",
    "a_hundred_thousand": "A hundred thousand cloud tasks",
    "orphans": "After kill -9 of ansible-playbook",
    "events": "The event source",
    "start_up": "Start-up and signatures",
}


def sections_of(page: str) -> list[str]:
    """The headings of a page."""
    return [line[3:] for line in page.splitlines() if line.startswith("## ")]


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the benchmarks; with tccli, aiohttp and charts too where "make bench" has installed what they need."""
    command = [sys.executable, "-m", "tests.benchmark", *arguments, "--tools", str(ROOT / ".cache" / "bench")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=HANGS, check=False)


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_can_be_asked(name: str, tmp_path: Path) -> None:
    run = benchmark("--smoke", "--only", name, "--output", str(tmp_path))
    assert run.returncode == 0, run.stderr
    assert list(json.loads((tmp_path / "benchmarks" / "figures.json").read_text("utf-8"))["questions"]) == [name]
    targets = [] if name == "shell_poll" else ["Targets"]
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert sections_of(page) == ["The machine", *targets, QUESTIONS[name]]


def test_a_smoke_run_does_not_touch_the_page() -> None:
    run = benchmark("--smoke", "--only", "shell_poll")
    assert run.returncode == 2
    assert "--smoke needs an --output of its own" in run.stderr


@pytest.mark.skipif(not (ROOT / "docs" / "benchmarks.md").exists(), reason="make bench has not been run yet")
def test_the_page_says_what_was_measured(tmp_path: Path) -> None:
    (tmp_path / "benchmarks").mkdir()
    shutil.copy(ROOT / "docs" / "benchmarks" / "figures.json", tmp_path / "benchmarks")
    run = benchmark("--render", "--output", str(tmp_path))
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert page == (ROOT / "docs" / "benchmarks.md").read_text("utf-8"), "run python -m tests.benchmark --render"
    measured = json.loads((tmp_path / "benchmarks" / "figures.json").read_text("utf-8"))["questions"]
    told = [section for name, section in QUESTIONS.items() if name in measured]
    assert sections_of(page) == ["The machine", "Targets", *told]
