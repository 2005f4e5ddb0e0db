# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's side of TC3-HMAC-SHA256 and of the COS signature, written from the vendors' descriptions.

Nothing here is shared with the collection's own signing code: that the two agree is what the tests want to show.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import quote

UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"

_TC3 = re.compile(
    r"TC3-HMAC-SHA256\s+Credential=(?P<id>[^/,\s]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<service>[^/,\s]+)/tc3_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})$"
)


class Tc3Authorization(NamedTuple):
    """The parts of `Authorization: TC3-HMAC-SHA256 ...`."""

    secret_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


class CosAuthorization(NamedTuple):
    """The parts of `Authorization: q-sign-algorithm=sha1&...`."""

    secret_id: str
    sign_time: str
    key_time: str
    header_list: tuple[str, ...]
    url_param_list: tuple[str, ...]
    signature: str


def equal(left: str, right: str) -> bool:
    """Compare two texts in a time that does not depend on where they differ."""
    return hmac.compare_digest(left.encode("utf-8", "surrogateescape"), right.encode("utf-8", "surrogateescape"))


# TC3-HMAC-SHA256


def parse_tc3(text: str) -> Tc3Authorization | None:
    """Read the header of API 3.0; None for anything that is not in its form."""
    found = _TC3.match(text)
    if found is None:
        return None
    names = tuple(found["headers"].split(";"))
    return Tc3Authorization(found["id"], found["date"], found["service"], names, found["signature"])


def tc3_canonical_request(
    method: str, query: str, headers: Mapping[str, str], signed_headers: Iterable[str], payload: bytes
) -> str:
    """Join the six parts that are signed. A signed header that was not sent raises KeyError."""
    names = sorted(signed_headers)
    lines = []
    for name in names:
        value = headers[name].strip()
        lines.append(f"{name}:{value.lower() if name == 'x-tc-action' else value}\n")
    digest = hashlib.sha256(payload).hexdigest()
    return "\n".join([method, "/", query, "".join(lines), ";".join(names), digest])


def tc3_string_to_sign(timestamp: str, date: str, service: str, canonical_request: str) -> str:
    """Join the four lines over which the signature is made."""
    digest = hashlib.sha256(canonical_request.encode("utf-8", "surrogateescape")).hexdigest()
    return f"TC3-HMAC-SHA256\n{timestamp}\n{date}/{service}/tc3_request\n{digest}"


@functools.lru_cache(maxsize=256)
def tc3_day_key(secret_key: str, date: str, service: str) -> bytes:
    """Derive the key that signs for one service on one day."""
    key = _sha256(("TC3" + secret_key).encode("utf-8"), date)
    return _sha256(_sha256(key, service), "tc3_request")


def tc3_signature(secret_key: str, date: str, service: str, string_to_sign: str) -> str:
    """Sign with the day key."""
    key = tc3_day_key(secret_key, date, service)
    return hmac.new(key, string_to_sign.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()


def tc3_matches(
    sent: Tc3Authorization, secret_key: str, method: str, query: str, headers: Mapping[str, str], body: bytes
) -> bool:
    """Return whether the signature is the right one for this request and this key."""
    if not {"content-type", "host"} <= set(sent.signed_headers):
        return False
    unsigned = headers.get("x-tc-content-sha256", "") == UNSIGNED_PAYLOAD.decode("ascii")
    payload = UNSIGNED_PAYLOAD if unsigned else body
    try:
        canonical = tc3_canonical_request(method, query, headers, sent.signed_headers, payload)
    except KeyError:
        return False
    text = tc3_string_to_sign(headers.get("x-tc-timestamp", ""), sent.date, sent.service, canonical)
    return equal(tc3_signature(secret_key, sent.date, sent.service, text), sent.signature)


def _sha256(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()


# COS V5


def parse_cos(text: str) -> CosAuthorization | None:
    """Read the header of COS; None for anything that is not in its form."""
    fields = dict(part.partition("=")[::2] for part in text.strip().split("&"))
    names = ("q-ak", "q-sign-time", "q-key-time", "q-header-list", "q-url-param-list", "q-signature")
    if fields.get("q-sign-algorithm") != "sha1" or any(name not in fields for name in names):
        return None
    return CosAuthorization(
        fields["q-ak"],
        fields["q-sign-time"],
        fields["q-key-time"],
        _names(fields["q-header-list"]),
        _names(fields["q-url-param-list"]),
        fields["q-signature"],
    )


def cos_quote(text: str) -> str:
    """Percent-encode all but letters, digits and - _ . ~ (the standard library leaves just these alone)."""
    return quote(text, safe="", errors="surrogateescape")


def cos_http_string(method: str, path: str, params: Iterable[tuple[str, str]], headers: Mapping[str, str]) -> str:
    """Join method, decoded path, signed parameters and signed headers. Every pair that is given is signed."""
    signed_params = sorted((cos_quote(key).lower(), cos_quote(value)) for key, value in params)
    signed_headers = sorted((cos_quote(key).lower(), cos_quote(value)) for key, value in headers.items())
    lines = [
        method.lower(),
        path,
        "&".join(f"{key}={value}" for key, value in signed_params),
        "&".join(f"{key}={value}" for key, value in signed_headers),
        "",
    ]
    return "\n".join(lines)


def cos_sign_key(secret_key: str, key_time: str) -> str:
    """Derive the key that signs within one span of time."""
    return hmac.new(secret_key.encode("utf-8"), key_time.encode("ascii"), hashlib.sha1).hexdigest()


def cos_signature(sign_key: str, sign_time: str, http_string: str) -> str:
    """Sign; the key is used as its text of 40 characters."""
    digest = hashlib.sha1(http_string.encode("utf-8", "surrogateescape")).hexdigest()
    text = f"sha1\n{sign_time}\n{digest}\n"
    return hmac.new(sign_key.encode("ascii"), text.encode("ascii"), hashlib.sha1).hexdigest()


def cos_matches(
    sent: CosAuthorization,
    secret_key: str,
    method: str,
    path: str,
    params: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
) -> bool:
    """Return whether the signature is the right one for this request: for the headers and parameters that it lists."""
    available = {cos_quote(name).lower(): (name, value) for name, value in headers.items()}
    if any(name not in available for name in sent.header_list):
        return False
    signed_params = [(key, value) for key, value in params if cos_quote(key).lower() in sent.url_param_list]
    if {cos_quote(key).lower() for key, dummy in signed_params} != set(sent.url_param_list):
        return False
    signed = dict(available[name] for name in sent.header_list)
    sign_key = cos_sign_key(secret_key, sent.key_time)
    for host in _host_forms(signed):
        http_string = cos_http_string(method, path, signed_params, {**signed, **host})
        if equal(cos_signature(sign_key, sent.sign_time, http_string), sent.signature):
            return True
    return False


def _host_forms(signed: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the Host as it was sent, and without its port, as the vendor's Python SDK signs it."""
    host = signed.get("host", "")
    bare = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else ""
    return [{}, {"host": bare}] if bare else [{}]


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in text.lower().split(";") if name)
