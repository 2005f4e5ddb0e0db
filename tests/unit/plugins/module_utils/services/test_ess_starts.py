# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent ESS: a file goes up as often as need be, its conversion is started once, and what is wrong is said first."""

from __future__ import annotations

import base64
import builtins
import json
import os
import pathlib
import re
import typing as t
from datetime import date

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import EssStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import is_uncertain
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.tests.unit import played

HOST = "essbasic.tencentcloudapi.com"
FILE_HOST = "file.ess.tencent.cn"
AGENT = {"app_id": "yDExampleApp", "proxy_organization_open_id": "org-1", "proxy_operator": {"open_id": "operator-1"}}
SENT_AGENT = {
    "AppId": "yDExampleApp",
    "ProxyOrganizationOpenId": "org-1",
    "ProxyOperator": {"OpenId": "operator-1"},
}
REF = {"provider": "ess", "task_id": None, "agent": AGENT}
OLD, NEW = "ChannelCreateConvertTaskApi", "CreateFileConvertTask"
MIB = 1024 * 1024
OPTIONS = {"src": None, "resource_id": None, "resource_type": None, "resource_name": None}
UPLOADED = {"FileIds": ["yDExampleResource"], "FileUrls": ["u"], "TotalCount": 1, "RequestId": "r0"}
STARTED = {"TaskId": "yDExampleTask", "RequestId": "r1"}


def answer(response: t.Any, status: int = 200) -> Answer:
    return Answer(HOST, status, {}, json.dumps({"Response": response}).encode())


def fault(code: str, message: str = "no") -> Answer:
    return answer({"Error": {"Code": code, "Message": message}, "RequestId": "r1"})


class Vendor(played.Vendor):
    """Plays what the vendor answers to a start, unless a test gives answers."""

    def __init__(self, *script: Answer | CloudError) -> None:
        super().__init__(*(script or (answer(UPLOADED), answer(STARTED))))


def starter(vendor: Vendor | None = None, *, api_action: str = "auto", **settings: t.Any) -> EssStarts:
    return EssStarts(
        Settings(transport=t.cast(Transport, vendor), clock=Clock(lambda: 1_700_000_000.0), **settings),
        TencentCredentials("options", lambda: Keys("AKIDEXAMPLE", "EXAMPLE-FAKE-SECRET-KEY", "EXAMPLE-FAKE-TOKEN")),
        api_action=api_action,
        today=lambda: date(2026, 6, 1),
    )


def start(mine: EssStarts, environ: dict[str, str] | None = None, **options: t.Any) -> Poll:
    prepared = mine.prepare(REF, {**OPTIONS, **options}, environ or {})
    return mine.call(prepared.make_request, prepared.read)


