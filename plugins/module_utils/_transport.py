# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This file is private to the collection. Level 2: HTTP. It knows no AnsibleModule and gives bodies no meaning.
"""How a signed request travels, and what can go wrong on the way.

What it guards against, each a trap that others fell into:

* ``~/.netrc`` never replaces a signature, and no redirect carries one to another host: requests go straight to the
  session's adapter, which knows neither.
* Every sending signs again, and signs just the bytes that are sent.
* Connecting, with name resolution, proxy and TLS handshake, ends in time, whatever hangs there.
* An answer is read up to a size and up to a time, however slowly or endlessly it drips, and must be whole.
* Only what is wrong with a certificate is final. All else that TLS can meet passes, like any broken connection.
* The text of an exception of the HTTP library, which may quote URLs and headers, is never passed on.
"""

from __future__ import annotations

import http.client
import importlib.util
import io
import os
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
    from requests.auth import AuthBase
    from requests.exceptions import InvalidHeader, InvalidURL, RequestException
    from requests.utils import select_proxy
    from urllib3 import Timeout
    from urllib3.connection import CertificateError  # type: ignore[attr-defined] # where all releases have it
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, ReadTimeoutError  # which reading a body raises
except ImportError:
    HAS_REQUESTS = False
    CertificateError = InvalidHeader = ValueError  # type: ignore[assignment, misc] # as below
    ConnectTimeoutError = TimeoutError  # type: ignore[assignment, misc] # as below
    AuthBase = HTTPAdapter = object  # type: ignore[assignment, misc] # the classes below must load without requests

if t.TYPE_CHECKING:  # pragma: no cover # read by mypy alone
    from requests import PreparedRequest, Response

    Sign = t.Callable[[PreparedRequest], t.Mapping[str, str]]

USER_AGENT = f"cloudwait.conversion/{__version__}"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
MAX_CLOCK_OFFSET = 24 * 3600
CHUNK = 64 * 1024
BROKEN_OFF = "the answer broke off before its end"
NO_NAME = "check the endpoint, the region and this host's DNS settings"
NO_CONNECTION = "check this host's DNS settings and firewall, and the endpoint"
PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
MOST_CONNECTING = 128
_CONNECTING = threading.Semaphore(MOST_CONNECTING)
"""Bounds the threads that are left behind by connections that take too long."""

SECRET_HEADERS = ("Authorization", "X-TC-Token", "x-ci-security-token", "x-acs-dingtalk-access-token")


class Clock:
    """The time for signatures: this host's clock and what a vendor's clock error taught about it.

    :param offset: seconds to add to this host's clock.
    :param correctable: false where the server is not known to be the vendor's.
    """

    def __init__(
        self, now: t.Callable[[], float] = time.time, *, offset: float = 0.0, correctable: bool = True
    ) -> None:
        self._now = now
        self.offset = offset
        self._correctable = correctable

    def time(self) -> float:
        """Unix seconds."""
        return self._now() + self.offset

    def correct(self, signed_with: float, server_time: float | None) -> bool:
        """After a clock error: is it worth signing again?

        :param signed_with: the offset that the refused signature used; another thread may have corrected it since.
        :param server_time: the vendor's clock, from the ``Date`` of the refusal.
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


class SignedAuth(AuthBase):
    """Adds the headers of a signature to a request that is ready to be sent."""

    def __init__(self, sign: Sign) -> None:
        self._sign = sign

    def __call__(self, r: PreparedRequest) -> PreparedRequest:
        r.headers.update(self._sign(r))
        return r


class Request:
    """One request, ready to be signed and sent as often as needed.

    :param sign: from the prepared request to the headers that authorize it.
    :param keys: what it is signed with, for whoever must tell refused keys from present ones.
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
        all_headers = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "identity", **headers}
        try:
            self.prepared = requests.Request(method, url, headers=all_headers, data=body).prepare()
        except (InvalidURL, InvalidHeader, ValueError):
            raise CloudError("config", "the endpoint or an option cannot be made into a request") from None
        self.host = urlsplit(url).netloc
        self.signed_with = 0.0  # the clock offset of the last signature
        self.auth = SignedAuth(sign)
        self.keys = keys
        self.action: str | None = None  # the operation, where a service may offer another one for it

    def secrets(self) -> list[str]:
        """What must not be said of this request after it was sent."""
        values = [str(self.prepared.headers[name]) for name in SECRET_HEADERS if name in self.prepared.headers]
        return values + [value.rpartition("=")[2] for value in values if "=" in value]


class Answer(t.NamedTuple):
    """What came back, whole."""

    host: str
    status: int
    headers: t.Mapping[str, str]
    body: bytes

    def date(self) -> float | None:
        """The server's clock in Unix seconds, from its ``Date`` header."""
        return _http_date(self.headers.get("Date"))

    def retry_after(self) -> float | None:
        """Seconds that the server asks to wait, from either form of ``Retry-After``."""
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
    """Whether a host, by name or number, is this machine."""
    if host == "localhost":
        return True
    try:
        family = socket.AF_INET6 if ":" in (host or "") else socket.AF_INET
        number = socket.inet_pton(family, host or "")
    except (OSError, ValueError):
        return False
    return number[0] == 127 if family == socket.AF_INET else number == b"\0" * 15 + b"\1"


