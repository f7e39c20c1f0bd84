import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import h11
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.server import ServerState

from local_supabase import http_protocol
from local_supabase.http_protocol import ConnectionLimits, Connections
from tests.support.wait import wait_until


def test_the_environment_sets_limits() -> None:
    environment = {"LOCAL_SUPABASE_HTTP_HEAD_SECONDS": "2.5", "LOCAL_SUPABASE_HTTP_CONNECTIONS": "7"}
    limits = ConnectionLimits.from_environment(environment)
    assert (limits.head_seconds, limits.connections) == (2.5, 7)
    assert limits.body_seconds == ConnectionLimits().body_seconds


def test_a_limit_that_is_no_number_is_an_error() -> None:
    with pytest.raises(ValueError, match="soon"):
        ConnectionLimits.from_environment({"LOCAL_SUPABASE_HTTP_HEAD_SECONDS": "soon"})


def test_connections_leave_descriptors_for_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 1024))
    limits = ConnectionLimits.from_environment({})
    assert (limits.connections, limits.lingering) == (576, 192)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (300, 300))
    limits = ConnectionLimits.from_environment({})
    assert (limits.connections, limits.lingering) == (33, 11)


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError(scope, receive, send)


@asynccontextmanager
async def served(
    connections: Connections, listener: socket.socket, app: ASGIApp = nothing
) -> AsyncIterator[None]:
    config = uvicorn.Config(app, http=connections.as_class(), lifespan="off", log_config=None)
    loop = asyncio.get_running_loop()
    async with await loop.create_server(
        lambda: connections.protocol(config, ServerState(), {}), sock=listener
    ):
        yield
    connections.lingerers.close()


async def answer_of(client: socket.socket) -> bytes:
    """Return everything until the server ends the connection in order."""
    loop = asyncio.get_running_loop()
    answer = b""
    while piece := await loop.sock_recv(client, 65_536):
        answer += piece
    return answer


async def connected(listener: socket.socket) -> socket.socket:
    client = socket.socket()
    client.setblocking(False)
    await asyncio.get_running_loop().sock_connect(client, listener.getsockname())
    return client


@pytest.mark.parametrize("size", [900, 9_000_000])
async def test_a_request_that_was_sent_before_its_refusal_gets_it(size: int) -> None:
    loop = asyncio.get_running_loop()
    request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + bytes(size)
    with socket.create_server(("127.0.0.1", 0)) as listener, await connected(listener) as client:
        sent = client.send(request)
        async with served(Connections(ConnectionLimits(connections=0)), listener):
            await loop.sock_sendall(client, request[sent:])
            assert (await answer_of(client)).startswith(b"HTTP/1.1 503 ")


async def test_a_client_that_goes_on_after_its_time_gets_the_answer() -> None:
    loop = asyncio.get_running_loop()
    connections = Connections(ConnectionLimits(head_seconds=0))
    with socket.create_server(("127.0.0.1", 0)) as listener, await connected(listener) as client:
        async with served(connections, listener):
            await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nX-Slow: ")
            await wait_until(lambda: connections.open, what="the connection")
            next(iter(connections.open)).enforce(loop.time() + 1, 1)
            for _ in range(2):
                await loop.sock_sendall(client, b"x" * 1000)
            assert (await answer_of(client)).startswith(b"HTTP/1.1 408 ")


async def test_a_connection_that_makes_room_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with served(Connections(ConnectionLimits(connections=1)), listener):
            with await connected(listener) as first, await connected(listener):
                assert (await answer_of(first)).startswith(b"HTTP/1.1 503 ")


async def test_a_client_that_still_sends_need_not_read() -> None:
    async def answer_at_once(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(10_000_000), "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    loop = asyncio.get_running_loop()
    connections = Connections(ConnectionLimits(answer_seconds=1))
    with socket.create_server(("127.0.0.1", 0)) as listener, await connected(listener) as client:
        async with served(connections, listener, answer_at_once):
            await loop.sock_sendall(client, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx")
            await wait_until(lambda: connections.open, what="the connection")
            connection = next(iter(connections.open))
            await wait_until(connection.transport.get_write_buffer_size, what="an answer that is not read")
            for _ in range(3):
                connection.enforce(loop.time(), 0.9)
            assert not connection.transport.is_closing()
            await loop.sock_sendall(client, b"x")
            await wait_until(lambda: connection.conn.their_state is h11.DONE, what="the end of the body")
            for _ in range(3):
                connection.enforce(loop.time(), 0.9)
            assert connection.transport.is_closing()


class Transport(asyncio.Transport):
    """A connection that is only closed."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Do nothing more."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing more."""

    def resume_reading(self) -> None:
        """Do nothing more."""

    def abort(self) -> None:
        self.aborted = True


async def test_the_fault_of_one_connection_does_not_end_the_limits_of_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(http_protocol, "_SWEEP_SECONDS", 0.001)
    connections = Connections(ConnectionLimits(head_seconds=0))
    config = uvicorn.Config(nothing, http=connections.as_class(), lifespan="off", log_config=None)
    faulty, slow = (connections.protocol(config, ServerState(), {}) for _ in range(2))
    broken, fine = Transport(), Transport()
    faulty.connection_made(broken)
    slow.connection_made(fine)
    monkeypatch.setattr(broken, "get_write_buffer_size", lambda: 1 / 0)
    sweeping = asyncio.create_task(connections.enforce())
    await wait_until(lambda: fine.written.startswith(b"HTTP/1.1 408 "), what="the end of the slow one")
    await wait_until(lambda: broken.aborted, what="the end of the faulty one")
    sweeping.cancel()
    assert caplog.text.count("could not be looked at") == 1
