"""Reports this process's tabs and receives the reports of others, over one channel for the whole process.

Realtime allows a client five presence messages in 30 s, so tabs send none themselves: one message reports all
tabs of the process, at once if the last one was long enough ago, else as soon as it is. The message is
repeated now and then, and a missing echo reveals a dead connection. Nothing else depends on this channel.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, cast

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimeSubscribeStates

from livetables.background import running
from livetables.config import EngineConfig
from livetables.errors import SubscriptionError
from livetables.faults import FAULTS
from livetables.feed.connection import close_client
from livetables.presence.model import ChannelState, Present, Report, Spot, Tabs, merge, payload_of, updated
from livetables.timing import Backoff, PresenceTiming, wait_for_event

_log: Final = logging.getLogger(__name__)

TOPIC: Final = "tavern-presence"


class PresenceFeed:
    """Who is here, as far as this process knows. Methods are for any thread; `run` belongs to a loop.

    `start` is called at the first `track`, so that no channel is opened where nobody shows who is here.
    `on_change` is called on the loop when `present` has changed. Both must not block.
    """

    def __init__(
        self, start: Callable[[], None], on_change: Callable[[], None], timing: PresenceTiming | None = None
    ) -> None:
        self._start = start
        self._on_change = on_change
        self._timing = timing or PresenceTiming()
        self._lock = threading.Lock()
        self._process = str(uuid.uuid4())
        self._tabs: dict[str, Tabs] = {}
        self._reports: dict[str, Report] = {}
        self._started = False
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tabs_changed = asyncio.Event()
        self._merge_now = asyncio.Event()
        self._present = Present()
        self._revision = 0

    @property
    def present(self) -> Present:
        """Who is here. Replaced as a whole when it changes."""
        return self._present

    @property
    def revision(self) -> int:
        """A number that grows when `present` changes."""
        return self._revision

    @property
    def tracked(self) -> frozenset[str]:
        """The ids of the sessions that this process reports."""
        with self._lock:
            return frozenset(self._tabs)

    def track(self, session_id: str, user_id: str | None, page: str, item: str = "") -> None:
        """Report that a tab shows this page, with this row open."""
        with self._lock:
            before = self._tabs.get(session_id)
            if before is not None and (before.user_id, before.spot.page, before.spot.item) == (
                user_id,
                page,
                item,
            ):
                return
            self._tabs[session_id] = Tabs(user_id, Spot(page, item, datetime.now(UTC)))
            first, self._started = not self._started, True
        if first:
            self._start()
        self._changed()

    def untrack(self, session_id: str) -> None:
        """Report that a tab was closed."""
        with self._lock:
            known = self._tabs.pop(session_id, None) is not None
        if known:
            self._changed()

    def _changed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._set_changed)

    def _set_changed(self) -> None:
        self._tabs_changed.set()
        self._merge_now.set()

    async def run(self, config: EngineConfig) -> None:
        """Report and receive until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._set_changed()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._keep_merging())
                    tasks.create_task(self._keep_reporting(config))
            except* Exception as errors:
                # This is a bug of ours. Restarting loses nothing: everything is reported and received again.
                FAULTS.record("presence", errors)
            await asyncio.sleep(self._timing.longest_retry)

    async def _keep_merging(self) -> None:
        while True:
            await wait_for_event(self._merge_now, self._timing.check)
            self._merge_now.clear()
            present = merge(self._own_tabs(), self._reports, time.monotonic())
            if present != self._present:
                self._present = present
                self._revision += 1
                self._on_change()
                await asyncio.sleep(self._timing.settle)

    async def _keep_reporting(self, config: EngineConfig) -> None:
        backoff = Backoff(self._timing.first_retry, self._timing.longest_retry)
        while True:
            channel = _Channel(config, self._process, self._timing, self._received)
            try:
                await channel.open()
                await self._report_until_it_ends(channel, backoff)
            except SubscriptionError as error:
                _log.info("The presence channel is closed: %s", error)
            finally:
                await channel.close()
            await asyncio.sleep(backoff.next())

    async def _report_until_it_ends(self, channel: _Channel, backoff: Backoff) -> None:
        while True:
            self._tabs_changed.clear()
            self._number += 1
            await channel.track(payload_of(self._number, self._own_tabs()), self._number)
            backoff.reset()
            if not await wait_for_event(channel.ended, self._timing.interval):
                rest = self._timing.repeat - self._timing.interval
                await _wait_for_either(channel.ended, self._tabs_changed, rest)
            if channel.ended.is_set():
                raise SubscriptionError("the channel ended")

    def _own_tabs(self) -> list[Tabs]:
        with self._lock:
            return list(self._tabs.values())

    def _received(self, state: ChannelState) -> None:
        others = {process: payloads for process, payloads in state.items() if process != self._process}
        self._reports = updated(self._reports, others, time.monotonic())
        self._merge_now.set()


async def _wait_for_either(one: asyncio.Event, other: asyncio.Event, within: float) -> None:
    async with running(one.wait(), other.wait()) as waiting:
        await asyncio.wait(waiting, timeout=max(0.0, within), return_when=asyncio.FIRST_COMPLETED)


class _Channel:
    """One websocket with the presence channel on it, used once."""

    def __init__(
        self,
        config: EngineConfig,
        process: str,
        timing: PresenceTiming,
        on_state: Callable[[ChannelState], None],
    ) -> None:
        self.ended = asyncio.Event()
        self._process = process
        self._timing = timing
        self._on_state = on_state
        self._echoed = 0
        self._echo = asyncio.Event()
        self._client = AsyncRealtimeClient(
            f"{config.url}/realtime/v1", config.key, auto_reconnect=False, timeout=int(timing.open)
        )
        self._channel: AsyncRealtimeChannel | None = None

    async def open(self) -> None:
        """Connect and join. Raises `SubscriptionError`."""
        try:
            async with asyncio.timeout(self._timing.open):
                await self._client.connect()
                settings = {"config": {"presence": {"key": self._process, "enabled": True}, "private": False}}
                self._channel = self._client.channel(TOPIC, settings)  # type: ignore[arg-type]  # broadcast has defaults
                self._channel.on_presence_sync(self._synced)
                await self._channel.subscribe(self._state_changed)
        except Exception as error:
            # The client passes on whatever the socket, the resolver and the handshake raise.
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        if self.ended.is_set():
            raise SubscriptionError("the join was refused")

    async def track(self, payload: dict[str, object], number: int) -> None:
        """Send a payload and wait for its echo. Raises `SubscriptionError` if it does not come back."""
        assert self._channel is not None
        self._echo.clear()
        try:
            await self._channel.track(payload)
        except Exception as error:
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        deadline = time.monotonic() + self._timing.echo
        while self._echoed < number:
            await _wait_for_either(self._echo, self.ended, deadline - time.monotonic())
            if self.ended.is_set() or time.monotonic() > deadline:
                raise SubscriptionError("the payload did not come back")
            self._echo.clear()

    async def close(self) -> None:
        """Close the websocket. Never raises."""
        await close_client(self._client)

    def _synced(self) -> None:
        # An error raised from here would silently end the client's reader.
        try:
            assert self._channel is not None
            state = cast("ChannelState", dict(self._channel.presence_state()))
            numbers = [payload.get("number") for payload in state.get(self._process, ())]
            self._echoed = max([self._echoed, *(number for number in numbers if isinstance(number, int))])
            self._echo.set()
            self._on_state(state)
        except Exception as error:
            FAULTS.record("presence", error)
            self.ended.set()

    def _state_changed(self, state: RealtimeSubscribeStates, _error: Exception | None) -> None:
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            self.ended.set()
