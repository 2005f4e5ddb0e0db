# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent COS: document jobs, whose answers are XML in which a list of one looks like no list."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.cos_doc import CosDoc
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import cos

HOST = "examplebucket-1250000000.ci.ap-beijing.myqcloud.com"
REF = {"provider": "cos_doc", "task_id": "d1", "bucket": "examplebucket-1250000000", "region": "ap-beijing"}
REQUEST_ID = {"x-ci-request-id": "header-id"}


def provider(token: str | None = None, transport: t.Any = None, **settings: t.Any) -> CosDoc:
    return CosDoc(
        Settings(transport=t.cast(Transport, transport), clock=Clock(lambda: 1_700_000_000.5), **settings),
        TencentCredentials("options", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY", token)),
    )


def answer(xml: str | bytes, status: int = 200, **headers: str) -> Answer:
    body = xml if isinstance(xml, bytes) else xml.encode("utf-8")
    return Answer(HOST, status, {**REQUEST_ID, **headers}, body)


def job(state: str = "<State>Success</State>", inside: str = "", job_id: str = "d1") -> str:
    """A job as the vendor tells it; times and operation come from the caller."""
    return f"<JobsDetail><JobId>{job_id}</JobId><Code>Success</Code><Message/>{state}{inside}</JobsDetail>"


def read(inside: str) -> dict[str, t.Any]:
    return provider().read(REF, answer(f"<Response>{inside}</Response>"))[0]


def result(total: str = "3", good: str = "3", bad: str = "0", pages: str = "", output: str = "") -> str:
    """What became of the pages."""
    return (
        f"<Operation><DocProcessResult><TotalPageCount>{total}</TotalPageCount><SuccPageCount>{good}</SuccPageCount>"
        f"<FailPageCount>{bad}</FailPageCount>{pages}</DocProcessResult>{output}</Operation>"
    )


def refusal(got: Answer, task_id: str = "d1") -> CloudError:
    with pytest.raises(CloudError) as caught:
        provider().read({**REF, "task_id": task_id}, got)
    return caught.value


# --- Statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "native", "status"),
    [
        ("<State> Success\n</State>", "Success", "succeeded"),
        ("<State>All</State>", "All", "unknown"),
        ("<State>success</State>", "success", "unknown"),
    ],
)
def test_the_state_is_the_status_and_the_code_is_not(state: str, native: str | None, status: str) -> None:
    record = read(job(state))
    assert (record["native_status"], record["status"]) == (native, status)


@pytest.mark.parametrize(
    ("good", "bad", "status", "message"),
    [
        ("3", "0", "succeeded", None),
        ("1", "0", "succeeded", None),  # fewer than there are in the source: only those were asked for
        ("2", "1", "partial", "1 of 3 pages failed"),
        ("0", "3", "failed", "3 of 3 pages failed"),
        ("1.0", "2.0", "partial", "2 of 3 pages failed"),
    ],
)
def test_pages_that_failed_make_a_success_partial(good: str, bad: str, status: str, message: str | None) -> None:
    record = read(job(inside=result(good=good, bad=bad)))
    error = message and {"code": None, "message": message, "reason": "processing"}
    assert (record["status"], record["error"]) == (status, error)


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<State>Success</State><Operation/>", "Operation is empty, which cannot be read"),
        ("<State>Success</State><Operation>x</Operation>", 'Operation is "x", which cannot be read'),
        (
            "<State>Success</State><Operation><DocProcessResult/></Operation>",
            "DocProcessResult is empty, which cannot be read",
        ),
        ("<State>Success</State>" + result(bad=""), "FailPageCount is empty, which cannot be read"),
        ("<State>Success</State>" + result(bad="two"), 'FailPageCount is "two", which cannot be read'),
        ("<State>Success</State>" + result(bad="-1"), 'FailPageCount is "-1", which cannot be read'),
        ("<State>Success</State>" + result(good="1.5"), 'SuccPageCount is "1.5", which cannot be read'),
    ],
)
def test_without_a_status_that_can_be_read_there_is_no_record(inside: str, said: str) -> None:
    error = refusal(answer(f"<Response>{job(inside)}</Response>"))
    assert (error.kind, error.retryable, error.http_status, error.request_id) == ("protocol", True, 200, "header-id")
    assert error.said == f"{HOST} answered with HTTP 200 and {said}"


