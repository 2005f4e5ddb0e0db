# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: what a newcomer reads, from the first line to the last."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .ansible_runs import ROOT, Ansible, Run

LONGEST = 220  # characters of a line: those of a wait have at most 200
TABLE = [
    ("contract", "ess", "succeeded"),
    ("slides", "cos_doc", "succeeded"),
    ("film", "mps", "succeeded"),
    ("minutes", "dingtalk_doc", "succeeded"),
    ("trailer", "mps", "partial"),
    ("scan", "ess", "failed"),
    ("report", "cos_doc", "succeeded"),
]


@pytest.fixture(scope="module")
def demo(start_ansible: Callable[..., Ansible]) -> Run:
    """A run of the demo with no credentials, no endpoints and no variables."""
    return start_ansible({}).command("playbook", str(ROOT / "playbooks" / "demo.yml"))


def test_it_ends_well(demo: Run) -> None:
    assert demo.status == 0, demo.output
    assert "failed=0 " in demo.output
    for alarm in ("fatal:", "[ERROR]", "[WARNING]"):
        assert alarm not in demo.output


def test_no_line_is_a_dump_of_a_result(demo: Run) -> None:
    assert [line for line in demo.output.splitlines() if len(line) > LONGEST] == []


def test_a_table_at_the_end_says_what_became_of_each(demo: Run) -> None:
    table = demo.output[demo.output.index("[Say what became of all]") :]
    rows = [line.strip().strip('",') for line in table.splitlines() if line.startswith("        ")]
    assert [tuple(row.split()[:3]) for row in rows[:-1]] == TABLE
    assert len({row.index(status) for row, (dummy, dummy, status) in zip(rows, TABLE)}) == 1  # the columns are aligned
    assert rows[-1] == "2 of 7 failed, as planned."


def test_the_stand_in_cloud_is_stopped_before_that(demo: Run) -> None:
    assert demo.output.index("[Stop the stand-in cloud]") < demo.output.index("[Say what became of all]")
