# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in cloud as a fixture: `start_simulator(scenario)`."""

from __future__ import annotations

import http.client
import inspect
import json
import os
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .ansible_runs import Ansible

SIMULATOR = Path(__file__).resolve().parents[2] / "extensions" / "simulator"
TENCENT = {"secret_id": "AKIDEXAMPLE-FAKE-ID", "secret_key": "EXAMPLE-FAKE-SECRET-KEY"}
#: keeps compiled files out of the sources, but keeps them: the simulator starts in half the time
COMPILED = {"PYTHONPYCACHEPREFIX": str(SIMULATOR.parents[1] / ".cache" / "pycache"), "PYTHONDONTWRITEBYTECODE": ""}
ACCESS_TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
DINGTALK = {"app_key": "dingEXAMPLEKEY", "app_secret": "EXAMPLE-FAKE-APP-SECRET"}


class Answer(NamedTuple):
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Simulator:
    """A running stand-in cloud."""

    def __init__(self, process: subprocess.Popen[str], ready: Mapping[str, Any], scenario: Mapping[str, Any]) -> None:
        self.process = process
        self.url: str = ready["url"]
        self.port: int = ready["port"]
        self.control_key: str = ready["control_key"]
        credentials = scenario.get("credentials", {})
        tencent = next(iter(credentials.get("tencent", [TENCENT])), TENCENT)
        dingtalk = next(iter(credentials.get("dingtalk", [DINGTALK])), DINGTALK)
        endpoints = ("ESS_ENDPOINT", "COS_DOC_ENDPOINT", "MPS_ENDPOINT", "DINGTALK_DOC_ENDPOINT", "METADATA_ENDPOINT")
        self.environment: dict[str, str] = {
            **{f"CLOUDWAIT_{name}": self.url for name in endpoints},
            "TENCENTCLOUD_SECRET_ID": tencent["secret_id"],
            "TENCENTCLOUD_SECRET_KEY": tencent["secret_key"],
            "DINGTALK_APP_KEY": dingtalk["app_key"],
            "DINGTALK_APP_SECRET": dingtalk["app_secret"],
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        if "token" in tencent:
            self.environment["TENCENTCLOUD_TOKEN"] = tencent["token"]

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def look_at_document(self, task_id: str, token: str = ACCESS_TOKEN) -> Answer:
        """Ask for a DingTalk document task: the one look that needs no signature, but the token in the scenario."""
        path = "/v2.0/doc/task/info/" + urllib.parse.quote(task_id, safe="")
        return self.request("GET", path, {"x-acs-dingtalk-access-token": token})

    def control(self, name: str, body: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
        """Make a control call; one that is refused raises RuntimeError."""
        data = None if method == "GET" else json.dumps(body or {}).encode()
        answer = self.request(method, f"/_simulator/{name}", {"X-Simulator-Key": self.control_key}, data)
        if answer.status != 200:
            raise RuntimeError(answer.json()["error"])
        return answer.json()

    def journal(self) -> list[dict[str, Any]]:
        """The calls so far, oldest first."""
        entries: list[dict[str, Any]] = self.control("journal", method="GET")["entries"]
        return entries

    def stats(self) -> dict[str, Any]:
        """The counts so far."""
        counts: dict[str, Any] = self.control("stats", method="GET")
        return counts

    def stop(self) -> int:
        """End the simulator, if it still runs, and give back its exit status."""
        if self.process.poll() is None:
            try:
                self.control("shutdown")
                self.process.wait(timeout=10)
            except (OSError, http.client.HTTPException, RuntimeError, subprocess.TimeoutExpired):
                self.process.terminate()
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(timeout=10)
        finally:
            if self.process.stdout:
                self.process.stdout.close()


@pytest.fixture
def start_simulator(tmp_path: Path) -> Iterator[Callable[..., Simulator]]:
    """Start stand-in clouds: `start_simulator({"tasks": [...]})`, or with the path of a scenario file."""
    running: list[Simulator] = []
    errors = tmp_path / "simulator-errors.txt"

    def start(scenario: Mapping[str, Any] | Path | None = None, *arguments: str) -> Simulator:
        number = len(running)
        if isinstance(scenario, Path):
            path, content = scenario, json.loads(scenario.read_text(encoding="utf-8"))
        else:
            path, content = tmp_path / f"scenario-{number}.json", dict(scenario or {})
            path.write_text(json.dumps(content), encoding="utf-8")
        ready = tmp_path / f"ready-{number}.json"
        command = [sys.executable, str(SIMULATOR), "--scenario", str(path), "--ready-file", str(ready)]
        with errors.open("a", encoding="utf-8") as file:
            process = subprocess.Popen(
                [*command, "--max-seconds", "900", *arguments],
                stdout=subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                stderr=file,
                text=True,
                env={**os.environ, **COMPILED},
            )
        line = process.stdout.readline() if process.stdout else ""
        if not line.startswith("cloudwait-simulator: listening on "):
            process.communicate(timeout=10)
            raise RuntimeError(f"the simulator did not start: {errors.read_text(encoding='utf-8')}")
        simulator = Simulator(process, json.loads(ready.read_text(encoding="utf-8")), content)
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.stop()
    if errors.exists():
        assert errors.read_text(encoding="utf-8") == "", "the simulator complained"


# For tests that share one run of Ansible, which costs seconds


def pytest_configure(config: pytest.Config) -> None:
    """Have a run made once, not once a worker: pytest-xdist then keeps the tests of a file together."""
    if getattr(config.option, "dist", "no") == "load":
        config.option.dist = "loadfile"


@pytest.fixture(scope="module")
def start_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Simulator]]:
    """`start_simulator` for all tests of a file."""
    yield from inspect.unwrap(start_simulator)(tmp_path_factory.mktemp("cloud"))


@pytest.fixture(scope="module")
def start_ansible(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Ansible]:
    """Ansible with a home of its own: `start_ansible(simulator.environment)`."""
    return lambda environment: Ansible(tmp_path_factory.mktemp("ansible"), {**COMPILED, **environment})
