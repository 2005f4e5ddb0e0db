# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between AnsibleModule and the library, with a module and a provider that only write down what happens."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import run as library
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import Record, make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services import connect
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll, Service, Settings
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.ess import Ess
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Request

TRANSPORT = {"site": None, "request_timeout": 10.0, "validate_certs": True, "ca_path": None}
PARAMS = {**TRANSPORT, "task_id": "t1", "endpoint": None, "request_retries": 0}
KEYS = {"secret_id": "id", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
REF = {"provider": "fake", "task_id": "t1"}


class Ended(Exception):
    """The end of a module, with its result."""

    def __init__(self, failed: bool, result: dict[str, t.Any]) -> None:
        super().__init__(result)
        self.failed = failed
        self.result = result


class FakeModule:
    """As much of AnsibleModule as is used."""

    def __init__(self, **params: t.Any) -> None:
        self.params = {**PARAMS, **params}
        self.no_log_values: set[str] = set()
        self.warnings: list[str] = []
        self.hidden_at_end: set[str] = set()

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def exit_json(self, **result: t.Any) -> t.NoReturn:
        self.hidden_at_end = set(self.no_log_values)
        raise Ended(False, result)

    def fail_json(self, **result: t.Any) -> t.NoReturn:
        self.hidden_at_end = set(self.no_log_values)
        raise Ended(True, result)


class FakeService(Service):
    """Gives one poll or error after the other, the last one for ever."""

    word = "fake"
    statuses: t.ClassVar[dict[str, str]] = {}
    title = "Fake Cloud"
    ref_keys = ()
    rate = 1.0
    script: t.ClassVar[list[Poll | CloudError]] = []
    polls: t.ClassVar[int] = 0
    offset: t.ClassVar[float] = 0.0
    lacks: t.ClassVar[list[str]] = []

    @classmethod
    def create(cls, settings: Settings, options: t.Mapping[str, t.Any], environ: t.Mapping[str, str]) -> FakeService:
        return cls(settings)

    @classmethod
    def missing_libraries(cls) -> list[str]:
        return cls.lacks

    @property
    def credential_source(self) -> str:
        return "options"

    def secrets(self) -> list[str]:
        return ["EXAMPLE-FAKE-TOKEN"]

    def vendor_url(self, ref: t.Mapping[str, t.Any]) -> str:
        return "https://fake.example.com"

    def request(self, ref: t.Mapping[str, t.Any], *, timeout: float | None = None) -> Request:
        raise NotImplementedError

    def read(self, ref: t.Mapping[str, t.Any], answer: Answer) -> tuple[Record, dict[str, t.Any]]:
        raise NotImplementedError

    def poll(self, ref: t.Mapping[str, t.Any], *, timeout: float | None = None, record_only: bool = False) -> Poll:
        cls = type(self)
        cls.polls += 1
        self.settings.clock.offset = self.offset
        one = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(one, CloudError):
            raise one
        return one


def playing(*script: Poll | CloudError, offset: float = 0.0, lacks: t.Sequence[str] = ()) -> type[FakeService]:
    return type("Playing", (FakeService,), {"script": list(script), "offset": offset, "lacks": list(lacks), "polls": 0})


def seen(status: str = "running", native: str | None = "4") -> Poll:
    return Poll(make_record(REF, status, native), {"Native": native}, 1)


def run(provider: type[Service], module: FakeModule | None = None) -> Ended:
    with pytest.raises(Ended) as caught:
        library.run_info(t.cast(t.Any, module or FakeModule()), provider)
    return caught.value


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "CLOUDWAIT_FAKE_ENDPOINT",
        "CLOUDWAIT_MPS_ENDPOINT",
        "CLOUDWAIT_ESS_ENDPOINT",
    ):
        monkeypatch.delenv(name, raising=False)


# --- A whole run ---------------------------------------------------------------------------------------------------


