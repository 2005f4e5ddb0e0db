# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: what a newcomer reads, from the first line to the last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from .ansible_runs import ROOT, Ansible, Run

LONGEST = 220  # characters of a line: those of a wait have at most 200
TABLE = [
    ("Contract", "ess", "succeeded"),
    ("Slides", "cos_doc", "succeeded"),
    ("Film", "mps", "succeeded"),
    ("Minutes", "dingtalk_doc", "succeeded"),
    ("Trailer", "mps", "partial"),
    ("Scan", "ess", "failed"),
    ("Report", "cos_doc", "succeeded"),
]


class Demo(NamedTuple):
    run: Run
    report: Path

    @property
    def output(self) -> str:
        return self.run.output


@pytest.fixture(scope="module")
def demo(start_ansible: Callable[..., Ansible], tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """A run of the demo with no credentials, no endpoints and no variables, in an empty folder."""
    folder = tmp_path_factory.mktemp("demo")
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree")}
    run = start_ansible(collections).command("playbook", "cloudwait.conversion.demo", folder=folder)
    return Demo(run, folder / "cloudwait-demo.html")


def test_it_ends_well(demo: Demo) -> None:
    assert demo.run.status == 0, demo.output
    assert "failed=0 " in demo.output
    for alarm in ("fatal:", "[ERROR]", "[WARNING]"):
        assert alarm not in demo.output


def test_no_line_is_a_dump_of_a_result(demo: Demo) -> None:
    assert [line for line in demo.output.splitlines() if len(line) > LONGEST] == []


def test_nothing_is_printed_as_json(demo: Demo) -> None:
    assert [line for line in demo.output.splitlines() if line.strip()[:1] in ('"', "{", "}")] == []


def test_a_table_at_the_end_says_what_became_of_each(demo: Demo) -> None:
    table = demo.output[demo.output.index("[Say what became of all]") :]
    rows = table.splitlines()[1 : len(TABLE) + 1]
    assert [tuple(row.split()[:3]) for row in rows] == TABLE
    assert len({row.index(status) for row, (dummy, dummy, status) in zip(rows, TABLE)}) == 1  # the columns are aligned
    assert "\n2 of 7 failed, as planned.\n" in table
    assert "\x1b" not in table  # colours are for terminals


def test_it_ends_with_the_path_of_a_report(demo: Demo) -> None:
    assert f"\nOpen the report in a browser: {demo.report}\n" in demo.output
    assert "<title>2 of 7 cloud tasks failed | Demo of cloudwait.conversion</title>" in demo.report.read_text(
        encoding="utf-8"
    )


def test_the_stand_in_cloud_is_stopped_before_that(demo: Demo) -> None:
    assert demo.output.index("[Stop the stand-in cloud]") < demo.output.index("[Say what became of all]")
