# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document jobs made and listed, with the vendor's own SDK as judge."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from . import test_simulator_clients as clients
from .test_simulator_clients import KEYS, TEMPORARY, cos_client

pytestmark = clients.pytestmark

BUCKET = "examplebucket-1250000000"
ORDER = {
    "Bucket": BUCKET,
    "InputObject": "docs/plan.docx",
    "OutputBucket": "out-1250000000",
    "OutputRegion": "ap-shanghai",
    "OutputObject": "out/plan-${Number}.jpg",
}
XML = (
    "<Request><Tag>DocProcess</Tag><Input><Object>docs/plan.docx</Object></Input><Operation><Output>"
    "<Region>r</Region><Bucket>b</Bucket><Object>${Page}.jpg</Object></Output></Operation></Request>"
)


@pytest.fixture(scope="module")
def quiet(start_cloud: Callable[..., Any]) -> Any:
    """One simulator for all that is refused."""
    return start_cloud()


def start(client: Any, **more: Any) -> Any:
    return client.ci_create_doc_job(**{**ORDER, **more})["JobsDetail"]


def look(client: Any, job_id: str, bucket: str = BUCKET) -> Any:
    return client.ci_get_doc_job(Bucket=bucket, JobID=job_id)["JobsDetail"][0]


def listed(client: Any, bucket: str = BUCKET, **more: Any) -> tuple[list[str], str | None]:
    """The ids of one page, and the token of the next."""
    answer = client.ci_list_doc_jobs(Bucket=bucket, **more)
    return [job["JobId"] for job in answer.get("JobsDetail") or []], answer["NextToken"]


