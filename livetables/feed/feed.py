"""One audience's feed: a stream that is reopened forever, and reads that fill every gap it leaves.

Three tasks run at the same time:

- One keeps a subscription open. When one ends, it opens the next, with growing pauses, without end.
- One reads what changed: at once after every (re)subscription, now and then while there is a stream (which
  may drop events silently), and every second or two while there is none.
- One reads single rows again whose events arrived incomplete.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from livetables.background import running
from livetables.counts import COUNTS
from livetables.errors import NotAllowedError, ReadError, RefusedQueryError, SetupError, SubscriptionError
from livetables.faults import FAULTS
from livetables.feed.arrivals import Arrivals
from livetables.feed.phase import Phase
from livetables.feed.reads import TokenSource
from livetables.feed.refetch import Refetcher
from livetables.feed.status import FeedState, FeedStatus
from livetables.feed.subscription import Subscription, SubscriptionConfig, unsent_table
from livetables.feed.sync import Sync
from livetables.feed.wire import Incomplete, read_message
from livetables.tables.changes import Change, Key, Record
from livetables.timing import Backoff, wait_for_event

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FeedConfig:
    """What a feed subscribes to, as whom, and whom it reports to. The callbacks must not raise or block."""

    subscription: SubscriptionConfig
    token: TokenSource
    on_status: Callable[[], None]
    """Called when `status` has another state, or when `refusal` has changed."""
    on_streamed: Callable[[Sequence[Change[Any]]], None]
    """Called with changes that arrived over the stream, after they were applied."""


class Feed:
    """Keeps one store current. Methods belong to the event loop; `status` may be read on any thread."""

    def __init__(self, sync: Sync, config: FeedConfig) -> None:
        self._sync, self._store = sync, sync.store
        self._config, self._timing = config, config.subscription.timing
        self._phase = Phase.CONNECTING
        self._status = FeedStatus(FeedState.CONNECTING, datetime.now(UTC))
        self._refusal: str | None = None
        self._unreadable: str | None = None
        self._unsent: str | None = None
        """What the database lacks for reading, and for the stream."""
        self._subscription: Subscription | None = None
        self._gaps = 0
        """Counts the occasions on which changes may have been missed."""
        # Jitter keeps the feeds of a process from reading at the same moment. Nobody gains by guessing it.
        self._jitter = random.uniform(0.8, 1.0)  # noqa: S311
        self._arrived: list[Record] = []
        self._arrivals = Arrivals()
        self._refetcher = Refetcher(sync, self._refetch_failed)
        self._read_now = asyncio.Event()
        self._subscribe_now = asyncio.Event()

    @property
    def status(self) -> FeedStatus:
        """How this feed is connected."""
        return self._status

    @property
    def refusal(self) -> str | None:
        """Why the database refuses the query, None if it does not."""
        return self._refusal

    async def run(self) -> None:
        """Keep the store current until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_subscribed())
                tasks.create_task(self._keep_reading())
                tasks.create_task(self._refetcher.run())
        finally:
            if self._subscription is not None:
                await self._subscription.close()

    async def push_token(self, token: str) -> None:
        """Use this access token from now on. A subscription that was refused is tried again at once."""
        self._subscribe_now.set()
        if self._subscription is not None:
            await self._subscription.push_token(token)

    def probe(self) -> None:
        """Check at once whether the server still answers."""
        if self._subscription is not None:
            self._subscription.probe()

    def refetch(self, table: str, keys: Iterable[Key]) -> None:
        """Read these rows again soon, for changes that the stream does not report."""
        self._refetcher.request(table, keys)

    def catch_up(self) -> None:
        """Read what changed, now rather than at the next interval."""
        self._read_now.set()

    async def load_older(self, table: str) -> bool:
        """Load the next older rows of a windowed table. Return False if there are none.

        Raises `ReadError`.
        """
        return await self._sync.load_older(table)

    # The stream.

    async def _keep_subscribed(self) -> None:
        backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        while True:
            reason = await self._subscribe(backoff)
            self._unsent = unsent_table(reason) or self._unsent
            _log.info("No stream: %s", reason)
            await wait_for_event(self._subscribe_now, backoff.next())

    async def _subscribe(self, backoff: Backoff) -> str:
        """Open a subscription and wait for its end. Return the reason."""
        self._subscription = Subscription(self._config.subscription, self._received, self._subscribed)
        try:
            await self._open(self._subscription)
            backoff.reset()
            return await self._subscription.ended()
        except (SubscriptionError, ReadError) as error:
            return str(error)
        except Exception as error:
            FAULTS.record("subscribing", error)
            return repr(error)
        finally:
            # Report the loss before closing: a dead peer never completes the close handshake.
            self._lost(nothing_answers=self._subscription.nothing_answers)
            await self._subscription.close()

    async def _open(self, subscription: Subscription) -> None:
        """Open the subscription.

        Once the network is known to be back, a new attempt is answered sooner than one that hangs. So an
        attempt that takes longer than `Timing.offline_after` is abandoned then.
        """
        self._subscribe_now.clear()
        async with running(self._open_with_token(subscription), self._until_network_is_back()) as tasks:
            opening, network_back = tasks
            await asyncio.wait([opening], timeout=self._timing.offline_after)
            await asyncio.wait([opening, network_back], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                raise SubscriptionError("No answer, and the network is back")
            await opening

    async def _until_network_is_back(self) -> None:
        await self._subscribe_now.wait()

    async def _open_with_token(self, subscription: Subscription) -> None:
        await subscription.open(await self._config.token())

    def _lost(self, *, nothing_answers: bool) -> None:
        """Note that changes are missed from now on."""
        self._subscribe_now.clear()
        self._gaps += 1
        if self._arrived:
            self._apply_arrived()
        for table, key in self._arrivals.take():
            self._sync.doubt(table, key)
        self._enter(self._phase.on_stream_lost(nothing_answers=nothing_answers))
        self._read_now.set()

    def _subscribed(self) -> None:
        """Note that changes arrive from now on; those committed before may have been missed."""
        self._unsent = None
        if not self._phase.streaming:
            self._gaps += 1
            self._enter(self._phase.on_stream_opened())
        self._read_now.set()

    def _received(self, data: Record) -> None:
        # Messages that arrive together are applied together, as one moment.
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._apply_arrived)
        self._arrived.append(data)

    def _apply_arrived(self) -> None:
        arrived, self._arrived = self._arrived, []
        if not arrived:
            return
        changes = [change for data in arrived if (change := self._read_arrived(data)) is not None]
        # A message that was delayed may be older than the read that found its row gone, and that of the
        # deletion may be lost with the stream. The log names the row no more, so it is read once more.
        for change in self._store.revived_by(changes):
            self._sync.doubt(change.table, change.key)
            self._read_now.set()
        self._store.apply(changes)
        self._arrivals.note(changes)
        self._config.on_streamed(changes)
        now = datetime.now(UTC)
        lags = [now - change.committed_at for change in changes if change.committed_at is not None]
        COUNTS.arrived(len(changes), lags)
        if lags:
            self._status = replace(self._status, last_lag=min(lags))

    def _read_arrived(self, data: Record) -> Change[Any] | None:
        """Return the change that a message reports, None if there is none to apply now."""
        spec = self._store.specs.get(str(data.get("table")))
        if spec is None:
            return None
        try:
            change = read_message(data, spec, self._store.position())
        except Exception as error:
            # A message of an unknown form must not take the good ones beside it along.
            FAULTS.record(f"messages of {spec.name}", error)
            self._refetch_failed()
            return None
        if not isinstance(change, Incomplete):
            return change
        if change.key is not None:
            self.refetch(change.table, [change.key])
        else:
            _log.warning("A change of %s came without a key: %r", change.table, data.get("errors"))
        return None

    # Reading.

    async def _keep_reading(self) -> None:
        # Loading comes after subscribing. If that takes too long, load without a stream and catch up later.
        await wait_for_event(self._read_now, self._timing.stream_wait)
        while True:
            self._read_now.clear()
            try:
                await self._read_or_report_silence()
                self._set_refusal(None)
            except SetupError as error:
                self._unreadable = str(error)
                self._enter(self._phase.on_read_refused())
            except RefusedQueryError as error:
                self._set_refusal(str(error))
                self._enter(self._phase.on_read_refused())
            except NotAllowedError as error:
                _log.info("Reading was refused: %s", error)
                self._enter(self._phase.on_read_refused())
            except ReadError as error:
                _log.info("Reading failed: %s", error)
                self._enter(self._phase.on_read_failed())
            except Exception as error:
                # Whatever it was, the next round must come: without it this audience would never move again.
                FAULTS.record("reading", error)
                self._enter(self._phase.on_read_refused())
            await wait_for_event(self._read_now, self._pause())

    async def _read_or_report_silence(self) -> None:
        """Read what changed. While there is no stream, no answer for a while counts as being offline."""
        async with running(self._read()) as (reading,):
            answers = -1
            while not reading.done() and answers != self._sync.answers:
                answers = self._sync.answers  # a slow read that gets its answers one by one is not silent
                await asyncio.wait([reading], timeout=self._timing.offline_after)
            if not reading.done() and not self._phase.streaming:
                self._enter(self._phase.on_read_failed())
            await reading

    async def _read(self) -> None:
        phase, gaps = self._phase, self._gaps
        grace = self._timing.grace if phase is Phase.CURRENT else 0
        repaired = await self._sync.catch_up(grace, self._read_now)
        self._unreadable = None
        if repaired:
            _log.warning("The stream had lost %d changes", repaired)
            self._status = replace(self._status, repaired=self._status.repaired + repaired)
            COUNTS.repaired(repaired)
        if self._phase.unreachable:
            self._subscribe_now.set()  # the network is back: no need to wait any longer
        self._enter(self._phase.on_read(gapless=phase.streaming and gaps == self._gaps))

    def _refetch_failed(self) -> None:
        # Catching up reads the rows, as it reads everything that changed since the last time.
        self._gaps += 1
        self._phase = self._phase.on_change_missed()
        self._read_now.set()

    def _pause(self) -> float:
        return self._timing.reconcile * self._jitter if self._phase is Phase.CURRENT else self._timing.poll

    # The status.

    def _set_refusal(self, reason: str | None) -> None:
        if reason != self._refusal:
            self._refusal = reason
            self._config.on_status()

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        missing = tuple(filter(None, (self._unreadable, self._unsent)))
        state = phase.state(loaded=self._sync.loaded, incomplete=bool(missing))
        if state is not self._status.state or missing != self._status.missing:
            level = logging.INFO if state in (FeedState.LIVE, FeedState.CATCHING_UP) else logging.WARNING
            _log.log(level, "The feed was %s and is %s", self._status.state.value, state.value)
            since = self._status.since if state is self._status.state else datetime.now(UTC)
            self._status = replace(self._status, state=state, since=since, missing=missing)
            self._config.on_status()
