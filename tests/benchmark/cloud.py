# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in cloud that everything here runs against, and the environment in which it is asked."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import typing as t
import urllib.request

from ..functional.ansible_runs import FOREIGN, PROXIES
from .measure import ROOT, Figures

HERE = pathlib.Path(__file__).resolve().parent
TREE = {"PYTHONPATH": str(ROOT / ".cache" / "tree")}
"""The variable by which a program finds this collection."""
TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
SERVICES = ("ess", "cos_doc", "mps", "dingtalk_doc")
FOREVER = 10**9
RUNNING: Figures = {"status": "running", "looks": FOREVER}
DONE: Figures = {"status": "succeeded"}


def ends_at_poll(count: int) -> list[Figures]:
    """A life that the poll of this number finds over."""
    return [{"status": "running", "looks": count - 1}, DONE] if count > 1 else [DONE]


class Cloud:
    """The stand-in cloud, as long as a with statement lasts."""

    def __init__(self, tasks: t.Sequence[Figures] = (), **scenario: t.Any) -> None:
        self._scenario = {"credentials": {"access_tokens": [TOKEN]}, "tasks": list(tasks), **scenario}

    def __enter__(self) -> Cloud:
        self._folder = tempfile.TemporaryDirectory(prefix="bench-")
        self.folder = pathlib.Path(self._folder.name)
        scenario, ready = self.folder / "scenario.json", self.folder / "ready.json"
        scenario.write_text(json.dumps(self._scenario), encoding="utf-8")
        command = [sys.executable, str(ROOT / "extensions" / "simulator"), "--scenario", str(scenario)]
        self._process = subprocess.Popen(
            [*command, "--ready-file", str(ready)], stdout=subprocess.PIPE, env=_environment()
        )
        t.cast("t.IO[bytes]", self._process.stdout).readline()
        told = json.loads(ready.read_text(encoding="utf-8"))
        self.url: str = told["url"]
        self._key: str = told["control_key"]
        # Without an app's key: a wait would fetch a token first, and the other contenders do not.
        self._variables = {name: value for name, value in told["environment"].items() if "DINGTALK_APP" not in name}
        return self

    def __exit__(self, *dummy: object) -> None:
        self._process.terminate()
        self._process.communicate()
        self._folder.cleanup()

    @property
    def host(self) -> str:
        """Address and port."""
        return self.url.partition("//")[2]

    def control(self, name: str, body: Figures | None = None) -> t.Any:
        """Make a control call."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_simulator/{name}", data, {"X-Simulator-Key": self._key})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def begin(self, provider: str, task_id: str, life: t.Sequence[Figures]) -> None:
        """A cloud task, or one that there is begun anew."""
        self.control("tasks", {"tasks": [{"provider": provider, "task_id": task_id, "life": list(life)}]})

    def cpu(self) -> float:
        """Seconds of CPU that it has used itself."""
        fields = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def environment(self) -> dict[str, str]:
        """What all contenders see: this cloud, made-up credentials, nothing of the user's."""
        return {
            **_environment(),
            **self._variables,
            "ANSIBLE_ASYNC_DIR": str(self.folder / "async"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "ANSIBLE_LIBRARY": str(HERE / "library"),
            "BENCH_CLOUD": self.host,
            "CLOUDWAIT_PROGRESS": "0",
            "DINGTALK_ACCESS_TOKEN": TOKEN,
            "HOME": str(self.folder),
            "TENCENTCLOUD_REGION": "ap-guangzhou",
        }


def _environment() -> dict[str, str]:
    """This process's, without what would decide something here; compiled files go where they disturb nobody."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) and name.upper() not in PROXIES
    }
    return {**ours, "PYTHONPYCACHEPREFIX": str(ROOT / ".cache" / "pycache"), "PYTHONDONTWRITEBYTECODE": ""}


class Scribe:
    """Copies the cloud's journal before it forgets, as long as a with statement lasts; then ``entries`` are all calls."""

    def __init__(self, cloud: Cloud, turn: float = 90.0) -> None:
        """:param turn: seconds between two copies; the journal holds 20,000 calls."""
        self._cloud = cloud
        self._turn = turn
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._seen: dict[str, Figures] = {}

    def __enter__(self) -> Scribe:
        self._copy()
        self._thread.start()
        return self

    def __exit__(self, *dummy: object) -> None:
        self._stop.set()
        self._thread.join()
        self._copy()

    @property
    def entries(self) -> list[Figures]:
        """All calls, oldest first."""
        return sorted(self._seen.values(), key=lambda entry: float(entry["time"]))

    def _work(self) -> None:
        while not self._stop.wait(self._turn):
            self._copy()

    def _copy(self) -> None:
        for entry in self._cloud.control("journal")["entries"]:
            self._seen[f"{entry['time']} {entry['connection']} {entry['task_id']}"] = entry
