# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent Cloud API 3.0 signature, ``TC3-HMAC-SHA256``. Public; level 1: pure, no I/O, no clock, no environment.

The vendor's guide "Signature v3" names three steps, and each is a function of that name here:
``canonical_request``, ``string_to_sign``, ``signature``. ``sign`` does all three and returns the headers to send.

Three facts that the guide does not state clearly (each has a test vector):

* The canonical query string of a GET is the exact text after the ``?`` of the URL; nothing is sorted or encoded again.
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
    return hmac.digest(key, text.encode("utf-8"), "sha256")  # takes half the time of an hmac object


def _lower_headers(headers: t.Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted((name.strip().lower(), value.strip().lower()) for name, value in headers.items())


def signed_headers(headers: t.Mapping[str, str]) -> str:
    """Returns the lower-case names of the signed headers, sorted and joined with ``;``."""
    return ";".join(name for name, dummy in _lower_headers(headers))


def query_string(params: t.Mapping[str, t.Any]) -> str:
    """Returns the query of a GET: nested names joined with dots, members of lists numbered from 0, form encoded.

    Null values are left out at any depth. In a list, their numbers are left out, too, as in the vendor's SDK.
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
    """Returns ``<UTC day>/<service>/tc3_request``.

    :param timestamp: Unix seconds.
    """
    return f"{_day(timestamp // DAY)}/{service}/tc3_request"


@functools.lru_cache(maxsize=2)
def _day(number: int) -> str:
    """Returns the UTC day for a number of days since 1970. Cached, since a wait needs it for every request."""
    return datetime.fromtimestamp(number * DAY, tz=timezone.utc).strftime("%Y-%m-%d")


def canonical_request(
    *, method: str, headers: t.Mapping[str, str], payload: bytes, uri: str = "/", query: str = ""
) -> str:
    """Returns the canonical request, which is step 1.

    :param method: ``GET`` or ``POST``; the vendor accepts no other.
    :param headers: headers to sign, at least ``Content-Type`` and ``Host``.
    :param payload: the exact bytes of the body; empty for GET; ``UNSIGNED-PAYLOAD`` to leave the body unsigned.
    :param uri: the path; ``/`` for every operation of the vendor.
    :param query: the exact text after the ``?`` of the URL.
    """
    pairs = _lower_headers(headers)
    lines = "".join([f"{name}:{value}\n" for name, value in pairs])
    names = ";".join([name for name, dummy in pairs])
    return "\n".join([method, uri, query, lines, names, _sha256_hex(payload)])


def string_to_sign(canonical: str, *, timestamp: int, service: str) -> str:
    """Returns the string to sign, which is step 2: the digest of the canonical request, with time and service.

    :param timestamp: Unix seconds.
    :param service: the product, such as ``mps`` or ``essbasic``.
    """
    digest = _sha256_hex(canonical.encode("utf-8"))
    return "\n".join([ALGORITHM, str(timestamp), credential_scope(timestamp, service), digest])


def signing_key(secret_key: str, *, timestamp: int, service: str) -> bytes:
    """Returns the key of one day and one service, derived from the secret key."""
    return _derive(secret_key, credential_scope(timestamp, service))


@functools.lru_cache(maxsize=8)
def _derive(secret_key: str, scope: str) -> bytes:
    """Returns the key for a scope. Cached, since it changes once a day; the process holds the secret key anyway."""
    key = ("TC3" + secret_key).encode("utf-8")
    for part in scope.split("/"):
        key = _hmac_sha256(key, part)
    return key


def signature(text: str, *, key: bytes) -> str:
    """Returns the signature, which is step 3: the lower-case hex HMAC of the string to sign with the signing key."""
    return _hmac_sha256(key, text).hex()


def authorization(*, secret_id: str, scope: str, names: str, signed: str) -> str:
    """Returns the value of the ``Authorization`` header."""
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
    """Sign a request, and return the headers to send. For parameters, see :func:`canonical_request`.

    :param service: the product, such as ``mps`` or ``essbasic``.
    :param timestamp: Unix seconds.
    :param token: the token of temporary keys.
    :returns: the headers ``Host``, ``Content-Type``, ``X-TC-Timestamp``, ``Authorization``, and ``X-TC-Token`` if
        a token is given. Send them unchanged, since the signature covers their exact bytes.
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
