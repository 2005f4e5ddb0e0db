# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook that starts, waits, lists and aborts, run with --check: nothing is started, and it runs through."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ..cases import STARTS
from .ansible_runs import NEEDS, Run
from .start_runs import USER, call, calls_of, error_of, result_of, start, starts_of, task_of
from .wait_runs import life, outcomes, wait


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any


def make_tasks(source: Path) -> dict[str, dict[str, Any]]:
    starts = {word: start(word, "plan") for word in STARTS}
    results = [f"{{{{ {result_of(starts, word)} }}}}" for word in STARTS]
    return {
        **starts,
        "with a file": start("ess", "plan", src=str(source), resource_id=None),
        "refused": start("ess", "plan", src=str(source.parent), resource_name="plan.docx", resource_id=None),
        "not there yet": start("ess", "plan", src=f"{source.parent}/later.docx", resource_id=None),
        "abort": call("mps_task_abort", task_id="waiting"),
        "list": call("mps_task_list_info", statuses="WAITING"),
        "wait": wait(tasks=results),
    }


@pytest.fixture(scope="module")
def played(
    start_cloud: Callable[..., Any], start_ansible: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Played:
    source = tmp_path_factory.mktemp("files") / "plan.docx"
    source.write_bytes(b"PK")
    cloud = start_cloud({"tasks": [life("waiting", "pending")]})
    tasks = make_tasks(source)
    return Played(start_ansible({**cloud.environment, **USER}).polls(tasks, "--check"), cloud)


@pytest.mark.parametrize("provider", STARTS)
def test_nothing_is_started_and_the_result_says_what_would_be(played: Played, provider: str) -> None:
    task = task_of(played.run, provider)
    assert (task["task_id"], task["status"], task["native_status"], task["done"]) == (None, "unknown", None, False)
    assert task["ref"] == {"provider": provider, "task_id": None, **NEEDS[provider]}
    assert "warnings" not in played.run.results[provider]
    assert starts_of(played.cloud, provider) == (0, 0)


def test_no_file_goes_up(played: Played) -> None:
    assert task_of(played.run, "with a file")["task_id"] is None
    assert "resource_id" not in played.run.results["with a file"]
    assert calls_of(played.cloud, "UploadFiles", "GetAccessToken") == 0


def test_what_is_wrong_is_refused_all_the_same(played: Played) -> None:
    assert error_of(played.run, "refused")["message"].endswith(", which is not a regular file")


def test_a_file_that_would_have_been_made_need_not_be_there(played: Played) -> None:
    assert task_of(played.run, "not there yet")["task_id"] is None


def test_the_wait_for_it_runs_through(played: Played) -> None:
    result = played.run.results["wait"]
    assert (result["failed"], result["outcome"]) == (False, "unfinished")
    assert outcomes(result) == ["unfinished"] * len(STARTS)


def test_nothing_is_aborted(played: Played) -> None:
    task = task_of(played.run, "abort")
    assert (task["task_id"], task["status"]) == ("waiting", "pending")
    assert calls_of(played.cloud, "ManageTask") == 0


def test_a_list_is_read(played: Played) -> None:
    result = played.run.results["list"]
    assert result["changed"] is False
    assert [ref["task_id"] for ref in result["refs"]] == ["waiting"]
