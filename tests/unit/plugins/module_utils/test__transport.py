# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How requests travel: endpoints, clocks, and servers that misbehave, each a script on a socket of this machine."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import pathlib
import socket
import ssl
import struct
import threading
import time
import typing as t
from http.client import HTTPResponse

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils import _transport
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._transport import (
    Answer,
    Clock,
    Request,
    Transport,
    _Attempt,
    _Deadline,
    check_endpoint,
    is_loopback,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PATIENCE = 20.0  # seconds; only a hanging test meets it
SOON = 0.3  # seconds; what a request may take whose server never comes to an end
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

Play = t.Callable[[socket.socket, threading.Event], None]


# --- Servers -------------------------------------------------------------------------------------------------------


def read_head(connection: socket.socket) -> bytes:
    """A request up to its blank line; nothing when the client has gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(4096)
        if not more:
            return b""
        data += more
    return data


class Server:
    """Plays a script to each connection, until it is closed."""

    def __init__(self, play: Play, tls: ssl.SSLContext | None) -> None:
        self.connections = 0
        self._play = play
        self._tls = tls
        self._over = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            if self._over.is_set():
                connection.close()
                return
            self.connections += 1
            connection.settimeout(PATIENCE)
            self._sockets.append(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self._play(connection, self._over)

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError), socket.create_connection(self._listener.getsockname(), PATIENCE):
            pass  # wakes the one that accepts
        self._threads[0].join(PATIENCE)
        self._listener.close()
        for connection in self._sockets:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        for connection in self._sockets:
            connection.close()


def saying(*answers: bytes, seen: list[bytes] | None = None) -> Play:
    """Answer one request after the other with these bytes, the last one again and again; then wait for the client."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        left = list(answers)
        while head := read_head(connection):
            if seen is not None:
                seen.append(head)
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return play


def dripping(first: bytes, drop: bytes) -> Play:
    """Answer with some bytes and then a drop now and then, for as long as the client stays."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(first)
        while not over.wait(0.02):
            connection.sendall(drop)

    return play


def closing(data: bytes) -> Play:
    """Answer with some bytes and hang up."""

    def play(connection: socket.socket, over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(data)

    return play


def resetting(connection: socket.socket, over: threading.Event) -> None:
    """Hang up in the rudest way."""
    read_head(connection)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def silent(connection: socket.socket, over: threading.Event) -> None:
    """Listen, and say nothing."""
    read_head(connection)
    over.wait(PATIENCE)


class Certificate(t.NamedTuple):
    """A certificate of our own for 127.0.0.1, with its key in one file."""

    path: str

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Certificate(str(path))


def http(body: bytes = b"{}", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@pytest.fixture
def serve() -> t.Iterator[t.Callable[..., Server]]:
    servers: list[Server] = []

    def start(play: Play, tls: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(play, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[..., Transport]]:
    """Makes transports; their connections are closed in the end. The proxies of this machine do not count."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    made: list[Transport] = []

    def make(**options: t.Any) -> Transport:
        made.append(Transport(**{"timeout": PATIENCE, **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def get(server: Server | str, *, scheme: str = "http", sign: t.Callable[..., dict[str, str]] | None = None) -> Request:
    host = server if isinstance(server, str) else server.host
    return Request("GET", f"{scheme}://{host}/task", sign=sign or (lambda dummy: {}), headers={})


def refusal(transport: Transport, request: Request) -> CloudError:
    with pytest.raises(CloudError) as caught:
        transport.send(request)
    return caught.value


# --- Endpoints -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://gateway.example.com", "gateway.example.com"),
        ("https://gateway.example.com:8443/base/", "gateway.example.com"),
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("http://127.9.9.9", "127.9.9.9"),
        ("http://LOCALHOST:1", "localhost"),
        ("http://[::1]:8080", "::1"),
    ],
)
def test_an_endpoint_is_taken(url: str, host: str) -> None:
    assert check_endpoint(url, "it").hostname == host


NO_URL = "is not an http or https URL with a host"
USER = "has a user name or password in it"
QUERY = "has a query or fragment"
PLAIN = "is plain http to another machine, which would show every answer and token on the way"


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("gateway.example.com", NO_URL),
        ("ftp://gateway.example.com", NO_URL),
        ("https://", NO_URL),
        ("https:///path", NO_URL),
        ("", NO_URL),
        ("https://user:EXAMPLE-FAKE-PASSWORD@gateway.example.com", USER),
        ("https://@gateway.example.com", USER),
        ("http://127.0.0.1@gateway.example.com", USER),
        ("https://gateway.example.com?a=b", QUERY),
        ("https://gateway.example.com?", QUERY),
        ("https://gateway.example.com#", QUERY),
        ("http://gateway.example.com", PLAIN),
        ("http://127.0.0.1.example.com", PLAIN),
        ("http://127.1", PLAIN),
        ("http://localhost.example.com", PLAIN),
        ("http://[::2]", PLAIN),
        ("http://0.0.0.0", PLAIN),
        ("https://gateway.example.com:port", "is not a URL"),
        ("https://[::1", "is not a URL"),
    ],
)
def test_an_endpoint_is_refused_without_being_repeated(url: str, complaint: str) -> None:
    with pytest.raises(CloudError) as caught:
        check_endpoint(url, "the option endpoint")
    error = caught.value
    assert (error.kind, error.said) == ("config", f"the option endpoint {complaint}")
    assert "EXAMPLE-FAKE-PASSWORD" not in error.sentence("It")


