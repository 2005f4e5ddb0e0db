# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for many with the vendor's SDK and threads, in a few lines: ``sdk_threads.py FILE_OF_IDS RATE PAUSE``."""

from __future__ import annotations

import concurrent.futures
import os
import pathlib
import sys
import threading
import time

from tencentcloud.common.credential import EnvironmentVariableCredential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.mps.v20190612 import models, mps_client

profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=os.environ["BENCH_CLOUD"]))
local = threading.local()
waiting = pathlib.Path(sys.argv[1]).read_text(encoding="utf-8").split()
rate, pause = float(sys.argv[2]), float(sys.argv[3])


def make_client() -> None:
    local.client = mps_client.MpsClient(EnvironmentVariableCredential().get_credential(), "", profile)


def is_over(task_id: str) -> bool:
    request = models.DescribeTaskDetailRequest()
    request.TaskId = task_id
    return bool(local.client.DescribeTaskDetail(request).Status == "FINISH")


with concurrent.futures.ThreadPoolExecutor(16, initializer=make_client) as pool:
    while waiting:
        polls = []
        for task_id in waiting:
            polls.append((task_id, pool.submit(is_over, task_id)))
            time.sleep(1 / rate)
        waiting = [task_id for task_id, poll in polls if not poll.result()]
        time.sleep(pause if waiting else 0)
