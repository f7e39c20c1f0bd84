"""Telling who is here and hearing it of the others, over one channel for the whole process.

Realtime allows a client five presence calls in 30 s, so a tab never makes one: all tabs of the process are
told together, at once if the last time was long enough ago, else as soon as it is. What is told is repeated
now and then, and the echo of it is how a dead connection is found out. Nothing else depends on this channel.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from realtime import AsyncRealtimeChannel, AsyncRealtimeClient, RealtimeSubscribeStates

from live.audiences import EngineConfig
from live.errors import SubscriptionError
from live.presence import Heard, Here, Present, Spot, hear, merge, payload_of
from live.sockets import give_up
from live.timing import Backoff, happens

_log: Final = logging.getLogger(__name__)

TOPIC: Final = "tavern-presence"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often who is here is told, in seconds. Tests shorten it."""

    tell: float = 7.0
    """Between two times of telling: at most five in 30 s."""
    repeat: float = 30.0
    """Between two times of telling the same."""
    echo: float = 10.0
    """For what was told to come back."""
    settle: float = 1.0
    """Between two times of waking the tabs, however many come and go."""
    look: float = 5.0
    """Between two looks at whether something has faded."""
    open: float = 15.0
    first_retry: float = 0.5
    longest_retry: float = 30.0


class PresenceFeed:
    """Who is here, as this process knows. Methods are for any thread; `run` belongs to a loop.

    `start` is called at the first `put`, so that nothing is opened where nobody shows who is here.
    """

    def __init__(
        self, start: Callable[[], None], on_change: Callable[[], None], pace: Pace | None = None
    ) -> None:
        self._start = start
        self._on_change = on_change
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._process = str(uuid.uuid4())
        self._own: dict[str, Here] = {}
        self._heard: dict[str, Heard] = {}
        self._started = False
        self._number = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._to_tell = asyncio.Event()
        self._to_merge = asyncio.Event()
        self.present = Present()
        """Who is here; changes as a whole."""
        self.revision = 0
        """Changes with `present`."""

    def put(self, session_id: str, user_id: str | None, page: str, item: str = "") -> None:
        """Say where a tab is: on this page, with this row open."""
        with self._lock:
            before = self._own.get(session_id)
            if before is not None and (before.user_id, before.spot.page, before.spot.item) == (
                user_id,
                page,
                item,
            ):
                return
            self._own[session_id] = Here(user_id, Spot(page, item, datetime.now(UTC)))
            first, self._started = not self._started, True
        if first:
            self._start()
        self._changed()

    def leave(self, session_id: str) -> None:
        """Say that a tab was closed."""
        with self._lock:
            known = self._own.pop(session_id, None) is not None
        if known:
            self._changed()

    def _changed(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._notice)

    def _notice(self) -> None:
        self._to_tell.set()
        self._to_merge.set()

    async def run(self, config: EngineConfig) -> None:
        """Tell and hear until cancelled, whatever happens."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._notice()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._keep_merging())
                    tasks.create_task(self._keep_telling(config))
            except* Exception as errors:
                # A fault of ours. Beginning anew loses nothing: everything is told and heard again.
                _log.error("Presence failed and begins anew", exc_info=errors)
            await asyncio.sleep(self._pace.longest_retry)

    async def _keep_merging(self) -> None:
        while True:
            await happens(self._to_merge, self._pace.look)
            self._to_merge.clear()
            with self._lock:
                own = list(self._own.values())
            present = merge(own, self._heard, time.monotonic())
            if present != self.present:
                self.present = present
                self.revision += 1
                self._on_change()
                await asyncio.sleep(self._pace.settle)

    async def _keep_telling(self, config: EngineConfig) -> None:
        backoff = Backoff(self._pace.first_retry, self._pace.longest_retry)
        while True:
            channel = _Channel(config, self._process, self._pace, self._take)
            try:
                await channel.open()
                await self._tell_until_it_ends(channel, backoff)
            except SubscriptionError as error:
                _log.info("Who is here is not told: %s", error)
            finally:
                await channel.close()
            await asyncio.sleep(backoff.next())

    async def _tell_until_it_ends(self, channel: _Channel, backoff: Backoff) -> None:
        while True:
            self._to_tell.clear()
            with self._lock:
                own = list(self._own.values())
            self._number += 1
            await channel.track(payload_of(self._number, own), self._number)
            backoff.reset()
            if not await happens(channel.ended, self._pace.tell):
                await _either(channel.ended, self._to_tell, self._pace.repeat - self._pace.tell)
            if channel.ended.is_set():
                raise SubscriptionError("the channel ended")

    def _take(self, state: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
        others = {process: payloads for process, payloads in state.items() if process != self._process}
        self._heard = hear(self._heard, others, time.monotonic())
        self._to_merge.set()


async def _either(one: asyncio.Event, other: asyncio.Event, within: float) -> None:
    waiting = [asyncio.create_task(one.wait()), asyncio.create_task(other.wait())]
    try:
        await asyncio.wait(waiting, timeout=max(0.0, within), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


class _Channel:
    """One websocket with the presence channel on it, used once."""

    def __init__(
        self,
        config: EngineConfig,
        process: str,
        pace: Pace,
        on_state: Callable[[Mapping[str, Sequence[Mapping[str, object]]]], None],
    ) -> None:
        self.ended = asyncio.Event()
        self._process = process
        self._pace = pace
        self._on_state = on_state
        self._echoed = 0
        self._echo = asyncio.Event()
        self._client = AsyncRealtimeClient(
            f"{config.url}/realtime/v1", config.key, auto_reconnect=False, timeout=int(pace.open)
        )
        self._channel: AsyncRealtimeChannel | None = None

    async def open(self) -> None:
        """Join. Raises `SubscriptionError`."""
        try:
            async with asyncio.timeout(self._pace.open):
                await self._client.connect()
                settings = {"config": {"presence": {"key": self._process, "enabled": True}, "private": False}}
                self._channel = self._client.channel(TOPIC, settings)  # type: ignore[arg-type]  # broadcast has defaults
                self._channel.on_presence_sync(self._synced)
                await self._channel.subscribe(self._state_changed)
        except Exception as error:
            # The client lets through whatever the socket, the resolver and the handshake raise.
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        if self.ended.is_set():
            raise SubscriptionError("the join was refused")

    async def track(self, payload: dict[str, object], number: int) -> None:
        """Tell it, and see it come back. Raises `SubscriptionError` when it does not."""
        assert self._channel is not None
        self._echo.clear()
        try:
            await self._channel.track(payload)
        except Exception as error:
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        deadline = time.monotonic() + self._pace.echo
        while self._echoed < number:
            await _either(self._echo, self.ended, deadline - time.monotonic())
            if self.ended.is_set() or time.monotonic() > deadline:
                raise SubscriptionError("what was told did not come back")
            self._echo.clear()

    async def close(self) -> None:
        """Give it up. Never raises."""
        await give_up(self._client)

    def _synced(self) -> None:
        # What is raised from here would kill the client's reader in silence.
        try:
            assert self._channel is not None
            state = cast("Mapping[str, Sequence[Mapping[str, object]]]", dict(self._channel.presence_state()))
            numbers = [payload.get("number") for payload in state.get(self._process, ())]
            self._echoed = max([self._echoed, *(number for number in numbers if isinstance(number, int))])
            self._echo.set()
            self._on_state(state)
        except Exception:
            _log.exception("Who is here could not be taken")
            self.ended.set()

    def _state_changed(self, state: RealtimeSubscribeStates, _error: Exception | None) -> None:
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            self.ended.set()
