"""Decides who gets a change, and sends it. What fails for one binding ends that binding alone."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import asyncpg

from local_supabase.identity import Identity
from local_supabase.realtime.authorization import Answer, Caller, Counters, caller_of
from local_supabase.realtime.catalog import Access, Connection
from local_supabase.realtime.changes import EventWriter, RowChange, refused, told
from local_supabase.realtime.database import CONNECTION_ERRORS, Session
from local_supabase.realtime.matching import Decisions, Matcher
from local_supabase.realtime.subscriptions import Binding, Operation, Subscriber

# So many slow callers are found in one batch. Those that are left then are late as well: a lock on the table
# makes all of them slow.
_MOST_LATE = 8


@dataclass(frozen=True, slots=True)
class Recipient:
    """A binding that a change matches, with its subscriber's identity at that time.

    The subscriber may push another token before the change is authorized, and must not receive with it what
    was authorized for the former one.
    """

    binding: Binding
    identity: Identity
    access: Access


@dataclass(slots=True)
class Delivery:
    """One change and its recipients; `seen_by` are the callers that row security lets see the row."""

    change: RowChange
    recipients: list[Recipient]
    seen_by: set[Caller] = field(default_factory=set)

    def unchecked(self) -> Iterable[Caller]:
        """Yield the callers for whom policies decide whether they see the row."""
        return (caller_of(r.identity) for r in self.recipients if self.needs_check(r))

    def may_see(self, recipient: Recipient) -> bool:
        """Return whether a recipient gets the event."""
        return not self.needs_check(recipient) or caller_of(recipient.identity) in self.seen_by

    def needs_check(self, recipient: Recipient) -> bool:
        """Return whether policies decide about a recipient."""
        change, access = self.change, recipient.access
        if not change.table.row_security or access.bypasses:
            return False
        return not refused(change, access)


def end_binding(binding: Binding, reason: str) -> None:
    """End a binding that misses a change, and tell its channel.

    Arguments:
        binding: the binding; one that has ended already is left alone.
        reason: the beginning of the message. It must tell nothing about rows.
    """
    if not binding.ended:
        binding.ended = True
        binding.subscriber.end_binding(binding, f"{reason}: {binding.parameters.describe()}")


Lane = tuple[str, str]
"""A person, or for the API keys the claims: those whose slow policies and filters are on one account."""


def lane_of(identity: Identity) -> Lane:
    """Return the lane of a subscriber."""
    return identity.role, identity.user_id or identity.claims_json


@dataclass(slots=True)
class Outcome:
    """What a deliverer leaves to others.

    Attributes:
        late: the deliveries that were not made, because the policies or filters of a lane took too long.
        slow: the lanes that took long, and were delivered to all the same.
    """

    late: dict[Lane, list[Delivery]] = field(default_factory=dict)
    slow: set[Lane] = field(default_factory=set)

    def set_aside(self, delivery: Delivery) -> None:
        """Move the recipients of late lanes from a delivery to those that were not made."""
        kept: list[Recipient] = []
        late: dict[Lane, list[Recipient]] = {}
        for recipient in delivery.recipients:
            lane = lane_of(recipient.identity)
            (late.setdefault(lane, []) if lane in self.late else kept).append(recipient)
        delivery.recipients = kept
        for lane, recipients in late.items():
            self.late[lane].append(Delivery(delivery.change, recipients))


@dataclass(slots=True)
class _Filtering:
    """How long the filters of each lane took, and who was not asked about a change because of that."""

    seconds: dict[Lane, float] = field(default_factory=dict)
    late: dict[Lane, list[Recipient]] = field(default_factory=dict)


class Deliverer:
    """Authorizes, filters and sends changes, over connections of its own.

    Rights come first. A filter that is decided before them would answer, by the time that it takes, questions
    about rows that its subscriber may not see.

    Errors of a connection itself are raised: nobody knows then who missed what.

    Arguments:
        connect: opens a connection of Realtime's login.
        counters: counts what is asked.
        log: where failures are logged.
        patience: the seconds for the policies of one lane and table, and for its filters. Half of it is slow.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        counters: Counters,
        log: logging.Logger,
        patience: float,
    ) -> None:
        self._session = Session(connect, counters, patience)
        self._matcher = Matcher(connect, counters)
        self._log = log
        self._long = patience / 2
        self.events_written = 0

    def close(self) -> None:
        """Close its connections."""
        self._session.close()
        self._matcher.close()

    async def deliver(self, deliveries: Sequence[Delivery]) -> Outcome:
        """Send changes to those of their recipients who may get them, in this order."""
        outcome = Outcome()
        for delivery in deliveries:
            await self._keep(delivery, self._concerns)
        wanted = [delivery for delivery in deliveries if delivery.recipients]
        if wanted:
            await self._await_visible({delivery.change.transaction.xid for delivery in wanted})
            await self._authorize(wanted, outcome)
        filtering = _Filtering()
        for delivery in wanted:
            if outcome.late:
                outcome.set_aside(delivery)
            decisions = self._matcher.decisions(delivery.change)
            await self._keep(delivery, partial(self._passes, decisions=decisions, filtering=filtering))
            self._send(delivery)
            for lane, seconds in filtering.seconds.items():
                if seconds >= self._long:
                    outcome.late.setdefault(lane, [])
            for lane, recipients in filtering.late.items():
                outcome.late[lane].append(Delivery(delivery.change, recipients))
            filtering.late.clear()
        return outcome

    async def _await_visible(self, xids: set[int]) -> None:
        authorization = await self._session.authorization()
        while True:
            try:
                await authorization.await_visible(xids)
            except asyncpg.QueryCanceledError:
                # No subscriber is to blame, so there is no limit.
                continue
            return

    async def _keep(self, delivery: Delivery, test: Callable[[Recipient, Delivery], Awaitable[bool]]) -> None:
        """Keep the recipients that pass a test. The bindings of those for whom it fails end."""
        passing: list[Recipient] = []
        for recipient in delivery.recipients:
            if recipient.binding.ended:
                continue
            try:
                if await test(recipient, delivery):
                    passing.append(recipient)
            except CONNECTION_ERRORS:
                raise
            except Exception:
                self._log.warning("A filter could not be applied; its binding ends", exc_info=True)
                end_binding(recipient.binding, "The filter could not be applied to a change")
        delivery.recipients = passing

    async def _concerns(self, recipient: Recipient, delivery: Delivery) -> bool:
        change, access = delivery.change, recipient.access
        return told(change, access) and await self._matcher.concerns(
            recipient.binding, change, recipient.identity, access
        )

    async def _passes(
        self, recipient: Recipient, delivery: Delivery, decisions: Decisions, filtering: _Filtering
    ) -> bool:
        if not delivery.may_see(recipient):
            return False
        lane = lane_of(recipient.identity)
        if filtering.seconds.get(lane, 0.0) >= self._long:
            filtering.late.setdefault(lane, []).append(recipient)
            return False
        began = time.monotonic()
        try:
            return await decisions.passes(recipient.binding, recipient.identity, recipient.access)
        finally:
            filtering.seconds[lane] = filtering.seconds.get(lane, 0.0) + time.monotonic() - began

    async def _authorize(self, deliveries: Sequence[Delivery], outcome: Outcome) -> None:
        # Of a deleted row other columns are known than of one that is still there.
        alike: dict[tuple[int, bool], list[Delivery]] = {}
        for delivery in deliveries:
            if any(True for _ in delivery.unchecked()):
                change = delivery.change
                kind = (change.table.relation.oid, change.operation is Operation.DELETE)
                alike.setdefault(kind, []).append(delivery)
        for group in alike.values():
            await self._authorize_group(group, outcome)

    async def _authorize_group(self, deliveries: list[Delivery], outcome: Outcome) -> None:
        """Ask policies about rows of one table, all of them deleted or none."""
        lanes = {
            caller_of(recipient.identity): lane_of(recipient.identity)
            for delivery in deliveries
            for recipient in filter(delivery.needs_check, delivery.recipients)
        }
        waiting = [caller for caller, lane in lanes.items() if lane not in outcome.late]
        late = 0
        while waiting and late < _MOST_LATE:
            began = time.monotonic()
            try:
                answers = await self._ask(deliveries, waiting)
            except CONNECTION_ERRORS:
                raise
            except asyncpg.QueryCanceledError:
                # Before or after the policies: by a lock on the table, or by somebody.
                late += _MOST_LATE if time.monotonic() - began >= self._long else 1
                continue
            except Exception:
                self._end_checked(deliveries)
                return
            remaining: list[Caller] = []
            for caller, answer in zip(waiting, answers, strict=True):
                if answer is None or not (answer.finished or answer.seconds >= self._long):
                    remaining.append(caller)
                elif answer.finished:
                    self._note(deliveries, caller, answer, lanes[caller], outcome)
                else:
                    outcome.late.setdefault(lanes[caller], [])
                    late += 1
            waiting = remaining
        for caller in waiting:
            outcome.late.setdefault(lanes[caller], [])

    def _note(
        self, deliveries: list[Delivery], caller: Caller, answer: Answer, lane: Lane, outcome: Outcome
    ) -> None:
        for index in answer.seen:
            deliveries[index].seen_by.add(caller)
        if answer.seconds >= self._long:
            outcome.slow.add(lane)

    async def _ask(self, deliveries: list[Delivery], callers: list[Caller]) -> list[Answer | None]:
        table = deliveries[0].change.table
        authorization = await self._session.authorization()
        if deliveries[0].change.operation is Operation.DELETE:
            return await authorization.deleted_visible(
                table, callers, [one.change.identity() for one in deliveries]
            )
        return await authorization.visible(table, callers, [one.change.key() for one in deliveries])

    def _end_checked(self, deliveries: list[Delivery]) -> None:
        table = deliveries[0].change.table.relation.table
        self._log.warning("The policies of %s could not be asked; its bindings end", table, exc_info=True)
        for delivery in deliveries:
            for recipient in filter(delivery.needs_check, delivery.recipients):
                end_binding(recipient.binding, "The policies could not be asked about a change")

    def _send(self, delivery: Delivery) -> None:
        writer = EventWriter(delivery.change)
        groups: dict[tuple[Subscriber, tuple[str, ...] | None], list[Recipient]] = {}
        for recipient in delivery.recipients:
            binding = recipient.binding
            if not binding.ended:
                groups.setdefault((binding.subscriber, binding.parameters.select), []).append(recipient)
        for (subscriber, select), recipients in groups.items():
            try:
                data = writer.write(recipients[-1].access, select)
                subscriber.send_change([recipient.binding.id for recipient in recipients], data)
            except Exception:
                self._log.exception("A change could not be sent; the bindings that it matches end")
                for recipient in recipients:
                    end_binding(recipient.binding, "A change could not be sent")
        self.events_written += writer.written
