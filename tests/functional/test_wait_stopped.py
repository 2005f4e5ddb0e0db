# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits that stand still for a while, as with a virtual machine that is paused or moved."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from .ansible_runs import Ansible
from .conftest import Simulator
from .wait_runs import Running, life, outcomes, polls_of, until, wait

#: time limits of the wait in seconds, the longer one for a machine on which nothing is polled within the other
LIMITS = (3, 20)
#: seconds after the deadline at which even a hanging host would have been given up
LONG = 7.0


def stand_still(ansible: Ansible, cloud: Simulator, limit: float) -> dict[str, Any] | None:
    """Stop a wait and all that it has started until its deadline has long passed. Returns its result.

    :returns: null if the deadline may have passed before it was stopped.
    """
    began, film = time.monotonic(), film_of(limit)
    run = Running(ansible, wait(provider="mps", task_id=film, timeout=limit), name=film)
    try:
        until(lambda: polls_of(cloud, film), "a poll")
        stopped = run.processes()
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        if time.monotonic() - began >= limit:
            return None
        time.sleep(limit + LONG)
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        return run.result()
    finally:
        run.stop()


def film_of(limit: float) -> str:
    return f"film-{limit}"


def test_what_has_ended_meanwhile_is_seen_although_the_deadline_has_passed(
    start_simulator: Callable[..., Simulator], start_ansible: Callable[..., Ansible]
) -> None:
    lives = [life(film_of(limit), {"status": "running", "seconds": limit + 1}, "succeeded") for limit in LIMITS]
    cloud = start_simulator({"tasks": lives})
    ansible = start_ansible(cloud.environment)
    tried = ((limit, stand_still(ansible, cloud, limit)) for limit in LIMITS)
    limit, result = next((limit, result) for limit, result in tried if result is not None)
    assert outcomes(result) == ["satisfied"], result["msg"]
    assert result["elapsed"] > limit + LONG
