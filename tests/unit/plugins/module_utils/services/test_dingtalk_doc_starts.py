# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DingTalk: a copy as a user or as an app, never with the other's token, at once or as a cloud task."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.dingtalk_doc import DingTalkDocStarts
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import is_uncertain
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Request, Transport

Dict = dict[str, t.Any]

HOST = "api.dingtalk.io"
REF = {"provider": "dingtalk_doc", "task_id": None}
USER_URL = f"https://{HOST}/v2.0/doc/dentries/copy"
APP_URL = f"https://{HOST}/v2.0/doc/app/dentries/copy"
USER: Dict = {"user_access_token": "EXAMPLE-FAKE-USER-TOKEN"}
APP: Dict = {"operator_id": "union1", "app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}
COPY: Dict = {
    "source_dentry_uuid": "from", "target_parent_dentry_uuid": "into", "target_pre_dentry_uuid": None,
    "operator_id": None,
}  # fmt: skip
LATER = {"isAsync": True, "taskId": "c1"}
DONE = {"dentryUuid": "copy1", "name": "Copy of plan", "url": "https://example.com/i/nodes/EXAMPLE"}


def answer(body: t.Any, status: int = 200) -> Answer:
    return Answer(HOST, status, {"x-acs-request-id": "r1"}, json.dumps(body).encode())


class Vendor:
    """Gives tokens with a number, and plays the answers to copies in order, the last one for ever."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script) or [answer(LATER)]
        self.copies: list[Request] = []
        self.tokens = 0

    @property
    def sent(self) -> int:
        return len(self.copies) + self.tokens

    @property
    def used(self) -> list[str]:
        return [request.headers["x-acs-dingtalk-access-token"] for request in self.copies]

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        request.sign()
        if request.url.endswith("/v1.0/oauth2/accessToken"):
            self.tokens += 1
            return answer({"accessToken": f"EXAMPLE-TOKEN-{self.tokens}", "expireIn": 7200})
        self.copies.append(request)
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]


def starter(vendor: Vendor | None, options: Dict, environ: dict[str, str], **more: t.Any) -> DingTalkDocStarts:
    settings = Settings(transport=t.cast(Transport, vendor), clock=Clock(), **more)
    return DingTalkDocStarts.create(settings, {**COPY, **options}, environ)


def start(vendor: Vendor, environ: dict[str, str] | None = None, **options: t.Any) -> Poll:
    mine = starter(vendor, options, environ or {})
    prepared = mine.prepare(REF, {**COPY, **options}, environ or {})
    return mine.call(prepared.make_request, prepared.read)


def refusal(vendor: Vendor | None = None, environ: dict[str, str] | None = None, **options: t.Any) -> CloudError:
    with pytest.raises(CloudError) as caught:
        start(vendor or Vendor(), environ, **options)
    return caught.value


# --- The calls -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "sent"), [(None, {}), ("pre", {"targetPreDentryUuid": "pre"})])
@pytest.mark.parametrize(
    ("who", "url", "token"), [(USER, USER_URL, "EXAMPLE-FAKE-USER-TOKEN"), (APP, APP_URL, "EXAMPLE-TOKEN-1")]
)
def test_who_copies_decides_the_call(who: Dict, url: str, token: str, before: str | None, sent: Dict) -> None:
    vendor = Vendor()
    start(vendor, **who, target_pre_dentry_uuid=before)
    (request,) = vendor.copies
    assert (request.method, request.url, vendor.used) == ("POST", url, [token])
    assert request.headers["Content-Type"] == "application/json"
    param = {"sourceDentryUuid": "from", "targetParentDentryUuid": "into", **sent}
    wanted = {"operatorId": "union1", **param} if who is APP else {"param": param}
    assert json.loads(t.cast(bytes, request.body)) == wanted


@pytest.mark.parametrize("who", [USER, APP])
def test_a_copy_that_takes_its_time_is_a_cloud_task(who: Dict) -> None:
    poll = start(Vendor(), **who)
    record = make_record({**REF, "task_id": "c1"}, "pending", None, request_id="r1")
    assert poll == Poll(record, LATER, 2 if who is APP else 1)


def test_a_copy_that_was_made_at_once_is_done() -> None:
    poll = start(Vendor(answer({"isAsync": False, "syncCopyResult": DONE})), **USER)
    output = {"type": "dingtalk_document", "value": "copy1", "url": "https://example.com/i/nodes/EXAMPLE"}
    assert poll.record == make_record(REF, "succeeded", None, outputs=[output], request_id="r1")
    assert (poll.record["task_id"], poll.record["done"]) == (None, True)


@pytest.mark.parametrize(
    ("body", "task_id", "status"),
    [
        ({"taskId": "c1"}, "c1", "pending"),
        ({"taskId": 12345678}, "12345678", "pending"),
        ({"isAsync": True, "taskId": 5}, "5", "pending"),
        ({"isAsync": False, "taskId": "c1"}, "c1", "pending"),
        ({"isAsync": None, "taskId": "c1", "syncCopyResult": None}, "c1", "pending"),
        ({"isAsync": True, "taskId": "c1", "syncCopyResult": DONE}, "c1", "pending"),
        ({"isAsync": True, "syncCopyResult": DONE}, None, "succeeded"),
        ({"isAsync": False, "taskId": "c1", "syncCopyResult": DONE}, None, "succeeded"),
        ({"syncCopyResult": DONE}, None, "succeeded"),
    ],
)
def test_an_id_that_is_there_is_not_lost(body: Dict, task_id: str | None, status: str) -> None:
    record = start(Vendor(answer(body)), **USER).record
    assert (record["task_id"], record["status"]) == (task_id, status)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"isAsync": True},
        {"isAsync": True, "taskId": ""},
        {"isAsync": True, "taskId": True},
        {"isAsync": True, "taskId": ["c1"]},
        {"isAsync": False, "syncCopyResult": {"name": "x"}},
        {"isAsync": False, "syncCopyResult": "copy1"},
        {"isAsync": None, "syncCopyResult": None},
    ],
)
def test_a_copy_without_an_id_leaves_it_open(body: Dict) -> None:
    error = refusal(Vendor(answer(body)), **USER)
    assert (error.kind, is_uncertain(error)) == ("protocol", True)


@pytest.mark.parametrize(
    ("status", "body", "kind", "uncertain"),
    [
        (403, {"code": "Forbidden.AccessDenied.QpsLimitForApi"}, "throttled", False),
        (403, "blocked", "throttled", False),
        (429, "slow down", "throttled", False),
        (403, {"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"}, "permission", False),
        (400, {"code": "paramError"}, "invalid", False),
        (400, {"code": "NeverHeardOf"}, "invalid", False),
        (500, {"code": "systemError"}, "server", True),
        (503, {"code": "operationTimeout"}, "server", True),
        (400, {"code": "unknownError"}, "server", True),
        (502, "gateway", "server", True),
        (200, ["x"], "protocol", True),
    ],
)
def test_what_the_vendor_said_no_to_did_not_happen(status: int, body: t.Any, kind: str, uncertain: bool) -> None:
    error = refusal(Vendor(answer(body, status)), **USER)
    assert (error.kind, is_uncertain(error)) == (kind, uncertain)


def test_what_to_do_about_doubt() -> None:
    prepared = starter(None, USER, {}).prepare(REF, COPY, {})
    assert (prepared.repeatable, "look into the target folder" in prepared.doubt) == (False, True)


@pytest.mark.parametrize(("site", "base"), [(None, "https://api.dingtalk.io"), ("china", "https://api.dingtalk.com")])
def test_the_site_decides_the_host(site: str | None, base: str) -> None:
    vendor = Vendor()
    mine = starter(vendor, USER, {}, site=site)
    prepared = mine.prepare(REF, COPY, {})
    assert prepared.make_request().url == f"{base}/v2.0/doc/dentries/copy"


# --- Whose token ---------------------------------------------------------------------------------------------------

APP_ENVIRON = {"DINGTALK_APP_KEY": "k", "DINGTALK_APP_SECRET": "s", "DINGTALK_ACCESS_TOKEN": "EXAMPLE-FAKE-APP-TOKEN"}
USER_ENVIRON = {"DINGTALK_USER_ACCESS_TOKEN": "EXAMPLE-FAKE-ENV-USER-TOKEN"}


@pytest.mark.parametrize(
    ("options", "environ", "used"),
    [
        (USER, {}, "EXAMPLE-FAKE-USER-TOKEN"),
        (USER, {**APP_ENVIRON, **USER_ENVIRON}, "EXAMPLE-FAKE-USER-TOKEN"),
        ({}, {**APP_ENVIRON, **USER_ENVIRON}, "EXAMPLE-FAKE-ENV-USER-TOKEN"),
        ({**APP, "operator_id": None, **USER}, {}, "EXAMPLE-FAKE-USER-TOKEN"),
        ({**APP, **USER}, USER_ENVIRON, "EXAMPLE-TOKEN-1"),
        ({"operator_id": "union1", "access_token": "EXAMPLE-FAKE-APP-TOKEN", **USER}, {}, "EXAMPLE-FAKE-APP-TOKEN"),
        (
            {"operator_id": "union1", **USER},
            {"DINGTALK_ACCESS_TOKEN": "EXAMPLE-FAKE-APP-TOKEN"},
            "EXAMPLE-FAKE-APP-TOKEN",
        ),
    ],
)
def test_a_user_and_an_app_each_use_their_own_token(options: Dict, environ: dict[str, str], used: str) -> None:
    vendor = Vendor()
    start(vendor, environ, **options)
    assert vendor.used == [used]


@pytest.mark.parametrize(
    ("options", "environ", "said"),
    [
        ({}, APP_ENVIRON, "no access token of a DingTalk user was given"),
        ({"access_token": "EXAMPLE-FAKE-APP-TOKEN"}, {}, "no access token of a DingTalk user was given"),
        ({"operator_id": "union1", **USER}, USER_ENVIRON, "no DingTalk credentials were given"),
    ],
)
def test_the_token_of_the_other_is_never_used(options: Dict, environ: dict[str, str], said: str) -> None:
    vendor = Vendor()
    error = refusal(vendor, environ, **options)
    assert (error.kind, error.said, vendor.sent) == ("config", said, 0)


REFUSED = answer({"code": "InvalidAuthentication", "message": "EXAMPLE-FAKE-USER-TOKEN is not legal"}, 400)


def test_a_refused_token_of_an_app_is_fetched_again() -> None:
    vendor = Vendor(REFUSED, answer(LATER))
    assert start(vendor, **APP).record["task_id"] == "c1"
    assert vendor.used == ["EXAMPLE-TOKEN-1", "EXAMPLE-TOKEN-2"]


def test_a_refused_token_of_a_user_is_told_without_it() -> None:
    vendor = Vendor(REFUSED)
    error = refusal(vendor, **USER)
    assert (error.kind, error.message, vendor.sent) == ("auth", "******** is not legal", 1)
    assert not is_uncertain(error)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"source_dentry_uuid": ""}, "source_dentry_uuid is empty"),
        ({"target_parent_dentry_uuid": " "}, "target_parent_dentry_uuid is empty"),
        ({"target_pre_dentry_uuid": ""}, "target_pre_dentry_uuid is empty"),
        (
            {"source_dentry_uuid": "", "target_parent_dentry_uuid": ""},
            "source_dentry_uuid and target_parent_dentry_uuid are empty",
        ),
    ],
)
@pytest.mark.parametrize("who", [USER, APP])
def test_what_is_empty_is_told_before_anything_is_sent(options: Dict, said: str, who: Dict) -> None:
    vendor = Vendor()
    error = refusal(vendor, **{**who, **options})
    assert (error.kind, error.said, vendor.sent) == ("config", said, 0)
