# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the event source as ansible-rulebook does, but for its rules: ``events_host.py SOURCE FILE_OF_ARGUMENTS PACKAGES``.

Each event is a line of JSON with the time at which it came. Without a source, it imports the same and idles.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import logging
import pathlib
import runpy
import sys
import time
import typing as t

source, arguments, packages = sys.argv[1:]
sys.path.append(packages)  # ansible-core and requests, where the Python that has aiohttp has them not

with contextlib.suppress(ImportError):
    importlib.import_module("aiohttp.web")  # ansible-rulebook imports it


async def tell(queue: asyncio.Queue[dict[str, t.Any]]) -> None:
    while True:
        event = await queue.get()
        told = [time.time(), event["cloud_task"]["task_id"], event["outcome"], event["event_id"]]
        print(json.dumps(told), flush=True)


async def main() -> None:
    queue: asyncio.Queue[dict[str, t.Any]] = asyncio.Queue(1)  # as ansible-rulebook's
    telling = asyncio.ensure_future(tell(queue))
    if not source:
        print("idles", flush=True)
        await telling
    given = json.loads(pathlib.Path(arguments).read_text(encoding="utf-8"))
    await runpy.run_path(source)["main"](queue, given)


logging.basicConfig(level=logging.INFO, format="%(message)s")
asyncio.run(main())