def test_an_answer_of_an_error_status_is_no_record() -> None:
    assert refusal(answer(f"<Response>{job()}</Response>", 500)).kind == "server"


def test_pages_that_failed_say_nothing_while_a_job_runs() -> None:
    record = read(job("<State>Running</State>", result(good="1", bad="1")))
    assert (record["status"], record["error"]) == ("running", None)
    assert record["counts"] == {"total": 3, "succeeded": 1, "failed": 1}


def test_a_failed_job_says_why() -> None:
    xml = (
        "<JobsDetail><State>Failed</State><Code>BadFile</Code>"
        "<Message>cannot be\n::error::opened\u2028.</Message></JobsDetail>"
    )
    record = read(xml)
    assert record["error"] == {"code": "BadFile", "message": "cannot be ::error::opened .", "reason": "unknown"}
    assert (record["counts"], record["outputs"]) == (None, [])


@pytest.mark.parametrize(("text", "progress"), [("40", 40), ("", None), ("140", None)])
def test_a_progress_counts_where_there_is_one(text: str, progress: int | None) -> None:
    assert read(job("<State>Running</State>", f"<Progress>{text}</Progress>"))["progress"] == progress


@pytest.mark.parametrize(
    ("text", "iso"),
    [("2026-01-02T03:04:05+0800", "2026-01-01T19:04:05Z"), ("-", None), ("", None), ("later", None)],
)
def test_a_time_that_is_not_yet_is_a_dash(text: str, iso: str | None) -> None:
    times = f"<CreationTime>{text}</CreationTime><StartTime>{text}</StartTime><EndTime>{text}</EndTime>"
    record = read(job(inside=times))
    assert [record["created_at"], record["started_at"], record["finished_at"]] == [iso] * 3


# --- Pages ---------------------------------------------------------------------------------------------------------

TARGET = "<Output><Bucket>examplebucket-1250000000</Bucket><Object>out/x</Object><Region>ap-beijing</Region></Output>"
PLACE = {"type": "cos_object", "bucket": "examplebucket-1250000000", "region": "ap-beijing"}
SHEET = "<PageInfo><PageNo>{}</PageNo><PicIndex>9</PicIndex><PicNum>{}</PicNum><TgtUri>{}</TgtUri></PageInfo>"


@pytest.mark.parametrize(
    ("pages", "outputs"),
    [
        ("", []),
        ("<PageInfo/>", []),
        ("<PageInfo><PageNo>2</PageNo></PageInfo>", []),
        (
            "<PageInfo><PageNo>2</PageNo><TgtUri>out/2.png</TgtUri></PageInfo>",
            [{**PLACE, "value": "out/2.png", "page": 2}],
        ),
        (
            "<PageInfo><PageNo>1</PageNo><TgtUri>/a</TgtUri></PageInfo><PageInfo><TgtUri>b</TgtUri></PageInfo>",
            [{**PLACE, "value": "/a", "page": 1}, {**PLACE, "value": "b", "page": None}],
        ),
        (
            SHEET.format(1, 1, "a") + SHEET.format(1, 2, "b"),
            [{**PLACE, "value": "a", "page": 1, "sheet": 1}, {**PLACE, "value": "b", "page": 2, "sheet": 1}],
        ),
    ],
    ids=["none", "empty", "no file", "one", "two", "sheets"],
)
def test_pages_may_be_one_or_many(pages: str, outputs: list[t.Any]) -> None:
    assert read(job(inside=result(pages=pages, output=TARGET)))["outputs"] == outputs


