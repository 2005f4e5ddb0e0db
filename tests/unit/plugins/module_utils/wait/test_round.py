# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round of the module, with a live channel that is at hand."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._module import argspec
from ansible_collections.cloudwait.conversion.plugins.module_utils._record import make_record
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.base import Poll
from ansible_collections.cloudwait.conversion.plugins.module_utils._services.mps import Mps
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.options import SPEC
from ansible_collections.cloudwait.conversion.plugins.module_utils._wait.round import Round


class Channel:
    """A live channel whose controller reads some updates, and then none."""

    def __init__(self, reads: int) -> None:
        self.told: list[t.Any] = []
        self._reads = reads

    def watch(self, closed: t.Callable[[], None]) -> None:
        """Nobody closes it."""

    def tell(self, update: t.Any) -> bool:
        self.told.append(update)
        return len(self.told) <= self._reads


@pytest.mark.parametrize(("reads", "told_plan"), [(0, False), (1, True)])
def test_a_channel_that_has_failed_is_used_no_more_and_nothing_is_lost(
    reads: int, told_plan: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poll(service: Mps, ref: t.Any, **dummy: t.Any) -> Poll:
        return Poll(make_record(ref, "running", "PROCESSING"), {}, 1)

    monkeypatch.setattr(Mps, "poll", poll)
    options = {name: spec.get("default") for name, spec in argspec.wait(SPEC).items()}
    options.update(tasks=[{"provider": "mps", "task_id": "endless"}], secret_id="an id", secret_key="a key")
    order: t.Any = {"left": 600.0, "linger": 600.0, "first": False, "after_change": 600.0, "once": False}
    channel: t.Any = Channel(reads)
    answer: t.Any = Round(options, {}, check_mode=False, order=order).run(channel)
    assert len(channel.told) == reads + 1
    assert "plan" in channel.told[0]
    assert ("plan" in answer) == (not told_plan)
    assert {*answer["report"]["records"]} == ({"0"} if reads else set())
