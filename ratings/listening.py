"""Listens to Supabase Realtime from a program without an event loop, and reconnects without end.

The stock client gives up after some seconds of outage, so every connection here is a new client. Events
during an outage are lost. So a listener reads its data again when `on_live` reports a connection, as
`ratings.watching.Watch` does.
"""

from __future__ import annotations

import asyncio
import logging
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
from tenacity import AsyncRetrying, RetryCallState, wait_random_exponential

from db.background import record_fault, start_daemon, start_task

_log: Final = logging.getLogger(__name__)

_PLACE: Final = "ratings-listening"

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two connections."""
_JOIN_TIMEOUT: Final = 30.0
"""Seconds for all channels to deliver."""
_CHECK_INTERVAL: Final = 1.0
"""Seconds between two checks of the connection and the token."""

RowCallback = Callable[[Mapping[str, object]], None]
"""Receives the payload of a broadcast, or the present row of a table; an empty row after a deletion."""


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
    """A connection that is kept until `close`. The callbacks run on its own thread; their errors are logged.

    - `url` and `key` are the project's; `token` returns the access token to listen with, or None.
    - `on_row` is called for every event of the `sources`.
    - `on_live` is called with True when all sources deliver, and with False when the connection is lost.
    """

    def __init__(
        self,
        url: str,
        key: str,
        token: Callable[[], str | None],
        sources: Sequence[Source],
        on_row: RowCallback,
        on_live: Callable[[bool], None] = lambda _: None,
    ) -> None:
        self._url = f"{url}/realtime/v1"
        self._key = key
        self._token = token
        self._sources = sources
        self._on_row = on_row
        self._on_live = on_live
        self._loop: Final = asyncio.new_event_loop()
        self._stopping: Final = asyncio.Event()
        self._thread: Final = start_daemon(_PLACE, self._run)
        if self._thread is None:
            raise RuntimeError("No thread can be started to listen with")

    def close(self) -> None:
        """Close the connection and stop listening."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None and threading.current_thread() is not self._thread:
            self._thread.join(30)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._listen_until_closed())

    async def _listen_until_closed(self) -> None:
        listening = start_task(self._listen_forever(), _PLACE)
        await self._stopping.wait()
        # Cancelled and not awaited, because joining may take seconds.
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)

    async def _listen_forever(self) -> None:
        # The client raises many kinds of errors during an outage, and all of them are retried.
        retrying = AsyncRetrying(
            wait=wait_random_exponential(multiplier=_FIRST_PAUSE, max=_LONGEST_PAUSE),
            before_sleep=self._on_failure,
        )
        while True:
            await retrying(self._listen)
            self._set_live(False)
            await asyncio.sleep(_FIRST_PAUSE)

    def _on_failure(self, state: RetryCallState) -> None:
        _log.info("Realtime is unreachable: %r", state.outcome and state.outcome.exception())
        self._set_live(False)

    async def _listen(self) -> None:
        """Listen until an established connection ends. Raises if none can be established."""
        client = AsyncRealtimeClient(self._url, self._key, auto_reconnect=False)
        ended = asyncio.Event()
        try:
            await client.connect()
            token = await asyncio.to_thread(self._token)
            if token is not None:
                await client.set_auth(token)
            ready = [await self._join(client, number, ended) for number in range(len(self._sources))]
            await asyncio.wait_for(asyncio.gather(*(one.wait() for one in ready)), _JOIN_TIMEOUT)
            self._set_live(True)
            while client.is_connected and not ended.is_set():
                token = await self._pass_on_token(client, token)
                await asyncio.sleep(_CHECK_INTERVAL)
        finally:
            await client.close()

    async def _pass_on_token(self, client: AsyncRealtimeClient, token: str | None) -> str | None:
        """Give the client the present token if it is a new one; return it."""
        present = await asyncio.to_thread(self._token)
        if present != token and present is not None:
            await client.set_auth(present)
        return present

    async def _join(self, client: AsyncRealtimeClient, number: int, ended: asyncio.Event) -> asyncio.Event:
        """Join the channel of one source; return an event that is set when it delivers."""
        source, ready = self._sources[number], asyncio.Event()
        if isinstance(source, PrivateChannel):
            options = cast("RealtimeChannelOptions", {"config": {"private": True}})
            channel = client.channel(source.name, options)
            channel.on_broadcast("*", lambda message: self._pass_on(message["payload"]))
        else:
            channel = client.channel(f"ratings-{number}")
            channel.on_postgres_changes(
                source.event,
                table=source.table,
                schema="public",
                filter=source.filter,
                # A deletion comes without a row.
                callback=lambda message: self._pass_on(message["data"].get("record") or {}),
            )
            # A joined channel does not deliver yet. Changes come after this system message.
            channel.on_system(lambda _: ready.set())
        await self._subscribe(channel, ready if isinstance(source, PrivateChannel) else None, ended)
        return ready

    async def _subscribe(
        self, channel: AsyncRealtimeChannel, ready: asyncio.Event | None, ended: asyncio.Event
    ) -> None:
        def on_state(state: RealtimeSubscribeStates, error: Exception | None) -> None:
            if state is not RealtimeSubscribeStates.SUBSCRIBED:
                _log.info("A channel ended: %s %r", state, error)
                ended.set()
            elif ready is not None:
                ready.set()

        await channel.subscribe(on_state)
        if ended.is_set():
            raise ConnectionError(f"{channel.topic} cannot be joined")

    def _pass_on(self, row: object) -> None:
        try:
            self._on_row(cast("Mapping[str, object]", row))
        except Exception as error:
            # An error of the callback would end the client's reader of all channels.
            record_fault(_PLACE, error)

    def _set_live(self, live: bool) -> None:
        try:
            self._on_live(live)
        except Exception as error:
            record_fault(_PLACE, error)
