# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program itself: who may reach and control it, what it remembers, how it starts and ends."""

from __future__ import annotations

import ast
import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SIMULATOR = Path(__file__).resolve().parents[2] / "extensions" / "simulator"
SCENARIOS = SIMULATOR / "scenarios"
COMPILED = {"PYTHONPYCACHEPREFIX": str(SIMULATOR.parents[1] / ".cache" / "pycache"), "PYTHONDONTWRITEBYTECODE": ""}
TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
DOCUMENT = {"provider": "dingtalk_doc", "task_id": "d", "life": [{"status": "running"}]}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SIMULATOR), *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, **COMPILED},
    )


def test_it_needs_the_standard_library_alone() -> None:
    own = {path.stem for path in SIMULATOR.glob("*.py")} | {"services"}
    imported = set()
    for path in SIMULATOR.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")
    assert {name.partition(".")[0] for name in imported} <= own | sys.stdlib_module_names


# Secrecy


def test_the_journal_keeps_no_secret(start_simulator: Callable[..., Any]) -> None:
    secrets = {"authorization": "SECRET-AUTHORIZATION", "x-tc-token": "SECRET-TOKEN", "cookie": "SECRET-COOKIE"}
    simulator = start_simulator({"credentials": {"access_tokens": [TOKEN]}, "tasks": [DOCUMENT], "roles": {"r": 9}})
    headers = {**secrets, "x-acs-dingtalk-access-token": TOKEN, "x-tc-action": "DescribeTaskDetail"}
    body = json.dumps({"appKey": "dingEXAMPLEKEY", "appSecret": "EXAMPLE-FAKE-APP-SECRET"}).encode()
    issued = simulator.request(
        "POST", "/v1.0/oauth2/accessToken?SECRET-QUERY", {"Content-Type": "application/json"}, body
    )
    keys = simulator.request("GET", "/latest/meta-data/cam/security-credentials/r").json()
    for target in ("/v2.0/doc/task/info/d?q=SECRET-QUERY", "/?SECRET-QUERY", "http://u:SECRET-USER@h/doc_jobs/d?x"):
        simulator.request("GET", target, headers)
    simulator.request("POST", "/", headers, b'{"TaskId": "t", "Key": "SECRET-BODY"}')
    entries = simulator.journal()
    text = json.dumps(entries)
    assert [entry["action"] for entry in entries[:3]] == ["GetAccessToken", "GetRoleKeys", "GetTaskInfo"]
    assert entries[2] == {
        **entries[2],
        "provider": "dingtalk_doc",
        "method": "GET",
        "path": "/v2.0/doc/task/info/d",
        "task_id": "d",
        "verdict": "ok",
    }
    for secret in ("SECRET-", TOKEN, issued.json()["accessToken"], keys["TmpSecretKey"], keys["Token"], "EXAMPLE-FAKE"):
        assert secret not in text


@pytest.mark.parametrize("headers", [{}, {"X-Simulator-Key": "wrong"}, {"X-Simulator-Key": ""}])
def test_control_calls_need_the_key(start_simulator: Callable[..., Any], headers: dict[str, str]) -> None:
    simulator = start_simulator()
    for method, name in (("GET", "journal"), ("GET", "stats"), ("POST", "shutdown"), ("POST", "expire")):
        answer = simulator.request(method, f"/_simulator/{name}", headers)
        assert (answer.status, list(answer.json())) == (403, ["error"])
    assert simulator.stats()["calls"] == {}


