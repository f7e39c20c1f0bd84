"""Measures how much requests over HTTP delay a change on its way to a subscriber of Realtime.

A subscriber of an embedded Supabase receives rows twice: while nothing else happens, and while clients in
processes of their own send costly requests. The ratio of both says what the requests take from Realtime. A
third time the connection goes through a relay, as if the gateway forwarded each frame.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import urlsplit

import asyncpg
import orjson
import websockets

from bench.figures import Figure, percentiles
from bench.running import empty_stack
from local_supabase.stack.runtime import StackInfo

_ROWS = 300
_WARM_UP = 20
_PAUSE = 0.005  # seconds between commits, so that each is delivered before the next
_CLIENTS = 2
_TABLE = """
create table bench_rows (id serial primary key, body text);
create table bench_many (id int primary key, body text);
grant all on bench_rows, bench_many to anon;
grant usage on sequence bench_rows_id_seq to anon;
insert into bench_many select n, repeat('some text ', 20) from generate_series(1, 1000) as n;
alter publication supabase_realtime add table bench_rows;
"""
# Terms to parse, and rows to read: each request takes the gateway some milliseconds.
_CLIENT = """
import sys, httpx
url, key = sys.argv[1:]
query = "select=" + "id," * 200 + "body&or=(" + "id.gt.0," * 200 + "id.lt.0)"
with httpx.Client(headers={"apikey": key}, timeout=60) as client:
    while True:
        client.get(f"{url}/rest/v1/bench_many?{query}").raise_for_status()
"""


def main() -> Iterator[Figure]:
    """Measure the delays, and their ratios."""
    with empty_stack() as stack:
        yield from asyncio.run(_run(stack))


async def _run(stack: StackInfo) -> list[Figure]:
    writer = await asyncpg.connect(stack.database_url)
    await writer.execute(_TABLE)
    quiet = await _delays(stack.url, stack, writer)
    async with _relay(stack.url) as relayed_url:
        relayed = await _delays(relayed_url, stack, writer)
    with _busy(stack):
        busy = await _delays(stack.url, stack, writer)
    await writer.close()
    return [
        Figure("insert to subscriber, quiet", percentiles(quiet)),
        Figure("insert to subscriber, beside costly requests", percentiles(busy)),
        Figure("ratio to quiet", _ratio(busy, quiet), "p50 < 3"),
        Figure("ratio to quiet, through a relay", _ratio(relayed, quiet)),
    ]


def _ratio(samples: list[float], others: list[float]) -> str:
    p95 = statistics.quantiles(samples, n=20)[18] / statistics.quantiles(others, n=20)[18]
    return f"p50 {statistics.median(samples) / statistics.median(others):.2f}, p95 {p95:.2f}"


async def _delays(url: str, stack: StackInfo, writer: "asyncpg.Connection[asyncpg.Record]") -> list[float]:
    """Return the seconds from each insert to its arrival."""
    delays: list[float] = []
    socket_url = f"{url.replace('http', 'ws', 1)}/realtime/v1/websocket?apikey={stack.anon_key}"
    async with websockets.connect(socket_url, compression=None) as client:
        change = {"event": "INSERT", "schema": "public", "table": "bench_rows"}
        payload = {"config": {"postgres_changes": [change]}}
        join = {"topic": "realtime:a", "event": "phx_join", "payload": payload, "ref": "1", "join_ref": "1"}
        await client.send(orjson.dumps(join).decode())
        while orjson.loads(await client.recv())["event"] != "system":
            pass
        for number in range(_ROWS):
            # Not the commit: under load its answer may arrive after the row.
            sent = time.perf_counter()
            await writer.execute("insert into bench_rows (body) values ($1)", f"row {number}")
            while orjson.loads(await client.recv())["event"] != "postgres_changes":
                pass
            delays.append(time.perf_counter() - sent)
            await asyncio.sleep(_PAUSE)
    return delays[_WARM_UP:]


@contextmanager
def _busy(stack: StackInfo) -> Iterator[None]:
    """Send costly requests during the block."""
    command = [sys.executable, "-c", _CLIENT, stack.url, stack.anon_key]
    clients = [subprocess.Popen(command) for _ in range(_CLIENTS)]
    try:
        yield
    finally:
        for client in clients:
            client.kill()
            client.wait()


@asynccontextmanager
async def _relay(url: str) -> AsyncIterator[str]:
    """Forward connections to the gateway during the block, in this process."""
    target = urlsplit(url)

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream_reader, upstream_writer = await asyncio.open_connection(target.hostname, target.port)
        await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))

    server = await asyncio.start_server(forward, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
