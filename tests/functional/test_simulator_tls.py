# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS of the simulator, and faults of connections: before a request can be read, and in the middle of an answer."""

from __future__ import annotations

import functools
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import SIMULATOR, Certificates

TOKEN = "EXAMPLE-FAKE-ACCESS-TOKEN"
GOOD = {"taskId": "d", "status": 1, "totalCount": 4, "succCount": 4, "failCount": 0}
RESETS = (ConnectionResetError, http.client.RemoteDisconnected, BrokenPipeError)


def scenario(*faults: Any, **more: Any) -> dict[str, Any]:
    """A document task that is broken by each of the faults, one a look, and good from then on."""
    life = [*({"fault": fault} for fault in faults), {"status": "succeeded"}]
    task = {"provider": "dingtalk_doc", "task_id": "d", "life": life}
    return {"credentials": {"access_tokens": [TOKEN]}, "tasks": [task], **more}


def until(condition: Callable[[], bool]) -> None:
    """Ask again until it is so; each question is a call to the simulator."""
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end


def has_entries(simulator: Any, count: int) -> bool:
    """Whether so many calls came."""
    return len(simulator.journal()) == count


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the simulator to its end."""
    command = [sys.executable, str(SIMULATOR), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


# HTTPS


def test_it_serves_https_with_the_certificate(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(), tls=True)
    assert simulator.url == f"https://127.0.0.1:{simulator.port}"
    assert simulator.look_at_document("d").json() == GOOD
    endpoints = {value for name, value in simulator.environment.items() if name.endswith("_ENDPOINT")}
    assert endpoints == {simulator.url}


def test_its_environment_makes_requests_trust_it(
    start_simulator: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    simulator = start_simulator(scenario(), tls=True)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(simulator.url, timeout=20)
    for name, value in simulator.environment.items():
        monkeypatch.setenv(name, value)
    assert requests.get(simulator.url, timeout=20).status_code == 404
    assert requests.get(simulator.url.replace("127.0.0.1", "localhost"), timeout=20).status_code == 404


def test_a_client_that_trusts_another_ca_gets_nowhere(start_simulator: Callable[..., Any], tmp_path: Path) -> None:
    simulator = start_simulator(scenario(), tls=True)
    (tmp_path / "other").mkdir()
    context = ssl.create_default_context(cafile=str(Certificates.make(tmp_path / "other").ca))
    connection = http.client.HTTPSConnection("127.0.0.1", simulator.port, timeout=20, context=context)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/")
    assert simulator.journal() == []


def test_a_connection_is_kept(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(), tls=True)
    connection = simulator.connect()
    for dummy in range(3):
        connection.request("GET", "/v2.0/doc/task/info/d", headers={"x-acs-dingtalk-access-token": TOKEN})
        assert json.loads(connection.getresponse().read()) == GOOD
    connection.close()
    assert {entry["connection"] for entry in simulator.journal()} == {1}


def test_who_never_shakes_hands_keeps_nobody_waiting(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(), tls=True)
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=20) as silent:
        assert simulator.look_at_document("d").json() == GOOD
        silent.sendall(b"GET / HTTP/1.1\r\n\r\n")  # plain HTTP is no handshake, either
        assert simulator.look_at_document("d").json() == GOOD
        assert simulator.stop() == 0


@pytest.mark.parametrize("name", ["hang", "drip", "drip_headers", "endless"])
def test_a_lasting_fault_ends_with_its_client_or_the_simulator(start_simulator: Callable[..., Any], name: str) -> None:
    simulator = start_simulator(scenario(name, name), tls=True)
    gone, patient = simulator.connect(), simulator.connect()
    for number, connection in enumerate((gone, patient)):
        connection.request("GET", "/v2.0/doc/task/info/d", headers={"x-acs-dingtalk-access-token": TOKEN})
        until(functools.partial(has_entries, simulator, number + 1))
    gone.close()
    until(lambda: simulator.stats()["connections_open"] == 2)
    assert simulator.stop() == 0
    patient.close()


def test_faults_of_answers_are_the_same_as_without_tls(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(
        scenario("reset", "truncated", "truncated_chunked", "bad_chunks", "odd_chunks"), tls=True
    )
    with pytest.raises(ConnectionResetError):
        simulator.look_at_document("d")
    for dummy in range(3):
        with pytest.raises(http.client.IncompleteRead):
            simulator.look_at_document("d")
    assert simulator.look_at_document("d").json() == GOOD


def test_a_record_in_the_middle_of_an_answer_is_bad(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario("tls_bad_record"), tls=True)
    with pytest.raises(ssl.SSLError):
        simulator.look_at_document("d")
    assert simulator.look_at_document("d").json() == GOOD
    assert [entry["verdict"] for entry in simulator.journal()] == ["tls_bad_record", "ok"]


# Certificates that cannot be used


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


def told(*arguments: str) -> str:
    """The one sentence with which it does not start."""
    result = run("--max-seconds", "0.01", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_both_files_are_needed(files: Certificates, option: str) -> None:
    assert told(option, str(files.certificate)).endswith("--tls-cert and --tls-key must be given together")


def test_a_file_that_is_not_there_is_named(files: Certificates, tmp_path: Path) -> None:
    absent = str(tmp_path / "absent.pem")
    assert told("--tls-cert", str(files.certificate), "--tls-key", absent).endswith(
        f"--tls-key {absent} cannot be read (FileNotFoundError)"
    )


@pytest.mark.parametrize("names", [("key", "certificate"), ("ca", "key")])
def test_files_that_do_not_belong_together_are_named(files: Certificates, names: tuple[str, str]) -> None:
    certificate, key = (str(getattr(files, name)) for name in names)
    sentence = f"{certificate} and {key} are not a certificate and its private key in PEM form"
    assert sentence in told("--tls-cert", certificate, "--tls-key", key)


def test_a_key_with_a_password_is_refused_and_not_asked_for(files: Certificates, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(files.key.read_bytes(), None)
    secret = tmp_path / "secret.pem"
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    assert "is encrypted; give a key without a password" in told(
        "--tls-cert", str(files.certificate), "--tls-key", str(secret)
    )


# Faults of connections


def looks(simulator: Any, count: int) -> list[str]:
    """What becomes of so many looks, each on a connection of its own: good, or the error's class and reason."""
    found = []
    for dummy in range(count):
        try:
            assert simulator.look_at_document("d").json() == GOOD
            found.append("good")
        except ssl.SSLZeroReturnError:  # what the Python of Debian 12 (3.11.2) makes of it
            found.append("UNEXPECTED_EOF_WHILE_READING")
        except ssl.SSLError as error:
            found.append(error.reason)
        except RESETS:
            found.append("closed")
    return found


