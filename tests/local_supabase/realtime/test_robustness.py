"""What the server must survive: a killed Postgres, clients that do not read, big transactions."""

import asyncio
import dataclasses
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest

from tests.local_supabase.realtime.client import connect
from tests.local_supabase.realtime.conftest import (
    FAST,
    Postgres,
    Realtime,
    running_realtime,
    start_postgres,
    token,
)
from tests.support.wait import wait_until

MakeTable = Callable[..., Awaitable[str]]


BIG = {"type": "broadcast", "event": "big", "payload": {"text": "x" * 500_000}}


@pytest.fixture
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Return a Postgres that a test may kill."""
    database = start_postgres(tmp_path_factory.mktemp("own") / "data")
    yield database
    database.server.stop()


async def execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(statement)
    await connection.close()


async def test_after_a_killed_postgres_clients_are_disconnected_and_can_subscribe_again(
    own_postgres: Postgres,
) -> None:
    dsn = own_postgres.dsn
    await execute(
        dsn,
        "create table public.notes (id int primary key); grant all on public.notes to anon; "
        "alter publication supabase_realtime add table public.notes",
    )
    wanted = {"event": "INSERT", "schema": "public", "table": "notes"}
    async with running_realtime(own_postgres) as realtime:
        async with connect(realtime.url, token()) as client, connect(realtime.url, token()) as bystander:
            await client.subscribe("room", wanted)
            await bystander.join("room")
            await execute(dsn, "insert into public.notes values (1)")
            assert (await client.change())["record"] == {"id": 1}

            os.kill(own_postgres.server.pid, signal.SIGKILL)
            assert await client.closed() == 1012
            assert not realtime.server.services.changes.live
            await wait_until(lambda: own_postgres.server.has_ended(), what="Postgres' end")

        async with connect(realtime.url, token()) as client:
            # Joining needs no database; the subscription waits for it.
            reply = await client.join("room", {"postgres_changes": [wanted]})
            assert reply["payload"]["status"] == "ok"
            refused = await client.join("secret", {"private": True})
            reason = "UnableToConnectToProject: Realtime was unable to connect to the project database"
            assert refused["payload"]["response"] == {"reason": reason}
            await asyncio.to_thread(own_postgres.server.restart)
            assert (await client.event("system"))["payload"]["message"] == "Subscribed to PostgreSQL"
            await execute(dsn, "insert into public.notes values (2)")
            assert (await client.change())["record"] == {"id": 2}


async def test_a_lost_stream_disconnects_subscribers_so_that_they_read_again(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key")
    async with connect(realtime.url, token()) as subscriber, connect(realtime.url, token()) as bystander:
        await subscriber.subscribe("room", {"event": "*", "schema": "public", "table": name})
        await bystander.join("room")
        await sql.execute(
            "select pg_terminate_backend(active_pid) from pg_replication_slots where active_pid is not null"
        )
        assert await subscriber.closed() == 1012
        assert await bystander.settle() == []
    await realtime.server.services.changes.wait_live()


@asynccontextmanager
async def joined_without_reading(realtime: Realtime) -> AsyncIterator[None]:
    """Join a room by a client that then stops reading."""
    host, port = realtime.http_url.removeprefix("http://").split("/")[0].split(":")
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(plain, (host, int(port)))
    handshake = (
        f"GET /realtime/v1/websocket?apikey={token()} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    await loop.sock_sendall(plain, handshake.encode())
    assert b"101" in await loop.sock_recv(plain, 4096)
    join = b'{"topic":"realtime:room","event":"phx_join","payload":{},"ref":"1"}'
    # A masked text frame; the mask is zero.
    await loop.sock_sendall(plain, bytes([0x81, 0x80 | len(join), 0, 0, 0, 0]) + join)
    assert b"phx_reply" in await loop.sock_recv(plain, 4096)
    yield
    plain.close()


async def test_a_client_that_does_not_read_is_disconnected_and_delays_nobody(
    realtime: Realtime,
) -> None:
    async with (
        joined_without_reading(realtime),
        connect(realtime.url, token()) as sender,
        connect(realtime.url, token()) as reader,
    ):
        await sender.join("room")
        await reader.join("room")
        for _ in range(40):
            await sender.send("realtime:room", "broadcast", BIG)
            await reader.event("broadcast")
        await wait_until(lambda: realtime.server.connections == 2, what="the disconnect")
        room = realtime.server.services.rooms.find("room", private=False)
        assert room is not None
        assert len(room.members) == 2


async def test_a_client_that_neither_reads_nor_writes_is_cut_off(postgres: Postgres) -> None:
    limits = dataclasses.replace(FAST, idle_seconds=1, goodbye_seconds=0.1)
    async with running_realtime(postgres, limits) as realtime, joined_without_reading(realtime):
        async with connect(realtime.url, token()) as sender:
            await sender.join("room")
            for _ in range(14):
                await sender.send("realtime:room", "broadcast", BIG)
            await sender.settle()
        await wait_until(lambda: realtime.server.connections == 0, what="the silent client's end")
        assert realtime.server.services.rooms.find("room", private=False) is None


async def test_a_large_transaction_arrives_whole_and_in_order(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy everybody on {name} for select to anon using (true)")
    async with connect(realtime.url, token()) as client:
        await client.subscribe("room", {"event": "INSERT", "schema": "public", "table": name})
        await sql.execute(f"insert into {name} select generate_series(1, 7000)")
        ids = [(await client.change())["record"]["id"] for _ in range(7000)]
    assert ids == list(range(1, 7001))


async def test_the_slot_lets_postgres_recycle_the_log(
    realtime: Realtime, sql: asyncpg.Connection, table: MakeTable
) -> None:
    await realtime.server.services.changes.wait_live()
    name = await table("id int primary key, body text", publish=False)
    await sql.execute(f"insert into {name} select n, repeat('x', 1000) from generate_series(1, 1000) n")
    written = await sql.fetchval("select pg_current_wal_lsn()::text")

    confirmed = (
        "select bool_and(confirmed_flush_lsn >= $1::text::pg_lsn) from pg_replication_slots "
        "where slot_name like 'supabase_realtime_%'"
    )
    assert await wait_until(lambda: sql.fetchval(confirmed, written), what="the slot to confirm the log")


async def test_five_hundred_sockets_receive_one_change(
    postgres: Postgres, sql: asyncpg.Connection, table: MakeTable
) -> None:
    name = await table("id int primary key", rls=True)
    await sql.execute(f"create policy everybody on {name} for select to anon using (true)")
    wanted = {"event": "*", "schema": "public", "table": name}
    limits = dataclasses.replace(FAST, idle_seconds=600)
    async with running_realtime(postgres, limits) as realtime, AsyncExitStack() as opened:
        key = token()
        clients = [await opened.enter_async_context(connect(realtime.url, key)) for _ in range(500)]
        await asyncio.gather(*(client.subscribe("room", wanted) for client in clients))
        await sql.execute(f"insert into {name} values (1)")
        records = [change["record"] for change in await asyncio.gather(*(c.change() for c in clients))]
        assert records == [{"id": 1}] * 500
        fanout = realtime.server.services.changes.fanout
        assert fanout.counters.checks == 1
        assert fanout.events_written == 1
    assert len(realtime.server.services.changes.subscriptions) == 0
