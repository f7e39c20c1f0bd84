"""Subscriptions to changes of tables: checked by Postgres, and only active while the stream is complete."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from local_supabase.realtime.authorization import Counters
from local_supabase.realtime.catalog import Connection
from local_supabase.realtime.changes import RowChange
from local_supabase.realtime.checks import Checker
from local_supabase.realtime.comparison import CheckedClause
from local_supabase.realtime.database import CONNECTION_ERRORS, Sessions, repeat_if_cancelled
from local_supabase.realtime.fanout import Fanout, FanoutEvents
from local_supabase.realtime.replication import ReplicationStream, StreamConfig
from local_supabase.realtime.subscriptions import (
    Binding,
    Parameters,
    Subscriber,
    SubscriptionError,
    Subscriptions,
)

# A join whose check takes long delays nobody but those that wait for the other session.
_CHECKS_AT_ONCE = 2
_CHECK_SECONDS = 3.0


class SubscriptionUnavailableError(Exception):
    """The database does not answer at present; the subscription may be tried again."""


class PostgresChanges:
    """The bindings of all channels, the replication stream, and the fan-out from one to the other.

    Arguments:
        stream: what to stream.
        connect: opens a connection of Realtime's login.
        log: where faults are logged.
        on_message_row: is called with each row inserted into `realtime.messages`.
        on_loss: is called with the subscribers when changes may have been missed.
    """

    def __init__(
        self,
        stream: StreamConfig,
        connect: Callable[[], Awaitable[Connection]],
        log: logging.Logger,
        *,
        on_message_row: Callable[[RowChange], None],
        on_loss: Callable[[list[Subscriber]], None],
    ) -> None:
        self._on_loss = on_loss
        self._live = asyncio.Event()
        self._checks = Sessions(connect, Counters(), count=_CHECKS_AT_ONCE, time_limit=_CHECK_SECONDS)
        self.subscriptions = Subscriptions()
        self.fanout = Fanout(
            self.subscriptions,
            connect,
            log,
            FanoutEvents(on_message_row, started=self._live.set, lost=self._lost),
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
        """Stream and deliver changes until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.stream.run())
                group.create_task(self.fanout.run())
        finally:
            self.fanout.close()
            self._checks.close()

    async def subscribe(
        self, subscriber: Subscriber, wanted: Sequence[tuple[int, Parameters]]
    ) -> list[Binding]:
        """Activate bindings of a channel, all or none. Waits until the stream is live.

        Every change that is committed after this returns is delivered.

        Arguments:
            subscriber: the channel.
            wanted: the id and the parameters of each binding.

        Raises:
            SubscriptionError: some parameters are refused.
            SubscriptionUnavailableError: Postgres does not answer.
        """
        await self._live.wait()
        try:
            checked = await self._check([parameters for _, parameters in wanted], subscriber.identity.role)
        except CONNECTION_ERRORS as error:
            raise SubscriptionUnavailableError(str(error)) from error
        bindings = [
            Binding(binding_id, parameters, subscriber, dict(of_tables))
            for (binding_id, parameters), of_tables in zip(wanted, checked, strict=True)
        ]
        # The stream may have been lost during the checks.
        await self._live.wait()
        self.subscriptions.add(bindings)
        return bindings

    def _lost(self) -> None:
        self._live.clear()
        self._on_loss(self.subscriptions.subscribers())

    async def _check(
        self, wanted: Sequence[Parameters], role: str
    ) -> list[dict[int, tuple[CheckedClause, ...]]]:
        async with self._checks.lend() as session:
            checker = Checker(await session.connection())
            try:
                return await repeat_if_cancelled(lambda: checker.check(wanted, role), _CHECK_SECONDS)
            except asyncpg.QueryCanceledError as error:
                raise SubscriptionError(
                    "Unable to subscribe to changes with given parameters: the check of their filters takes "
                    "too long"
                ) from error
