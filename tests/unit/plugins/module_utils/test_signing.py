# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The signatures, step by step: a failure names the earliest step that differs, which is where to look."""

from __future__ import annotations

import hashlib
import json
import pathlib
import time
import typing as t
import urllib.parse

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import cos, tc3

Vector = dict[str, t.Any]
Steps = dict[str, t.Any]

VECTORS: list[Vector] = json.loads(
    (pathlib.Path(__file__).parent / "vectors" / "signing_vectors.json").read_text(encoding="utf-8")
)["vectors"]
TC3 = [vector for vector in VECTORS if vector["scheme"] == "TC3-HMAC-SHA256"]
COS = [vector for vector in VECTORS if vector["scheme"] == "COS-V5-SHA1"]


def vector_of(name: str) -> Vector:
    return next(vector for vector in VECTORS if vector["id"] == name)


def name_of(vector: Vector) -> str:
    return str(vector["id"])


def first_difference(wanted: Steps, made: Steps) -> str | None:
    """The earliest step, in the order of the scheme, that did not give what the vendor's code gives."""
    for name, value in made.items():
        if name in wanted and wanted[name] is not None and wanted[name] != value:
            return f"{name}: {value!r} instead of {wanted[name]!r}"
    return None


def wanted_steps(vector: Vector) -> Steps:
    return {**vector["intermediate"], **vector["expected"]}


# --- TC3-HMAC-SHA256 ------------------------------------------------------------------------------------------------


def tc3_headers(given: Vector) -> dict[str, str]:
    names = given.get("signed_headers", "content-type;host").split(";")
    return {name: value for name, value in given["headers"].items() if name.lower() in names}


def tc3_payload(given: Vector) -> bytes:
    unsigned = given["headers"].get("X-TC-Content-SHA256") == tc3.UNSIGNED_PAYLOAD.decode()
    return tc3.UNSIGNED_PAYLOAD if unsigned else given["body"].encode("utf-8")


def tc3_steps(given: Vector) -> Steps:
    """All steps; each starts from what ours before it gave."""
    headers, payload = tc3_headers(given), tc3_payload(given)
    times = {"timestamp": given["timestamp"], "service": given["service"]}
    canonical = tc3.canonical_request(
        method=given["method"], headers=headers, payload=payload, uri=given["uri"], query=given["query_string"]
    )
    text = tc3.string_to_sign(canonical, **times)
    key = tc3.signing_key(given["secret_key"], **times)
    signed = tc3.signature(text, key=key)
    return {
        "hashed_payload": hashlib.sha256(payload).hexdigest(),
        "canonical_request": canonical,
        "hashed_canonical_request": hashlib.sha256(canonical.encode("utf-8")).hexdigest(),
        "string_to_sign": text,
        "signing_key_hex": key.hex(),
        "signature": signed,
        "authorization": tc3.authorization(
            secret_id=given["secret_id"],
            scope=tc3.credential_scope(**times),
            names=tc3.signed_headers(headers),
            signed=signed,
        ),
    }


@pytest.mark.parametrize("vector", TC3, ids=name_of)
def test_each_tc3_step_gives_what_the_vendor_gives(vector: Vector) -> None:
    assert first_difference(wanted_steps(vector), tc3_steps(vector["input"])) is None


@pytest.mark.parametrize("vector", [each for each in TC3 if "signed_headers" not in each["input"]], ids=name_of)
def test_tc3_sign_gives_the_headers_to_send(vector: Vector) -> None:
    given = vector["input"]
    names = ("host", "service", "content_type", "secret_id", "secret_key", "timestamp", "token", "method", "uri")
    headers = tc3.sign(**{name: given[name] for name in names}, payload=tc3_payload(given), query=given["query_string"])
    token = {"X-TC-Token": given["token"]} if given["token"] else {}
    assert headers == {
        "Host": given["host"],
        "Content-Type": given["content_type"],
        "X-TC-Timestamp": str(given["timestamp"]),
        "Authorization": vector["expected"]["authorization"],
        **token,
    }


