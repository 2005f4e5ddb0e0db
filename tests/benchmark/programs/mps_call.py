# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What programs need that poll MPS without its SDK: a signed call, and the pauses of ``wait_for_task``."""

from __future__ import annotations

import json
import random
import time
import typing as t

from ansible_collections.cloudwait.conversion.plugins.module_utils.signing import tc3


def call(host: str, task_id: str) -> tuple[bytes, dict[str, str]]:
    """Body and headers that poll a cloud task at ``HOST:PORT``."""
    body = json.dumps({"TaskId": task_id}).encode()
    signed = tc3.sign(
        method="POST",
        host=host,
        service="mps",
        content_type="application/json",
        payload=body,
        secret_id="AKIDEXAMPLE-FAKE-ID",
        secret_key="EXAMPLE-FAKE-SECRET-KEY",
        timestamp=int(time.time()),
    )
    return body, {**signed, "X-TC-Action": "DescribeTaskDetail", "X-TC-Version": "2019-06-12"}


def is_over(answer: t.Any) -> bool:
    """Whether the cloud task has ended."""
    return bool(answer["Response"]["Status"] == "FINISH")


def pause(polls: int) -> float:
    """Seconds after so many polls of a cloud task: 2, then 1.5 times as many each time, at most 30; less up to a quarter."""
    return float(min(30.0, 2.0 * 1.5 ** (polls - 1)) * (1 - random.random() / 4))
