"""Listening to Supabase Realtime from a program without an event loop: a thread that connects again for ever.

The stock client gives up after some seconds of outage, so each connection here is a new client; between two
of them there is a growing pause. What was said meanwhile is not said again: who listens looks for itself
when `on_live` says that it is connected (again), as `ratings.watching.Watch` does.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
)
from realtime.types import RealtimeChannelOptions

_log: Final = logging.getLogger(__name__)

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_LOOK: Final = 1.0
"""Seconds between two looks at whether the connection still is one."""

Heard = Callable[[Mapping[str, object]], None]
"""Is told what was broadcast, or the row as it is now: an empty one when it was deleted."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a table that the owner of the token may see. `filter` is as in `rater_id=eq.r-1`."""

    table: str
    event: RealtimePostgresChangesListenEvent
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class PrivateChannel:
    """Broadcasts in a private channel."""

    name: str


Source = Changes | PrivateChannel


class Listening:
    """A connection that is kept until it is closed. Callbacks come on its own thread."""

    def __init__(
        self,
        url: str,
        key: str,
        token: Callable[[], str | None],
        sources: Sequence[Source],
        heard: Heard,
        on_live: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._url = f"{url}/realtime/v1"
        self._key = key
        self._token = token
        self._sources = sources
        self._heard = heard
        self._on_live = on_live
        self._loop: Final = asyncio.new_event_loop()
        self._stopping: Final = asyncio.Event()
        self._thread: Final = threading.Thread(target=self._run, name="ratings-listening", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Listen no longer."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen_until_closed())

    async def _listen_until_closed(self) -> None:
        listening = asyncio.create_task(self._listen_for_ever())
        await self._stopping.wait()
        # Also in the middle of joining, which may take seconds.
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _listen_for_ever(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._listen()
                pause = _FIRST_PAUSE
            except Exception as error:
                # Whatever the client raises for an outage; there is always a next try.
                _log.info("Realtime is away: %r", error)
                pause = min(pause * 2, _LONGEST_PAUSE)
            self._tell_live(False)
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - no secret

    async def _listen(self) -> None:
        client = AsyncRealtimeClient(self._url, self._key, auto_reconnect=False)
        ended = asyncio.Event()
        try:
            await client.connect()
            token = await asyncio.to_thread(self._token)
            if token is not None:
                await client.set_auth(token)
            ready = [await self._join(client, number, ended) for number in range(len(self._sources))]
            await asyncio.wait_for(asyncio.gather(*(one.wait() for one in ready)), 30)
            self._tell_live(True)
            while client.is_connected and not ended.is_set():
                token = await self._renewed(client, token)
                await asyncio.sleep(_LOOK)
        finally:
            await client.close()

    async def _renewed(self, client: AsyncRealtimeClient, token: str | None) -> str | None:
        fresh = await asyncio.to_thread(self._token)
        if fresh != token and fresh is not None:
            await client.set_auth(fresh)
        return fresh

    async def _join(self, client: AsyncRealtimeClient, number: int, ended: asyncio.Event) -> asyncio.Event:
        """Join the channel of one source; the event says that it delivers."""
        source, ready = self._sources[number], asyncio.Event()
        if isinstance(source, PrivateChannel):
            options = cast("RealtimeChannelOptions", {"config": {"private": True}})
            channel = client.channel(source.name, options)
            channel.on_broadcast("*", lambda said: self._hear(said["payload"]))
        else:
            channel = client.channel(f"ratings-{number}")
            channel.on_postgres_changes(
                source.event,
                table=source.table,
                schema="public",
                filter=source.filter,
                # A deletion comes without a row.
                callback=lambda said: self._hear(said["data"].get("record") or {}),
            )
            # Joined is too early: changes come from this message on.
            channel.on_system(lambda _: ready.set())
        await self._subscribe(channel, ready if isinstance(source, PrivateChannel) else None, ended)
        return ready

    async def _subscribe(
        self, channel: AsyncRealtimeChannel, ready: asyncio.Event | None, ended: asyncio.Event
    ) -> None:
        def told(state: RealtimeSubscribeStates, error: Exception | None) -> None:
            if state is not RealtimeSubscribeStates.SUBSCRIBED:
                _log.info("A channel ended: %s %r", state, error)
                ended.set()
            elif ready is not None:
                ready.set()

        await channel.subscribe(told)
        if ended.is_set():
            raise ConnectionError(f"{channel.topic} cannot be joined")

    def _hear(self, said: object) -> None:
        try:
            self._heard(cast("Mapping[str, object]", said))
        except Exception:
            # A fault of the listener would end the client's reader of all channels.
            _log.exception("A listener of rating events failed")

    def _tell_live(self, live: bool) -> None:
        try:
            self._on_live(live)
        except Exception:
            _log.exception("A listener of the connection failed")
