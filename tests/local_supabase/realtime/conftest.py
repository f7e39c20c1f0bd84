"""A real Postgres for the session, and Realtime in this process on a free port for each test."""

import asyncio
import itertools
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import jwt
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from local_supabase.identity import TokenVerifier
from local_supabase.keys import Login, load_keys
from local_supabase.realtime import server_routes
from local_supabase.realtime.limits import Limits
from local_supabase.realtime.server import RealtimeServer
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.migrate import bootstrap
from local_supabase.stack.postgres import Server
from local_supabase.stack.supervisor import set_passwords
from local_supabase.websocket_protocol import AbortableWebSocketProtocol
from tests.local_supabase.realtime.client import Client, connect

SECRET = "a-secret-of-the-tests-that-is-long-enough"
FAST = Limits(connect_refusal_seconds=0, join_refusal_seconds=0)


@dataclass(frozen=True, slots=True)
class Postgres:
    """A database with the bootstrap of the embedded Supabase."""

    dsn: str
    login_dsn: str
    server: Server
    port: int


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start_postgres(folder: Path) -> Postgres:
    data_dir = DataDir(folder)
    folder.mkdir(parents=True, exist_ok=True)
    data_dir.logs.mkdir(exist_ok=True)
    keys = load_keys(data_dir, {})
    server = Server(data_dir, keys)
    server.create()
    port = free_port()
    server.start(port)
    with server.session() as connection:
        bootstrap(connection)
        set_passwords(connection, keys)
    superuser, login = (
        f"postgresql://{login}:{keys.passwords[login]}@127.0.0.1:{port}/postgres"
        for login in (Login.SUPABASE_ADMIN, Login.REALTIME)
    )
    return Postgres(superuser, login, server, port)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    database = start_postgres(tmp_path_factory.mktemp("realtime") / "data")
    yield database
    database.server.stop()


@dataclass(frozen=True, slots=True)
class Realtime:
    """A running server: its parts, and where clients find it."""

    server: RealtimeServer
    http_url: str

    @property
    def url(self) -> str:
        return self.http_url.replace("http", "ws", 1)

    def token(self, role: str = "anon", *, lifetime: float = 3600, **claims: object) -> str:
        return token(role, lifetime=lifetime, **claims)


def token(role: str = "anon", *, lifetime: float = 3600, **claims: object) -> str:
    return jwt.encode({"role": role, "exp": int(time.time() + lifetime), **claims}, SECRET, "HS256")


@asynccontextmanager
async def running_realtime(postgres: Postgres, limits: Limits = FAST) -> AsyncIterator[Realtime]:
    log = logging.getLogger("tests.realtime")
    dsns = (postgres.dsn, postgres.login_dsn)
    async with RealtimeServer.running(*dsns, TokenVerifier(SECRET), limits, log) as server:
        app = Starlette(routes=[Mount("/realtime/v1", routes=list(server_routes(server)))])
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, ws=AbortableWebSocketProtocol, ws_max_size=5_000_000
        )
        web = uvicorn.Server(config)
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1024)
            serving = asyncio.create_task(web.serve(sockets=[listener]))
            yield Realtime(server, f"http://127.0.0.1:{listener.getsockname()[1]}/realtime/v1")
            server.disconnect_all()
            web.should_exit = True
            web.force_exit = True
            await serving


@pytest.fixture
async def realtime(postgres: Postgres) -> AsyncIterator[Realtime]:
    async with running_realtime(postgres) as running:
        yield running


@pytest.fixture
async def sql(postgres: Postgres) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(postgres.dsn)
    yield connection
    await connection.close()


_numbers = itertools.count(1)


@pytest.fixture
async def table(sql: asyncpg.Connection) -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """Return a function that creates a table from its columns. The tables are dropped after the test."""
    made: list[str] = []

    async def make(columns: str, *, rls: bool = False, publish: bool = True) -> str:
        name = f"t{next(_numbers)}"
        made.append(name)
        await sql.execute(f"create table public.{name} ({columns})")
        await sql.execute(f"grant all on public.{name} to anon, authenticated, service_role")
        if rls:
            await sql.execute(f"alter table public.{name} enable row level security")
        if publish:
            await sql.execute(f"alter publication supabase_realtime add table public.{name}")
        return name

    yield make
    for name in made:
        await sql.execute(f"drop table public.{name} cascade")


@pytest.fixture
async def client(realtime: Realtime) -> AsyncIterator[Client]:
    async with connect(realtime.url, token()) as connected:
        yield connected