@pytest.mark.parametrize("count", [1, 2])
def test_lists_of_one_are_lists_in_the_response(count: int) -> None:
    page = "<PageInfo><TgtUri>a</TgtUri></PageInfo>"
    response = provider().read(REF, answer(f"<Response>{job(inside=result(pages=page * count))}</Response>"))[1]
    jobs = response["JobsDetail"]
    assert isinstance(jobs, list)
    assert jobs[0]["Operation"]["DocProcessResult"]["PageInfo"] == [{"TgtUri": "a"}] * count


def test_the_whole_record_of_a_job_that_is_done() -> None:
    xml = f"""<?xml version="1.0" encoding="utf-8"?>
    <Response>
      {
        job(
            inside='''<CreationTime>2026-01-02T03:04:05+0800</CreationTime><StartTime>-</StartTime>
            <EndTime>2026-01-02T03:04:09+0800</EndTime>'''
            + result("2", "1", "0", "<PageInfo><PageNo>2</PageNo><TgtUri>out/2.png</TgtUri></PageInfo>", TARGET),
            job_id="another",
        )
    }
    </Response>"""
    assert read_whole(xml) == {
        "provider": "cos_doc",
        "task_id": "d1",
        "status": "succeeded",
        "native_status": "Success",
        "done": True,
        "progress": None,
        "counts": {"total": 2, "succeeded": 1, "failed": 0},
        "error": None,
        "parts": [],
        "outputs": [{**PLACE, "value": "out/2.png", "page": 2}],
        "created_at": "2026-01-01T19:04:05Z",
        "started_at": None,
        "finished_at": "2026-01-01T19:04:09Z",
        "request_id": "header-id",
        "ref": REF,
    }


def read_whole(xml: str) -> dict[str, t.Any]:
    return provider().read(REF, answer(xml.strip()))[0]


REWRITTEN = "<Output><Bucket>examplebucket-1250000000</Bucket><Object>{}</Object><Region>ap-beijing</Region></Output>"


@pytest.mark.parametrize("tag", ["DocWatermark", "DocAIGCMetadata", "NextYears"])
def test_a_job_that_rewrites_a_document_makes_the_object_that_was_asked_for(tag: str) -> None:
    marked = "<DocWatermarkResult><Size>5</Size><TotalPageCount>2</TotalPageCount></DocWatermarkResult>"
    inside = f"<Tag>{tag}</Tag><Operation>{marked}{REWRITTEN.format('out/marked.pdf')}</Operation>"
    assert read(job(inside=inside))["outputs"] == [{**PLACE, "value": "out/marked.pdf", "page": None}]


@pytest.mark.parametrize(
    ("state", "tag", "name"),
    [
        ("Success", "DocProcess", "out/x.pdf"),
        ("Success", "DocWatermark", "out/x-${Number}.pdf"),
        ("Success", "DocWatermark", ""),
        ("Success", "", "out/x.pdf"),
        ("Running", "DocWatermark", "out/x.pdf"),
        ("Failed", "DocWatermark", "out/x.pdf"),
    ],
)
def test_only_a_success_of_such_a_job_made_it(state: str, tag: str, name: str) -> None:
    inside = f"<Tag>{tag}</Tag><Operation>{REWRITTEN.format(name)}</Operation>"
    assert read(job(f"<State>{state}</State>", inside))["outputs"] == []


# --- Which job -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "native"),
    [
        (job("<State>Running</State>"), "Running"),
        (job("<State>Running</State>", job_id="echoed"), "Running"),
        (job("<State>Failed</State>", job_id="other") + job("<State>Running</State>"), "Running"),
        (job("<State>Running</State>") + "<NonExistJobIds>other</NonExistJobIds>", "Running"),
        (job("<State>Running</State>") + "<JobsDetail/>", "Running"),
        (job("<State>Running</State>") + "<NonExistJobIds/>", "Running"),
    ],
)
def test_the_job_that_was_asked_for_is_found(inside: str, native: str) -> None:
    record = read(inside)
    assert (record["native_status"], record["task_id"]) == (native, "d1")


