# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all services share: a poll and its repairs on a fake transport, and the tools that read answers."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _secrecy
from ansible_collections.cloudwait.conversion.plugins.module_utils._credentials import Keys, TencentCredentials
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services import answers
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll, Service, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import Ess
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import SERVICES
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Request, Transport

NOW = 1_700_000_000.0
TEN_MINUTES_ON = "Tue, 14 Nov 2023 22:23:20 GMT"
REF = {"provider": "mps", "task_id": "m1"}
AGENT = {"app_id": "a", "proxy_organization_open_id": "o", "proxy_operator": {"open_id": "p"}}
ESS_REF = {"provider": "ess", "task_id": "e1", "agent": AGENT}
TOKEN = "EXAMPLE-FAKE-STS-TOKEN"


class FakeTransport:
    """Gives one answer after the other, the last one for ever; signs what it gets, as the real one does."""

    def __init__(self, *answers: Answer | CloudError) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, t.Any]] = []
        self.timeouts: list[float | None] = []

    @property
    def sent(self) -> int:
        return len(self.requests)

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        request.sign()
        headers = dict(request.headers)
        self.requests.append({"url": request.url, "body": request.body, **headers})
        self.timeouts.append(timeout)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, CloudError):
            raise answer
        return answer

    def settings(self, **more: t.Any) -> Settings:
        return Settings(**{"transport": t.cast(Transport, self), "clock": Clock(lambda: NOW), **more})


def api3(response: t.Any, **headers: str) -> Answer:
    return Answer("mps.tencentcloudapi.com", 200, headers, json.dumps({"Response": response}).encode())


def fault(code: str, message: str = "no", **headers: str) -> Answer:
    return api3({"Error": {"Code": code, "Message": message}, "RequestId": "r1"}, **headers)


CLOCK = fault("AuthFailure.SignatureExpire", "too old", Date=TEN_MINUTES_ON)
KEYS = fault("AuthFailure.TokenFailure", "ended")
ACTION = fault("InvalidAction", "gone")
MPS_GOOD = api3({"Status": "WAITING"})
ESS_GOOD = api3({"TaskStatus": 8})


class Renewing:
    """Temporary keys with another number each time they are loaded."""

    def __init__(self) -> None:
        self.loads = 0
        self.credentials = TencentCredentials("fake", self._load, renewable=True, now=lambda: NOW)

    def _load(self) -> Keys:
        self.loads += 1
        return Keys(f"id{self.loads}", "EXAMPLE-FAKE-SECRET-KEY", f"{TOKEN}-{self.loads}")


def mps(transport: FakeTransport, **more: t.Any) -> Mps:
    return Mps(transport.settings(**more), Renewing().credentials)


def ess(transport: FakeTransport) -> Ess:
    return Ess(transport.settings(), Renewing().credentials)


def refusal(provider: Service, ref: t.Mapping[str, t.Any] | None = None) -> CloudError:
    with pytest.raises(CloudError) as caught:
        provider.poll(ref or REF)
    return caught.value


# --- A poll and its repairs ----------------------------------------------------------------------------------------


def test_a_poll_is_one_request() -> None:
    transport = FakeTransport(MPS_GOOD)
    record = make_record(REF, "pending", "WAITING")
    assert mps(transport).poll(REF, timeout=3.0) == Poll(record, {"Status": "WAITING"}, 1)
    assert transport.timeouts == pytest.approx([3.0], abs=1)


@pytest.mark.parametrize(
    ("answers", "calls"),
    [
        ([ESS_GOOD], 1),
        ([CLOCK, ESS_GOOD], 2),
        ([KEYS, ESS_GOOD], 2),
        ([ACTION, ESS_GOOD], 2),
        ([CLOCK, KEYS, ACTION, ESS_GOOD], 4),
        ([ACTION, CLOCK, KEYS, ESS_GOOD], 4),
    ],
)
def test_each_thing_is_repaired_on_the_way(answers: list[Answer], calls: int) -> None:
    poll = ess(FakeTransport(*answers)).poll(ESS_REF)
    assert (poll.record["status"], poll.calls) == ("succeeded", calls)


