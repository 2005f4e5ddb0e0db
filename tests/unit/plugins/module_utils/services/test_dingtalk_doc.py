# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DingTalk: document tasks, whose states -1 and 0 are real, and the access token that is the whole signature."""

from __future__ import annotations

import json
import threading
import time
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import DingTalkApp
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.dingtalk_doc import DingTalkDoc
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Request, Transport

PATIENCE = 20.0
HOST = "api.dingtalk.io"
REF = {"provider": "dingtalk_doc", "task_id": "task-0001"}
APP = DingTalkApp("options", "dingEXAMPLEKEY", "EXAMPLE-FAKE-APP-SECRET")
FIXED = DingTalkApp("options", access_token="EXAMPLE-FAKE-ACCESS-TOKEN")


def provider(
    transport: t.Any = None,
    app: DingTalkApp = FIXED,
    monotonic: t.Callable[[], float] = lambda: 0.0,
    **settings: t.Any,
) -> DingTalkDoc:
    made = Settings(transport=t.cast(Transport, transport), clock=Clock(lambda: 0.0), **settings)
    return DingTalkDoc(made, app, monotonic=monotonic)


def answer(body: t.Any, status: int = 200, headers: t.Mapping[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(HOST, status, headers or {}, raw)


def read(body: t.Any) -> dict[str, t.Any]:
    return provider().read(REF, answer(body))[0]


def refusal(got: Answer) -> CloudError:
    with pytest.raises(CloudError) as caught:
        provider().read(REF, got)
    return caught.value


# --- Statuses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("native", "text", "status"),
    [
        ("0", "0", "running"),
        (-2, "-2", "unknown"),
        (1.0, "1", "succeeded"),
        (1.5, "1.5", "unknown"),
    ],
)
def test_the_status_alone_decides(native: t.Any, text: str | None, status: str) -> None:
    record = read({"status": native, "totalCount": 1, "succCount": 1, "failCount": 0})
    assert (record["native_status"], record["status"]) == (text, status)


@pytest.mark.parametrize("code", [True, 7, 1.5, float("inf"), "odd", ["SUCCESS"], {"a": "SUCCESS"}])
def test_an_error_code_beside_a_status_is_no_success(code: t.Any) -> None:
    refusal(answer({"taskId": "t1", "status": 1, "code": code}))


# --- The site --------------------------------------------------------------------------------------------------------

QUESTION = "is the organization on the Chinese site? then set site: china, or DINGTALK_SITE=china"


@pytest.mark.parametrize(
    ("site", "environ", "found"),
    [
        (None, {}, None),
        (None, {"DINGTALK_SITE": ""}, None),
        (None, {"DINGTALK_SITE": "china"}, "china"),
        ("", {"DINGTALK_SITE": "china"}, "china"),
        ("intl", {"DINGTALK_SITE": "china"}, "intl"),
        ("intl", {"DINGTALK_SITE": "mars"}, "intl"),
    ],
)
def test_a_site_may_come_from_the_environment(site: str | None, environ: dict[str, str], found: str | None) -> None:
    ref = DingTalkDoc.make_ref({"task_id": "t1", "site": site}, environ)
    assert (ref.get("site"), DingTalkDoc.site_of({"site": site}, environ)) == (found, found)


def test_a_site_of_the_environment_must_be_one() -> None:
    with pytest.raises(CloudError) as caught:
        DingTalkDoc.make_ref({"task_id": "t1"}, {"DINGTALK_SITE": "mars"})
    assert caught.value.sentence("Polling") == (
        'Polling failed: DINGTALK_SITE is "mars", which is no site; give china or intl.'
    )


@pytest.mark.parametrize(
    ("settings", "asks"), [({}, True), ({"site": "intl"}, False), ({"endpoint": "https://gate.example.com"}, False)]
)
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"code": "InvalidAuthentication"}, "auth"),
        (404, {"code": "resource.not.found"}, "not_found"),
        (403, {"code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"}, "permission"),
    ],
)
def test_what_the_wrong_host_would_say_asks_for_the_site(
    status: int, body: t.Any, kind: str, settings: dict[str, t.Any], asks: bool
) -> None:
    class Refusing:
        sent = 0

        def send(self, request: Request, *, timeout: float | None = None) -> Answer:
            return answer(body, status)

    with pytest.raises(CloudError) as caught:
        provider(Refusing(), FIXED, **settings).poll(REF)
    assert caught.value.kind == kind
    assert caught.value.advice.endswith(QUESTION) is (asks and kind != "permission")