def test_control_calls_say_what_is_wrong(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    for name, body, sentence in (
        ("clock", {"offset": "soon"}, "offset: must be a number"),
        ("tasks", {"tasks": [{**DOCUMENT, "provider": "x"}]}, r"tasks\[0\].provider: 'x' is not one of"),
        ("faults", {"faults": [{"fault": "x"}]}, r"faults\[0\].fault: 'x' is not one of"),
        ("journal", {}, "There is no such control call"),
    ):
        with pytest.raises(RuntimeError, match=sentence):
            simulator.control(name, body)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", "8.8.8.8"])
def test_it_listens_on_loopback_only(host: str) -> None:
    result = run("--host", host)
    assert result.returncode == 2
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_the_address_is_on_loopback(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(None, "--host", "localhost")
    assert simulator.url == f"http://127.0.0.1:{simulator.port}"


# HTTP


def test_a_connection_is_kept(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator({"credentials": {"access_tokens": [TOKEN]}, "tasks": [DOCUMENT]})
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=20)
    for dummy in range(3):
        connection.request("GET", "/v2.0/doc/task/info/d", headers={"x-acs-dingtalk-access-token": TOKEN})
        assert connection.getresponse().read()
    assert simulator.stats()["connections_open"] == 2
    connection.close()
    assert {entry["connection"] for entry in simulator.journal()} == {1}


def test_a_connection_ends_when_the_client_asks(start_simulator: Callable[..., Any]) -> None:
    answer = start_simulator().request("GET", "/", {"Connection": "close"})
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", b" 400 "),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b" 400 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b" 411 "),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b" 413 "),
        (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", b" 413 "),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", b" 431 "),
        (b"CONNECT mps.tencentcloudapi.com:443 HTTP/1.1\r\n\r\n", b" 404 "),
        (b"GET /doc_jobs/\xff%ff HTTP/1.1\r\nAuthorization: \xff\r\n\r\n", b" 403 "),
        (b"POST / HTTP/1.1\r\nX-TC-Action: \xff\r\nAuthorization: TC3 \xff\r\n\r\n", b" 200 "),
    ],
)
def test_odd_requests_are_answered(start_simulator: Callable[..., Any], data: bytes, status: bytes) -> None:
    simulator = start_simulator()
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=20) as connection:
        connection.sendall(data)
        assert status in connection.recv(65536).splitlines()[0]
    assert simulator.stats()


