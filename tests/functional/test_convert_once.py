# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook for pipelines, killed and repeated: each document is started once, waited for and reported."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..cases import STARTS
from .ansible_runs import NEEDS, ROOT, Ansible
from .conftest import Simulator

DOCUMENTS = 6
LIFE = [{"status": "pending", "looks": 1}, {"status": "running", "looks": 3}, {"status": "succeeded"}]
LEDGER = [f"convert_documents.ledger{ending}" for ending in ("", "-journal", "-lock")]
PLAYBOOK = str(ROOT / "playbooks" / "convert_documents.yml")


class Told(NamedTuple):
    """What a run told, and how many calls it needed."""

    summary: dict[str, Any]
    output: str
    calls: int


class Nights(NamedTuple):
    """What the runs told that were not killed, and what is left of all.

    The fourth is the first with the right to list the bucket. Before the fifth, a document was overwritten.
    """

    third: Told
    fourth: Told
    fifth: Told
    suite: str
    made: int


def variables(ansible: Ansible) -> dict[str, Any]:
    """What the playbook shall convert."""
    names = [f"doc-{number}" for number in range(DOCUMENTS)]
    return {
        "ansible_python_interpreter": ansible.python,
        "provider": "cos_doc",
        "settings": {"bucket": "examplebucket-1250000000", "region": "ap-beijing"},
        "documents": [
            {"input_object": f"in/{name}.docx", "key": None, "output": {"object": f"out/{name}-${{Number}}.jpg"}}
            for name in names
        ],
        "summary_file": "summary.json",
        "junit_file": "junit.xml",
    }


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """The processes that a run of Ansible has forked. They outlive it, and go on until they notice."""
    rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in rows.splitlines()]
    return [int(pid) for pid, parent in pairs if parent == str(process.pid)]


