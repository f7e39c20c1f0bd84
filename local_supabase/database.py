"""The gateway's connections to Postgres: under the caller's role and claims, or a service's own role."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from local_supabase.identity import Identity
from local_supabase.keys import Keys, Login
from local_supabase.settings import Settings

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"

_CALLER_CONNECTIONS = 24
_SERVICE_CONNECTIONS = 8

# `role` first: were it refused, nothing else is set. All of it ends with the transaction.
_CALLER_SETTINGS = """
select set_config('role', $1, true),
       set_config('request.jwt.claims', $2, true),
       set_config('request.headers', $3, true),
       set_config('request.method', $4, true),
       set_config('request.path', $5, true),
       set_config('search_path', quote_ident($6) || ', public, extensions', true)
"""


class Database:
    """Connection pools, one for each login role, opened on first use except the callers' own."""

    def __init__(self, callers: Pool, services: Mapping[Login, Pool]) -> None:
        self._callers = callers
        self._services = services

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
        return cls(callers, services)

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
    ) -> AsyncIterator[Connection]:
        """Open a transaction under the caller's role and claims: Postgres itself enforces row security.

        It commits at the end of the block and rolls back when the block raises. The settings cost one round
        trip.
        """
        async with self._callers.acquire() as connection, connection.transaction(readonly=read_only):
            await connection.fetchrow(
                _CALLER_SETTINGS,
                identity.role,
                identity.claims_json,
                json.dumps(dict(headers or {})),
                method,
                path,
                schema,
            )
            yield connection

    @asynccontextmanager
    async def as_admin(self, login: Login = Login.AUTH_ADMIN) -> AsyncIterator[Connection]:
        """Borrow a connection of a service's own role; transactions are the service's business."""
        async with self._services[login].acquire() as connection:
            yield connection


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
    # What callers set is local to their transaction, so the round trip of asyncpg's RESET ALL would be for
    # nothing.
    del connection