def test_the_date_is_that_of_the_simulators_clock(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator()
    simulator.control("clock", {"offset": -(10**9)})
    assert " 19" in simulator.request("GET", "/").headers["date"]


# Start and end


def test_the_ready_file_is_private_and_goes_at_the_end(start_simulator: Callable[..., Any], tmp_path: Path) -> None:
    simulator = start_simulator()
    ready = tmp_path / "ready-0.json"
    content = json.loads(ready.read_text(encoding="utf-8"))
    assert stat.S_IMODE(ready.stat().st_mode) == 0o600
    assert content == {
        "url": simulator.url,
        "port": simulator.port,
        "pid": simulator.process.pid,
        "control_key": simulator.control_key,
        "environment": simulator.environment,
    }
    assert len(simulator.control_key) >= 32
    assert simulator.stop() == 0
    assert not ready.exists()


def test_the_key_may_come_from_the_environment(
    start_simulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDWAIT_SIMULATOR_KEY", "chosen")
    assert start_simulator().control_key == "chosen"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_good_order(number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, str(SIMULATOR), "--max-seconds", "60"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    with process:
        line = process.stdout.readline() if process.stdout else ""
        port = int(line.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            process.send_signal(number)
            rest, errors = process.communicate(timeout=20)
    assert line == f"cloudwait-simulator: listening on http://127.0.0.1:{port}\n"
    assert (process.returncode, rest, errors) == (0, "", "")


def test_a_lost_simulator_ends_by_itself() -> None:
    result = run("--max-seconds", "0.1")
    assert result.returncode == 0
    assert "ended after 0.1 seconds" in result.stderr


# Scenarios


@pytest.mark.parametrize("name", ["demo.json", "seeds.json"])
def test_the_shipped_scenarios_are_good(name: str) -> None:
    result = run("--check", "--scenario", str(SCENARIOS / name))
    assert (result.returncode, result.stderr) == (0, "")


def task(**more: Any) -> dict[str, Any]:
    return {"tasks": [{**DOCUMENT, **more}]}


def step(**more: Any) -> dict[str, Any]:
    return task(life=[more])


@pytest.mark.parametrize(
    ("scenario", "sentence"),
    [
        ([], "scenario: must be an object."),
        ({"task": []}, "scenario: has an unknown key 'task'; known are"),
        ({"tasks": {}}, "tasks: must be a list."),
        (task(provider="s3"), "tasks[0].provider: 's3' is not one of cos_doc, "),
        (task(task_id=""), "tasks[0].task_id: must be text, and not empty."),
        (task(life=[]), "tasks[0].life: must have at least one step."),
        (task(count=2), "tasks[0].task_id: must contain {n} when there is a count."),
        ({"tasks": [DOCUMENT, DOCUMENT]}, "tasks[1]: there already is a task 'd' of dingtalk_doc."),
        (step(), "tasks[0].life[0]: must have exactly one of status, native,"),
        (step(status="done"), "tasks[0].life[0].status: 'done' is not one of pending,"),
        (step(status="canceled"), "tasks[0].life[0].status: dingtalk_doc has no answer that means canceled;"),
        (step(status="failed", native=3), "tasks[0].life[0]: must have exactly one of"),
        (step(status="failed", looks=0), "tasks[0].life[0].looks: must be a whole number, 1 or more."),
        (step(status="failed", looks=1, seconds=1), "tasks[0].life[0]: must not have both looks and seconds."),
        (step(status="running", progress=101), "tasks[0].life[0].progress: must be a whole number, from 0 to 100."),
        (step(native="FINISH"), "tasks[0].life[0].native: must be a whole number."),
        (step(answer=5), "tasks[0].life[0].answer: must be an object or text."),
        (step(answer_file="../secret"), "tasks[0].life[0].answer_file: must lie below the folder of the scenario."),
        (step(answer_file="absent.json"), "tasks[0].life[0].answer_file: cannot be read (FileNotFoundError)."),
        (step(error={"message": "m"}), "tasks[0].life[0].error.code: must be text, and not empty."),
        (step(fault="sleep"), "tasks[0].life[0].fault: 'sleep' is not one of http_429,"),
        (step(fault={"name": "reset", "seconds": 1}), "tasks[0].life[0].fault: reset has no parameter seconds."),
        (step(fault="clock_error"), "tasks[0].life[0].fault: dingtalk_doc has no clock_error."),
        (step(fault="reset", message="x"), "tasks[0].life[0]: message can only stand beside status or native."),
        ({"faults": [{"provider": "mps"}]}, "faults[0].fault: must be an object."),
        ({"faults": [{"fault": "reset", "every": 0}]}, "faults[0].every: must be a whole number, 1 or more."),
        ({"rate_limit": {"mps": "fast"}}, "rate_limit.mps.per_second: must be a number, 0 or more."),
        ({"retired_actions": {"X": "Gone"}}, "retired_actions.X: 'Gone' is not one of ActionOffline,"),
        ({"roles": {"r": -1}}, "roles.r: must be a number, 0 or more."),
        ({"credentials": {"tencent": [{"secret_id": "a"}]}}, "credentials.tencent[0].secret_key: must be text"),
        ({"clock_offset": True}, "clock_offset: must be a number."),
    ],
)
def test_a_wrong_scenario_is_refused_in_one_sentence(tmp_path: Path, scenario: Any, sentence: str) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps(scenario), encoding="utf-8")
    result = run("--check", "--scenario", str(path))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read"),
        (b"{", "is not JSON"),
        (b"\xff", "cannot be read"),
        (b"[" * 99_999, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_scenario_is_refused(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "scenario.json"
    if content is not None:
        path.write_bytes(content)
    result = run("--scenario", str(path))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert sentence in result.stderr


# --- in the background ---


def test_it_goes_on_in_a_session_of_its_own(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    done = run("--background", "--ready-file", str(ready), "--max-seconds", "60")
    about = json.loads(ready.read_text(encoding="utf-8"))
    try:
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"cloudwait-simulator: listening on {about['url']}\n"
        assert os.getsid(about["pid"]) == about["pid"] != os.getsid(0)
    finally:
        os.kill(about["pid"], signal.SIGTERM)


def test_what_keeps_it_from_starting_is_told_in_the_background_too(tmp_path: Path) -> None:
    scenario = tmp_path / "wrong.json"
    scenario.write_text('{"taks": []}', encoding="utf-8")
    done = run("--background", "--scenario", str(scenario))
    assert (done.returncode, done.stdout) == (2, "")
    assert "taks" in done.stderr