@pytest.mark.parametrize(
    ("inside", "task_id"),
    [
        ("<NonExistJobIds>d1</NonExistJobIds>", "d1"),
        ("<NonExistJobIds> d1 </NonExistJobIds>", "d1"),
        ("<NonExistJobIds>d0</NonExistJobIds><NonExistJobIds>d1</NonExistJobIds>", "d1"),
        ("<NonExistJobIds>d0, d1,d2</NonExistJobIds>", "d1"),
        ("<NonExistJobIds>d,1</NonExistJobIds>", "d,1"),
        ("<NonExistJobIds>d1</NonExistJobIds><JobsDetail/>", "d1"),
        ("<NonExistJobIds>d1</NonExistJobIds>" + job(job_id="other"), "d1"),
    ],
)
def test_a_job_that_does_not_exist_is_not_found(inside: str, task_id: str) -> None:
    error = refusal(answer(f"<Response>{inside}</Response>"), task_id)
    assert error.as_dict() == {
        "kind": "not_found",
        "code": "NonExistJobIds",
        "message": f'the vendor knows no document job "{task_id}" in this bucket',
        "http_status": 200,
        "request_id": "header-id",
        "retryable": False,
    }
    assert error.advice == "check the job id, bucket and region; records are kept for one month"


@pytest.mark.parametrize(
    "xml",
    [
        "<Response/>",
        "<Response></Response>",
        "<Response>text</Response>",
        "<Response><JobsDetail/></Response>",
        "<Response><NonExistJobIds>d2,d11</NonExistJobIds></Response>",
        "<Response><NonExistJobIds/></Response>",
        f"<Response>{job(job_id='x')}{job(job_id='y')}</Response>",
    ],
)
def test_an_answer_without_the_job_is_told(xml: str) -> None:
    error = refusal(answer(xml))
    assert (error.kind, error.retryable) == ("protocol", True)
    assert error.said == f"{HOST} answered with HTTP 200 and without the job that was asked for"


# --- Errors --------------------------------------------------------------------------------------------------------

ERROR = (
    "<?xml version='1.0' encoding='utf-8'?><Error><Code>{}</Code><Message>no way.</Message>"
    "<Resource>r</Resource><RequestId>body-id</RequestId><TraceId>t</TraceId></Error>"
)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Request has expired", "clock"),
        ("request has EXPIRED.", "clock"),
        ("RequestTimeTooSkewed: check the clock", "clock"),
        ("The difference between the request time and the server's time is too large.", "clock"),
        ("Access Denied.", "permission"),
        ("", "permission"),
    ],
)
def test_a_refusal_whose_message_tells_of_the_time_is_one_of_the_clock(message: str, kind: str) -> None:
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    error = refusal(answer(ERROR.format("AccessDenied").replace("no way.", message), 403, Date=date))
    assert (error.kind, error.code) == (kind, "AccessDenied")
    assert error.server_time == (1_700_000_000.0 if kind == "clock" else None)


def test_a_wrong_bucket_says_what_to_check() -> None:
    advice = refusal(answer(ERROR.format("NoSuchBucket"), 404)).advice
    assert advice == "check bucket (its name and the APPID behind the dash) and region"


def test_only_a_clock_error_tells_the_vendors_time() -> None:
    date = "Tue, 14 Nov 2023 22:13:20 GMT"
    assert refusal(answer(ERROR.format("RequestTimeTooSkewed"), 403, Date=date)).server_time == 1_700_000_000.0
    assert refusal(answer(ERROR.format("AccessDenied"), 403, Date=date)).server_time is None


