# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent ESS: statuses, error codes, and the two operations of which the vendor retires one."""

from __future__ import annotations

import json
import typing as t
from datetime import date

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import NEW_ACTION, OLD_ACTION, Ess
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Request, Transport

AGENT = {
    "app_id": "yDExampleApp",
    "proxy_organization_open_id": "org-1",
    "proxy_operator": {"open_id": "operator-1"},
}
REF = {"provider": "ess", "task_id": "yDExampleTask", "agent": AGENT}
LAST_DAY = date(2026, 12, 31)


def provider(transport: t.Any = None, *, api_action: str = "auto", today: date = LAST_DAY, **settings: t.Any) -> Ess:
    return Ess(
        Settings(transport=t.cast(Transport, transport), clock=Clock(lambda: 1_700_000_000.0), **settings),
        TencentCredentials("options", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY")),
        api_action=api_action,
        today=lambda: today,
    )


def answer(response: t.Any, status: int = 200) -> Answer:
    return Answer("essbasic.tencentcloudapi.com", status, {}, json.dumps({"Response": response}).encode())


def fault(code: str, message: str = "no") -> Answer:
    return answer({"Error": {"Code": code, "Message": message}, "RequestId": "r1"})


def read(response: t.Any) -> dict[str, t.Any]:
    return provider().read(REF, answer(response))[0]


def refusal(got: Answer) -> CloudError:
    with pytest.raises(CloudError) as caught:
        provider().read(REF, got)
    return caught.value


# --- Statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "status", "text"),
    [
        ("8", "succeeded", "8"),
        (10**30, "unknown", "1" + "0" * 30),
        ("READY", "unknown", "READY"),  # of another kind of task, which can be asked for with the same operation
        ("-", "unknown", "-"),
        ("-x", "unknown", "-x"),
        (8.0, "succeeded", "8"),
        (8.5, "unknown", "8.5"),
    ],
)
def test_statuses_that_are_no_failures(native: t.Any, status: str, text: str | None) -> None:
    record = read({"TaskStatus": native, "TaskMessage": "ProcessFailed"})
    assert (record["status"], record["native_status"], record["error"]) == (status, text, None)


@pytest.mark.parametrize(
    ("native", "code", "reason"),
    [
        (-2, "DownloadFailed", "download"),
        (-6, "ProcessFailed", "processing"),
        (-13, "ProcessTimeout", "timeout"),
        (-1, "-1", "unknown"),
        (-77, "-77", "unknown"),
        ("-77", "-77", "unknown"),
    ],
)
def test_failures_have_a_code_and_a_reason(native: t.Any, code: str, reason: str) -> None:
    record = read({"TaskStatus": native, "TaskMessage": "it went wrong"})
    assert (record["status"], record["done"], record["native_status"]) == ("failed", True, str(native))
    assert record["error"] == {"code": code, "message": "it went wrong", "reason": reason}


@pytest.mark.parametrize("message", [None, "", {}])
def test_a_failure_without_words_says_its_keyword(message: t.Any) -> None:
    assert read({"TaskStatus": -6, "TaskMessage": message})["error"]["message"] == "ProcessFailed"


def test_the_whole_record_of_a_conversion_that_is_done() -> None:
    response = {
        "TaskId": "20260101000000000001",  # not the one that was asked for
        "TaskStatus": 8,
        "TaskMessage": "\u4efb\u52a1\u5904\u7406\u5b8c\u6210",
        "ResourceId": "yDExampleResult",
        "RequestId": "s1700000000000000002",
    }
    assert provider().read(REF, answer(response)) == (
        {
            "provider": "ess",
            "task_id": "yDExampleTask",
            "status": "succeeded",
            "native_status": "8",
            "done": True,
            "progress": None,
            "counts": None,
            "error": None,
            "parts": [],
            "outputs": [{"type": "ess_resource", "value": "yDExampleResult"}],
            "created_at": None,
            "started_at": None,
            "finished_at": None,
            "request_id": "s1700000000000000002",
            "ref": REF,
        },
        response,
    )


@pytest.mark.parametrize(
    ("native", "resource", "outputs"),
    [
        (8, "r", [{"type": "ess_resource", "value": "r"}]),
        (8, "", []),
        (8, None, []),
        (4, "r", []),
        (-6, "r", []),
        (99, "r", []),
    ],
)
def test_a_resource_counts_when_the_conversion_succeeded(native: int, resource: t.Any, outputs: list[t.Any]) -> None:
    assert read({"TaskStatus": native, "ResourceId": resource})["outputs"] == outputs


