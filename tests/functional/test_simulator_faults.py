# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: each breaks what its name says, and only that."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
GOOD = {"taskId": "d", "status": 1, "totalCount": 4, "succCount": 4, "failCount": 0}
AGENT = {"AppId": "a", "ProxyOrganizationOpenId": "o", "ProxyOperator": {"OpenId": "p"}}


def scenario(fault: Any, **more: Any) -> dict[str, Any]:
    """A document task that is broken at its first look and good at the second."""
    life = [{"fault": fault}, {"status": "succeeded"}]
    task = {"provider": "dingtalk_doc", "task_id": "d", "life": life}
    return {"credentials": {"access_tokens": [TOKEN]}, "tasks": [task], **more}


@pytest.fixture
def broken(start_simulator: Callable[..., Any]) -> Callable[..., Any]:
    """Look once at a task with this fault, then see that the next look is good and that the journal names the fault."""

    def look(name: str, **parameters: Any) -> Any:
        simulator = start_simulator(scenario({"name": name, **parameters} if parameters else name))
        try:
            return simulator.look_at_document("d")
        finally:
            assert simulator.look_at_document("d").json() == GOOD
            assert [entry["verdict"] for entry in simulator.journal()] == [name, "ok"]

    return look


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_gateway_says_no(broken: Callable[..., Any], status: int) -> None:
    answer = broken(f"http_{status}", retry_after=7)
    assert answer.status == status
    assert answer.headers["retry-after"] == "7"
    assert answer.headers["content-type"] == "text/html"


def test_retry_after_may_be_a_date(broken: Callable[..., Any]) -> None:
    answer = broken("http_429", retry_after=60, as_date=True)
    dates = [parsedate_to_datetime(answer.headers[name]) for name in ("retry-after", "date")]
    assert 58 <= (dates[0] - dates[1]).total_seconds() <= 62


def test_the_connection_is_reset(broken: Callable[..., Any]) -> None:
    with pytest.raises(ConnectionResetError):
        broken("reset")


@pytest.mark.parametrize("name", ["truncated", "truncated_chunked"])
def test_the_body_ends_too_early(broken: Callable[..., Any], name: str) -> None:
    with pytest.raises(http.client.IncompleteRead):
        broken(name)


@pytest.mark.parametrize("name", ["wrong_content_length", "not_json", "html", "not_utf8", "empty"])
def test_the_body_is_no_json(broken: Callable[..., Any], name: str) -> None:
    answer = broken(name)
    assert answer.status == 200
    with pytest.raises(ValueError, match=r".*"):
        json.loads(answer.body.decode("utf-8"))


def test_what_follows_a_length_that_is_wrong_is_no_part_of_another_answer(broken: Callable[..., Any]) -> None:
    assert broken("wrong_content_length").headers["connection"] == "close"


@pytest.mark.parametrize(("name", "value"), [("list", []), ("null", None)])
def test_the_body_is_no_object(broken: Callable[..., Any], name: str, value: object) -> None:
    assert broken(name).json() == value


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("hang", {"seconds": 0.01}), ("drip", {"bytes_per_second": 9000}), ("drip_headers", {"bytes_per_second": 9000})],
)
def test_a_slow_answer_is_a_good_one_in_the_end(
    broken: Callable[..., Any], name: str, parameters: dict[str, Any]
) -> None:
    assert broken(name, **parameters).json() == GOOD


def test_the_body_is_huge(broken: Callable[..., Any]) -> None:
    assert len(broken("huge", bytes=300_000).body) == 300_000


def test_the_answer_leads_elsewhere(broken: Callable[..., Any]) -> None:
    answer = broken("redirect", location="http://127.0.0.1:9/x", status=307)
    assert (answer.status, answer.headers["location"]) == (307, "http://127.0.0.1:9/x")


def test_the_body_is_compressed_unasked(broken: Callable[..., Any]) -> None:
    answer = broken("gzip")
    assert answer.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(answer.body)) == GOOD