@pytest.mark.parametrize(
    ("answers", "calls", "code"),
    [
        ([CLOCK, CLOCK, ESS_GOOD], 2, "AuthFailure.SignatureExpire"),
        ([KEYS, KEYS, ESS_GOOD], 2, "AuthFailure.TokenFailure"),
        ([ACTION, ACTION, ESS_GOOD], 2, "InvalidAction"),
        ([CLOCK, KEYS, CLOCK, ESS_GOOD], 3, "AuthFailure.SignatureExpire"),
        ([CLOCK, KEYS, ACTION, KEYS, ESS_GOOD], 4, "AuthFailure.TokenFailure"),
        ([fault("ResourceNotFound"), ESS_GOOD], 1, "ResourceNotFound"),
    ],
)
def test_each_thing_is_repaired_once_a_poll(answers: list[Answer], calls: int, code: str) -> None:
    error = refusal(ess(FakeTransport(*answers)), ESS_REF)
    assert (error.code, error.calls) == (code, calls)


def test_a_corrected_clock_signs_with_the_vendors_time() -> None:
    transport = FakeTransport(CLOCK, MPS_GOOD)
    provider = mps(transport)
    provider.poll(REF)
    assert [request["X-TC-Timestamp"] for request in transport.requests] == ["1700000000", "1700000600"]
    assert provider.poll(REF).calls == 1  # it stays corrected
    assert provider.settings.clock.offset == 600


@pytest.mark.parametrize(
    ("answer", "clock"),
    [
        (CLOCK, Clock(lambda: NOW, correctable=False)),
        (CLOCK, Clock(lambda: NOW - 25 * 3600)),
        (fault("AuthFailure.SignatureExpire", "too old"), Clock(lambda: NOW)),
    ],
    ids=["unchecked certificate", "more than a day", "no date"],
)
def test_a_clock_that_must_not_be_corrected_is_told(answer: Answer, clock: Clock) -> None:
    error = refusal(mps(FakeTransport(answer, MPS_GOOD), clock=clock))
    assert (error.kind, error.calls) == ("clock", 1)
    assert error.sentence("Polling") == (
        'Polling failed: the vendor said "AuthFailure.SignatureExpire: too old"; '
        "set this host's clock right, for example with NTP."
    )


def test_renewed_keys_are_used() -> None:
    transport = FakeTransport(KEYS, MPS_GOOD)
    mps(transport).poll(REF)
    assert [request["X-TC-Token"] for request in transport.requests] == [f"{TOKEN}-1", f"{TOKEN}-2"]


def test_keys_that_cannot_be_renewed_are_told_with_the_calls() -> None:
    def load() -> Keys:
        if loads:
            raise CloudError("network", "the metadata service is away")
        loads.append(1)
        return Keys("id", "EXAMPLE-FAKE-SECRET-KEY", TOKEN)

    loads: list[int] = []
    provider = Mps(FakeTransport(KEYS).settings(), TencentCredentials("fake", load, renewable=True))
    error = refusal(provider)
    assert (error.kind, error.said, error.calls) == ("network", "the metadata service is away", 1)


@pytest.mark.parametrize(
    "echo",
    [
        "you sent EXAMPLE-FAKE-SECRET-KEY",
        f"you sent {TOKEN}-1",
        "you sent the key of " + TOKEN,
        "you sent " + "x" * 475 + "-" + TOKEN,  # cut in the midst of it
    ],
)
def test_secrets_are_scrubbed_from_errors(echo: str) -> None:
    transport = FakeTransport(fault("AuthFailure.SignatureFailure", echo))
    provider = Mps(
        transport.settings(), TencentCredentials("fake", lambda: Keys("id", "EXAMPLE-FAKE-SECRET-KEY", TOKEN))
    )
    error = refusal(provider)
    text = json.dumps(error.as_dict()) + error.sentence("Polling") + str(error)
    assert "EXAMPLE" not in text
    assert "********" in text