@pytest.mark.parametrize(
    "host", [None, "", "127.0.0.1.", "::ffff:8.8.8.8", "\uff11\uff12\uff17.0.0.1", "10.0.0.1", "local host", "\0"]
)
def test_other_hosts_are_not_loopback(host: str | None) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize("url", ["https://gate\nway.example.com:x/", "https://.example.com", "nonsense"])
def test_what_cannot_be_a_request_is_a_wrong_option(url: str) -> None:
    with pytest.raises(CloudError) as caught:
        Request("GET", url, sign=lambda dummy: {}, headers={})
    assert caught.value.sentence("Polling") == (
        "Polling failed: the endpoint or an option cannot be made into a request; "
        "correct the options, the environment or the profile."
    )


def test_a_header_cannot_be_smuggled_in() -> None:
    with pytest.raises(CloudError, match="cannot be made into a request"):
        Request("GET", "https://gateway.example.com", sign=lambda dummy: {}, headers={"X-Id": "a\r\nX-Other: b"})


@pytest.mark.parametrize("token", ["EXAMPLE-FAKE\nTOKEN", "EXAMPLE-FAKE-TOKEN-\u4f60"])
def test_a_token_that_no_header_can_have_is_a_wrong_option(token: str) -> None:
    request = get("gateway.example.com", sign=lambda dummy: {"X-TC-Token": token})
    with pytest.raises(CloudError) as caught:
        Transport().send(request)
    assert (caught.value.kind, caught.value.retryable, caught.value.sent) == ("config", False, False)
    assert "EXAMPLE" not in caught.value.sentence("Polling")


# --- Clock ---------------------------------------------------------------------------------------------------------

NOW = 1_700_000_000.0
DAY = 24 * 3600


