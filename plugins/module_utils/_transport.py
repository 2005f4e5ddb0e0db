# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: HTTP. It knows no AnsibleModule and gives bodies no meaning.
"""Sends signed requests, and turns what goes wrong on the way into errors.

Its guarantees, none of which the HTTP library gives by itself:

* ``~/.netrc`` never replaces a signature, and a redirect never carries one to another host: requests go to a connection,
  or to the adapter of requests where there is a proxy, and neither of these handles netrc files or redirects.
* A request is signed anew each time it is sent, and exactly the bytes that are sent are signed.
* Connecting has a time limit, which includes name resolution, proxy and TLS handshake.
* Reading an answer has a limit of size and a total time limit, however slowly it arrives. It must be complete.
* Of TLS errors, only those about certificates are final. All others may pass, like any broken connection.
* Texts of the HTTP library's exceptions, which may quote URLs and headers, never become part of an error.
"""

from __future__ import annotations

import contextlib
import functools
import http.client
import importlib.util
import io
import os
import re
import socket
import ssl
import sys
import threading
import time
import typing as t
import warnings
from datetime import timezone
from email.utils import parsedate_to_datetime
from urllib.parse import SplitResult, urlsplit

from ._errors import CloudError, one_line
from ._version import __version__

HAS_REQUESTS = True
try:
    import requests
    from requests.adapters import HTTPAdapter
    from requests.exceptions import InvalidURL, RequestException
    from requests.utils import select_proxy
    from urllib3 import Timeout
    from urllib3.connection import CertificateError  # type: ignore[attr-defined] # a path that exists in all releases
    from urllib3.exceptions import ConnectTimeoutError, HTTPError
    from urllib3.exceptions import InvalidHeader as OddHeader
    from urllib3.util.connection import is_connection_dropped
except ImportError:
    HAS_REQUESTS = False
    CertificateError = OddHeader = ValueError  # type: ignore[assignment, misc] # as below
    ConnectTimeoutError = TimeoutError  # type: ignore[assignment, misc] # as below
    HTTPAdapter = object  # type: ignore[assignment, misc] # the classes below must load without requests

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from requests import PreparedRequest

    Sign = t.Callable[["Request"], t.Mapping[str, str]]

USER_AGENT = f"cloudwait.conversion/{__version__}"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_CLOCK_OFFSET = 24 * 3600
CHUNK = 64 * 1024
BROKEN_OFF = "the answer broke off before its end"
OTHER_HOST = "it is that of another host"
NO_NAME = "check the endpoint, the region and this host's DNS settings"
NO_CONNECTION = "check this host's DNS settings and firewall, and the endpoint"
PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
MOST_CONNECTING = 128
_CONNECTING = threading.Semaphore(MOST_CONNECTING)
"""Limits the number of threads that are abandoned because connecting takes too long."""

PLAIN_URL = re.compile(r"(https?://[a-z0-9.-]+(?::[0-9]+)?)/(?:[A-Za-z0-9/?&=+._~-]|%[0-9A-F]{2})*", re.ASCII)
"""URLs in which ``requests`` has nothing to quote or to encode; the group is the base."""

SECRET_HEADERS = (
    "Authorization",
    "X-TC-Token",
    "x-ci-security-token",
    "x-cos-security-token",
    "x-acs-dingtalk-access-token",
)


class Clock:
    """The time for signatures: this host's clock, corrected after a vendor has reported a clock error.

    :param now: returns this host's time in Unix seconds.
    :param offset: seconds to add to this host's clock.
    :param correctable: false if the clock must not be corrected, since the server may not be the vendor's.
    """

    def __init__(
        self, now: t.Callable[[], float] = time.time, *, offset: float = 0.0, correctable: bool = True
    ) -> None:
        self._now = now
        self.offset = offset
        self._correctable = correctable

    def time(self) -> float:
        """Returns the time in Unix seconds."""
        return self._now() + self.offset

    def correct(self, signed_with: float, server_time: float | None) -> bool:
        """Correct the clock after a clock error. Returns whether to sign and send the request again.

        :param signed_with: offset of the refused signature. Another thread may have corrected the clock since.
        :param server_time: the vendor's time in Unix seconds, from the ``Date`` of the answer; null if it has none.
        """
        if self.offset != signed_with:
            return True
        if not self._correctable or server_time is None:
            return False
        offset = server_time - self._now()
        if abs(offset) > MAX_CLOCK_OFFSET:
            return False
        self.offset = offset
        return True


