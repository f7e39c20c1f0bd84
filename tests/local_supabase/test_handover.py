import asyncio
import socket

import pytest

from local_supabase.handover import MAX_HEAD_BYTES, Giver, Taker, channel, give, take
from tests.support.wait import wait_until


def test_a_connection_arrives_with_what_was_read_from_it() -> None:
    giving, taking = channel()
    client, server = socket.socketpair()
    with giving, taking, client:
        with server:
            give(giving, server.fileno(), b"GET / HTTP/1.1\r\n")
        taken, head = take(taking)
        assert taken is not None
        assert head == b"GET / HTTP/1.1\r\n"
        with taken:
            taken.send(b"hello")
        assert client.recv(10) == b"hello"


def test_the_longest_head_fits() -> None:
    giving, taking = channel()
    client, server = socket.socketpair()
    with giving, taking, client, server:
        give(giving, server.fileno(), b"x" * MAX_HEAD_BYTES)
        taken, head = take(taking)
        assert taken is not None
        taken.close()
        assert len(head) == MAX_HEAD_BYTES


def test_a_datagram_without_a_connection_is_skipped() -> None:
    giving, taking = channel()
    with giving, taking:
        giving.send(b"\0nonsense")
        assert take(taking) == (None, b"")
        with pytest.raises(BlockingIOError):
            take(taking)


class Greeting(asyncio.Protocol):
    """Answers what was read before, and what comes."""

    def __init__(self, head: bytes) -> None:
        self._head = head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


async def test_connections_wait_for_a_process_that_takes_them() -> None:
    giving, taking = channel()
    giver = Giver(giving)
    clients: list[socket.socket] = []
    # More than the channel holds.
    for number in range(500):
        client, server = socket.socketpair()
        client.setblocking(False)
        clients.append(client)
        with server:
            giver.give(server.fileno(), f"{number}".encode())
    taker = Taker(taking, Greeting)
    taker.start()
    loop = asyncio.get_running_loop()
    greetings = [await loop.sock_recv(client, 10) for client in clients]
    assert greetings == [f"{number}".encode() for number in range(500)]
    await loop.sock_sendall(clients[-1], b"more")
    assert await loop.sock_recv(clients[-1], 10) == b"more"
    taker.stop()
    for end in (*clients, giving, taking):
        end.close()
    await wait_until(lambda: len(asyncio.all_tasks()) == 1, what="the end of the tasks")


async def test_the_oldest_connections_are_dropped_when_nobody_takes_them() -> None:
    giving, taking = channel()
    giver = Giver(giving)
    first, server = socket.socketpair()
    filler, other = socket.socketpair()
    with giving, taking, first, filler, other:
        while True:
            try:
                give(giving, other.fileno(), b"")
            except BlockingIOError:
                break
        with server:
            giver.give(server.fileno(), b"")
        for _ in range(1024):
            giver.give(other.fileno(), b"")
        first.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(first, 1) == b""
        giver.close()