class Play:
    """Runs of the playbook in one folder, against one cloud."""

    def __init__(self, cloud: Simulator, ansible: Ansible, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.orphans: list[int] = []
        self._ansible = ansible
        self._arguments = ["-e", f"@{folder / 'variables.json'}", PLAYBOOK]
        (folder / "variables.json").write_text(json.dumps(variables(ansible)), encoding="utf-8")

    def kill(self, is_time: Callable[[dict[str, Any]], bool]) -> None:
        """Run it, and kill it as soon as the cloud has seen enough. Its workers go on."""
        process = subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", *self._arguments],
            cwd=self.folder,
            env=self._ansible.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        ends = time.monotonic() + 300
        while not is_time(self.cloud.stats()):
            assert process.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < ends
            time.sleep(0.02)
        self.orphans += workers_of(process)
        process.kill()
        process.wait()

    def finish(self) -> Told:
        """Run it to its end."""
        before = self.calls()
        run = self._ansible.command("playbook", *self._arguments, folder=self.folder)
        assert run.status == 0, run.output
        summary = json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        return Told(summary, run.output, self.calls() - before)

    def calls(self) -> int:
        return int(self.cloud.stats()["calls"]["cos_doc"])


@pytest.fixture(scope="module")
def nights(
    start_cloud: Callable[..., Simulator],
    start_ansible: Callable[..., Ansible],
    tmp_path_factory: pytest.TempPathFactory,
) -> Nights:
    cloud = start_cloud({"starts": [{"provider": "cos_doc", "life": LIFE}]})
    folder = tmp_path_factory.mktemp("nights")
    play = Play(cloud, start_ansible(cloud.environment), folder)
    play.kill(lambda stats: stats["made"].get("cos_doc", 0) >= 2)
    play.kill(lambda stats: stats["made"].get("cos_doc", 0) == DOCUMENTS and stats["calls"]["cos_doc"] > 2 * DOCUMENTS)
    third = play.finish()
    objects = {f"in/doc-{number}.docx": f"first-{number}" for number in range(DOCUMENTS)}
    cloud.control("objects", {"objects": objects})
    fourth, made = play.finish(), int(cloud.stats()["made"]["cos_doc"])
    suite = (folder / "junit.xml").read_text(encoding="utf-8")
    changed = {"etag": "second-0", "last_modified": "2099-01-01T00:00:00.000Z"}
    cloud.control("objects", {"objects": {**objects, "in/doc-0.docx": changed}})
    fifth = play.finish()
    for orphan in play.orphans:
        with contextlib.suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    assert sorted(path.name for path in folder.glob("*ledger*")) == LEDGER
    return Nights(third, fourth, fifth, suite, made)


def test_each_document_is_started_once_though_two_runs_were_killed(nights: Nights) -> None:
    assert nights.made == DOCUMENTS


def test_each_document_is_waited_for_and_reported(nights: Nights) -> None:
    summary = nights.third.summary
    assert [case["outcome"] for case in summary["documents"]] == ["satisfied"] * DOCUMENTS
    assert (summary["new"], summary["reused"] + summary["adopted"]) == (0, DOCUMENTS)
    assert all(len(case["outputs"]) == 2 for case in summary["documents"])


def test_a_run_on_documents_that_are_all_done_lists_the_bucket_and_changes_nothing(nights: Nights) -> None:
    assert nights.fourth.calls == 1
    assert "changed=0" in nights.fourth.output
    before, now = ([case["outputs"] for case in told.summary["documents"]] for told in (nights.third, nights.fourth))
    assert now == before


def test_the_reports_say_what_was_reused(nights: Nights) -> None:
    assert nights.fourth.summary["reused"] == DOCUMENTS
    assert f"0 new, {DOCUMENTS} reused, 0 adopted" in nights.fourth.output
    assert "in/doc-0.docx: out/doc-0-1.jpg, out/doc-0-2.jpg (reused)" in nights.fourth.output
    assert nights.suite.count("<system-out>reused: out/") == DOCUMENTS


def test_without_the_right_to_list_it_says_in_a_sentence_what_is_needed(nights: Nights) -> None:
    said = "count as unchanged in this run, unless they have a key: Listing the objects of the bucket"
    assert said in nights.third.output
    assert (
        "give this account the permission cos:GetBucket on the bucket. To list no bucket, set detect_changes to false."
        in (nights.third.output)
    )
    assert "count as unchanged" not in nights.fourth.output


def test_a_second_import_in_the_same_run_knows_no_version_of_its_own_documents(
    start_cloud: Callable[..., Simulator], start_ansible: Callable[..., Ansible], tmp_path: Path
) -> None:
    starts = [{"provider": name, "life": [{"status": "succeeded"}]} for name in ("cos_doc", "mps")]
    cloud = start_cloud({"starts": starts, "objects": {"in/doc-0.docx": "first-0"}})
    ansible = start_ansible(cloud.environment)
    first = {**variables(ansible), "documents": variables(ansible)["documents"][:1]}
    films = [{"name": "film", **STARTS["mps"].options("film")}]
    second = {**first, "provider": "mps", "settings": NEEDS["mps"], "documents": films}
    site = [{"ansible.builtin.import_playbook": PLAYBOOK, "vars": given} for given in (first, second)]
    (tmp_path / "site.yml").write_text(json.dumps(site), encoding="utf-8")
    run = ansible.command("playbook", "site.yml", folder=tmp_path)
    assert run.status == 0, run.output
    with contextlib.closing(sqlite3.connect(tmp_path / LEDGER[0])) as ledger:
        keys = dict(ledger.execute("SELECT provider, key FROM starts"))
    assert keys["cos_doc"].endswith("-first-0")
    assert "-" not in keys["mps"]


def test_a_document_that_was_overwritten_is_converted_again_and_no_other(nights: Nights) -> None:
    assert [case["origin"] for case in nights.fifth.summary["documents"]] == ["new"] + ["reused"] * (DOCUMENTS - 1)
    assert nights.fifth.summary["failed"] == 0
