# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent COS: the body that starts a document job, the vendor's rules for it, and the list of jobs."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import parse_qsl, urlsplit

import pytest
import xmltodict
from ansible_collections.cloudwait.conversion.plugins.module_utils._calls.base import Listed, is_uncertain
from ansible_collections.cloudwait.conversion.plugins.module_utils._calls.cos_doc import SOURCES, CosDocCalls
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._providers.base import Look, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Request, Transport
from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import cos

HOST = "examplebucket-1250000000.ci.ap-beijing.myqcloud.com"
REF = {"provider": "cos_doc", "task_id": None, "bucket": "examplebucket-1250000000", "region": "ap-beijing"}
KEYS = ("AKIDEXAMPLE", "EXAMPLE-FAKE-SECRET-KEY", "EXAMPLE-FAKE-TOKEN")
OUTPUT = {"bucket": None, "region": None, "object": "out/${Number}.jpg"}
NOT_GIVEN = ("source_type", "start_page", "end_page", "page_ranges", "sheet_id", "image_params", "doc_password",
             "comments", "paper_direction", "paper_size", "quality", "zoom", "image_dpi", "pic_pagination",
             "queue_id")  # fmt: skip
OPTIONS = {**dict.fromkeys(NOT_GIVEN), "input_object": "in/plan.docx", "output": OUTPUT, "target_type": "jpg"}
LISTING = {"queue_id": None, "states": None, "start_time": None, "end_time": None, "order": "newest", "limit": None}
SUBMITTED = (
    "<Response><JobsDetail><Code>Success</Code><JobId>d1</JobId><State>Submitted</State><Message/>"
    "<CreationTime>2026-01-02T03:04:05+0800</CreationTime><EndTime>-</EndTime></JobsDetail></Response>"
)


def answer(xml: str, status: int = 200) -> Answer:
    return Answer(HOST, status, {"x-ci-request-id": "r1"}, xml.encode("utf-8"))