def test_a_poll_is_the_result() -> None:
    end = run(playing(seen()))
    assert (end.failed, end.result) == (
        False,
        {
            "changed": False,
            "credential_source": "options",
            "task": make_record(REF, "running", "4"),
            "response": {"Native": "4"},
            "invocation": {"module_args": PARAMS},
        },
    )


@pytest.mark.parametrize("status", ["failed", "partial", "canceled"])
def test_a_cloud_task_that_failed_is_no_failure_of_the_poll(status: str) -> None:
    module = FakeModule()
    assert run(playing(seen(status)), module).failed is False
    assert module.warnings == []


def test_a_poll_that_fails_says_what_to_do() -> None:
    error = CloudError(
        "not_found",
        'the vendor said "Gone: no such task"',
        code="Gone",
        message="no such task",
        http_status=200,
        request_id="r1",
    )
    end = run(playing(error))
    assert (end.failed, end.result) == (
        True,
        {
            "changed": False,
            "credential_source": "options",
            "msg": 'The poll of the Fake Cloud cloud task "t1" failed: the vendor said "Gone: no such task"; '
            "check the task id, the site and how long ago the cloud task was started.",
            "error": {
                "kind": "not_found",
                "code": "Gone",
                "message": "no such task",
                "http_status": 200,
                "request_id": "r1",
                "retryable": False,
            },
        },
    )


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"task_id": " "}, "task_id is empty; give the id that the start call returned."),
        ({"request_timeout": 0.0}, "request_timeout must be at least 0.001, got "),
        ({"request_timeout": -1.0}, "request_timeout must be at least 0.001, got "),
        ({"request_retries": -1}, "request_retries must be at least 0, got -1; "),
        ({"endpoint": "http://gateway.example.com"}, "the endpoint for fake is plain http to another machine, "),
    ],
)
def test_a_wrong_option_is_told_before_anything_is_sent(params: dict[str, t.Any], said: str) -> None:
    provider = playing(seen())
    end = run(provider, FakeModule(**params))
    tried = f'The poll of the Fake Cloud cloud task "{params.get("task_id", "t1").strip()}" failed: '
    assert (end.failed, end.result["error"]["kind"], provider.polls) == (True, "config", 0)
    assert end.result["msg"].startswith(tried + said)


def test_missing_credentials_are_told() -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"):
            patch.delenv(name, raising=False)
        end = run(Mps, FakeModule(secret_id="id"))
    assert end.result["msg"] == (
        'The poll of the Tencent MPS cloud task "t1" failed: '
        "the credentials of the options are incomplete: "
        "secret_id is given, secret_key is missing; give all of them in the same place."
    )


def test_a_missing_library_is_told() -> None:
    end = run(playing(seen(), lacks=["xmltodict"]))
    assert end.failed
    assert end.result["msg"].startswith("Failed to import the required Python library (xmltodict)")


def test_another_host_is_named_on_success_and_on_failure() -> None:
    module = FakeModule(endpoint="https://gateway.example.com")
    results = [run(playing(one), module).result for one in (seen(), CloudError("server", "HTTP 503"))]
    assert [result["endpoint_host"] for result in results] == ["gateway.example.com"] * 2


# --- Patience ------------------------------------------------------------------------------------------------------


def patiently(retries: int, *script: Poll | CloudError) -> tuple[Poll | CloudError, list[float], int]:
    """The end of a patient poll, how long it slept each time, and how often it polled."""
    provider = playing(*script)
    made = connect.make_service(provider, PARAMS, {}, connect.make_transport(PARAMS), connect.make_clock(PARAMS))
    sleeps: list[float] = []
    try:
        end: Poll | CloudError = library.patiently(lambda: made.poll(REF), retries, sleep=sleeps.append)
    except CloudError as error:
        end = error
    return end, sleeps, provider.polls


def down(**more: t.Any) -> CloudError:
    return CloudError("server", "HTTP 503", **more)


