# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What starts and lists share: pages, limits, times, and which errors leave it open whether something happened."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import KINDS, CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Page
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import (
    check_length,
    check_range,
    is_uncertain,
    new_id,
    read_pages,
    utc,
)

Asked = list[tuple[t.Optional[str], int]]


def refusal(call: t.Callable[[], t.Any]) -> CloudError:
    with pytest.raises(CloudError) as caught:
        call()
    return caught.value


# --- Pages ---------------------------------------------------------------------------------------------------------


class Pages:
    """Gives pages, and writes down what was asked for."""

    def __init__(self, *pages: tuple[int, str | None]) -> None:
        self.pages = list(pages)
        self.asked: Asked = []

    def __call__(self, token: str | None, size: int) -> Page:
        self.asked.append((token, size))
        entries, following = self.pages.pop(0)
        number = len(self.asked)
        return Page({f"{number}-{entry}": {"n": number} for entry in range(entries)}, following, None)


@pytest.mark.parametrize(
    ("pages", "found", "asked"),
    [
        ([(0, None)], 0, [None]),
        ([(3, None)], 3, [None]),
        ([(3, "")], 3, [None]),
        ([(100, "a"), (100, "b"), (5, None)], 205, [None, "a", "b"]),
        ([(2, "a"), (0, "b"), (2, None)], 2, [None, "a"]),  # a page without entries is the last one
        ([(2, "a"), (2, "a"), (2, None)], 4, [None, "a"]),  # the same token again
        ([(2, "a"), (2, "b"), (2, "a"), (2, None)], 6, [None, "a", "b"]),  # a circle
    ],
    ids=["nothing", "one page", "an empty token", "three pages", "an empty page", "a token twice", "a circle"],
)
def test_pages_are_read_to_their_end(pages: list[tuple[int, str | None]], found: int, asked: list[str | None]) -> None:
    fetch = Pages(*pages)
    assert len(list(read_pages(fetch, None))) == found
    assert fetch.asked == [(token, 100) for token in asked]


@pytest.mark.parametrize(("limit", "size"), [(None, 100), (1, 2), (99, 100), (100, 100), (1000, 100)])
def test_no_more_is_asked_for_than_tells_whether_there_is_more(limit: int | None, size: int) -> None:
    fetch = Pages((1, None))
    list(read_pages(fetch, limit))
    assert fetch.asked == [(None, size)]


def test_pages_are_read_when_they_are_wanted() -> None:
    fetch = Pages((2, "a"), (2, None))
    assert [entry["n"] for dummy, entry in itertools.islice(read_pages(fetch, None), 2)] == [1, 1]
    assert fetch.asked == [(None, 100)]


# --- Did it happen? ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sent", [True, False])
def test_it_may_have_happened_when_it_was_sent_and_nobody_said_no(kind: str, sent: bool) -> None:
    uncertain = sent and kind in ("network", "protocol", "server")
    assert is_uncertain(CloudError(kind, "x", sent=sent)) is uncertain


@pytest.mark.parametrize(("given", "found"), [("t1", "t1"), (" t1\n", "t1"), (5, "5")])
def test_the_new_id_is_text(given: t.Any, found: str) -> None:
    assert new_id(given, "host") == found


@pytest.mark.parametrize("given", [None, "", "  ", 5.5, ["t1"], {"id": "t1"}, True])
def test_an_answer_without_an_id_leaves_it_open(given: t.Any) -> None:
    error = refusal(lambda: new_id(given, "api.example.com"))
    assert (error.kind, error.said) == ("protocol", "api.example.com answered without the id of the new cloud task")
    assert is_uncertain(error)


# --- Options -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (None, None),
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"),
        ("2026-01-02T03:04:05+08:00", "2026-01-01T19:04:05Z"),
        ("2026-01-02T03:04:05+0800", "2026-01-01T19:04:05Z"),
        ("2026-01-02 03:04:05+00:00", "2026-01-02T03:04:05Z"),  # what YAML makes of a time
    ],
)
def test_times_are_sent_in_utc(given: str | None, found: str | None) -> None:
    assert utc({"start_time": given}, "start_time") == found


@pytest.mark.parametrize("given", ["", "yesterday", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z"])
def test_what_is_no_time_is_refused(given: str) -> None:
    error = refusal(lambda: utc({"end_time": given}, "end_time"))
    assert (error.kind, error.said) == (
        "config",
        f'end_time is "{given}", which is no time',
    )


@pytest.mark.parametrize("value", [None, 10, 11, 200])
def test_a_number_in_the_vendors_range_is_taken(value: int | None) -> None:
    check_range({"zoom": value}, "zoom", 10, 200)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (9, " percent", "zoom is 9, which the vendor does not take; give a number from 10 to 200 percent."),
        (201, "", "zoom is 201, which the vendor does not take; give a number from 10 to 200."),
    ],
)
def test_a_number_outside_of_it_is_refused_with_the_range(value: int, unit: str, said: str) -> None:
    error = refusal(lambda: check_range({"zoom": value}, "zoom", 10, 200, unit))
    assert (error.kind, error.sentence("It")) == ("config", f"It failed: {said}")


def test_a_text_has_a_length() -> None:
    check_length("name", None, 3)
    check_length("name", "abc", 3)
    error = refusal(lambda: check_length("name", "abcd", 3))
    assert (error.kind, error.sentence("It")) == (
        "config",
        'It failed: name is "abcd", which has 4 characters; give at most 3, which is what the vendor takes.',
    )
