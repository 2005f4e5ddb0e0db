# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statuses through the modules: every word of every vendor, and the vendors' own sample answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import MODULES, ROOT, Run, look

SEEDS = ROOT / "extensions" / "simulator" / "scenarios" / "seeds.json"
#: the vendors' own sample answers; they are looked at in check mode
SAMPLES = {
    "ess": ("ess", "yDRS4UUgygqdcj56UuO4zjExBQcOiB68"),
    "cos_doc": ("cos_doc", "d13cfd584cd9011ea820b597ad1785a2f"),
    "spreadsheet": ("cos_doc", "spreadsheet"),
    "mps": ("mps", "235303-WorkflowTask-80108cc3380155d98b2e3573a48a"),
    "dingtalk_doc": ("dingtalk_doc", "12345678"),
}
KEYS = [
    "counts",
    "created_at",
    "done",
    "error",
    "finished_at",
    "native_status",
    "outputs",
    "parts",
    "progress",
    "provider",
    "ref",
    "request_id",
    "started_at",
    "status",
    "task_id",
]
OPEN = ("pending", "running", "unknown")


class Case(NamedTuple):
    """A step of a life, and what it has to become."""

    provider: str
    step: dict[str, Any]
    status: str
    native: str
    reason: str | None = None

    @property
    def task_id(self) -> str:
        """An id of its own."""
        return f"{self.provider} {self.status} {self.native} {len(self.step)}"


#: each provider's words; those that the samples have are looked at with them
CASES = [
    Case("ess", {"status": "pending"}, "pending", "0"),
    Case("ess", {"status": "running"}, "running", "4"),
    Case("ess", {"native": -13}, "failed", "-13", "timeout"),
    Case("ess", {"status": "unknown"}, "unknown", "99"),
    Case("cos_doc", {"native": "Submitted"}, "pending", "Submitted"),
    Case("cos_doc", {"native": "Running"}, "running", "Running"),
    Case("cos_doc", {"status": "partial"}, "partial", "Success", "processing"),
    Case("cos_doc", {"native": "Failed"}, "failed", "Failed", "unknown"),
    Case("cos_doc", {"native": "Cancel"}, "canceled", "Cancel"),
    Case("cos_doc", {"status": "unknown"}, "unknown", "Reviewing"),
    Case("mps", {"status": "pending"}, "pending", "WAITING"),
    Case("mps", {"status": "running", "progress": 40}, "running", "PROCESSING"),
    Case("mps", {"status": "partial"}, "partial", "FINISH", "source"),
    Case("mps", {"status": "failed", "code": "SourceFileError.NoVideoMedia"}, "failed", "FINISH", "source"),
    Case("mps", {"status": "unknown"}, "unknown", "SUSPENDED"),
    Case("dingtalk_doc", {"native": -1}, "pending", "-1"),
    Case("dingtalk_doc", {"native": 0, "progress": 25}, "running", "0"),
    Case("dingtalk_doc", {"native": 1}, "succeeded", "1"),
    Case("dingtalk_doc", {"native": 3}, "failed", "3", "unknown"),
    Case("dingtalk_doc", {"native": 9}, "unknown", "9"),
]
UNKNOWN = [case for case in CASES if case.status == "unknown"]


def in_words(case: Case) -> str:
    """A case as the name of a test."""
    return case.task_id.replace(" ", "-")


@pytest.fixture(scope="module")
def run(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Run:
    lives = [{"provider": case.provider, "task_id": case.task_id, "life": [case.step]} for case in CASES]
    ansible = start_ansible(start_cloud({"tasks": lives}).environment)
    samples = start_cloud(SEEDS).url
    looks = {case.task_id: look(case.provider, case.task_id) for case in CASES}
    for name, (provider, task_id) in SAMPLES.items():
        looks[name] = look(provider, task_id, endpoint=samples, keywords={"check_mode": True})
    found: Run = ansible.looks(looks)
    return found


@pytest.mark.parametrize("case", CASES, ids=in_words)
def test_a_native_status_becomes_a_normalized_one(run: Run, case: Case) -> None:
    task = run.task(case.task_id)
    assert (task["status"], task["native_status"]) == (case.status, case.native)
    assert task["done"] is (case.status not in OPEN)
    assert (task["error"] or {}).get("reason") == case.reason


@pytest.mark.parametrize("case", CASES, ids=in_words)
def test_a_record_has_all_keys_and_what_is_needed_to_look_again(run: Run, case: Case) -> None:
    task = run.task(case.task_id)
    assert sorted(task) == KEYS
    assert (task["provider"], task["task_id"]) == (case.provider, case.task_id)
    ref = look(case.provider, case.task_id, request_retries=None)[f"cloudwait.conversion.{MODULES[case.provider]}"]
    assert task["ref"] == {"provider": case.provider, **ref}
    assert task["request_id"]


@pytest.mark.parametrize("case", UNKNOWN, ids=in_words)
def test_an_unknown_status_is_said_aloud(run: Run, case: Case) -> None:
    sentence = f'The status "{case.native}" of the {case.provider} cloud task "{case.task_id}" is not one that'
    assert [sentence in warning for warning in run.results[case.task_id]["warnings"]] == [True]
    assert sentence in " ".join(run.output.split())


def test_a_status_that_is_known_gives_no_warning(run: Run) -> None:
    unknown = [case.task_id for case in UNKNOWN]
    assert [name for name, result in run.results.items() if result.get("warnings")] == unknown


def test_progress_is_told_where_the_vendor_tells_it(run: Run) -> None:
    progress = {case.task_id: run.task(case.task_id)["progress"] for case in CASES if case.status == "running"}
    assert progress == {
        "ess running 4 1": None,
        "cos_doc running Running 1": None,
        "mps running PROCESSING 2": 40,
        "dingtalk_doc running 0 2": 25,
    }


def test_a_partial_media_task_names_the_part_that_failed(run: Run) -> None:
    task = run.task("mps partial FINISH 1")
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
def test_check_mode_looks_as_well(run: Run, name: str) -> None:
    assert run.task(name)["done"]