def refusal(mine: EssStarts | None = None, environ: dict[str, str] | None = None, **options: t.Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        start(mine or starter(), environ, **options)
    return caught.value


@pytest.fixture
def plan(tmp_path: pathlib.Path) -> str:
    path = tmp_path / "plan.docx"
    path.write_bytes(b"\0PK content")
    return str(path)


# --- The calls -----------------------------------------------------------------------------------------------------


def test_a_resource_is_converted_with_one_call() -> None:
    vendor = Vendor(answer(STARTED))
    poll = start(starter(vendor), resource_id="yDresource", resource_name="plan.docx")
    assert vendor.bodies == [
        {"Agent": SENT_AGENT, "ResourceType": "docx", "ResourceName": "plan.docx", "ResourceId": "yDresource"}
    ]
    (request,) = vendor.requests
    assert (request.url, vendor.actions) == (f"https://{HOST}/", [OLD])
    assert request.headers["X-TC-Version"] == "2021-05-26"
    ref = {**REF, "task_id": "yDExampleTask"}
    assert poll == Poll(make_record(ref, "pending", None, request_id="r1"), STARTED, 1)


def test_a_file_goes_to_the_file_host_first(plan: str) -> None:
    vendor = Vendor()
    mine = starter(vendor)
    poll = start(mine, src=plan)
    upload, conversion = vendor.bodies
    assert upload == {
        "Agent": SENT_AGENT,
        "BusinessType": "DOCUMENT",
        "FileInfos": [{"FileBody": base64.b64encode(b"\0PK content").decode(), "FileName": "plan.docx"}],
    }
    assert conversion["ResourceId"] == "yDExampleResource"
    assert (vendor.actions, poll.calls) == (["UploadFiles", OLD], 2)
    assert [request.host for request in vendor.requests] == [FILE_HOST, HOST]
    assert mine.about(REF) == {
        "credential_source": "options",
        "api_action": OLD,
        "resource_id": "yDExampleResource",
    }


def test_both_calls_are_signed_for_their_host_and_the_service(plan: str) -> None:
    vendor = Vendor()
    start(starter(vendor), src=plan)
    for request in vendor.requests:
        headers = request.headers
        assert "/essbasic/tc3_request, SignedHeaders=content-type;host" in str(headers["Authorization"])
        assert headers["X-TC-Token"] == "EXAMPLE-FAKE-TOKEN"


@pytest.mark.parametrize(
    ("options", "name", "kind"),
    [
        ({"resource_name": "a/b.XLSX"}, "a/b.XLSX", "xlsx"),
        ({"resource_name": "scan", "resource_type": "png"}, "scan", "png"),
        ({"resource_name": "page.html", "resource_type": "txt"}, "page.html", "txt"),
        ({"resource_name": "\u8ba1\u5212.doc"}, "\u8ba1\u5212.doc", "doc"),
        ({"resource_name": "x" * 252 + ".txt"}, "x" * 252 + ".txt", "txt"),
    ],
)
def test_the_type_is_that_of_the_name_unless_it_is_given(options: dict[str, t.Any], name: str, kind: str) -> None:
    vendor = Vendor(answer(STARTED))
    start(starter(vendor), resource_id="r", **options)
    assert (vendor.bodies[0]["ResourceName"], vendor.bodies[0]["ResourceType"]) == (name, kind)


def test_another_name_goes_with_the_file(plan: str) -> None:
    vendor = Vendor()
    start(starter(vendor), src=plan, resource_name="Contract.docx")
    upload, conversion = vendor.bodies
    assert (upload["FileInfos"][0]["FileName"], conversion["ResourceName"]) == ("Contract.docx", "Contract.docx")


@pytest.mark.parametrize(
    ("endpoint", "variable", "upload_url", "conversion_url", "told"),
    [
        (None, None, f"https://{FILE_HOST}/", f"https://{HOST}/", None),
        (
            "https://gate.example.com/",
            None,
            "https://gate.example.com/",
            "https://gate.example.com/",
            "gate.example.com",
        ),
        (None, "https://files.example.com/x/", "https://files.example.com/x/", f"https://{HOST}/", "files.example.com"),
        (
            "https://gate.example.com",
            "https://files.example.com",
            "https://files.example.com/",
            "https://gate.example.com/",
            "gate.example.com, files.example.com",
        ),
    ],
)
def test_where_files_go_has_an_endpoint_of_its_own(
    plan: str, endpoint: str | None, variable: str | None, upload_url: str, conversion_url: str, told: str | None
) -> None:
    vendor = Vendor()
    mine = starter(vendor, endpoint=endpoint)
    start(mine, {"CLOUDWAIT_ESS_UPLOAD_ENDPOINT": variable} if variable else None, src=plan)
    assert [request.url for request in vendor.requests] == [upload_url, conversion_url]
    assert mine.about(REF).get("endpoint_host") == told


def test_that_endpoint_must_be_safe(plan: str) -> None:
    environ = {"CLOUDWAIT_ESS_UPLOAD_ENDPOINT": "http://files.example.com"}
    error = refusal(None, environ, src=plan)
    assert error.kind == "config"
    assert error.said.startswith("CLOUDWAIT_ESS_UPLOAD_ENDPOINT is plain http to another machine")


# --- What happens once ---------------------------------------------------------------------------------------------

LOST = CloudError("network", "the connection was closed before an answer came")


def test_an_upload_that_fails_was_no_start(plan: str) -> None:
    error = refusal(starter(Vendor(LOST)), src=plan)
    assert (error.said, error.retryable, error.sent, is_uncertain(error)) == (
        "the file could not be uploaded: the connection was closed before an answer came",
        True,
        False,
        False,
    )


@pytest.mark.parametrize("ids", [None, [], [5], [None], {}])
def test_an_upload_without_an_id_was_no_start(plan: str, ids: t.Any) -> None:
    error = refusal(starter(Vendor(answer({"FileIds": ids}))), src=plan)
    assert (error.kind, error.said, is_uncertain(error)) == (
        "protocol",
        "the file was uploaded, and the answer gave no id for it",
        False,
    )


def test_a_file_goes_up_once_however_often_its_conversion_is_tried(plan: str) -> None:
    vendor = Vendor(answer(UPLOADED), fault("RequestLimitExceeded"), answer(STARTED))
    mine = starter(vendor)
    prepared = mine.prepare(REF, {**OPTIONS, "src": plan}, {})
    with pytest.raises(CloudError) as caught:
        mine.call(prepared.make_request, prepared.read)
    assert (caught.value.kind, mine.about(REF)["resource_id"]) == ("throttled", "yDExampleResource")
    mine.call(prepared.make_request, prepared.read)
    assert vendor.actions == ["UploadFiles", OLD, OLD]


@pytest.mark.parametrize("gone", ["InvalidAction", "ActionOffline"])
def test_a_retired_operation_is_replaced(gone: str, plan: str) -> None:
    vendor = Vendor(answer(UPLOADED), fault(gone), answer(STARTED))
    mine = starter(vendor)
    assert start(mine, src=plan).record["task_id"] == "yDExampleTask"
    assert vendor.actions == ["UploadFiles", OLD, NEW]
    assert mine.about(REF)["api_action"] == NEW


@pytest.mark.parametrize("action", [OLD, NEW])
def test_a_named_operation_is_not_replaced(action: str) -> None:
    vendor = Vendor(fault("ActionOffline"))
    error = refusal(starter(vendor, api_action=action), resource_id="r", resource_name="a.doc")
    assert (vendor.actions, error.code, is_uncertain(error)) == ([action], "ActionOffline", False)


def test_an_operation_that_polls_is_no_start() -> None:
    with pytest.raises(CloudError, match=r'^api_action is "DescribeFileConvertTask", which is no operation for this$'):
        starter(api_action="DescribeFileConvertTask")


@pytest.mark.parametrize("task_id", [None, "", True])
def test_a_start_without_an_id_leaves_it_open(task_id: t.Any) -> None:
    error = refusal(starter(Vendor(answer({"TaskId": task_id}))), resource_id="r", resource_name="a.doc")
    assert (error.kind, is_uncertain(error)) == ("protocol", True)


def test_what_to_do_about_doubt() -> None:
    prepared = starter().prepare(REF, {**OPTIONS, "resource_id": "r", "resource_name": "a.doc"}, {})
    assert (prepared.repeatable, "cloud task may exist" in prepared.doubt) == (False, True)


# --- What is wrong with a file -------------------------------------------------------------------------------------


def sized(folder: pathlib.Path, name: str, size: int) -> str:
    """A file that has a size and takes no room."""
    path = folder / name
    with path.open("wb") as file:
        file.truncate(size)
    return str(path)


@pytest.mark.parametrize(
    ("name", "size", "said"),
    [
        ("empty.txt", 0, 'src is "{}", which is empty; give a file with something in it.'),
        ("big.docx", 60 * MIB, None),
        (
            "big.docx",
            60 * MIB + 1,
            'src is "{}", which has 60.0 MB; give one of at most 60 MB, which is what ESS takes of the type docx.',
        ),
        ("big.txt", 61 * MIB, 'src is "{}", which has 61.0 MB; give one of at most 60 MB, '),
        ("big.png", 8 * MIB, None),
        (
            "big.PNG",
            9 * MIB,
            'src is "{}", which has 9.0 MB; give one of at most 8 MB, which is what ESS takes of the type png.',
        ),
        (
            "big.pdf",
            1,
            'the file\'s name is "big.pdf", which has the suffix "pdf"; give resource_type, or a name that ends in one of doc, docx',
        ),
        ("big", 1, 'the file\'s name is "big", which has no suffix; '),
        (".docx", 1, 'the file\'s name is ".docx", which has no suffix; '),
    ],
)
def test_a_file_is_checked_before_anything_is_sent(
    tmp_path: pathlib.Path, name: str, size: int, said: str | None
) -> None:
    path = sized(tmp_path, name, size)
    mine = starter(vendor := Vendor())
    if said is None:
        mine.prepare(REF, {**OPTIONS, "src": path}, {})
    else:
        error = refusal(mine, src=path)
        said = said.format(path)
        assert (error.kind, error.sentence("It")[11 : 11 + len(said)]) == ("config", said)
    assert vendor.sent == 0


def test_only_a_regular_file_is_taken(tmp_path: pathlib.Path, plan: str) -> None:
    os.mkfifo(tmp_path / "pipe.docx")
    (tmp_path / "folder.docx").mkdir()
    (tmp_path / "dangling.docx").symlink_to(tmp_path / "nowhere")
    (tmp_path / "link.docx").symlink_to(plan)
    wrong = {
        "pipe.docx": 'src is "{}", which is not a regular file',
        "folder.docx": 'src is "{}", which is not a regular file',
        "missing.docx": 'src is "{}", which cannot be used: No such file or directory',
        "dangling.docx": 'src is "{}", which cannot be used: No such file or directory',
        "plan.docx/x.docx": 'src is "{}", which cannot be used: Not a directory',
        "x" * 300 + ".docx": f'resource_name is "{"x" * 37}...", which has 305 characters',
    }
    for name, said in wrong.items():
        error = refusal(src=str(tmp_path / name))
        assert (error.kind, error.said) == ("config", said.format(tmp_path / name))
    assert start(starter(Vendor()), src=str(tmp_path / "link.docx")).calls == 2


@pytest.mark.parametrize("path", ["a\0b.docx", "\ud800.docx"])
def test_what_is_no_path_is_refused(path: str) -> None:
    error = refusal(src=path)
    assert error.kind == "config"
    assert re.fullmatch(r'src is "/.+\.docx", which cannot be used: .+', error.said)
    assert error.said.isprintable()


def test_a_file_that_cannot_be_read_is_told_before_anything_is_sent(plan: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, mode: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(builtins, "open", refuse)
    mine = starter(vendor := Vendor())
    prepared = mine.prepare(REF, {**OPTIONS, "src": plan}, {})
    with pytest.raises(CloudError) as caught:
        mine.call(prepared.make_request, prepared.read)
    assert (caught.value.kind, caught.value.said, vendor.sent) == (
        "config",
        f'src is "{plan}", which cannot be read: Permission denied',
        0,
    )
    assert not is_uncertain(caught.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"resource_id": "r"}, "resource_name is missing"),
        ({"resource_id": "r", "resource_name": "x" * 257}, 'resource_name is "xxxxx'),
        (
            {"resource_id": "r", "resource_name": "plan.pdf"},
            'the file\'s name is "plan.pdf", which has the suffix "pdf"',
        ),
        ({"resource_id": "r", "resource_name": "plan"}, 'the file\'s name is "plan", which has no suffix'),
        ({"src": "/"}, "resource_name is missing"),
    ],
)
def test_names_are_checked_before_anything_is_sent(options: dict[str, t.Any], said: str) -> None:
    error = refusal(**options)
    assert (error.kind, error.said[: len(said)]) == ("config", said)