@pytest.mark.parametrize(
    ("retries", "script", "polls"),
    [
        (0, [down()], 1),
        (3, [down()], 4),
        (3, [down(), down(), seen()], 3),
        (
            3,
            [CloudError("throttled", "slow down"), CloudError("network", "reset"), CloudError("protocol", "?"), seen()],
            4,
        ),
        (3, [CloudError("auth", "no"), seen()], 1),
        (3, [CloudError("not_found", "no"), seen()], 1),
        (3, [down(retryable=False), seen()], 1),
    ],
)
def test_a_poll_is_repeated_after_what_may_pass(retries: int, script: list[Poll | CloudError], polls: int) -> None:
    last = script[min(polls, len(script)) - 1]
    end, sleeps, polled = patiently(retries, *script)
    assert (end, polled, len(sleeps)) == (last, polls, polls - 1)


@pytest.mark.parametrize(
    ("retry_after", "least", "most"),
    [(None, 0.75, 1.0), (0.1, 0.75, 1.0), (7.0, 7.0, 7.0), (3600.0, 60.0, 60.0), (float("inf"), 60.0, 60.0)],
)
def test_the_wait_is_what_the_vendor_asks_for_up_to_a_minute(
    retry_after: float | None, least: float, most: float
) -> None:
    sleeps = patiently(1, down(retry_after=retry_after))[1]
    assert len(sleeps) == 1
    assert least <= sleeps[0] <= most


def test_the_waits_grow() -> None:
    bounds = [(0.75, 1), (1.5, 2), (3, 4), (6, 8), (7.5, 10), (7.5, 10)]
    sleeps = patiently(6, down())[1]
    assert [low <= sleep <= high for sleep, (low, high) in zip(sleeps, bounds)] == [True] * 6


# --- From options to objects ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "verify", "correctable"),
    [
        ({}, True, True),
        ({"ca_path": "/etc/ca.pem"}, "/etc/ca.pem", True),
        ({"validate_certs": False}, False, False),
        ({"validate_certs": False, "ca_path": "/etc/ca.pem"}, False, False),
    ],
)
def test_certificates_are_checked_and_their_servers_clock_believed(
    params: dict[str, t.Any], verify: t.Any, correctable: bool
) -> None:
    options = {**TRANSPORT, **params}
    transport, clock = connect.make_transport(options), connect.make_clock(options, offset=5.0)
    assert (transport._verify, transport.timeout, clock.offset) == (verify, 10.0, 5.0)
    assert clock.correct(5.0, clock.time() + 600) is correctable


@pytest.mark.parametrize(
    ("option", "environ", "endpoint"),
    [
        (None, {}, None),
        ("", {}, None),
        (
            "https://option.example.com",
            {"CLOUDWAIT_MPS_ENDPOINT": "https://environ.example.com"},
            "https://option.example.com",
        ),
        (None, {"CLOUDWAIT_MPS_ENDPOINT": "https://environ.example.com"}, "https://environ.example.com"),
        (None, {"CLOUDWAIT_MPS_ENDPOINT": ""}, None),
        (None, {"CLOUDWAIT_ESS_ENDPOINT": "https://other.example.com"}, None),
    ],
)
def test_an_endpoint_comes_from_the_option_or_the_environment(
    option: str | None, environ: dict[str, str], endpoint: str | None
) -> None:
    options = {**PARAMS, **KEYS, "endpoint": option, "site": "intl"}
    provider = connect.make_service(Mps, options, environ, connect.make_transport(options), connect.make_clock(options))
    assert (provider.settings.endpoint, provider.settings.site) == (endpoint, "intl")


@pytest.mark.parametrize("action", ["DescribeFileConvertTask", "ChannelGetTaskResultApi"])
def test_the_options_of_one_provider_reach_it(action: str) -> None:
    options = {**PARAMS, **KEYS, "api_action": action}
    provider = connect.make_service(Ess, options, {}, connect.make_transport(options), connect.make_clock(options))
    assert isinstance(provider, Ess)
    assert provider.api_action == action


