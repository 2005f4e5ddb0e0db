# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts of media tasks and file conversions, with the vendor's own SDKs as judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import AGENT, KEYS, call, refusal

pytestmark = clients.pytestmark

SOURCE = {"Type": "COS", "CosInputInfo": {"Bucket": "in-1250000000", "Region": "ap-beijing", "Object": "/in/film.mov"}}
TRANSCODE = {"TranscodeTaskSet": [{"Definition": 100010}]}
MEDIA: dict[str, Any] = {"InputInfo": SOURCE, "MediaProcessTask": TRANSCODE}
CONVERT: dict[str, Any] = {"Agent": AGENT, "ResourceType": "docx", "ResourceName": "plan.docx", "ResourceId": "yD1"}


def package(simulator: Any, name: str, method: str = "POST") -> tuple[Any, Any]:
    """The client and the models of one of the vendor's packages."""
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url, reqMethod=method))
    if name == "mps":
        from tencentcloud.mps.v20190612 import models, mps_client

        return mps_client.MpsClient(Credential(*KEYS), "", profile), models
    from tencentcloud.essbasic.v20210526 import essbasic_client
    from tencentcloud.essbasic.v20210526 import models as ess_models

    return essbasic_client.EssbasicClient(Credential(*KEYS), "", profile), ess_models


def run(simulator: Any, name: str, action: str, parameters: Mapping[str, Any], method: str = "POST") -> Any:
    """Call an action with the vendor's package for it: its answer is read by the vendor's own models."""
    client, models = package(simulator, name, method)
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps(parameters))
    return getattr(client, action)(request)


def start_media(simulator: Any, **more: Any) -> str:
    return str(call(simulator, "mps", "ProcessMedia", {**MEDIA, **more})["TaskId"])


def look_at_media(simulator: Any, task_id: str) -> Any:
    return call(simulator, "mps", "DescribeTaskDetail", {"TaskId": task_id})


def lives(provider: str, *words: str) -> dict[str, Any]:
    """A scenario in which each start of a provider has a life of its own."""
    return {"starts": [{"provider": provider, "times": 1, "life": [{"status": word}]} for word in words]}


@pytest.fixture(scope="module")
def quiet(start_cloud: Callable[..., Any]) -> Any:
    """One simulator for all that is refused."""
    return start_cloud()


# MPS


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_media_task_is_started_and_succeeds(start_simulator: Callable[..., Any], method: str) -> None:
    simulator = start_simulator()
    order = {**MEDIA, "OutputDir": "/out/", "SessionContext": "{}", "SessionId": "job", "TasksPriority": 3}
    task_id = run(simulator, "mps", "ProcessMedia", order, method).TaskId
    assert re.fullmatch(r"\d+-WorkflowTask-[0-9a-f]{32}tt1", task_id)
    looks = [run(simulator, "mps", "DescribeTaskDetail", {"TaskId": task_id}, method) for dummy in range(4)]
    assert [look.Status for look in looks] == ["WAITING", "PROCESSING", "FINISH", "FINISH"]
    end = looks[3]
    assert (end.SessionId, end.SessionContext, end.TasksPriority) == ("job", "{}", 3)
    assert end.WorkflowTask.ErrCode == 0
    assert end.WorkflowTask.InputInfo.CosInputInfo.Object == "/in/film.mov"
    output = end.WorkflowTask.MediaProcessResultSet[0].TranscodeTask.Output
    assert output.Path == "/out/film_transcode_100010.mp4"
    assert output.OutputStorage.CosOutputStorage.Bucket == "in-1250000000"
    entry = simulator.journal()[0]
    assert (entry["action"], entry["task_id"], entry["verdict"]) == ("ProcessMedia", task_id, "ok")