def test_every_third_connection_is_closed(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(connections=[{"fault": "close", "every": 3}]))
    assert looks(simulator, 7) == ["good", "good", "closed", "good", "good", "closed", "good"]
    assert simulator.stats()["connections_broken"] == 2


def test_the_first_connections_are_closed(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(connections=[{"fault": "close", "first": 2}]))
    assert looks(simulator, 4) == ["closed", "closed", "good", "good"]
    simulator.control("reset")
    assert looks(simulator, 3) == ["closed", "closed", "good"]


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("close", {"closed", "UNEXPECTED_EOF_WHILE_READING"}),
        ("tls_close", {"UNEXPECTED_EOF_WHILE_READING"}),
        ("tls_alert", {"TLSV1_ALERT_INTERNAL_ERROR"}),
        ("tls_plain", {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}),
    ],
)
def test_a_handshake_goes_wrong(start_simulator: Callable[..., Any], name: str, reasons: set[str]) -> None:
    simulator = start_simulator(scenario(connections=[{"fault": name, "every": 2}]), tls=True)
    good, bad, again = looks(simulator, 3)
    assert (good, again) == ("good", "good")
    assert bad in reasons


def test_a_load_balancer_answers_in_plain_text(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(connections=[{"fault": "tls_plain", "first": 1}]), tls=True)
    with socket.create_connection(("127.0.0.1", simulator.port), timeout=20) as connection:
        connection.sendall(b"\x16\x03\x01\x00\x04abcd")
        with connection.makefile("rb") as file:
            assert file.read().startswith(b"HTTP/1.1 503 Service Unavailable\r\n")


def test_control_calls_switch_them_on_and_off(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(), tls=True)
    assert simulator.control("connections", {"connections": [{"fault": "tls_alert", "first": 2}]}) == {"connections": 1}
    assert looks(simulator, 3) == ["TLSV1_ALERT_INTERNAL_ERROR"] * 2 + ["good"]
    simulator.control("connections", {"connections": [{"fault": "tls_close", "every": 1}]})
    assert looks(simulator, 1) == ["UNEXPECTED_EOF_WHILE_READING"]


def test_control_calls_that_are_struck_are_sent_again(start_simulator: Callable[..., Any]) -> None:
    simulator = start_simulator(scenario(connections=[{"fault": "close", "first": 5}]))
    assert simulator.control("connections", {"connections": []}) == {"connections": 0}
    assert simulator.stats()["connections_broken"] == 5


