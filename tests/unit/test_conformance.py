# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every promise that the collection makes of a service, kept by each that is registered; nothing is sent.

What differs between services is in ``tests/cases``, one file a service. A service that keeps these promises and those
of ``tests/functional/test_conformance.py`` needs no other test for them.
"""

from __future__ import annotations

import json
import pathlib
import socket
import typing as t
from urllib.parse import urlsplit

import pytest
import yaml
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Description, Poll, Service
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.connect import make_service
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.registry import SERVICES
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.task_options import TASK_OPTIONS
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import Answer, Clock, Transport
from ansible_collections.cloudwait.conversion.tests.cases import CASES
from ansible_collections.cloudwait.conversion.tests.cases._case import (
    ODD,
    RECORD,
    STATUSES,
    TASK_ID,
    TERMINAL,
    Case,
    Reply,
)
from ansible_collections.cloudwait.conversion.tests.unit.argspecs import spec_of
from ansible_collections.cloudwait.conversion.tests.unit.played import Vendor

ROOT = pathlib.Path(__file__).resolve().parents[2]
ELSEWHERE = "https://gateway.example.com/base"
RETRYABLE = {"throttled", "server", "network", "protocol"}
GENERAL = ("task_info", "wait_for_task")
"""The modules that know every service."""

EVERYTHING = {
    "task_id": TASK_ID,
    "site": "china",
    "profile": "night",
    "endpoint": ELSEWHERE,
    "secret_id": None,
    "secret_key": "EXAMPLE-FAKE-SECRET-KEY",
    "token": "EXAMPLE-FAKE-STS-TOKEN",
    "app_secret": "EXAMPLE-FAKE-APP-SECRET",
    "access_token": "EXAMPLE-FAKE-ACCESS-TOKEN",
}

each_case = pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))


def each(name: str, *more: str) -> pytest.MarkDecorator:
    """Runs a test for each key of a table of each case."""
    pairs = [(case, key) for case in CASES.values() for key in (*more, *getattr(case, name))]
    return pytest.mark.parametrize(("case", "key"), pairs, ids=[f"{case.word}-{key}" for case, key in pairs])


class FakeTransport(Vendor):
    """Plays the replies of a case."""

    def __init__(self, *replies: Reply) -> None:
        super().__init__(*(Answer("vendor.example.com", reply.status, reply.headers, reply.body) for reply in replies))


def make(case: Case, transport: FakeTransport, environ: t.Mapping[str, str] | None = None, **options: t.Any) -> Service:
    """Returns the service of a case, with credentials in the options."""
    clock = Clock(lambda: 1_700_000_000.0)
    given = {**case.credentials.options, **options}
    return make_service(SERVICES[case.word], given, environ or {}, t.cast(Transport, transport), clock)


def ref_of(case: Case) -> dict[str, t.Any]:
    return SERVICES[case.word].make_ref({**case.needs, "task_id": TASK_ID}, {})


def poll(case: Case, reply: Reply) -> Poll:
    """Polls once, and returns what this answer became."""
    return make(case, FakeTransport(*case.before, reply)).poll(ref_of(case))


def refusal(case: Case, reply: Reply) -> CloudError:
    """Polls once, and returns the error that this answer became."""
    with pytest.raises(CloudError) as caught:
        poll(case, reply)
    return caught.value


def documentation(module: str, part: str) -> t.Any:
    """A part of a module's documentation, as data."""
    text = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
    return yaml.safe_load(text.partition(f'{part} = r"""')[2].partition('"""')[0])


def dicts_in(value: t.Any) -> t.Iterator[dict[str, t.Any]]:
    """Every dict in a value, however deep."""
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for member in value if isinstance(value, list) else ():
        yield from dicts_in(member)


# --- A service and its case -----------------------------------------------------------------------------------------


def test_every_service_has_a_case_and_every_case_a_service() -> None:
    assert sorted(CASES) == sorted(SERVICES)


