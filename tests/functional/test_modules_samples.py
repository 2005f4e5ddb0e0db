# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendors' own sample answers through the modules, and what the answers of media tasks tell besides a status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from .ansible_runs import ROOT, Run, poll

SEEDS = ROOT / "extensions" / "simulator" / "scenarios" / "seeds.json"
#: the vendors' own sample answers; they are polled in check mode
SAMPLES = {
    "ess": ("ess", "yDRS4UUgygqdcj56UuO4zjExBQcOiB68"),
    "cos_doc": ("cos_doc", "d13cfd584cd9011ea820b597ad1785a2f"),
    "spreadsheet": ("cos_doc", "spreadsheet"),
    "mps": ("mps", "235303-WorkflowTask-80108cc3380155d98b2e3573a48a"),
    "dingtalk_doc": ("dingtalk_doc", "12345678"),
}
LIVES = {
    "runs": [{"status": "running", "progress": 40}],
    "partial": [{"status": "partial"}],
    "no picture": [{"status": "failed", "code": "SourceFileError.NoVideoMedia"}],
}


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Run:
    lives = [{"provider": "mps", "task_id": name, "life": life} for name, life in LIVES.items()]
    ansible = start_ansible(start_cloud({"tasks": lives}).environment)
    samples = start_cloud(SEEDS).url
    polls = {name: poll("mps", name) for name in LIVES}
    for name, (provider, task_id) in SAMPLES.items():
        polls[name] = poll(provider, task_id, endpoint=samples, keywords={"check_mode": True})
    found: Run = ansible.polls(polls)
    return found


def test_a_media_task_that_runs_tells_its_progress(run: Run) -> None:
    assert run.task("runs")["progress"] == 40


def test_a_media_task_that_failed_tells_the_reason(run: Run) -> None:
    assert run.task("no picture")["error"]["reason"] == "source"


def test_a_partial_media_task_names_the_part_that_failed(run: Run) -> None:
    task = run.task("partial")
    assert task["counts"] == {"total": 2, "succeeded": 1, "failed": 1}
    assert sorted(part["status"] for part in task["parts"]) == ["failed", "succeeded"]
    assert task["error"]["message"].startswith("1 of 2 parts failed, the first is ")


def test_the_sample_of_ess(run: Run) -> None:
    task = run.task("ess")
    assert (task["status"], task["native_status"], task["request_id"]) == ("succeeded", "8", "s1698837600515440954")
    assert task["outputs"] == [{"type": "ess_resource", "value": "yDSLOUUckpoji469U5GRz2w1NRiV2lPp"}]
    assert task["task_id"] == SAMPLES["ess"][1], "the echoed id is another one"
    assert run.results["ess"]["response"]["TaskMessage"] == "任务处理完成"


def test_the_sample_of_a_cos_document(run: Run) -> None:
    task = run.task("cos_doc")
    assert (task["status"], task["native_status"]) == ("succeeded", "Success")
    assert task["counts"] == {"total": 2, "succeeded": 1, "failed": 0}
    place = {"bucket": "examplebucket-1250000000", "region": "ap-chongqing"}
    assert task["outputs"] == [{"type": "cos_object", "value": "big/test-1", "page": 2, **place}]
    assert (task["created_at"], task["finished_at"]) == ("2020-07-24T09:28:47Z", "2020-07-24T09:28:49Z")
    jobs = run.results["cos_doc"]["response"]["JobsDetail"]
    assert isinstance(jobs[0]["Operation"]["DocProcessResult"]["PageInfo"], list)


def test_the_sample_of_a_cos_spreadsheet(run: Run) -> None:
    outputs = run.task("spreadsheet")["outputs"]
    assert [(one["value"], one["sheet"], one["page"]) for one in outputs] == [
        ("mark2/1/test-1.jpg", 1, 1),
        ("mark2/1/test-2.jpg", 1, 2),
    ]


def test_the_sample_of_mps(run: Run) -> None:
    task = run.task("mps")
    assert (task["status"], task["native_status"], task["progress"]) == ("succeeded", "FINISH", 100)
    assert task["counts"] == {"total": 1, "succeeded": 1, "failed": 0}
    assert [part["kind"] for part in task["parts"]] == ["TranscodeTask"]
    assert task["parts"][0]["outputs"] == task["outputs"]
    assert [(one["type"], one["region"]) for one in task["outputs"]] == [("cos_object", "ap-guangzhou")]
    assert task["outputs"][0]["value"].endswith("videoplayback_transcode111_210.m3u8")
    times = [task[name] for name in ("created_at", "started_at", "finished_at")]
    assert times == ["2019-07-16T06:21:27Z", "2019-07-16T06:21:28Z", "2019-07-16T06:21:46Z"]


def test_the_sample_of_dingtalk_is_judged_by_its_status_not_by_its_counters(run: Run) -> None:
    task = run.task("dingtalk_doc")
    assert (task["status"], task["native_status"]) == ("partial", "2")
    assert task["counts"] == {"total": 1, "succeeded": 1, "failed": 0}
    assert run.results["dingtalk_doc"]["response"]["taskId"] == "abcd"
    assert task["task_id"] == SAMPLES["dingtalk_doc"][1]


@pytest.mark.parametrize("name", SAMPLES)
def test_check_mode_polls_as_well(run: Run, name: str) -> None:
    assert run.task(name)["done"]
