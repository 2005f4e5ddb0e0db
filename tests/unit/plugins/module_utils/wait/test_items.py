# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.task_options import TASK_OPTIONS
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.items import (
    ItemError,
    make_plan,
    options_of,
    plan_one,
)

AGENT = {"app_id": "app", "proxy_organization_open_id": "org", "proxy_operator": {"open_id": "me"}}
BUCKET = {"bucket": "examplebucket-1250000000", "region": "ap-beijing"}
MPS = {"provider": "mps", "task_id": "m1"}


def plan(
    *items: t.Any, check_mode: bool = False, environ: t.Mapping[str, str] | None = None, **options: t.Any
) -> list[dict[str, t.Any]]:
    return [{**item} for item in make_plan({"tasks": list(items), **options}, environ or {}, check_mode=check_mode)]


def record(status: str, ref: t.Mapping[str, t.Any] | None = None) -> dict[str, t.Any]:
    return make_record(ref or MPS, status, status)


@pytest.mark.parametrize(
    ("item", "options", "ref"),
    [
        ("m1", {"provider": "mps"}, MPS),
        (12345678, {"provider": "dingtalk_doc"}, {"provider": "dingtalk_doc", "task_id": "12345678"}),
        (MPS, {}, MPS),
        ({"task_id": "m1"}, {"provider": "mps", "site": "intl"}, {**MPS, "site": "intl"}),
        ({**MPS, "site": "china"}, {"site": "intl"}, {**MPS, "site": "china"}),
        (
            {"provider": "cos_doc", "task_id": "d1"},
            BUCKET,
            {"provider": "cos_doc", "task_id": "d1", **BUCKET},
        ),
        (MPS, BUCKET, MPS),
        (
            {"provider": "ess", "task_id": "e1", "agent": AGENT},
            {"site": "intl"},
            {"provider": "ess", "task_id": "e1", "agent": AGENT},
        ),
        ({"changed": False, "item": "x", "task": record("running")}, {}, MPS),
        (record("running"), {}, MPS),
        (MPS, {"profile": "night"}, {**MPS, "profile": "night"}),
        (MPS, {"profile": "night", "secret_id": "AKID"}, MPS),
        ({**MPS, "profile": "other"}, {"profile": "night", "secret_id": "AKID"}, {**MPS, "profile": "other"}),
    ],
)
def test_every_form_of_an_item_becomes_a_ref(item: t.Any, options: dict[str, t.Any], ref: dict[str, t.Any]) -> None:
    assert [each["ref"] for each in plan(item, **options)] == [ref]


def test_the_options_alone_describe_one_cloud_task() -> None:
    assert make_plan({"tasks": None, **MPS}, {}, check_mode=False) == [{"ref": MPS}]


def test_the_region_of_the_environment_is_the_last_default() -> None:
    item = {"provider": "cos_doc", "task_id": "d1", "bucket": BUCKET["bucket"]}
    assert plan(item, environ={"TENCENTCLOUD_REGION": "ap-beijing"})[0]["ref"]["region"] == "ap-beijing"


def test_the_action_goes_with_the_item_and_not_into_the_ref() -> None:
    item = {"provider": "ess", "task_id": "e1", "agent": AGENT, "api_action": "DescribeFileConvertTask"}
    assert plan(item)[0]["options"]["api_action"] == "DescribeFileConvertTask"
    assert "api_action" not in plan(item)[0]["ref"]


def test_a_record_that_is_done_needs_no_look() -> None:
    planned = plan({"task": record("partial")})[0]
    assert planned["record"]["status"] == "partial"


def test_a_record_is_taken_as_far_as_it_is_one() -> None:
    sparse = {"ref": MPS, "status": "failed", "done": False, "outcome": "x", "secret_key": "EXAMPLE-FAKE", "task_id": 7}
    taken = plan({"task": {**sparse, "outputs": [{"value": "o", "password": "EXAMPLE-FAKE"}]}})[0]["record"]
    assert taken == {
        **make_record(MPS, "failed", None),
        "outputs": [{"value": "o", "password": "********"}],
    }
    assert taken["done"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("error", "boom"), ("parts", ["x"]), ("outputs", {}), ("progress", "9"), ("progress", True), ("counts", [1])],
)
def test_what_no_record_holds_is_refused(name: str, value: t.Any) -> None:
    with pytest.raises(ItemError, match=rf"tasks\[0\]: {name} has the wrong type"):
        plan({"task": {**record("succeeded"), name: value}})


def test_a_record_that_goes_on_is_looked_at() -> None:
    assert "record" not in plan({"task": record("running")})[0]


def test_a_done_record_may_lack_an_id() -> None:
    planned = plan({"task": record("succeeded", {"provider": "dingtalk_doc", "task_id": None})})[0]
    assert planned["ref"] == {"provider": "dingtalk_doc", "task_id": None}
    assert not planned.get("unstarted")


def test_check_mode_takes_a_start_that_was_not_done() -> None:
    item = {"task": record("unknown", {"provider": "mps", "task_id": None})}
    assert plan(item, check_mode=True)[0]["unstarted"]
    with pytest.raises(CloudError, match=r"for tasks\[0\], task_id is empty"):
        plan(item)


