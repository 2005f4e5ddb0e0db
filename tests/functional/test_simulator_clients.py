# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What proves the simulator honest: the vendors' own SDKs talk to it, and are refused where the vendor refuses them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

# The SDKs neither close their connections nor keep their docstrings free of stray backslashes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::SyntaxWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

KEYS = ("AKIDEXAMPLE-FAKE-ID", "EXAMPLE-FAKE-SECRET-KEY")
TEMPORARY = {"secret_id": "AKIDTEMPORARY", "secret_key": "temporary-key", "token": "EXAMPLE-FAKE-STS-TOKEN"}
AGENT = {"AppId": "app", "ProxyOrganizationOpenId": "org", "ProxyOperator": {"OpenId": "n9527"}}
SEEDS = Path(__file__).resolve().parents[2] / "extensions" / "simulator" / "scenarios" / "seeds.json"
TASKS = [
    {"provider": "mps", "task_id": "m1", "life": [{"status": "running", "progress": 40}]},
    {"provider": "ess", "task_id": "任务 1", "life": [{"status": "succeeded", "outputs": ["yDresource"]}]},
    {"provider": "cos_doc", "task_id": "d,1 x", "life": [{"status": "succeeded", "outputs": ["a.png", "b & c.png"]}]},
]


def call(
    simulator: Any, product: str, action: str, parameters: Mapping[str, Any], method: str = "POST", keys: Any = KEYS
) -> Any:
    """Call an action with the SDK of API 3.0, its requests going through the simulator as a proxy."""
    from tencentcloud.common.common_client import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url, reqMethod=method))
    version = {"mps": "2019-06-12", "essbasic": "2021-05-26"}[product]
    client = CommonClient(product, version, Credential(*keys), "ap-guangzhou", profile)
    return client.call_json(action, parameters)["Response"]


def refusal(simulator: Any, *arguments: Any, **options: Any) -> str:
    """The vendor's error code that the SDK reports."""
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

    with pytest.raises(TencentCloudSDKException) as caught:
        call(simulator, *arguments, **options)
    return str(caught.value.get_code())


def cos_client(simulator: Any, keys: tuple[str, str] = KEYS, token: str | None = None, *, direct: bool = False) -> Any:
    from qcloud_cos import CosConfig, CosS3Client

    where = {"Domain": f"127.0.0.1:{simulator.port}"} if direct else {"Proxies": {"http": simulator.url}}
    config = CosConfig(
        Region="ap-beijing", SecretId=keys[0], SecretKey=keys[1], Token=token, Scheme="http", KeepAlive=False, **where
    )
    return CosS3Client(config, retry=0)


def cos_look(client: Any, task_id: str = "d,1 x", bucket: str = "examplebucket-1250000000") -> Any:
    return client.ci_get_doc_job(Bucket=bucket, JobID=task_id)


def cos_refusal(client: Any) -> tuple[str, int]:
    from qcloud_cos import CosServiceError

    with pytest.raises(CosServiceError) as caught:
        cos_look(client)
    return caught.value.get_error_code(), caught.value.get_status_code()


# Accepted


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_mps_package_is_served(start_simulator: Callable[..., Any], method: str) -> None:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.mps.v20190612 import models, mps_client

    simulator = start_simulator({"tasks": TASKS})
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url, reqMethod=method))
    request = models.DescribeTaskDetailRequest()
    request.TaskId = "m1"
    answer = mps_client.MpsClient(Credential(*KEYS), "", profile).DescribeTaskDetail(request)
    assert answer.Status == "PROCESSING"
    assert answer.WorkflowTask.MediaProcessResultSet[0].TranscodeTask.Progress == 40


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("action", ["ChannelGetTaskResultApi", "DescribeFileConvertTask"])
def test_the_ess_package_is_served(start_simulator: Callable[..., Any], action: str, method: str) -> None:
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.essbasic.v20210526 import essbasic_client, models

    simulator = start_simulator({"tasks": TASKS})
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url, reqMethod=method))
    request = getattr(models, f"{action}Request")()
    request.from_json_string(json.dumps({"Agent": AGENT, "TaskId": "任务 1"}))
    answer = getattr(essbasic_client.EssbasicClient(Credential(*KEYS), "", profile), action)(request)
    assert (answer.TaskStatus, answer.ResourceId) == (8, "yDresource")