# --- Errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (
            "AuthFailure.SignatureFailure",
            "check secret_id and secret_key for typing mistakes, and that the key is enabled",
        ),
        (
            "AuthFailure.TokenFailure",
            "the token has ended or does not belong to the key pair: fetch new temporary keys",
        ),
        ("AuthFailure.SignatureExpire", "set this host's clock right, for example with NTP"),
        ("ActionOffline", "the vendor has retired this operation: use a newer release of the collection"),
        ("NoSuchVersion", "the endpoint serves another product or version: check it"),
        ("IpNotInWhitelist", "put this host's address on the account's allow list"),
    ],
)
def test_some_codes_say_what_to_do(code: str, advice: str) -> None:
    assert refusal(fault(code)).advice == advice


@pytest.mark.parametrize("error", [True, False, 0, 1.5, "", "boom", [], ["x"]])
def test_an_error_of_another_type_is_no_success(error: t.Any) -> None:
    assert refusal(answer({"TaskStatus": 8, "Error": error})).kind == "protocol"


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        ({"Error": {"Code": "X"}}, "X", ""),
        ({"Error": {"Message": "m"}}, "an error without a code", "m"),
        ({"Error": {"Code": ["X"], "Message": {"a": 1}}}, "['X']", "{'a': 1}"),
        ({"Error": {"Code": "X", "Message": "m"}, "TaskStatus": 8}, "X", "m"),
    ],
)
def test_odd_errors_are_errors(response: t.Any, code: str, message: str) -> None:
    error = refusal(answer(response))
    assert (error.code, error.message) == (code, message)


def test_a_null_error_is_none_and_an_empty_one_is_one() -> None:
    assert read({"TaskStatus": 8, "Error": None})["status"] == "succeeded"
    assert refusal(answer({"TaskStatus": 8, "Error": {}})).code == "an error without a code"


# --- The request ---------------------------------------------------------------------------------------------------


def request_of(ref: t.Mapping[str, t.Any], **options: t.Any) -> tuple[str, dict[str, str], t.Any]:
    request = provider(**options).request(ref)
    return request.url, request.headers, json.loads(request.body or b"")


def test_the_request_asks_on_behalf_of_the_agent() -> None:
    url, headers, body = request_of(REF)
    assert url == "https://essbasic.tencentcloudapi.com/"
    assert {name: value for name, value in headers.items() if name.startswith(("X-TC", "Content-T"))} == {
        "X-TC-Action": "ChannelGetTaskResultApi",
        "X-TC-Version": "2021-05-26",
        "X-TC-Language": "en-US",
        "Content-Type": "application/json",
    }
    assert body == {
        "Agent": {
            "AppId": "yDExampleApp",
            "ProxyOrganizationOpenId": "org-1",
            "ProxyOperator": {"OpenId": "operator-1"},
        },
        "TaskId": "yDExampleTask",
    }


@pytest.mark.parametrize(("given", "sent"), [("proxy", {"ProxyAppId": "proxy"}), ("", {}), (None, {})])
def test_an_empty_proxy_app_is_left_out(given: str | None, sent: dict[str, str]) -> None:
    body = request_of({**REF, "agent": {**AGENT, "proxy_app_id": given}})[2]
    assert {name: value for name, value in body["Agent"].items() if name == "ProxyAppId"} == sent


@pytest.mark.parametrize(
    ("agent", "missing"),
    [
        ({"app_id": "a"}, "proxy_organization_open_id, proxy_operator.open_id"),
        ({**AGENT, "proxy_operator": {}}, "proxy_operator.open_id"),
        ({**AGENT, "proxy_operator": "operator-1"}, "proxy_operator.open_id"),
        ({**AGENT, "app_id": ""}, "app_id"),
    ],
)
def test_an_agent_that_lacks_something_is_told(agent: t.Any, missing: str) -> None:
    with pytest.raises(CloudError) as caught:
        provider().request({**REF, "agent": agent})
    assert caught.value.sentence("Polling") == (
        f"Polling failed: agent lacks {missing}; give agent with all three members."
    )


def test_there_is_no_international_site() -> None:
    with pytest.raises(CloudError) as caught:
        provider(site="intl")
    assert caught.value.sentence("It") == (
        'It failed: site is "intl", and Tencent ESS has no international site; leave the option site out.'
    )
    assert provider(site="china").vendor_url(REF) == "https://essbasic.tencentcloudapi.com"