@each_case
def test_a_class_says_all_that_is_known_of_its_service(case: Case) -> None:
    service = SERVICES[case.word]
    assert (service.word, service.title) == (case.word, case.title)
    assert service.endpoint_variable() == f"CLOUDWAIT_{case.word.upper()}_ENDPOINT"
    assert service.rate > 0
    assert service.missing_libraries() == []


@each_case
def test_a_case_has_an_error_code_of_every_kind_that_tests_play(case: Case) -> None:
    assert set(case.errors.values()) >= {"auth", "permission", "not_found", "throttled", "invalid", "server"}
    assert set(case.plays) >= {"pending", "running", "succeeded", "failed", "unknown"}


# --- Requests -------------------------------------------------------------------------------------------------------


@each_case
def test_a_poll_goes_to_the_vendor_and_proves_who_asks(case: Case) -> None:
    transport = FakeTransport(*case.before, case.answer("x"))
    polled = make(case, transport).poll(ref_of(case))
    request = transport.requests[-1]
    assert polled.calls == transport.sent == len(case.before) + 1
    assert {urlsplit(each.url).netloc for each in transport.requests} == {case.host}
    assert request.url.startswith("https://")
    assert request.headers[case.credentials.header]
    assert TASK_ID in f"{request.url} {request.body!r}"


@each_case
@pytest.mark.parametrize("where", ["option", "variable", "both"])
def test_an_endpoint_takes_the_place_of_the_vendors_host(case: Case, where: str) -> None:
    options = {"endpoint": ELSEWHERE} if where != "variable" else {}
    other = "https://another.example.com" if where == "both" else ELSEWHERE
    environ = {SERVICES[case.word].endpoint_variable(): other} if where != "option" else {}
    transport = FakeTransport(*case.before, case.answer("x"))
    service = make(case, transport, environ, **options)
    service.poll(ref_of(case))
    assert all(each.url.startswith(ELSEWHERE + "/") for each in transport.requests)
    assert service.about(ref_of(case))["endpoint_host"] == "gateway.example.com"


@each_case
def test_the_vendors_host_is_not_named_in_a_result(case: Case) -> None:
    assert "endpoint_host" not in make(case, FakeTransport(case.answer("x"))).about(ref_of(case))


@each_case
@pytest.mark.parametrize("endpoint", ["http://example.com", "https://me:pw@example.com", "https://example.com?a=1"])
def test_an_endpoint_that_is_not_safe_is_refused(case: Case, endpoint: str) -> None:
    with pytest.raises(CloudError) as caught:
        make(case, FakeTransport(case.answer("x")), endpoint=endpoint)
    assert caught.value.kind == "config"


@each_case
def test_credentials_come_whole_from_options_or_environment(case: Case) -> None:
    known = case.credentials
    assert make(case, FakeTransport(case.answer("x"))).credential_source == "options"
    none = dict.fromkeys(known.options)
    assert make(case, FakeTransport(case.answer("x")), known.environment, **none).credential_source == "environment"
    for missing in known.options:
        with pytest.raises(CloudError, match=missing) as caught:
            make(case, FakeTransport(case.answer("x")), known.environment, **{missing: None})
        assert caught.value.kind == "config"


# --- Records --------------------------------------------------------------------------------------------------------


@each_case
def test_the_statuses_are_those_of_the_vendors_page(case: Case) -> None:
    assert dict(SERVICES[case.word].statuses) == dict(case.statuses), case.source
    assert {"pending", "running", "succeeded"} <= set(case.statuses.values()) <= set(STATUSES) - {"unknown"}


@each("statuses")
def test_a_native_status_becomes_a_record_with_every_key(case: Case, key: str) -> None:
    record = poll(case, case.answer(key)).record
    assert tuple(record) == RECORD
    assert (record["provider"], record["task_id"], record["ref"]) == (case.word, TASK_ID, ref_of(case))
    assert (record["status"], record["native_status"]) == (case.statuses[key], key)
    assert record["done"] is (record["status"] in TERMINAL)