def test_signatures_are_scrubbed_from_errors() -> None:
    class Echo(FakeTransport):
        def send(self, request: Request, *, timeout: float | None = None) -> Answer:
            super().send(request, timeout=timeout)
            signed = self.requests[-1]["Authorization"].rpartition("=")[2]
            return fault("AuthFailure.SignatureFailure", f"ours is not {signed}")

    assert refusal(mps(Echo(MPS_GOOD))).message == "ours is not ********"


def test_secrets_of_a_request_that_was_repaired_are_scrubbed_too() -> None:
    transport = FakeTransport(KEYS, fault("AuthFailure.SignatureFailure", f"first {TOKEN}-1 then {TOKEN}-2"))
    assert refusal(mps(transport)).message == "first ******** then ********"


def test_errors_of_the_network_count_their_calls() -> None:
    error = refusal(mps(FakeTransport(KEYS, CloudError("network", "nothing listens"))))
    assert (error.kind, error.said, error.calls) == ("network", "nothing listens", 2)


def test_secrets_in_answers_are_hidden_and_text_can_be_written() -> None:
    poll = mps(FakeTransport(api3({"Status": "A\ud800B", "Size": 1e999, "TaskNotifyConfig": {"NotifyKey": "k"}}))).poll(
        REF
    )
    assert poll.response == {"Status": "A\ufffdB", "Size": "inf", "TaskNotifyConfig": {"NotifyKey": "********"}}
    assert poll.record["native_status"] == "A B"


def test_an_answer_that_is_nested_too_deeply_is_refused() -> None:
    deep: t.Any = "x"
    for dummy in range(150):
        deep = {"Deep": [deep]}
    error = refusal(mps(FakeTransport(api3({"Status": "WAITING", "Deep": deep}))))
    assert (error.kind, error.retryable, error.said) == (
        "protocol",
        False,
        "the answer is nested deeper than 100 levels",
    )


# --- Options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task_id", ["", "  ", "\n", None])
@pytest.mark.parametrize("provider", SERVICES.values())
def test_a_task_id_must_be_one(provider: type[Service], task_id: str | None) -> None:
    with pytest.raises(CloudError) as caught:
        provider.make_ref({"task_id": task_id}, {})
    assert caught.value.sentence("Polling") == (
        "Polling failed: task_id is empty; give the id that the start call returned."
    )


@pytest.mark.parametrize(
    ("task_id", "shown"),
    [(".", "."), (" ..", ".."), ("a\nb", "a\\nb"), ("a\0", "a\\x00"), ("\ud800", "\\ud800"), ("a\u200b", "a\\u200b")],
)
def test_a_task_id_has_no_odd_characters(task_id: str, shown: str) -> None:
    with pytest.raises(CloudError) as caught:
        Mps.make_ref({"task_id": task_id}, {})
    assert caught.value.sentence("Polling") == (
        f'Polling failed: task_id is "{shown}", which is no id of a cloud task; '
        "give the id that the start call returned."
    )


@pytest.mark.parametrize("provider", SERVICES.values())
def test_blanks_around_what_describes_a_cloud_task_are_none_of_it(provider: type[Service]) -> None:
    def spaced(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: spaced(member) for name, member in value.items()}
        return f"  {value}\n" if isinstance(value, str) else value

    options = {**EVERYTHING, "site": "china"}
    assert provider.make_ref(spaced(options), {}) == provider.make_ref(options, {})


EVERYTHING = {
    "task_id": "t",
    "bucket": "b-1",
    "region": "r",
    "site": "intl",
    "profile": "p",
    "agent": {"app_id": "a", "proxy_app_id": None, "proxy_operator": {"open_id": None}},
    "endpoint": "https://gateway.example.com",
    "token": "EXAMPLE-FAKE-STS-TOKEN",
}


def test_a_profile_that_takes_no_part_is_not_in_the_ref() -> None:
    assert Mps.make_ref({"task_id": "t", "profile": "p", "secret_id": "i"}, {}) == {
        "provider": "mps",
        "task_id": "t",
    }


def test_a_site_must_be_one() -> None:
    with pytest.raises(CloudError, match=r'^site is "mars", which is no site$'):
        Mps.make_ref({"task_id": "t", "site": "mars"}, {})