@pytest.mark.parametrize(
    ("offset", "signed_with", "server", "correctable", "repaired", "then"),
    [
        (0, 0, NOW + 600, True, True, 600),
        (0, 0, NOW - 600, True, True, -600),
        (0, 0, NOW + DAY, True, True, DAY),
        (0, 0, NOW + DAY + 1, True, False, 0),
        (0, 0, NOW - DAY - 1, True, False, 0),
        (0, 0, None, True, False, 0),
        (0, 0, NOW + 600, False, False, 0),
        (600, 0, NOW + 900, True, True, 600),  # another thread has corrected it since: just sign again
        (600, 0, None, True, True, 600),
        (600, 600, NOW + 900, True, True, 900),
    ],
)
def test_a_clock_is_corrected(
    offset: float, signed_with: float, server: float | None, correctable: bool, repaired: bool, then: float
) -> None:
    clock = Clock(lambda: NOW, offset=offset, correctable=correctable)
    assert clock.correct(signed_with, server) is repaired
    assert (clock.offset, clock.time()) == (then, NOW + then)


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    """This process believes to be in Shanghai."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "CST-8")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Tue, 14 Nov 2023 22:13:20 GMT", NOW),
        ("Tue, 14 Nov 2023 22:13:20 -0000", NOW),  # a naive date by Python's reckoning, but never a local one
        ("Tue, 14 Nov 2023 22:13:20", NOW),
        ("Wed, 15 Nov 2023 06:13:20 +0800", NOW),
        ("Tue, 99 Nov 2023 22:13:20 GMT", None),
        ("Tue, 14 Nov 99999 22:13:20 GMT", None),
        ("tomorrow", None),
        ("", None),
        (None, None),
    ],
)
@pytest.mark.usefixtures("far_east")
def test_the_servers_date_is_read(text: str | None, seconds: float | None) -> None:
    headers = {} if text is None else {"Date": text}
    assert Answer("h", 200, headers, b"").date() == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("0", 0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30),
        ("Tue, 14 Nov 2023 22:13:00 GMT", 0),
        ("-7", None),
        ("1.5", None),
        ("\u00b2", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_forms(text: str, seconds: float | None) -> None:
    headers = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT", "Retry-After": text}
    assert Answer("h", 503, headers, b"").retry_after() == seconds


# --- Answers that come -------------------------------------------------------------------------------------------


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (http(b"abcde"), b"abcde"),
        (http(b""), b""),
        (http(b"x" * 300_000), b"x" * 300_000),
        (CHUNKED, b"abcde"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (http(b"busy", status="503 Busy"), b"busy"),
        (http(b"abc", "Content-Encoding: identity"), b"abc"),
    ],
    ids=["length", "empty", "large", "chunked", "no content", "error", "identity"],
)
def test_a_connection_is_used_again(
    answer: bytes, body: bytes, serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server, client = serve(saying(answer)), transport()
    assert [client.send(get(server)).body for dummy in range(3)] == [body] * 3
    assert (server.connections, client.sent) == (1, 3)


def test_an_answer_without_length_ends_with_the_connection(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server = serve(closing(b"HTTP/1.1 404 Not Found\r\nDate: x\r\n\r\nabc"))
    answer = transport().send(get(server))
    assert (answer.host, answer.status, answer.headers.get("date"), answer.body) == (server.host, 404, "x", b"abc")


def test_each_thread_has_a_connection_and_a_count_of_its_own(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server, client = serve(saying(http())), transport()
    client.send(get(server))
    counts: list[int] = []

    def other() -> None:
        client.send(get(server))
        counts.append(client.sent)
        client.close()

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(PATIENCE)
    assert (counts, client.sent, server.connections) == ([1], 1, 2)


def test_each_sending_signs_again(serve: t.Callable[..., Server], transport: t.Callable[..., Transport]) -> None:
    seen: list[bytes] = []
    server, client = serve(saying(http(), seen=seen)), transport()
    signatures = iter(["first", "second"])
    request = get(server, sign=lambda prepared: {"Authorization": next(signatures)})
    for dummy in range(2):
        client.send(request)
    lines = [line for head in seen for line in head.decode().split("\r\n") if line.startswith("Authorization")]
    assert lines == ["Authorization: first", "Authorization: second"]
    assert request.secrets() == ["second"]


def test_a_netrc_file_is_never_used(
    serve: t.Callable[..., Server],
    transport: t.Callable[..., Transport],
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login EXAMPLE password EXAMPLE-FAKE-PASSWORD\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    seen: list[bytes] = []
    server = serve(saying(http(), seen=seen))
    transport().send(get(server))
    transport().send(get(server, sign=lambda dummy: {"Authorization": "ours"}))
    assert [b"Basic" in head for head in seen] == [False, False]
    assert b"Authorization: ours" in seen[1]


# --- Answers that are none ---------------------------------------------------------------------------------------

ENDLESS_HEAD = b"HTTP/1.1 200 OK\r\n"
WHOLE_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("play", "in_body"),
    [
        (dripping(b"", b"H"), False),
        (dripping(ENDLESS_HEAD, b"X: y\r\n"), False),
        (dripping(ENDLESS_HEAD + b"X: ", b"y"), False),
        (dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), False),
        (silent, False),
        (dripping(WHOLE_HEAD, b"x"), True),
        (dripping(CHUNKED_HEAD, b"1\r\nx\r\n"), True),
        (dripping(CHUNKED_HEAD, b"0"), True),
    ],
    ids=["status line", "head", "head line", "continue", "nothing", "body", "chunks", "chunk size"],
)
def test_an_answer_that_never_ends_is_given_up(
    play: Play, in_body: bool, serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server = serve(play)
    error = refusal(transport(timeout=SOON), get(server))
    assert (error.kind, error.retryable) == ("network", True)
    wanted = {f"{server.host} did not answer within 0.3 s"}
    if in_body:  # on a machine that is busy the head alone may be late
        wanted.add("the answer was not complete after 0.3 s")
    assert error.said in wanted


def test_a_deadline_holds_below_tls(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], certificate: Certificate
) -> None:
    server = serve(dripping(b"HTTP/1.1 200", b"x"), certificate.context())
    error = refusal(transport(timeout=SOON, verify=certificate.path), get(server, scheme="https"))
    assert error.sentence("Polling") == (
        f"Polling failed: {server.host} did not answer within 0.3 s; "
        "check the network, the proxy settings and the endpoint."
    )


def test_a_request_may_have_less_time_than_usual(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server, client = serve(silent), transport()
    with pytest.raises(CloudError, match=r"did not answer within 0\.3 s"):
        client.send(get(server), timeout=SOON)
    with pytest.raises(CloudError, match=r"did not answer within 0\.3 s"):
        transport(timeout=SOON).send(get(server), timeout=PATIENCE)


def test_nothing_is_read_after_the_deadline() -> None:
    one, other = socket.socketpair()
    with one, other:
        other.sendall(b"x")
        one.settimeout(0.0)  # what urllib3 sets when nothing is left
        late = _Deadline(one.makefile("rb", buffering=0), one)
        with pytest.raises(socket.timeout):
            late.read(1)
        late.close()


def test_a_body_that_is_late_is_told_from_no_answer() -> None:
    class Raw(HTTPResponse):
        def __init__(self) -> None:
            self.length = 5
            self.fp: t.Any = None  # for the close of an object that is no longer needed

        def read1(self, n: int = -1) -> bytes:
            raise socket.timeout("timed out")

    with pytest.raises(CloudError, match=r"^the answer was not complete after 7 s$"):
        list(Transport()._chunks(Raw(), 7.0))


def hasty(connection: socket.socket, over: threading.Event) -> None:
    """Refuse a request by its head, as a gateway does that accepts no large body, and hang up."""
    connection.recv(4096)
    connection.sendall(http(b"too large", status="413 Payload Too Large"))
    connection.shutdown(socket.SHUT_WR)
    over.wait(0.2)  # what is still under way shall not reset the connection before the answer has arrived


def test_an_answer_that_comes_before_the_body_was_sent_is_read(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    server, client = serve(hasty), transport()
    url = f"http://{server.host}/upload"
    large = Request("POST", url, sign=lambda dummy: {}, headers={}, body=b"x" * 16_000_000)
    for dummy in range(2):
        assert client.send(large).status == 413
    assert server.connections == 2


def test_a_connection_that_was_made_too_late_is_never_used(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, find = threading.Event(), socket.getaddrinfo

    def slow(*arguments: t.Any, **options: t.Any) -> t.Any:
        answered.wait(PATIENCE)
        return find(*arguments, **options)

    server, client = serve(saying(http())), transport()
    request = get(server)
    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(CloudError, match="no connection to"):
        client.send(request, timeout=SOON)
    monkeypatch.setattr(socket, "getaddrinfo", find)
    assert client.send(request).status == 200
    (used,) = client._connections().values()
    sock = used.sock
    answered.set()
    while server.connections < 2:  # the second one is the late one
        time.sleep(0.01)
    assert client.send(request).status == 200
    assert client._connections() == {f"http://{server.host}": used}
    assert used.sock is sock


CLOSED = "the connection to {host} was closed before an answer came"
BROKEN_OFF = "the answer broke off before its end"
NOT_HTTP = "what {host} answered is not HTTP"
TOO_LONG = "the answer is longer than 1000 bytes"


@pytest.mark.parametrize(
    ("play", "kind", "retryable", "said"),
    [
        (closing(b""), "network", True, CLOSED),
        (resetting, "network", True, CLOSED),
        (closing(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"), "network", True, BROKEN_OFF),
        (closing(CHUNKED_HEAD + b"5\r\nabc"), "network", True, BROKEN_OFF),
        (closing(CHUNKED_HEAD + b"nonsense\r\n"), "network", True, BROKEN_OFF),
        (closing(b"SSH-2.0-OpenSSH_9.6\r\n"), "protocol", True, NOT_HTTP),
        (closing(ENDLESS_HEAD + b"X: y\r\n" * 200 + b"\r\n"), "protocol", True, NOT_HTTP),
        (closing(ENDLESS_HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n"), "protocol", True, NOT_HTTP),
        (closing(http(b"abc", "Content-Length: 2")), "protocol", True, NOT_HTTP),
        (closing(http(b"x" * 300_000)), "protocol", True, TOO_LONG),
        (dripping(ENDLESS_HEAD + b"\r\n", b"x" * 5000), "protocol", True, TOO_LONG),
        (
            saying(http(b"x", "Content-Encoding: gzip")),
            "protocol",
            True,
            "the answer is compressed though that was not asked for",
        ),
    ],
    ids=[
        "closed",
        "reset",
        "length",
        "chunk",
        "size",
        "ssh",
        "lines",
        "line",
        "lengths",
        "large",
        "endless",
        "compressed",
    ],
)
def test_a_broken_answer_is_told(
    play: Play,
    kind: str,
    retryable: bool,
    said: str,
    serve: t.Callable[..., Server],
    transport: t.Callable[..., Transport],
) -> None:
    server, client = serve(play), transport(max_bytes=1000)
    for dummy in range(2):  # the second time on a new connection: a broken one is never used again
        error = refusal(client, get(server))
        assert (error.kind, error.retryable, error.said) == (kind, retryable, said.format(host=server.host))
    assert (server.connections, client.sent) == (2, 2)


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://gateway.example.com/x?token=y", "gateway.example.com"),
        ("/elsewhere", "nowhere"),
        ("", "nowhere"),
        ("https://[::1", "nowhere"),
    ],
)
def test_a_redirect_is_not_followed(
    location: str, target: str, serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    seen: list[bytes] = []
    server = serve(saying(http(b"", f"Location: {location}", status="302 Found"), seen=seen))
    error = refusal(transport(), get(server))
    assert (error.kind, error.http_status, error.retryable, len(seen)) == ("protocol", 302, True, 1)
    assert error.sentence("Polling") == (
        f"Polling failed: {server.host} answered with a redirect to {target}, which a signed request never follows; "
        "check the endpoint and the site, and that no proxy or network login answers in the vendor's place."
    )


# --- No connection -------------------------------------------------------------------------------------------------


def nobody() -> str:
    """A port of this machine where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