def test_all_vectors_are_there() -> None:
    assert (len(TC3), len(COS)) == (15, 12)


def test_a_tc3_token_is_sent_beside_the_signature() -> None:
    without, with_token = (
        vector_of(name) for name in ("tc3-01-post-mps-describe-task-detail", "tc3-05-post-with-token")
    )
    assert with_token["input"]["token"]
    assert without["expected"]["authorization"] == with_token["expected"]["authorization"]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("canonical_request", "canonical_request"),
        ("string_to_sign", "string_to_sign"),
        ("signing_key", "signing_key_hex"),
        ("signature", "signature"),
        ("authorization", "authorization"),
    ],
)
def test_a_wrong_tc3_step_is_named(step: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(tc3, step)
    monkeypatch.setattr(tc3, step, lambda *given, **more: right(*given, **more) * 2)
    vector = TC3[0]
    difference = first_difference(wanted_steps(vector), tc3_steps(vector["input"]))
    assert difference is not None
    assert difference.startswith(f"{name}: ")


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({}, ""),
        ({"TaskId": "a b+c/d&e=f~*"}, "TaskId=a+b%2Bc%2Fd%26e%3Df~%2A"),
        ({"B": "1", "A": "2"}, "B=1&A=2"),  # nothing is sorted
        ({"Agent": {"AppId": "app", "ProxyOperator": {"OpenId": "x"}}}, "Agent.AppId=app&Agent.ProxyOperator.OpenId=x"),
        (
            {"Filters": [{"Name": "n", "Values": ["v", "w"]}]},
            "Filters.0.Name=n&Filters.0.Values.0=v&Filters.0.Values.1=w",
        ),
        ({"List": ("x", "y z"), "Limit": 10}, "List.0=x&List.1=y+z&Limit=10"),
        ({"Empty": "", "None": {}, "Nothing": []}, "Empty="),
        ({"Name": "\u5458\u5de51"}, "Name=%E5%91%98%E5%B7%A51"),
        ({"A": None, "B": "x"}, "B=x"),
        ({"A": {"B": None}, "C": [None, "x", {"D": None, "E": 0}], "F": []}, "C.1=x&C.2.E=0"),
        ({"A": None}, ""),
    ],
)
def test_the_parameters_of_a_get_are_flattened(params: dict[str, t.Any], text: str) -> None:
    assert tc3.query_string(params) == text


@pytest.mark.parametrize(
    "params",
    [
        {"A": None, "B": "x"},
        {"A": {"B": None, "C": [None, {"D": None, "E": 1}, "x"]}, "F": [], "G": {}, "H": False, "I": ""},
    ],
)
def test_null_parameters_are_left_out_as_the_vendors_sdk_does(params: dict[str, t.Any]) -> None:
    client = pytest.importorskip("tencentcloud.common.abstract_client")
    flattened = object.__new__(client.AbstractClient)._format_params(None, params)
    assert tc3.query_string(params) == urllib.parse.urlencode(flattened)


