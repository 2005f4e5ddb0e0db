# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for many with requests and threads, in a few lines: ``requests_threads.py HOST:PORT FILE_OF_IDS RATE``."""

from __future__ import annotations

import concurrent.futures
import heapq
import pathlib
import queue
import sys
import threading
import time

import requests
from ansible_collections.cloudwait.conversion.tests.benchmark.programs.mps_call import call, is_over, pause

host, interval = sys.argv[1], 1 / float(sys.argv[3])
due = [(0.0, task_id, 0) for task_id in pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split()]
waiting = len(due)
# no SimpleQueue: in Python up to 3.12, its get() never ends if a very short time limit passes at a bad moment
answers: queue.Queue[tuple[str, int, bool]] = queue.Queue()
local = threading.local()


def make_session() -> None:
    local.session = requests.Session()


def poll(task_id: str, polls: int) -> None:
    over = False
    try:
        body, headers = call(host, task_id)
        over = is_over(local.session.post(f"http://{host}/", data=body, headers=headers, timeout=10).json())
    finally:  # after an error, it is polled again
        answers.put((task_id, polls + 1, over))


ready = time.monotonic()  # when the rate allows the next call
with concurrent.futures.ThreadPoolExecutor(16, initializer=make_session) as pool:
    while waiting:
        start = max(due[0][0], ready) - time.monotonic() if due else None
        if start is not None and start <= 0:
            pool.submit(poll, *heapq.heappop(due)[1:])
            ready = max(ready, time.monotonic() - interval) + interval
            continue
        try:
            task_id, polls, over = answers.get(timeout=start)
        except queue.Empty:
            continue
        if over:
            waiting -= 1
        else:
            heapq.heappush(due, (time.monotonic() + pause(polls), task_id, polls))