# --- Two operations ------------------------------------------------------------------------------------------------


class Switching:
    """A vendor that offers some operations, and says in its own way when one is gone."""

    def __init__(self, offers: set[str], gone: Answer) -> None:
        self.asked: list[str] = []
        self._offers = offers
        self._gone = gone

    @property
    def sent(self) -> int:
        return len(self.asked)

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        self.asked.append(request.headers["X-TC-Action"])
        return answer({"TaskStatus": 8}) if self.asked[-1] in self._offers else self._gone


GONE = fault("InvalidAction", "The request action is invalid")


@pytest.mark.parametrize(
    ("today", "action"),
    [
        (date(2024, 6, 1), OLD_ACTION),
        (LAST_DAY, OLD_ACTION),
        (date(2027, 1, 1), NEW_ACTION),
    ],
)
def test_the_day_decides_with_which_operation_it_begins(today: date, action: str) -> None:
    vendor = Switching({OLD_ACTION, NEW_ACTION}, GONE)
    mine = provider(vendor, today=today)
    assert mine.poll(REF).calls == 1
    assert (vendor.asked, mine.about(REF)["api_action"]) == ([action], action)


@pytest.mark.parametrize(
    "gone",
    [
        GONE,
        fault("ActionOffline", "deprecated"),
        fault("UnsupportedOperation", f"the actions {OLD_ACTION} and {NEW_ACTION} are not offered here"),
    ],
    ids=["InvalidAction", "ActionOffline", "UnsupportedOperation"],
)
@pytest.mark.parametrize(
    ("today", "first", "second"),
    [(LAST_DAY, OLD_ACTION, NEW_ACTION), (date(2027, 1, 1), NEW_ACTION, OLD_ACTION)],
    ids=["before", "after"],
)
def test_a_retired_operation_falls_back_on_the_other(today: date, first: str, second: str, gone: Answer) -> None:
    vendor = Switching({second}, gone)
    mine = provider(vendor, today=today)
    assert (mine.poll(REF).calls, mine.poll(REF).calls) == (2, 1)
    assert vendor.asked == [first, second, second]
    assert mine.about(REF)["api_action"] == second


@pytest.mark.parametrize("action", [OLD_ACTION, NEW_ACTION])
def test_a_fixed_operation_never_switches(action: str) -> None:
    vendor = Switching(set(), GONE)
    mine = provider(vendor, api_action=action, today=date(2027, 6, 1))
    with pytest.raises(CloudError, match="InvalidAction"):
        mine.poll(REF)
    assert (vendor.asked, mine.about(REF)["api_action"]) == ([action], action)


def test_when_both_are_gone_it_is_told_after_two_calls() -> None:
    vendor = Switching(set(), GONE)
    with pytest.raises(CloudError, match="InvalidAction") as caught:
        provider(vendor).poll(REF)
    assert (vendor.asked, caught.value.calls) == ([OLD_ACTION, NEW_ACTION], 2)


@pytest.mark.parametrize(
    "other",
    [
        fault("UnsupportedOperation", "this organization is not real-name verified"),
        fault("UnsupportedOperation.Other", f"{OLD_ACTION}"),
        fault("InvalidParameter", f"{OLD_ACTION}"),
        fault("InternalError"),
    ],
)
def test_other_errors_do_not_switch(other: Answer) -> None:
    vendor = Switching(set(), other)
    with pytest.raises(CloudError):
        provider(vendor).poll(REF)
    assert vendor.asked == [OLD_ACTION]


def test_a_poll_that_another_has_switched_for_asks_again_with_the_present_operation() -> None:
    mine = provider(Switching({NEW_ACTION}, GONE))
    request = mine.request(REF)
    mine.recall(NEW_ACTION)  # as if another thread had
    assert mine._repair_action(refusal(GONE), request) is True
    assert mine.api_action == NEW_ACTION


def test_the_next_round_remembers_the_operation() -> None:
    mine = provider(Switching({NEW_ACTION}, GONE))
    mine.poll(REF)
    later = provider(vendor := Switching({NEW_ACTION}, GONE))
    later.recall(mine.memory())
    assert later.poll(REF).calls == 1
    assert vendor.asked == [NEW_ACTION]


def test_a_fixed_operation_is_not_changed_by_what_is_remembered() -> None:
    mine = provider(api_action=OLD_ACTION)
    mine.recall(NEW_ACTION)
    mine.recall(None)
    assert mine.api_action == OLD_ACTION