def test_the_same_cloud_task_twice_is_one() -> None:
    planned = plan(MPS, {"task_id": "m2"}, {"task": record("running")}, provider="mps")
    assert [item.get("twin_of") for item in planned] == [None, None, 0]


@pytest.mark.parametrize(
    ("item", "said"),
    [
        (None, "tasks[0] is null, which is neither a task id nor a dict"),
        (True, "tasks[0] is true, which is neither a task id nor a dict"),
        (["m1"], 'tasks[0] is ["m1"], which is neither a task id nor a dict'),
        ("m1", "tasks[0] has no provider"),
        ({"provider": "mpz", "task_id": "m1"}, 'tasks[0] has the provider "mpz", which is not known'),
        ({"provider": "mps"}, "for tasks[0], task_id is empty"),
        ({"provider": "mps", "task_id": " "}, "for tasks[0], task_id is empty"),
        ({**MPS, "tsak": 1}, "tasks[0] has the key tsak"),
        ({**MPS, "endpoint": "https://example.com"}, "tasks[0] has the key endpoint"),
        ({**MPS, "bucket": "b"}, "tasks[0] gives bucket, which mps does not have"),
        ({**MPS, "agent": AGENT}, "tasks[0] gives agent, which mps does not have"),
        ({**MPS, "api_action": "auto"}, "tasks[0] gives api_action, which mps does not have"),
        (
            {"provider": "ess", "task_id": "e", "agent": AGENT, "site": "china"},
            "tasks[0] gives site, which ess does not",
        ),
        ({**MPS, "site": "mars"}, 'for tasks[0], site is "mars", which is no site'),
        ({"skipped": True, "changed": False}, "tasks[0] is the result of an Ansible task that was skipped"),
        ({"failed": True, "msg": "x"}, "tasks[0] is the result of an Ansible task that failed"),
        ({"failed": True, "msg": "x", "tasks": []}, "tasks[0] is the result of an Ansible task that failed"),
        ({"failed": False, "ansible_job_id": "1.2"}, "tasks[0] is the result of an Ansible task in the background"),
        ({"failed": False, "stdout": "m1"}, "tasks[0] has the key failed, stdout"),
        (
            {"results": [{"failed": True, "msg": "x"}]},
            "tasks[0].results[0] is the result of an Ansible task that failed",
        ),
        ({**MPS, "name": " "}, "tasks[0] has an empty name"),
        ({**MPS, "name": ["x"]}, "tasks[0]: name has the wrong type"),
        ({"task": {"status": "running"}}, "tasks[0] holds a task that is no record of this collection"),
        (
            {"task": {**record("running"), "ref": {**MPS, "secret_key": "x"}}},
            "tasks[0] has a ref with the key secret_key",
        ),
    ],
)
def test_an_item_that_makes_no_sense_is_refused_by_name(item: t.Any, said: str) -> None:
    with pytest.raises(ItemError) as caught:
        plan(item)
    assert caught.value.kind == "config"
    assert caught.value.said.startswith(said)


SECOND = {"provider": "mps", "task_id": "m2"}


@pytest.mark.parametrize(
    "several",
    [
        {"tasks": [record("running"), record("succeeded", SECOND)], "outcome": "failed", "failed": True},
        {"refs": [MPS, SECOND], "tasks": [record("succeeded", SECOND)], "entries": [], "truncated": False},
        {"results": [{"task": record("running"), "item": 1}, {"task": record("succeeded", SECOND)}], "changed": False},
        {
            "results": [
                {"tasks": [record("running")]},
                {"tasks": [record("succeeded", SECOND)], "task": record("succeeded", SECOND)},
            ]
        },
    ],
    ids=["a wait", "a list", "a loop", "a loop of waits"],
)
def test_a_result_that_holds_several_stands_for_all_of_them(several: dict[str, t.Any]) -> None:
    planned = plan(several, "m3", provider="mps")
    assert [item["ref"]["task_id"] for item in planned] == ["m1", "m2", "m3"]
    assert ["record" in item for item in planned] == [False, True, False]


def test_a_name_is_kept_beside_the_ref() -> None:
    planned = plan({**MPS, "name": "The\nfilm"}, {"name": 7, "task": record("running", SECOND)})
    assert planned == [{"ref": MPS, "name": "The film"}, {"ref": SECOND, "name": "7"}]


def test_a_name_of_an_earlier_wait_goes_on() -> None:
    (planned,) = plan({"tasks": [{**record("running"), "name": "The film"}], "outcome": "timed_out"})
    assert planned == {"ref": MPS, "name": "The film"}


@pytest.mark.parametrize("given", ["m1 ", {"task_id": " m1\n"}, {"task": record("running", {**MPS, "task_id": "m1 "})}])
def test_blanks_around_an_id_are_no_part_of_it(given: t.Any) -> None:
    assert plan(given, provider="mps")[0]["ref"] == MPS


