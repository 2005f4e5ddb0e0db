# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulator's own signature checks against the published and recorded signatures of the vendors."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = json.loads(
    (ROOT / "tests" / "unit" / "plugins" / "module_utils" / "vectors" / "signing_vectors.json").read_text(
        encoding="utf-8"
    )
)


def vectors(scheme: str) -> list[Any]:
    return [pytest.param(each, id=each["id"]) for each in VECTORS["vectors"] if each["scheme"] == scheme]


@pytest.fixture(scope="module")
def signatures() -> Any:
    spec = importlib.util.spec_from_file_location("simulator_signatures", ROOT / "extensions/simulator/signatures.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("signatures.py is gone")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_there_are_as_many_vectors_as_were_recorded() -> None:
    assert len(vectors("TC3-HMAC-SHA256")) == 15
    assert len(vectors("COS-V5-SHA1")) == 12


@pytest.mark.parametrize("vector", vectors("TC3-HMAC-SHA256"))
def test_tc3_vector_is_accepted_and_a_changed_one_is_not(signatures: Any, vector: dict[str, Any]) -> None:
    given = vector["input"]
    headers = {name.lower(): value for name, value in given["headers"].items()}
    authorization = signatures.parse_tc3(vector["expected"]["authorization"])
    request = (given["secret_key"], given["method"], given["query_string"])
    body = given["body"].encode()
    assert authorization.secret_id == given["secret_id"]
    assert signatures.tc3_matches(authorization, *request, headers, body)
    assert not signatures.tc3_matches(authorization, "another key", *request[1:], headers, body)
    assert not signatures.tc3_matches(authorization, *request, {**headers, "host": "elsewhere.example.com"}, body)
    if headers.get("x-tc-content-sha256") != "UNSIGNED-PAYLOAD":
        assert not signatures.tc3_matches(authorization, *request, headers, body + b" ")


@pytest.mark.parametrize("vector", vectors("COS-V5-SHA1"))
def test_cos_vector_comes_out(signatures: Any, vector: dict[str, Any]) -> None:
    given = vector["input"]
    text = signatures.cos_http_string(
        given["method"], given["uri_pathname"], given["signed_params"], given["signed_headers"]
    )
    sign_key = vector["intermediate"]["sign_key"]
    assert text == vector["intermediate"]["http_string"]
    assert signatures.cos_signature(sign_key, given["key_time"], text) == vector["expected"]["signature"]
    if given["secret_key"]:
        assert signatures.cos_sign_key(given["secret_key"], given["key_time"]) == sign_key


@pytest.mark.parametrize(
    "vector", [each for each in vectors("COS-V5-SHA1") if each.values[0]["expected"]["authorization"]]
)
def test_cos_vector_is_accepted_and_a_changed_one_is_not(signatures: Any, vector: dict[str, Any]) -> None:
    given = vector["input"]
    authorization = signatures.parse_cos(vector["expected"]["authorization"])
    headers = {**given["signed_headers"], "user-agent": "not signed", "host": given["host"]}
    request = (given["method"], given["uri_pathname"], given["params"], headers)
    assert signatures.cos_matches(authorization, given["secret_key"], *request)
    assert not signatures.cos_matches(authorization, "another key", *request)
    assert not signatures.cos_matches(authorization, given["secret_key"], "DELETE", *request[1:])
    for name in given["signed_headers"]:
        changed = {**headers, name: "changed"}
        assert not signatures.cos_matches(authorization, given["secret_key"], *request[:3], changed)


@pytest.mark.parametrize("text", ["", "q-sign-algorithm=sha1", "TC3-HMAC-SHA256 Credential=a/b/c", "Bearer abc"])
def test_other_authorizations_are_not_taken(signatures: Any, text: str) -> None:
    assert signatures.parse_tc3(text) is None
    assert signatures.parse_cos(text) is None