def test_an_operation_must_be_one_of_the_two() -> None:
    with pytest.raises(CloudError) as caught:
        provider(api_action="DeleteEverything")
    assert caught.value.sentence("It") == (
        'It failed: api_action is "DeleteEverything", which is no operation for this; '
        f"give one of auto, {OLD_ACTION}, {NEW_ACTION}."
    )


# --- The company edition -------------------------------------------------------------------------------------------

COMPANY_OLD = "GetTaskResultApi"
COMPANY_REF = {"provider": "ess", "task_id": "t1", "operator": {"user_id": "yDExampleUser"}}


def test_the_company_edition_is_another_service_with_the_same_operation() -> None:
    request = provider().request(COMPANY_REF)
    request.sign()
    assert request.url == "https://ess.tencentcloudapi.com/"
    assert (request.headers["X-TC-Action"], request.headers["X-TC-Version"]) == (NEW_ACTION, "2020-11-11")
    assert "/ess/tc3_request" in request.headers["Authorization"]
    assert json.loads(t.cast(bytes, request.body)) == {"TaskId": "t1", "Operator": {"UserId": "yDExampleUser"}}


def test_each_edition_remembers_its_own_operation() -> None:
    vendor = Switching({OLD_ACTION, COMPANY_OLD}, GONE)
    mine = provider(vendor, today=date(2027, 6, 1))
    mine.poll(COMPANY_REF)
    mine.poll({**REF, "task_id": "t1"})
    assert vendor.asked == [NEW_ACTION, COMPANY_OLD, NEW_ACTION, OLD_ACTION]
    later = provider(vendor := Switching({OLD_ACTION, COMPANY_OLD}, GONE))
    later.recall(mine.memory())
    later.poll(COMPANY_REF)
    later.poll(REF)
    assert vendor.asked == [COMPANY_OLD, OLD_ACTION]


def test_an_operation_of_the_other_edition_is_refused() -> None:
    with pytest.raises(CloudError) as caught:
        provider(api_action=OLD_ACTION).request(COMPANY_REF)
    assert caught.value.sentence("It") == (
        f'It failed: api_action is "{OLD_ACTION}", which the edition company of Tencent ESS does not have; '
        f"give auto or {NEW_ACTION}."
    )


@pytest.mark.parametrize("edition", [None, "auto", "company"])
def test_the_edition_is_in_the_ref_by_what_it_needs(edition: str | None) -> None:
    options = {"task_id": " t1\n", "operator": {"user_id": " yDExampleUser "}, "edition": edition, "agent": None}
    assert Ess.make_ref(options, {}) == COMPANY_REF


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"agent": AGENT, "operator": {"user_id": "u"}},
            "agent and operator are both given, and a cloud task of Tencent ESS belongs to one edition",
        ),
        (
            {"agent": AGENT, "operator": {"user_id": "u"}, "edition": "company"},
            "agent and operator are both given, and a cloud task of Tencent ESS belongs to one edition",
        ),
        ({"agent": AGENT, "edition": "company"}, 'edition is "company", and agent is given'),
        ({"operator": {"user_id": "u"}, "edition": "channel"}, 'edition is "channel", and operator is given'),
        ({"edition": "company"}, 'edition is "company", and operator is missing'),
        ({"edition": "partner"}, 'edition is "partner", which is no edition of Tencent ESS'),
    ],
)
def test_an_edition_and_what_it_needs_belong_together(options: dict[str, t.Any], said: str) -> None:
    with pytest.raises(CloudError) as caught:
        Ess.make_ref({"task_id": "t1", **options}, {})
    assert (caught.value.kind, caught.value.said) == ("config", said)


@pytest.mark.parametrize(
    ("ref", "sentence"),
    [
        (
            {"provider": "ess", "task_id": "t1"},
            (
                "neither agent nor operator is given; give agent for a third-party application, or operator for an application "
                "of the company itself."
            ),
        ),
        (
            {**COMPANY_REF, "operator": {"user_id": None}},
            "operator lacks user_id; give the id of an employee of the company.",
        ),
    ],
)
def test_on_whose_behalf_must_be_said(ref: dict[str, t.Any], sentence: str) -> None:
    with pytest.raises(CloudError) as caught:
        provider().request(ref)
    assert caught.value.sentence("Polling") == f"Polling failed: {sentence}"
