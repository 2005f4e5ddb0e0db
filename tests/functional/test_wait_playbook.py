# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wait among the other means of a playbook: check mode, async, keywords, groups of defaults, rescue, delegation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Run
from .conftest import TENCENT
from .wait_runs import WAIT, check_whole, life, lines_of, outcomes, polls_of, wait

NO_KEYS = {"TENCENTCLOUD_SECRET_ID": "", "TENCENTCLOUD_SECRET_KEY": ""}
NOT_STARTED: dict[str, Any] = {
    "provider": "mps", "task_id": None, "status": "unknown", "native_status": None, "done": False, "progress": None,
    "counts": None, "error": None, "parts": [], "outputs": [], "created_at": None, "started_at": None,
    "finished_at": None, "request_id": None, "ref": {"provider": "mps"},
}  # fmt: skip
LIVES = [
    life("good", "succeeded"),
    life("bad", "running", {"status": "failed", "message": "torn"}),
    life("endless", "running"),
    life("in the background", "running", "succeeded"),
    life("again", "running", {"status": "failed", "looks": 1}, "succeeded"),
    life("hangs", {"fault": {"name": "hang", "seconds": 60}, "looks": 99}, "succeeded"),
    life("from elsewhere", "succeeded"),
    life("m-1234", "running", {"status": "running", "seconds": 1}, "succeeded"),
]


