# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the lists of an account are read again."""

from __future__ import annotations

import time
import types
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.lists import ListSource
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import RateBudget
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Page
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.queues import ServiceQueue

PAUSE = 30.0
DOWN = CloudError("network", "no answer")
DOWN.calls = 1


class Lists:
    """The lists of an account, of which one pass reads one."""

    def __init__(self, pause: float = PAUSE) -> None:
        service: t.Any = types.SimpleNamespace(
            settings=types.SimpleNamespace(clock=time), watch_filters=lambda options, since: [("open", {})]
        )
        self.queue = ServiceQueue(RateBudget(1000.0), 1)
        self.source = ListSource(
            service,
            self.queue,
            {"provider": "mps", "task_id": None},
            {},
            since=0.0,
            pause=pause,
            found=lambda refs: None,
            passed=lambda when: None,
            failed=lambda error: None,
        )

    def read(self, began: float, *hints: float, answer: Page | CloudError | None = None) -> None:
        """A pass that takes a second, with hints during it."""
        self.source.begin(began, is_last=False)
        for hint in hints:
            self.source.hasten(hint)
        answered = (answer or Page({}, None), 1) if not isinstance(answer, CloudError) else answer
        self.source.take(answered, began + 1.0)


@pytest.mark.parametrize(
    ("during", "after", "due"),
    [
        pytest.param([], [], 130.0, id="none"),
        pytest.param([100.3], [], 102.0, id="during a pass, whose page may have been answered before"),
        pytest.param([], [101.5], 102.0, id="soon after a pass"),
        pytest.param([], [101.2, 101.9], 102.0, id="a burst"),
        pytest.param([], [117.0], 117.0, id="later"),
    ],
)
def test_a_hint_brings_the_next_pass_forward(during: list[float], after: list[float], due: float) -> None:
    lists = Lists()
    lists.read(100.0, *during)
    for hint in after:
        lists.source.hasten(hint)
    assert lists.queue.due.next_due() == due


def test_a_hint_counts_for_one_pass() -> None:
    lists = Lists()
    lists.read(100.0, 100.3)
    lists.read(102.0)
    assert lists.queue.due.next_due() == 132.0


def test_a_hint_never_puts_a_pass_off() -> None:
    lists = Lists(pause=1.5)
    lists.read(100.0, 100.3)
    assert lists.queue.due.next_due() == 101.5
    lists.source.hasten(101.2)
    assert lists.queue.due.next_due() == 101.5


def test_a_hint_does_not_hurry_lists_that_cannot_be_read() -> None:
    lists = Lists()
    lists.read(100.0, 100.3, answer=DOWN)
    lists.source.hasten(101.5)
    assert lists.queue.due.next_due() == 106.0
