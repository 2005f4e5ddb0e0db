# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The event source in a process of its own, and callbacks for its listener, many a second."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import pathlib
import re
import subprocess
import sys
import sysconfig
import threading
import time
import typing as t

from .cloud import Cloud
from .contenders import program
from .measure import ROOT, Bench, Figures
from .probe import kib

SOURCE = ".cache/tree/ansible_collections/cloudwait/conversion/extensions/eda/plugins/event_source/cloud_tasks.py"
TOKEN, SECRET = "EXAMPLE-FAKE-LISTENER-TOKEN", "EXAMPLE-FAKE-CALLBACK-SECRET"
LISTEN: Figures = {"port": 0, "token": TOKEN, "callback_secret": SECRET}
CONNECTIONS = 20
PATIENCE = 600.0


class Event(t.NamedTuple):
    """An event, and when ansible-rulebook would have had it, in Unix seconds."""

    time: float
    task_id: str
    outcome: str | None
    event_id: str


class Host:
    """The event source, until it is killed.

    :param arguments: those of the event source; null for a process that has nothing but what ansible-rulebook imports.
    """

    def __init__(self, bench: Bench, cloud: Cloud, arguments: Figures | None) -> None:
        path = cloud.folder / "arguments.json"
        path.write_text(json.dumps(arguments), encoding="utf-8")
        source = "" if arguments is None else str(ROOT / SOURCE)
        python = bench.aiohttp or sys.executable
        command = program("events_host.py", source, str(path), sysconfig.get_path("purelib"), python=python)
        self.events: list[Event] = []
        self.port = 0
        self._said: list[str] = []
        self._process = subprocess.Popen(
            command, env=cloud.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Host:
        return self

    def __exit__(self, *dummy: object) -> None:
        self.kill()

    def _read(self) -> None:
        for line in t.cast("t.IO[str]", self._process.stdout):
            place = re.search(r"listens on http://127.0.0.1:(\d+)", line)
            if place:
                self.port = int(place[1])
            if line.startswith("[") and line.endswith("]\n"):  # a kill may have cut it off
                self.events.append(Event(*json.loads(line)))
            else:
                self._said.append(line)

    def until(self, what: t.Callable[[], t.Any]) -> None:
        """Wait until something is true.

        :raises RuntimeError: when the process has ended, or it takes too long.
        """
        ends = time.monotonic() + PATIENCE
        while not what():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise RuntimeError("".join(self._said[-50:]))
            time.sleep(0.02)

    def until_begun(self) -> None:
        """Wait until it listens, or idles."""
        self.until(lambda: self.port or self._said)

    def peak(self) -> float:
        """The most memory that the process ever had, in MiB."""
        return kib(pathlib.Path(f"/proc/{self.pid}/status").read_text("utf-8", "replace"), "VmHWM") / 1024

    def kill(self) -> None:
        """Kill it, and read what it has written."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def call_back(self, body: bytes) -> float:
        """Send a callback of MPS, and return when it was sent, in Unix seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        began = time.time()
        connection.request("POST", f"/callback/{SECRET}/mps", body)
        status = connection.getresponse().status
        connection.close()
        if status != 200:
            raise RuntimeError(f"a callback was answered with {status}")
        return began


def media_callback(task_id: str, error: int = 0) -> bytes:
    """A callback of MPS, by which a cloud task has ended."""
    ended = {"TaskId": task_id, "Status": "FINISH", "ErrCode": error, "Message": "broken" if error else ""}
    return json.dumps({"EventType": "WorkflowTask", "WorkflowTaskEvent": ended}).encode()


class Flood(t.NamedTuple):
    """Answers to callbacks: how long each took, in seconds, and how many a second there were.

    :param refused: number of answers other than 200.
    """

    times: list[float]
    per_second: float
    refused: int


def flood(port: int, bodies: t.Sequence[bytes], rate: float, seconds: float) -> Flood:
    """Send callbacks for some seconds, in turn, over some connections."""
    return asyncio.run(_flood(port, bodies, rate, seconds))


async def _flood(port: int, bodies: t.Sequence[bytes], rate: float, seconds: float) -> Flood:
    head = f"POST /callback/{SECRET}/mps HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    numbers = itertools.count()
    clock = asyncio.get_running_loop().time
    times: list[float] = []
    refused = 0
    began = clock()

    async def work() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (number := next(numbers)) < rate * seconds:
            await asyncio.sleep(began + number / rate - clock())
            sent = clock()
            writer.write(requests[number % len(requests)])
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(clock() - sent)
            refused += b" 200 " not in answer.partition(b"\r\n")[0]
        writer.close()

    await asyncio.gather(*(work() for dummy in range(CONNECTIONS)))
    return Flood(times, len(times) / (clock() - began), refused)