@pytest.mark.parametrize("direct", [False, True], ids=["as a proxy", "as a domain"])
def test_the_cos_package_is_served(start_simulator: Callable[..., Any], direct: bool) -> None:
    simulator = start_simulator({"tasks": TASKS})
    job = cos_look(cos_client(simulator, direct=direct))["JobsDetail"][0]
    assert (job["State"], job["JobId"]) == ("Success", "d,1 x")
    assert [page["TgtUri"] for page in job["Operation"]["DocProcessResult"]["PageInfo"]] == ["a.png", "b & c.png"]


def test_the_cos_package_polls_media_jobs(start_simulator: Callable[..., Any]) -> None:
    life = [{"status": "partial", "outputs": ["out/film.mp4"]}]
    simulator = start_simulator({"tasks": [{"provider": "cos_media", "task_id": "j1", "life": life}]})
    answer = cos_client(simulator).ci_get_media_jobs(Bucket="examplebucket-1250000000", JobIDs="j1")
    (job,) = answer["JobsDetail"]
    assert (job["JobId"], job["State"], job["Tag"]) == ("j1", "Success", "Transcode")
    assert job["Operation"]["MediaResult"]["OutputFile"]["ObjectName"] == "out/film.mp4"
    assert job["Operation"]["MediaResult"]["ErrorCount"] == "1"


def test_the_packages_read_the_vendors_published_answers(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(SEEDS)
    task_id = "235303-WorkflowTask-80108cc3380155d98b2e3573a48a"
    assert call(simulator, "mps", "DescribeTaskDetail", {"TaskId": task_id})["Status"] == "FINISH"
    parameters = {"Agent": AGENT, "TaskId": "yDRS4UUgygqdcj56UuO4zjExBQcOiB68"}
    assert call(simulator, "essbasic", "DescribeFileConvertTask", parameters)["TaskStatus"] == 8
    client = cos_client(simulator)
    document = cos_look(client, "d13cfd584cd9011ea820b597ad1785a2f")["JobsDetail"][0]
    spreadsheet = cos_look(client, "spreadsheet")["JobsDetail"][0]
    assert document["Operation"]["DocProcessResult"]["PageInfo"]["TgtUri"] == "big/test-1"
    assert len(spreadsheet["Operation"]["DocProcessResult"]["PageInfo"]) == 2


# Refused


def test_api_3_refuses_wrong_keys(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"tasks": TASKS})
    look = ("mps", "DescribeTaskDetail", {"TaskId": "m1"})
    for method in ("POST", "GET"):
        assert refusal(simulator, *look, method, (KEYS[0], "wrong")) == "AuthFailure.SignatureFailure"
        assert refusal(simulator, *look, method, ("AKIDUNKNOWN", KEYS[1])) == "AuthFailure.SecretIdNotFound"
        assert refusal(simulator, *look, method, (*KEYS, "a token too many")) == "AuthFailure.TokenFailure"
    assert [entry["verdict"] for entry in simulator.journal()][:1] == ["AuthFailure.SignatureFailure"]


def test_api_3_wants_the_token_of_temporary_keys(start_simulator: Callable[..., Any]) -> None:
    ended = {**TEMPORARY, "secret_id": "AKIDENDED", "expires_in": 0}
    simulator = start_simulator({"credentials": {"tencent": [TEMPORARY, ended]}, "tasks": TASKS})
    look = ("mps", "DescribeTaskDetail", {"TaskId": "m1"}, "POST")
    keys = (TEMPORARY["secret_id"], TEMPORARY["secret_key"])
    assert call(simulator, *look, (*keys, TEMPORARY["token"]))["Status"] == "PROCESSING"
    assert refusal(simulator, *look, keys) == "AuthFailure.TokenFailure"
    assert refusal(simulator, *look, (*keys, "wrong")) == "AuthFailure.TokenFailure"
    assert refusal(simulator, *look, ("AKIDENDED", keys[1], TEMPORARY["token"])) == "AuthFailure.TokenFailure"


