# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tencent COS V5 signature, ``q-sign-algorithm=sha1``. Public; level 1: pure, no I/O, no clock, no environment.

The vendor's guide "Request Signature" names the steps HttpString, StringToSign and Signature. Other schemes call the
first one the canonical request, so the functions are ``canonical_request``, ``string_to_sign`` and ``signature``, as in
:mod:`.tc3`. ``sign`` does all steps and returns the headers to send.

Facts that are easy to get wrong (each has a test vector):

* The path that is signed is the decoded one; the URL carries the encoded one.
* Names are percent-encoded first and then turned to lower case, so that their hex digits are lower case and those of
  values are not. A space is ``%20``, never ``+``.
* The sign key is used as its 40 characters of hex text, not as 20 bytes.
* A temporary token is sent as ``x-ci-security-token`` to Cloud Infinite hosts (``x-cos-security-token`` is for the
  storage hosts), and is signed.
"""

from __future__ import annotations

import hashlib
import hmac
import typing as t
from urllib.parse import quote

ALGORITHM = "sha1"
CI_TOKEN_HEADER = "x-ci-security-token"
COS_TOKEN_HEADER = "x-cos-security-token"

Pairs = t.Union[t.Mapping[str, str], t.Iterable[tuple[str, str]]]


def _hmac_sha1_hex(key: str, text: str) -> str:
    return hmac.digest(key.encode("utf-8"), text.encode("utf-8"), "sha1").hex()


def _encode(text: str) -> str:
    return quote(text, safe="-_.~")


def _encoded_pairs(pairs: Pairs) -> list[tuple[str, str]]:
    items = pairs.items() if isinstance(pairs, t.Mapping) else pairs
    return sorted((_encode(name).lower(), _encode(value)) for name, value in items)


def name_list(pairs: Pairs) -> str:
    """Returns ``q-header-list`` or ``q-url-param-list``: encoded lower-case names, sorted and joined with ``;``."""
    return ";".join(name for name, dummy in _encoded_pairs(pairs))


def key_time(start: int, end: int) -> str:
    """Returns ``<start>;<end>``: when, in Unix seconds, the validity of the signature begins and ends."""
    return f"{start};{end}"


def sign_key(secret_key: str, times: str) -> str:
    """Returns the lower-case hex HMAC-SHA1 of the key time with the secret key."""
    return _hmac_sha1_hex(secret_key, times)


def canonical_request(*, method: str, path: str, params: Pairs = (), headers: Pairs = ()) -> str:
    """Returns the canonical request, which is step 1 and the guide's HttpString.

    :param method: the HTTP method, in upper or lower case.
    :param path: the decoded path.
    :param params: query parameters to sign, not encoded. The value of one without a value is the empty text.
    :param headers: headers to sign, not encoded.
    """

    def joined(pairs: Pairs) -> str:
        return "&".join(f"{name}={value}" for name, value in _encoded_pairs(pairs))

    return f"{method.lower()}\n{path}\n{joined(params)}\n{joined(headers)}\n"


def string_to_sign(canonical: str, *, times: str) -> str:
    """Returns the string to sign, which is step 2: the digest of the canonical request, with a key time.

    :param times: see :func:`key_time`.
    """
    return f"{ALGORITHM}\n{times}\n{hashlib.sha1(canonical.encode('utf-8')).hexdigest()}\n"


def signature(text: str, *, key: str) -> str:
    """Returns the signature, which is step 3: the lower-case hex HMAC-SHA1 of the string to sign with the sign key."""
    return _hmac_sha1_hex(key, text)


def authorization(*, secret_id: str, times: str, header_list: str, param_list: str, signed: str) -> str:
    """Returns the value of the ``Authorization`` header. It must not be encoded again."""
    return (
        f"q-sign-algorithm={ALGORITHM}&q-ak={secret_id}&q-sign-time={times}&q-key-time={times}"
        f"&q-header-list={header_list}&q-url-param-list={param_list}&q-signature={signed}"
    )


def sign(
    *,
    method: str,
    path: str,
    secret_id: str,
    secret_key: str,
    times: str,
    headers: t.Mapping[str, str],
    params: Pairs = (),
    token: str | None = None,
    token_header: str = CI_TOKEN_HEADER,
) -> dict[str, str]:
    """Sign a request, and return the headers to send.

    :param method: the HTTP method, in upper or lower case.
    :param path: the decoded path.
    :param times: see :func:`key_time`.
    :param headers: headers to sign; ``Host`` should be among them.
    :param params: query parameters to sign, not encoded.
    :param token: the token of temporary keys.
    :param token_header: name of the header for the token, which depends on the kind of host.
    :returns: the given headers, the token header if a token is given, and ``Authorization``.
    """
    sent = dict(headers)
    if token:
        sent[token_header] = token
    params = list(params.items() if isinstance(params, t.Mapping) else params)
    text = string_to_sign(canonical_request(method=method, path=path, params=params, headers=sent), times=times)
    signed = signature(text, key=sign_key(secret_key, times))
    sent["Authorization"] = authorization(
        secret_id=secret_id, times=times, header_list=name_list(sent), param_list=name_list(params), signed=signed
    )
    return sent


__all__ = [
    "ALGORITHM",
    "CI_TOKEN_HEADER",
    "COS_TOKEN_HEADER",
    "authorization",
    "canonical_request",
    "key_time",
    "name_list",
    "sign",
    "sign_key",
    "signature",
    "string_to_sign",
]
