# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent COS: the body that starts a document job, the vendor's rules for it, and the list of jobs."""

from __future__ import annotations

import re
import typing as t

import pytest
import xmltodict
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Listed, Poll, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import (
    SOURCES,
    CosDocStarts,
    _is_of,
)
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import is_uncertain, list_tasks
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import cos
from ansible_collections.cloudwait.conversion.tests.unit import played

HOST = "examplebucket-1250000000.ci.ap-beijing.myqcloud.com"
REF = {"provider": "cos_doc", "task_id": None, "bucket": "examplebucket-1250000000", "region": "ap-beijing"}
KEYS = ("AKIDEXAMPLE", "EXAMPLE-FAKE-SECRET-KEY", "EXAMPLE-FAKE-TOKEN")
OUTPUT = {"bucket": None, "region": None, "object": "out/${Number}.jpg"}
NOT_GIVEN = ("source_type", "start_page", "end_page", "page_ranges", "sheet_id", "image_params", "doc_password",
             "comments", "paper_direction", "paper_size", "quality", "zoom", "image_dpi", "pic_pagination",
             "queue_id", "input_url", "user_data", "callback_url", "callback_format", "callback_type", "callback_mq",
             "callback_kafka")  # fmt: skip
OPTIONS = {**dict.fromkeys(NOT_GIVEN), "input_object": "in/plan.docx", "output": OUTPUT, "target_type": "jpg"}
LISTING = {"queue_id": None, "states": None, "start_time": None, "end_time": None, "order": "newest", "limit": None}
SUBMITTED = (
    "<Response><JobsDetail><Code>Success</Code><JobId>d1</JobId><State>Submitted</State><Message/>"
    "<CreationTime>2026-01-02T03:04:05+0800</CreationTime><EndTime>-</EndTime></JobsDetail></Response>"
)


def answer(xml: str, status: int = 200) -> Answer:
    return Answer(HOST, status, {"x-ci-request-id": "r1"}, xml.encode("utf-8"))


class Vendor(played.Vendor):
    """Plays what the vendor answers to a start, unless a test gives answers."""

    def __init__(self, *script: Answer) -> None:
        super().__init__(*(script or (answer(SUBMITTED),)))


def starter(vendor: Vendor | None = None, **settings: t.Any) -> CosDocStarts:
    return CosDocStarts(
        Settings(transport=t.cast(Transport, vendor), clock=Clock(lambda: 1_700_000_000.0), **settings),
        TencentCredentials("options", lambda: Keys(*KEYS)),
    )


def start(vendor: Vendor, **options: t.Any) -> Poll:
    mine = starter(vendor)
    prepared = mine.prepare(REF, {**OPTIONS, **options}, {})
    return mine.call(prepared.make_request, prepared.read)


def body_of(**options: t.Any) -> dict[str, t.Any]:
    vendor = Vendor()
    start(vendor, **options)
    (request,) = vendor.requests
    return t.cast("dict[str, t.Any]", xmltodict.parse(t.cast(bytes, request.body))["Request"])