@each_case
@pytest.mark.parametrize(("word", "told"), [("NEW-WORD", "NEW-WORD"), ("NEW\n::error::", "NEW ::error::")])
def test_a_status_that_no_page_lists_is_unknown_and_told_in_one_line(case: Case, word: str, told: str) -> None:
    record = poll(case, case.answer(word)).record
    assert (record["status"], record["native_status"], record["done"]) == ("unknown", told, False)


@each_case
@pytest.mark.parametrize("odd", ODD)
def test_an_answer_without_a_readable_status_is_no_record(case: Case, odd: str) -> None:
    error = refusal(case, case.answer(ODD[odd]))
    assert (error.kind, error.retryable) == ("protocol", True)
    assert "tells the status" in error.said or "cannot be read" in error.said


@each_case
@pytest.mark.parametrize("value", [True, False, 0, 7, 1.5, float("inf"), "odd", ["SUCCESS"], {}])
def test_no_other_value_in_place_of_a_status_is_a_success(case: Case, value: t.Any) -> None:
    try:
        status = poll(case, case.answer(value)).record["status"]
    except CloudError as error:
        status = error.kind
    assert status in ("unknown", "pending", "running", "protocol")


@each_case
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b'{"a": "\xff"}', b"<Response>", b"{}"])
def test_an_answer_of_another_form_is_no_record(case: Case, body: bytes) -> None:
    error = refusal(case, Reply(body))
    assert (error.kind, error.retryable) == ("protocol", True)


@each("samples")
def test_a_sample_becomes_the_record_that_it_must(case: Case, key: str) -> None:
    sample = case.samples[key]
    polled = poll(case, sample.reply)
    assert tuple(polled.record) == RECORD
    assert {name: polled.record[name] for name in sample.record} == sample.record
    assert polled.record["done"] is (polled.record["status"] in TERMINAL)
    assert polled.response


@each_case
def test_samples_show_each_end_that_the_stand_in_can_play(case: Case) -> None:
    shown = {case.samples[name].record["status"] for name in case.samples}
    assert shown | set(case.statuses.values()) >= set(case.plays) & set(TERMINAL)


# --- Errors ---------------------------------------------------------------------------------------------------------


@each("errors")
def test_an_error_code_has_its_kind_and_the_vendors_words(case: Case, key: str) -> None:
    error = refusal(case, case.refuse(key, "in the vendor's words"))
    assert (error.kind, error.code, error.message) == (case.errors[key], key, "in the vendor's words")
    assert error.retryable is (error.kind in RETRYABLE)
    words = f'The poll failed: the vendor said "{key}: in the vendor\'s words"; {error.advice}.'
    assert error.sentence("The poll") == words


@each_case
@pytest.mark.parametrize(("status", "kind"), [(429, "throttled"), (408, "server"), (500, "server"), (502, "server")])
def test_an_http_status_alone_has_a_kind(case: Case, status: int, kind: str) -> None:
    error = refusal(case, Reply(b"<html>", status))
    assert (error.kind, error.retryable, error.http_status) == (kind, True, status)


# --- Secrets --------------------------------------------------------------------------------------------------------


@each_case
def test_what_a_vendor_echoes_of_secrets_is_redacted(case: Case) -> None:
    response = poll(case, case.answer("x", DocPassword="EXAMPLE-FAKE-ECHO", NotifyKey="EXAMPLE-FAKE-ECHO")).response
    assert "EXAMPLE-FAKE-ECHO" not in json.dumps(response)
    assert json.dumps(response).count("********") == 2


@each_case
def test_secrets_that_were_sent_are_hidden_in_an_error(case: Case) -> None:
    sent = [case.credentials.options[name] for name in case.credentials.secrets]
    error = refusal(case, case.refuse(case.code("auth"), f"you sent {' and '.join(sent)}"))
    told = json.dumps(error.as_dict()) + error.sentence("The poll")
    assert not [secret for secret in sent if secret in told]
    assert "********" in told


