# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for pipelines, killed and repeated: each document is started once, waited for and reported."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import ROOT, Ansible
from .conftest import Simulator

DOCUMENTS = 6
LIFE = [{"status": "pending", "looks": 1}, {"status": "running", "looks": 3}, {"status": "succeeded"}]
PLAYBOOK = str(ROOT / "playbooks" / "convert_documents.yml")


class Nights(NamedTuple):
    """What the runs wrote, and how many calls each of them needed."""

    summaries: list[dict[str, Any]]
    outputs: list[str]
    calls: list[int]
    suite: str
    made: int


def documents(**more: Any) -> list[dict[str, Any]]:
    names = [f"doc-{number}" for number in range(DOCUMENTS)]
    return [
        {"input_object": f"in/{name}.docx", "output": {"object": f"out/{name}-${{Number}}.jpg"}, **more}
        for name in names
    ]


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes that a run of Ansible has forked. They outlive it, and go on until they notice."""
    rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in rows.splitlines()]
    return [int(pid) for pid, parent in pairs if parent == str(process.pid)]


def kill_when(cloud: Simulator, process: subprocess.Popen[str], is_time: Callable[[dict[str, Any]], bool]) -> list[int]:
    """Kill a run as soon as the cloud has seen enough. Returns its workers, which the kill does not reach."""
    ends = time.monotonic() + 120
    while not is_time(cloud.stats()):
        assert process.poll() is None, "the run ended before it could be killed"
        assert time.monotonic() < ends
        time.sleep(0.02)
    workers = workers_of(process)
    process.kill()
    process.wait()
    return workers


@pytest.fixture(scope="module")
def nights(
    start_cloud: Callable[..., Simulator],
    start_ansible: Callable[..., Ansible],
    tmp_path_factory: pytest.TempPathFactory,
) -> Nights:
    cloud = start_cloud({"starts": [{"provider": "cos_doc", "life": LIFE}]})
    ansible = start_ansible(cloud.environment)
    folder = tmp_path_factory.mktemp("nights")
    variables = {
        "ansible_python_interpreter": ansible.python,
        "provider": "cos_doc",
        "settings": {"bucket": "examplebucket-1250000000", "region": "ap-beijing"},
        "documents": documents(),
        "summary_file": "summary.json",
        "junit_file": "junit.xml",
    }
    given = folder / "variables.json"
    given.write_text(json.dumps(variables), encoding="utf-8")

    orphans: list[int] = []

    def kill(is_time: Callable[[dict[str, Any]], bool]) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", "-e", f"@{given}", PLAYBOOK],
            cwd=folder,
            env=ansible.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        orphans.extend(kill_when(cloud, process, is_time))

    def calls() -> int:
        return int(cloud.stats()["calls"]["cos_doc"])

    kill(lambda stats: stats["made"].get("cos_doc", 0) >= 2)
    kill(lambda stats: stats["made"].get("cos_doc", 0) == DOCUMENTS and stats["calls"]["cos_doc"] > 2 * DOCUMENTS)
    summaries, outputs, counts = [], [], []
    for dummy in range(2):
        before = calls()
        run = ansible.command("playbook", "-e", f"@{given}", PLAYBOOK, folder=folder)
        assert run.status == 0, run.output
        summaries.append(json.loads((folder / "summary.json").read_text(encoding="utf-8")))
        outputs.append(run.output)
        counts.append(calls() - before)
    for orphan in orphans:
        with contextlib.suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    assert sorted(path.name for path in folder.glob("*ledger*")) == [
        "convert_documents.ledger",
        "convert_documents.ledger-journal",
        "convert_documents.ledger-lock",
    ]
    suite = (folder / "junit.xml").read_text(encoding="utf-8")
    return Nights(summaries, outputs, counts, suite, int(cloud.stats()["made"]["cos_doc"]))


def test_each_document_is_started_once_though_two_runs_were_killed(nights: Nights) -> None:
    assert nights.made == DOCUMENTS


def test_each_document_is_waited_for_and_reported(nights: Nights) -> None:
    summary = nights.summaries[0]
    assert [case["outcome"] for case in summary["documents"]] == ["satisfied"] * DOCUMENTS
    assert (summary["new"], summary["reused"] + summary["adopted"]) == (0, DOCUMENTS)
    assert all(len(case["outputs"]) == 2 for case in summary["documents"])


def test_a_run_on_documents_that_are_all_done_sends_and_changes_nothing(nights: Nights) -> None:
    assert nights.calls[1] == 0
    assert "changed=0" in nights.outputs[1]
    first, second = ([case["outputs"] for case in summary["documents"]] for summary in nights.summaries)
    assert first == second


def test_the_reports_say_what_was_reused(nights: Nights) -> None:
    assert nights.summaries[1]["reused"] == DOCUMENTS
    assert f"0 new, {DOCUMENTS} reused, 0 adopted" in nights.outputs[1]
    assert "in/doc-0.docx: out/doc-0-1.jpg, out/doc-0-2.jpg (reused)" in nights.outputs[1]
    assert nights.suite.count("<system-out>reused: out/") == DOCUMENTS
