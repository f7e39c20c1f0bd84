"""The gateway's connections to Postgres: under the caller's role and claims, or a service's own role."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
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

# Errors that say that the server is not there (any more, or yet), not that it refused something.
_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    # What a goodbye of the dying server between two statements makes of the driver's state.
    asyncpg.InternalClientError,
)
_UNREACHABLE = (OSError, asyncpg.InterfaceError, *_LOST)

# `role` first: were it refused, nothing else is set. All of it ends with the transaction.
_CALLER_SETTINGS = """
select set_config('role', $1, true),
       set_config('request.jwt.claims', $2, true),
       set_config('request.headers', $3, true),
       set_config('request.method', $4, true),
       set_config('request.path', $5, true),
       set_config('search_path', $6, true),
       (select count(set_config(more.name, more.value, true))
        from unnest($7::text[], $8::text[]) as more(name, value))
"""


class DatabaseUnavailable(Exception):
    """The database is down and did not come back in the time that a restart takes."""


class DatabaseBusy(Exception):
    """No connection became free in time."""


class Database:
    """Connection pools, one for each login role; those of the services connect on first use."""

    def __init__(self, callers: Pool, services: Mapping[Login, Pool], search_path: Sequence[str]) -> None:
        self._callers = callers
        self._services = services
        self._search_path = tuple(search_path)

    @classmethod
    async def open(cls, settings: Settings, keys: Keys) -> Self:
        """Connect to the stack's Postgres; raises asyncpg's or the system's error when it is not there."""
        callers = _pool(settings.dsn(keys, Login.AUTHENTICATOR), minimum=2, maximum=_CALLER_CONNECTIONS)
        services = {
            login: _pool(settings.dsn(keys, login), minimum=0, maximum=_SERVICE_CONNECTIONS)
            for login in (Login.AUTH_ADMIN, Login.STORAGE_ADMIN, Login.SUPABASE_ADMIN)
        }
        for pool in (callers, *services.values()):
            await pool
        return cls(callers, services, settings.config.api.extra_search_path)

    async def close(self) -> None:
        """Close every connection, not waiting for statements under way."""
        for pool in (self._callers, *self._services.values()):
            pool.terminate()

    @asynccontextmanager
    async def as_caller(
        self,
        identity: Identity,
        *,
        read_only: bool = False,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        path: str = "/",
        schema: str = "public",
        settings: Sequence[tuple[str, str]] = (),
    ) -> AsyncIterator[Connection]:
        """Open a transaction under the caller's role and claims: Postgres itself enforces row security.

        It commits at the end of the block and rolls back when the block raises. The settings, with whatever
        else is to be set for this transaction, cost one round trip after BEGIN. While Postgres restarts, the
        call waits for it; nothing has been sent then.

        Raises:
            DatabaseUnavailable: Postgres did not come back, or went away inside the block: then nothing was
                committed, unless it went while committing.
            DatabaseBusy: all connections stayed in use.
        """
        values = (
            identity.role,
            identity.claims_json,
            orjson.dumps(dict(headers or {})).decode(),
            method,
            path,
            _names((schema, *self._search_path)),
            [name for name, _ in settings],
            [value for _, value in settings],
        )
        connection, transaction = await _begin(self._callers, read_only, values)
        try:
            yield connection
            await transaction.commit()
        except BaseException as error:
            if _is_lost(connection, error):
                await _discard(self._callers, connection)
                if isinstance(error, Exception):
                    raise DatabaseUnavailable from error
            else:
                await _roll_back(self._callers, connection, transaction)
            raise
        await self._callers.release(connection)

    @asynccontextmanager
    async def as_admin(self, login: Login = Login.AUTH_ADMIN) -> AsyncIterator[Connection]:
        """Borrow a connection of a service's own role; transactions are the service's business.

        Raises:
            DatabaseUnavailable, DatabaseBusy: as `as_caller`.
        """
        pool = self._services[login]
        connection = await _acquire(pool, time.monotonic() + _RESTART_SECONDS)
        try:
            yield connection
        finally:
            await pool.release(connection)


def _names(names: Iterable[str]) -> str:
    """Write names as the search path takes them; it travels as a value, never as part of a statement."""
    return ", ".join('"' + name.replace('"', '""') + '"' for name in dict.fromkeys(names))


async def _begin(pool: Pool, read_only: bool, values: tuple[object, ...]) -> tuple[Connection, Transaction]:
    deadline = time.monotonic() + _RESTART_SECONDS
    while True:
        connection = await _acquire(pool, deadline)
        transaction = connection.transaction(readonly=read_only)
        try:
            await transaction.start()
            await connection.fetchrow(_CALLER_SETTINGS, *values)
        except _UNREACHABLE as error:
            # A connection whose server died meanwhile shows only here. Nothing of the caller was sent yet.
            await _discard(pool, connection)
            await _pause(deadline, error)
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
    # The pool may have noticed before us, and taken the connection back.
    with suppress(asyncpg.InterfaceError, asyncpg.InternalClientError):
        connection.terminate()
        await pool.release(connection)


async def _acquire(pool: Pool, deadline: float) -> Connection:
    while True:
        try:
            async with asyncio.timeout(_ACQUIRE_SECONDS):
                return await pool.acquire()
        except TimeoutError as error:
            raise DatabaseBusy from error
        except _UNREACHABLE as error:
            await _pause(deadline, error)


async def _pause(deadline: float, error: BaseException) -> None:
    if time.monotonic() > deadline:
        raise DatabaseUnavailable from error
    await asyncio.sleep(_RETRY_SECONDS)


def _pool(dsn: str, *, minimum: int, maximum: int) -> Pool:
    return asyncpg.create_pool(
        dsn,
        min_size=minimum,
        max_size=maximum,
        reset=_keep,
        max_inactive_connection_lifetime=60,
        server_settings={"application_name": "local_supabase"},
    )


async def _keep(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    # What callers set is local to their transaction; the round trip of asyncpg's RESET ALL would be in vain.
    del connection