@pytest.mark.parametrize(
    ("xml", "code", "message", "request_id"),
    [
        ("<Error><Code>X</Code></Error>", "X", "", "header-id"),
        ("<Error><Message>m</Message></Error>", "an error without a code", "m", "header-id"),
        ("<Error><Code/><RequestId/></Error>", "an error without a code", "", "header-id"),
    ],
)
def test_an_error_may_lack_members(xml: str, code: str, message: str, request_id: str) -> None:
    error = refusal(answer(xml, 403))
    assert (error.code, error.message, error.request_id) == (code, message, request_id)


ONE_ENTITY = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "Success">]>'
    "<Response><JobsDetail><JobId>d1</JobId><State>&e;</State></JobsDetail></Response>"
)
TYPED = (
    "{} answered with HTTP {} and something else where XML that declares no document type and no entity was expected"
)
ELSE = "{} answered with HTTP {} and something else where an XML {} was expected"
EMPTY = "{} answered with HTTP {} and an empty body where an XML {} was expected"


ENTITY = (
    '<?xml version="1.0" encoding="{}"?>{}<Response><JobsDetail><JobId>d1</JobId><State>&lt;</State><Operation>'
    "<DocProcessResult><FailPageCount>{}</FailPageCount><SuccPageCount>1</SuccPageCount></DocProcessResult></Operation>"
    "</JobsDetail></Response>"
).replace("&lt;", "Success")
DECLARED = '<!DOCTYPE Response [<!ENTITY none "0">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        ENTITY.format("{}", DECLARED, "&none;"),
        ENTITY.format("{}", DECLARED, "0"),
        ENTITY.format("{}", "<!DOCTYPE Response>", "0"),
        ENTITY.format("{}", "<!-- a remark -->\n<!DOCTYPE Response SYSTEM 'http://127.0.0.1:9/x.dtd'>", "0"),
    ],
    ids=["used", "declared", "a type", "elsewhere"],
)
def test_an_answer_that_declares_a_type_or_an_entity_is_refused(text: str, encoding: str) -> None:
    bom = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    name = "utf-16" if encoding.startswith("utf-16") else encoding
    error = refusal(answer(bom + text.format(name).encode(encoding)))
    assert (error.kind, error.said) == ("protocol", TYPED.format(HOST, 200))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_that_looks_like_such_a_declaration_is_none(encoding: str) -> None:
    inside = f"<Note><![CDATA[{DECLARED}]]></Note>"
    xml = f'<?xml version="1.0" encoding="{encoding}"?><Response>{job(inside=inside)}</Response>'
    assert provider().read(REF, answer(xml.encode(encoding)))[0]["status"] == "succeeded"


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, b"{}", "protocol", ELSE.format(HOST, 200, "Response")),
        (200, b"<html><body>hello</body></html>", "protocol", ELSE.format(HOST, 200, "Response")),
        (200, b"<Response><JobsDetail></Response>", "protocol", ELSE.format(HOST, 200, "Response")),
        (200, b"<Response>\xff\xfe</Response>", "protocol", ELSE.format(HOST, 200, "Response")),
        (200, b"<?xml version='1.0' encoding='klingon'?><Response/>", "protocol", ELSE.format(HOST, 200, "Response")),
        (200, ONE_ENTITY.encode(), "protocol", TYPED.format(HOST, 200)),
        (200, b"<Error>text</Error>", "protocol", ELSE.format(HOST, 200, "Response")),
        (403, b"", "protocol", EMPTY.format(HOST, 403, "document of the vendor")),
        (403, b"<html/>", "protocol", f"{HOST} answered with HTTP 403"),
    ],
)
def test_what_is_not_of_the_vendors_form_is_told(status: int, body: bytes, kind: str, said: str) -> None:
    error = refusal(answer(body, status))
    assert (error.kind, error.said, error.retryable) == (kind, said, True)


