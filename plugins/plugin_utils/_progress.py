# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. For the controller only; all but output is pure.
"""The progress lines of a wait: one line of plain text for each message, safe in any log."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import typing as t
from collections import Counter

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import one_line
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import FOREVER
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import PAUSED
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import Book, Entry, News
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import Change
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._timing import Timing

WIDTH = 200
MOST_LINES = 20
"""Largest number of lines for each kind of message within ``PERIOD``; the rest is counted in one more line."""

PERIOD = 5.0
"""Seconds after which as many lines may follow."""

SOON = 5.0
"""Seconds below which lines do not say how much time is left, and to which they round it."""

MINUTE = 60.0
LONG = 100
"""Minutes from which on lines give hours and minutes."""


class Patience(t.NamedTuple):
    """How long failed polls are repeated.

    :param left: seconds until the deadline of the wait.
    :param grace: seconds for which the vendor may still not know a new cloud task.
    :param max_errors: number of failed polls in a row after which the wait gives up on a cloud task.
    """

    left: float
    grace: float
    max_errors: int


class Lines:
    """Prints the progress lines of a wait on one host.

    :param host: name of the host in the inventory.
    :param options: options of the wait, already checked.
    :param quiet: whether to print nothing.
    :param show: prints a line.
    """

    def __init__(
        self,
        host: str,
        options: t.Mapping[str, t.Any],
        timing: Timing,
        *,
        quiet: bool,
        show: t.Callable[[str], None],
    ) -> None:
        self._host = host
        self._options = options
        self._timing = timing
        self._quiet = quiet
        self._show = show
        self._printed: Counter[str] = Counter()  # by what the lines are about, within the present period
        self._left_out: Counter[str] = Counter()
        self._period_ends = FOREVER
        self._put_off()

    def _put_off(self) -> None:
        """Let the next heartbeat line be due after a whole ``heartbeat``."""
        self._due = FOREVER if self._quiet else self._timing.now() + self._options["heartbeat"]

    def next_in(self) -> float:
        """Returns the seconds until a line is due although nothing has changed."""
        return max(0.0, min(self._due, self._period_ends if self._left_out else FOREVER) - self._timing.now())

    def tell(self, text: str) -> None:
        """Print a line with this text."""
        self._end_period(at_once=True)
        self._print([line(self._host, text)])

    def tell_news(self, book: Book, news: News) -> None:
        """Print the lines for the news of a round."""
        left, elapsed = max(0.0, self._timing.left()), self._timing.elapsed()
        patience = Patience(left, self._options["not_found_grace"] - elapsed, self._options["max_errors"])
        self._end_period()
        for what, text in news_texts(book, news, patience):
            if self._printed[what] >= MOST_LINES:
                self._left_out[what] += 1
                continue
            self._printed[what] += 1
            self._print([line(self._host, text)])

    def _end_period(self, *, at_once: bool = False) -> None:
        """Count the lines that were left out, if the period is over; then begin the next.

        :param at_once: whether to end it now.
        """
        now = self._timing.now()
        if at_once or now >= self._period_ends:
            self._print([line(self._host, f"and {count} more {what}") for what, count in self._left_out.items()])
            self._left_out.clear()
            self._period_ends = FOREVER
        if self._period_ends == FOREVER:
            self._printed.clear()
            self._period_ends = now + PERIOD

    def beat(self, book: Book | None) -> None:
        """Print a heartbeat line, and count the lines that were left out, if it is time.

        :param book: null while no round has told anything.
        """
        self._end_period()
        if self._timing.now() >= self._due:
            self._print([heartbeat_line(self._host, book, elapsed=self._timing.elapsed(), left=self._timing.left())])

    def _print(self, lines: t.Iterable[str]) -> None:
        for each in lines if not self._quiet else ():
            self._show(each)
            self._put_off()


class LineByLine(io.TextIOWrapper):
    """Standard output or error that is written line by line, and discarded once its reader is gone.

    Ansible does not expect that writing a line may fail. The thread in which it takes results would end, and
    ``ansible-playbook`` would wait for them for ever.
    """

    def write(self, text: str) -> int:
        """Write a text, if there is still a reader."""
        try:
            return super().write(text)
        except BrokenPipeError:
            self._discard()
            return len(text)

    def flush(self) -> None:
        """Write what is still in the buffer, if there is still a reader."""
        try:
            super().flush()
        except BrokenPipeError:
            self._discard()

    def close(self) -> None:
        """Write what is still in the buffer, and leave the buffer open, since Python's own object has it, too."""
        self.flush()

    def _discard(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def show_lines_at_once() -> None:
    """Make Python write standard output and error line by line even if they are pipes or files.

    By default, Python buffers some KiB of standard output there, and Ansible flushes them at the end of a play, so that a
    CI log would show the lines only after the wait. Terminals get each line at once anyway.
    """
    for name in ("stdout", "stderr"):
        output = getattr(sys, name)
        if output is getattr(sys, f"__{name}__") and isinstance(
            output, io.TextIOWrapper
        ):  # nothing that has replaced it
            with contextlib.suppress(BrokenPipeError):  # the next line that is written tells, too
                output.flush()
            ours = LineByLine(output.buffer, encoding=output.encoding, errors=output.errors, line_buffering=True)
            setattr(sys, name, ours)


def news_texts(book: Book, news: News, patience: Patience) -> t.Iterator[tuple[str, str]]:
    """Yields a text for each line about the news of a round, after what it is about: words that can follow a number."""
    changed = set(news.changed)
    for text in _changes(book, news):
        yield "have changed", text
    going_on = [number for number in news.troubled if number not in news.ended]
    for text in _trouble_texts([book.entries[number] for number in going_on], patience):
        yield "cannot be polled", text
    for number in news.recovered:
        if number not in changed:  # its line about the change tells it
            yield "answer again", _recovery(book.entries[number])
    for number in news.ended:
        yield "have ended", _end(book.entries[number])


def _label(entry: Entry) -> str:
    return verdict.name_of(entry.ref, entry.name)


def _state(seen: t.Mapping[str, t.Any]) -> str:
    """Returns status and progress of a record or a change as text."""
    progress = seen["progress"]
    return f"{_status(seen)}{'' if progress is None else f' {progress} %'}"


def _status(seen: t.Mapping[str, t.Any]) -> str:
    """Returns the status of a record or a change as text."""
    return f"{seen['status']}{' (paused by the queue)' if seen['native_status'] == PAUSED else ''}"


def _changes(book: Book, news: News) -> t.Iterator[str]:
    """Yields a text for every change of a round; if there are many, only for the last one of each cloud task."""
    last = dict(news.changes)
    told = news.changes if len(news.changes) <= MOST_LINES else [(number, last[number]) for number in news.changed]
    counts = Counter(number for number, dummy in told)
    for number, change in told:
        entry = book.entries[number]
        before = [change for change in entry.history if "error" not in change]
        before = before[: len(before) - counts[number]]
        counts[number] -= 1
        yield _change(entry, change, before, is_last=change is last[number])


def _change(entry: Entry, change: Change, before: t.Sequence[t.Mapping[str, t.Any]], *, is_last: bool) -> str:
    """Returns the text for a change.

    :param before: the changes before it, oldest first.
    :param is_last: whether it is the last change, to which the error of the record belongs.
    """
    left = _time_left(entry, change["elapsed"]) if is_last else ""
    was = f", was {before[-1]['status']}" if before and before[-1]["status"] != change["status"] else ""
    said = verdict.problem_text(entry.record["error"]) if is_last else ""
    return f"{_label(entry)}: {_state(change)} after {change['elapsed']:.0f} s{was}{left}" + (
        f": {said}" if said else ""
    )


def _time_left(entry: Entry, now: float) -> str:
    """Returns when a cloud task should end, as in ``, about 3 min left``; empty text if no forecast is known or true."""
    left = 0.0 if entry.expected is None or entry.done else entry.expected - now
    if left < SOON:
        return ""
    if left < 2 * MINUTE:
        return f", about {round(left / SOON) * SOON:.0f} s left"
    minutes = round(left / MINUTE)
    if minutes < LONG:
        return f", about {minutes} min left"
    return f", about {minutes // 60} h {minutes % 60} min left"


def _recovery(entry: Entry) -> str:
    return f"{_label(entry)}: polls succeed again, {_state(entry.record)}"


def _end(entry: Entry) -> str:
    said = verdict.problem_text(entry.poll_error)
    return f"{_label(entry)}: {WORDS.get(entry.outcome or '', entry.outcome)}" + (f": {said}" if said else "")


WORDS = {
    verdict.ERROR: "given up",
    verdict.NOT_FOUND: "not known to the vendor",
    verdict.STALLED: "nothing changed for too long",
    verdict.TIMED_OUT: "did not end in time",
}


def _trouble_texts(entries: t.Sequence[Entry], patience: Patience) -> t.Iterator[str]:
    """Yields a text for each kind of failing polls. Cloud tasks of one service with the same error share one."""
    groups: dict[tuple[t.Any, ...], list[Entry]] = {}
    for entry in entries:
        error = entry.poll_error or {}
        groups.setdefault((entry.ref["provider"], error.get("kind"), error.get("code")), []).append(entry)
    for same in groups.values():
        others = f" and {len(same) - 1} more" if len(same) > 1 else ""
        yield f"{_label(same[0])}{others}: {_trouble(same[0], patience)}"


def _trouble(entry: Entry, patience: Patience) -> str:
    error = entry.poll_error or {}
    said = verdict.problem_text(error)
    if error.get("kind") == verdict.NOT_FOUND:
        seconds = min(patience.grace, patience.left)
        again = (
            f"polling again for {seconds:.0f} s, in case it is new"
            if seconds > 0 and not entry.seen
            else "polling again"
        )
        return f"not known to the vendor, {again}: {said}"
    limit = f"up to {patience.max_errors} failures in a row or {patience.left:.0f} s"
    return f"poll failed, trying again for {limit}: {said}"


def heartbeat_line(host: str, book: Book | None, *, elapsed: float, left: float) -> str:
    """Returns one line about all open cloud tasks, with the one that has not changed for the longest time.

    :param book: null while no round has told anything.
    """
    times = f"{elapsed:.0f} s elapsed, {max(0.0, left):.0f} s left"
    if book is None:
        return line(host, f"no answer to the first polls yet, {times}")
    still = [book.entries[number] for number in book.open_numbers()]
    statuses: dict[str, int] = {}
    for entry in still:
        statuses[entry.status] = statuses.get(entry.status, 0) + 1
    counts = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    text = f"{len(still)} of {len(book.entries)} still open ({counts}), {times}"
    if still:
        oldest = min(still, key=lambda entry: entry.changed)
        since = elapsed - oldest.changed
        text += f"; {_label(oldest)} has been {_status(oldest.record)} for {since:.0f} s{_time_left(oldest, elapsed)}"
        if oldest.poll_error:
            text += f", the last poll failed: {verdict.problem_text(oldest.poll_error)}"
    return line(host, text)


def line(host: str, text: str) -> str:
    """Returns a line of at most ``WIDTH`` characters. No text in it can add lines or give commands to a CI runner."""
    return one_line(f"[{host}] cloudwait: {text}", WIDTH)


__all__ = ["Lines", "show_lines_at_once"]
