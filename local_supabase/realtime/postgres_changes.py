"""Subscriptions to table changes: checked by Postgres, in force only while the stream is complete."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from local_supabase.realtime.catalog import Connection
from local_supabase.realtime.checks import Checker
from local_supabase.realtime.fanout import Fanout, MessageRow
from local_supabase.realtime.replication import ReplicationStream, StreamConfig
from local_supabase.realtime.subscriptions import Binding, Parameters, Subscriber, Subscriptions


class SubscriptionUnavailable(Exception):
    """The database cannot be asked now; trying again later may work."""


class PostgresChanges:
    """The bindings of all channels, the stream that feeds them and the fan-out between."""

    def __init__(
        self,
        stream: StreamConfig,
        connect: Callable[[], Awaitable[Connection]],
        log: logging.Logger,
        *,
        on_message_row: MessageRow,
        on_loss: Callable[[list[Subscriber]], None],
    ) -> None:
        self._connect = connect
        self._on_loss = on_loss
        self._live = asyncio.Event()
        self._connection: Connection | None = None
        self._checking = asyncio.Lock()
        self.subscriptions = Subscriptions()
        self.fanout = Fanout(
            self.subscriptions,
            connect,
            log,
            on_message_row=on_message_row,
            on_started=self._live.set,
            on_lost=self._lost,
        )
        self.stream = ReplicationStream(stream, self.fanout, log)
        self.fanout.resume = self.stream.resume

    @property
    def live(self) -> bool:
        """Whether every commit is being received."""
        return self._live.is_set()

    async def wait_live(self) -> None:
        """Wait until every commit is being received."""
        await self._live.wait()

    async def run(self) -> None:
        """Stream and fan out until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.stream.run())
                group.create_task(self.fanout.run())
        finally:
            await self.fanout.close()
            if self._connection is not None:
                self._connection.terminate()

    async def subscribe(
        self, subscriber: Subscriber, wanted: Sequence[tuple[int, Parameters]]
    ) -> list[Binding]:
        """Put a channel's bindings in force, all or none.

        Every change committed after this returns is delivered. Raises `SubscriptionError` for parameters that
        are refused and `SubscriptionUnavailable` when Postgres does not answer.
        """
        await self._live.wait()
        role = subscriber.identity.role
        try:
            async with self._checking:
                checker = Checker(await self._connected())
                bindings = [
                    Binding(binding_id, parameters, subscriber, dict(await checker.check(parameters, role)))
                    for binding_id, parameters in wanted
                ]
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError) as error:
            raise SubscriptionUnavailable(str(error)) from error
        # The stream may have been lost while Postgres was being asked.
        await self._live.wait()
        self.subscriptions.add(bindings)
        return bindings

    def _lost(self) -> None:
        self._live.clear()
        self._on_loss(self.subscriptions.subscribers())

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
        return self._connection
