# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""Which of many cloud tasks are still open, read from the vendor's lists of open ones in place of polling each.

A sweep is one pass through the lists, page by page. A cloud task on a page is open, so it needs no poll. One that is on no
page has ended, has moved from list to list meanwhile, or is unknown to the vendor: it is polled, so that a mistake costs a
call and nothing else. A sweep is never broken off, since what it had found so far would be lost.

Lists hold the cloud tasks of others, too. So a sweep may take more pages than there are hundreds of open cloud tasks; it
is then followed by more than one pause, which keeps the calls for each cloud task the same.
"""

from __future__ import annotations

import math
import typing as t

from .._services.base import PAGE_SIZE, Page

MOST_PAUSES = 4
"""The most pauses that may follow a sweep; when it takes more pages than that, polling each is cheaper."""

MOST_ERRORS = 3
"""Failed sweeps in a row after which each cloud task is polled by itself again."""

Entry = dict[str, t.Any]


class Sweep:
    """The sweeps through the lists of one account.

    :param lists: the vendor's names of its lists of open cloud tasks.
    :param numbers: the number of each of our cloud tasks by its id.
    :param passes: how many sweeps there were before.
    :param errors: how many sweeps in a row have failed before.
    """

    def __init__(
        self, lists: t.Iterable[str], numbers: t.Mapping[str, int], *, passes: int = 0, errors: int = 0
    ) -> None:
        self._lists = tuple(lists)
        self._numbers = numbers
        self.passes = passes
        self.errors = errors
        self._totals: dict[str, int] = {}
        self._begin()

    def _begin(self) -> None:
        self._pages = 0
        self._place = 0
        self._token: str | None = None
        self._tokens: set[str] = set()
        self._listed: set[int] = set()

    @property
    def is_midway(self) -> bool:
        """Whether a sweep has begun and is not over."""
        return self._pages > 0

    def is_worth_it(self, still_open: int) -> bool:
        """Whether listing is cheaper than polling each.

        :param still_open: how many of our cloud tasks are open.
        """
        told = sum(math.ceil(total / PAGE_SIZE) or 1 for total in self._totals.values())
        is_short = max(told, self._pages) <= MOST_PAUSES * math.ceil(still_open / PAGE_SIZE)
        return still_open > PAGE_SIZE and is_short and self.errors < MOST_ERRORS

    def next_page(self) -> tuple[str, str | None]:
        """The name of the list and the token to ask with."""
        return self._lists[self._place], self._token

    def take(self, page: Page, still_open: t.Collection[int]) -> dict[int, Entry]:
        """Returns the entries of our open cloud tasks on a page, by number."""
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
        """A page was not answered, which ends the sweep. The next begins anew, since a token may have ended.

        :param for_good: whether the error will not pass.
        """
        self.errors = MOST_ERRORS if for_good else self.errors + 1
        self.passes += 1
        self._begin()

    def end_pass(self, still_open: t.Collection[int]) -> tuple[int, list[int]] | None:
        """End the sweep, if no page is left that may list more of our cloud tasks.

        :returns: how many pauses follow, and our open cloud tasks that were on no page; null while there are pages left.
        """
        rest = [number for number in still_open if number not in self._listed]
        if rest and self._place < len(self._lists):
            return None
        pauses = math.ceil(self._pages / max(1, math.ceil(len(still_open) / PAGE_SIZE)))
        self.passes += 1
        self.errors = 0
        self._begin()
        return pauses, rest


__all__ = ["Sweep"]