def refusal(vendor: Vendor | None = None, **options: t.Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        start(vendor or Vendor(), **options)
    return caught.value


# --- The start -----------------------------------------------------------------------------------------------------


def test_a_job_is_started_with_one_call() -> None:
    vendor = Vendor()
    poll = start(vendor)
    (request,) = vendor.requests
    assert (request.method, request.url) == ("POST", f"https://{HOST}/doc_jobs")
    assert request.headers["Content-Type"] == "application/xml"
    assert xmltodict.parse(t.cast(bytes, request.body)) == {
        "Request": {
            "Tag": "DocProcess",
            "Input": {"Object": "in/plan.docx"},
            "Operation": {
                "Output": {"Region": "ap-beijing", "Bucket": "examplebucket-1250000000", "Object": "out/${Number}.jpg"},
                "DocProcess": {"TgtType": "jpg"},
            },
        }
    }
    record = poll.record
    assert (record["status"], record["native_status"], record["done"]) == ("pending", "Submitted", False)
    assert (record["created_at"], record["request_id"]) == ("2026-01-01T19:04:05Z", "r1")
    assert record["ref"] == {**REF, "task_id": "d1"}
    assert (poll.response["JobsDetail"][0]["JobId"], poll.calls) == ("d1", 1)


def test_the_start_is_signed_with_the_token() -> None:
    vendor = Vendor()
    start(vendor)
    headers = vendor.requests[0].headers
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
    prepared = starter().prepare(REF, OPTIONS, {})
    assert (prepared.repeatable, "cos_doc_job_list_info" in prepared.doubt) == (False, True)


# --- The vendor's rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_that_the_vendor_lists_is_taken(source: str) -> None:
    output = {**OUTPUT, "object": "out/${SheetID}/${Number}.jpg"}
    assert body_of(input_object=f"in/plan.{source.upper()}", output=output)


def to(name: str, **more: t.Any) -> dict[str, t.Any]:
    return {"output": {**OUTPUT, "object": name}, **more}


MQ = {"mode": "Queue", "region": "bj", "name": "jobs"}
KAFKA = {"region": "ap-beijing", "instance_id": "ckafka-example", "topic": "jobs"}


def elsewhere(url: str) -> dict[str, t.Any]:
    return {"input_object": None, "input_url": url}


RULES: dict[str, tuple[dict[str, t.Any], str | None]] = {
    "pages": (to("out/${Page}.jpg"), None),
    "number in the path": (to("${Number}/x.jpg"), None),
    "no template": (
        to("out/x.jpg"),
        'output.object is "out/x.jpg", which lacks ${Number} or ${Page}; give one, which tells the pages apart.',
    ),
    "no template for pdf": (
        to("out/x.pdf", target_type="pdf"),
        'output.object is "out/x.pdf", which lacks ${Number} or ${Page}; ',
    ),
    "sheet": (to("${SheetID}/${Number}.jpg", input_object="t.csv"), None),
    "no sheet": (
        to("out/${Number}.jpg", input_object="t.xlsx"),
        'output.object is "out/${Number}.jpg", which lacks ${SheetID} in its path or ${Number} in its last part; ',
    ),
    "number not last": (
        to("${Number}/${SheetID}.jpg", input_object="t.xlsx"),
        'output.object is "${Number}/${SheetID}.jpg", which lacks ${SheetID} in its path',
    ),
    "table by its type": (
        to("out/${Number}.jpg", source_type="XLSX"),
        'output.object is "out/${Number}.jpg", which lacks ${SheetID} in its path',
    ),
    "empty template": (to(" "), "output.object is empty; give it, or leave the option out."),
    "empty bucket": ({"output": {**OUTPUT, "bucket": ""}}, "output.bucket is empty; "),
    "no suffix": (
        {"input_object": "in.d/plan"},
        'input_object is "in.d/plan", which has no suffix; give source_type, ',
    ),
    "no name": ({"input_object": ""}, 'input_object is "", which has no suffix; '),
    "unknown suffix": ({"input_object": "film.mp4"}, 'input_object is "film.mp4", which has the suffix "mp4"; '),
    "unknown type": ({"source_type": "mp4"}, 'source_type is "mp4", which COS does not convert; give source_type, '),
    "line break": (
        {"input_object": "in/a\nb.docx"},
        "input_object has a line break or another character that XML cannot hold; ",
    ),
    "no character": ({"input_object": "in/\ud800.docx"}, "input_object has a line break or"),
    "queue": ({"queue_id": ""}, "queue_id is empty; "),
    "params": ({"image_params": "a\x00"}, "image_params has a line break or"),
    "password": (
        {"doc_password": "a\ud800"},
        "doc_password has a line break or another character that XML cannot hold; ",
    ),
    "quality": (
        {"quality": 109},
        "quality is 109, which the vendor does not take; give a number from 1 to 100 percent.",
    ),
    "no quality": ({"quality": 0}, "quality is 0, which the vendor does not take; "),
    "zoom": ({"zoom": 9}, "zoom is 9, which the vendor does not take; "),
    "dpi": (
        {"image_dpi": 601},
        "image_dpi is 601, which the vendor does not take; give a number from 96 to 600 dots an inch.",
    ),
    "start page": ({"start_page": 0}, "start_page is 0, which is no page; give a page from 1 on."),
    "to the end": ({"start_page": 5, "end_page": -1}, None),
    "backwards": (
        {"start_page": 5, "end_page": 4},
        "end_page is 4, which comes before start_page; give -1 for the last page, or",
    ),
    "end page": ({"end_page": 0}, "end_page is 0, which is no page; give -1 for the last page"),
    "sheet below 0": (
        {"sheet_id": -1},
        "sheet_id is -1, which is no sheet; give a sheet from 1 on, or 0 for all sheets.",
    ),
    "all sheets": ({"sheet_id": 0}, None),
    "ranges": ({"page_ranges": "1,2-4,7"}, None),
    "no ranges": ({"page_ranges": ""}, 'page_ranges is "", which is not of the form 1,2-4,7; '),
    "ranges from 0": ({"page_ranges": "0-3"}, 'page_ranges is "0-3", which is not of the form 1,2-4,7; '),
    "open range": ({"page_ranges": "3-"}, 'page_ranges is "3-", which is not of the form 1,2-4,7; '),
    "blank in ranges": ({"page_ranges": "1, 2"}, 'page_ranges is "1, 2", which is not of the form 1,2-4,7; '),
    "ranges backwards": ({"page_ranges": "4-2"}, 'page_ranges is "4-2", and 4-2 ends before it begins; '),
    "pages of a pdf": (
        {"target_type": "pdf", "end_page": 3},
        'end_page is given, and target_type is "pdf", which takes the whole document; leave end_page out, or make images.',
    ),
    "long image": ({"pic_pagination": True, "end_page": 20}, None),
    "too long image": (
        {"pic_pagination": True, "end_page": 21},
        "pic_pagination is true for 21 pages; give at most 20 pages, ",
    ),
    "long image of a pdf": (
        {"pic_pagination": True, "target_type": "pdf"},
        'pic_pagination is true, and target_type is "pdf"; ',
    ),
    "a document elsewhere": (elsewhere("https://files.example.com/a/b.DOCX?sign=x.mp4#y"), None),
    "no suffix elsewhere": (
        elsewhere("https://u:FAKE-PASSWORD@files.example.com/a?sign=FAKE-SIGNATURE.docx"),
        'input_url is "https://files.example.com/a", which has no suffix; ',
    ),
    "no URL": (
        elsewhere("ftp://x/a.docx"),
        'input_url is "ftp://x/a.docx", which is no URL; give an http:// or https:// URL.',
    ),
    "empty user data": ({"user_data": " "}, "user_data is empty; "),
    "no address": ({"callback_url": "hooks.example.com"}, "callback_url is no URL without blanks; "),
    "format of nothing": (
        {"callback_format": "JSON"},
        "callback_format is given, and callback_url is missing; give callback_url, too.",
    ),
    "type of nothing": ({"callback_type": "Kafka"}, "callback_type is given, and callback_kafka is missing; "),
    "queue without its type": (
        {"callback_mq": MQ},
        'callback_mq is given, and callback_type is "Url"; give callback_url with that type, or the type of callback_mq.',
    ),
    "two queues": (
        {"callback_type": "TDMQ", "callback_mq": MQ, "callback_kafka": KAFKA},
        'callback_kafka is given, and callback_type is "TDMQ"; ',
    ),
    "URL of a queue": (
        {"callback_type": "TDMQ", "callback_url": "https://x"},
        'callback_url is given, and callback_type is "TDMQ"; ',
    ),
    "empty topic": (
        {"callback_type": "Kafka", "callback_kafka": {**KAFKA, "topic": ""}},
        "callback_kafka.topic is empty; ",
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_the_vendors_rules_are_told_before_anything_is_sent(name: str) -> None:
    options, said = RULES[name]
    vendor = Vendor()
    if said is None:
        start(vendor, **options)
        assert vendor.sent == 1
    else:
        error = refusal(vendor, **options)
        assert (error.kind, error.sentence("It")[11 : 11 + len(said)], vendor.sent) == ("config", said, 0)


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ({"bucket": "examplebucket"}, 'bucket is "examplebucket", which is not'),
        ({"region": None}, "region is missing"),
    ],
)
def test_the_bucket_is_checked_first(ref: dict[str, t.Any], said: str) -> None:
    with pytest.raises(CloudError, match=f"^{said}") as caught:
        starter(endpoint="https://gate.example.com").prepare({**REF, **ref}, OPTIONS, {})
    assert caught.value.kind == "config"


# --- Callbacks and documents elsewhere -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "elements"),
    [
        ({"callback_url": "https://x/y"}, {"CallBack": "https://x/y"}),
        (
            {"callback_url": "https://x/y", "callback_type": "Url", "callback_format": "JSON"},
            {"CallBackFormat": "JSON", "CallBackType": "Url", "CallBack": "https://x/y"},
        ),
        (
            {"callback_type": "TDMQ", "callback_mq": MQ},
            {
                "CallBackType": "TDMQ",
                "CallBackMqConfig": {"MqMode": "Queue", "MqRegion": "bj", "MqName": "jobs"},
            },
        ),
        (
            {"callback_type": "Kafka", "callback_kafka": KAFKA, "callback_format": "XML"},
            {
                "CallBackFormat": "XML",
                "CallBackType": "Kafka",
                "CallBackKafkaConfig": {"Region": "ap-beijing", "InstanceId": "ckafka-example", "Topic": "jobs"},
            },
        ),
    ],
    ids=["the default", "a URL", "TDMQ", "Kafka"],
)
def test_a_callback_is_asked_for(options: dict[str, t.Any], elements: dict[str, t.Any]) -> None:
    body = body_of(**options, queue_id="p1", user_data="march")
    assert body["Operation"]["UserData"] == "march"
    assert list(body["Operation"]) == ["Output", "DocProcess", "UserData"]
    assert list(body)[:4] == ["Tag", "Input", "Operation", "QueueId"]
    assert list(body.items())[4:] == list(elements.items())  # in the order of the vendor's SDK