def refused(call: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[str, int]:
    from qcloud_cos import CosServiceError

    with pytest.raises(CosServiceError) as caught:
        call(*arguments, **options)
    return caught.value.get_error_code(), caught.value.get_status_code()


def post(client: Any, body: bytes) -> Any:
    """Send a body of our own with the vendor's signature."""
    from qcloud_cos.cos_auth import CosS3Auth

    url = f"http://{BUCKET}.ci.ap-beijing.myqcloud.com/doc_jobs"
    headers = {"Content-Type": "application/xml"}
    return client.send_request(
        method="POST", url=url, bucket=BUCKET, data=body, headers=headers, auth=CosS3Auth(client._conf, "/doc_jobs")
    )


# Made


@pytest.mark.parametrize("direct", [False, True], ids=["as a proxy", "as a domain"])
def test_a_job_is_made_and_succeeds(start_simulator: Callable[..., Any], direct: bool) -> None:
    simulator = start_simulator()
    client = cos_client(simulator, direct=direct)
    job = start(client, DocPassword="EXAMPLE & <secret>", TgtType="png", QueueId="pEXAMPLE")
    assert re.fullmatch(r"d[0-9a-f]{32}", job["JobId"])
    assert (job["State"], job["Code"], job["EndTime"], job["QueueId"]) == ("Submitted", "Success", "-", "pEXAMPLE")
    assert "DocProcessResult" not in job["Operation"]
    assert job["Operation"]["DocProcess"]["DocPassword"] == "EXAMPLE & <secret>"
    assert (job["Operation"]["DocProcess"]["TgtType"], job["Operation"]["DocProcess"]["StartPage"]) == ("png", "1")
    output = {"Bucket": "out-1250000000", "Region": "ap-shanghai", "Object": "out/plan-${Number}.jpg"}
    assert job["Operation"]["Output"] == output
    assert job["Input"]["Object"] == "docs/plan.docx"
    looks = [look(client, job["JobId"]) for dummy in range(4)]
    assert [each["State"] for each in looks] == ["Submitted", "Running", "Success", "Success"]
    result = looks[3]["Operation"]["DocProcessResult"]
    assert [page["TgtUri"] for page in result["PageInfo"]] == ["out/plan-1.jpg", "out/plan-2.jpg"]
    entries = simulator.journal()
    assert [entry["action"] for entry in entries[:2]] == ["CreateDocProcessJobs", "DescribeDocProcessJob"]
    assert entries[0]["task_id"] == job["JobId"]
    assert (simulator.stats()["starts"], simulator.stats()["made"]) == ({"cos_doc": 1}, {"cos_doc": 1})


@pytest.mark.parametrize(
    ("order", "paths"),
    [
        ({"StartPage": 5, "EndPage": 6}, ["out/plan-1.jpg", "out/plan-2.jpg"]),
        ({"StartPage": 5, "EndPage": 7, "OutputObject": "p${Page}"}, ["p5", "p6", "p7"]),
        ({"InputObject": "a.xlsx", "OutputObject": "s${SheetID}/${Number}"}, ["s1/1", "s1/2"]),
        ({"SrcType": "csv", "OutputObject": "s${SheetID}/${Number}"}, ["s1/1", "s1/2"]),
        ({"TgtType": "pdf", "OutputObject": "whole.pdf"}, ["whole.pdf"]),
    ],
)
def test_results_are_named_as_was_asked_for(
    start_simulator: Callable[..., Any], order: dict[str, Any], paths: list[str]
) -> None:
    client = cos_client(start_simulator({"starts": [{"provider": "cos_doc", "life": [{"status": "succeeded"}]}]}))
    pages = look(client, start(client, **order)["JobId"])["Operation"]["DocProcessResult"]["PageInfo"]
    assert [page["TgtUri"] for page in (pages if isinstance(pages, list) else [pages])] == paths


def test_a_job_lies_in_the_bucket_that_was_asked(start_simulator: Callable[..., Any]) -> None:
    client = cos_client(start_simulator())
    job = start(client)
    assert job["Input"] == {"BucketId": BUCKET, "Object": "docs/plan.docx", "Region": "ap-beijing"}
    assert client.ci_get_doc_job(Bucket="another-1250000000", JobID=job["JobId"])["NonExistJobIds"] == job["JobId"]
    assert listed(client, "another-1250000000") == ([], None)
    assert listed(client) == ([job["JobId"]], None)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "MissingRequestBodyError"),
        ("<Request>", "MalformedXML"),
        ("{}", "MalformedXML"),
        ("<!DOCTYPE r [<!ENTITY e 'x'>]>" + XML, "MalformedXML"),
        ("<?xml version='1.0' encoding='cp999'?>" + XML, "MalformedXML"),
        ("<a>" * 20 + "</a>" * 20, "MalformedXML"),
        ("<Request/>", "MalformedXML"),
        (XML.replace("Request>", "Order>"), "MalformedXML"),
        (XML.replace("<Tag>DocProcess</Tag>", ""), "InvalidArgument"),
        (XML.replace("DocProcess", "Transcode"), "InvalidArgument"),
        (XML.replace("<Object>docs/plan.docx</Object>", ""), "InvalidArgument"),
        (XML.replace("<Input><Object>docs/plan.docx</Object></Input>", ""), "InvalidArgument"),
        (XML.replace("<Region>r</Region>", ""), "InvalidArgument"),
        (XML.replace("<Bucket>b</Bucket>", "<Bucket/>"), "InvalidArgument"),
        (XML.replace("<Object>${Page}.jpg</Object>", ""), "InvalidArgument"),
        (XML.replace("${Page}", "page"), "InvalidArgument"),
        (XML.replace("docx", "xlsx"), "InvalidArgument"),
    ],
)
def test_a_wrong_job_is_refused(quiet: Any, body: str, code: str) -> None:
    assert refused(post, cos_client(quiet), body.encode()) == (code, 400)
    assert quiet.stats()["made"] == {}


def test_a_job_needs_no_more_than_the_page_says(start_simulator: Callable[..., Any]) -> None:
    assert b"<State>Submitted</State>" in post(cos_client(start_simulator()), XML.encode()).content


