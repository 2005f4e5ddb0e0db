# Copyright (c) Contributors to the cloudwait.conversion project
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listener of the event source, over real connections. It needs aiohttp, which ansible-rulebook brings."""

from __future__ import annotations

import asyncio
import hmac
import io
import json
import logging
import pathlib
import ssl
import typing as t

import pytest
from ansible_collections.cloudwait.conversion.plugins.module_utils._errors import CloudError
from ansible_collections.cloudwait.conversion.plugins.module_utils._events import listener as module
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.arguments import check_arguments
from ansible_collections.cloudwait.conversion.plugins.module_utils._events.listener import Listener

aiohttp = pytest.importorskip("aiohttp")

TOKEN, SECRET = "EXAMPLE-FAKE-LISTENER-TOKEN", "EXAMPLE-FAKE-CALLBACK-SECRET"
LISTEN = {"port": 0, "token": TOKEN, "callback_secret": SECRET}
MPS = {"EventType": "WorkflowTask", "WorkflowTaskEvent": {"TaskId": "film", "Status": "FINISH"}}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CALLBACK = f"/callback/{SECRET}/mps"


class Answer(t.NamedTuple):
    status: int
    text: str
    headers: t.Mapping[str, str]


class Run:
    """A listener that runs, and a client."""

    def __init__(self, **listen: t.Any) -> None:
        self.hints: list[tuple[str, list[str]]] = []
        self.taken: list[t.Any] = []
        checked = check_arguments({"listen": {**LISTEN, **listen}})["listen"]
        self.listener = Listener(checked, self.take, lambda word, ids: self.hints.append((word, ids)))

    def take(self, body: t.Any) -> dict[str, t.Any]:
        if body == "bad":
            raise CloudError("config", "the body is bad", advice="send a good one")
        self.taken.append(body)
        return {"tasks": 1, "new": 1}

    async def __aenter__(self) -> Run:
        await self.listener.start()
        self.working = asyncio.gather(self.listener.read_callbacks(), self.listener.close_silent())
        self.client = aiohttp.ClientSession()
        self.url = f"http://127.0.0.1:{self.listener.port}"
        return self

    async def __aexit__(self, *dummy: t.Any) -> None:
        self.working.cancel()
        await asyncio.gather(self.working, return_exceptions=True)
        await self.client.close()
        await self.listener.stop()

    async def post(self, path: str, body: t.Any = b"", method: str = "POST", **how: t.Any) -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.request(method, self.url + path, data=data, **how) as answer:
            return Answer(answer.status, await answer.text(), answer.headers)

    async def until_read(self, hints: int = 0) -> None:
        """Wait until no callback waits, and there are so many hints."""
        for dummy in range(6000):
            if self.listener._waiting.empty() and len(self.hints) >= hints:
                break
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)


def play(what: t.Callable[[], t.Awaitable[None]]) -> None:
    asyncio.run(t.cast("t.Any", what()))


def test_refs_come_with_the_token() -> None:
    async def what() -> None:
        async with Run() as run:
            answer = await run.post("/tasks", {"tasks": []}, headers=BEARER)
            assert (answer.status, json.loads(answer.text)) == (202, {"tasks": 1, "new": 1})
            assert run.taken == [{"tasks": []}]
            bad = await run.post("/tasks", "bad", headers=BEARER)
            assert (bad.status, json.loads(bad.text)["error"]) == (
                400,
                "Watching cloud tasks failed: the body is bad; send a good one.",
            )
            assert (await run.post("/tasks", b"{", headers=BEARER)).status == 400
            assert (await run.post("/tasks", b"[" * 100_000, headers=BEARER)).status == 400

    play(what)


def test_a_callback_is_answered_at_once_and_hints_at_what_it_names() -> None:
    async def what() -> None:
        async with Run() as run:
            answer = await run.post(CALLBACK, MPS)
            assert answer.status == 200
            xml = b"<Response><JobsDetail><JobId>d1</JobId><Tag>DocProcess</Tag></JobsDetail></Response>"
            assert (await run.post(CALLBACK.replace("mps", "cos_doc"), xml)).status == 200
            await run.until_read(2)
            assert run.hints == [("mps", ["film"]), ("cos_doc", ["d1"])]

    play(what)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\x00",
        b"[]",
        b"[" * 1_000_000,
        b"<a>" * 300_000,
        b'<!DOCTYPE r [<!ENTITY e "x">]><r>&e;</r>',
        b'{"WorkflowTaskEvent": {"TaskId": 5}}',
    ],
    ids=range(7),
)
def test_a_forged_callback_is_answered_like_any_other_and_hints_at_nothing(body: bytes) -> None:
    async def what() -> None:
        async with Run() as run:
            assert (await run.post(CALLBACK, body)).status == 200
            await run.until_read()
            assert run.hints == []
            assert not run.working.done()

    play(what)


def test_a_body_of_any_length_is_not_read_beyond_the_limit() -> None:
    async def endless() -> t.AsyncIterator[bytes]:
        for dummy in range(10 * 1024):
            yield b"x" * 1024

    async def what() -> None:
        async with Run() as run:
            for body in (io.BytesIO(b"x" * (10 * 1024 * 1024)), endless()):
                try:
                    async with run.client.post(run.url + CALLBACK, data=body) as answer:
                        assert answer.status == 413
                except aiohttp.ClientError:
                    pass  # the listener has closed the connection while the client was still sending
            assert (await run.post(CALLBACK, MPS)).status == 200

    play(what)


NOT_FOUND = [
    ("POST", "/"),
    ("GET", "/"),
    ("GET", "/tasks"),
    ("POST", "/tasks"),
    ("POST", "/tasks/"),
    ("POST", "/callback"),
    ("POST", "/callback/x/mps"),
    ("POST", f"/callback/{SECRET}x/mps"),
    ("POST", f"/callback/{SECRET[:-1]}/mps"),
    ("POST", f"/callback/{SECRET}"),
    ("POST", f"/callback/{SECRET}/"),
    ("POST", f"/callback/{SECRET}/vod"),
    ("POST", f"/callback/{SECRET}/mps/more"),
    ("POST", f"/callback//{SECRET}/mps"),
    ("POST", f"/callback/{TOKEN}/mps"),
    ("GET", CALLBACK),
    ("PUT", CALLBACK),
    ("POST", "/%00"),
    ("POST", "/callback/%ff/mps"),
]


def test_what_lacks_the_secret_is_answered_like_a_path_that_does_not_exist() -> None:
    async def what() -> None:
        async with Run() as run:
            answers = [await run.post(path, MPS, method) for method, path in NOT_FOUND]
            for scheme in (f"Bearer {SECRET}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer ", "Bearer \xff"):
                answers.append(await run.post("/tasks", [], headers={"Authorization": scheme}))
            assert {answer.status for answer in answers} == {404}
            assert {answer.text for answer in answers} == {"Not found.\n"}
            headers = [{name for name in answer.headers if name != "Connection"} for answer in answers]
            assert all(one == headers[0] for one in headers)
            assert (run.hints, run.taken) == ([], [])

    play(what)


def test_secrets_are_compared_in_constant_time_for_each_request(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes, real: t.Any = hmac.compare_digest) -> bool:
        compared.append((len(one), len(other)))
        return bool(real(one, other))

    monkeypatch.setattr(hmac, "compare_digest", compare)

    async def what() -> None:
        async with Run(token=None) as run:
            paths = ["/", "/tasks", "/callback/x/mps", "/callback/" + "x" * 1000 + "/mps", CALLBACK]
            for path in paths:
                await run.post(path, MPS)
            assert compared == [(32, 32)] * 2 * len(paths)

    play(what)


@pytest.mark.parametrize("name", ["token", "callback_secret"])
def test_without_a_secret_its_path_does_not_exist(name: str) -> None:
    async def what() -> None:
        async with Run(**{name: None}) as run:
            path = "/tasks" if name == "token" else "/callback//mps"
            answer = await run.post(path, [], headers={"Authorization": "Bearer "})
            assert answer.status == 404

    play(what)


def test_thousands_of_callbacks_are_answered_and_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING_BYTES", 100_000)

    async def what() -> None:
        async with Run() as run:
            body = json.dumps({**MPS, "SessionContext": "x" * 900}).encode()
            statuses = [
                answer.status for answer in await asyncio.gather(*(run.post(CALLBACK, body) for dummy in range(2000)))
            ]
            assert statuses == [200] * 2000
            assert run.listener._waiting_bytes <= 100_000
            await run.until_read(1)
            assert 0 < len(run.hints) <= 2000
            assert (await run.post(CALLBACK, MPS)).status == 200

    play(what)


SILENT = [b"", b"POST", f"POST {CALLBACK} HTTP/1.1\r\nHost: x\r\n".encode()]
CUT_OFF = [
    f"POST {CALLBACK} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[".encode(),
    f"POST {CALLBACK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n[".encode(),
    f"POST {CALLBACK} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n[".encode(),
]


async def connect(run: Run, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", run.listener.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


@pytest.mark.parametrize(("seconds", "most"), [(0.1, 1000), (1000.0, 0)])
def test_connections_on_which_no_request_comes_are_closed(
    monkeypatch: pytest.MonkeyPatch, seconds: float, most: int
) -> None:
    monkeypatch.setattr(module, "BETWEEN_SWEEPS", 0.02)
    monkeypatch.setattr(module, "SILENT_SECONDS", seconds)
    monkeypatch.setattr(module, "MOST_SILENT", most)

    async def what() -> None:
        async with Run() as run:
            silent = [await connect(run, sent) for sent in SILENT * 7]
            slow = await connect(run, CUT_OFF[0])  # a request that is being answered
            for reader, writer in silent:
                assert await asyncio.wait_for(reader.read(), 10) == b""
                writer.close()
            assert (await run.post(CALLBACK, MPS)).status == 200
            slow[1].write(b"        ]")
            assert (await asyncio.wait_for(slow[0].readline(), 10)).split()[1] == b"200"
            slow[1].close()

    play(what)


def test_a_body_that_does_not_come_whole_is_no_error_of_the_listener(caplog: pytest.LogCaptureFixture) -> None:
    async def what() -> None:
        async with Run() as run:
            for sent in CUT_OFF:
                dummy, writer = await connect(run, sent)
                await asyncio.sleep(0.02)
                writer.close()
            await asyncio.sleep(0.05)
            assert (await run.post(CALLBACK, MPS)).status == 200
            await run.until_read(1)
            assert run.hints == [("mps", ["film"])]

    play(what)
    assert caplog.text == ""


def test_nothing_secret_is_written_to_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def what() -> None:
        async with Run() as run:
            await run.post(CALLBACK, MPS)
            await run.post("/tasks", [], headers=BEARER)
            reader, writer = await asyncio.open_connection("127.0.0.1", run.listener.port)
            writer.write(f"POST {CALLBACK} HTTP/9.9\r\nAuthorization: Bearer {TOKEN}\r\n\0bad\r\n\r\n".encode())
            await reader.read()
            writer.close()

    play(what)
    assert SECRET not in caplog.text
    assert TOKEN not in caplog.text


def test_it_serves_https_with_the_files_that_are_given(tmp_path: pathlib.Path) -> None:
    trustme = pytest.importorskip("trustme")
    ca = trustme.CA()
    server = ca.issue_cert("127.0.0.1")
    certificate, key, authority = (tmp_path / name for name in ("cert.pem", "key.pem", "ca.pem"))
    server.private_key_pem.write_to_path(str(key))
    server.cert_chain_pems[0].write_to_path(str(certificate))
    ca.cert_pem.write_to_path(str(authority))

    async def what() -> None:
        async with Run(tls_cert=str(certificate), tls_key=str(key)) as run:
            context = ssl.create_default_context(cafile=str(authority))
            run.url = run.url.replace("http:", "https:")
            assert (await run.post(CALLBACK, MPS, ssl=context)).status == 200
            with pytest.raises(aiohttp.ClientError):
                await run.post(CALLBACK.replace("https", "http"), MPS, ssl=ssl.create_default_context())

    play(what)


def test_certificates_that_cannot_be_used_are_refused(tmp_path: pathlib.Path) -> None:
    (tmp_path / "bad.pem").write_text("no certificate", encoding="ascii")
    for name in ("bad.pem", "absent.pem"):
        path = str(tmp_path / name)
        with pytest.raises(CloudError, match="cannot be used") as caught:
            Run(tls_cert=path, tls_key=path)
        assert caught.value.kind == "config"


def test_an_address_that_is_in_use_is_refused() -> None:
    async def what() -> None:
        async with Run() as run:
            with pytest.raises(CloudError, match=f"127.0.0.1 port {run.listener.port} cannot be used"):
                async with Run(port=run.listener.port):
                    pass

    play(what)


def test_it_listens_on_this_machine_alone_unless_told() -> None:
    async def what() -> None:
        async with Run() as run:
            assert [address[0] for address in run.listener._runner.addresses] == ["127.0.0.1"]
        async with Run(host="0.0.0.0") as run:  # as a user may ask for
            assert [address[0] for address in run.listener._runner.addresses] == ["0.0.0.0"]

    play(what)