# --- Secrets and warnings ------------------------------------------------------------------------------------------


def test_secrets_that_are_no_options_are_hidden_before_the_end() -> None:
    module = FakeModule()
    run(playing(CloudError("auth", "no")), module)
    assert module.hidden_at_end == {"EXAMPLE-FAKE-TOKEN"}


def test_secrets_are_cut_out_of_what_is_shown_and_not_out_of_ids() -> None:
    module = FakeModule(secret_key="k-t1")
    module.no_log_values = {"t1", "k-t1"}
    record = make_record(REF, "failed", "4", error={"code": None, "message": "pin t1", "reason": "unknown"})
    result = {"changed": False, "task": record, "tasks": [record], "refs": [REF], "response": {"Pin": "t1"}}
    told = library.without_secrets(t.cast(t.Any, module), result)
    assert module.no_log_values == set()  # else Ansible goes through all of it once more
    assert (told["refs"], told["task"]["task_id"], told["task"]["ref"]) == ([REF], "t1", REF)
    assert told["tasks"] == [told["task"]]
    assert not [text for text in ("pin t1", '"Pin": "t1"', "k-t1") if text in json.dumps(told)]


def test_secrets_are_cut_out_of_warnings() -> None:
    module = FakeModule()
    module.no_log_values = {"EXAMPLE-FAKE-TOKEN"}
    library.warn(t.cast(t.Any, module), ["The status W-EXAMPLE-FAKE-TOKEN is odd."])
    assert module.warnings == ["The status W-******** is odd."]


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("https://user:EXAMPLE-FAKE-PASSWORD@gateway.example.com", {"EXAMPLE-FAKE-PASSWORD"}),
        ("http://EXAMPLE-FAKE-PASSWORD@gateway.example.com", {"EXAMPLE-FAKE-PASSWORD"}),
        ("https://user:EXAMPLE@FAKE@gateway.example.com", {"EXAMPLE@FAKE"}),
        ("https://@gateway.example.com", set[str]()),
        ("https://gateway.example.com", set[str]()),
        ("", set[str]()),
        (None, set[str]()),
    ],
)
@pytest.mark.parametrize("place", ["endpoint", "HTTPS_PROXY", "HTTP_PROXY"])
def test_passwords_in_urls_are_hidden(
    url: str | None, hidden: set[str], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = FakeModule()
    if place == "endpoint":
        module.params["endpoint"] = url
    elif url is not None:
        monkeypatch.setenv(place, url)
    library.hide_secrets(t.cast(t.Any, module), ["one"], ["two"])
    assert module.no_log_values == {"one", "two"} | hidden


def test_an_unknown_status_is_said_aloud() -> None:
    module = FakeModule()
    assert run(playing(seen("unknown", "99")), module).failed is False
    assert module.warnings == [
        (
            'The status "99" of the fake cloud task "t1" is not one that the vendor documents; '
            "it counts neither as done nor as a success."
        )
    ]


@pytest.mark.parametrize(
    ("offset", "side"),
    [(600.4, "600 s behind"), (-86400.0, "86400 s ahead of")],
)
@pytest.mark.parametrize("script", [seen(), CloudError("auth", "no")])
def test_a_clock_that_was_corrected_is_said_aloud(offset: float, side: str, script: Poll | CloudError) -> None:
    module = FakeModule()
    run(playing(script, offset=offset), module)
    assert module.warnings == [
        f"This host's clock is {side} the vendor's; signatures were corrected, set the clock right."
    ]


def test_ansible_does_not_censor_once_more_what_is_censored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AnsibleModule, "fail_json", lambda self, msg, **result: None)
    module = library.QuietModule.__new__(library.QuietModule)
    module.params, module.no_log_values = {"secret_key": "1234"}, set()
    library.without_secrets(module, {"changed": False, "tasks": [{"task_id": "job-1234", "ref": REF}]})
    module.fail_json(msg="the wait failed")
    assert module.no_log_values == set()