def test_wrong_keys_make_nothing(quiet: Any) -> None:
    for client, code in (
        (cos_client(quiet, (KEYS[0], "wrong")), "SignatureDoesNotMatch"),
        (cos_client(quiet, ("AKIDUNKNOWN", KEYS[1])), "InvalidAccessKeyId"),
    ):
        assert refused(start, client) == (code, 403)
        assert refused(listed, client) == (code, 403)
    unsigned = quiet.request("POST", "/doc_jobs", {"Content-Type": "application/xml"}, XML.encode())
    assert (unsigned.status, b"<Code>AccessDenied</Code>" in unsigned.body) == (403, True)
    assert quiet.stats()["made"] == {}


def test_a_token_of_temporary_keys_is_taken(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"credentials": {"tencent": [TEMPORARY]}})
    client = cos_client(simulator, (TEMPORARY["secret_id"], TEMPORARY["secret_key"]), TEMPORARY["token"])
    assert listed(client) == ([], None)
    assert start(client)["State"] == "Submitted"


# Listed


def test_jobs_are_listed_by_page(start_simulator: Callable[..., Any]) -> None:
    client = cos_client(start_simulator())
    jobs = [start(client)["JobId"] for dummy in range(25)]
    for order, wanted in (("Desc", jobs[::-1]), ("Asc", jobs)):
        pages: list[list[str]] = []
        token: str | None = ""
        while token is not None:
            page, token = listed(client, OrderByTime=order, NextToken=token)
            pages.append(page)
        assert [len(page) for page in pages] == [10, 10, 5]
        assert [job for page in pages for job in page] == wanted
    assert len(listed(client, Size=100)[0]) == 25
    assert listed(client, Size=25)[1] is None


def test_a_list_of_jobs_is_narrowed(start_simulator: Callable[..., Any]) -> None:
    words = ("pending", "running", "succeeded", "failed", "canceled", "unknown")
    entries = [{"provider": "cos_doc", "times": 1, "life": [{"status": word}]} for word in words]
    client = cos_client(start_simulator({"starts": entries}))
    queues = ["pONE", "pTWO"]
    jobs = [start(client, QueueId=queues[number % 2])["JobId"] for number in range(6)]
    assert listed(client)[0] == jobs[4::-1]
    assert listed(client, States="Success")[0] == [jobs[2]]
    assert listed(client, States="Failed,Cancel,Pause", OrderByTime="Asc")[0] == jobs[3:5]
    assert listed(client, QueueId="pTWO")[0] == [jobs[3], jobs[1]]
    answer = client.ci_list_doc_jobs(Bucket=BUCKET, States="Success")["JobsDetail"][0]
    assert answer["Operation"]["DocProcessResult"]["SuccPageCount"] == "2"
    made = answer["CreationTime"]
    assert jobs[2] in listed(client, StartCreationTime=made, EndCreationTime=made)[0]
    assert listed(client, StartCreationTime="2100-01-01T00:00:00+0800")[0] == []
    assert listed(client, EndCreationTime="2000-01-01T00:00:00+0800")[0] == []


@pytest.mark.parametrize(
    "options",
    [
        {"Size": 0},
        {"Size": 101},
        {"Size": "many"},
        {"OrderByTime": "Up"},
        {"States": "Done"},
        {"NextToken": "x"},
        {"StartCreationTime": "yesterday"},
    ],
)
def test_a_wrong_list_of_jobs_is_refused(quiet: Any, options: dict[str, Any]) -> None:
    assert refused(listed, cos_client(quiet), **options) == ("InvalidArgument", 400)


def test_a_list_needs_its_tag_and_other_methods_are_not_allowed(quiet: Any) -> None:
    from qcloud_cos.cos_auth import CosS3Auth

    client = cos_client(quiet)
    for method, wanted in (("GET", ("InvalidArgument", 400)), ("PUT", ("MethodNotAllowed", 405))):
        url = f"http://{BUCKET}.ci.ap-beijing.myqcloud.com/doc_jobs"
        auth = CosS3Auth(client._conf, "/doc_jobs")
        assert refused(client.send_request, method=method, url=url, bucket=BUCKET, headers={}, auth=auth) == wanted