@pytest.mark.parametrize("name", ["tls_close", "tls_alert", "tls_plain", "tls_bad_record"])
def test_plain_http_has_no_faults_of_tls(start_simulator: Callable[..., Any], tmp_path: Path, name: str) -> None:
    sentence = f"{name} needs a simulator that was started with --tls-cert and --tls-key."
    path = tmp_path / "scenario.json"
    if name == "tls_bad_record":
        wrong: dict[str, dict[str, Any]] = {
            "task d": scenario(name),
            "starts[0]": {"starts": [{"provider": "mps", "faults": [name]}]},
            "faults[0]": {"faults": [{"fault": name}]},
        }
    else:
        wrong = {"connections[0]": {"connections": [{"fault": name, "first": 1}]}}
    simulator = start_simulator()
    for place, content in wrong.items():
        path.write_text(json.dumps(content), encoding="utf-8")
        assert told("--scenario", str(path)) == f"cloudwait-simulator: {place}: {sentence}"
        section = next(name for name in ("tasks", "starts", "faults", "connections") if name in content)
        with pytest.raises(RuntimeError, match=f"{name} needs a simulator"):
            simulator.control(section, {section: content[section]})


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"fault": "reset", "first": 1}, "connections[0].fault: 'reset' is not one of close, tls_close, tls_alert,"),
        ({"fault": "close"}, "connections[0]: must have exactly one of every, first."),
        ({"fault": "close", "every": 1, "first": 1}, "connections[0]: must have exactly one of every, first."),
        ({"fault": "close", "every": 0}, "connections[0].every: must be a whole number, 1 or more."),
        ({"fault": "close", "last": 1}, "connections[0]: has an unknown key 'last'; known are fault, every, first."),
    ],
)
def test_a_wrong_rule_is_refused_in_one_sentence(tmp_path: Path, rule: Any, sentence: str) -> None:
    path = tmp_path / "scenario.json"
    path.write_text(json.dumps({"connections": [rule]}), encoding="utf-8")
    assert sentence in told("--scenario", str(path))


# Stopped by the file


def stop(ready: Path) -> str:
    """What it says when it is told to stop."""
    result = run("--stop", "--ready-file", str(ready))
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize("rules", [[], [{"fault": "close", "first": 3}], [{"fault": "close", "every": 1}]])
@pytest.mark.parametrize("tls", [False, True])
def test_who_has_the_ready_file_can_stop_it(
    start_simulator: Callable[..., Any], tmp_path: Path, rules: Any, tls: bool
) -> None:
    simulator = start_simulator(scenario(connections=rules), tls=tls)
    ready = tmp_path / "ready-0.json"
    assert stop(ready) == "cloudwait-simulator: stopped\n"
    assert simulator.process.wait(timeout=20) == 0
    assert not ready.exists()
    assert stop(ready) == "cloudwait-simulator: there is none to stop\n"


def test_a_file_that_a_killed_one_left_is_removed(start_simulator: Callable[..., Any], tmp_path: Path) -> None:
    simulator = start_simulator()
    simulator.process.kill()
    simulator.process.wait(timeout=20)
    ready = tmp_path / "ready-0.json"
    assert stop(ready) == "cloudwait-simulator: there is none to stop\n"
    assert not ready.exists()


def test_another_simulator_at_that_port_goes_on(start_simulator: Callable[..., Any], tmp_path: Path) -> None:
    simulator = start_simulator()
    stale = tmp_path / "stale.json"
    stale.write_text(json.dumps({"url": simulator.url, "pid": 1, "control_key": "of another one"}), encoding="utf-8")
    assert stop(stale) == "cloudwait-simulator: there is none to stop\n"
    assert simulator.stats()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"url": "http://127.0.0.1:9", "pid": "y", "control_key": "z"}',
        '{"url": "http://192.0.2.1:9", "pid": 1, "control_key": "z"}',
        '{"url": "http://127.0.0.1", "pid": 1, "control_key": "z"}',
    ],
)
def test_what_is_no_ready_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(text, encoding="utf-8")
    assert told("--stop", "--ready-file", str(path)).endswith(f"{path} is not a ready file of the simulator")
    assert path.read_text(encoding="utf-8") == text


# The scenario from standard input


def test_a_scenario_may_come_from_standard_input(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    text = json.dumps(scenario(connections=[{"fault": "close", "every": 2}]))
    command = [sys.executable, str(SIMULATOR), "--background", "--scenario", "-", "--ready-file", str(ready)]
    result = subprocess.run(
        [*command, "--max-seconds", "60"], input=text, capture_output=True, text=True, timeout=60, check=True
    )
    assert result.stdout.startswith("cloudwait-simulator: listening on ")
    assert stop(ready) == "cloudwait-simulator: stopped\n"
