"""The catalog, kept as fresh as the database: read again when a client changed the schema."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from local_supabase.context import Context
from local_supabase.database import Connection, DatabaseBusy, DatabaseUnavailable
from local_supabase.keys import Login
from local_supabase.rest.catalog import Catalog
from local_supabase.rest.catalog_load import load
from local_supabase.rest.errors import no_catalog

_CHANNEL: Final = "pgrst"
_RECONNECT_SECONDS: Final = 0.2
_CHECK_SECONDS: Final = 5.0
# A miss in a catalog older than this reads it again unannounced too: event triggers can be switched off.
_TRUSTED_SECONDS: Final = 10.0
_GONE = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, DatabaseUnavailable, DatabaseBusy)


class CatalogCache:
    """The newest catalog that is known, and whether it may be out of date."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._catalog: Catalog | None = None
        self._stale = True
        self._loaded_at = 0.0
        self._loading = asyncio.Lock()
        self._listener: Connection | None = None
        self._listening = asyncio.Lock()

    async def current(self) -> Catalog:
        """Return the catalog, read again if a change was announced.

        Raises:
            RestError: PGRST002, it could not be read, and never was.
        """
        if self._catalog is not None and not self._stale:
            return self._catalog
        async with self._loading:
            if self._catalog is None or self._stale:
                # Cleared first: what is announced while reading is read next time.
                self._stale = False
                try:
                    self._catalog = await self._read()
                except _GONE as error:
                    self._stale = True
                    if self._catalog is None:
                        raise no_catalog() from error
                except BaseException:
                    self._stale = True
                    raise
            return self._catalog

    async def refresh(self, seen: Catalog) -> Catalog | None:
        """Return a newer catalog than the one in which something was missing, None if there is none.

        Postgres delivers announcements to a listening connection before it answers the next statement there,
        so one round trip tells whether any change was committed before this call.
        """
        if self._catalog is seen and not self._stale:
            await self._hear()
        if self._catalog is seen and not self._stale:
            if time.monotonic() - self._loaded_at < _TRUSTED_SECONDS:
                return None
            self._stale = True
        return await self.current()

    async def _hear(self) -> None:
        listener = self._listener
        if listener is None:
            self._stale = True
            return
        try:
            async with self._listening:
                await listener.execute("select 1")
        except _GONE:
            self._stale = True

    async def _read(self) -> Catalog:
        async with (
            self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            # Without a search path the catalog functions name everything with its schema.
            await connection.execute("set local search_path to ''")
            catalog = await load(connection, self._context.settings.config.api.schemas)
        self._loaded_at = time.monotonic()
        return catalog

    def _announced(self, *announcement: object) -> None:
        if announcement[-1] in {"", "reload schema"}:
            self._stale = True

    async def listen(self) -> None:
        """Listen for ever; each new connection counts as a change, as announcements may have been missed."""
        while True:
            try:
                async with self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection:
                    await self._listen_on(connection)
            except _GONE as error:
                self._context.log.debug("REST: listening for schema changes failed: %s", error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_on(self, connection: Connection) -> None:
        await connection.add_listener(_CHANNEL, self._announced)
        self._listener, self._stale = connection, True
        try:
            while True:
                async with self._listening:
                    await connection.execute("select 1")
                await asyncio.sleep(_CHECK_SECONDS)
        finally:
            self._listener, self._stale = None, True
            if not connection.is_closed():
                await connection.remove_listener(_CHANNEL, self._announced)


@asynccontextmanager
async def listening(context: Context) -> AsyncIterator[CatalogCache]:
    """Keep a cache fresh for the block."""
    cache = CatalogCache(context)
    task = asyncio.create_task(cache.listen(), name="rest-catalog-listener")
    try:
        yield cache
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