def test_an_agent_that_lacks_something_is_told_first() -> None:
    with pytest.raises(CloudError, match="agent lacks app_id") as caught:
        starter().prepare({**REF, "agent": {**AGENT, "app_id": ""}}, OPTIONS, {})
    assert caught.value.kind == "config"


# --- The company edition -------------------------------------------------------------------------------------------

COMPANY_REF = {"provider": "ess", "task_id": None, "operator": {"user_id": "yDExampleUser"}}


def start_in_company(mine: EssStarts, **options: t.Any) -> Poll:
    prepared = mine.prepare(COMPANY_REF, {**OPTIONS, **options}, {})
    return mine.call(prepared.make_request, prepared.read)


def test_the_company_edition_takes_an_operator_in_the_place_of_an_agent(plan: str) -> None:
    vendor = Vendor()
    poll = start_in_company(starter(vendor), src=plan)
    upload, conversion = vendor.requests
    assert [request.url for request in vendor.requests] == [
        f"https://{FILE_HOST}/",
        "https://ess.tencentcloudapi.com/",
    ]
    for request in (upload, conversion):
        assert request.headers["X-TC-Version"] == "2020-11-11"
        assert "/ess/tc3_request" in request.headers["Authorization"]
    assert (vendor.bodies[0]["Caller"], "Agent" in vendor.bodies[0]) == ({"OperatorId": "yDExampleUser"}, False)
    assert vendor.actions == ["UploadFiles", NEW]
    assert vendor.bodies[1] == {
        "Operator": {"UserId": "yDExampleUser"},
        "ResourceType": "docx",
        "ResourceName": "plan.docx",
        "ResourceId": "yDExampleResource",
    }
    assert poll.record["ref"] == {**COMPANY_REF, "task_id": "yDExampleTask"}


