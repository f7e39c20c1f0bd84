"""The fan-out's connection to Postgres, made again when it is lost, and what failures of its queries mean."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import asyncpg

from local_supabase.realtime.authorization import Counters, RowAuthorization
from local_supabase.realtime.catalog import Connection

_Result = TypeVar("_Result")

CONNECTION_ERRORS = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
"""What a query raises when the connection is lost, and so says nothing about the query."""

_ATTEMPTS = 5
# asyncpg looks a type up when it first meets it, within the time limit of the query that brings it.
_KNOW_TYPES = "select null::bool[], null::int[], null::bigint[]"


async def repeat_if_cancelled(
    query: Callable[[], Awaitable[_Result]], time_limit: float = math.inf
) -> _Result:
    """Return the result of a query that changes nothing; ask again when somebody cancelled it.

    Arguments:
        query: asks, each time that it is called.
        time_limit: the seconds after which the session's own time limit cancels the query.

    Raises `asyncpg.QueryCanceledError` when the time is over, and after five cancelled attempts.
    """
    began = time.monotonic()
    for _ in range(_ATTEMPTS - 1):
        try:
            return await query()
        except asyncpg.QueryCanceledError:
            if time.monotonic() - began >= time_limit:
                raise
    return await query()


class Session:
    """One connection of Realtime's login, opened when it is first needed and after it was lost.

    Arguments:
        connect: opens the connection.
        counters: counts what authorization asks.
        time_limit: the seconds after which a query is cancelled; 0 for no limit.
    """

    def __init__(
        self, connect: Callable[[], Awaitable[Connection]], counters: Counters, time_limit: float = 0.0
    ) -> None:
        self._connect = connect
        self._time_limit = time_limit
        self._counters = counters
        self._connection: Connection | None = None
        self._authorization: RowAuthorization | None = None

    async def connection(self) -> Connection:
        """Return the open connection.

        Raises one of `CONNECTION_ERRORS` when none can be opened.
        """
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._connect()
                await self._connection.fetchrow(_KNOW_TYPES)
                await self._connection.execute(f"set statement_timeout = {round(self._time_limit * 1000)}")
            except asyncpg.PostgresError as error:
                raise ConnectionError(f"Postgres refuses the connection: {error}") from error
            self._authorization = RowAuthorization(self._connection, self._counters)
        return self._connection

    async def authorization(self) -> RowAuthorization:
        """Return the checks of policies over this connection."""
        await self.connection()
        assert self._authorization is not None
        return self._authorization

    def close(self) -> None:
        """Close the connection at once."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None


class Sessions:
    """A few sessions, each lent to one borrower at a time, in the order in which they ask.

    Arguments:
        connect: opens a connection.
        counters: counts what authorization asks.
        count: how many sessions there are.
        time_limit: the seconds after which a query is cancelled.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        counters: Counters,
        *,
        count: int,
        time_limit: float,
    ) -> None:
        self._sessions = [Session(connect, counters, time_limit) for _ in range(count)]
        self._free = list(self._sessions)
        self._available = asyncio.Semaphore(count)

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Session]:
        """Lend a session for the block."""
        async with self._available:
            session = self._free.pop()
            try:
                yield session
            finally:
                self._free.append(session)

    def close(self) -> None:
        """Close all connections at once."""
        for session in self._sessions:
            session.close()
