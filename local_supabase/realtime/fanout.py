"""From the replication stream to the subscribers: who gets a change, written once for each distinct view."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import asyncpg

from local_supabase.identity import Identity
from local_supabase.realtime.authorization import Caller, Counters, RowAuthorization, caller_of
from local_supabase.realtime.catalog import Access, Catalog, Connection
from local_supabase.realtime.changes import EventWriter, RowChange, refused, row_change
from local_supabase.realtime.checks import Checker
from local_supabase.realtime.comparison import CheckedClause, Verdict, decide
from local_supabase.realtime.pgoutput import (
    UNCHANGED,
    Begin,
    DecodeError,
    Delete,
    Insert,
    Message,
    Relation,
    Update,
    decode,
)
from local_supabase.realtime.subscriptions import Binding, Subscriber, Subscriptions

# Changes of one transaction that are authorized together.
_BATCH = 200
# Messages waiting to be fanned out before the stream is asked to pause, and when it may go on.
_PAUSE_AT = 5000
_RESUME_AT = 1000

MessageRow = Callable[[RowChange], None]


@dataclass(frozen=True, slots=True)
class _Recipient:
    """A binding that wants a change, and its subscriber's identity when the change was looked at.

    A token pushed meanwhile must not let its owner see what was decided for the former one.
    """

    binding: Binding
    identity: Identity
    access: Access


@dataclass(slots=True)
class _Delivery:
    """One change and whose filters it passed; `seen_by` are the callers that policies let see it."""

    change: RowChange
    recipients: list[_Recipient]
    seen_by: set[Caller] = field(default_factory=set)

    def unchecked(self) -> Iterable[Caller]:
        """Yield the callers of whom only their policies can tell whether they see the row."""
        return (caller_of(r.identity) for r in self.recipients if self._needs_check(r))

    def may_see(self, recipient: _Recipient) -> bool:
        """Tell whether a recipient gets the event."""
        return not self._needs_check(recipient) or caller_of(recipient.identity) in self.seen_by

    def _needs_check(self, recipient: _Recipient) -> bool:
        change, access = self.change, recipient.access
        if change.new is None or not change.table.row_security or access.bypasses:
            return False
        return not refused(change, access)


class Fanout:
    """Consumes the stream in commit order, one batch at a time."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        connect: Callable[[], Awaitable[Connection]],
        log: logging.Logger,
        *,
        on_message_row: MessageRow,
        on_started: Callable[[], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._subscriptions = subscriptions
        self._connect = connect
        self._log = log
        self._on_message_row = on_message_row
        self._on_started = on_started
        self._on_lost = on_lost
        self._catalog = Catalog()
        self._relations: dict[int, Relation] = {}
        self._queue: deque[bytes] = deque()
        self._waiting = asyncio.Event()
        self._connection: Connection | None = None
        self._authorization: RowAuthorization | None = None
        self._checker: Checker | None = None
        self._transaction: Begin | None = None
        self._paused = False
        self.resume: Callable[[], None] = _nothing
        self.counters = Counters()
        self.events_written = 0

    # What the replication stream calls.

    def stream_started(self) -> None:
        """Note that nothing committed from now on is missed."""
        self._on_started()

    def stream_lost(self) -> None:
        """Note that changes are missed: what is queued of an unfinished transaction is void."""
        self._queue.clear()
        self._relations.clear()
        self._catalog.clear()
        self._on_lost()

    def received(self, message: bytes) -> bool:
        """Queue a message of the stream; False when there are too many."""
        self._queue.append(message)
        self._waiting.set()
        self._paused = len(self._queue) >= _PAUSE_AT
        return not self._paused

    async def run(self) -> None:
        """Fan out until cancelled."""
        while True:
            await self._waiting.wait()
            try:
                await self._drain()
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                self._log.warning("Changes could not be delivered: %s", error)
                await self._recover()
            except Exception:
                # A fault of ours must not silence the stream for everybody, for ever.
                self._log.exception("Changes could not be delivered")
                await self._recover()

    async def _recover(self) -> None:
        self._queue.clear()
        self._waiting.clear()
        await self.close()
        self._on_lost()
        self._on_started()

    async def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.terminate()
        self._connection = None

    async def _drain(self) -> None:
        batch: list[RowChange] = []
        while self._queue:
            message = self._decode(self._queue.popleft())
            self._unpause()
            if isinstance(message, Begin):
                self._transaction = message
            elif isinstance(message, Relation):
                await self._flush(batch)
                self._relations[message.oid] = message
                self._forget(message.oid)
            elif isinstance(message, Insert | Update | Delete):
                await self._collect(message, batch)
        # Only committed transactions are streamed, so nothing needs to wait for the end of one; and
        # transactions that wait together are authorized together.
        await self._flush(batch)
        if not self._queue:
            self._waiting.clear()

    def _decode(self, data: bytes) -> Message | None:
        try:
            return decode(data)
        except DecodeError:
            self._log.exception("A change could not be read and is lost")
            return None

    def _unpause(self) -> None:
        if self._paused and len(self._queue) <= _RESUME_AT:
            self._paused = False
            self.resume()

    def _forget(self, oid: int) -> None:
        self._catalog.forget(oid)
        self._subscriptions.forget_checks(oid)

    async def _collect(self, message: Insert | Update | Delete, batch: list[RowChange]) -> None:
        relation = self._relations.get(message.relation)
        if relation is None or self._transaction is None:
            return
        if relation.schema == "realtime" and relation.table == "messages" and isinstance(message, Insert):
            await self._flush(batch)
            await self._message_row(relation, message)
            return
        table = await self._catalog.table(await self._connected(), relation)
        if table is None or not table.published:
            return
        batch.append(row_change(table, message, self._transaction))
        if len(batch) >= _BATCH:
            await self._flush(batch)

    async def _message_row(self, relation: Relation, message: Insert) -> None:
        assert self._transaction is not None
        table = await self._catalog.table(await self._connected(), relation)
        if table is not None:
            self._on_message_row(row_change(table, message, self._transaction))

    async def _flush(self, batch: list[RowChange]) -> None:
        deliveries = [await self._filtered(change) for change in batch]
        batch.clear()
        wanted = [delivery for delivery in deliveries if delivery.recipients]
        if wanted:
            await self._authorize(wanted)
        for delivery in wanted:
            self._deliver(delivery)

    async def _filtered(self, change: RowChange) -> _Delivery:
        relation = change.table.relation
        verdicts: dict[tuple[CheckedClause, ...], bool] = {}
        recipients: list[_Recipient] = []
        for binding in self._subscriptions.of_table(relation.schema, relation.table, change.operation):
            identity = binding.subscriber.identity
            access = await self._catalog.access(await self._connected(), relation.oid, identity.role)
            if await self._passes(binding, change, access, verdicts):
                recipients.append(_Recipient(binding, identity, access))
        return _Delivery(change, recipients)

    async def _passes(
        self,
        binding: Binding,
        change: RowChange,
        access: Access,
        verdicts: dict[tuple[CheckedClause, ...], bool],
    ) -> bool:
        if not binding.parameters.clauses:
            return True
        # An error in place of the row goes to everybody whose role it concerns, filters aside.
        if refused(change, access):
            return True
        checked = await self._checked(binding, change.table.relation.oid)
        if checked is None:
            return False
        if checked not in verdicts:
            verdicts[checked] = await self._decide(checked, change)
        return verdicts[checked]

    async def _checked(self, binding: Binding, oid: int) -> tuple[CheckedClause, ...] | None:
        if oid not in binding.checked:
            checker = Checker(await self._connected())
            binding.checked[oid] = await checker.recheck(oid, binding)
        return binding.checked[oid]

    async def _decide(self, checked: tuple[CheckedClause, ...], change: RowChange) -> bool:
        asked: list[tuple[CheckedClause, str]] = []
        for clause in checked:
            value = change.value(clause.clause.column)
            if value is UNCHANGED:
                return False
            text = None if value is None else str(value)
            verdict = decide(clause, text)
            if verdict is Verdict.FAIL:
                return False
            if verdict is Verdict.ASK and text is not None:
                asked.append((clause, text))
        if not asked:
            return True
        return await Checker(await self._connected()).compare(asked)

    async def _authorize(self, deliveries: Sequence[_Delivery]) -> None:
        authorization = await self._authorization_now()
        by_table: dict[int, list[_Delivery]] = {}
        for delivery in deliveries:
            if any(True for _ in delivery.unchecked()):
                by_table.setdefault(delivery.change.table.relation.oid, []).append(delivery)
        for of_table in by_table.values():
            await self._authorize_table(of_table, authorization)
        unasked = {
            d.change.transaction.xid for d in deliveries if d.change.table.relation.oid not in by_table
        }
        if unasked:
            await authorization.await_visible(unasked)

    async def _authorize_table(self, deliveries: list[_Delivery], authorization: RowAuthorization) -> None:
        callers = list(dict.fromkeys(caller for delivery in deliveries for caller in delivery.unchecked()))
        keys = [delivery.change.key() for delivery in deliveries]
        xids = {delivery.change.transaction.xid for delivery in deliveries}
        visible = await authorization.visible(deliveries[0].change.table, callers, keys, xids)
        for index, delivery in enumerate(deliveries):
            delivery.seen_by.update(
                caller for caller, seen in zip(callers, visible, strict=True) if index in seen
            )

    def _deliver(self, delivery: _Delivery) -> None:
        writer = EventWriter(delivery.change)
        ids: dict[tuple[Subscriber, tuple[str, ...] | None], list[int]] = {}
        access: dict[Subscriber, Access] = {}
        for recipient in delivery.recipients:
            if delivery.may_see(recipient):
                binding = recipient.binding
                access[binding.subscriber] = recipient.access
                ids.setdefault((binding.subscriber, binding.parameters.select), []).append(binding.id)
        for (subscriber, select), matched in ids.items():
            subscriber.send_change(matched, writer.write(access[subscriber], select))
        self.events_written += writer.written

    async def _authorization_now(self) -> RowAuthorization:
        await self._connected()
        assert self._authorization is not None
        return self._authorization

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await self._connect()
            self._authorization = RowAuthorization(self._connection, self.counters)
        return self._connection


def _nothing() -> None:
    pass
