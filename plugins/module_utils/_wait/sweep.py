# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""Sweeps: finding out from the vendor's lists which of many cloud tasks are still open, in place of polling each.

A sweep is one pass through the lists, page by page. A cloud task on a page is open, so it needs no poll. One that is on
no page has ended, has moved to another list meanwhile, or is unknown to the vendor. It is polled, so that a mistake
costs no more than a call. A sweep is never interrupted, since what it has found would be lost.

Lists also hold cloud tasks that are not part of the wait. So a sweep may need more pages than our cloud tasks would
fill. It is then followed by more pauses, which keeps the number of calls per cloud task the same.
"""

from __future__ import annotations

import math
import typing as t

from .._services.base import PAGE_SIZE, Page

MOST_PAUSES = 4
"""Largest number of pauses after a sweep. Where more would be needed, polling each cloud task is cheaper."""

MOST_ERRORS = 3
"""Number of failed sweeps in a row after which each cloud task is polled by itself again."""

Entry = dict[str, t.Any]


class Sweep:
    """The sweeps through the lists of one account.

    :param lists: the vendor's names of its lists of open cloud tasks.
    :param numbers: number in the plan of each cloud task of this wait, by task id.
    :param passes: number of sweeps in earlier rounds.
    :param errors: number of failed sweeps in a row before this round.
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
        """Whether a sweep has begun and not ended."""
        return self._pages > 0

    def is_worth_it(self, still_open: int) -> bool:
        """Returns whether listing is cheaper than polling each cloud task.

        :param still_open: number of cloud tasks of this wait that are open.
        """
        told = sum(math.ceil(total / PAGE_SIZE) or 1 for total in self._totals.values())
        is_short = max(told, self._pages) <= MOST_PAUSES * math.ceil(still_open / PAGE_SIZE)
        return still_open > PAGE_SIZE and is_short and self.errors < MOST_ERRORS

    def next_page(self) -> tuple[str, str | None]:
        """Returns the name of the list and the token of the next page."""
        return self._lists[self._place], self._token

    def take(self, page: Page, still_open: t.Collection[int]) -> dict[int, Entry]:
        """Returns the entries on a page that are open cloud tasks of this wait, by number; moves on to the next page.

        :param still_open: numbers of the open cloud tasks of this wait.
        """
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
        """End the sweep because a page could not be read. The next sweep begins anew, since tokens may expire.

        :param for_good: whether the error is final, so that there must be no further sweep.
        """
        self.errors = MOST_ERRORS if for_good else self.errors + 1
        self.passes += 1
        self._begin()

    def end_pass(self, still_open: t.Collection[int]) -> tuple[int, list[int]] | None:
        """End the sweep if no page is left, or if all open cloud tasks of this wait were listed.

        :param still_open: numbers of the open cloud tasks of this wait.
        :returns: number of pauses before the next sweep, and the numbers that were on no page; null if it goes on.
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
