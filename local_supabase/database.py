"""The gateway's connections to Postgres, with the caller's role and claims or with a service's role."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolConnectionProxy
from asyncpg.transaction import Transaction

from local_supabase.identity import Identity
from local_supabase.keys import Keys, Login
from local_supabase.settings import Settings

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_CALLER_CONNECTIONS = 24
_SERVICE_CONNECTIONS = 8
_RESTART_SECONDS = 5.0
_RETRY_SECONDS = 0.05
# PostgREST's db-pool-acquisition-timeout.
_ACQUIRE_SECONDS = 10.0

# The server stopped, crashed or is still starting. It did not refuse the statement.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # asyncpg raises it when the server's shutdown message arrives between two statements.
    asyncpg.InternalClientError,
)
_UNREACHABLE = (OSError, asyncpg.InterfaceError, *_LOST)

# `role` comes first: if Postgres refuses the role, it sets nothing else. All settings end with the
# transaction.
_CALLER_SETTINGS = """
select set_config('role', $1, true),
       set_config('request.jwt.claims', $2, true),
       set_config('request.headers', $3, true),
       set_config('request.method', $4, true),
       set_config('request.path', $5, true),
       set_config('search_path', $6, true),
       (select count(set_config(extra.name, extra.value, true))
        from unnest($7::text[], $8::text[]) as extra(name, value))
"""


class DatabaseUnavailableError(Exception):
    """The database is down and did not come back within the time that a restart takes."""


class DatabaseBusyError(Exception):
    """No connection became free in time."""


@dataclass(frozen=True, slots=True)
class CallerRequest:
    """What a transaction exposes of the HTTP request that it serves.

    Arguments:
        headers: readable in SQL as `request.headers`, with lower-case names.
        method: readable in SQL as `request.method`.
        path: readable in SQL as `request.path`.
        schema: the first schema of the search path.
        settings: further settings of the transaction, as names and values.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    path: str = "/"
    schema: str = "public"
    settings: Sequence[tuple[str, str]] = ()


_NO_REQUEST = CallerRequest()


class Database:
    """One connection pool for each login role. A service's pool connects on first use."""

    def __init__(self, callers: Pool, services: Mapping[Login, Pool], search_path: Sequence[str]) -> None:
        self._callers = callers
        self._services = services
        self._search_path = tuple(search_path)

    @classmethod
    async def open(cls, settings: Settings, keys: Keys) -> Self:
        """Connect to the stack's Postgres.

        Raises:
            OSError, asyncpg.PostgresError: Postgres cannot be reached, or refuses the login.
        """
        callers = _pool(settings.dsn(keys, Login.AUTHENTICATOR), minimum=2, maximum=_CALLER_CONNECTIONS)
        services = {
            login: _pool(settings.dsn(keys, login), minimum=0, maximum=_SERVICE_CONNECTIONS)
            for login in (Login.AUTH_ADMIN, Login.STORAGE_ADMIN, Login.SUPABASE_ADMIN)
        }
        for pool in (callers, *services.values()):
            await pool
        return cls(callers, services, settings.config.api.extra_search_path)

    async def close(self) -> None:
        """Close every connection at once. Running statements are cut off."""
        for pool in (self._callers, *self._services.values()):
            pool.terminate()

    @asynccontextmanager
    async def as_caller(
        self,
        identity: Identity,
        request: CallerRequest = _NO_REQUEST,
        *,
        read_only: bool = False,
    ) -> AsyncIterator[Connection]:
        """Open a transaction with the caller's role and claims, so that Postgres enforces row-level security.

        The transaction commits at the end of the block and rolls back when the block raises. All settings
        together cost one round trip after BEGIN. While Postgres restarts, the call waits before it sends
        anything.

        Arguments:
            identity: the caller.
            request: what SQL may read of the request, and the transaction's settings.
            read_only: whether Postgres refuses writes in this transaction.

        Raises:
            DatabaseUnavailableError: Postgres did not come back, or stopped during the block. Nothing was
                committed, unless it stopped during the commit itself.
            DatabaseBusyError: all connections stayed in use.
        """
        values = (
            identity.role,
            identity.claims_json,
            orjson.dumps(dict(request.headers)).decode(),
            request.method,
            request.path,
            _search_path((request.schema, *self._search_path)),
            [name for name, _ in request.settings],
            [value for _, value in request.settings],
        )
        connection, transaction = await _begin(self._callers, read_only, values)
        try:
            yield connection
            await transaction.commit()
        except BaseException as error:
            if _is_lost(connection, error):
                await _discard(self._callers, connection)
                if isinstance(error, Exception):
                    raise DatabaseUnavailableError from error
            else:
                await _roll_back(self._callers, connection, transaction)
            raise
        await self._callers.release(connection)

    @asynccontextmanager
    async def as_admin(self, login: Login = Login.AUTH_ADMIN) -> AsyncIterator[Connection]:
        """Borrow a connection with a service's own role, in autocommit mode.

        Arguments:
            login: the role; its pool has eight connections.

        Raises:
            DatabaseUnavailableError: Postgres did not come back within the time that a restart takes.
            DatabaseBusyError: all connections stayed in use.
        """
        pool = self._services[login]
        connection = await _acquire(pool, time.monotonic() + _RESTART_SECONDS)
        try:
            yield connection
        finally:
            await pool.release(connection)


