# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only; pure: what changed in, lines out.
"""The progress lines of a wait: plain, one line each, safe in any log."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._book import Book, Entry
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import one_line
from ansible_collections.cloudwait.conversion.plugins.module_utils._verdict import name_of

WIDTH = 200
MOST_CHANGES = 20
"""How many changes of one round get a line of their own."""


def change_lines(host: str, book: Book, numbers: t.Sequence[int]) -> t.Iterator[str]:
    """A line for each cloud task that has changed."""
    for number in numbers[:MOST_CHANGES]:
        yield line(host, _change(book.entries[number]))
    if len(numbers) > MOST_CHANGES:
        yield line(host, f"and {len(numbers) - MOST_CHANGES} more have changed")


def _change(entry: Entry) -> str:
    record = entry.record
    words = [f"{name_of(entry.ref)}: {record['status']}"]
    if record["progress"] is not None:
        words.append(f"{record['progress']} %")
    before = [change["status"] for change in entry.history[:-1] if change["status"] != record["status"]]
    words.append(f"after {entry.changed:.0f} s" + (f", was {before[-1]}" if before else ""))
    error = record["error"] or {}
    code, message = (str(error.get(name) or "") for name in ("code", "message"))
    said = message if code in message else f"{code} {message}"
    return " ".join(words) + (f": {said}" if said else "")


def heartbeat_line(host: str, book: Book, *, elapsed: float, left: float) -> str:
    """One line for all that are still open, with the one that has been longest in its state."""
    still = [book.entries[number] for number in book.open_numbers()]
    statuses: dict[str, int] = {}
    for entry in still:
        statuses[entry.record["status"]] = statuses.get(entry.record["status"], 0) + 1
    counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    text = f"{len(still)} of {len(book.entries)} still open ({counts}), {elapsed:.0f} s gone, {left:.0f} s left"
    if still:
        oldest = min(still, key=lambda entry: entry.changed)
        since = elapsed - oldest.changed
        text += f"; {name_of(oldest.ref)} has been {oldest.record['status']} for {since:.0f} s"
        if oldest.look_error:
            text += f", the last look failed: {oldest.look_error['message']}"
    return line(host, text)


def line(host: str, text: str) -> str:
    """A line: control characters and line breaks become blanks, and a vendor's text cannot speak to a pipeline."""
    return one_line(f"[{host}] cloudwait: {text}", WIDTH)


__all__ = ["change_lines", "heartbeat_line", "line"]