@pytest.mark.parametrize("offset", [400, -400])
def test_api_3_refuses_a_clock_that_is_off(start_simulator: Callable[..., Any], offset: int) -> None:
    simulator = start_simulator({"tasks": TASKS, "clock_offset": offset})
    look = ("mps", "DescribeTaskDetail", {"TaskId": "m1"})
    assert refusal(simulator, *look) == "AuthFailure.SignatureExpire"
    simulator.control("clock", {"offset": offset / 2})
    assert call(simulator, *look)["Status"] == "PROCESSING"


@pytest.mark.parametrize(
    ("action", "parameters", "code"),
    [
        ("DescribeFileConvertTask", {"TaskId": "x"}, "MissingParameter"),
        ("DescribeFileConvertTask", {"Agent": AGENT}, "MissingParameter"),
        ("DescribeFileConvertTask", {"Agent": {**AGENT, "AppId": ""}, "TaskId": "x"}, "MissingParameter"),
        ("DescribeFileConvertTask", {"Agent": {"AppId": "a"}, "TaskId": "x"}, "InvalidParameter.ParamError"),
        (
            "DescribeFileConvertTask",
            {"Agent": {**AGENT, "ProxyOperator": {}}, "TaskId": "x"},
            "InvalidParameter.ParamError",
        ),
        ("DescribeFileConvertTask", {"Agent": AGENT, "TaskId": 5}, "InvalidParameter"),
        ("DescribeFileConvertTask", {"Agent": AGENT, "TaskId": "x", "Region": "y"}, "UnknownParameter"),
        ("DescribeFileConvertTask", {"Agent": AGENT, "TaskId": "nobody knows it"}, "ResourceNotFound"),
        ("DescribeTaskDetail", {"TaskId": "m1"}, "InvalidAction"),
        ("ChannelGetTaskResultApi", {"Agent": AGENT, "TaskId": "x"}, "UnsupportedOperation"),
    ],
)
def test_ess_refuses_what_the_vendor_refuses(
    start_simulator: Callable[..., Any], action: str, parameters: dict[str, Any], code: str
) -> None:
    simulator = start_simulator({"retired_actions": {"ChannelGetTaskResultApi": "UnsupportedOperation"}})
    assert refusal(simulator, "essbasic", action, parameters) == code


def test_mps_does_not_know_the_task(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    assert refusal(simulator, "mps", "DescribeTaskDetail", {"TaskId": "x"}) == "ResourceNotFound.TaskNotFound"


def test_cos_refuses_wrong_keys(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"tasks": TASKS})
    assert cos_refusal(cos_client(simulator, (KEYS[0], "wrong"))) == ("SignatureDoesNotMatch", 403)
    assert cos_refusal(cos_client(simulator, ("AKIDUNKNOWN", KEYS[1]))) == ("InvalidAccessKeyId", 403)
    assert cos_refusal(cos_client(simulator, KEYS, "a token too many")) == ("AccessDenied", 403)
    unsigned = simulator.request("GET", "/doc_jobs/d")
    assert unsigned.status == 403
    assert b"<Code>AccessDenied</Code>" in unsigned.body
    assert unsigned.headers["x-ci-request-id"]


def test_cos_wants_the_token_of_temporary_keys(start_simulator: Callable[..., Any]) -> None:
    ended = {**TEMPORARY, "secret_id": "AKIDENDED", "expires_in": 0}
    simulator = start_simulator({"credentials": {"tencent": [TEMPORARY, ended]}, "tasks": TASKS})
    keys = (TEMPORARY["secret_id"], TEMPORARY["secret_key"])
    assert cos_look(cos_client(simulator, keys, TEMPORARY["token"]))["JobsDetail"]
    assert cos_refusal(cos_client(simulator, keys)) == ("InvalidAccessKeyId", 403)
    assert cos_refusal(cos_client(simulator, keys, "wrong")) == ("AccessDenied", 403)
    assert cos_refusal(cos_client(simulator, ("AKIDENDED", keys[1]), TEMPORARY["token"])) == ("ExpiredToken", 400)