def test_nothing_listens(transport: t.Callable[..., Transport]) -> None:
    host = nobody()
    error = refusal(transport(), get(host))
    assert (error.kind, error.retryable, error.said) == ("network", True, f"nothing listens at {host}")


def test_a_name_does_not_resolve(transport: t.Callable[..., Transport], monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*arguments: t.Any, **options: t.Any) -> t.NoReturn:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)  # asking the name service of this machine may take long
    error = refusal(transport(), get("gateway.example.com", scheme="https"))
    assert (error.kind, error.retryable) == ("network", True)
    assert error.sentence("Polling") == (
        "Polling failed: the name of gateway.example.com does not resolve; "
        "check the endpoint, the region and this host's DNS settings."
    )


def test_an_unknown_certificate_is_refused(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], certificate: Certificate
) -> None:
    server = serve(saying(http()), certificate.context())
    request = get(server, scheme="https")
    error = refusal(transport(), request)
    assert (error.kind, error.retryable) == ("network", False)
    assert error.said == f"the certificate of {server.host} was not accepted (self-signed certificate)"
    assert error.advice == "check ca_path, the proxy and this host's clock; never turn the check off"
    for verify in (certificate.path, False):
        assert transport(verify=verify).send(request).body == b"{}"


def test_a_certificate_of_another_host_is_refused(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], certificate: Certificate
) -> None:
    server = serve(saying(http()), certificate.context())
    host = server.host.replace("127.0.0.1", "localhost")
    error = refusal(transport(verify=certificate.path), get(host, scheme="https"))
    assert (error.kind, error.retryable) == ("network", False)
    assert error.said.startswith(f"the certificate of {host} was not accepted (")
    assert "not valid for 'localhost'" in error.said or "that of another host" in error.said  # by release of urllib3