class Vendor:
    """Plays answers in order, the last one for ever, and keeps what it was sent."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script) or [answer(SUBMITTED)]
        self.requests: list[Request] = []

    @property
    def sent(self) -> int:
        return len(self.requests)

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(urlsplit(str(request.prepared.url)).query)) for request in self.requests]

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        request.auth(request.prepared)
        self.requests.append(request)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def starter(vendor: Vendor | None = None, **settings: t.Any) -> CosDocCalls:
    return CosDocCalls(
        Settings(transport=t.cast(Transport, vendor), clock=Clock(lambda: 1_700_000_000.0), **settings),
        TencentCredentials("options", lambda: Keys(*KEYS)),
    )


def start(vendor: Vendor, **options: t.Any) -> Look:
    mine = starter(vendor)
    deed = mine.prepare(REF, {**OPTIONS, **options}, {})
    return mine.ask(deed.make_request, deed.read)


def body_of(**options: t.Any) -> dict[str, t.Any]:
    vendor = Vendor()
    start(vendor, **options)
    (request,) = vendor.requests
    return t.cast("dict[str, t.Any]", xmltodict.parse(t.cast(bytes, request.prepared.body))["Request"])


def refusal(vendor: Vendor | None = None, **options: t.Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        start(vendor or Vendor(), **options)
    return caught.value


# --- The start -----------------------------------------------------------------------------------------------------


def test_a_job_is_started_with_one_call() -> None:
    vendor = Vendor()
    look = start(vendor)
    (request,) = vendor.requests
    prepared = request.prepared
    assert (prepared.method, prepared.url) == ("POST", f"https://{HOST}/doc_jobs")
    assert prepared.headers["Content-Type"] == "application/xml"
    assert xmltodict.parse(t.cast(bytes, prepared.body)) == {
        "Request": {
            "Tag": "DocProcess",
            "Input": {"Object": "in/plan.docx"},
            "Operation": {
                "Output": {"Region": "ap-beijing", "Bucket": "examplebucket-1250000000", "Object": "out/${Number}.jpg"},
                "DocProcess": {"TgtType": "jpg"},
            },
        }
    }
    record = look.record
    assert (record["status"], record["native_status"], record["done"]) == ("pending", "Submitted", False)
    assert (record["created_at"], record["request_id"]) == ("2026-01-01T19:04:05Z", "r1")
    assert record["ref"] == {**REF, "task_id": "d1"}
    assert (look.response["JobsDetail"][0]["JobId"], look.calls) == ("d1", 1)


def test_the_start_is_signed_with_the_token() -> None:
    vendor = Vendor()
    start(vendor)
    headers = vendor.requests[0].prepared.headers
    wanted = cos.sign(
        method="POST",
        path="/doc_jobs",
        params=[],
        headers={"Host": HOST},
        secret_id=KEYS[0],
        secret_key=KEYS[1],
        token=KEYS[2],
        times=cos.key_time(1_700_000_000 - 60, 1_700_000_000 + 10_000),
    )
    assert {name: headers[name] for name in wanted} == wanted
    assert headers["x-ci-security-token"] == KEYS[2]


def test_every_option_has_its_element() -> None:
    found = body_of(
        source_type="xlsx", target_type="png", input_object="in/table", queue_id="p1", sheet_id=2, start_page=3,
        end_page=9, page_ranges="1,2-4,7", image_params="imageMogr2/thumbnail/!50p|watermark", doc_password="a<b>&c",
        comments=True, paper_direction=1, paper_size=2, quality=80, zoom=200, image_dpi=600, pic_pagination=False,
        output={"bucket": "other-1250000000", "region": "ap-x", "object": "out/${SheetID}/${Number}.png"},
    )  # fmt: skip
    assert found == {
        "Tag": "DocProcess",
        "Input": {"Object": "in/table"},
        "Operation": {
            "Output": {"Region": "ap-x", "Bucket": "other-1250000000", "Object": "out/${SheetID}/${Number}.png"},
            "DocProcess": {
                "SrcType": "xlsx", "TgtType": "png", "SheetId": "2", "StartPage": "3", "EndPage": "9",
                "PageRanges": "1,2-4,7", "ImageParams": "imageMogr2/thumbnail/!50p|watermark",
                "DocPassword": "a<b>&c", "Comments": "1", "PaperDirection": "1", "PaperSize": "2", "Quality": "80",
                "Zoom": "200", "ImageDpi": "600", "PicPagination": "0",
            },
        },
        "QueueId": "p1",
    }  # fmt: skip


def test_what_is_zero_is_sent_all_the_same() -> None:
    found = body_of(comments=False, paper_direction=0, paper_size=0)["Operation"]["DocProcess"]
    assert found == {"TgtType": "jpg", "Comments": "0", "PaperDirection": "0", "PaperSize": "0"}


@pytest.mark.parametrize("name", ["\u8ba1\u5212.docx", "a & b <c>.docx", "in/a'b\"c.docx", "a b.docx"])
def test_any_name_survives_xml(name: str) -> None:
    assert body_of(input_object=name)["Input"]["Object"] == name


@pytest.mark.parametrize(
    "xml",
    [
        "<Response/>",
        "<Response><JobsDetail/></Response>",
        "<Response><JobsDetail><JobId/></JobsDetail></Response>",
        "<Response><JobsDetail><State>Submitted</State></JobsDetail></Response>",
        "<html/>",
        "",
        "{}",
    ],
)
def test_a_start_without_an_id_leaves_it_open(xml: str) -> None:
    error = refusal(Vendor(answer(xml)))
    assert (error.kind, is_uncertain(error)) == ("protocol", True)


@pytest.mark.parametrize(
    ("code", "status", "kind", "uncertain"),
    [
        ("SlowDown", 503, "throttled", False),
        ("AccessDenied", 403, "permission", False),
        ("NoSuchBucket", 404, "invalid", False),
        ("RequestTimeTooSkewed", 403, "clock", False),
        ("InternalError", 500, "server", True),
        ("ServiceUnavailable", 503, "server", True),
        ("UserNetworkTooSlow", 403, "network", True),
    ],
)
def test_what_the_vendor_said_no_to_did_not_happen(code: str, status: int, kind: str, uncertain: bool) -> None:
    error = refusal(Vendor(answer(f"<Error><Code>{code}</Code><Message>no</Message></Error>", status)))
    assert (error.kind, is_uncertain(error)) == (kind, uncertain)


def test_what_to_do_about_doubt() -> None:
    deed = starter().prepare(REF, OPTIONS, {})
    assert (deed.repeatable, "cos_doc_job_list_info" in deed.doubt) == (False, True)


# --- The vendor's rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_that_the_vendor_lists_is_taken(source: str) -> None:
    output = {**OUTPUT, "object": "out/${SheetID}/${Number}.jpg"}
    assert body_of(input_object=f"in/plan.{source.upper()}", output=output)


def to(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"output": {**OUTPUT, "object": name}, **more}


RULES: dict[str, tuple[dict[str, t.Any], str | None]] = {
    "pages": (to("out/${Page}.jpg"), None),
    "number in the path": (to("${Number}/x.jpg"), None),
    "no template": (to("out/x.jpg"), "output.object lacks ${Number} or ${Page}"),
    "no template for pdf": (to("out/x.pdf", target_type="pdf"), "output.object lacks ${Number} or ${Page}"),
    "sheet": (to("${SheetID}/${Number}.jpg", input_object="t.csv"), None),
    "no sheet": (to("out/${Number}.jpg", input_object="t.xlsx"), "output.object lacks ${SheetID} in its path or ${Number}"),
    "number not last": (to("${Number}/${SheetID}.jpg", input_object="t.xlsx"), "output.object lacks ${SheetID} in its"),
    "table by its type": (to("out/${Number}.jpg", source_type="XLSX"), "output.object lacks ${SheetID} in its path"),
    "empty template": (to(" "), "output.object is empty or has a line break"),
    "empty bucket": ({"output": {**OUTPUT, "bucket": ""}}, "output.bucket is empty or has a line break"),
    "no suffix": ({"input_object": "in.d/plan"}, "input_object has no suffix"),
    "no name": ({"input_object": ""}, "input_object has no suffix"),
    "unknown suffix": ({"input_object": "film.mp4"}, "COS converts no documents of the type mp4"),
    "unknown type": ({"source_type": "mp4"}, "COS converts no documents of the type mp4"),
    "line break": ({"input_object": "in/a\nb.docx"}, "input_object is empty or has a line break"),
    "no character": ({"input_object": "in/\ud800.docx"}, "input_object is empty or has a line break"),
    "queue": ({"queue_id": ""}, "queue_id is empty or has a line break"),
    "params": ({"image_params": "a\x00"}, "image_params is empty or has a line break"),
    "password": ({"doc_password": "a\ud800"}, "doc_password is empty or has a line break"),
    "quality": ({"quality": 109}, "quality is 109, and the vendor takes 1 to 100 percent"),
    "no quality": ({"quality": 0}, "quality is 0, and the vendor takes 1 to 100 percent"),
    "zoom": ({"zoom": 9}, "zoom is 9, and the vendor takes 10 to 200 percent"),
    "dpi": ({"image_dpi": 601}, "image_dpi is 601, and the vendor takes 96 to 600 dots an inch"),
    "start page": ({"start_page": 0}, "start_page is 0, and pages begin at 1"),
    "to the end": ({"start_page": 5, "end_page": -1}, None),
    "backwards": ({"start_page": 5, "end_page": 4}, "end_page is 4: give -1 for the last page"),
    "end page": ({"end_page": 0}, "end_page is 0: give -1 for the last page"),
    "sheet below 0": ({"sheet_id": -1}, "sheet_id is below 0"),
    "all sheets": ({"sheet_id": 0}, None),
    "ranges": ({"page_ranges": "1,2-4,7"}, None),
    "no ranges": ({"page_ranges": ""}, "page_ranges is not of the form 1,2-4,7"),
    "ranges from 0": ({"page_ranges": "0-3"}, "page_ranges is not of the form 1,2-4,7"),
    "open range": ({"page_ranges": "3-"}, "page_ranges is not of the form 1,2-4,7"),
    "blank in ranges": ({"page_ranges": "1, 2"}, "page_ranges is not of the form 1,2-4,7"),
    "pages of a pdf": ({"target_type": "pdf", "end_page": 3}, "end_page is given with target_type pdf"),
    "long image": ({"pic_pagination": True, "end_page": 20}, None),
    "too long image": ({"pic_pagination": True, "end_page": 21}, "pic_pagination takes at most 20 pages"),
    "long image of a pdf": ({"pic_pagination": True, "target_type": "pdf"}, "pic_pagination makes one long image"),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_the_vendors_rules_are_told_before_anything_is_sent(name: str) -> None:
    options, said = RULES[name]
    vendor = Vendor()
    if said is None:
        start(vendor, **options)
        assert vendor.sent == 1
    else:
        error = refusal(vendor, **options)
        assert (error.kind, error.said[: len(said)], vendor.sent) == ("config", said, 0)


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ({"bucket": "examplebucket"}, "bucket is missing or is not of the form name-appid"),
        ({"region": None}, "region is missing or"),
    ],
)
def test_the_bucket_is_checked_first(ref: dict[str, t.Any], said: str) -> None:
    with pytest.raises(CloudError, match=f"^{said}") as caught:
        starter(endpoint="https://gate.example.com").prepare({**REF, **ref}, OPTIONS, {})
    assert caught.value.kind == "config"


# --- The list ------------------------------------------------------------------------------------------------------


def page(*names: str, token: str = "") -> Answer:
    jobs = "".join(f"<JobsDetail><JobId>{name}</JobId><State>Running</State></JobsDetail>" for name in names)
    return answer(f"<Response>{jobs}{token}</Response>")


def listed(vendor: Vendor, **options: t.Any) -> list[Listed]:
    mine = starter(vendor)
    return list(mine.list_tasks(REF, {**LISTING, **options}, lambda ask: ask()))


def test_a_list_is_read_page_by_page() -> None:
    vendor = Vendor(page("d1", "d2", token="<NextToken>75789</NextToken>"), page("d3", token="<NextToken/>"))
    found = listed(vendor)
    assert [one.ref for one in found] == [{**REF, "task_id": name} for name in ("d1", "d2", "d3")]
    records = [one.record or {} for one in found]
    assert [(record["task_id"], record["status"]) for record in records] == [
        ("d1", "running"),
        ("d2", "running"),
        ("d3", "running"),
    ]
    assert found[0].entry == {"JobId": "d1", "State": "Running"}
    first = {"tag": "DocProcess", "orderByTime": "Desc", "size": "100"}
    assert vendor.queries == [first, {**first, "nextToken": "75789"}]


def test_every_filter_has_its_parameter_and_is_signed() -> None:
    vendor = Vendor(page())
    options = {"queue_id": "p1", "states": ["Running", "Pause"], "order": "oldest", "limit": 5}
    times = {"start_time": "2026-01-02T03:04:05+08:00", "end_time": "2026-01-02T03:04:05Z"}
    assert listed(vendor, **options, **times) == []
    assert vendor.queries == [
        {
            "tag": "DocProcess",
            "queueId": "p1",
            "states": "Running,Pause",
            "orderByTime": "Asc",
            "startCreationTime": "2026-01-01T19:04:05+0000",
            "endCreationTime": "2026-01-02T03:04:05+0000",
            "size": "6",
        }
    ]
    prepared = vendor.requests[0].prepared
    signed = re.search("q-url-param-list=([^&]*)&", str(prepared.headers["Authorization"]))
    assert signed
    assert signed[1] == "endcreationtime;orderbytime;queueid;size;startcreationtime;states;tag"
    assert "2026-01-01T19%3A04%3A05%2B0000" in str(prepared.url)


def test_an_empty_list_of_states_means_all() -> None:
    vendor = Vendor(page())
    listed(vendor, states=[])
    assert "states" not in vendor.queries[0]


def test_what_has_no_id_is_left_out() -> None:
    jobs = "<JobsDetail/><JobsDetail><State>Running</State></JobsDetail><JobsDetail><JobId>d1</JobId></JobsDetail>"
    (one,) = listed(Vendor(answer(f"<Response>{jobs}</Response>")))
    assert one.record
    assert (one.ref["task_id"], one.record["status"]) == ("d1", "unknown")


def test_a_list_that_goes_in_circles_ends() -> None:
    vendor = Vendor(page("d1", token="<NextToken>7</NextToken>"))
    assert len(listed(vendor)) == 2
    assert vendor.sent == 2


def test_a_time_that_is_none_is_told_before_anything_is_sent() -> None:
    vendor = Vendor()
    with pytest.raises(CloudError, match=r"^start_time is no time of the form"):
        listed(vendor, start_time="yesterday")
    assert vendor.sent == 0


# --- Against the vendor's SDK --------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
def test_the_vendors_sdk_would_send_the_same() -> None:
    sdk = pytest.importorskip("qcloud_cos")
    sent: list[dict[str, t.Any]] = []

    class Client(sdk.CosS3Client):  # type: ignore[misc, name-defined] # the SDK has no types
        def send_request(self, **request: t.Any) -> t.Any:
            sent.append(request)
            return t.cast(t.Any, type("Answer", (), {"content": SUBMITTED.encode()}))

    client = Client(sdk.CosConfig(Region="ap-beijing", SecretId=KEYS[0], SecretKey=KEYS[1]))
    client.ci_create_doc_job(
        Bucket=REF["bucket"], InputObject="in/t.xlsx", OutputBucket="o-1", OutputRegion="ap-x",
        OutputObject="${SheetID}/${Number}.png", SrcType="xlsx", TgtType="png", SheetId=2, StartPage=3, EndPage=9,
        ImageParams="imageMogr2", DocPassword="EXAMPLE-FAKE-PASSWORD", Comments=1, PaperDirection=1, PaperSize=2,
        Quality=80, Zoom=200, ImageDpi=300, PicPagination=1, PageRanges="1-3", QueueId="p1",
    )  # fmt: skip
    client.ci_list_doc_jobs(Bucket=REF["bucket"], QueueId="p1", Size=100, States="Running")
    found = body_of(
        input_object="in/t.xlsx", source_type="xlsx", target_type="png", sheet_id=2, start_page=3, end_page=9,
        image_params="imageMogr2", doc_password="EXAMPLE-FAKE-PASSWORD", comments=True, paper_direction=1,
        paper_size=2, quality=80, zoom=200, image_dpi=300, pic_pagination=True, page_ranges="1-3", queue_id="p1",
        output={"bucket": "o-1", "region": "ap-x", "object": "${SheetID}/${Number}.png"},
    )  # fmt: skip
    assert found == xmltodict.parse(sent[0]["data"])["Request"]
    vendor = Vendor(page())
    listed(vendor, queue_id="p1", states=["Running"])
    assert vendor.queries == [{name: value.decode() for name, value in sent[1]["params"].items() if value}]
