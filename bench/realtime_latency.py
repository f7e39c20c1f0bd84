"""Measures the delay of Realtime's websockets behind the replication stream itself.

A bare replication connection and websocket clients watch the same table of an embedded Supabase. For each row
the arrival of its message is compared. Of many subscribers the last one counts, and each is another user, so
row-level security is checked for each of them.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import asyncpg
import jwt
import orjson
import websockets
from websockets.asyncio.client import ClientConnection

from bench.figures import Figure, percentiles
from bench.running import empty_stack
from local_supabase.keys import load_keys
from local_supabase.realtime.pgoutput import Insert, decode
from local_supabase.realtime.replication import ReplicationStream, StreamConfig
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.runtime import StackInfo
from tests.support.stack import superuser_url

_ROWS = 200
_PAUSE = 0.01  # seconds between commits, so that each is delivered before the next
_TABLES = """
create table bench_open (id int primary key, owner text, body text);
create table bench_secured (id int primary key, owner text, body text);
grant all on bench_open, bench_secured to anon, authenticated;
alter table bench_secured enable row level security;
create policy everybody on bench_secured for select to authenticated
  using (owner = 'somebody' and auth.jwt() ->> 'sub' is not null);
insert into bench_secured select -n, 'somebody', 'an older message' from generate_series(1, 10000) as n;
analyze bench_secured;
alter publication supabase_realtime add table bench_open, bench_secured;
"""


@dataclass(slots=True)
class _RawStream:
    """Records when each row's message reaches a bare replication client."""

    arrivals: asyncio.Queue[tuple[int, float]] = field(default_factory=asyncio.Queue)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    def stream_started(self) -> None:
        self.started.set()

    def stream_lost(self) -> None:
        self.started.clear()

    def received(self, message: bytes) -> bool:
        now = time.perf_counter()
        decoded = decode(message)
        if isinstance(decoded, Insert):
            self.arrivals.put_nowait((int(str(decoded.new[0])), now))
        return True

    async def arrival(self, row: int) -> float:
        while (arrived := await self.arrivals.get())[0] != row:
            pass
        return arrived[1]


def main() -> Iterator[Figure]:
    """Measure the lag behind the stream."""
    with empty_stack() as stack:
        yield from asyncio.run(_run(stack))


async def _run(stack: StackInfo) -> list[Figure]:
    connection = await asyncpg.connect(stack.database_url)
    await connection.execute(_TABLES)
    figures: list[Figure] = []
    for table, subscribers in (("open", 1), ("secured", 1), ("open", 100), ("secured", 100)):
        lags = await _measure(stack, connection, f"bench_{table}", subscribers)
        security = "with" if table == "secured" else "without"
        what = f"stream to the last of {subscribers} sockets, {security} row security"
        figures.append(Figure(what, percentiles(lags), "p50 < 2 ms" if subscribers == 1 else ""))
    await connection.close()
    return figures


async def _measure(
    stack: StackInfo, writer: "asyncpg.Connection[asyncpg.Record]", table: str, subscribers: int
) -> list[float]:
    """Return the seconds from the raw stream to the last subscriber, row by row."""
    raw = _RawStream()
    config = StreamConfig(superuser_url(stack.database_url, stack.data_dir), ("supabase_realtime",))
    following = asyncio.create_task(ReplicationStream(config, raw, logging.getLogger("bench")).run())
    await raw.started.wait()
    lags: list[float] = []
    async with AsyncExitStack() as opened:
        secret = load_keys(DataDir(stack.data_dir)).jwt_secret
        clients = [
            await opened.enter_async_context(_connect(stack, secret, number)) for number in range(subscribers)
        ]
        for client in clients:
            await _subscribe(client, table)
        for row in range(_ROWS):
            await writer.execute(f"insert into {table} values ($1, 'somebody', 'a short message')", row)
            seen = max(await asyncio.gather(*(_receive(client) for client in clients)))
            lags.append(seen - await raw.arrival(row))
            await asyncio.sleep(_PAUSE)
        await writer.execute(f"delete from {table} where id >= 0")
    following.cancel()
    # With its first changes the definition of a table is read.
    return lags[5:]


def _connect(stack: StackInfo, secret: str, number: int) -> websockets.connect:
    claims = {"role": "authenticated", "exp": int(time.time()) + 3600, "sub": f"user {number}"}
    key = jwt.encode(claims, secret, "HS256")
    url = stack.url.replace("http", "ws", 1)
    return websockets.connect(f"{url}/realtime/v1/websocket?apikey={key}", compression=None)


async def _subscribe(client: ClientConnection, table: str) -> None:
    change = {"event": "INSERT", "schema": "public", "table": table}
    payload = {"config": {"postgres_changes": [change]}}
    join = {"topic": "realtime:bench", "event": "phx_join", "payload": payload, "ref": "1", "join_ref": "1"}
    await client.send(orjson.dumps(join).decode())
    while orjson.loads(await client.recv())["event"] != "system":
        pass


async def _receive(client: ClientConnection) -> float:
    await client.recv()
    return time.perf_counter()
