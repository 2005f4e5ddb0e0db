# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a round says of its own cost. The rest of the module is tested through playbooks."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils import _wait


def answer(count: int) -> dict[str, t.Any]:
    """Of a round on so many cloud tasks."""
    some = {str(number): {"status": "running", "progress": number} for number in range(count)}
    return {"next": {"states": some}, "report": {"records": some, "history": some}}


def test_what_telling_costs_grows_with_what_is_told_though_only_a_sample_is_measured(monkeypatch: t.Any) -> None:
    ticks = iter(range(100))
    monkeypatch.setattr(time, "process_time", lambda: next(ticks))
    assert _wait._cost_of_telling(answer(0), set()) == 0
    assert _wait._cost_of_telling(answer(_wait.SAMPLE), set()) == 3
    assert _wait._cost_of_telling(answer(10 * _wait.SAMPLE), set()) == 30