@pytest.mark.parametrize("vector", [each for each in TC3 if each["input"]["method"] == "GET"], ids=name_of)
def test_the_query_of_a_get_is_that_of_the_vendors_code(vector: Vector) -> None:
    assert tc3.query_string(vector["input"]["params"]) == vector["input"]["query_string"]


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """This process believes to be in Shanghai."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("timestamp", "day"), [(1735689599, "2024-12-31"), (1735689600, "2025-01-01"), (0, "1970-01-01")]
)
@pytest.mark.usefixtures("far_east")
def test_the_day_of_the_scope_is_that_of_utc(timestamp: int, day: str) -> None:
    assert tc3.credential_scope(timestamp, "mps") == f"{day}/mps/tc3_request"


# --- COS ------------------------------------------------------------------------------------------------------------


def cos_steps(given: Vector, sign_key: str) -> Steps:
    """All steps; the key stands in the vector where the vendor keeps the secret key to itself."""
    if given["secret_key"] is not None:
        sign_key = cos.sign_key(given["secret_key"], given["key_time"])
    params, headers = given["signed_params"], given["signed_headers"]
    canonical = cos.canonical_request(
        method=given["method"], path=given["uri_pathname"], params=params, headers=headers
    )
    text = cos.string_to_sign(canonical, times=given["key_time"])
    signed = cos.signature(text, key=sign_key)
    steps = {
        "sign_key": sign_key,
        "header_list": cos.name_list(headers),
        "url_param_list": cos.name_list(params),
        "http_string": canonical,
        "http_string_sha1": hashlib.sha1(canonical.encode("utf-8")).hexdigest(),
        "string_to_sign": text,
        "signature": signed,
    }
    steps["authorization"] = cos.authorization(
        secret_id=given["secret_id"],
        times=given["key_time"],
        header_list=steps["header_list"],
        param_list=steps["url_param_list"],
        signed=signed,
    )
    return steps


@pytest.mark.parametrize("vector", COS, ids=name_of)
def test_each_cos_step_gives_what_the_vendor_gives(vector: Vector) -> None:
    made = cos_steps(vector["input"], vector["intermediate"]["sign_key"])
    assert first_difference(wanted_steps(vector), made) is None


@pytest.mark.parametrize("vector", [each for each in COS if each["input"]["secret_key"]], ids=name_of)
def test_cos_sign_gives_the_headers_to_send(vector: Vector) -> None:
    given = vector["input"]
    token_header = cos.CI_TOKEN_HEADER if ".ci." in given["host"] else cos.COS_TOKEN_HEADER
    headers = cos.sign(
        method=given["method"],
        path=given["uri_pathname"],
        secret_id=given["secret_id"],
        secret_key=given["secret_key"],
        times=given["key_time"],
        headers={name: value for name, value in given["signed_headers"].items() if name != token_header},
        params=(tuple(pair) for pair in given["signed_params"]),  # any iterable will do
        token=given["token"],
        token_header=token_header,
    )
    assert headers == {**given["signed_headers"], "Authorization": vector["expected"]["authorization"]}


def test_a_cos_token_is_signed() -> None:
    def sign(token: str | None) -> str:
        headers = cos.sign(
            method="GET", path="/", secret_id="i", secret_key="k", times="1;2", headers={"Host": "h"}, token=token
        )
        return headers["Authorization"]

    assert "q-header-list=host;x-ci-security-token&" in sign("EXAMPLE-FAKE-STS-TOKEN")
    assert "q-header-list=host&" in sign(None)
    assert "q-header-list=host&" in sign("")
    assert sign("one").split("q-signature=")[1] != sign("two").split("q-signature=")[1]


@pytest.mark.parametrize(
    ("step", "name"),
    [
        ("sign_key", "sign_key"),
        ("name_list", "header_list"),
        ("canonical_request", "http_string"),
        ("string_to_sign", "string_to_sign"),
        ("signature", "signature"),
        ("authorization", "authorization"),
    ],
)
def test_a_wrong_cos_step_is_named(step: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right = getattr(cos, step)
    monkeypatch.setattr(cos, step, lambda *given, **more: right(*given, **more) * 2)
    vector = COS[0]
    difference = first_difference(wanted_steps(vector), cos_steps(vector["input"], ""))
    assert difference is not None
    assert difference.startswith(f"{name}: ")


def test_a_key_time_is_two_numbers() -> None:
    assert cos.key_time(1699999940, 1700010000) == "1699999940;1700010000"


@pytest.mark.parametrize(
    ("pairs", "names"),
    [
        ({}, ""),
        ([("cancel", "")], "cancel"),
        ({"startCreationTime": "x", "Size": "1"}, "size;startcreationtime"),
        ({"a b": "", "a/b": ""}, "a%20b;a%2fb"),
    ],
)
def test_names_are_encoded_then_lowered_then_sorted(pairs: t.Any, names: str) -> None:
    assert cos.name_list(pairs) == names