@pytest.mark.parametrize(
    ("status", "done"),
    [
        ("pending", False),
        ("running", False),
        ("succeeded", True),
        ("partial", True),
        ("failed", True),
        ("canceled", True),
        ("unknown", False),
    ],
)
def test_done_says_whether_the_status_is_an_end(status: str, done: bool) -> None:
    assert make_record(REF, status, None)["done"] is done


# --- Reading answers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+0800", "2026-01-01T19:04:05Z"),
        ("2026-01-02T03:04:05+08:00", "2026-01-01T19:04:05Z"),
        ("2026-01-02T03:04:05-0130", "2026-01-02T04:34:05Z"),
        ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05Z"),
        (" 2026-01-02 03:04:05Z ", "2026-01-02T03:04:05Z"),
        ("-", None),
        ("", None),
        (None, None),
        ("0000-00-00T00:00:00Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("2026-13-02T03:04:05Z", None),
        ("2026-01-02T03:04:05", None),  # of which place?
        ("9999-12-31T23:59:59-9999", None),
        ("0001-01-01T00:00:00+9999", None),
        (1700000000, None),
        (["2026-01-02T03:04:05Z"], None),
    ],
)
def test_times_are_in_utc_or_not_known(text: t.Any, iso: str | None) -> None:
    assert answers.iso_time(text) == iso


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7),
        ("7", 7),
        (" -7 ", -7),
        ("+7", 7),
        (10**400, 10**400),
        ("1" * 19, None),
        ("7.0", 7),
        (7.0, 7),
        (-7.0, -7),
        ("7.5", None),
        (7.5, None),
        (1e300, None),
        (float("nan"), None),
        (float("inf"), None),
        ("7.", None),
        (True, None),
        (None, None),
        ("", None),
        ("-", None),
        ([7], None),
        ("\u00b2", None),
    ],
)
def test_numbers_may_come_as_text(value: t.Any, number: int | None) -> None:
    assert answers.whole_number(value) == number


@pytest.mark.parametrize(
    ("value", "number"), [(0, 0), ("100", 100), (101, None), (-1, None), (None, None), ("x", None)]
)
def test_a_progress_is_a_percentage_or_nothing(value: t.Any, number: int | None) -> None:
    assert answers.percent(value) == number


@pytest.mark.parametrize(
    ("given", "redacted"),
    [
        ({"DocPassword": "x", "docpasswd": 5}, {"DocPassword": "********", "docpasswd": "********"}),
        ({"S3SecretId": "x", "S3SecretKey": "y"}, {"S3SecretId": "********", "S3SecretKey": "********"}),
        ({"A": [{"NotifyKey": "x"}]}, {"A": [{"NotifyKey": "********"}]}),
        ({"Token": "x", "NextToken": "y"}, {"Token": "********", "NextToken": "y"}),
        ({"NotifyUrl": "x", "NotifyMode": "y"}, {"NotifyUrl": "********", "NotifyMode": "y"}),
        ({"CallBack": "x", "CallBackType": "y"}, {"CallBack": "********", "CallBackType": "y"}),
        ({"DocPassword": {"@a": "1", "#text": "x"}}, {"DocPassword": "********"}),
        ({"DocPassword": ["x", "y"]}, {"DocPassword": "********"}),
        ({"DocPassword": None, "NotifyKey": ""}, {"DocPassword": None, "NotifyKey": ""}),
        ({"AWSAccessKeyId": "x", "Authorization": "y"}, {"AWSAccessKeyId": "********", "Authorization": "********"}),
        ({"a\ud800": "b\udfff \U0001f600"}, {"a\ufffd": "b\ufffd \U0001f600"}),
        ([float("nan"), float("-inf"), 1.5, 10**40, True, None], ["nan", "-inf", 1.5, 10**40, True, None]),
    ],
)
def test_what_vendors_echo_is_redacted(given: t.Any, redacted: t.Any) -> None:
    assert _secrecy.redact(given) == redacted


