"""Measures a one-row select through the REST service against the same statement in a bare asyncpg route.

Uvicorn serves both with the same settings, each in its own process. One client calls them in turn over plain
sockets, so that its own work does not hide the difference. The bare route verifies no token, sets no role,
has no policies and parses no query.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.figures import Figure, percentiles
from tests.support.stack import running_stack

_REQUESTS = 1500
_WARM_UP = 200
_GOAL = 2.5
_TABLE = """
create table public.bench_rows (
    id int primary key, name text, amount numeric, made timestamptz default now()
);
insert into public.bench_rows select n, 'row ' || n, n * 1.5 from generate_series(1, 1000) n;
alter table public.bench_rows enable row level security;
create policy everybody on public.bench_rows for select using (true);
analyze public.bench_rows;
"""
_STATEMENT = """
select coalesce(json_agg(r), '[]')::text from (
  select id, name, amount, made from public.bench_rows where id = $1
) r
"""


def main() -> Iterator[Figure]:
    """Measure both, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="rest-bench-") as folder:
        project = Path(folder) / "project"
        (project / "migrations").mkdir(parents=True)
        (project / "migrations" / "20260101000000_rows.sql").write_text(_TABLE)
        with running_stack(Path(folder) / "data", project) as stack, _bare_server(stack.database_url) as port:
            gateway = urlsplit(stack.url)
            path = "/rest/v1/bench_rows?select=id,name,amount,made&id=eq."
            rest = _Client(gateway.hostname or "", gateway.port or 0, path, stack.anon_key)
            bare = _Client("127.0.0.1", port, "/?id=", "")
            yield from _compare(rest, bare)


def _compare(rest: "_Client", bare: "_Client") -> Iterator[Figure]:
    assert rest.get(7).replace(b" ", b"") == bare.get(7).replace(b" ", b""), "both must give the same row"
    times: dict[_Client, list[float]] = {rest: [], bare: []}
    for number in range(_WARM_UP + _REQUESTS):
        for client in (rest, bare):
            started = time.perf_counter()
            client.get(number % 1000 + 1)
            if number >= _WARM_UP:
                times[client].append(time.perf_counter() - started)
    ratio = statistics.median(times[rest]) / statistics.median(times[bare])
    yield Figure("one-row select, bare asyncpg route", percentiles(times[bare]))
    yield Figure("one-row select, REST", percentiles(times[rest]))
    yield Figure("REST to bare route, medians", f"{ratio:.2f} x", f"within {_GOAL} x")


class _Client:
    """A connection that is kept alive."""

    def __init__(self, host: str, port: int, path: str, key: str) -> None:
        self._socket = socket.create_connection((host, port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._path = path
        self._rest = f" HTTP/1.1\r\nHost: {host}\r\napikey: {key}\r\nAuthorization: Bearer {key}\r\n\r\n"

    def get(self, number: int) -> bytes:
        """Request a row and return the body."""
        self._socket.sendall(f"GET {self._path}{number}{self._rest}".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self._socket.recv(65536)
        head, body = answer.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 200"), answer
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._socket.recv(65536)
        return body


@contextmanager
def _bare_server(dsn: str) -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        command = [
            sys.executable,
            "-m",
            "bench.rest_select",
            "--dsn",
            dsn,
            "--listener",
            str(listener.fileno()),
        ]
        server = subprocess.Popen(command, pass_fds=[listener.fileno()])
        try:
            yield listener.getsockname()[1]
        finally:
            server.terminate()
            server.wait()


def _serve_bare(dsn: str, listener: socket.socket) -> None:
    pools: list[asyncpg.Pool[asyncpg.Record]] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        pools.append(await asyncpg.create_pool(dsn, min_size=2))
        yield
        await pools[0].close()

    async def row(request: Request) -> Response:
        async with pools[0].acquire() as connection:
            body = await connection.fetchval(_STATEMENT, int(request.query_params["id"]))
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/", row)], lifespan=lifespan)
    config = uvicorn.Config(
        app, access_log=False, log_config=None, server_header=False, timeout_keep_alive=65
    )
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dsn")
    parser.add_argument("--listener", type=int)
    options = parser.parse_args()
    if options.listener is not None:
        _serve_bare(options.dsn, socket.socket(fileno=options.listener))
    else:
        for figure in main():
            print(figure.what, figure.value, figure.goal)