def test_cos_refuses_a_clock_that_is_off(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"tasks": TASKS, "clock_offset": 20_000})
    client = cos_client(simulator)
    assert cos_refusal(client) == ("Request has expired", 403)
    simulator.control("clock", {"offset": -2000})
    assert cos_refusal(client) == ("RequestTimeTooSkewed", 403)
    simulator.control("clock", {"offset": -300})
    assert cos_look(client)["JobsDetail"]


def test_cos_names_jobs_that_do_not_exist(start_simulator: Callable[..., Any]) -> None:
    elsewhere = {**TASKS[2], "task_id": "d2", "bucket": "another-1250000000"}
    client = cos_client(start_simulator({"tasks": [elsewhere]}))
    assert cos_look(client, "d9") == {"NonExistJobIds": "d9"}
    assert cos_look(client, "d2") == {"NonExistJobIds": "d2"}
    assert cos_look(client, "d2", "another-1250000000")["JobsDetail"]


# Roles and tokens


def test_role_keys_work_until_they_end(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"roles": {"builder": 60}, "tasks": TASKS})
    path = "/latest/meta-data/cam/security-credentials/"
    assert simulator.request("GET", path).body == b"builder"
    assert simulator.request("GET", path + "stranger").status == 404
    first, second = (simulator.request("GET", path + "builder").json() for dummy in range(2))
    assert first["Code"] == "Success"
    assert first["TmpSecretId"] != second["TmpSecretId"]
    keys = (first["TmpSecretId"], first["TmpSecretKey"], first["Token"])
    look = ("mps", "DescribeTaskDetail", {"TaskId": "m1"}, "POST", keys)
    assert call(simulator, *look)["Status"] == "PROCESSING"
    assert cos_look(cos_client(simulator, keys[:2], keys[2]))["JobsDetail"]
    simulator.control("expire")
    assert refusal(simulator, *look) == "AuthFailure.TokenFailure"
    assert simulator.stats()["role_key_fetches"] == 2


def token_call(simulator: Any, body: Mapping[str, Any], content_type: str = "application/json") -> Any:
    return simulator.request(
        "POST", "/v1.0/oauth2/accessToken", {"Content-Type": content_type}, json.dumps(body).encode()
    )


APP = {"appKey": "dingEXAMPLEKEY", "appSecret": "EXAMPLE-FAKE-APP-SECRET"}
DOCUMENT = {"provider": "dingtalk_doc", "task_id": "a/b", "life": [{"status": "partial"}]}


def test_a_dingtalk_token_is_given_again_until_it_ends(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"tasks": [DOCUMENT]})
    first, again = (token_call(simulator, APP).json() for dummy in range(2))
    assert first == again
    assert first["expireIn"] == 7200
    assert simulator.look_at_document("a/b", first["accessToken"]).json()["status"] == 2
    simulator.control("expire")
    refused = simulator.look_at_document("a/b", first["accessToken"])
    assert (refused.status, refused.json()["code"]) == (400, "InvalidAuthentication")
    assert refused.headers["x-acs-request-id"] == refused.json()["requestid"]
    assert token_call(simulator, APP).json()["accessToken"] != first["accessToken"]
    assert simulator.stats()["tokens_issued"] == 3


def test_a_dingtalk_token_may_end_at_once(start_simulator: Callable[..., Any]) -> None:
    app = {"app_key": "k", "app_secret": "s", "token_seconds": 0}
    simulator = start_simulator({"credentials": {"dingtalk": [app]}, "tasks": [DOCUMENT]})
    token = token_call(simulator, {"appKey": "k", "appSecret": "s"}).json()["accessToken"]
    assert simulator.look_at_document("a/b", token).status == 400


def test_dingtalk_refuses_what_the_vendor_refuses(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"credentials": {"access_tokens": ["EXAMPLE-FAKE-ACCESS-TOKEN"]}})
    form = token_call(simulator, APP, "application/x-www-form-urlencoded")
    assert (form.status, form.json()["code"]) == (400, "Missingbody")
    wrong = token_call(simulator, {**APP, "appSecret": "wrong"})
    assert (wrong.status, wrong.json()["code"]) == (400, "invalidClientIdOrSecret")
    unknown = simulator.look_at_document("x")
    assert (unknown.status, unknown.json()["code"]) == (404, "resource.not.found")
    assert simulator.look_at_document("x", "").status == 400
