# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter callback_refs: bodies as the vendors send them, and bodies that nobody should send."""

from __future__ import annotations

import inspect
import json
import pathlib
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.cloudwait.conversion.plugins.filter.callback_refs import FilterModule, callback_refs

DOCUMENTATION = pathlib.Path(__file__).resolve().parents[4] / "plugins" / "filter" / "callback_refs.yml"
FILM = "2600000001-WorkflowTask-0123456789abcdef0123456789abcdeftt1"
MPS = {
    "EventType": "WorkflowTask",
    "WorkflowTaskEvent": {"TaskId": FILM, "Status": "FINISH", "ErrCode": 0, "MediaProcessResultSet": []},
    "EditMediaTaskEvent": None,
    "ScheduleTaskEvent": None,
    "SessionId": "s1",
    "Timestamp": 1700000600,
    "Sign": "b023a7550fc94076b576a6afccc3c4be",
}
LIVE = {"NotificationType": "ProcessEof", "TaskId": "2600000001-procedure-live-1", "ProcessEofInfo": {"ErrCode": 0}}
JOB = {
    "JobId": "d1",
    "Tag": "DocProcess",
    "State": "Success",
    "CreationTime": "2026-01-02T03:04:05+08:00",
    "Input": {"Object": "in/plan.docx"},
    "Operation": {"Output": {"Bucket": "examplepages-1250000000", "Region": "ap-beijing"}},
}
WITH_INPUT = {"BucketId": "examplebucket-1250000000", "Region": "ap-shanghai", "Object": "in/plan.docx"}
XML = """<?xml version="1.0" encoding="utf-8"?>
<Response><EventName>TaskFinish</EventName><JobsDetail><Code>Success</Code><JobId>d1</JobId><Tag>DocProcess</Tag>
<State>Success</State><Input><BucketId>examplebucket-1250000000</BucketId><Object>in/plan.docx</Object>
<Region>ap-shanghai</Region></Input></JobsDetail></Response>"""
COS_REF = {"provider": "cos_doc", "task_id": "d1", "bucket": "examplebucket-1250000000", "region": "ap-shanghai"}
PLACE = {"bucket": "examplebucket-1250000000", "region": "ap-shanghai"}


def job(**changes: t.Any) -> dict[str, t.Any]:
    return {"EventName": "TaskFinish", "JobsDetail": {**JOB, **changes}}


@pytest.mark.parametrize(
    ("body", "refs"),
    [
        (MPS, [{"provider": "mps", "task_id": FILM}]),
        (json.dumps(MPS), [{"provider": "mps", "task_id": FILM}]),
        ("\ufeff" + json.dumps(MPS), [{"provider": "mps", "task_id": FILM}]),
        ({"Response": {**MPS, "RequestId": "r1"}}, [{"provider": "mps", "task_id": FILM}]),
        ({"ExtractBlindWatermarkTask": {"TaskId": "w1"}}, [{"provider": "mps", "task_id": "w1"}]),
        (LIVE, [{"provider": "mps", "task_id": LIVE["TaskId"]}]),
        ({"EventType": "BatchTask", "BatchTaskEvent": {"TaskId": "b1"}}, []),
        (XML, [COS_REF]),
        (job(Input=WITH_INPUT), [COS_REF]),
        (job(), [{**COS_REF, "bucket": "examplepages-1250000000", "region": "ap-beijing"}]),
        ({"Response": job(Input=WITH_INPUT)}, [COS_REF]),
        (job(Input=WITH_INPUT, Tag="Transcode"), [{**COS_REF, "provider": "cos_media"}]),
        ({"JobsDetail": [{**JOB, "Input": WITH_INPUT}] * 2}, [COS_REF]),
        ({}, []),
        ({"hello": "world"}, []),
    ],
)
def test_the_refs_of_a_callback(body: t.Any, refs: list[t.Any]) -> None:
    assert callback_refs(body) == refs


def test_a_place_that_is_given_takes_precedence_over_the_callback() -> None:
    assert callback_refs(job(), "cos_doc", **PLACE) == [COS_REF]
    assert callback_refs(MPS, "mps", site="intl") == [{"provider": "mps", "task_id": FILM, "site": "intl"}]


def test_a_callback_of_another_service_names_nothing() -> None:
    assert callback_refs(job(Input=WITH_INPUT), "cos_media") == []
    assert callback_refs(MPS, "ess") == []


@pytest.mark.parametrize(
    "body",
    [
        {"WorkflowTaskEvent": {"TaskId": odd}, "JobsDetail": [{"JobId": odd, "Tag": odd, "Input": odd}, odd]}
        for odd in (None, 5, 5.5, True, [], {}, ["x"], {"a": "x"}, "", " ", ".", "..", "a\nb", "\ud800", "x" * 301)
    ]
    + [{"WorkflowTaskEvent": [MPS]}, {"Response": [MPS]}, {5: MPS}],
)
def test_a_forged_member_is_no_cloud_task(body: t.Any) -> None:
    assert callback_refs(body) == []


ENTITY = '<!DOCTYPE r [<!ENTITY e "d1">]><Response><JobsDetail><JobId>&e;</JobId></JobsDetail></Response>'


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (None, "is of the type NoneType, and neither text nor a dict"),
        (5, "is of the type int"),
        ([MPS], "is of the type list"),
        ("", "is empty"),
        ("  ", "is empty"),
        ("hello", "is no object in JSON or XML"),
        ("[]", "is no object in JSON or XML"),
        ("[" * 1_000_000, "is no object in JSON or XML"),
        ('{"a":' * 400_000, "is no object in JSON or XML"),
        ("<a>" * 500_000, "is no object in JSON or XML"),
        ("<a>" * 200_000 + "</a>" * 200_000, "is no object in JSON or XML"),
        (b"\xff\xfe\x00", "is no object in JSON or XML"),
        ('<?xml version="1.0" encoding="klingon"?><a/>', "is no object in JSON or XML"),
        (ENTITY, "is no object in JSON or XML"),
        (ENTITY.encode("utf-16"), "is no object in JSON or XML"),
        ("<Response><JobsDetail></Response>", "is no object in JSON or XML"),
        ("x" * (10 * 1024 * 1024), "has 10485760 bytes or characters, and at most 2097152 are read"),
    ],
    ids=range(17),
)
def test_a_body_that_cannot_be_read_is_refused_in_one_sentence(body: t.Any, said: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        callback_refs(body)
    message = str(caught.value)
    assert message.startswith("Reading the callback failed: the callback")
    assert said in message
    assert message.count("\n") == 0


def test_a_job_without_a_place_needs_one() -> None:
    body = {"JobsDetail": {"JobId": "d1", "Tag": "DocProcess"}}
    with pytest.raises(AnsibleFilterError, match="bucket is missing"):
        callback_refs(body)
    assert callback_refs(body, **PLACE) == [COS_REF]


def test_a_bucket_of_a_forged_callback_never_becomes_a_host() -> None:
    with pytest.raises(AnsibleFilterError, match="which is not of the form name-appid"):
        callback_refs(job(Input={"BucketId": "evil.example.com/", "Region": "ap-beijing"}))


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(AnsibleFilterError, match='provider is "vod", which is not known'):
        callback_refs(MPS, "vod")


def test_the_documentation_names_the_arguments() -> None:
    documentation = yaml.safe_load(DOCUMENTATION.read_text(encoding="utf-8"))["DOCUMENTATION"]
    named = list(inspect.signature(callback_refs).parameters)
    assert list(documentation["options"]) == ["_input", *named[1:]]
    assert FilterModule().filters() == {documentation["name"]: callback_refs}