def test_a_header_says_compressed_and_the_body_is_plain(broken: Callable[..., Any]) -> None:
    answer = broken("not_gzip")
    assert (answer.headers["content-encoding"], answer.json()) == ("gzip", GOOD)


def test_an_answer_declares_an_entity(broken: Callable[..., Any]) -> None:
    answer = broken("entity")
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.count(b"<!ENTITY") == answer.body.count(b"&e;") == 1


def test_the_state_of_a_job_is_an_entity_and_the_rest_as_ever(start_simulator: Callable[..., Any]) -> None:
    life = [{"fault": "entity"}, {"status": "succeeded"}]
    simulator = start_simulator({"tasks": [{"provider": "cos_doc", "task_id": "job", "life": life}]})
    broken, good = (look_at_job(simulator) for dummy in range(2))
    declared = '<!DOCTYPE r [<!ENTITY e "Success">]>'
    assert broken.startswith(f'<?xml version="1.0" encoding="utf-8"?>{declared}')
    state = broken.replace(declared, "").replace("&e;", "Success").partition("<State>")[2].partition("</State>")[0]
    assert f"<State>{state}</State>" in good


def look_at_job(simulator: Any) -> str:
    """The XML that a look with the vendor's own signature gets."""
    import requests
    from qcloud_cos import CosConfig
    from qcloud_cos.cos_auth import CosS3Auth

    config = CosConfig(Region="ap-beijing", SecretId="AKIDEXAMPLE-FAKE-ID", SecretKey="EXAMPLE-FAKE-SECRET-KEY")
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(f"{simulator.url}/doc_jobs/job", auth=CosS3Auth(config, "/doc_jobs/job"), timeout=20)
    return answer.text


# How an answer is written down


def raw(simulator: Any) -> tuple[bytes, bytes]:
    """Head and body of an answer to a look, byte by byte as they came, up to the end of the connection."""
    with open_look(simulator, "Connection: close\r\n") as connection, connection.makefile("rb") as file:
        head, dummy, body = file.read().partition(b"\r\n\r\n")
    return head, body


def test_headers_may_come_twice(start_simulator: Callable[..., Any]) -> None:
    head, body = raw(start_simulator(scenario("double_headers")))
    assert head.count(b"\r\nContent-Length: %d" % len(body)) == 2
    assert head.count(b"\r\nContent-Type: application/json") == 2
    assert json.loads(body) == GOOD