def test_a_document_elsewhere_takes_the_place_of_an_object() -> None:
    url = "https://files.example.com/march.docx?sign=FAKE-SIGNATURE"
    assert body_of(**elsewhere(url))["Input"] == {"Url": url}


def test_what_stands_behind_a_question_mark_is_a_secret() -> None:
    mine = starter(Vendor())
    urls = {"callback_url": "https://x/y?token=FAKE-TOKEN", **elsewhere("https://x/a.docx?sign=FAKE-SIGNATURE")}
    mine.prepare(REF, {**OPTIONS, **urls}, {})
    assert {"sign=FAKE-SIGNATURE", "token=FAKE-TOKEN", urls["callback_url"]} <= set(mine.secrets())


@pytest.mark.parametrize("state", ["", "<State/>", "<State><a/></State>"])
def test_an_id_is_not_lost_for_want_of_a_status(state: str) -> None:
    record = start(Vendor(answer(f"<Response><JobsDetail><JobId>d1</JobId>{state}</JobsDetail></Response>"))).record
    assert (record["task_id"], record["status"], record["native_status"]) == ("d1", "pending", None)


# --- The list ------------------------------------------------------------------------------------------------------


def page(*names: str, token: str = "") -> Answer:
    jobs = "".join(f"<JobsDetail><JobId>{name}</JobId><State>Running</State></JobsDetail>" for name in names)
    return answer(f"<Response>{jobs}{token}</Response>")


