"""Keeps slow subscribers from holding up others: each gets a lane of its own."""

import asyncio
import contextlib
import logging
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from local_supabase.realtime.authorization import Counters
from local_supabase.realtime.catalog import Connection
from local_supabase.realtime.database import CONNECTION_ERRORS
from local_supabase.realtime.delivery import Deliverer, Delivery, Lane, Outcome, end_binding
from local_supabase.realtime.tasks import Tasks

# So many changes of a slow lane are authorized with one query.
_PARCEL = 50


@dataclass(frozen=True, slots=True)
class Budgets:
    """How long subscribers may take, and how much may wait for them.

    Attributes:
        shared_seconds: for the policies of one subscriber and table, and for the filters, among all others.
            Who takes half of it is slow.
        slow_seconds: the same in the lane of a slow subscriber.
        attempts: after so many times `slow_seconds` the bindings end.
        sessions: how many slow subscribers are served at once.
        queued: with more changes than these waiting, the bindings of a slow subscriber end. On a busy machine
            everybody is slow, so it is more than a large transaction has.
        slow_for: the seconds without slowness after which a lane ends.
    """

    shared_seconds: float = 0.25
    slow_seconds: float = 5.0
    attempts: int = 3
    sessions: int = 4
    queued: int = 10_000
    slow_for: float = 60.0


@dataclass(slots=True)
class _SlowLane:
    """The deliveries that wait for one slow subscriber."""

    slow_at: float = -math.inf
    attempts: int = 0
    queue: deque[Delivery] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[Delivery]:
        return [self.queue.popleft() for _ in range(min(_PARCEL, len(self.queue)))]


class Lanes:
    """Delivers to all subscribers in the order of the commits, and to each slow one at its own speed.

    Arguments:
        connect: opens a connection of Realtime's login.
        counters: counts what is asked.
        log: where failures are logged.
        budgets: how long subscribers may take.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        counters: Counters,
        log: logging.Logger,
        budgets: Budgets,
    ) -> None:
        self._log = log
        self._budgets = budgets
        self._shared = Deliverer(connect, counters, log, budgets.shared_seconds)
        self._for_slow = [
            Deliverer(connect, counters, log, budgets.slow_seconds) for _ in range(budgets.sessions)
        ]
        self._free = list(self._for_slow)
        self._available = asyncio.Semaphore(budgets.sessions)
        self._slow: dict[Lane, _SlowLane] = {}
        self._tasks = Tasks(log)
        self._running: list[asyncio.Task[None]] = []

    @property
    def events_written(self) -> int:
        """How many events were encoded."""
        return sum(deliverer.events_written for deliverer in (self._shared, *self._for_slow))

    @property
    def slow(self) -> int:
        """How many lanes of slow subscribers there are."""
        return len(self._slow)

    async def deliver(self, deliveries: Sequence[Delivery]) -> None:
        """Deliver to the subscribers that are not slow; the changes of the others wait in their lanes.

        Errors of the connection are raised.
        """
        for delivery in deliveries:
            self._divert(delivery)
        outcome = await self._shared.deliver([delivery for delivery in deliveries if delivery.recipients])
        for lane, late in outcome.late.items():
            self._open(lane)
            for delivery in late:
                self._put(lane, delivery)
        for lane in outcome.slow:
            self._open(lane)

    def clear(self) -> None:
        """Forget all lanes and what waits in them, because the subscribers are told of a loss."""
        for task in self._running:
            task.cancel()
        self._running.clear()
        self._slow.clear()

    def close(self) -> None:
        """Forget all lanes and close the connections."""
        self.clear()
        for deliverer in (self._shared, *self._for_slow):
            deliverer.close()

    def _divert(self, delivery: Delivery) -> None:
        if not self._slow:
            return
        of_slow = Outcome({lane: [] for lane in self._slow})
        of_slow.set_aside(delivery)
        for lane, late in of_slow.late.items():
            for one in late:
                self._put(lane, one)

    def _open(self, lane: Lane) -> None:
        slow = self._slow.get(lane)
        if slow is None:
            self._log.info("A subscriber is slow and gets a lane of its own: role %s", lane[0])
            slow = self._slow[lane] = _SlowLane()
            self._running = [task for task in self._running if not task.done()]
            self._running.append(self._tasks.start(self._serve(lane, slow)))
        slow.slow_at = time.monotonic()

    def _put(self, lane: Lane, delivery: Delivery) -> None:
        slow = self._slow[lane]
        slow.queue.append(delivery)
        slow.arrived.set()
        if len(slow.queue) > self._budgets.queued:
            _end(slow.queue, "The subscriber is too slow for its changes")
            slow.queue.clear()

    async def _serve(self, lane: Lane, slow: _SlowLane) -> None:
        while await self._waits(slow):
            parcel = slow.take()
            try:
                await self._serve_parcel(lane, slow, parcel)
            except CONNECTION_ERRORS as error:
                self._log.warning("Changes could not be delivered to a slow subscriber: %s", error)
                _end(parcel, "The database did not answer")
            except Exception:
                # Without this, an unexpected error would let the lane wait for ever.
                self._log.exception("Changes could not be delivered to a slow subscriber")
                _end(parcel, "A change could not be delivered")
        # Its next changes are delivered with those of all others. Nothing of it waits any more.
        del self._slow[lane]

    async def _waits(self, slow: _SlowLane) -> bool:
        """Wait for deliveries; return False when the lane has been quick for long enough."""
        while not slow.queue:
            left = slow.slow_at + self._budgets.slow_for - time.monotonic()
            if left <= 0:
                return False
            slow.arrived.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await slow.arrived.wait()
        return True

    async def _serve_parcel(self, lane: Lane, slow: _SlowLane, parcel: list[Delivery]) -> None:
        async with self._lend() as deliverer:
            began = time.monotonic()
            outcome = await deliverer.deliver(parcel)
        if time.monotonic() - began >= self._budgets.shared_seconds / 2:
            slow.slow_at = time.monotonic()
        late = outcome.late.get(lane)
        if not late:
            slow.attempts = 0
            return
        slow.attempts += 1
        if slow.attempts < self._budgets.attempts:
            slow.queue.extendleft(reversed(late))
        else:
            slow.attempts = 0
            _end(late, "Policies or filters take too long")

    @contextlib.asynccontextmanager
    async def _lend(self) -> AsyncIterator[Deliverer]:
        async with self._available:
            deliverer = self._free.pop()
            try:
                yield deliverer
            finally:
                self._free.append(deliverer)


def _end(deliveries: Iterable[Delivery], reason: str) -> None:
    for delivery in deliveries:
        for recipient in delivery.recipients:
            end_binding(recipient.binding, reason)