def check_endpoint(url: str, what: str) -> SplitResult:
    """A base URL that may be used, in its parts; otherwise a ``config`` error that does not repeat the URL.

    :param what: how to call it in the error, such as ``the option endpoint``.
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
    """What comes in at a socket, up to a time: the socket's own timeout begins anew with every drop.

    :param raw: the socket as a file, which keeps it open.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        super().__init__()
        self._raw = raw
        self._sock = sock
        self._ends = time.monotonic() + (sock.gettimeout() or 0.0)  # set by urllib3 to what is left of the timeout

    def readable(self) -> bool:
        """As a file of this kind says it."""
        return True

    def readinto(self, buffer: t.Any) -> int | None:
        """What is there, or the error of a socket that is too slow."""
        left = self._ends - time.monotonic()
        if left <= 0:
            raise socket.timeout("the deadline is over")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Let go of the socket."""
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """An answer whose head and body must both be there before the deadline."""

    def __init__(self, sock: socket.socket, *args: t.Any, **options: t.Any) -> None:
        super().__init__(sock, *args, **options)
        file: t.Any = self.fp
        self.fp = io.BufferedReader(_Deadline(file.detach(), sock))


class _ConnectTimeout(socket.timeout):
    """No connection within its time limit: the name does not resolve, or nobody answers."""


class _BoundedConnect:
    """Mixed into urllib3's connections: connecting ends in time, and what fails there is marked.

    The system's name resolution takes no time limit, and a host of several addresses gets the limit for each. So
    connecting runs in a thread of its own, which is left behind when it takes too long.
    """

    timeout: float

    def connect(self) -> None:
        """Connect within ``timeout`` seconds.

        :raises _ConnectTimeout: when that takes longer.
        """
        attempt = _Attempt(super().connect, self.close)  # type: ignore[misc] # of the class that this is mixed into
        try:
            attempt.run(self.timeout)
        except BaseException as error:
            error.while_connecting = True  # type: ignore[attr-defined] # read by _network_error
            raise

    def close(self) -> None:
        """Close the connection."""
        super().close()  # type: ignore[misc] # as above


class _Attempt:
    """One try to connect, in a thread that may be left behind.

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
        """Wait for the connection for so many seconds."""
        if not _CONNECTING.acquire(blocking=False):
            raise _ConnectTimeout(f"{MOST_CONNECTING} connections are being made already")
        try:
            threading.Thread(target=self._work, daemon=True).start()
        except RuntimeError:  # the system has no thread left
            self._work()
        if not self._over.wait(seconds):
            self._left = True
            raise _ConnectTimeout("the time was over")
        if self._failure is not None:
            raise self._failure

    def _work(self) -> None:
        try:
            self._connect()
        except BaseException as error:  # noqa: BLE001 # raised where the connection is wanted
            self._failure = error
        finally:
            _CONNECTING.release()
            self._over.set()
            if self._left:
                self._close()