def mps(*items: Any, keywords: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
    """A wait on media tasks."""
    return wait(provider="mps", tasks=list(items), keywords=keywords, **options)


def in_check_mode(*items: Any, **options: Any) -> dict[str, Any]:
    """The same in check mode."""
    return mps(*items, keywords={"check_mode": True}, **options)


def make_waits() -> dict[str, dict[str, Any]]:
    tencent = {"group/cloudwait.conversion.tencent": TENCENT}
    every = {"group/cloudwait.conversion.all": {"request_timeout": -1}}
    return {
        "check: good": in_check_mode("good"),
        "check: all sorts": in_check_mode("good", "bad", "endless", "nowhere", {"task": NOT_STARTED}, "",
                                          state_file="never-written.json"),
        "check: no id": wait(provider="mps", task_id="", keywords={"check_mode": True}),
        "check: refused": in_check_mode({"task_id": "x", "tsak": 1}),
        "async": mps("in the background", keywords={"async": 60, "poll": 1}),
        "async: failed": mps("bad", keywords={"async": 60, "poll": 1}),
        "async: condition": mps("good", condition="task.done", keywords={"async": 60, "poll": 0}),
        "async: state file": mps("good", state_file="x.json", keywords={"async": 60, "poll": 1}),
        "timeout keyword": mps("endless", "good", keywords={"timeout": 12}),
        "timeout keyword: hanging": mps("hangs", "good", require="any", until="failed", request_timeout=1,
                                        max_errors=99, keywords={"timeout": 14}),
        "timeout keyword: too short": mps("endless", delay=30, keywords={"timeout": 1}),
        "until keyword": mps("again", keywords={"until": "poll_11.outcome == 'satisfied'", "retries": 2, "delay": 0}),
        "retries keyword": mps("good", keywords={"retries": 2}),
        "failed when": mps("bad", keywords={"failed_when": "poll_13.outcome not in ['satisfied', 'failed']"}),
        "tencent": mps("good", keywords={"module_defaults": tencent, "environment": NO_KEYS}),
        "all": mps("good", keywords={"module_defaults": every}),
        "delegated": mps("from elsewhere", keywords={"delegate_to": "bastion"}),
        "short secret": mps("m-1234", heartbeat=0.5,
                            keywords={"environment": {"HTTPS_PROXY": "http://build:1234@127.0.0.1:1"}}),
        "environment": mps("good", keywords={"environment": {"CLOUDWAIT_MPS_ENDPOINT": "http://127.0.0.1:1"}},
                           max_errors=2),
        "async: short": mps("endless", keywords={"async": 24, "poll": 1}),
    }  # fmt: skip


RESCUE = {
    "block": [{"name": "Wait", "register": "waited", **mps("bad", "good", fail_fast=False)}],
    "rescue": [{"name": "Say", "ansible.builtin.debug": {"msg": "<{{ waited.failed_tasks | to_json }}>"}}],
}


class Played(NamedTuple):
    """What was run against which cloud."""

    run: Run
    cloud: Any
    ad_hoc: Run


@pytest.fixture(scope="module")
def played(start_cloud: Callable[..., Any], start_ansible: Callable[..., Any]) -> Played:
    cloud = start_cloud({"tasks": LIVES})
    ansible = start_ansible({**cloud.environment, **NO_KEYS})
    ansible.environment["ANSIBLE_ASYNC_DIR"] = str(ansible.home / "jobs")  # else it is looked for in the user's own
    keys = [f"export TENCENTCLOUD_{name.upper()}='{value}'" for name, value in TENCENT.items()]
    bastion = {"name": "bastion", "ansible_connection": "local"}
    python = {"ansible_python_interpreter": ansible.interpreter("bastion-python", *keys)}
    add = {"ansible.builtin.add_host": {**bastion, **python}}
    environment = {f"TENCENTCLOUD_{name.upper()}": value for name, value in TENCENT.items()}
    run = ansible.polls(make_waits(), pre_tasks=[add], post_tasks=[RESCUE], environment=environment)
    options = f"provider=mps task_id=good secret_id={TENCENT['secret_id']} secret_key={TENCENT['secret_key']}"
    return Played(run, cloud, ansible.command("adhoc", "localhost", "-m", WAIT, "-a", options))


def ended(played: Played, name: str) -> dict[str, Any]:
    result: dict[str, Any] = played.run.results[name]
    return result


def test_check_mode_polls_once_and_never_fails(played: Played) -> None:
    good, sorts = ended(played, "check: good"), ended(played, "check: all sorts")
    assert (good["outcome"], outcomes(good)) == ("satisfied", ["satisfied"])
    assert (sorts["outcome"], sorts["failed"]) == ("unfinished", False)
    assert outcomes(sorts) == ["satisfied", "unfinished", "unfinished", "unfinished", "unfinished", "unfinished"]
    assert [task["polls"] for task in sorts["tasks"]] == [1, 1, 1, 1, 0, 0]
    assert "check mode polled once and did not wait" in sorts["msg"]


def test_what_check_mode_did_not_start_is_unfinished(played: Played) -> None:
    result = ended(played, "check: no id")
    assert (result["outcome"], outcomes(result), result["failed"]) == ("unfinished", ["unfinished"], False)


def test_check_mode_refuses_what_is_wrong(played: Played) -> None:
    assert "tasks[0] has the key tsak" in played.run.sentence("check: refused")


def test_the_module_alone_waits_in_the_background(played: Played) -> None:
    result = ended(played, "async")
    assert (result["outcome"], outcomes(result)) == ("satisfied", ["satisfied"])
    assert [change["status"] for change in result["task"]["history"]] == ["running", "succeeded"]
    failed = ended(played, "async: failed")
    assert (failed["outcome"], outcomes(failed), failed["failed"]) == ("failed", ["failed"], True)
    assert not any("in the background" in line for line in lines_of(played.run.output))


def test_a_wait_in_the_background_ends_before_ansible_kills_it(played: Played) -> None:
    result = ended(played, "async: short")
    assert (result["outcome"], outcomes(result)) == ("timed_out", ["timed_out"])
    assert 16 <= result["elapsed"] < 24
    warning = "timeout is 200 s and async is 24 s, so the wait ends after 16 s, before Ansible kills it"
    assert warning in " ".join(played.run.output.split())


@pytest.mark.parametrize(("name", "option"), [("async: condition", "condition"), ("async: state file", "state_file")])
def test_what_needs_the_controller_is_refused_before_anything_starts(played: Played, name: str, option: str) -> None:
    assert option in played.run.sentence(name)
    assert "async" in played.run.sentence(name)
    assert "ansible_job_id" not in ended(played, name)


def test_a_timeout_of_the_ansible_task_leaves_the_last_records(played: Played) -> None:
    result = ended(played, "timeout keyword")
    assert (result["outcome"], outcomes(result)) == ("timed_out", ["timed_out", "satisfied"])
    assert result["tasks"][0]["status"] == "running"
    assert "timeout of the Ansible task" in result["msg"]


def test_a_poll_that_hangs_does_not_cost_the_records_of_the_others(played: Played) -> None:
    result = ended(played, "timeout keyword: hanging")
    assert outcomes(result) == ["timed_out", "failed"]
    assert result["tasks"][1]["status"] == "succeeded"


def test_a_timeout_before_the_first_poll_is_no_success(played: Played) -> None:
    result = ended(played, "timeout keyword: too short")
    assert (result["outcome"], result["failed"]) == ("timed_out", True)
    check_whole(result)
    assert "the timeout of the Ansible task" in result["msg"]


def test_the_keywords_until_and_retries_work_and_are_warned_about(played: Played) -> None:
    result = ended(played, "until keyword")
    assert (result["outcome"], result["attempts"]) == ("satisfied", 2)
    assert any("keyword until repeats the whole wait" in warning for warning in result["warnings"])
    (warning,) = ended(played, "retries keyword")["warnings"]
    assert "keyword retries repeats the whole wait" in warning


def test_failed_when_has_the_last_word(played: Played) -> None:
    assert (ended(played, "failed when")["outcome"], ended(played, "failed when")["failed"]) == ("failed", False)


def test_groups_of_defaults_reach_the_wait(played: Played) -> None:
    assert outcomes(ended(played, "tencent")) == ["satisfied"]
    assert "request_timeout must be at least 0.001" in played.run.sentence("all")


def test_the_host_that_it_is_delegated_to_asks(played: Played) -> None:
    assert outcomes(ended(played, "delegated")) == ["satisfied"]
    assert any(line.startswith("[localhost] cloudwait: mps from elsewhere") for line in lines_of(played.run.output))


def test_the_environment_is_that_of_the_ansible_task(played: Played) -> None:
    result = ended(played, "environment")
    assert outcomes(result) == ["error"]
    assert "nothing listens" in result["msg"]


def test_a_password_of_few_letters_is_not_cut_out_of_what_a_wait_goes_on_with(played: Played) -> None:
    assert outcomes(ended(played, "short secret")) == ["satisfied"]
    assert polls_of(played.cloud, "m-1234") >= 3


def test_a_rescue_knows_what_failed(played: Played) -> None:
    assert '<[{\\"provider\\": \\"mps\\", \\"task_id\\": \\"bad\\"}]>' in played.run.output


def test_it_works_ad_hoc(played: Played) -> None:
    assert played.ad_hoc.status == 0
    assert '"outcome": "satisfied"' in played.ad_hoc.output


def test_polls_in_vain_are_not_made(played: Played) -> None:
    assert polls_of(played.cloud, "x") == 0