def test_a_secret_in_an_item_is_refused_and_hidden() -> None:
    with pytest.raises(ItemError) as caught:
        plan({**MPS, "secret_key": "EXAMPLE-FAKE-SECRET-KEY"})
    assert "secret_key" in caught.value.said
    assert "EXAMPLE-FAKE-SECRET-KEY" not in caught.value.sentence("x")
    assert caught.value.hidden == ["EXAMPLE-FAKE-SECRET-KEY"]


def test_tasks_and_task_id_exclude_each_other() -> None:
    with pytest.raises(CloudError, match="both tasks and task_id are given"):
        plan(MPS, task_id="m2")


def test_an_empty_list_is_an_empty_plan() -> None:
    assert plan() == []


# The one cloud task of task_info


def one(**given: t.Any) -> dict[str, t.Any]:
    options = {**dict.fromkeys((*TASK_OPTIONS, "ref", "secret_id", "secret_key", "token", "cvm_role")), **given}
    return {**plan_one(options, {})}


def test_options_describe_the_one_cloud_task() -> None:
    assert one(**MPS, site="intl") == {"ref": {**MPS, "site": "intl"}}


@pytest.mark.parametrize(
    "ref",
    [
        MPS,
        {**MPS, "name": "The film"},
        record("running"),
        {"task": record("running"), "response": {}, "changed": False},
        {"tasks": [record("running")], "outcome": "timed_out", "failed": True},
        {"results": [{"task": record("running"), "item": 1}], "changed": False},
    ],
    ids=["a ref", "a named ref", "a record", "a poll", "a wait", "a loop"],
)
def test_the_one_cloud_task_can_be_any_form_of_an_item(ref: t.Any) -> None:
    assert one(ref=ref)["ref"] == MPS


def test_a_record_that_has_ended_names_the_one_cloud_task() -> None:
    assert one(ref={"task": record("succeeded")})["ref"] == MPS


def test_options_complete_a_ref_and_do_not_change_it() -> None:
    ref = {"provider": "cos_doc", "task_id": "d1", "bucket": BUCKET["bucket"]}
    assert one(ref=ref, bucket="other-1250000000", region="ap-beijing", agent=AGENT)["ref"] == {**ref, **BUCKET}


def test_the_profile_of_a_ref_comes_before_the_keys_of_the_options() -> None:
    keys = {"secret_id": "AKID", "secret_key": "EXAMPLE-FAKE", "token": None, "cvm_role": None}
    item = plan_one({**dict.fromkeys(TASK_OPTIONS), "ref": {**MPS, "profile": "night"}, **keys}, {})
    options = options_of(item, {**keys, "profile": None})
    assert options["profile"] == "night"
    assert [options[name] for name in keys] == [None] * 4


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "the cloud task has no provider; give provider as one of"),
        ({"task_id": "m1"}, "the cloud task has no provider; give provider as one of"),
        ({"provider": "mpz", "task_id": "m1"}, 'the cloud task has the provider "mpz", which is not known'),
        ({"provider": "mps"}, "for the cloud task, task_id is empty; give the id that the start call returned"),
        ({"ref": MPS, "task_id": "m1"}, "both ref and task_id are given; give ref alone, or provider and task_id"),
        ({"ref": MPS, "provider": "mps"}, "both ref and provider are given; give ref alone, or provider and task_id"),
        ({"ref": {}}, "ref has no provider; give provider as one of"),
        ({"ref": {"provider": "mps"}}, "ref has no task_id; give the ref of a cloud task that was started"),
        ({"ref": {"task": record("unknown", {**MPS, "task_id": None})}}, "ref has no task_id; give the ref of"),
        ({"ref": {"task": record("succeeded", {**MPS, "task_id": None})}}, "ref has no task_id; give the ref of"),
        ({"ref": {"tasks": [], "outcome": "satisfied"}}, "ref holds no cloud task; give the ref or the result of one"),
        ({"ref": {"refs": [MPS, SECOND]}}, "ref holds 2 cloud tasks; give one of them, or wait for all of them with"),
        ({"ref": {**MPS, "tsak": 1}}, "ref has the key tsak; ref may have provider, task_id, "),
        ({"ref": {**MPS, "bucket": "b"}}, "ref gives bucket, which mps does not have; leave it out"),
        ({"ref": {"failed": True, "msg": "x"}}, "ref is the result of an Ansible task that failed, so it holds no"),
        ({"ref": {"results": [{"skipped": True}]}}, "ref.results[0] is the result of an Ansible task that was skipped"),
    ],
)
def test_what_is_not_one_cloud_task_is_refused(given: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(CloudError) as caught:
        one(**given)
    assert caught.value.kind == "config"
    assert caught.value.sentence("x").startswith(f"x failed: {sentence}")


def test_a_secret_in_a_ref_is_refused_and_hidden() -> None:
    with pytest.raises(ItemError) as caught:
        one(ref={**MPS, "secret_key": "EXAMPLE-FAKE-SECRET-KEY"})
    sentence = caught.value.sentence("x")
    assert sentence.startswith("x failed: ref has the key secret_key; ref may have ")
    assert sentence.endswith("credentials and endpoint are options of the module.")
    assert caught.value.hidden == ["EXAMPLE-FAKE-SECRET-KEY"]
