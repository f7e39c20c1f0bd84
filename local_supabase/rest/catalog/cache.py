"""A cache of the catalog. It reloads after a change of the schema, which Postgres announces on a channel."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from local_supabase.background import start_task
from local_supabase.context import Context
from local_supabase.database import Connection, DatabaseBusyError, DatabaseUnavailableError
from local_supabase.keys import Login
from local_supabase.rest.catalog.load import load
from local_supabase.rest.catalog.model import Catalog
from local_supabase.rest.errors import no_catalog

_CHANNEL: Final = "pgrst"
_RECONNECT_SECONDS: Final = 0.2
_CHECK_SECONDS: Final = 5.0
# If something is missing in a catalog older than this, it is reloaded even without a notification: the event
# triggers that send notifications can be switched off.
_TRUST_SECONDS: Final = 10.0
_UNAVAILABLE_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    OSError,
    DatabaseUnavailableError,
    DatabaseBusyError,
)


class CatalogCache:
    """The newest loaded catalog, and whether it may be out of date.

    Arguments:
        context: where to read the catalog, and which schemas to expose.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._catalog: Catalog | None = None
        self._stale = True
        self._loaded_at = 0.0
        self._loading = asyncio.Lock()
        self._listener: Connection | None = None
        self._listening = asyncio.Lock()

    async def current(self) -> Catalog:
        """Return the catalog, reloaded if a change was announced.

        Raises:
            RestError: PGRST002, it cannot be loaded, and no older one is there.
        """
        if self._catalog is not None and not self._stale:
            return self._catalog
        async with self._loading:
            if self._catalog is None or self._stale:
                # Cleared before loading, so that a notification during the load causes another one.
                self._stale = False
                try:
                    self._catalog = await self._read()
                except _UNAVAILABLE_ERRORS as error:
                    self._stale = True
                    if self._catalog is None:
                        raise no_catalog() from error
                except BaseException:
                    self._stale = True
                    raise
            return self._catalog

    async def refresh(self, seen: Catalog) -> Catalog | None:
        """Return a newer catalog than `seen`, in which something was missing; None if there is none.

        Postgres delivers notifications to a listening connection before it answers the next statement there.
        So one round trip shows whether a change was committed before this call.

        Raises:
            RestError: PGRST002, as `current`.
        """
        if self._catalog is seen and not self._stale:
            await self._receive_notifications()
        if self._catalog is seen and not self._stale:
            if time.monotonic() - self._loaded_at < _TRUST_SECONDS:
                return None
            self._stale = True
        return await self.current()

    async def _receive_notifications(self) -> None:
        listener = self._listener
        if listener is None:
            self._stale = True
            return
        try:
            async with self._listening:
                await listener.execute("select 1")
        except _UNAVAILABLE_ERRORS:
            self._stale = True

    async def _read(self) -> Catalog:
        async with (
            self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            # Without a search path, Postgres' catalog functions qualify every name with its schema.
            await connection.execute("set local search_path to ''")
            catalog = await load(connection, self._context.settings.config.api.schemas)
        self._loaded_at = time.monotonic()
        return catalog

    def _on_notification(self, *notification: object) -> None:
        if notification[-1] in {"", "reload schema"}:
            self._stale = True

    async def listen(self) -> None:
        """Listen for notifications until cancelled.

        Each new connection counts as a change, because notifications may have been missed before it.
        """
        while True:
            try:
                async with self._context.database.as_admin(Login.SUPABASE_ADMIN) as connection:
                    await self._listen_on(connection)
            except _UNAVAILABLE_ERRORS as error:
                self._context.log.debug("REST: listening for schema changes failed: %s", error)
            except Exception:
                # Whatever it was: without this loop no change of the schema would ever be noticed again.
                self._context.log.exception("REST: listening for schema changes failed")
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _listen_on(self, connection: Connection) -> None:
        await connection.add_listener(_CHANNEL, self._on_notification)
        self._listener, self._stale = connection, True
        try:
            while True:
                async with self._listening:
                    await connection.execute("select 1")
                await asyncio.sleep(_CHECK_SECONDS)
        finally:
            self._listener, self._stale = None, True
            if not connection.is_closed():
                await connection.remove_listener(_CHANNEL, self._on_notification)


@asynccontextmanager
async def listening(context: Context) -> AsyncIterator[CatalogCache]:
    """Run a cache for the block."""
    cache = CatalogCache(context)
    task = start_task(cache.listen(), "rest-catalog-listener")
    try:
        yield cache
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