def test_two_lengths_may_contradict_each_other(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario("double_length"))
    head, body = raw(simulator)
    assert b"\r\nContent-Length: %d\r\nContent-Length: %d" % (len(body), len(body) // 2) in head
    assert json.loads(body) == GOOD


def test_odd_chunks_are_a_good_answer(broken: Callable[..., Any]) -> None:
    assert broken("odd_chunks").json() == GOOD


def test_odd_chunks_use_what_the_standard_allows(start_simulator: Callable[..., Any]) -> None:
    head, body = raw(start_simulator(scenario("odd_chunks")))
    assert b"\r\nTransfer-Encoding: chunked" in head
    assert b"Content-Length" not in head
    assert body.startswith(b'001;note="a;b";last\r\n')
    assert b'\r\n00B;note="a;b";last\r\n' in body
    assert body.endswith(b"\r\n0;note\r\nX-Trailer: the end\r\n\r\n")


def test_the_size_of_a_chunk_is_no_number(broken: Callable[..., Any]) -> None:
    with pytest.raises(http.client.IncompleteRead):
        broken("bad_chunks")


def test_the_head_ends_in_the_middle_of_a_line(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario("cut_header"))
    head, body = raw(simulator)
    assert head.endswith(b"\r\nConten")
    assert body == b""
    assert simulator.look_at_document("d").json() == GOOD


def until(condition: Callable[[], Any]) -> None:
    """Ask again until it is so; each question is a call to the simulator."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end


def open_look(simulator: Any, more: str = "") -> socket.socket:
    """Send a look and leave its answer unread."""
    connection = socket.create_connection(("127.0.0.1", simulator.port), timeout=20)
    head = f"GET /v2.0/doc/task/info/d HTTP/1.1\r\nHost: x\r\nx-acs-dingtalk-access-token: {TOKEN}\r\n{more}\r\n"
    connection.sendall(head.encode())
    return connection


def test_an_endless_body_goes_on_until_the_client_goes(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario("endless"))
    with open_look(simulator) as connection:
        left = 1_000_000
        while left > 0:
            part = connection.recv(65536)
            assert part
            left -= len(part)
    until(lambda: simulator.stats()["connections_open"] == 1)
    assert simulator.look_at_document("d").json() == GOOD


def test_a_dripping_head_comes_in_pieces(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario({"name": "drip_headers", "bytes_per_second": 10}))
    with open_look(simulator) as connection:
        assert connection.recv(65536) == b"H"


@pytest.mark.parametrize("name", ["hang", "drip", "drip_headers", "endless"])
def test_the_simulator_ends_in_the_midst_of_a_lasting_fault(start_simulator: Callable[..., Any], name: str) -> None:
    simulator = start_simulator(scenario(name))
    with open_look(simulator):
        until(simulator.journal)
        assert simulator.stop() == 0


def test_a_hanging_client_that_goes_is_forgotten(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario({"name": "hang", "seconds": 100}))
    open_look(simulator).close()
    until(lambda: simulator.journal() and simulator.stats()["connections_open"] == 1)


# The vendors' own errors


def api3(simulator: Any, product: str, action: str, parameters: dict[str, Any]) -> Any:
    """The error that the vendor's SDK reports."""
    from tencentcloud.common.common_client import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", proxy=simulator.url))
    version = {"mps": "2019-06-12", "essbasic": "2021-05-26"}[product]
    credential = Credential("AKIDEXAMPLE-FAKE-ID", "EXAMPLE-FAKE-SECRET-KEY")
    with pytest.raises(TencentCloudSDKException) as caught:
        CommonClient(product, version, credential, "", profile).call_json(action, {"TaskId": "x", **parameters})
    return caught.value


API3_CODES = {
    "throttle": "RequestLimitExceeded",
    "internal_error": "InternalError",
    "clock_error": "AuthFailure.SignatureExpire",
    "token_refused": "AuthFailure.TokenFailure",
    "signature_in_message": "AuthFailure.SignatureFailure",
}
COS_CODES = {
    "throttle": (503, "SlowDown"),
    "internal_error": (500, "InternalError"),
    "clock_error": (403, "RequestTimeTooSkewed"),
    "token_refused": (400, "ExpiredToken"),
    "signature_in_message": (403, "SignatureDoesNotMatch"),
}
DINGTALK_CODES = {
    "throttle": (403, "Forbidden.AccessDenied.QpsLimitForApi"),
    "internal_error": (500, "systemError"),
    "token_refused": (400, "InvalidAuthentication"),
    "signature_in_message": (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied"),
}
SILENT = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def once(provider: str, fault: str) -> dict[str, Any]:
    task = {"provider": provider, "task_id": "x", "life": [{"fault": fault}]}
    return {"credentials": {"access_tokens": [TOKEN]}, "tasks": [task]}


@SILENT
@pytest.mark.parametrize("fault", API3_CODES)
def test_errors_of_api_3(start_simulator: Callable[..., Any], fault: str) -> None:
    mps = api3(start_simulator(once("mps", fault)), "mps", "DescribeTaskDetail", {})
    ess = api3(start_simulator(once("ess", fault)), "essbasic", "DescribeFileConvertTask", {"Agent": AGENT})
    assert [mps.get_code(), ess.get_code()] == [API3_CODES[fault]] * 2
    assert ("Signature=" in mps.get_message()) == (fault == "signature_in_message")


@SILENT
@pytest.mark.parametrize("fault", COS_CODES)
def test_errors_of_cos(start_simulator: Callable[..., Any], fault: str) -> None:
    from qcloud_cos import CosConfig, CosS3Client, CosServiceError

    simulator = start_simulator(once("cos_doc", fault))
    config = CosConfig(
        Region="ap-beijing",
        SecretId="AKIDEXAMPLE-FAKE-ID",
        SecretKey="EXAMPLE-FAKE-SECRET-KEY",
        Scheme="http",
        Proxies={"http": simulator.url},
    )
    with pytest.raises(CosServiceError) as caught:
        CosS3Client(config, retry=0).ci_get_doc_job(Bucket="b-1250000000", JobID="x")
    assert (caught.value.get_status_code(), caught.value.get_error_code()) == COS_CODES[fault]
    assert ("q-signature=" in caught.value.get_error_msg()) == (fault == "signature_in_message")


@pytest.mark.parametrize("fault", DINGTALK_CODES)
def test_errors_of_dingtalk(start_simulator: Callable[..., Any], fault: str) -> None:
    simulator = start_simulator(once("dingtalk_doc", fault))
    answer = simulator.look_at_document("x")
    assert (answer.status, answer.json()["code"]) == DINGTALK_CODES[fault]
    assert (TOKEN in answer.json()["message"]) == (fault == "signature_in_message")


# Faults on top of lives


def calm(*faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    life = [{"status": "running", "looks": 2}, {"status": "succeeded"}]
    tasks = [{"provider": "dingtalk_doc", "task_id": name, "life": life} for name in ("d", "e")]
    return {"credentials": {"access_tokens": [TOKEN]}, "tasks": tasks, "faults": list(faults), **more}


def verdicts(simulator: Any, looks: str) -> list[Any]:
    answers = [simulator.look_at_document(task_id) for task_id in looks]
    return [answer.json()["status"] if answer.status == 200 else answer.status for answer in answers]


def test_every_third_call_fails_and_lives_do_not_notice(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(calm({"fault": "http_503", "every": 3}))
    assert verdicts(simulator, "dddddd") == [0, 0, 503, 1, 1, 503]


def test_a_fault_may_strike_one_task_for_some_looks(start_simulator: Callable[..., Any]) -> None:
    fault = {"provider": "dingtalk_doc", "task_id": "d", "fault": "http_500", "from_look": 2, "looks": 2}
    assert verdicts(start_simulator(calm(fault)), "dedded") == [0, 0, 500, 500, 0, 0]


def test_a_fault_of_another_provider_does_not_strike(start_simulator: Callable[..., Any]) -> None:
    faults: list[dict[str, Any]] = [{"provider": "mps", "fault": "http_500"}, {"fault": "clock_error"}]
    assert verdicts(start_simulator(calm(*faults)), "dd") == [0, 0]


def test_faults_can_be_changed_on_the_way(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(calm())
    simulator.control("faults", {"faults": [{"fault": "http_502"}]})
    assert verdicts(simulator, "d") == [502]
    simulator.control("faults", {"faults": []})
    assert verdicts(simulator, "d") == [0]


def test_token_and_role_calls_break_when_they_are_named(start_simulator: Callable[..., Any]) -> None:
    faults: list[dict[str, Any]] = [
        {"fault": "http_500"},
        {"action": "GetAccessToken", "fault": "http_502", "looks": 1},
        {"provider": "metadata", "action": "GetRoleKeys", "fault": "http_503", "looks": 1},
    ]
    simulator = start_simulator(calm(*faults, roles={"r": 60}))
    body = json.dumps({"appKey": "dingEXAMPLEKEY", "appSecret": "EXAMPLE-FAKE-APP-SECRET"}).encode()
    token = ("POST", "/v1.0/oauth2/accessToken", {"Content-Type": "application/json"}, body)
    role = ("GET", "/latest/meta-data/cam/security-credentials/r")
    assert [simulator.request(*token).status for dummy in range(2)] == [502, 200]
    assert [simulator.request(*role).status for dummy in range(2)] == [503, 200]