@pytest.mark.parametrize(
    ("native", "message"),
    [
        (2, "some documents failed; the vendor gives no reason"),
        (3, "all documents failed; the vendor gives no reason"),
        (4, "the cloud task failed; the vendor gives no reason"),
    ],
)
def test_a_failure_says_what_the_page_says(native: int, message: str) -> None:
    assert read({"status": native})["error"] == {"code": str(native), "message": message, "reason": "unknown"}


@pytest.mark.parametrize(
    ("total", "good", "bad", "counts", "progress"),
    [
        (3, 1, 1, {"total": 3, "succeeded": 1, "failed": 1}, 66),
        (3, 3, 0, {"total": 3, "succeeded": 3, "failed": 0}, 100),
        (1, 1, 1, {"total": 1, "succeeded": 1, "failed": 1}, 100),
        (0, 0, 0, {"total": 0, "succeeded": 0, "failed": 0}, None),
        (3, None, 1, {"total": 3, "succeeded": None, "failed": 1}, None),
        (3, "1", "x", {"total": 3, "succeeded": 1, "failed": None}, None),
        (-1, 1, 1, {"total": -1, "succeeded": 1, "failed": 1}, 0),
        (None, None, None, None, None),
    ],
)
def test_counts_and_progress_are_what_the_answer_supports(
    total: t.Any, good: t.Any, bad: t.Any, counts: t.Any, progress: int | None
) -> None:
    record = read({"status": 0, "totalCount": total, "succCount": good, "failCount": bad})
    assert (record["counts"], record["progress"], record["status"]) == (counts, progress, "running")


def test_the_whole_record_of_the_published_sample() -> None:
    body = {
        "taskId": "abcd",
        "status": 2,
        "totalCount": 1,
        "succCount": 1,
        "failCount": 0,
    }  # they contradict each other
    assert provider().read(REF, answer(body, headers={"x-acs-request-id": "r1"})) == (
        {
            "provider": "dingtalk_doc",
            "task_id": "task-0001",
            "status": "partial",
            "native_status": "2",
            "done": True,
            "progress": 100,
            "counts": {"total": 1, "succeeded": 1, "failed": 0},
            "error": {
                "code": "2",
                "message": "some documents failed; the vendor gives no reason",
                "reason": "unknown",
            },
            "parts": [],
            "outputs": [],
            "created_at": None,
            "started_at": None,
            "finished_at": None,
            "request_id": "r1",
            "ref": REF,
        },
        body,
    )


# --- Errors --------------------------------------------------------------------------------------------------------

DENIED = "Forbidden.AccessDenied."


@pytest.mark.parametrize("names", [("code", "message", "requestid"), ("Code", "Message", "requestId")])
def test_the_names_of_an_error_come_in_both_letter_cases(names: tuple[str, str, str]) -> None:
    error = refusal(answer(dict(zip(names, ("systemError", "no way.", "body-id"))), 500))
    assert (error.code, error.message, error.request_id) == ("systemError", "no way", "body-id")


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({"requiredScopes": ["A.Read", "A.Write"]}, " and wants the permission A.Read, A.Write"),
        ({"requiredScopes": "A.Read"}, " and wants the permission A.Read"),
        ({"requiredScopes": ["A\r\n::error::"]}, " and wants the permission A ::error::"),
        ({"requiredScopes": ["x" * 300]}, " and wants the permission " + "x" * 197 + "..."),
        ({"requiredScopes": 5}, " and wants the permission 5"),
        ({"requiredScopes": []}, ""),
        ({"requiredScopes": None}, ""),
        ({}, ""),
        (["x"], ""),
    ],
)
@pytest.mark.parametrize("name", ["accessdenieddetail", "accessDeniedDetail"])
def test_a_missing_permission_is_named(name: str, detail: t.Any, said: str) -> None:
    error = refusal(answer({"code": DENIED + "AccessTokenPermissionDenied", "message": "no", name: detail}, 403))
    assert error.said == f'the vendor said "{DENIED}AccessTokenPermissionDenied: no"{said}'


LIMIT = "{} answered with HTTP {} and no error code, as when one address calls too often"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, b""),
        (403, b"<html>blocked</html>"),
        (403, {"status": 1111}),
        (403, {"code": ""}),
        (200, {"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"}),
    ],
)
def test_the_limit_of_an_address_is_no_refusal(status: int, body: t.Any) -> None:
    error = refusal(answer(body, status, {"Retry-After": "300"}))
    assert (error.kind, error.retryable, error.retry_after) == ("throttled", True, 300.0)
    assert error.sentence("Polling") == (
        f"Polling failed: {LIMIT.format(HOST, status)}; "
        "wait some minutes, or check that no network filter answers in the vendor's place."
    )


