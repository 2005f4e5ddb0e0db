# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent Cloud API 3.0 signature, ``TC3-HMAC-SHA256``. Public; level 1: pure, no I/O, no clock, no environment.

The vendor's guide "Signature v3" names three steps, and each is a function of that name here:
``canonical_request``, ``string_to_sign``, ``signature``. ``sign`` does all three and gives the headers to send.

Three facts the guide leaves between the lines (each has a test vector):

* The canonical query string of a GET is the exact text behind the ``?`` of the URL; nothing is sorted or encoded again.
* ``X-TC-Token`` is sent beside the signature and is not part of it.
* The day in the credential scope is the UTC day of the time stamp, never the local one.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import typing as t
from datetime import datetime, timezone
from urllib.parse import urlencode

ALGORITHM = "TC3-HMAC-SHA256"
UNSIGNED_PAYLOAD = b"UNSIGNED-PAYLOAD"
DAY = 24 * 3600


def _sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hmac_sha256(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8"), "sha256")  # in one call, which takes half the time of an object


def _lower_headers(headers: t.Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted((name.strip().lower(), value.strip().lower()) for name, value in headers.items())


def signed_headers(headers: t.Mapping[str, str]) -> str:
    """The lower-case names of the signed headers, sorted and joined with ``;``."""
    return ";".join(name for name, dummy in _lower_headers(headers))


def query_string(params: t.Mapping[str, t.Any]) -> str:
    """Parameters of a GET as text: nested names joined with dots, lists counted from 0, form encoded.

    What is null is left out, at any depth; in a list it leaves its number out, too, as in the vendor's SDK.
    """
    return urlencode(list(_flatten("", params)))


def _flatten(prefix: str, value: t.Any) -> t.Iterator[tuple[str, str]]:
    if value is None:
        return
    if isinstance(value, t.Mapping):
        members: t.Iterable[tuple[t.Any, t.Any]] = value.items()
    elif isinstance(value, (list, tuple)):
        members = enumerate(value)
    else:
        yield prefix, str(value)
        return
    for name, member in members:
        yield from _flatten(f"{prefix}.{name}" if prefix else str(name), member)


def credential_scope(timestamp: int, service: str) -> str:
    """``<UTC day>/<service>/tc3_request`` for a time stamp in Unix seconds."""
    return f"{_day(timestamp // DAY)}/{service}/tc3_request"


@functools.lru_cache(maxsize=2)
def _day(number: int) -> str:
    """The UTC day of a number of days since 1970; a wait asks for the same one again and again."""
    return datetime.fromtimestamp(number * DAY, tz=timezone.utc).strftime("%Y-%m-%d")


def canonical_request(
    *, method: str, headers: t.Mapping[str, str], payload: bytes, uri: str = "/", query: str = ""
) -> str:
    """Step 1.

    :param method: ``GET`` or ``POST``; the service knows no other.
    :param headers: the headers that are to be signed, ``Content-Type`` and ``Host`` at least.
    :param payload: the exact bytes of the body; empty for GET; the text ``UNSIGNED-PAYLOAD`` to leave it unsigned.
    :param uri: the path, ``/`` for every operation of the vendor.
    :param query: the exact text behind the ``?`` of the URL.
    """
    pairs = _lower_headers(headers)
    lines = "".join([f"{name}:{value}\n" for name, value in pairs])
    names = ";".join([name for name, dummy in pairs])
    return "\n".join([method, uri, query, lines, names, _sha256_hex(payload)])


def string_to_sign(canonical: str, *, timestamp: int, service: str) -> str:
    """Step 2: the canonical request's digest, bound to a time (Unix seconds) and a service (``mps``, ``essbasic``)."""
    digest = _sha256_hex(canonical.encode("utf-8"))
    return "\n".join([ALGORITHM, str(timestamp), credential_scope(timestamp, service), digest])


def signing_key(secret_key: str, *, timestamp: int, service: str) -> bytes:
    """The key of one day and one service, derived from the secret key."""
    return _derive(secret_key, credential_scope(timestamp, service))


@functools.lru_cache(maxsize=8)
def _derive(secret_key: str, scope: str) -> bytes:
    """It changes once a day, so a wait needs it again and again; its process knows the secret key anyway."""
    key = ("TC3" + secret_key).encode("utf-8")
    for part in scope.split("/"):
        key = _hmac_sha256(key, part)
    return key


def signature(text: str, *, key: bytes) -> str:
    """Step 3: lower-case hex of the HMAC of the string to sign with the signing key."""
    return _hmac_sha256(key, text).hex()


def authorization(*, secret_id: str, scope: str, names: str, signed: str) -> str:
    """The value of the ``Authorization`` header."""
    return f"{ALGORITHM} Credential={secret_id}/{scope}, SignedHeaders={names}, Signature={signed}"


def sign(
    *,
    method: str,
    host: str,
    service: str,
    content_type: str,
    payload: bytes,
    secret_id: str,
    secret_key: str,
    timestamp: int,
    token: str | None = None,
    uri: str = "/",
    query: str = "",
) -> dict[str, str]:
    """All steps at once.

    :returns: the headers ``Host``, ``Content-Type``, ``X-TC-Timestamp``, ``Authorization``, and ``X-TC-Token`` when
        a token is given. Send them as they are: what is signed must be what is sent, to the byte.
    """
    headers = {"Host": host, "Content-Type": content_type}
    canonical = canonical_request(method=method, headers=headers, payload=payload, uri=uri, query=query)
    text = string_to_sign(canonical, timestamp=timestamp, service=service)
    headers["Authorization"] = authorization(
        secret_id=secret_id,
        scope=credential_scope(timestamp, service),
        names=signed_headers(headers),
        signed=signature(text, key=signing_key(secret_key, timestamp=timestamp, service=service)),
    )
    headers["X-TC-Timestamp"] = str(timestamp)
    if token:
        headers["X-TC-Token"] = token
    return headers


__all__ = [
    "ALGORITHM",
    "UNSIGNED_PAYLOAD",
    "authorization",
    "canonical_request",
    "credential_scope",
    "query_string",
    "sign",
    "signature",
    "signed_headers",
    "signing_key",
    "string_to_sign",
]
