# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import threading
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._pacing import RateBudget
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.starts import PreparedCall
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait import abort
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.abort import Aborts
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.contract import PlanItem


class Vendor(Mps):
    """A service whose cloud tasks have the status that their id names."""

    def __init__(self) -> None:
        self.aborted: list[str] = []

    def poll(self, ref: t.Mapping[str, t.Any], *, timeout: float | None = None, record_only: bool = False) -> Poll:
        return Poll(make_record(ref, ref["task_id"].partition(" ")[0], None), {}, 1)

    def prepare_abort(self, ref: t.Mapping[str, t.Any], poll: Poll) -> PreparedCall:
        return PreparedCall(t.cast(t.Any, ref["task_id"]), t.cast(t.Any, None), doubt="poll it")

    def call(self, make_request: t.Any, read: t.Any) -> Poll:
        self.aborted.append(make_request)
        if make_request.endswith("lost"):
            error = CloudError("network", "the answer was lost")
            error.calls = 1
            raise error
        return Poll({}, {}, 1)


def plan(*ids: str) -> dict[int, PlanItem]:
    return {number: {"ref": {"provider": "mps", "task_id": name}} for number, name in enumerate(ids)}


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self._lock = threading.Lock()

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


def aborts(vendor: Vendor, rate: float = 1e9, seconds: float = 60.0) -> Aborts:
    clock = Clock()
    budgets = {"mps": RateBudget(rate)}
    return Aborts(lambda item: vendor, budgets, seconds=seconds, clock=clock.time, sleep=clock.sleep)


def test_each_is_polled_and_aborted_unless_it_has_ended() -> None:
    vendor = Vendor()
    aborting = aborts(vendor)
    told = aborting.run(plan("pending", "succeeded"))
    assert told == {
        "0": {"aborted": True, "reason": None},
        "1": {"aborted": False, "reason": "it has ended meanwhile as succeeded"},
    }
    assert (vendor.aborted, aborting.calls) == (["pending"], {"mps": 3})


def test_an_abort_whose_answer_was_lost_is_uncertain() -> None:
    vendor = Vendor()
    aborting = aborts(vendor)
    assert aborting.run(plan("pending lost")) == {"0": {"aborted": False, "reason": "the answer was lost; poll it"}}
    assert aborting.calls == {"mps": 2}


def test_aborting_keeps_to_the_rate_and_to_its_time(monkeypatch: t.Any) -> None:
    monkeypatch.setattr(abort, "THREADS", 1)
    vendor = Vendor()
    told = aborts(vendor, rate=1.0, seconds=3.5).run(plan("pending 1", "pending 2", "pending 3"))
    assert vendor.aborted == ["pending 1", "pending 2"]
    assert told["2"] == {"aborted": False, "reason": abort.TOO_LATE}
