"""From the replication stream to the deliveries: reads changes and finds the bindings of their tables."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from local_supabase.realtime.authorization import Counters
from local_supabase.realtime.catalog import Access, Catalog, Connection, Table
from local_supabase.realtime.changes import RowChange, row_change
from local_supabase.realtime.database import CONNECTION_ERRORS, Session, repeat_if_cancelled
from local_supabase.realtime.delivery import Delivery, Recipient, end_binding
from local_supabase.realtime.lanes import Budgets, Lanes
from local_supabase.realtime.pgoutput import (
    Begin,
    DecodeError,
    Delete,
    Insert,
    Message,
    Relation,
    Update,
    decode,
)
from local_supabase.realtime.subscriptions import Operation, Subscriptions

# At most so many changes are authorized with one query.
_BATCH = 200
# The stream is paused at so many queued messages, and resumed when only so many are left.
_PAUSE_AT = 5000
_RESUME_AT = 1000


@dataclass(frozen=True, slots=True)
class FanoutEvents:
    """What a fan-out reports. All are called on the event loop and must not block.

    Attributes:
        message_row: a row was inserted into `realtime.messages`.
        started: every change that is committed from now on will be delivered.
        lost: changes are missed from now until `started`.
    """

    message_row: Callable[[RowChange], None]
    started: Callable[[], None]
    lost: Callable[[], None]


class Fanout:
    """Consumes the stream in commit order, one batch at a time.

    Arguments:
        subscriptions: the active bindings.
        connect: opens a connection of Realtime's login, for the catalog and the policies.
        log: where faults are logged.
        events: what the fan-out reports.
        budgets: how long subscribers may take.
    """

    def __init__(
        self,
        subscriptions: Subscriptions,
        connect: Callable[[], Awaitable[Connection]],
        log: logging.Logger,
        events: FanoutEvents,
        budgets: Budgets = Budgets(),  # noqa: B008  # immutable
    ) -> None:
        self._subscriptions = subscriptions
        self._log = log
        self._events = events
        self._catalog = Catalog()
        self._relations: dict[int, Relation] = {}
        self._queue: deque[bytes] = deque()
        self._waiting = asyncio.Event()
        self._transaction: Begin | None = None
        self._visible_xid: int | None = None
        self._paused = False
        self.resume: Callable[[], None] = _nothing
        self._streaming = False
        self.counters = Counters()
        self._session = Session(connect, self.counters)
        self._lanes = Lanes(connect, self.counters, log, budgets)

    @property
    def events_written(self) -> int:
        """How many events were encoded."""
        return self._lanes.events_written

    @property
    def slow(self) -> int:
        """How many subscribers are slow, and have their changes delivered apart from those of others."""
        return self._lanes.slow

    @property
    def queued(self) -> int:
        """How many messages of the stream wait."""
        return len(self._queue)

    @property
    def paused(self) -> bool:
        """Whether the stream is paused because too many messages wait."""
        return self._paused

    # As the sink of the replication stream.

    def stream_started(self) -> None:
        """Report that nothing is missed from now on."""
        self._streaming = True
        self._events.started()

    def stream_lost(self) -> None:
        """Drop everything known from the stream, and report that changes are missed."""
        self._streaming = False
        self._paused = False
        self._queue.clear()
        self._relations.clear()
        self._catalog.clear()
        self._lanes.clear()
        self._events.lost()

    def received(self, message: bytes) -> bool:
        """Queue a message of the stream; return False when the queue is full."""
        self._queue.append(message)
        self._waiting.set()
        self._paused = len(self._queue) >= _PAUSE_AT
        return not self._paused

    async def run(self) -> None:
        """Deliver changes until cancelled."""
        while True:
            await self._waiting.wait()
            try:
                await self._drain()
            except CONNECTION_ERRORS as error:
                self._log.warning("Changes could not be delivered: %s", error)
                self._recover()
            except Exception:
                # Without this, an unexpected error would end all deliveries for good.
                self._log.exception("Changes could not be delivered")
                self._recover()

    def _recover(self) -> None:
        """Drop the queued changes, report the loss, and go on with the stream as it is."""
        self._keep_relations()
        self._waiting.clear()
        self.close()
        self._catalog.clear()
        for oid in self._relations:
            self._subscriptions.discard_checks(oid)
        self._events.lost()
        # Not while the stream itself is lost: whoever subscribes now waits until it has started again.
        if self._streaming:
            self._events.started()
        if self._paused:
            self._paused = False
            self.resume()

    def _keep_relations(self) -> None:
        # The stream describes a table once, until its definition changes. Without its description all later
        # changes of the table would be dropped.
        while self._queue:
            message = self._decode(self._queue.popleft())
            if isinstance(message, Relation):
                self._relations[message.oid] = message
            elif isinstance(message, Begin):
                self._transaction = message

    def close(self) -> None:
        """Close the database connections."""
        self._session.close()
        self._lanes.close()

    async def _drain(self) -> None:
        batch: list[RowChange] = []
        while self._queue:
            message = self._decode(self._queue.popleft())
            self._resume_if_drained()
            if isinstance(message, Begin):
                self._transaction = message
            elif isinstance(message, Relation):
                # First of all, so that a failing flush does not lose it.
                self._relations[message.oid] = message
                await self._flush(batch)
                self._discard_checks(message.oid)
            elif isinstance(message, Insert | Update | Delete):
                await self._collect(message, batch)
        # Only committed transactions are streamed. So a batch need not end with a transaction, and
        # transactions that are queued together are authorized together.
        await self._flush(batch)
        if not self._queue:
            self._waiting.clear()

    def _decode(self, data: bytes) -> Message | None:
        try:
            return decode(data)
        except DecodeError:
            self._log.exception("A change could not be read and is lost")
            return None

    def _resume_if_drained(self) -> None:
        if self._paused and len(self._queue) <= _RESUME_AT:
            self._paused = False
            self.resume()

    def _discard_checks(self, oid: int) -> None:
        self._catalog.discard(oid)
        self._subscriptions.discard_checks(oid)

    async def _collect(self, message: Insert | Update | Delete, batch: list[RowChange]) -> None:
        relation = self._relations.get(message.relation)
        if relation is None or self._transaction is None:
            return
        change = await self._read(relation, message, self._transaction)
        if change is None:
            return
        if relation.schema == "realtime" and relation.table == "messages" and isinstance(message, Insert):
            await self._flush(batch)
            # A client that joins now must find the message either in its replay or in its room.
            await self._await_visible()
            self._events.message_row(change)
        elif change.table.published:
            batch.append(change)
            if len(batch) >= _BATCH:
                await self._flush(batch)

    async def _read(
        self, relation: Relation, message: Insert | Update | Delete, transaction: Begin
    ) -> RowChange | None:
        """Return the change that a message describes; None without its table, or when it cannot be read."""
        try:
            table = await self._describe(relation)
            return None if table is None else row_change(table, message, transaction)
        except CONNECTION_ERRORS:
            raise
        except Exception:
            self._log.exception("A change could not be read; the bindings of its table end")
            operation = Operation[type(message).__name__.upper()]
            for binding in self._subscriptions.of_table(relation.schema, relation.table, operation):
                end_binding(binding, "A change could not be read")
            return None

    async def _describe(self, relation: Relation) -> Table | None:
        """Describe a table as the current transaction left it.

        The log has a transaction a moment before other sessions see it. A table that was created, altered or
        published in this transaction is therefore read only when the transaction is visible. Read too early,
        it would be remembered as it was before, until its definition changes again.
        """
        known = self._catalog.known_table(relation.oid)
        if known is not None:
            return known
        await self._await_visible()
        connection = await self._session.connection()
        return await repeat_if_cancelled(lambda: self._catalog.table(connection, relation))

    async def _await_visible(self) -> None:
        assert self._transaction is not None
        xid = self._transaction.xid
        if self._visible_xid != xid:
            authorization = await self._session.authorization()
            await repeat_if_cancelled(lambda: authorization.await_visible([xid]))
            self._visible_xid = xid

    async def _flush(self, batch: list[RowChange]) -> None:
        deliveries = [await self._delivery(change) for change in batch]
        batch.clear()
        await self._lanes.deliver([delivery for delivery in deliveries if delivery.recipients])

    async def _delivery(self, change: RowChange) -> Delivery:
        """Return a change with every binding that names its table, before filters are applied."""
        relation = change.table.relation
        recipients: list[Recipient] = []
        for binding in self._subscriptions.of_table(relation.schema, relation.table, change.operation):
            identity = binding.subscriber.identity
            try:
                access = await self._access(relation.oid, identity.role)
            except CONNECTION_ERRORS:
                raise
            except Exception:
                self._log.exception("The rights of a role could not be read; its binding ends")
                end_binding(binding, "The rights of the role could not be read")
            else:
                recipients.append(Recipient(binding, identity, access))
        return Delivery(change, recipients)

    async def _access(self, oid: int, role: str) -> Access:
        connection = await self._session.connection()
        return await repeat_if_cancelled(lambda: self._catalog.access(connection, oid, role))


def _nothing() -> None:
    pass