def test_other_encodings_and_namespaces_are_read() -> None:
    xml = '<?xml version="1.0" encoding="utf-16"?><Response xmlns="urn:x">' + job() + "</Response>"
    assert provider().read(REF, answer(xml.encode("utf-16")))[0]["status"] == "succeeded"


def test_a_deeply_nested_answer_is_refused() -> None:
    class Sending:
        sent = 0

        def send(self, request: t.Any, *, timeout: float | None = None) -> Answer:
            return answer(f"<Response>{job(inside='<a>' * 5000 + '</a>' * 5000)}</Response>")

    with pytest.raises(CloudError, match=r"^the answer is nested deeper than 100 levels$"):
        provider(transport=Sending()).poll(REF)


# --- The request ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task_id", "path"),
    [
        ("d1", "/doc_jobs/d1"),
        ("d/1?x=y#z", "/doc_jobs/d%2F1%3Fx%3Dy%23z"),
        ("d 1,2", "/doc_jobs/d%201%2C2"),
        ("\u6587", "/doc_jobs/%E6%96%87"),
    ],
)
def test_the_job_id_is_part_of_the_path_whatever_it_is(task_id: str, path: str) -> None:
    assert provider().request({**REF, "task_id": task_id}).url == f"https://{HOST}{path}"


SIGNED = (
    "q-sign-algorithm=sha1&q-ak=id&q-sign-time=1699999940;1700010000&q-key-time=1699999940;1700010000"
    "&q-header-list={}&q-url-param-list=&q-signature="
)


@pytest.mark.parametrize(
    ("token", "names", "sent"),
    [
        (None, "host", {}),
        ("EXAMPLE-FAKE-STS-TOKEN", "host;x-ci-security-token", {"x-ci-security-token": "EXAMPLE-FAKE-STS-TOKEN"}),
    ],
)
def test_host_and_token_are_signed(token: str | None, names: str, sent: dict[str, str]) -> None:
    request = provider(token).request(REF)
    request.sign()
    headers = dict(request.headers)
    assert headers["Authorization"].startswith(SIGNED.format(names))
    assert {name: headers[name] for name in headers if name.startswith("x-")} == sent
    assert headers["Host"] == HOST


@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:8080/base"])
def test_the_decoded_path_of_the_request_is_signed(endpoint: str | None) -> None:
    request = provider(endpoint=endpoint).request({**REF, "task_id": "d 1,2"})
    request.sign()
    wanted = cos.sign(
        method="GET",
        path="/base/doc_jobs/d 1,2" if endpoint else "/doc_jobs/d 1,2",
        headers={"Host": "127.0.0.1:8080" if endpoint else HOST},
        secret_id="id",
        secret_key="EXAMPLE-FAKE-SECRET-KEY",
        times="1699999940;1700010000",
    )
    assert {name: request.headers[name] for name in wanted} == wanted


def test_a_region_may_come_from_the_environment() -> None:
    environ = {"TENCENTCLOUD_REGION": "ap-beijing"}
    assert CosDoc.make_blank_ref({}, environ)["region"] == "ap-beijing"
    assert CosDoc.make_blank_ref({"region": "r"}, environ)["region"] == "r"


NO_BUCKET = "which is not of the form name-appid"
BUCKET_ADVICE = "give the bucket's name with the APPID behind a dash, such as examplebucket-1250000000."
REGION_ADVICE = "give the region's id, such as ap-beijing, or set TENCENTCLOUD_REGION."


