# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waits that stand still for a while, as with a virtual machine that is paused or moved."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

from .ansible_runs import Ansible
from .conftest import Simulator
from .wait_runs import Running, life, outcomes, polls_of, until, wait

TIMEOUT = 3
#: seconds after which even a hanging host would have been given up
LONG = 10.0


def test_what_has_ended_meanwhile_is_seen_although_the_deadline_has_passed(
    start_simulator: Callable[..., Simulator], start_ansible: Callable[..., Ansible]
) -> None:
    cloud = start_simulator({"tasks": [life("film", {"status": "running", "seconds": TIMEOUT + 1}, "succeeded")]})
    run = Running(start_ansible(cloud.environment), wait(provider="mps", task_id="film", timeout=TIMEOUT))
    until(lambda: polls_of(cloud, "film"), "a poll")
    stopped = run.processes()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(LONG)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    result = run.result()
    assert outcomes(result) == ["satisfied"], result["msg"]
    assert result["elapsed"] > LONG
