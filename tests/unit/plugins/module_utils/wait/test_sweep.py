# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Page
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.sweep import Sweep

LISTS = ("PROCESSING", "WAITING")


def sweep(count: int) -> Sweep:
    """A sweep over cloud tasks m0, m1 ... with their numbers."""
    return Sweep(LISTS, {f"m{number}": number for number in range(count)})


def page(numbers: range, token: str | None = None, total: int | None = None) -> Page:
    return Page({f"m{number}": {"TaskId": f"m{number}"} for number in numbers}, token, total)


def test_a_round_goes_through_all_pages_of_all_lists() -> None:
    swept, still_open = sweep(250), set(range(250))
    asked, ends = [], []
    for numbers, token in ((range(100), "a"), (range(100, 150), None), (range(150, 249), None)):
        asked.append(swept.next_page())
        assert sorted(swept.take(page(numbers, token), still_open)) == list(numbers)
        ends.append(swept.end_pass(still_open))
    assert asked == [("PROCESSING", None), ("PROCESSING", "a"), ("WAITING", None)]
    assert ends == [None, None, (1, [249])]
    assert swept.next_page() == ("PROCESSING", None)


def test_a_round_is_over_when_all_were_found() -> None:
    swept = sweep(101)
    swept.take(page(range(101), "more"), set(range(101)))
    assert swept.is_midway
    assert swept.end_pass(set(range(101))) == (1, [])
    assert not swept.is_midway


def test_others_and_those_that_are_over_do_not_count() -> None:
    assert list(sweep(3).take(page(range(9)), {1, 2})) == [1, 2]


@pytest.mark.parametrize(("still_open", "pages", "passes"), [(101, 2, 1), (150, 3, 2), (1000, 10, 1), (1000, 31, 4)])
def test_a_long_round_counts_as_several_passes(still_open: int, pages: int, passes: int) -> None:
    swept, numbers = sweep(still_open), set(range(still_open))
    for number in range(pages - 1):
        swept.take(page(range(1), f"token {number}"), numbers)
        assert swept.end_pass(numbers) is None
    swept.take(page(range(still_open)), numbers)
    ended = swept.end_pass(numbers)
    assert ended == (passes, [])
    assert swept.passes == 1


def test_a_vendor_that_goes_in_circles_has_an_end() -> None:
    swept, still_open = sweep(500), set(range(500))
    for dummy in range(2):
        swept.take(page(range(1), "same"), still_open)
    assert swept.next_page() == ("WAITING", None)


def test_a_list_that_never_ends_is_left_though_it_tells_no_total() -> None:
    swept, still_open = sweep(101), set(range(101))
    for number in range(8):
        assert swept.is_worth_it(101)
        swept.take(page(range(1), f"token {number}"), still_open)
    assert swept.is_worth_it(101)
    swept.take(page(range(1), "one more"), still_open)
    assert not swept.is_worth_it(101)


@pytest.mark.parametrize(
    ("still_open", "totals", "worth"),
    [
        (101, (), True),
        (100, (), False),
        (101, (800, 0), False),
        (101, (700, 0), True),
        (1000, (3900, 100), True),
        (1000, (4000, 100), False),
    ],
)
def test_lists_that_are_too_full_or_tasks_too_few_are_not_worth_it(
    still_open: int, totals: tuple[int, ...], worth: bool
) -> None:
    swept = sweep(still_open)
    for total in totals:
        swept.take(page(range(0), None, total), set(range(still_open)))
        swept.end_pass(set(range(still_open)))
    assert swept.is_worth_it(still_open) is worth


def test_errors_in_a_row_end_it_and_a_whole_round_forgives_them() -> None:
    swept = sweep(300)
    for dummy in range(2):
        swept.fail(for_good=False)
    swept.take(page(range(300)), set(range(300)))
    assert swept.end_pass(set(range(300))) is not None
    for dummy in range(2):
        swept.fail(for_good=False)
    assert swept.is_worth_it(300)


def test_a_page_does_not_forgive_that_the_next_one_fails_again_and_again() -> None:
    swept = sweep(300)
    for dummy in range(3):
        assert swept.is_worth_it(300)
        swept.take(page(range(100), "a"), set(range(300)))
        swept.fail(for_good=False)
    assert not swept.is_worth_it(300)


def test_a_refusal_ends_it_at_once() -> None:
    swept = sweep(300)
    swept.fail(for_good=True)
    assert not swept.is_worth_it(300)


def test_after_an_error_the_round_begins_anew() -> None:
    swept = sweep(300)
    swept.take(page(range(1), "a"), {0, 1})
    swept.fail(for_good=False)
    assert swept.next_page() == ("PROCESSING", None)
    assert (swept.passes, swept.errors) == (1, 1)


def test_errors_before_count() -> None:
    swept = Sweep(LISTS, {f"m{number}": number for number in range(300)}, passes=7, errors=2)
    swept.fail(for_good=False)
    assert not swept.is_worth_it(300)
