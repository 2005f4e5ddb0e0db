# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the vendor: nothing there, no such name, certificates, proxies, endpoints."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import ipaddress
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .ansible_runs import Run, poll

#: how a handshake breaks while a load balancer restarts
BREAKS = ("tls_close", "tls_alert", "tls_plain")
TASKS = [{"provider": "mps", "task_id": "m", "life": [{"status": "succeeded"}]}]


class Gateway(http.server.BaseHTTPRequestHandler):
    """Answers every poll of a DingTalk document task with success."""

    def do_GET(self) -> None:
        body = json.dumps({"taskId": "d", "status": 1, "totalCount": 1, "succCount": 1, "failCount": 0}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Be silent."""


class QuietServer(http.server.ThreadingHTTPServer):
    """A server to which broken TLS handshakes are nothing to speak of."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Be silent."""


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    now = dt.datetime.now(dt.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=2))
        .not_valid_after(now + dt.timedelta(days=2))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths = (folder / "gateway.pem", folder / "gateway.key")
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return paths


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def gateway(certificate: tuple[Path, Path]) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with QuietServer(("127.0.0.1", 0), Gateway) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def nobody() -> Iterator[str]:
    """A port that is taken, and at which nobody listens."""
    with contextlib.closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture(scope="module")
def clouds_that_break(start_cloud: Callable[..., Any]) -> dict[str, Any]:
    """Clouds whose first two handshakes break: that of the first poll, and the first one of the second poll."""
    return {
        name: start_cloud({"tasks": TASKS, "connections": [{"fault": name, "first": 2}]}, tls=True) for name in BREAKS
    }


@pytest.fixture(scope="module")
def run(
    start_cloud: Callable[..., Any],
    start_ansible: Callable[..., Any],
    certificate: tuple[Path, Path],
    gateway: str,
    nobody: str,
    clouds_that_break: dict[str, Any],
) -> Run:
    cloud = start_cloud({"tasks": TASKS})
    token = {"access_token": "EXAMPLE-FAKE-ACCESS-TOKEN"}
    behind_proxy = {"CLOUDWAIT_MPS_ENDPOINT": "", "HTTPS_PROXY": f"http://user:pa55@{nobody}"}
    no_proxy = {"environment": {"HTTPS_PROXY": ""}}
    elsewhere = {"CLOUDWAIT_MPS_ENDPOINT": f"http://{nobody}"}
    polls = {
        "nothing listens": poll("mps", "m", endpoint=f"http://{nobody}"),
        "no such name": poll("mps", "m", endpoint="https://cloudwait.invalid", keywords=no_proxy),
        "unknown authority": poll("dingtalk_doc", "d", endpoint=gateway, **token),
        "authority given": poll("dingtalk_doc", "d", endpoint=gateway, ca_path=str(certificate[0]), **token),
        "not checked": poll("dingtalk_doc", "d", endpoint=gateway, validate_certs=False, **token),
        "no such bundle": poll("dingtalk_doc", "d", endpoint=gateway, ca_path="no-such-bundle.pem", **token),
        "dead proxy": poll("mps", "m", keywords={"environment": behind_proxy}),
        "option and environment": poll("mps", "m", endpoint=cloud.url + "/", keywords={"environment": elsewhere}),
        "environment": poll("mps", "m"),
    }
    for name, broken in clouds_that_break.items():
        here = {"environment": broken.environment}
        polls[f"{name} once"] = poll("mps", "m", keywords=here)
        polls[f"{name} and again"] = poll("mps", "m", request_retries=None, keywords=here)
    found: Run = start_ansible(cloud.environment).polls(polls)
    return found


def check(run: Run, name: str, kind: str, *said: str) -> None:
    """The kind of the error, and what the sentence has to say."""
    assert run.error(name)["kind"] == kind
    for words in said:
        assert words in run.sentence(name)


def test_nothing_listens(run: Run, nobody: str) -> None:
    check(run, "nothing listens", "network", f"nothing listens at {nobody}; check the network")


def test_a_name_does_not_resolve(run: Run) -> None:
    check(run, "no such name", "network", "the name of cloudwait.invalid does not resolve; check the endpoint")


def test_a_certificate_of_an_unknown_authority_is_refused(run: Run) -> None:
    check(run, "unknown authority", "network", "the certificate of 127", "(self-signed", "check ca_path")
    assert run.error("unknown authority")["retryable"] is False


@pytest.mark.parametrize("name", BREAKS)
def test_a_handshake_that_breaks_is_no_fault_of_the_certificate(run: Run, name: str) -> None:
    check(run, f"{name} once", "network", "the TLS connection to 127.0.0.1:", "check the network")
    assert run.error(f"{name} once")["retryable"] is True
    assert "ca_path" not in run.sentence(f"{name} once")
    assert "()" not in run.sentence(f"{name} once")  # the Python of Debian 12 has no reason for one of them


@pytest.mark.parametrize("name", BREAKS)
def test_a_handshake_that_breaks_is_tried_again_by_default(run: Run, clouds_that_break: Any, name: str) -> None:
    assert run.task(f"{name} and again")["status"] == "succeeded"
    assert clouds_that_break[name].stats()["connections_broken"] == 2


def test_a_certificate_is_checked_with_the_bundle_that_was_given(run: Run) -> None:
    assert run.task("authority given")["status"] == "succeeded"


def test_a_bundle_that_does_not_exist_is_an_error_of_the_options(run: Run) -> None:
    check(run, "no such bundle", "config", "the CA bundle no-such-bundle.pem of ca_path cannot be read", "give ca_path")


def test_a_check_that_is_off_lets_all_certificates_pass_in_silence(run: Run) -> None:
    assert run.task("not checked")["status"] == "succeeded"
    assert "warnings" not in run.results["not checked"]


def test_a_proxy_that_does_not_answer_is_named_as_one(run: Run, nobody: str) -> None:
    at_proxy = f"nothing listens at the proxy {nobody} of the environment variable HTTPS_PROXY"
    check(run, "dead proxy", "network", at_proxy, "correct or unset HTTPS_PROXY")
    assert "pa55" not in run.sentence("dead proxy")


def test_a_host_of_the_vendor_is_not_named_in_the_result(run: Run) -> None:
    assert "endpoint_host" not in run.results["dead proxy"]
    assert "mps.tencentcloudapi.com" in run.sentence("dead proxy")


@pytest.mark.parametrize("name", ["option and environment", "environment"])
def test_the_option_wins_over_the_environment_and_the_host_is_named(run: Run, name: str) -> None:
    assert run.task(name)["status"] == "succeeded"
    assert run.results[name]["endpoint_host"].startswith("127.0.0.1:")
    assert "endpoint_host" not in run.task(name)["ref"]


def test_a_host_that_is_not_the_vendors_is_named_after_a_failure_too(run: Run, nobody: str) -> None:
    assert run.results["nothing listens"]["endpoint_host"] == nobody
