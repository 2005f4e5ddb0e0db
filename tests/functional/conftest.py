# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in cloud as a fixture: `start_simulator(scenario)`, or `start_simulator(scenario, tls=True)`."""

from __future__ import annotations

import contextlib
import http.client
import inspect
import json
import os
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trustme

from ..cases import CASES
from .ansible_runs import ROOT, Ansible

SIMULATOR = ROOT / "extensions" / "simulator"
#: the credentials that the simulator knows when the scenario names none
TENCENT = dict(CASES["mps"].credentials.options)
DINGTALK = dict(CASES["dingtalk_doc"].credentials.options)
#: keeps compiled files out of the sources, but keeps them: the simulator starts in half the time
COMPILED = {"PYTHONPYCACHEPREFIX": str(SIMULATOR.parents[1] / ".cache" / "pycache"), "PYTHONDONTWRITEBYTECODE": ""}
ACCESS_TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
#: what a fault of connections does to a client: a control call is then sent again
BROKEN = (ssl.SSLError, ConnectionResetError, ConnectionAbortedError, BrokenPipeError, http.client.BadStatusLine)
CONTROL_TRIES = 50


class Answer(NamedTuple):
    """An HTTP answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Certificates(NamedTuple):
    """Files of a CA of the test's own, and of a certificate that it signed for this machine."""

    ca: Path
    certificate: Path
    key: Path

    @classmethod
    def make(cls, folder: Path) -> Certificates:
        """Make them anew."""
        files = cls(folder / "ca.pem", folder / "server.pem", folder / "server-key.pem")
        ca = trustme.CA()
        server = ca.issue_cert("127.0.0.1", "localhost")
        ca.cert_pem.write_to_path(str(files.ca))
        server.private_key_pem.write_to_path(str(files.key))
        for number, part in enumerate(server.cert_chain_pems):
            part.write_to_path(str(files.certificate), append=number > 0)
        return files

    @property
    def arguments(self) -> list[str]:
        """The simulator's options."""
        return ["--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


class Simulator:
    """A running stand-in cloud.

    ``environment`` is what leads the collection to it. With ``ca``, the path of a CA bundle, it serves HTTPS.
    """

    def __init__(self, process: subprocess.Popen[str], ready: Mapping[str, Any], ca: Path | None = None) -> None:
        self.process = process
        self.url: str = ready["url"]
        self.port: int = ready["port"]
        self.control_key: str = ready["control_key"]
        self.ca = ca
        self.environment: dict[str, str] = dict(ready["environment"])
        if ca is not None:
            self.environment["REQUESTS_CA_BUNDLE"] = str(ca)

    def connect(self) -> http.client.HTTPConnection:
        """A connection to it, which trusts its CA and no other."""
        if self.ca is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=20, context=context)

    def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Send one request on a connection of its own."""
        connection = self.connect()
        try:
            connection.request(method, target, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def look_at_document(self, task_id: str, token: str = ACCESS_TOKEN) -> Answer:
        """Poll a DingTalk document task: the one poll that needs no signature, but the token in the scenario."""
        path = "/v2.0/doc/task/info/" + urllib.parse.quote(task_id, safe="")
        return self.request("GET", path, {"x-acs-dingtalk-access-token": token})

    def control(self, name: str, body: Mapping[str, Any] | None = None, method: str = "POST") -> Any:
        """Make a control call; one that is refused raises RuntimeError.

        Faults of connections strike control calls, too. Such a call was not read, so that it is sent again.
        """
        data = None if method == "GET" else json.dumps(body or {}).encode()
        for left in range(CONTROL_TRIES, 0, -1):
            try:
                answer = self.request(method, f"/_simulator/{name}", {"X-Simulator-Key": self.control_key}, data)
                break
            except BROKEN:
                if left == 1:
                    raise
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
    """Start stand-in clouds: `start_simulator({"tasks": [...]})`, or with the path of a scenario file.

    With `tls=True` it serves HTTPS, with a certificate of a CA of its own.
    """
    running: list[Simulator] = []
    made: list[Certificates] = []
    errors = tmp_path / "simulator-errors.txt"

    def start(scenario: Mapping[str, Any] | Path | None = None, *arguments: str, tls: bool = False) -> Simulator:
        number = len(running)
        path = scenario if isinstance(scenario, Path) else tmp_path / f"scenario-{number}.json"
        if not isinstance(scenario, Path):
            path.write_text(json.dumps(dict(scenario or {})), encoding="utf-8")
        ready = tmp_path / f"ready-{number}.json"
        command = [sys.executable, str(SIMULATOR), "--scenario", str(path), "--ready-file", str(ready)]
        if tls and not made:
            made.append(Certificates.make(tmp_path))
        command += made[0].arguments if tls else []
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
        about = json.loads(ready.read_text(encoding="utf-8"))
        simulator = Simulator(process, about, made[0].ca if tls else None)
        running.append(simulator)
        return simulator

    yield start
    for simulator in running:
        simulator.stop()
    if errors.exists():
        assert errors.read_text(encoding="utf-8") == "", "the simulator complained"


# For tests that share one run of Ansible, which costs seconds


def make_tree() -> None:
    """Make the link by which Ansible finds the collection, as ansible.cfg says; several processes may do so at once."""
    link = ROOT / ".cache" / "tree" / "ansible_collections" / "cloudwait" / "conversion"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to("../../../..")


def pytest_configure(config: pytest.Config) -> None:
    """Have a run made once, not once a worker: pytest-xdist then keeps the tests of a file together."""
    make_tree()
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


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, start_ansible: Callable[..., Ansible]) -> dict[str, str]:
    """The environment of somebody who has installed the collection from a tarball."""
    folder = tmp_path_factory.mktemp("galaxy")
    ansible = start_ansible({})
    ansible.command("galaxy", "collection", "build", str(ROOT), "--output-path", str(folder))
    (tarball,) = folder.glob("*.tar.gz")
    options = ("--collections-path", str(folder), "--offline", "--force")  # Ansible's settings here lead to the clone
    run = ansible.command("galaxy", "collection", "install", str(tarball), *options)
    assert run.status == 0, run.output
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    environment = {name: value for name, value in ansible.environment.items() if name != "ANSIBLE_CONFIG"}
    return {**environment, "ANSIBLE_COLLECTIONS_PATH": str(folder), "PATH": path}