def _normal_url(url: str) -> str:
    """Returns a URL as ``requests`` sends it. URLs that need no change are not parsed again for each poll.

    :raises CloudError: ``config``, when it is invalid.
    """
    plain = PLAIN_URL.fullmatch(url)
    try:
        return url if plain and _is_plain(plain[1]) else t.cast(str, requests.Request("GET", url).prepare().url)
    except (InvalidURL, ValueError):
        raise _no_request() from None


def _no_request() -> CloudError:
    return CloudError("config", "the endpoint or an option cannot be made into a request", sent=False)


@functools.lru_cache(maxsize=64)
def _is_plain(base: str) -> bool:
    """Returns whether ``requests`` accepts the base of a URL and changes nothing in it."""
    return requests.Request("GET", f"{base}/").prepare().url == f"{base}/"


class Request:
    """A request that can be signed and sent several times.

    :param sign: returns the headers that authorize a request whose other members are complete.
    :param keys: the keys or token that sign it, so that refused ones can be told from current ones.
    :raises CloudError: ``config``, when URL or headers are invalid.
    """

    def __init__(
        self,
        method: str,
        url: str,
        *,
        sign: Sign,
        headers: t.Mapping[str, str],
        body: bytes | None = None,
        keys: t.Any = None,
    ) -> None:
        self.method = method
        self.url = _normal_url(url)
        self.headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        self.body = body
        self.parts = urlsplit(self.url)
        self.host = self.parts.netloc
        self.origin = f"{self.parts.scheme}://{self.host}"
        self.target = self.parts.path + (f"?{self.parts.query}" if self.parts.query else "")
        self.signed_with = 0.0  # the clock offset of the last signature
        self.keys = keys
        self.action: str | None = None  # the operation, if a service has a replacement for it
        self._sign = sign
        self._check_headers()

    def sign(self) -> None:
        """Add the headers of a new signature.

        :raises CloudError: ``config``, when keys or a token cannot be part of a header.
        """
        self.headers.update(self._sign(self))
        self._check_headers()

    def secrets(self) -> list[str]:
        """Returns the secrets in the headers of this request, once it has been signed."""
        values = [self.headers[name] for name in SECRET_HEADERS if name in self.headers]
        return values + [value.rpartition("=")[2] for value in values if "=" in value]

    def prepared(self) -> PreparedRequest:
        """Returns the request, with its last signature, in the form that an adapter of requests sends."""
        return requests.Request(self.method, self.url, headers=self.headers, data=self.body).prepare()

    def _check_headers(self) -> None:
        values = "".join(self.headers.values())
        if not (values.isascii() and values.isprintable()):  # a line break would begin another header
            raise _no_request()


class Answer(t.NamedTuple):
    """A complete HTTP answer.

    :param headers: finds the value of a header by its name, in any case.
    """

    host: str
    status: int
    headers: t.Mapping[str, str]
    body: bytes

    def date(self) -> float | None:
        """Returns the server's time in Unix seconds, from the header ``Date``; null if there is none."""
        return _http_date(self.headers.get("Date"))

    def retry_after(self) -> float | None:
        """Returns the seconds that the server asks to wait, from either form of ``Retry-After``; null for none."""
        text = (self.headers.get("Retry-After") or "").strip()
        if text.isdecimal():
            return float(text)
        moment = _http_date(text)
        if moment is None:
            return None
        return max(0.0, moment - (self.date() or time.time()))


