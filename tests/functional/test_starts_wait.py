# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts that go well: their records go straight into a wait, and what can be repaired on the way is repaired once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from ..cases import STARTS
from .ansible_runs import NEEDS, Run
from .start_runs import USER, calls_of, result_of, start, starts_of, task_of
from .wait_runs import outcomes, wait

OLD, NEW = "ChannelCreateConvertTaskApi", "CreateFileConvertTask"
TWENTY_MINUTES = 1200
APP: dict[str, Any] = {"operator_id": "union1"}
SMALL = {"provider": "dingtalk_doc", "match": "small", "at_once": {"dentryUuid": "copy1", "name": "Copy of small"}}
TOKEN_REFUSED = {"fault": "token_refused", "provider": "dingtalk_doc", "action": "CopyDocWithAppAuth", "looks": 1}


class Played(NamedTuple):
    """What was run, against the cloud as usual and against one whose clock and operations are others."""

    run: Run
    cloud: Any
    odd: Any


def make_tasks(folder: Any, odd: str) -> dict[str, dict[str, Any]]:
    (folder / "plan.docx").write_bytes(b"PK")
    more: dict[str, dict[str, Any]] = {
        "ess": {"src": str(folder / "plan.docx"), "resource_id": None, "resource_name": None},
        "cos_doc": {"end_page": 3, "quality": 90},
        "mps": {"session_id": "night-1"},
    }
    tasks = {
        **{word: start(word, "plan", **more.get(word, {})) for word in STARTS},
        "each": start("cos_doc", "{{ item }}", keywords={"loop": ["one", "two"]}),
        "at once": start("dingtalk_doc", "small"),
        "as an app": start("dingtalk_doc", "large", **APP),
        **{f"repaired {provider}": start(provider, "late", endpoint=odd) for provider in ("ess", "cos_doc")},
    }
    results = [f"{{{{ {result_of(tasks, word)} }}}}" for word in STARTS]
    each, at_once, as_app = (result_of(tasks, name) for name in ("each", "at once", "as an app"))
    return {
        **tasks,
        "wait": wait(tasks=results),
        "wait for many": wait(tasks=f"{{{{ {each}.results + [{at_once}, {as_app}.task] }}}}"),
    }


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    cloud = start_cloud({"starts": [SMALL], "faults": [TOKEN_REFUSED]})
    odd = start_cloud({"clock_offset": -TWENTY_MINUTES, "retired_actions": [OLD]})
    ansible = start_ansible({**cloud.environment, **USER})
    tasks = make_tasks(tmp_path_factory.mktemp("files"), odd.url)
    return Played(ansible.polls(tasks), cloud, odd)


@pytest.mark.parametrize("provider", STARTS)
def test_a_start_gives_a_record_of_what_it_started(played: Played, provider: str) -> None:
    task = task_of(played.run, provider)
    assert (task["provider"], task["status"], task["done"]) == (provider, "pending", False)
    assert task["ref"] == {"provider": provider, "task_id": task["task_id"], **NEEDS[provider]}
    assert task["task_id"]
    assert task["request_id"]


@pytest.mark.parametrize("provider", STARTS)
def test_each_start_was_made_once(played: Played, provider: str) -> None:
    extra = {
        "cos_doc": (2, 2),
        "dingtalk_doc": (3, 2),
    }  # those of the loop; two, one of which came with a refused token
    more_starts, more_made = extra.get(provider, (0, 0))
    assert starts_of(played.cloud, provider) == (1 + more_starts, 1 + more_made)


def test_records_of_all_services_go_straight_into_a_wait(played: Played) -> None:
    result = played.run.results["wait"]
    assert (result["outcome"], outcomes(result)) == ("satisfied", ["satisfied"] * len(STARTS))
    ids = [played.run.results[provider]["task"]["task_id"] for provider in STARTS]
    assert [task["task_id"] for task in result["tasks"]] == ids
    outputs = {task["provider"]: [output["value"] for output in task["outputs"]] for task in result["tasks"]}
    assert len(outputs["ess"]) == 1
    assert outputs["cos_doc"] == ["out/plan-1.jpg", "out/plan-2.jpg", "out/plan-3.jpg"]
    assert outputs["mps"] == ["/out/plan_transcode_100010.mp4"]


def test_the_results_of_a_loop_go_straight_into_a_wait(played: Played) -> None:
    result = played.run.results["wait for many"]
    assert (result["outcome"], outcomes(result)) == ("satisfied", ["satisfied"] * 4)
    assert [task["outputs"][0]["value"] for task in result["tasks"][:2]] == ["out/one-1.jpg", "out/two-1.jpg"]


def test_a_copy_that_was_made_at_once_counts_as_ended(played: Played) -> None:
    task = task_of(played.run, "at once")
    assert (task["task_id"], task["status"], task["done"]) == (None, "succeeded", True)
    assert task["outputs"] == [
        {"type": "dingtalk_document", "value": "copy1", "url": "https://example.com/i/nodes/EXAMPLE"}
    ]
    assert [task["polls"] > 0 for task in played.run.results["wait for many"]["tasks"][2:]] == [False, True]


def test_a_refused_token_of_an_app_is_fetched_anew(played: Played) -> None:
    assert task_of(played.run, "as an app")["status"] == "pending"
    assert (calls_of(played.cloud, "CopyDocWithAppAuth"), played.cloud.stats()["tokens_issued"] >= 2) == (2, True)


def test_a_file_goes_where_the_conversions_go(played: Played) -> None:
    result = played.run.results["ess"]
    assert result["resource_id"].startswith("yD")
    assert (calls_of(played.cloud, "UploadFiles"), calls_of(played.odd, "UploadFiles")) == (1, 0)
    assert result["endpoint_host"] == f"127.0.0.1:{played.cloud.port}"


@pytest.mark.parametrize(("provider", "starts"), [("ess", 3), ("cos_doc", 2)])
def test_a_clock_and_an_operation_are_repaired_and_it_starts_once(played: Played, provider: str, starts: int) -> None:
    assert task_of(played.run, f"repaired {provider}")["status"] == "pending"
    result = played.run.results[f"repaired {provider}"]
    assert starts_of(played.odd, provider) == (starts, 1)
    assert [("s ahead of the vendor's" in warning) for warning in result["warnings"]] == [True]


def test_the_operation_that_was_used_is_told(played: Played) -> None:
    assert (played.run.results["ess"]["api_action"], played.run.results["repaired ess"]["api_action"]) == (OLD, NEW)