def _search_path(schemas: Iterable[str]) -> str:
    """Quote schemas as the setting `search_path` needs them. The result is sent as a value."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys(schemas))


async def _begin(pool: Pool, read_only: bool, values: tuple[object, ...]) -> tuple[Connection, Transaction]:
    deadline = time.monotonic() + _RESTART_SECONDS
    while True:
        connection = await _acquire(pool, deadline)
        transaction = connection.transaction(readonly=read_only)
        try:
            await transaction.start()
            await connection.fetchrow(_CALLER_SETTINGS, *values)
        except _UNREACHABLE as error:
            # Only this first statement shows that a pooled connection's server has died. Nothing of the
            # caller has been sent yet, so trying again is safe.
            await _discard(pool, connection)
            await _wait_to_retry(deadline, error)
        except BaseException:
            await _roll_back(pool, connection, transaction)
            raise
        else:
            return connection, transaction


def _is_lost(connection: Connection, error: BaseException) -> bool:
    if isinstance(error, _LOST):
        return True
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


async def _roll_back(pool: Pool, connection: Connection, transaction: Transaction) -> None:
    try:
        if connection.is_in_transaction():
            await transaction.rollback()
    except _UNREACHABLE:
        await _discard(pool, connection)
    else:
        await pool.release(connection)


async def _discard(pool: Pool, connection: Connection) -> None:
    # The pool may have noticed the loss first and taken the connection back.
    with suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()
        await pool.release(connection)


async def _acquire(pool: Pool, deadline: float) -> Connection:
    while True:
        try:
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                return await pool.acquire()
        except TimeoutError as error:
            raise DatabaseBusyError from error
        except _UNREACHABLE as error:
            await _wait_to_retry(deadline, error)


async def _wait_to_retry(deadline: float, error: BaseException) -> None:
    if time.monotonic() > deadline:
        raise DatabaseUnavailableError from error
    await asyncio.sleep(_RETRY_SECONDS)


def _pool(dsn: str, *, minimum: int, maximum: int) -> Pool:
    return asyncpg.create_pool(
        dsn,
        min_size=minimum,
        max_size=maximum,
        reset=_skip_reset,
        max_inactive_connection_lifetime=60,
        server_settings={"application_name": "local_supabase"},
    )


async def _skip_reset(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    # Callers' settings end with their transaction, so asyncpg's RESET ALL would only cost a round trip.
    del connection