def _http_date(text: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(text) if text else None
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def is_loopback(host: str | None) -> bool:
    """Returns whether a host is this machine: ``localhost`` or a loopback address."""
    if host == "localhost":
        return True
    try:
        family = socket.AF_INET6 if ":" in (host or "") else socket.AF_INET
        number = socket.inet_pton(family, host or "")
    except (OSError, ValueError):
        return False
    return number[0] == 127 if family == socket.AF_INET else number == b"\0" * 15 + b"\1"


def check_endpoint(url: str, what: str) -> SplitResult:
    """Returns the parts of a base URL.

    :param what: its name in the error, such as ``the option endpoint``.
    :raises CloudError: ``config``, when the URL must not be used. The message does not show it: it may have a password.
    """
    try:
        parts = urlsplit(url)
        dummy = parts.port
    except ValueError:
        raise CloudError("config", f"{what} is not a URL") from None
    complaint = None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        complaint = "is not an http or https URL with a host"
    elif "@" in parts.netloc:
        complaint = "has a user name or password in it"
    elif parts.query or parts.fragment or "?" in url or "#" in url:
        complaint = "has a query or fragment"
    elif parts.scheme == "http" and not is_loopback(parts.hostname):
        complaint = "is plain http to another machine, which would show every answer and token on the way"
    if complaint:
        raise CloudError("config", f"{what} {complaint}", advice="give it as https://host or https://host:port")
    return parts


class _Deadline(io.RawIOBase):
    """Reads from a socket with a total time limit. The socket's own timeout begins anew with every received byte.

    :param raw: the socket as a file, which keeps it open.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)  # it has been set to the rest of the time limit

    def readable(self) -> bool:
        """Returns true, as ``io`` expects of a file that can be read."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """Read what has arrived.

        :raises socket.timeout: when the time limit has passed.
        """
        self._sock.settimeout(_time_until(self._ends))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the file and release the socket."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An HTTP answer whose headers and body must arrive within one time limit."""

    def __init__(self, sock: socket.socket, *args: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *args, **options)
        file: t.Any = self.fp
        self.fp = io.BufferedReader(_Deadline(file.detach(), sock))


class _ConnectTimeout(socket.timeout):
    """No connection was made within the time limit: the name does not resolve, or the host does not answer."""


class _BoundedConnect:
    """Mixin for urllib3's connections that gives connecting a total time limit, and marks errors that occur there.

    The system's name resolution has no time limit, and a host with several addresses gets the limit for each. So
    connecting runs in a thread of its own, which is abandoned when it takes too long.
    """

    timeout: float
    pieces: list[bytes] | None = None

    def send(self, data: t.Any) -> None:
        """Send data, or collect it in ``pieces`` if that is a list."""
        if self.pieces is None:
            super().send(data)  # type: ignore[misc] # of the class that this extends
        else:
            self.pieces.append(data)

    def connect(self) -> None:
        """Connect within ``timeout`` seconds.

        :raises _ConnectTimeout: when that takes longer.
        """
        attempt = _Attempt(super().connect, self.close)  # type: ignore[misc] # of the class that this extends
        try:
            attempt.run(self.timeout)
        except BaseException as error:
            error.while_connecting = True  # type: ignore[attr-defined] # read by _network_error
            raise

    def close(self) -> None:
        """Close the connection."""
        super().close()  # type: ignore[misc] # as above


class _Attempt:
    """One attempt to connect, in a thread that is abandoned if it takes too long.

    :param connect: makes the connection.
    :param close: closes a connection that was made too late.
    """

    def __init__(self, connect: t.Callable[[], None], close: t.Callable[[], None]) -> None:
        self._connect = connect
        self._close = close
        self._over = threading.Event()
        self._left = False
        self._failure: BaseException | None = None

    def run(self, seconds: float) -> None:
        """Wait until the connection is made.

        :param seconds: time limit.
        :raises _ConnectTimeout: when the time limit has passed, or when too many connections are being made.
        """
        if not _CONNECTING.acquire(blocking=False):
            raise _ConnectTimeout(f"{MOST_CONNECTING} connections are being made already")
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:  # the system allows no more threads
            self._work()
        if not self._over.wait(seconds):
            self._left = True
            raise _ConnectTimeout("the time was over")
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            self._connect()
        except BaseException as error:  # noqa: BLE001 # run() raises it
            self._failure = error
        finally:
            _CONNECTING.release()
            self._over.set()
            if self._left:
                self._close()


class _Adapter(HTTPAdapter):
    """Makes connections with time limits for connecting and for answers."""

    def get_connection_with_tls_context(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Returns a pool of connections; called by requests 2.32 and newer."""
        return _bounded(super().get_connection_with_tls_context(*args, **options))

    def get_connection(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Returns a pool of connections; called by requests before 2.32."""
        return _bounded(super().get_connection(*args, **options))


def _bounded(pool: t.Any) -> t.Any:
    """Returns a pool of urllib3, for any kind of host or proxy, that makes its connections with our classes."""
    kind = pool.ConnectionCls
    if kind.response_class is not _Response:
        pool.ConnectionCls = type(kind.__name__, (_BoundedConnect, kind), {"response_class": _Response})
    return pool


def _connection_to(adapter: HTTPAdapter, request: Request, verify: bool | str) -> t.Any:
    """Returns a connection of urllib3 to the host of a request, without a proxy, that has yet to be made.

    :param verify: whether to check certificates, or the path of a CA bundle.
    """
    if hasattr(HTTPAdapter, "get_connection_with_tls_context"):
        pool: t.Any = adapter.get_connection_with_tls_context(request.prepared(), verify, proxies={})
    else:  # requests before 2.32
        pool = adapter.get_connection(request.url, {})
    adapter.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call] # requests has no types for it
    return pool._new_conn()


def _send_on(connection: t.Any, request: Request) -> bool:
    """Send a signed request, a short one in one piece. Returns whether all of it was sent.

    A server that refuses a request may answer and close the connection before it has read the body.
    """
    connection.pieces = [] if len(request.body or b"") <= CHUNK else None
    try:
        http.client.HTTPConnection.request(connection, request.method, request.target, request.body, request.headers)
        if connection.pieces is not None:  # the standard library sends head and body one after the other
            whole, connection.pieces = b"".join(connection.pieces), None
            connection.send(whole)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _time_until(ends: float) -> float:
    """Returns the seconds until a time of the monotonic clock.

    :raises socket.timeout: when there are none left.
    """
    left = ends - time.monotonic()
    if left <= 0:
        raise socket.timeout("the time was over")
    return left


class _Route(t.NamedTuple):
    """How a host is reached.

    :param settings: arguments for the adapter of requests: proxies and certificates.
    :param proxy: host and port of the proxy; empty text without a proxy.
    :param variable: the environment variable that names the proxy; empty text without a proxy.
    """

    settings: dict[str, t.Any]
    proxy: str = ""
    variable: str = ""


def _check_proxy(url: str, variable: str) -> str:
    """Returns host and port of a proxy for messages, without user name and password.

    :param variable: the environment variable that names the proxy.
    :raises CloudError: ``config``, when the URL is invalid, or when a Python package for this kind of proxy is missing.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        name = parts.hostname or ""
        place = f"{name}:{parts.port}" if parts.port else name
    except ValueError:
        parts, name, place = urlsplit(""), "", ""
    if not name or parts.scheme not in PROXY_SCHEMES:
        raise CloudError(
            "config",
            f"the environment variable {variable} does not hold the URL of a proxy",
            advice=f"set {variable} to a URL such as http://proxy.example.com:3128, or unset it",
            sent=False,
        )
    if parts.scheme.startswith("socks") and importlib.util.find_spec("socks") is None:
        raise CloudError(
            "config",
            f"the proxy {place} of the environment variable {variable} is a SOCKS proxy, which needs the Python package "
            "PySocks",
            advice=f"install PySocks for {sys.executable}, or unset {variable}",
            sent=False,
        )
    return place


def _check_bundle(path: str, name: str) -> None:
    """Refuse a file or folder from which CA certificates cannot be read.

    :param name: the option or environment variable that gives the path.
    :raises CloudError: ``config``.
    """
    problem = None
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(**({"capath": path} if os.path.isdir(path) else {"cafile": path}))
    except ssl.SSLError:
        problem = "holds no certificates in PEM form"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    if problem:
        raise CloudError(
            "config",
            f"the CA bundle {one_line(path, 300)} of {name} {problem}",
            advice=f"give {name} as the path of a PEM file with CA certificates",
            sent=False,
        )


class Transport:
    """Sends requests. One object serves all threads; each thread has its own session and connections.

    :param timeout: seconds for one request, from connecting to the last byte of the answer.
    :param verify: whether to check certificates, or the path of a CA bundle to check them with.
    :param max_bytes: largest size of an answer's body, in bytes.
    :param environment: whether to use proxies and CA bundles that the environment names.
    """

    def __init__(
        self,
        *,
        timeout: float = 10.0,
        verify: bool | str = True,
        max_bytes: int = MAX_ANSWER_BYTES,
        environment: bool = True,
    ) -> None:
        self.timeout = timeout
        self._verify = verify
        self._max_bytes = max_bytes
        self._environment = environment
        self._local = threading.local()
        self._routes: dict[str, _Route] = {}
        if verify is False:
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")

    @property
    def sent(self) -> int:
        """Number of requests that this thread has sent."""
        return getattr(self._local, "sent", 0)

    def close(self) -> None:
        """Close the connections of this thread. They are made again when they are needed."""
        for connection in self._connections().values():
            connection.close()
        self._session().close()

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = self._environment
            for scheme in ("http://", "https://"):
                self._local.session.mount(scheme, _Adapter())
        return self._local.session  # type: ignore[no-any-return] # a threading.local has no types

    def _connections(self) -> dict[str, t.Any]:
        """Returns the connections of this thread that use no proxy, by scheme and host."""
        if not hasattr(self._local, "connections"):
            self._local.connections = {}
        return self._local.connections  # type: ignore[no-any-return] # as above

    def _route(self, request: Request) -> _Route:
        """Returns proxy and certificates for a host. They are found once per host, since that reads the environment.

        Requests to this machine never use a proxy, which could read what they send over plain HTTP.

        :raises CloudError: ``config``, when the proxy or the CA bundle cannot be used.
        """
        if request.host not in self._routes:
            url, session = request.url, self._session()
            settings: dict[str, t.Any] = {**session.merge_environment_settings(url, {}, True, self._verify, None)}
            if is_loopback(request.parts.hostname):
                settings["proxies"] = {}
            proxy = select_proxy(url, settings["proxies"])
            variable = _variable_of(proxy, url)
            if isinstance(settings["verify"], str) and url.startswith("https"):
                name = "ca_path" if settings["verify"] == self._verify else "REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
                _check_bundle(settings["verify"], name)
            place = _check_proxy(proxy, variable) if proxy else ""
            self._routes[request.host] = _Route(settings, place, variable)
        return self._routes[request.host]

    def send(self, request: Request, *, timeout: float | None = None) -> Answer:
        """Sign and send a request, and return the complete answer, whatever its HTTP status, except a redirect.

        :param timeout: seconds for this request, if less than usual; null for the usual time.
        :raises CloudError: ``network``, ``protocol`` or ``config``, when there is no complete answer, or a redirect.
        """
        seconds = self.timeout if timeout is None else min(timeout, self.timeout)
        if seconds <= 0:
            raise CloudError("network", f"the time was over before {request.host} could be asked", sent=False)
        route = self._route(request)
        request.sign()
        self._local.sent = self.sent + 1
        exchange = self._exchange_through_proxy if route.proxy else self._exchange
        failure = None
        try:
            raw, body = exchange(request, route, seconds)
        except (RequestException, OSError, ValueError, OverflowError, HTTPError, http.client.HTTPException) as error:
            failure = _network_error(error, request.host, seconds, route)
        if failure is not None:
            raise failure
        answer = Answer(request.host, raw.status, t.cast("t.Mapping[str, str]", raw.headers), body)
        _refuse_redirect(answer)
        return answer

    def _exchange(self, request: Request, route: _Route, seconds: float) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a signed request. Returns the answer and its body.

        The connection is one of urllib3, made as its pool makes them: it checks certificates. For each poll, only the
        methods of the standard library are called, since the pool and the adapter of requests do more than a poll needs.
        """
        ends = time.monotonic() + seconds
        connection = self._take_connection(request, route)
        try:
            if connection.sock is None:
                connection.timeout = seconds
                connection.connect()
            connection.sock.settimeout(_time_until(ends))
            is_sent = _send_on(connection, request)
            connection.sock.settimeout(_time_until(ends))
            raw = http.client.HTTPConnection.getresponse(connection)
            body = self._read(raw, seconds)
        except BaseException:
            connection.close()
            raise
        if is_sent:
            self._connections()[request.origin] = connection
        else:
            connection.close()
        return raw, body

    def _take_connection(self, request: Request, route: _Route) -> t.Any:
        """Returns a connection to the host of a request: one that is open, or a new one that has yet to be made.

        It is kept again only after a success. After a failure, a thread that was given up may still be connecting it.
        """
        connection = self._connections().pop(request.origin, None)
        if connection is not None:
            if not is_connection_dropped(connection):
                return connection
            connection.close()
        adapter = t.cast(HTTPAdapter, self._session().get_adapter(request.url))
        return _connection_to(adapter, request, route.settings["verify"])

    def _exchange_through_proxy(
        self, request: Request, route: _Route, seconds: float
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Send a signed request through the adapter of requests. Returns the answer and its body."""
        adapter = t.cast(HTTPAdapter, self._session().get_adapter(request.url))
        limit: t.Any = Timeout(total=seconds)
        response: t.Any = adapter.send(request.prepared(), timeout=limit, **route.settings).raw
        raw = response._fp  # the answer of the standard library, of which nothing has been read but its head
        try:
            return raw, self._read(raw, seconds)
        except BaseException:
            response.close()
            raise
        finally:
            response.release_conn()

    def _read(self, raw: http.client.HTTPResponse, seconds: float) -> bytes:
        """Returns the whole body of an answer.

        :param seconds: time limit of the request, for messages.
        :raises CloudError: when the body is compressed, incomplete, too long or too late.
        """
        with contextlib.closing(raw):  # which also tells the connection that the answer has ended
            if raw.headers.get("Content-Encoding", "identity") != "identity":
                raise CloudError("protocol", "the answer is compressed though that was not asked for")
            if len(set(raw.headers.get_all("Content-Length", []))) > 1:
                raise http.client.HTTPException("several lengths")
            return b"".join(self._chunks(raw, seconds))

    def _chunks(self, raw: http.client.HTTPResponse, seconds: float) -> t.Iterator[bytes]:
        """Yields the body in pieces as they arrive.

        :raises CloudError: when the body is incomplete, too long or too late.
        """
        length = raw.length  # null where only the end of the answer tells it
        size = 0
        while size != length:
            try:
                chunk = raw.read1(CHUNK)
            except socket.timeout:
                raise CloudError("network", f"the answer was not complete after {seconds:.3g} s") from None
            if not chunk:
                break
            yield chunk
            size += len(chunk)
            if size > self._max_bytes:
                raise CloudError("protocol", f"the answer is longer than {self._max_bytes} bytes")
        if length is not None and size != length:
            raise CloudError("network", BROKEN_OFF)


def _refuse_redirect(answer: Answer) -> None:
    if 300 <= answer.status < 400 and answer.status != 304:
        try:
            target = urlsplit(answer.headers.get("Location") or "").hostname or "nowhere"
        except ValueError:
            target = "nowhere"
        raise CloudError(
            "protocol",
            f"{answer.host} answered with a redirect to {one_line(target, 100)}, which a signed request never follows",
            http_status=answer.status,
            advice="check the endpoint and the site, and that no proxy or network login answers in the vendor's place",
        )


def _causes(error: BaseException) -> t.Iterator[BaseException]:
    """Yields an exception and all that it wraps, by any of the ways in which requests and urllib3 wrap exceptions."""
    waiting: list[t.Any] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]


def _variable_of(proxy: str | None, url: str) -> str:
    """Returns the environment variable that names a proxy; empty text if there is no proxy."""
    names = [f"{scheme}_proxy" for scheme in (urlsplit(url).scheme, "all")] if proxy else []
    known = [each for name in names for each in (name, name.upper()) if os.environ.get(each) == proxy]
    return known[0] if known else "".join(names[:1])


def _network_error(error: BaseException, host: str, seconds: float, route: _Route) -> CloudError:
    """Returns our error for an exception of the HTTP library, by the first entry of ``_FAULTS`` among its causes."""
    causes = list(_causes(error))
    own = next((cause for cause in causes if isinstance(cause, CloudError)), None)
    if own is not None:
        return own
    connecting = any(getattr(cause, "while_connecting", False) for cause in causes)
    through = f" through the proxy {route.proxy} ({route.variable})" if route.proxy else ""
    for wanted, said, more in _FAULTS:
        for cause in causes:
            if isinstance(cause, wanted):
                at_proxy = bool(route.proxy) and wanted in _BEFORE_TUNNEL
                place = f"the proxy {route.proxy} of the environment variable {route.variable}" if at_proxy else host
                advice = (
                    {"advice": f"correct or unset {route.variable}, or list {host} in no_proxy"} if at_proxy else {}
                )
                values = {
                    "host": place,
                    "proxy": "" if at_proxy else through,
                    "seconds": seconds,
                    "reason": _reason(cause),
                }
                options: dict[str, t.Any] = {"kind": "network", "sent": not connecting, **more, **advice}
                return CloudError(said=said.format(**values), **options)
    refusal = next((str(cause) for cause in causes if "Tunnel connection failed" in str(cause)), "")
    if refusal:
        return _tunnel_error(refusal, host, route)
    name = type(error).__name__
    return CloudError("network", f"the connection to {host}{through} broke ({name})", sent=not connecting)


def _reason(cause: BaseException) -> str:
    """Returns what OpenSSL says about an error, as part of a sentence."""
    said = str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "")
    if not said and isinstance(cause, ssl.SSLCertVerificationError):
        return OTHER_HOST  # urllib3 before 2.0 compares host names itself, and raises this error with a text alone
    text = getattr(cause, "strerror", None) or type(cause).__name__  # SSLZeroReturnError has no reason
    return one_line(said or re.sub(r" \(_ssl\.c:[0-9]+\)$", "", text), 200)


def _tunnel_error(refusal: str, host: str, route: _Route) -> CloudError:
    """Returns the error for a proxy that refused to connect. Nothing has been sent to the vendor then.

    :param refusal: the message of the HTTP library, which has the HTTP status of the proxy.
    """
    status = refusal.partition("failed: ")[2][:3]
    said = f"the proxy {route.proxy} of the environment variable {route.variable} refused to connect to {host}"
    if status == "407":
        advice = f"put the user name and password of the proxy into {route.variable}"
        return CloudError("config", f"{said} without a login (HTTP 407)", advice=advice, sent=False)
    return CloudError(
        "network",
        f"{said} (HTTP {status})",
        advice=f"ask whoever runs the proxy to allow {host}, or list it in no_proxy",
        sent=False,
    )


_CERTIFICATE = {
    "retryable": False,
    "advice": "check ca_path, the proxy and this host's clock; never turn the check off",
    "sent": False,
}
_FAULTS: list[tuple[type[BaseException], str, dict[str, t.Any]]] = [
    (
        ssl.SSLCertVerificationError,
        "the certificate of {host}{proxy} was not accepted ({reason})",
        _CERTIFICATE,
    ),
    (
        CertificateError,  # urllib3 before 2.0 compares host names itself
        f"the certificate of {{host}}{{proxy}} was not accepted ({OTHER_HOST})",
        _CERTIFICATE,
    ),
    (ssl.SSLError, "the TLS connection to {host}{proxy} broke ({reason})", {}),
    (_ConnectTimeout, "no connection to {host}{proxy} was made within {seconds:.3g} s", {"advice": NO_CONNECTION}),
    (socket.gaierror, "the name of {host} does not resolve", {"advice": NO_NAME}),
    (ConnectionRefusedError, "nothing listens at {host}", {}),
    (ConnectionError, "the connection to {host}{proxy} was closed before an answer came", {}),
    (ConnectTimeoutError, "no connection to {host}{proxy} was made within {seconds:.3g} s", {"advice": NO_CONNECTION}),
    (socket.timeout, "{host}{proxy} did not answer within {seconds:.3g} s", {}),
    (http.client.IncompleteRead, BROKEN_OFF, {}),
    (http.client.HTTPException, "what {host}{proxy} answered is not HTTP", {"kind": "protocol"}),
    (OddHeader, "what {host}{proxy} answered is not HTTP", {"kind": "protocol"}),  # Content-Length twice
]
"""The exceptions that make a message: their type, the message, and arguments of the error. The first match counts."""

_BEFORE_TUNNEL = (socket.gaierror, ConnectionRefusedError, ConnectTimeoutError)
"""Errors that, where a proxy is used, only the connection to the proxy can cause."""


__all__ = [
    "HAS_REQUESTS",
    "MAX_ANSWER_BYTES",
    "Answer",
    "Clock",
    "Request",
    "Transport",
    "check_endpoint",
    "is_loopback",
]
