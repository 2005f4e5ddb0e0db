# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for many with asyncio and aiohttp, in a few lines: ``aiohttp_loop.py HOST:PORT FILE_OF_IDS RATE``."""

from __future__ import annotations

import asyncio
import itertools
import pathlib
import sys
import time

import aiohttp
from ansible_collections.cloudwait.conversion.tests.benchmark.programs.mps_call import call, is_over, pause

host, interval = sys.argv[1], 1 / float(sys.argv[3])
ready = time.monotonic()  # when the rate allows the next call


async def turn() -> None:
    global ready  # noqa: PLW0603 # a program of a few lines
    start = max(ready, time.monotonic() - interval)
    ready = start + interval
    await asyncio.sleep(start - time.monotonic())


async def wait(session: aiohttp.ClientSession, task_id: str) -> None:
    for polls in itertools.count(1):
        await turn()
        body, headers = call(host, task_id)
        async with session.post(f"http://{host}/", data=body, headers=headers) as answer:
            if is_over(await answer.json(content_type=None)):
                return
        await asyncio.sleep(pause(polls))


async def main() -> None:
    connector, timeout = aiohttp.TCPConnector(limit=16), aiohttp.ClientTimeout(10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        names = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8").split()
        await asyncio.gather(*(wait(session, task_id) for task_id in names))


asyncio.run(main())
