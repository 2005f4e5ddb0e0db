# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of COS buckets: the list of a bucket, as the vendor's page "GET Bucket (List Objects)" has it.

All buckets have the same objects, those of the scenario. Without them, the account has no right to list a bucket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple
from urllib.parse import quote

from keyring import Keyring
from messages import XML, Reply, Request, VendorError
from services._ci import ERROR_STATUSES, USUAL_ERROR_STATUS, check_signature, ci_error
from services._ci_xml import Fields, write
from values import a_text, an_object

ACTION = "GetBucket"
USUAL_TIME = "2026-01-01T00:00:00.000Z"
_MOST_KEYS = 1000
_SIGNED = "q-sign-algorithm"
_NAMES = ("prefix", "marker", "max-keys", "encoding-type", "delimiter")


class Stored(NamedTuple):
    """What the list says of an object."""

    etag: str
    last_modified: str


Objects = Mapping[str, Stored]


def parse_objects(data: Any) -> Objects | None:
    """Check `objects`, and return them by key; None if there are none, so that nobody may list them.

    :raises ScenarioError: when they are wrong.
    """
    return None if data is None else {key: _stored(item, key) for key, item in an_object(data, "objects", None).items()}


def _stored(data: Any, key: str) -> Stored:
    place = f"objects.{key}"
    if isinstance(data, str):
        return Stored(a_text(data, place), USUAL_TIME)
    fields = an_object(data, place, ("etag", "last_modified"))
    modified = a_text(fields.get("last_modified", USUAL_TIME), f"{place}.last_modified")
    return Stored(a_text(fields.get("etag"), f"{place}.etag"), modified)


def claims(request: Request) -> bool:
    """Return whether the request is for a bucket itself: the path `/`, with a COS signature."""
    signed = request.headers.get("authorization", "").startswith(_SIGNED)
    return request.path == "/" and request.method == "GET" and signed


def answer(request: Request, objects: Objects | None, keyring: Keyring, clock: Callable[[], float]) -> Reply:
    """Return one page of the list, or the vendor's error."""
    try:
        check_signature(request, keyring, clock(), header="x-cos-security-token")
        if objects is None:
            raise VendorError("AccessDenied", "Access Denied.")
        fields = _page(dict(request.parameters), objects)
    except VendorError as problem:
        return ci_error(problem, request.path, ERROR_STATUSES.get(problem.code, USUAL_ERROR_STATUS))
    text = '<?xml version="1.0" encoding="utf-8"?>\n' + write([("ListBucketResult", fields)])
    return Reply(200, text.encode("utf-8"), XML, [("Server", "tencent-cos")])


def _page(given: Mapping[str, str], objects: Objects) -> Fields:
    size = given.get("max-keys") or str(_MOST_KEYS)
    unknown = sorted(set(given) - set(_NAMES))
    if unknown or given.get("delimiter") or not size.isdecimal():
        raise VendorError("InvalidArgument", "A parameter of the list is wrong, or unknown to the simulator.")
    prefix, marker, most = given.get("prefix", ""), given.get("marker", ""), min(int(size), _MOST_KEYS)
    found = sorted(key for key in objects if key.startswith(prefix) and key > marker)
    page, is_url = found[:most], given.get("encoding-type") == "url"

    def written(key: str) -> str:
        return quote(key) if is_url else key

    return [
        ("Name", "examplebucket-1250000000"),
        *([("EncodingType", "url")] if is_url else []),
        ("Prefix", written(prefix)),
        ("Marker", written(marker)),
        ("MaxKeys", most),
        ("IsTruncated", "true" if len(found) > len(page) else "false"),
        *([("NextMarker", written(page[-1]))] if page and len(found) > len(page) else []),
        *(("Contents", _content(written(key), objects[key])) for key in page),
    ]


def _content(key: str, stored: Stored) -> Fields:
    owner: Fields = [("ID", "1250000000"), ("DisplayName", "1250000000")]
    return [
        ("Key", key),
        ("LastModified", stored.last_modified),
        ("ETag", f'"{stored.etag}"'),
        ("Size", 1024),
        ("Owner", owner),
        ("StorageClass", "STANDARD"),
    ]
