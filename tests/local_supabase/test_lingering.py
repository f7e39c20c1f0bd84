"""Connections that end while their client still sends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from local_supabase import lingering
from local_supabase.lingering import Lingerers, LingeringTransport
from tests.support.wait import wait_until

ANSWER = b"the answer"
MEGABYTE = b"x" * 1_000_000


@dataclass(slots=True)
class Server:
    """Ends each connection with an answer, without reading.

    Attributes:
        lost: what the protocols were told about the end of their connections.
        accepted: how many connections were made.
    """

    address: tuple[str, int]
    lingerers: Lingerers
    answer: bytes
    lost: list[Exception | None] = field(default_factory=list)
    accepted: int = 0

    def protocol(self) -> asyncio.Protocol:
        return _Answering(self)

    async def client(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        connection = socket.socket()
        # Else an answer may fit into the kernel's buffers.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)
        await loop.sock_connect(connection, self.address)
        return connection


class _Answering(asyncio.Protocol):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        lingering = LingeringTransport(transport, self, self._server.lingerers)
        lingering.write(self._server.answer)
        lingering.close()
        lingering.write(b"nothing more")
        self._server.accepted += 1

    def connection_lost(self, exc: Exception | None) -> None:
        self._server.lost.append(exc)


@asynccontextmanager
async def serving(*, most: int = 9, seconds: float = 60, answer: bytes = ANSWER) -> AsyncIterator[Server]:
    loop = asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    server = Server(listener.getsockname(), Lingerers(most, seconds), answer)
    async with await loop.create_server(server.protocol, sock=listener):
        yield server
    server.lingerers.close()


async def rest(client: socket.socket) -> bytes:
    """Return what arrives until the end of the connection.

    Raises:
        ConnectionResetError: it does not end in order.
    """
    loop = asyncio.get_running_loop()
    answer = b""
    while piece := await loop.sock_recv(client, 65_536):
        answer += piece
    return answer


def is_reset(client: socket.socket) -> bool:
    """Send until the server wants no more."""
    with suppress(BlockingIOError):
        try:
            client.send(MEGABYTE)
        except OSError:
            return True
    return False


async def test_a_client_that_goes_on_sending_gets_its_answer() -> None:
    loop = asyncio.get_running_loop()
    async with serving() as server:
        with await server.client() as client:
            for _ in range(10):
                await loop.sock_sendall(client, MEGABYTE)
            assert await rest(client) == ANSWER
            assert len(server.lingerers) == 1
        await wait_until(lambda: len(server.lingerers) == 0, what="the end of a connection")
    assert server.lost == [None]


async def test_an_answer_that_is_read_late_arrives_whole() -> None:
    answer = MEGABYTE
    async with serving(answer=answer) as server:
        with await server.client() as client:
            await wait_until(lambda: server.accepted, what="the connection")
            assert not server.lost
            assert await rest(client) == answer
            await wait_until(lambda: server.lost, what="the end for the protocol")
    assert server.lost == [None]


async def test_the_one_that_lingers_longest_makes_room() -> None:
    async with serving(most=1) as server:
        with await server.client() as first, await server.client() as second:
            assert await rest(first) == await rest(second) == ANSWER
            await wait_until(lambda: is_reset(first), what="the end of the first")
            assert not is_reset(second)
            assert len(server.lingerers) == 1


async def test_a_client_that_never_closes_is_ended() -> None:
    async with serving(seconds=0) as server:
        with await server.client() as client:
            assert await rest(client) == ANSWER
            server.lingerers.enforce(asyncio.get_running_loop().time())
            assert len(server.lingerers) == 0
            await wait_until(lambda: is_reset(client), what="the end of the connection")


async def test_a_client_that_never_stops_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "_DROPPED_BYTES", 1_000_000)
    async with serving() as server:
        with await server.client() as client:
            await wait_until(lambda: is_reset(client), what="the end of the connection")
    assert server.lost == [None]