def test_the_company_edition_falls_back_on_its_own_older_operation() -> None:
    vendor = Vendor(fault("InvalidAction"), answer(STARTED))
    start_in_company(starter(vendor), resource_id="r", resource_name="a.doc")
    assert vendor.actions == [NEW, "CreateConvertTaskApi"]


def test_the_company_edition_takes_smaller_images(tmp_path: pathlib.Path) -> None:
    path = sized(tmp_path, "big.png", 6 * MIB)
    with pytest.raises(CloudError, match=r"which has 6.0 MB$") as caught:
        starter().prepare(COMPANY_REF, {**OPTIONS, "src": path}, {})
    assert caught.value.advice == "give one of at most 5 MB, which is what ESS takes of the type png"


# --- Against the vendor's SDK --------------------------------------------------------------------------------------


def without_nulls(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(member) for member in value] if isinstance(value, list) else value


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::SyntaxWarning")
@pytest.mark.parametrize(("kind", "number"), [("UploadFiles", 0), (OLD, 1), (NEW, 1)])
def test_the_vendors_sdk_would_send_the_same(plan: str, kind: str, number: int) -> None:
    models = pytest.importorskip("tencentcloud.essbasic.v20210526.models")
    vendor = Vendor()
    start(starter(vendor), src=plan)
    request = getattr(models, f"{kind}Request")()
    request._deserialize(vendor.bodies[number])
    assert without_nulls(json.loads(request.to_json_string())) == vendor.bodies[number]
