# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 4: the wait.
"""Aborts the cloud tasks that a wait gives up on, where the vendor lets one abort them."""

from __future__ import annotations

import threading
import time
import typing as t
from concurrent.futures import ThreadPoolExecutor

from .._errors import CloudError
from .._pacing import RateBudget
from .._services.base import Service
from .._services.starts import Aborter, PreparedCall, is_uncertain
from .contract import Abort, PlanItem

THREADS = 8
"""Largest number of cloud tasks that are aborted in parallel."""

TOO_LATE = "the time for aborting was over before its turn came"


class Aborts:
    """Aborts cloud tasks within the rate limits and a time limit.

    :param service_of: returns the service of an item.
    :param budgets: the rate budget of each service, by its word.
    :param seconds: time after which no more calls are sent.
    """

    def __init__(
        self,
        service_of: t.Callable[[PlanItem], Service],
        budgets: t.Mapping[str, RateBudget],
        *,
        seconds: float,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls: dict[str, int] = {}
        self._service_of = service_of
        self._budgets = budgets
        self._ends = clock() + seconds
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()

    def run(self, plan: t.Mapping[int, PlanItem]) -> dict[str, Abort]:
        """Abort all cloud tasks of a plan. Returns what became of each, by its number as text."""
        services = [self._service_of(item) for item in plan.values()]  # not in threads, since it makes them
        with ThreadPoolExecutor(THREADS) as pool:
            return dict(zip(map(str, plan), pool.map(self._abort, services, plan.values())))

    def _abort(self, service: Service, item: PlanItem) -> Abort:
        """Poll a cloud task, and abort it unless it has ended."""
        if not isinstance(service, Aborter):
            return {"aborted": False, "reason": f"{service.title} has no operation that aborts"}
        call: PreparedCall | None = None
        try:
            self._await_turn(service.word)
            before = service.poll(item["ref"], timeout=max(0.0, self._ends - self._clock()))
            self._count(service.word, before.calls)
            if before.record["done"]:
                return {"aborted": False, "reason": f"it has ended meanwhile as {before.record['status']}"}
            call = service.prepare_abort(item["ref"], before)
            self._await_turn(service.word)
            self._count(service.word, service.call(call.make_request, call.read).calls)
        except CloudError as error:
            self._count(service.word, error.calls)
            doubt = f"; {call.doubt}" if call is not None and is_uncertain(error) else ""
            return {"aborted": False, "reason": f"{error}{doubt}"}
        return {"aborted": True, "reason": None}

    def _await_turn(self, word: str) -> None:
        """Wait until the rate limit of a service allows a call.

        :raises CloudError: when the time limit has passed by then.
        """
        with self._lock:
            budget = self._budgets[word]
            turn = max(self._clock(), budget.ready)
            budget.take(turn)
        if turn >= self._ends:
            raise CloudError("timeout", TOO_LATE, sent=False)
        self._sleep(max(0.0, turn - self._clock()))

    def _count(self, word: str, calls: int) -> None:
        with self._lock:
            self.calls[word] = self.calls.get(word, 0) + calls


__all__ = ["Aborts"]
