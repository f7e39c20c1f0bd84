"""One audience's feed: a stream kept open for ever, and reading that fills every gap it leaves.

Three tasks. One keeps a subscription open: a new one for each that ended, with growing pauses, without end.
One reads what changed: at once after every (re)subscription, now and then while the stream is there (a
stream may drop events silently), and every second or two in its place while it is not. One reads the rows
whose events came incomplete.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from live.changes import Change, Key, Record
from live.errors import ReadError, RefusedQueryError, SubscriptionError
from live.reads import TokenSource
from live.status import FeedState, FeedStatus
from live.subscription import Binding, Subscription, Watch
from live.sync import Sync
from live.timing import Backoff, Timing, happens
from live.wire import Incomplete, read_message

_log: Final = logging.getLogger(__name__)


class Feed:
    """Keeps one store current. Its methods belong to the engine's event loop; `status` is for any thread."""

    def __init__(
        self,
        url: str,
        key: str,
        sync: Sync,
        token: TokenSource,
        bindings: Sequence[Binding],
        timing: Timing,
        watch: Watch,
        on_status: Callable[[], None],
        on_streamed: Callable[[Sequence[Change[Any]]], None],
    ) -> None:
        self._url, self._key = url, key
        self._sync, self._store = sync, sync.store
        self._token, self._bindings = token, bindings
        self._timing, self._watch = timing, watch
        self._on_status = on_status
        self._on_streamed = on_streamed
        self._status = FeedStatus(FeedState.CONNECTING, datetime.now(UTC))
        self._subscription: Subscription | None = None
        self._streaming = False
        self._behind = True
        # The feeds of a process do not all ask at the same moment.
        self._jitter = random.uniform(0.8, 1.0)  # noqa: S311 - nobody gains by guessing it
        self._reachable = True
        self.refused: str | None = None
        """Why the database would not answer what is asked, None if it does."""
        self._polled = False
        self._incoming: list[Record] = []
        self._missing: defaultdict[str, set[Key]] = defaultdict(set)
        self._incomplete = asyncio.Event()
        self._wanted = asyncio.Event()
        self._retry = asyncio.Event()

    @property
    def status(self) -> FeedStatus:
        """How this feed is connected."""
        return self._status

    async def run(self) -> None:
        """Feed the store until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_streaming())
                tasks.create_task(self._keep_reading())
                tasks.create_task(self._keep_completing())
        finally:
            if self._subscription is not None:
                await self._subscription.close()

    async def push_token(self, token: str) -> None:
        """Go on with this access token, at once where the one before it was refused."""
        self._retry.set()
        if self._subscription is not None:
            await self._subscription.push_token(token)

    def probe(self) -> None:
        """Find out at once whether the other side is still there."""
        if self._subscription is not None:
            self._subscription.probe()

    def doubt(self, table: str, keys: Iterable[Key]) -> None:
        """Read these rows again: the stream may not tell what became of them."""
        self._missing[table].update(keys)
        self._incomplete.set()

    async def load_older(self, table: str) -> bool:
        """Read the next rows beyond the window of a table. Raises `ReadError`."""
        return await self._sync.load_older(table)

    # The stream.

    async def _keep_streaming(self) -> None:
        backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        while True:
            reason = await self._stream_once(backoff)
            _log.info("No stream: %s", reason)
            await happens(self._retry, backoff.next())

    async def _stream_once(self, backoff: Backoff) -> str:
        self._subscription = Subscription(
            self._url,
            self._key,
            self._bindings,
            self._timing,
            self._watch,
            self._received,
            self._subscribed,
        )
        try:
            await self._open(self._subscription)
            backoff.reset()
            return await self._subscription.ended()
        except (SubscriptionError, ReadError) as error:
            return str(error)
        finally:
            # Told before it is closed: nobody answers the closing of a dead one.
            self._lost(nothing_answers=self._subscription.nothing_answers)
            await self._subscription.close()

    def _lost(self, *, nothing_answers: bool) -> None:
        """From now on changes are missed."""
        self._retry.clear()
        if self._streaming:
            self._streaming = self._polled = False
        self._behind = True
        if nothing_answers:
            self._reached(False)
        self._judge()
        self._wanted.set()

    async def _open(self, subscription: Subscription) -> None:
        """Open it; once the network is known to be back, a new try is answered sooner than a hanging one."""
        self._retry.clear()
        opening = asyncio.create_task(self._open_with_token(subscription))
        back = asyncio.create_task(self._retry.wait())
        try:
            await asyncio.wait([opening], timeout=self._timing.notice)
            await asyncio.wait([opening, back], return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                raise SubscriptionError("No answer, and the network is back")
            await opening
        finally:
            opening.cancel()
            back.cancel()
            await asyncio.gather(opening, back, return_exceptions=True)

    async def _open_with_token(self, subscription: Subscription) -> None:
        await subscription.open(await self._token())

    def _subscribed(self) -> None:
        """From now on changes arrive; those committed before may have been missed."""
        # Said again of a stream that is there (after a token was pushed), it only asks for a look.
        if not self._streaming:
            self._streaming = True
            self._behind = True
            self._judge()
        self._wanted.set()

    def _received(self, data: Record) -> None:
        # What has arrived together is applied together, as one moment.
        if not self._incoming:
            asyncio.get_running_loop().call_soon(self._apply_incoming)
        self._incoming.append(data)

    def _apply_incoming(self) -> None:
        incoming, self._incoming = self._incoming, []
        changes = []
        for data in incoming:
            spec = self._store.specs.get(str(data.get("table")))
            if spec is None:
                continue
            change = read_message(data, spec, self._store.position())
            if not isinstance(change, Incomplete):
                changes.append(change)
            elif change.key is not None:
                self.doubt(change.table, [change.key])
            else:
                _log.warning("A change of %s came without a key: %r", change.table, data.get("errors"))
        self._store.apply(changes)
        self._on_streamed(changes)
        committed = [change.committed_at for change in changes if change.committed_at is not None]
        if committed:
            self._set(lag=datetime.now(UTC) - max(committed))

    # The reading.

    async def _keep_reading(self) -> None:
        await self._give_the_stream_a_chance()
        while True:
            self._wanted.clear()
            try:
                await self._read_noticing_silence()
                self._refuse(None)
                self._reached(True)
            except RefusedQueryError as error:
                self._refuse(str(error))
                self._reached(False)
            except ReadError as error:
                _log.info("Reading failed: %s", error)
                self._reached(False)
            self._judge()
            await happens(self._wanted, self._pause())

    async def _read_noticing_silence(self) -> None:
        """Read; without a stream, no answer for a while counts as being offline until there is one."""
        reading = asyncio.create_task(self._read_once())
        try:
            answers = -1
            while not reading.done() and answers != self._sync.answers:
                answers = self._sync.answers  # a slow reading that gets its answers one by one is none
                await asyncio.wait([reading], timeout=self._timing.notice)
            if not reading.done() and not self._streaming:
                self._reached(False)
                self._judge()
            await reading
        finally:
            reading.cancel()

    async def _give_the_stream_a_chance(self) -> None:
        """Load after subscribing, unless that takes too long: then load anyway, and catch up later."""
        await happens(self._wanted, self._timing.patience)

    async def _read_once(self) -> None:
        streaming, behind = self._streaming, self._behind
        if streaming:
            self._behind = False
        try:
            grace = self._timing.grace if streaming and not behind else 0
            repaired = await self._sync.catch_up(grace, self._wanted)
        except ReadError:
            self._behind = True
            raise
        if repaired:
            _log.warning("The stream had lost %d changes", repaired)
            self._set(repaired=self._status.repaired + repaired)

    async def _keep_completing(self) -> None:
        while True:
            await self._incomplete.wait()
            self._incomplete.clear()
            missing = dict(self._missing)
            self._missing.clear()
            try:
                for table, keys in missing.items():
                    await self._sync.refetch(table, list(keys))
            except ReadError as error:
                _log.info("Rows could not be read: %s", error)
                # Catching up will read them, as everything that changed since it last did.
                self._behind = True
                self._wanted.set()

    def _pause(self) -> float:
        if self._streaming and not self._behind:
            return self._timing.reconcile * self._jitter
        return self._timing.poll

    def _refuse(self, reason: str | None) -> None:
        if reason != self.refused:
            self.refused = reason
            self._on_status()

    def _reached(self, reachable: bool) -> None:
        if reachable and not self._reachable:
            self._retry.set()  # the network is back: no need to wait any longer
        self._reachable = self._polled = reachable

    # The status.

    def _judge(self) -> None:
        if self._streaming and self._sync.loaded:
            state = FeedState.CATCHING_UP if self._behind else FeedState.LIVE
        elif not self._reachable:
            state = FeedState.OFFLINE
        else:
            state = FeedState.POLLING if self._polled and self._sync.loaded else FeedState.CONNECTING
        if state is not self._status.state:
            level = logging.INFO if state in (FeedState.LIVE, FeedState.CATCHING_UP) else logging.WARNING
            _log.log(level, "The feed was %s and is %s", self._status.state.value, state.value)
            self._status = FeedStatus(state, datetime.now(UTC), self._status.last_lag, self._status.repaired)
            self._on_status()

    def _set(self, *, lag: timedelta | None = None, repaired: int | None = None) -> None:
        now = self._status
        self._status = FeedStatus(
            now.state,
            now.since,
            now.last_lag if lag is None else lag,
            now.repaired if repaired is None else repaired,
        )
