# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only; pure: what changed in, lines out.
"""The progress lines of a wait: plain, one line each, safe in any log."""

from __future__ import annotations

import sys
import typing as t
from collections import Counter

from ansible_collections.cloudwait.conversion.plugins.module_utils import _verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._book import Book, Change, Entry, News
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import one_line

WIDTH = 200
MOST_LINES = 20
"""How many cloud tasks get a line of their own after a round, for each kind of news."""


class Patience(t.NamedTuple):
    """For how long failed polls are repeated.

    :param left: seconds to the end of the wait.
    :param grace: seconds for which a cloud task may still be unknown to the vendor.
    :param max_errors: failed polls in a row after which the wait gives up on a cloud task.
    """

    left: float
    grace: float
    max_errors: int


def show_lines_at_once() -> None:
    """Have standard output written line by line where it is a pipe or a file, too.

    Python keeps what goes there until some KiB are full, and Ansible writes it out at the end of a play, so a log of CI
    would show a wait when it is over. A terminal gets lines at once anyway.
    """
    reconfigure = getattr(sys.stdout, "reconfigure", None)  # a stand-in for standard output may have none
    if reconfigure is not None:
        reconfigure(line_buffering=True)


def news_lines(host: str, book: Book, news: News, patience: Patience) -> t.Iterator[str]:
    """The lines for what a round has told."""
    changed = set(news.changed)
    yield from _lines(host, list(_changes(book, news)), "have changed")
    yield from _trouble_lines(host, [book.entries[number] for number in news.troubled], patience)
    back = [number for number in news.recovered if number not in changed]  # else the change says it
    yield from _lines(host, [_recovery(book.entries[number]) for number in back], "answer again")
    yield from _lines(host, [_end(book.entries[number]) for number in news.ended], "have ended")


def _lines(host: str, texts: t.Sequence[str], what: str) -> t.Iterator[str]:
    for text in texts[:MOST_LINES]:
        yield line(host, text)
    if len(texts) > MOST_LINES:
        yield line(host, f"and {len(texts) - MOST_LINES} more {what}")


def _label(entry: Entry) -> str:
    return _verdict.name_of(entry.ref, entry.name)


def _state(seen: t.Mapping[str, t.Any]) -> str:
    """Status and progress of a record or of a change."""
    progress = seen["progress"]
    return f"{seen['status']}{'' if progress is None else f' {progress} %'}"


def _changes(book: Book, news: News) -> t.Iterator[str]:
    """Every change of a round; where these are many, the last one of each cloud task."""
    last = dict(news.changes)
    told = news.changes if len(news.changes) <= MOST_LINES else [(number, last[number]) for number in news.changed]
    counts = Counter(number for number, dummy in told)
    for number, change in told:
        entry = book.entries[number]
        before = entry.history[: len(entry.history) - counts[number]]
        counts[number] -= 1
        yield _change(entry, change, before, is_last=change is last[number])


def _change(entry: Entry, change: Change, before: t.Sequence[t.Mapping[str, t.Any]], *, is_last: bool) -> str:
    """A line for a change.

    :param before: the changes before it, oldest first.
    """
    was = f", was {before[-1]['status']}" if before and before[-1]["status"] != change["status"] else ""
    said = _verdict.problem_text(entry.record["error"]) if is_last else ""
    return f"{_label(entry)}: {_state(change)} after {change['elapsed']:.0f} s{was}" + (f": {said}" if said else "")


def _recovery(entry: Entry) -> str:
    return f"{_label(entry)}: polls succeed again, {_state(entry.record)}"


def _end(entry: Entry) -> str:
    said = _verdict.problem_text(entry.look_error)
    return f"{_label(entry)}: {WORDS.get(entry.outcome or '', entry.outcome)}" + (f": {said}" if said else "")


WORDS = {
    _verdict.ERROR: "given up",
    _verdict.NOT_FOUND: "not known to the vendor",
    _verdict.STALLED: "nothing changed for too long",
    _verdict.TIMED_OUT: "not over in time",
}


def _trouble_lines(host: str, entries: t.Sequence[Entry], patience: Patience) -> t.Iterator[str]:
    """A line for each way in which polls fail; cloud tasks of one service with the same trouble share one."""
    groups: dict[tuple[t.Any, ...], list[Entry]] = {}
    for entry in entries:
        error = entry.look_error or {}
        groups.setdefault((entry.ref["provider"], error.get("kind"), error.get("code")), []).append(entry)
    for same in groups.values():
        others = f" and {len(same) - 1} more" if len(same) > 1 else ""
        yield line(host, f"{_label(same[0])}{others}: {_trouble(same[0], patience)}")


def _trouble(entry: Entry, patience: Patience) -> str:
    error = entry.look_error or {}
    said = _verdict.problem_text(error)
    if error.get("kind") == _verdict.NOT_FOUND:
        seconds = min(patience.grace, patience.left)
        again = (
            f"polling again for {seconds:.0f} s, in case it is new"
            if seconds > 0 and not entry.seen
            else "polling again"
        )
        return f"not known to the vendor, {again}: {said}"
    limit = f"up to {patience.max_errors} failures in a row or {patience.left:.0f} s"
    return f"poll failed, trying again for {limit}: {said}"


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
        text += f"; {_label(oldest)} has been {oldest.record['status']} for {since:.0f} s"
        if oldest.look_error:
            text += f", the last poll failed: {_verdict.problem_text(oldest.look_error)}"
    return line(host, text)


def line(host: str, text: str) -> str:
    """A line: control characters and line breaks become blanks, and a vendor's text cannot speak to a pipeline."""
    return one_line(f"[{host}] cloudwait: {text}", WIDTH)


__all__ = ["Patience", "heartbeat_line", "line", "news_lines", "show_lines_at_once"]