def closed_at_once(connection: socket.socket, over: threading.Event) -> None:
    """As a load balancer does that restarts: the ClientHello gets no answer."""
    connection.recv(4096)


def alert(connection: socket.socket, over: threading.Event) -> None:
    """A TLS record that says "internal error"."""
    connection.recv(4096)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x50")


def plain(connection: socket.socket, over: threading.Event) -> None:
    """Plain HTTP, where TLS was expected."""
    connection.recv(4096)
    connection.sendall(http(status="400 Bad Request"))


@pytest.mark.parametrize("play", [closed_at_once, alert, plain])
def test_a_handshake_that_breaks_passes_and_has_sent_nothing(
    play: Play, serve: t.Callable[..., Server], transport: t.Callable[..., Transport]
) -> None:
    error = refusal(transport(), get(serve(play), scheme="https"))
    assert (error.kind, error.retryable, error.sent) == ("network", True, False)


def test_a_bad_record_in_an_answer_passes_and_may_have_been_sent(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], certificate: Certificate
) -> None:
    def bad_record(connection: socket.socket, over: threading.Event) -> None:
        read_head(connection)
        connection.sendall(http(b"{}")[:20])
        with socket.socket(fileno=connection.detach()) as raw:  # below TLS
            raw.sendall(b"\x17\x03\x03\x00\x20" + b"no record of this connection..  ")

    server = serve(bad_record, certificate.context())
    error = refusal(transport(verify=certificate.path), get(server, scheme="https"))
    assert (error.kind, error.retryable, error.sent) == ("network", True, True)


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "cannot be read (No such file or directory)"), ("not PEM", "holds no certificates in PEM form")],
)
def test_a_ca_bundle_that_cannot_be_used_is_a_wrong_option(
    content: str | None, problem: str, transport: t.Callable[..., Transport], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "bundle.pem"
    if content:
        path.write_text(content, encoding="utf-8")
    error = refusal(transport(verify=str(path)), get(nobody(), scheme="https"))
    assert (error.kind, error.retryable, error.sent) == ("config", False, False)
    assert error.sentence("Polling") == (
        f"Polling failed: the CA bundle {path} of ca_path {problem}; "
        "give ca_path as the path of a PEM file with CA certificates."
    )


def test_a_name_server_that_never_answers(
    transport: t.Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def hanging(*arguments: t.Any, **options: t.Any) -> t.NoReturn:
        answered.wait(PATIENCE)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hanging)
    error = refusal(transport(timeout=SOON), get("gateway.example.com", scheme="https"))
    answered.set()
    assert (error.kind, error.retryable, error.sent) == ("network", True, False)
    assert error.said == "no connection to gateway.example.com was made within 0.3 s"


def test_a_connection_that_comes_too_late_is_closed() -> None:
    connected, closed = threading.Event(), threading.Event()
    late = _Attempt(lambda: t.cast(None, connected.wait(PATIENCE)), closed.set)
    with pytest.raises(socket.timeout):
        late.run(0.01)
    connected.set()
    assert closed.wait(PATIENCE)


def test_a_system_without_threads_connects_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made: list[bool] = []
    monkeypatch.setattr(threading.Thread, "start", refuse)
    _Attempt(lambda: made.append(True), lambda: None).run(PATIENCE)
    assert made == [True]


def test_a_ca_bundle_of_the_environment_counts(
    serve: t.Callable[..., Server],
    transport: t.Callable[..., Transport],
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(saying(http()), certificate.context())
    client = transport()
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate.path)
    assert client.send(get(server, scheme="https")).status == 200
    assert refusal(transport(environment=False), get(server, scheme="https")).kind == "network"


# --- Proxies -------------------------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used(
    serve: t.Callable[..., Server], transport: t.Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    client = transport()
    monkeypatch.setenv("http_proxy", f"http://user:EXAMPLE-FAKE-PASSWORD@{serve(saying(http(), seen=seen)).host}")
    assert client.send(get("gateway.example.com")).body == b"{}"
    assert seen[0].startswith(b"GET http://gateway.example.com/task HTTP/1.1\r\nHost: gateway.example.com\r\n")


@pytest.mark.parametrize(
    ("options", "no_proxy", "is_here"),
    [({"environment": False}, "", False), ({}, "127.0.0.1", False), ({}, "", True)],
    ids=["turned off", "no_proxy", "this machine"],
)
def test_a_proxy_is_passed_by(
    options: dict[str, t.Any],
    no_proxy: str,
    is_here: bool,
    serve: t.Callable[..., Server],
    transport: t.Callable[..., Transport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = transport(**options)
    monkeypatch.setattr(_transport, "is_loopback", lambda dummy: is_here)
    monkeypatch.setenv("http_proxy", f"http://{nobody()}")
    monkeypatch.setenv("no_proxy", no_proxy)
    assert client.send(get(serve(saying(http())))).status == 200


@pytest.mark.parametrize(
    ("play", "kind", "said", "advice"),
    [
        (
            closing(http(status="407 Proxy Authentication Required")),
            "config",
            (
                "the proxy {proxy} of the environment variable https_proxy refused to connect to gateway.example.com "
                "without a login (HTTP 407)"
            ),
            "put the user name and password of the proxy into https_proxy",
        ),
        (
            closing(http(status="503 Service Unavailable")),
            "network",
            (
                "the proxy {proxy} of the environment variable https_proxy refused to connect to gateway.example.com "
                "(HTTP 503)"
            ),
            "ask whoever runs the proxy to allow gateway.example.com, or list it in no_proxy",
        ),
        (
            dripping(b"HTTP/1.1 200 ", b"x"),
            "network",
            "no connection to gateway.example.com through the proxy {proxy} (https_proxy) was made within 0.3 s",
            "check this host's DNS settings and firewall, and the endpoint",
        ),
        (
            None,
            "network",
            "nothing listens at the proxy {proxy} of the environment variable https_proxy",
            "correct or unset https_proxy, or list gateway.example.com in no_proxy",
        ),
    ],
    ids=["wants a login", "refuses", "drips", "is not there"],
)
def test_a_proxy_that_does_not_help_is_named(
    play: Play | None,
    kind: str,
    said: str,
    advice: str,
    serve: t.Callable[..., Server],
    transport: t.Callable[..., Transport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = transport(timeout=SOON if "0.3" in said else PATIENCE)
    proxy = serve(play).host if play else nobody()
    monkeypatch.setenv("https_proxy", f"http://user:EXAMPLE-FAKE-PASSWORD@{proxy}")
    error = refusal(client, get("gateway.example.com", scheme="https"))
    assert (error.kind, error.sent) == (kind, False)
    if play is not None and "was made" in said:  # the limit of the whole and the one of the socket come together
        late = f"gateway.example.com through the proxy {proxy} (https_proxy) did not answer within 0.3 s"
        assert error.said in (said.format(proxy=proxy), late)
    else:
        assert (error.said, error.advice) == (said.format(proxy=proxy), advice)


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        (
            "all_proxy",
            "socks5h://user:EXAMPLE-FAKE-PASSWORD@127.0.0.1:1080",
            (
                "the proxy 127.0.0.1:1080 of the environment variable all_proxy is a SOCKS proxy, which needs the Python "
                "package PySocks"
            ),
        ),
        ("https_proxy", "ftp://127.0.0.1:1", "the environment variable https_proxy does not hold the URL of a proxy"),
        ("https_proxy", "http://:8080", "the environment variable https_proxy does not hold the URL of a proxy"),
        ("https_proxy", "http://host:none", "the environment variable https_proxy does not hold the URL of a proxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(
    variable: str, value: str, said: str, transport: t.Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda dummy: None)
    client = transport()
    monkeypatch.setenv(variable, value)
    error = refusal(client, get("gateway.example.com", scheme="https"))
    assert (error.kind, error.retryable, error.sent, error.said) == ("config", False, False, said)
    assert variable in error.advice


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed (EOF) (_ssl.c:992)"), "has been closed (EOF)"),
        (ssl.SSLError(), "SSLError"),
    ],
)
def test_a_tls_error_without_a_reason_is_told_by_its_text(error: ssl.SSLError, reason: str) -> None:
    """Python 3.11.2 raises the first one when a server closes the connection during the handshake; 3.11.7 does not."""
    told = _transport._network_error(error, "example.com", 10.0, _transport._Route({}))
    assert told.said.startswith("the TLS connection to example.com broke (")
    assert told.said.endswith(f"{reason})")