# --- The token -----------------------------------------------------------------------------------------------------


class Vendor:
    """Gives tokens with a number, and answers to the present one alone."""

    def __init__(self, *, life: t.Any = 7200, valid: t.Callable[[str], bool] = lambda token: True) -> None:
        self.life = life
        self.valid = valid
        self.calls: list[str] = []
        self.timeouts: list[float | None] = []
        self.tokens = 0

    @property
    def sent(self) -> int:
        return len(self.calls)

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        request.sign()
        self.timeouts.append(timeout)
        if request.method == "POST":
            self.calls.append(f"{request.url} {t.cast(bytes, request.body).decode()}")
            return self.give_token()
        token = request.headers["x-acs-dingtalk-access-token"]
        self.calls.append(token)
        return answer({"status": 1}) if self.valid(token) else self.refuse(token)

    def give_token(self) -> Answer:
        self.tokens += 1
        return answer({"accessToken": f"EXAMPLE-TOKEN-{self.tokens}", "expireIn": self.life})

    def refuse(self, token: str) -> Answer:
        return answer({"code": "InvalidAuthentication", "message": f"{token} is not legal"}, 400)


TOKEN_CALL = (
    "https://api.dingtalk.io/v1.0/oauth2/accessToken "
    '{"appKey": "dingEXAMPLEKEY", "appSecret": "EXAMPLE-FAKE-APP-SECRET"}'
)


def test_a_token_is_fetched_once_and_kept() -> None:
    vendor = Vendor()
    mine = provider(vendor, APP)
    assert [mine.poll(REF, timeout=3.0).calls for dummy in range(3)] == [2, 1, 1]
    assert vendor.calls == [TOKEN_CALL] + ["EXAMPLE-TOKEN-1"] * 3
    assert vendor.timeouts == pytest.approx([3.0] * 4, abs=1)


def test_a_given_token_is_used_as_it_is() -> None:
    vendor = Vendor()
    assert provider(vendor, FIXED).poll(REF).calls == 1
    assert vendor.calls == ["EXAMPLE-FAKE-ACCESS-TOKEN"]


def test_a_refused_token_is_fetched_again_once() -> None:
    vendor = Vendor(valid=lambda token: token.endswith("2"))
    poll = provider(vendor, APP).poll(REF)
    assert (poll.calls, vendor.calls) == (4, [TOKEN_CALL, "EXAMPLE-TOKEN-1", TOKEN_CALL, "EXAMPLE-TOKEN-2"])


def test_a_token_that_is_refused_again_is_told_without_it() -> None:
    with pytest.raises(CloudError) as caught:
        provider(Vendor(valid=lambda token: False), APP).poll(REF)
    error = caught.value
    assert (error.kind, error.calls, error.message) == ("auth", 4, "******** is not legal")
    assert (
        error.advice
        == "check the token and the site, or give app_key and app_secret to have tokens fetched; " + QUESTION
    )


def test_a_given_token_that_is_refused_is_told_at_once() -> None:
    with pytest.raises(CloudError, match="InvalidAuthentication") as caught:
        provider(Vendor(valid=lambda token: False), FIXED).poll(REF)
    assert (caught.value.calls, caught.value.message) == (1, "******** is not legal")


@pytest.mark.parametrize(
    ("life", "times", "fetched"),
    [
        (7200, [0, 6999, 7000, 7001, 7002], [1, 1, 1, 2, 2]),
        (60, [0, 29, 31, 60], [1, 1, 2, 2]),  # a very short one is not fetched for each poll
        (None, [0, 10**9], [1, 1]),
        ("7200", [0, 7001], [1, 2]),
        (10**400, [0, 80_000, 90_000], [1, 1, 2]),
        (-5, [0, 10**9], [1, 1]),
    ],
)
def test_a_token_is_fetched_again_before_it_ends(life: t.Any, times: list[float], fetched: list[int]) -> None:
    now = [0.0]
    vendor = Vendor(life=life)
    mine = provider(vendor, APP, lambda: now[0])
    seen = []
    for moment in times:
        now[0] = moment
        mine.poll(REF)
        seen.append(vendor.tokens)
    assert seen == fetched


@pytest.mark.parametrize("token", [None, "", 5, ["x"], "a b", "a\nb", "\u5458", {"x": "y"}])
def test_a_token_that_is_none_is_told(token: t.Any) -> None:
    class Odd(Vendor):
        def give_token(self) -> Answer:
            return answer({"accessToken": token, "expireIn": 7200})

    with pytest.raises(CloudError) as caught:
        provider(Odd(), APP).poll(REF)
    assert (caught.value.kind, caught.value.calls) == ("protocol", 1)
    assert caught.value.said == f"{HOST} answered without an access token"


