# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection: the controller's side of a wait.
"""Aborts what a wait has given up on, with ``on_timeout=abort``: what the module gets for that, and what it returns."""

from __future__ import annotations

import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import verdict
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.book import Book
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import RoundAnswer
from ansible_collections.cloudwait.conversion.plugins.plugin_utils._rounds import Rounds, to_poll

GIVEN_UP = (verdict.TIMED_OUT, verdict.UNFINISHED)
"""Outcomes of cloud tasks that are aborted."""


def numbers_to_abort(book: Book) -> list[int]:
    """Returns the numbers of the cloud tasks that the wait has given up on although they have not ended."""
    return [
        number
        for number, entry in enumerate(book.entries)
        if entry.twin_of is None and entry.outcome in GIVEN_UP and not entry.record["done"]
    ]


def abort_arguments(rounds: Rounds, seconds: float) -> dict[str, t.Any]:
    """Returns the arguments of the module that abort these cloud tasks.

    :param seconds: time limit.
    """
    plan = t.cast("list[t.Any]", rounds.plan)
    items = {str(number): to_poll(plan[number]) for number in numbers_to_abort(rounds.book)}
    return {
        "tasks": None,
        "task_id": None,
        "_round": {**rounds.next.aged([]), "abort": True, "left": seconds, "plan": items},
    }


def take_aborts(book: Book, answer: RoundAnswer) -> None:
    """Enter into the book what became of them."""
    for number, abort in answer["aborts"].items():
        book.entries[int(number)].abort = t.cast("dict[str, t.Any]", abort)
    book.count_calls(answer["api_calls"])


__all__ = ["abort_arguments", "numbers_to_abort", "take_aborts"]