@pytest.mark.parametrize(
    ("status", "body", "kind", "said"),
    [
        (200, b"<html>", "protocol", "h answered with HTTP 200 and something else where a JSON object was expected"),
        (200, b"  ", "protocol", "h answered with HTTP 200 and an empty body where a JSON object was expected"),
        (200, b"[1]", "protocol", "h answered with HTTP 200 and something else where a JSON object was expected"),
        (200, b"null", "protocol", "h answered with HTTP 200 and something else where a JSON object was expected"),
        (
            200,
            b'{"a": "\xff"}',
            "protocol",
            "h answered with HTTP 200 and something else where a JSON object was expected",
        ),
        (
            200,
            b'{"a":' * 100_000,
            "protocol",
            "h answered with HTTP 200 and something else where a JSON object was expected",
        ),
        (404, b"", "protocol", "h answered with HTTP 404 and an empty body where a JSON object was expected"),
        (408, b"", "server", "h answered with HTTP 408"),
        (429, b"slow down", "throttled", "h answered with HTTP 429"),
        (500, b"oops", "server", "h answered with HTTP 500"),
        (502, b"<html>", "server", "h answered with HTTP 502"),
    ],
)
def test_a_body_that_is_no_json_object_is_told(status: int, body: bytes, kind: str, said: str) -> None:
    with pytest.raises(CloudError) as caught:
        answers.decode_json(Answer("h", status, {"Retry-After": "7"}, body))
    error = caught.value
    assert (error.kind, error.said, error.http_status, error.retry_after) == (kind, said, status, 7.0)
    assert error.retryable


@pytest.mark.parametrize(
    ("code", "kind"),
    [("A", "auth"), ("A.B", "clock"), ("A.B.C", "server"), ("A.X", "invalid"), ("AX", "invalid"), ("B", None)],
)
def test_the_longest_beginning_of_a_code_counts(code: str, kind: str | None) -> None:
    rules = {"A": "auth", "A*": "invalid", "A.B": "clock", "A.B*": "server"}
    rule = answers.find_rule({name: answers.Rule(kind) for name, kind in rules.items()}, code)
    assert (rule.kind if rule else None) == kind


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "invalid", False),
        (401, "auth", False),
        (403, "permission", False),
        (404, "not_found", False),
        (429, "throttled", True),
        (405, "server", True),
        (500, "server", True),
        (200, "server", True),
    ],
)
def test_a_code_that_no_table_knows_goes_by_the_http_status(status: int, kind: str, retryable: bool) -> None:
    answer = Answer("h", status, {}, b"")
    error = answers.vendor_error(answer, {}, code="New.\n", message="try\x1b[31m\nthis.", request_id="r\n1")
    assert (error.kind, error.retryable, error.code, error.request_id) == (kind, retryable, "New", "r 1")
    assert error.said == 'the vendor said "New: try [31m this"'


def test_a_code_without_a_message_stands_alone() -> None:
    error = answers.vendor_error(
        Answer("h", 500, {}, b""), {}, code="Busy", message=" ", request_id="", said_more=" and more"
    )
    assert (error.said, error.message, error.request_id) == ('the vendor said "Busy" and more', "", None)
    assert error.as_dict()["message"] == 'the vendor said "Busy" and more'


@pytest.mark.parametrize(
    ("value", "made"), [(None, []), ([], []), ("x", ["x"]), ({"a": 1}, [{"a": 1}]), ([None], [None])]
)
def test_anything_can_be_read_as_a_list(value: t.Any, made: list[t.Any]) -> None:
    assert answers.as_list(value) == made


@pytest.mark.parametrize(("value", "text"), [("  x ", "x"), ("", None), (" ", None), (8, "8"), (-13, "-13"), (0, "0")])
def test_a_status_may_be_a_number_or_text(value: t.Any, text: str | None) -> None:
    assert answers.text_or_none(value) == text


@pytest.mark.parametrize("value", [None, [], ["x"], {}, {"a": "b"}])
def test_what_is_no_text_is_nothing(value: t.Any) -> None:
    assert answers.text_or_none(value) is None