class _Adapter(HTTPAdapter):
    """Makes connections whose connecting and answers are bounded in time."""

    def get_connection_with_tls_context(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Of requests 2.32 and newer."""
        return _bounded(super().get_connection_with_tls_context(*args, **options))

    def get_connection(self, *args: t.Any, **options: t.Any) -> t.Any:
        """Of requests before 2.32."""
        return _bounded(super().get_connection(*args, **options))


def _bounded(pool: t.Any) -> t.Any:
    """A pool of urllib3, to whatever kind of host or proxy, that makes its connections with our classes."""
    kind = pool.ConnectionCls
    if kind.response_class is not _Response:
        pool.ConnectionCls = type(kind.__name__, (_BoundedConnect, kind), {"response_class": _Response})
    return pool


class _Route(t.NamedTuple):
    """How a host is reached.

    :param settings: what the adapter of requests takes: proxies and certificates.
    :param proxy: host and port of the proxy, or an empty text.
    :param variable: the environment variable that names the proxy.
    """

    settings: dict[str, t.Any]
    proxy: str = ""
    variable: str = ""


def _check_proxy(url: str, variable: str) -> str:
    """Host and port of a proxy, for messages: a user name and password in the URL stay out of them.

    :raises CloudError: ``config``, when no connection through it can be made from this Python.
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
    """See that CA certificates can be read.

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
    """Sends requests. One object serves all threads; each thread has a session with connections of its own.

    :param timeout: seconds for one request, from connecting to the last byte.
    :param verify: check certificates, or the path of a CA bundle to check them with.
    :param max_bytes: the largest answer that is read.
    :param environment: whether proxies and CA bundles of the environment count.
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
        """How many requests this thread has sent."""
        return getattr(self._local, "sent", 0)

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = self._environment
            for scheme in ("http://", "https://"):
                self._local.session.mount(scheme, _Adapter())
        return self._local.session  # type: ignore[no-any-return] # a threading.local has no types

    def _route(self, session: requests.Session, request: Request) -> _Route:
        """Proxy and certificates for a host; found out once a host, since it reads the environment.

        This machine is not reached through a proxy, which would read what plain HTTP shows.

        :raises CloudError: ``config``, when the proxy or the CA bundle cannot be used.
        """
        if request.host not in self._routes:
            url = t.cast(str, request.prepared.url)
            settings: dict[str, t.Any] = {**session.merge_environment_settings(url, {}, True, self._verify, None)}
            if is_loopback(urlsplit(url).hostname):
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
        """Sign, send, and read the answer whole.

        :param timeout: seconds for this request, when it must be shorter than usual.
        :raises CloudError: ``network``, ``protocol`` or ``config``; any HTTP status is an answer, a redirect is not.
        """
        seconds = self.timeout if timeout is None else min(timeout, self.timeout)
        if seconds <= 0:
            raise CloudError("network", f"the time was over before {request.host} could be asked", sent=False)
        session = self._session()
        route = self._route(session, request)
        request.auth(request.prepared)
        self._local.sent = self.sent + 1
        failure = None
        try:
            adapter = session.get_adapter(t.cast(str, request.prepared.url))
            total: t.Any = Timeout(total=seconds)  # requests takes one, though its types do not say so
            response = adapter.send(request.prepared, timeout=total, **route.settings)
            body = self._read(response, seconds)
        except (RequestException, OSError, ValueError, OverflowError, HTTPError, http.client.HTTPException) as error:
            failure = _network_error(error, request.host, seconds, route)
        if failure is not None:
            raise failure
        answer = Answer(request.host, response.status_code, response.headers, body)
        _refuse_redirect(answer)
        return answer

    def _read(self, response: Response, seconds: float) -> bytes:
        """The whole body; the connection is kept for the next request only when nothing went wrong."""
        raw: t.Any = response.raw  # urllib3 has no types for what lies below its own response
        try:
            if response.headers.get("Content-Encoding", "identity") != "identity":
                raise CloudError("protocol", "the answer is compressed though that was not asked for")
            body = b"".join(self._chunks(raw, seconds))
            length = response.headers.get("Content-Length", "")
            if length.isdecimal() and int(length) != len(body):
                raise CloudError("network", BROKEN_OFF)
        except BaseException:
            response.close()
            raise
        raw._fp.close()  # tells the connection that this answer is over; read1 of Python 3.11 does not
        raw.release_conn()
        return body

    def _chunks(self, raw: t.Any, seconds: float) -> t.Iterator[bytes]:
        """The body as it drips in, up to a size."""
        read1 = getattr(raw, "read1", None) or raw._fp.read1  # urllib3 before 2.0 has only the one below
        size = 0
        while True:
            try:
                chunk = read1(CHUNK)
            except (socket.timeout, ReadTimeoutError):
                raise CloudError("network", f"the answer was not complete after {seconds:.3g} s") from None
            if not chunk:
                return
            yield chunk
            size += len(chunk)
            if size > self._max_bytes:
                raise CloudError("protocol", f"the answer is longer than {self._max_bytes} bytes")


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
    """An exception and all that it wraps, by any of the ways in which requests and urllib3 wrap."""
    waiting: list[t.Any] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [getattr(one, "reason", None), *one.args, one.__cause__, one.__context__]


def _variable_of(proxy: str | None, url: str) -> str:
    """The environment variable that a proxy comes from; empty where there is no proxy."""
    names = [f"{scheme}_proxy" for scheme in (urlsplit(url).scheme, "all")] if proxy else []
    known = [each for name in names for each in (name, name.upper()) if os.environ.get(each) == proxy]
    return known[0] if known else "".join(names[:1])


def _network_error(error: BaseException, host: str, seconds: float, route: _Route) -> CloudError:
    """One of our errors for one of the HTTP library's, by the innermost cause that says something."""
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
    """The words of OpenSSL for what went wrong, as part of a sentence."""
    return one_line(str(getattr(cause, "verify_message", "") or getattr(cause, "reason", "")), 200)


def _tunnel_error(refusal: str, host: str, route: _Route) -> CloudError:
    """A proxy that would not connect us: nothing was sent to the vendor."""
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
        CertificateError,  # urllib3 before 2.0 compares names itself
        "the certificate of {host}{proxy} was not accepted (it is that of another host)",
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
    (InvalidHeader, "what {host}{proxy} answered is not HTTP", {"kind": "protocol"}),  # two lengths that differ
]
_BEFORE_TUNNEL = (socket.gaierror, ConnectionRefusedError, ConnectTimeoutError)
"""What can only be the fault of the proxy, where there is one."""


__all__ = [
    "HAS_REQUESTS",
    "MAX_ANSWER_BYTES",
    "Answer",
    "Clock",
    "Request",
    "SignedAuth",
    "Transport",
    "check_endpoint",
    "is_loopback",
]