def listed(vendor: Vendor, **options: t.Any) -> list[Listed]:
    mine = starter(vendor)
    return list(list_tasks(mine, REF, {**LISTING, **options}, lambda ask: ask()))


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
    request = vendor.requests[0]
    signed = re.search("q-url-param-list=([^&]*)&", request.headers["Authorization"])
    assert signed
    assert signed[1] == "endcreationtime;orderbytime;queueid;size;startcreationtime;states;tag"
    assert "2026-01-01T19%3A04%3A05%2B0000" in request.url


def test_an_empty_list_of_states_means_all() -> None:
    vendor = Vendor(page())
    listed(vendor, states=[])
    assert "states" not in vendor.queries[0]


def test_what_has_no_id_is_left_out() -> None:
    jobs = "<JobsDetail/><JobsDetail><State>Running</State></JobsDetail><JobsDetail><JobId>d1</JobId></JobsDetail>"
    (one,) = listed(Vendor(answer(f"<Response>{jobs}</Response>")))
    assert (one.ref["task_id"], one.record) == ("d1", None)  # it has no state, so nobody can tell its status


def test_a_list_that_goes_in_circles_ends() -> None:
    vendor = Vendor(page("d1", token="<NextToken>7</NextToken>"))
    assert len(listed(vendor)) == 1
    assert len(vendor.requests) == 2
    assert vendor.sent == 2


def test_a_time_that_is_none_is_told_before_anything_is_sent() -> None:
    vendor = Vendor()
    with pytest.raises(CloudError, match=r'^start_time is "yesterday", which is no time$'):
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


# --- A queue that is watched as a whole -----------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "sent"), [("p1", "p1"), (None, None), ("", None)])
def test_a_watch_lists_what_is_open_and_what_has_ended_since(given: str | None, sent: str | None) -> None:
    common = {"tag": "DocProcess", "queueId": sent, "orderByTime": "Asc"}
    filters = list(starter().watch_filters({"queue_id": given}, "2026-01-02T03:04:05Z"))
    assert filters == [
        ("open", {**common, "states": "Submitted,Running,Pause"}),
        ("ended", {**common, "states": "Success,Failed,Cancel", "startCreationTime": "2026-01-02T03:04:05+0000"}),
    ]


@pytest.mark.parametrize(("told", "is_it"), [("6", True), ("0", True), (None, True), ("1", False), ("7", False)])
def test_a_job_that_begins_with_another_page_is_another_one(told: str | None, is_it: bool) -> None:
    """What was not given is repeated as 0, or not at all."""

    def content(first: str | None) -> dict[str, t.Any]:
        pages = {} if first is None else {"StartPage": first}
        output = {"Bucket": "b-1", "Object": "out/p-${Number}.jpg"}
        return {"Input": {"Object": "in/plan.docx"}, "Operation": {"Output": output, "DocProcess": pages}}

    assert _is_of(content(told), content("6")) == is_it
    assert not _is_of(content("6"), content(None))
