# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 5: modules.
"""Which entry of a ledger belongs to a start whose input has a version, such as an object with an ETag.

The default key of a start is the digest of its request, followed by the ETag where one is known. A version may be known in
one run and not in the next, such as when an account loses the right to list its bucket. That alone must start nothing.
"""

from __future__ import annotations

import typing as t

from .._errors import CloudError, quoted
from .._ledger import STARTED, Entry, Ledger, seconds_of
from .._services.answers import iso_time
from .._services.base import Options

MOST_ETAG = 100

CLOCKS_APART = 900.0
"""How far, in seconds, this host's clock may be behind the vendor's when an input is compared with a start by its times."""


class Choice(t.NamedTuple):
    """The entry of a start.

    :param key: its key.
    :param is_outdated: whether its cloud task is not of the present content, though of an equal one: the input was
        changed, converted, and changed back.
    """

    key: str
    is_outdated: bool = False


def choose_entry(ledger: Ledger, blank: Entry, version: Options | None) -> Choice:
    """Returns which entry belongs to a start without a key of its own. Gives an entry without a version its version.

    :param blank: the entry for a start without a version; its key is the digest of the request.
    :raises CloudError: ``config``, when the version is wrong or the ledger cannot be used.
    """
    etag, modified = _etag_of(version), _modified_of(version)
    known = [entry for entry in ledger.of_request(blank.provider, blank.asked) if _is_default(entry, blank.key)]
    if version is None:
        return Choice(known[-1].key if known else blank.key)
    key = f"{blank.key}-{etag}"
    own = next((entry for entry in known if entry.key == key), None)
    if own is not None:
        newest = known[-1].intended_at
        return Choice(key, own is not known[-1] and modified is not None and seconds_of(modified) > seconds_of(newest))
    last = known[-1] if known else None
    if last is None or last.key != blank.key or _is_later(modified, last):
        return Choice(key)
    if last.state != STARTED or ledger.read_only:  # the mark at the vendor of a start without an id depends on its key
        return Choice(last.key)
    ledger.rename(last, key)
    return Choice(key)


def _etag_of(version: Options | None) -> str:
    etag = version["etag"].strip('"') if version else ""
    if version and not (etag.strip() and etag.isprintable() and len(etag) <= MOST_ETAG):
        said = f"input_version.etag is {quoted(etag)}, which cannot be part of a key"
        raise CloudError("config", said, advice=f"give 1 to {MOST_ETAG} printable characters")
    return etag


def _modified_of(version: Options | None) -> str | None:
    """Returns when the input was changed, in UTC; null where that is not given.

    :raises CloudError: ``config``, when it is no time. It would not be compared then, so that a change could be missed.
    """
    text = version["last_modified"] if version else None
    moment = iso_time(text)
    if text is not None and moment is None:
        said = f"input_version.last_modified is {quoted(text)}, which is no time in ISO 8601"
        raise CloudError("config", said, advice="write it as 2026-01-02T03:04:05Z or 2026-01-02T03:04:05+08:00")
    return moment


def _is_default(entry: Entry, digest: str) -> bool:
    """Returns whether the key of an entry is the digest of its request, with or without a version."""
    return entry.key == digest or entry.key.startswith(f"{digest}-")


def _is_later(modified: str | None, entry: Entry) -> bool:
    """Returns whether an input was certainly changed after a start."""
    return modified is not None and seconds_of(modified) > seconds_of(entry.intended_at) + CLOCKS_APART


__all__ = ["Choice", "choose_entry"]
