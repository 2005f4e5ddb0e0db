# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 3: services.
"""The objects in a COS bucket, with the ETags that tell whether their content has changed.

Sources: the vendor's page "GET Bucket (List Objects)", https://www.tencentcloud.com/document/product/436/30614
(parameters, elements, the right ``cos:GetBucket``, at most 1,000 keys in a page, in UTF-8 order, from the first key after
``marker``), and ``list_objects`` of the SDK ``cos-python-sdk-v5`` (``encoding-type`` and how keys are decoded). The
vendor warns that an object may be missing in a list that is read at once after its upload.
"""

from __future__ import annotations

import os.path
import typing as t
from urllib.parse import unquote

from .._errors import CloudError
from .._transport import Answer, Request
from ..signing import cos
from ._ci import decode
from .answers import as_dict, text_or_none
from .base import Ref
from .cos_doc import CosDoc
from .starts import Retry

MOST_KEYS = "1000"
"""Entries to ask for in one page of the list: the most that the vendor allows."""

PERMISSION = "give this account the permission cos:GetBucket on the bucket"

Version = dict[str, t.Optional[str]]
"""What tells one content of an object from another: ``etag`` and ``last_modified``."""


class ObjectPage(t.NamedTuple):
    """One page of the list of a bucket.

    :param versions: the version of each object, by key, in the vendor's order.
    :param is_last: whether no page follows.
    """

    versions: dict[str, Version]
    is_last: bool


class CosObjects(CosDoc):
    """The bucket of document jobs as storage: another host, with the same signature."""

    token_header = cos.COS_TOKEN_HEADER

    def vendor_url(self, ref: Ref) -> str:
        """Returns the base URL of the bucket itself.

        :raises CloudError: ``config``, when bucket or region is missing or malformed.
        """
        return super().vendor_url(ref).replace(".ci.", ".cos.", 1)

    def page_request(self, ref: Ref, prefix: str, marker: str) -> Request:
        """Returns the request for the page of keys with a prefix that come after a marker."""
        params = {"prefix": prefix, "marker": marker, "max-keys": MOST_KEYS, "encoding-type": "url"}
        return self.make_request("GET", f"{self.base_url(ref)}/", params=params)

    def read_objects(self, answer: Answer) -> ObjectPage:
        """Returns the page that an answer holds. Entries without a key or an ETag are left out.

        :raises CloudError: when the answer is an error, or does not have the form that the vendor documents.
        """
        try:
            found = decode(answer, "ListBucketResult")
        except CloudError as error:
            if error.kind == "permission":
                error.advice = PERMISSION
            raise
        contents = found.get("Contents") or []
        versions: dict[str, Version] = {}
        for entry in map(as_dict, contents if isinstance(contents, list) else [contents]):
            key, etag = text_or_none(entry.get("Key")), (text_or_none(entry.get("ETag")) or "").strip('"')
            if key and etag:
                versions[unquote(key)] = {"etag": etag, "last_modified": text_or_none(entry.get("LastModified"))}
        return ObjectPage(versions, text_or_none(found.get("IsTruncated")) != "true")


def find_versions(service: CosObjects, ref: Ref, keys: t.Iterable[str], retry: Retry) -> dict[str, Version]:
    """Returns the version of each of some objects that is in the list of the bucket.

    Keys that are neighbours share a page. A page begins at the next key that is wanted without its last character, so that
    most of the objects between two keys are passed over.

    :param retry: how to deal with errors that may pass.
    :raises CloudError: when a page cannot be read.
    """
    wanted = sorted(set(filter(None, keys)))
    prefix = os.path.commonprefix(wanted)  # noqa: RUF071 # COS compares characters, too
    found: dict[str, Version] = {}
    after = ""
    while wanted:
        after = max(after, wanted[0][:-1])

        def ask(marker: str = after) -> ObjectPage:
            return service.exchange(lambda: service.page_request(ref, prefix, marker), service.read_objects)[0]

        page = retry(ask)
        found.update((key, page.versions[key]) for key in wanted if key in page.versions)
        last = max(page.versions, default=after)
        if page.is_last or last <= after:  # a vendor that repeats a page must not cause an endless loop
            break
        after = last
        wanted = [key for key in wanted if key > after]
    return found


__all__ = ["CosObjects", "Version", "find_versions"]