@pytest.mark.parametrize(
    ("bucket", "region", "said"),
    [
        (None, "ap-beijing", f"bucket is missing; {BUCKET_ADVICE}"),
        ("examplebucket", "ap-beijing", f'bucket is "examplebucket", {NO_BUCKET}; {BUCKET_ADVICE}'),
        ("x.evil.example/-1", "ap-beijing", f'bucket is "x.evil.example/-1", {NO_BUCKET}; {BUCKET_ADVICE}'),
        ("Bucket-1250000000", "ap-beijing", f'bucket is "Bucket-1250000000", {NO_BUCKET}; {BUCKET_ADVICE}'),
        ("b-1\n", "ap-beijing", f'bucket is "b-1\\n", {NO_BUCKET}; {BUCKET_ADVICE}'),
        ("b-1", None, f"region is missing; {REGION_ADVICE}"),
        ("b-1", "Beijing", f'region is "Beijing", which is no region\'s id; {REGION_ADVICE}'),
        (
            "b-1",
            "ap-beijing.evil.example/",
            f'region is "ap-beijing.evil.example/", which is no region\'s id; {REGION_ADVICE}',
        ),
    ],
)
@pytest.mark.parametrize("endpoint", [None, "http://127.0.0.1:8080"])
def test_bucket_and_region_are_parts_of_a_host(bucket: t.Any, region: t.Any, said: str, endpoint: str | None) -> None:
    with pytest.raises(CloudError) as caught:
        provider(endpoint=endpoint).request({**REF, "bucket": bucket, "region": region})
    assert caught.value.kind == "config"
    assert caught.value.sentence("Polling") == f"Polling failed: {said}"


@pytest.mark.parametrize("site", [None, "china", "intl"])
def test_the_site_changes_nothing(site: str | None) -> None:
    assert provider(site=site).vendor_url(REF) == f"https://{HOST}"


# --- What decides and cannot be read --------------------------------------------------------------------------------

WHOLE = (
    "<Response><JobsDetail><JobId>d1</JobId><State>Success</State><Tag>DocProcess</Tag><Operation><DocProcessResult>"
    "<FailPageCount>0</FailPageCount><SuccPageCount>2</SuccPageCount></DocProcessResult><JobLevel>0</JobLevel>"
    "</Operation></JobsDetail></Response>"
)
PLACES: dict[str, tuple[str, str, dict[str, str]]] = {
    "State": ("<State>", "Success", {}),
    "DocProcessResult": (
        "<DocProcessResult>",
        "<FailPageCount>0</FailPageCount><SuccPageCount>2</SuccPageCount>",
        {
            "absent": "the vendor's page says that it may be absent, and the state is that of a success",
            "attribute": "an attribute changes nothing",
        },
    ),
    "FailPageCount": (
        "<FailPageCount>",
        "0",
        {"0": "it is this", "0.0": "it is this"},
    ),
    "SuccPageCount": (
        "<SuccPageCount>",
        "2",
        dict.fromkeys(("absent", "0", "7", "0.0"), "it decides only when pages failed"),
    ),
    "Operation": (
        "<Operation>",
        "<DocProcessResult><FailPageCount>0</FailPageCount></DocProcessResult>",
        {
            "absent": "the state alone is left, which is that of a success",
            "nested": "as without a DocProcessResult",
            "attribute": "an attribute changes nothing",
        },
    ),
}
FORMS = {
    "absent": "",
    "empty": "<{0}/>",
    "text": "<{0}>odd</{0}>",
    "true": "<{0}>true</{0}>",
    "0": "<{0}>0</{0}>",
    "0.0": "<{0}>0.0</{0}>",
    "7": "<{0}>7</{0}>",
    "-1": "<{0}>-1</{0}>",
    "1.5": "<{0}>1.5</{0}>",
    "nested": "<{0}><Inner>{1}</Inner></{0}>",
    "repeated": "<{0}>{1}</{0}><{0}>{1}</{0}>",
    "attribute": '<{0} odd="1">{1}</{0}>',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PLACES)
def test_what_cannot_be_read_is_no_success(name: str, form: str) -> None:
    begin, inner, same = PLACES[name]
    before, rest = WHOLE.split(begin)
    xml = before + FORMS[form].format(name, inner) + rest.split(begin.replace("<", "</"))[1]
    try:
        status = provider().read(REF, answer(xml))[0]["status"]
    except CloudError as error:
        status = error.kind
    assert (status == "succeeded") is (form in same), status