@pytest.mark.parametrize(
    ("status", "body", "kind", "sentence"),
    [
        (
            400,
            {"code": "invalidClientIdOrSecret", "message": "wrong EXAMPLE-FAKE-APP-SECRET"},
            "auth",
            (
                'the vendor said "invalidClientIdOrSecret: wrong ********"; check app_key and app_secret, and the site; '
                f"{QUESTION}."
            ),
        ),
        (
            404,
            {"code": "InvalidAction.NotFound", "message": "no such path"},
            "config",  # the cloud task may well be there
            'the vendor said "InvalidAction.NotFound: no such path"; check the endpoint and the site.',
        ),
        (500, b"", "server", f"{HOST} answered with HTTP 500; try again later, the fault is on the vendor's side."),
    ],
)
def test_a_token_call_that_fails_is_told(status: int, body: t.Any, kind: str, sentence: str) -> None:
    class Refusing(Vendor):
        def give_token(self) -> Answer:
            return answer(body, status)

    with pytest.raises(CloudError) as caught:
        provider(Refusing(), APP).poll(REF)
    assert (caught.value.kind, caught.value.calls) == (kind, 1)
    assert caught.value.sentence("Polling") == f"Polling failed: no access token could be fetched: {sentence}"


def test_threads_fetch_one_token() -> None:
    vendor = Vendor()
    mine = provider(vendor, APP)
    start = threading.Barrier(8)

    def poll() -> None:
        start.wait(PATIENCE)
        mine.poll(REF)

    threads = [threading.Thread(target=poll) for dummy in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (vendor.tokens, len(vendor.calls)) == (1, 9)


def test_a_poll_has_its_time_for_all_its_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0

    class Slow(Vendor):
        def give_token(self) -> Answer:
            nonlocal now
            now += 2.0
            return super().give_token()

    vendor = Slow()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    provider(vendor, APP).poll(REF, timeout=3.0)
    assert vendor.timeouts == [3.0, 1.0]


def test_a_refused_secret_is_refused_once_for_all() -> None:
    class Refusing(Vendor):
        def give_token(self) -> Answer:
            return answer({"code": "invalidClientIdOrSecret", "message": "no"}, 400)

    vendor = Refusing()
    mine = provider(vendor, APP)
    for calls in (1, 0, 0):
        with pytest.raises(CloudError, match="no access token could be fetched") as caught:
            mine.poll(REF)
        assert (caught.value.kind, caught.value.calls) == ("auth", calls)
    assert len(vendor.calls) == 1


def test_a_token_that_another_poll_has_fetched_since_is_used() -> None:
    vendor = Vendor()
    mine = provider(vendor, APP)
    request = mine.request(REF)
    refused = refusal(vendor.refuse("EXAMPLE-TOKEN-1"))
    assert mine._repair_token(refused, request) is True
    mine.poll(REF)
    assert mine._repair_token(refused, request) is True  # the same refusal again, met late by another thread
    assert mine.poll(REF).calls == 1
    assert vendor.tokens == 2


def test_all_tokens_so_far_are_secrets() -> None:
    mine = provider(Vendor(valid=lambda token: token.endswith("2")), APP)
    mine.poll(REF)
    assert set(mine.secrets()) == {"EXAMPLE-FAKE-APP-SECRET", "EXAMPLE-TOKEN-1", "EXAMPLE-TOKEN-2"}


# --- The request ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "endpoint", "base"),
    [
        (None, None, "https://api.dingtalk.io"),
        ("intl", None, "https://api.dingtalk.io"),
        ("china", None, "https://api.dingtalk.com"),
        ("china", "http://127.0.0.1:8080/base/", "http://127.0.0.1:8080/base"),
    ],
)
def test_the_site_decides_the_host_of_both_calls(site: str | None, endpoint: str | None, base: str) -> None:
    vendor = Vendor()
    mine = provider(vendor, APP, site=site, endpoint=endpoint)
    assert mine.request({**REF, "task_id": "a/b?c d"}).url == f"{base}/v2.0/doc/task/info/a%2Fb%3Fc%20d"
    assert vendor.calls[0].startswith(f"{base}/v1.0/oauth2/accessToken ")


def test_the_token_stands_in_its_header_as_it_is() -> None:
    request = provider().request(REF)
    request.sign()
    assert request.headers["x-acs-dingtalk-access-token"] == "EXAMPLE-FAKE-ACCESS-TOKEN"
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
