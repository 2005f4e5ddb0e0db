# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 1: pure.
"""Which of many cloud tasks are still open, from the vendor's lists of open ones, a page at a time.

A round through the lists finds most of them: those need no look. One that is on no list has ended, or moved from list
to list meanwhile, or is unknown to the vendor: it is looked at in full, so a mistake costs a call and nothing else. A
pass has one page for each hundred open cloud tasks; a round that took the pages of several passes is followed by as
many pauses, and is never broken off, since what it had found so far would be lost.
"""

from __future__ import annotations

import math
import typing as t

from ._errors import CloudError

PAGE = 100
"""Entries of a page."""

MOST_PASSES = 4
"""How many passes a round through the lists may take."""

MOST_ERRORS = 3
"""Failed rounds through the lists in a row after which each cloud task is asked for by itself again."""

Entry = dict[str, t.Any]


class Page(t.NamedTuple):
    """A part of a list.

    :param entries: cloud tasks by id, as the vendor's list tells of them.
    :param token: what to ask for the next part with; null when there is none.
    :param total: how many the whole list has, where the vendor tells it.
    """

    entries: dict[str, Entry]
    token: str | None
    total: int | None


class Swept(t.NamedTuple):
    """What asking for a page gave: the page or an error, and how many requests were sent for it."""

    page: Page | None
    error: CloudError | None
    calls: int


class Sweep:
    """The open cloud tasks of one account.

    :param lists: the vendor's names of its lists of open cloud tasks.
    :param numbers: the number of each of ours by its id.
    :param passes: how many passes there were before.
    :param errors: how many rounds through the lists in a row have failed before.
    """

    def __init__(
        self, lists: t.Sequence[str], numbers: t.Mapping[str, int], *, passes: int = 0, errors: int = 0
    ) -> None:
        self._lists = lists
        self._numbers = numbers
        self.passes = passes
        self.errors = errors
        self._totals: dict[str, int] = {}
        self._begin_round()

    def _begin_round(self) -> None:
        self._pages = 0
        self._place = 0
        self._token: str | None = None
        self._tokens: set[str] = set()
        self._listed: set[int] = set()

    @property
    def numbers(self) -> t.Collection[int]:
        """The cloud tasks that it is about."""
        return self._numbers.values()

    @property
    def is_midway(self) -> bool:
        """Whether a round through the lists has begun and is not over."""
        return self._pages > 0

    def is_worth_it(self, still_open: int) -> bool:
        """Whether lists are fewer calls and not much later than looks; others' cloud tasks fill the lists, too."""
        told = sum(math.ceil(total / PAGE) or 1 for total in self._totals.values())
        few = max(told, self._pages) <= MOST_PASSES * math.ceil(still_open / PAGE)
        return still_open > PAGE and few and self.errors < MOST_ERRORS

    def next_page(self) -> tuple[str, str | None]:
        """The list and the token to ask with."""
        return self._lists[self._place], self._token

    def take(self, page: Page, still_open: t.Collection[int]) -> dict[int, Entry]:
        """What a page tells of ours that are open, by number."""
        found = {self._numbers[name]: entry for name, entry in page.entries.items() if name in self._numbers}
        listed = {number: entry for number, entry in found.items() if number in still_open}
        self._pages += 1
        self._listed.update(listed)
        if page.total is not None:
            self._totals[self._lists[self._place]] = page.total
        if page.token and page.entries and page.token not in self._tokens:
            self._token = page.token
            self._tokens.add(page.token)
        else:
            self._place, self._token, self._tokens = self._place + 1, None, set()
        return listed

    def fail(self, *, for_good: bool) -> None:
        """A page that was not answered ends the round; the next begins anew, since a token may have ended."""
        self.errors = MOST_ERRORS if for_good else self.errors + 1
        self.passes += 1
        self._begin_round()

    def end_round(self, still_open: t.Collection[int]) -> tuple[int, list[int]] | None:
        """At the end of a round through the lists: how many passes it was, and those of ours on none of them.

        :returns: null while there are pages left that may list more of ours.
        """
        rest = [number for number in still_open if number not in self._listed]
        if rest and self._place < len(self._lists):
            return None
        passes = math.ceil(self._pages / max(1, math.ceil(len(still_open) / PAGE)))
        self.passes += 1
        self.errors = 0
        self._begin_round()
        return passes, rest


__all__ = ["PAGE", "Page", "Sweep", "Swept"]