# --- Refs and options -----------------------------------------------------------------------------------------------


@each_case
def test_a_ref_holds_what_a_poll_needs_and_neither_secret_nor_host(case: Case) -> None:
    service = SERVICES[case.word]
    ref = service.make_ref({**EVERYTHING, **case.needs}, {})
    assert ref.items() >= {"provider": case.word, "task_id": TASK_ID, **case.needs}.items()
    assert set(ref) <= {"provider", "task_id", *service.ref_keys}
    assert set(case.needs) <= set(service.ref_keys)
    assert not [word for word in ("EXAMPLE-FAKE", "example.com") if word in json.dumps(ref)]
    assert service.make_ref(ref, {}) == ref


@each("needs", "task_id")
def test_what_a_poll_needs_is_asked_for_before_anything_is_sent(case: Case, key: str) -> None:
    transport = FakeTransport(case.answer("x"))
    options = {**case.needs, "task_id": TASK_ID, key: None}
    with pytest.raises(CloudError, match=key) as caught:
        make(case, transport).poll(SERVICES[case.word].make_ref(options, {}))
    assert (caught.value.kind, transport.sent) == ("config", 0)


@each_case
def test_each_option_of_a_service_is_one_that_describes_a_cloud_task(case: Case) -> None:
    service: type[Description] = SERVICES[case.word]
    assert set(service.item_options) <= set(service.own_options)
    assert {*service.ref_keys, *service.item_options} <= set(TASK_OPTIONS)


@each_case
def test_modules_take_the_options_of_a_service(case: Case) -> None:
    service = SERVICES[case.word]
    for module in GENERAL:
        spec = spec_of(module)
        own = service.item_options if module == "wait_for_task" else service.own_options
        assert {"provider", "task_id", *service.ref_keys, *own, *case.credentials.options} <= set(spec), module
    if case.module:
        spec = spec_of(case.module)
        assert {"task_id", *service.ref_keys, *service.own_options, *case.credentials.options} <= set(spec)


# --- Documentation of the modules that know every service -----------------------------------------------------------


def documented(option: t.Any) -> t.Any:
    """The types, choices and members of an option, from its documentation or its argument specification."""
    members = option.get("suboptions", option.get("options"))
    told = {name: option[name] for name in ("type", "choices") if name in option}
    return {**told, "options": {name: documented(each) for name, each in members.items()}} if members else told


@pytest.mark.parametrize("name", TASK_OPTIONS)
@pytest.mark.parametrize("module", GENERAL)
def test_an_option_that_describes_a_cloud_task_is_documented_as_it_is(module: str, name: str) -> None:
    options = documentation(module, "DOCUMENTATION")["options"]
    if name in options:
        assert documented(options[name]) == documented(TASK_OPTIONS[name])
    else:
        assert name in ("region", "site", "profile"), "these come with a doc fragment"


@pytest.mark.parametrize("part", ["EXAMPLES", "RETURN"])
@pytest.mark.parametrize("module", GENERAL)
def test_examples_and_samples_name_services_and_give_them_what_they_have(module: str, part: str) -> None:
    found = [each for each in dicts_in(documentation(module, part)) if isinstance(each.get("provider"), str)]
    assert found
    for one in found:
        service = SERVICES[one["provider"]]
        foreign = set(one) & set(TASK_OPTIONS) - {"provider", "task_id", *service.ref_keys, *service.item_options}
        assert not foreign, one


# --- These tests ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", [("192.0.2.1", 443), ("vendor.example.com", 443)])
def test_no_test_here_can_reach_another_machine(address: tuple[str, int]) -> None:
    with pytest.raises(pytest.fail.Exception, match="another machine"), socket.socket() as connection:
        connection.connect(address)