def test_media_results_are_what_was_asked_for(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(lives("mps", "succeeded", "partial", "failed"))
    sets = {
        "TranscodeTaskSet": [{"Definition": 1, "OutputObjectPath": "/there/{inputName}.{format}"}, {"Definition": 2}],
        "AnimatedGraphicTaskSet": [{"Definition": 3, "StartTimeOffset": 0, "EndTimeOffset": 1}],
        "SnapshotByTimeOffsetTaskSet": [{"Definition": 4}],
        "SampleSnapshotTaskSet": [{"Definition": 5}],
        "ImageSpriteTaskSet": [{"Definition": 6}],
        "AdaptiveDynamicStreamingTaskSet": [{"Definition": 7}],
    }
    storage = {"Type": "COS", "CosOutputStorage": {"Bucket": "out-1250000000"}}
    orders: list[dict[str, Any]] = [
        {"MediaProcessTask": sets, "OutputStorage": storage},
        {"MediaProcessTask": sets},
        {},
    ]
    ends = [look_at_media(simulator, start_media(simulator, **order))["WorkflowTask"] for order in orders]
    parts = [
        [value for result in end["MediaProcessResultSet"] for key, value in result.items() if key != "Type" and value]
        for end in ends
    ]
    assert [[part["Status"] for part in each] for each in parts] == [
        ["SUCCESS"] * 7,
        ["SUCCESS"] * 6 + ["FAIL"],
        ["FAIL"],
    ]
    outputs = [part["Output"] for part in parts[0]]
    assert [output["Path"] for output in outputs[:3]] == [
        "/there/film.mp4",
        "/in/film_transcode_2.mp4",
        "/in/film_animatedGraphics_3.gif",
    ]
    assert outputs[3]["PicInfoSet"][0]["Path"] == "/in/film_snapshotByTimeOffset_4.jpg"
    assert outputs[5]["ImagePathSet"] == ["/in/film_imageSprites_6.jpg"]
    assert outputs[0]["OutputStorage"]["CosOutputStorage"] == {"Bucket": "out-1250000000", "Region": "ap-beijing"}


def test_a_schedule_makes_a_schedule_task(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(lives("mps", "succeeded"))
    task_id = run(simulator, "mps", "ProcessMedia", {"InputInfo": SOURCE, "ScheduleId": 24}).TaskId
    end = run(simulator, "mps", "DescribeTaskDetail", {"TaskId": task_id})
    assert (end.TaskType, end.WorkflowTask) == ("ScheduleTask", None)
    activity = end.ScheduleTask.ActivityResultSet[0]
    assert (activity.ActivityType, activity.ActivityResItem.TranscodeTask.Status) == ("Transcode", "SUCCESS")


def test_a_session_id_starts_one_task(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    start_media(simulator, SessionId="x" * 50, SessionContext="y" * 1000)
    again = ("mps", "ProcessMedia", {**MEDIA, "SessionId": "x" * 50})
    assert refusal(simulator, *again) == "InvalidParameterValue.SessionId"
    start_media(simulator, SessionId="other")
    for dummy in range(2):
        start_media(simulator, SessionId="")
    assert (simulator.stats()["starts"], simulator.stats()["made"]) == ({"mps": 5}, {"mps": 4})
    simulator.control("reset")
    start_media(simulator, SessionId="x" * 50)


def test_one_of_many_with_one_session_id_is_started(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()

    def start(dummy: int) -> str:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

        try:
            return start_media(simulator, SessionId="job")
        except TencentCloudSDKException as refused:
            return str(refused.get_code())

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(start, range(16)))
    assert found.count("InvalidParameterValue.SessionId") == 15
    assert simulator.stats()["made"] == {"mps": 1}


URL = {"Type": "URL", "UrlInputInfo": {"Url": "https://example.com/films/a.mp4?x=y"}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"InputInfo": None}, "MissingParameter"),
        ({"InputInfo": "film"}, "InvalidParameter"),
        ({"InputInfo": {}}, "MissingParameter"),
        ({"InputInfo": {"Type": "FTP"}}, "InvalidParameterValue"),
        ({"InputInfo": {"Type": "COS"}}, "MissingParameter"),
        ({"InputInfo": {**SOURCE, "Type": "URL"}}, "MissingParameter"),
        ({"InputInfo": {"Type": "COS", "CosInputInfo": {"Bucket": "b", "Region": "r"}}}, "MissingParameter"),
        ({"InputInfo": URL}, "MissingParameter"),
        ({"MediaProcessTask": None}, "InvalidParameterValue"),
        ({"MediaProcessTask": {"PaintTaskSet": []}}, "UnknownParameter"),
        ({"MediaProcessTask": {"TranscodeTaskSet": {}}}, "InvalidParameter"),
        ({"MediaProcessTask": {"TranscodeTaskSet": [{}]}}, "MissingParameter"),
        ({"MediaProcessTask": {"TranscodeTaskSet": [{"Definition": "big"}]}}, "InvalidParameter"),
        ({"MediaProcessTask": {"AnimatedGraphicTaskSet": [{"Definition": 1}]}}, "MissingParameter"),
        ({"OutputDir": "out/"}, "InvalidParameterValue"),
        ({"OutputDir": 5}, "InvalidParameter"),
        ({"SessionId": "x" * 51}, "InvalidParameterValue.SessionIdTooLong"),
        ({"SessionContext": "x" * 1001}, "InvalidParameterValue.SessionContextTooLong"),
        ({"TaskType": "Later"}, "InvalidParameterValue"),
        ({"TasksPriority": 11}, "InvalidParameterValue"),
        ({"Priority": 1}, "UnknownParameter"),
    ],
)
def test_a_wrong_media_order_is_refused(quiet: Any, changes: dict[str, Any], code: str) -> None:
    order = {name: value for name, value in {**MEDIA, **changes}.items() if value is not None}
    assert refusal(quiet, "mps", "ProcessMedia", order) == code
    assert quiet.stats()["made"] == {}


def test_other_inputs_are_taken(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    bucket = {"S3Bucket": "b", "S3Region": "us-east-1", "S3Object": "a.mp4"}
    storage = {"Type": "COS", "CosOutputStorage": {"Bucket": "o", "Region": "r"}}
    for source in (URL, {"Type": "AWS-S3", "S3InputInfo": bucket}, {"Type": "VOD", "VODInputInfo": {"FileId": "9"}}):
        start_media(simulator, InputInfo=source, OutputStorage=storage)


# ESS


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("action", ["ChannelCreateConvertTaskApi", "CreateFileConvertTask"])
def test_a_conversion_is_started_and_succeeds(start_simulator: Callable[..., Any], action: str, method: str) -> None:
    simulator = start_simulator()
    task_ids = [run(simulator, "essbasic", action, CONVERT, method).TaskId for dummy in range(2)]
    assert len(set(task_ids)) == 2
    query = {"Agent": AGENT, "TaskId": task_ids[0]}
    looks = [run(simulator, "essbasic", "DescribeFileConvertTask", query, method) for dummy in range(4)]
    assert [look.TaskStatus for look in looks] == [0, 4, 8, 8]
    assert re.fullmatch(r"yD[0-9a-f]{30}", looks[2].ResourceId)
    assert looks[2].ResourceId == looks[3].ResourceId


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Agent": None}, "MissingParameter"),
        ({"Agent": {"AppId": "a"}}, "InvalidParameter.ParamError"),
        ({"ResourceType": None}, "MissingParameter"),
        ({"ResourceType": "pdf"}, "InvalidParameter.ParamError"),
        ({"ResourceName": None}, "MissingParameter"),
        ({"ResourceName": "n" * 257}, "InvalidParameter.ParamError"),
        ({"ResourceId": None}, "MissingParameter"),
        ({"ResourceId": ""}, "InvalidParameter"),
        ({"Operator": {}}, "UnknownParameter"),
    ],
)
def test_a_wrong_conversion_is_refused(quiet: Any, changes: dict[str, Any], code: str) -> None:
    order = {name: value for name, value in {**CONVERT, **changes}.items() if value is not None}
    assert refusal(quiet, "essbasic", "CreateFileConvertTask", order) == code
    assert quiet.stats()["made"] == {}


def test_a_retired_start_is_refused_and_the_other_one_is_not(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"retired_actions": ["ChannelCreateConvertTaskApi", "ChannelGetTaskResultApi"]})
    assert refusal(simulator, "essbasic", "ChannelCreateConvertTaskApi", CONVERT) == "ActionOffline"
    assert call(simulator, "essbasic", "CreateFileConvertTask", {**CONVERT, "ResourceName": "n" * 256})["TaskId"]
    assert simulator.stats()["made"] == {"ess": 1}


# All


def test_wrong_keys_start_nothing(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    wrong = ("POST", (KEYS[0], "wrong"))
    for product, action, parameters in (
        ("mps", "ProcessMedia", MEDIA),
        ("mps", "DescribeTasks", {"Status": "WAITING"}),
        ("mps", "ManageTask", {"OperationType": "Abort", "TaskId": "x"}),
        ("essbasic", "CreateFileConvertTask", CONVERT),
        ("essbasic", "UploadFiles", {"Agent": AGENT}),
    ):
        assert refusal(simulator, product, action, parameters, *wrong) == "AuthFailure.SignatureFailure"
    assert (simulator.stats()["starts"], simulator.stats()["made"]) == ({"mps": 1, "ess": 1}, {})
