"""One websocket with one channel on it, used once: when it ends, a new one takes its place.

We use the stock client (realtime 2.34.1) for the protocol only. It gives up forever after about 15 s of
outage, dies silently when a callback raises, does not rejoin after its token has expired, and never checks
the answers to its heartbeats. So we rely on none of its repairs: its reconnecting is off, our callbacks do
not raise, and we send heartbeats of our own and check the answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    ChannelEvents,
    Message,
    RealtimePostgresChangesListenEvent,
    RealtimeSubscribeStates,
    ReplyMessage,
    ServerMessage,
)

from livetables.background import running, start_task
from livetables.config import EngineConfig
from livetables.errors import SubscriptionError
from livetables.faults import FAULTS
from livetables.tables.changes import Record
from livetables.timing import Timing, wait_for_event

_log: Final = logging.getLogger(__name__)

# The client logs every failed attempt as an error. During an outage that is what attempts do, and the feed
# reports the outage once.
logging.getLogger("realtime").setLevel(logging.CRITICAL)

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds for the server to complete the close handshake."""

_NOT_PUBLISHED: Final = re.compile(r"Please check Realtime is enabled .*?\btable: ([^,\]]+)")

_HEARTBEAT_TOPIC: Final = "phoenix"
_SLICE: Final = 0.1
"""Seconds in one step of waiting for an answer. A step that takes much longer shows that this process was
suspended."""
_MAX_EXTENSION: Final = 4
"""A process that is suspended again and again waits at most this many times as long for an answer."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One table to follow, with a Realtime filter or None."""

    table: str
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class LivenessCheck:
    """How a subscription finds out whether the server is still there."""

    heartbeat: Callable[[], float]
    """Returns the seconds from one heartbeat's answer to the next heartbeat."""
    anything_answers: Callable[[], Awaitable[bool]]
    """Asks the server in another way. Called while a heartbeat's answer is late."""


@dataclass(frozen=True, slots=True)
class SubscriptionConfig:
    """What to follow and where. Every subscription of a feed is made from the same config."""

    project: EngineConfig
    bindings: Sequence[Binding]
    timing: Timing
    liveness: LivenessCheck


class Subscription:
    """Follows the config's bindings until it ends. Belongs to the event loop on which it was created.

    - `on_data` is called with the data of every `postgres_changes` message.
    - `on_subscribed` is called when changes begin to arrive, and again after each token that is pushed.

    A subscription whose `on_data` raises has ended.
    """

    def __init__(
        self,
        config: SubscriptionConfig,
        on_data: Callable[[Record], None],
        on_subscribed: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        project, self._timing = config.project, config.timing
        self._config = config
        self._on_data = on_data
        self._on_subscribed = on_subscribed
        self._client = AsyncRealtimeClient(
            f"{project.url}/realtime/v1", project.key, auto_reconnect=False, timeout=int(self._timing.open)
        )
        self._ready: asyncio.Future[str] = loop.create_future()
        self._ended: asyncio.Future[str] = loop.create_future()
        self._probe = asyncio.Event()
        self._heartbeats: _Heartbeats | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._nothing_answers = False

    @property
    def nothing_answers(self) -> bool:
        """Whether it ended because no heartbeat was answered and neither was any other request meanwhile."""
        return self._nothing_answers

    async def open(self, token: str | None) -> None:
        """Connect and join. Return once changes arrive. Without a token it subscribes as `anon`.

        Raises `SubscriptionError`, after `Timing.open` seconds at the latest.
        """
        try:
            async with asyncio.timeout(self._timing.open):
                await self._join(token)
                await asyncio.wait([self._ready, self._ended], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise SubscriptionError(f"No subscription within {self._timing.open:g} s") from None
        except Exception as error:
            # The client passes on whatever the socket, the resolver and the handshake raise.
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        if self._ended.done():
            raise SubscriptionError(self._ended.result())

    async def ended(self) -> str:
        """Wait for the end. Return its reason."""
        return await asyncio.shield(self._ended)

    async def push_token(self, token: str) -> None:
        """Send a new access token before the old one expires."""
        with contextlib.suppress(Exception):  # on a dead socket; the heartbeat notices that
            await self._client.set_auth(token)

    def probe(self) -> None:
        """Send a heartbeat at once."""
        self._probe.set()

    async def close(self) -> None:
        """Close the websocket. Never raises, and takes at most a second whatever the server does."""
        self._end("closed by us")
        for task in self._tasks:
            task.cancel()
        await close_client(self._client)

    async def _join(self, token: str | None) -> None:
        await self._client.connect()
        if token is not None:
            await self._client.set_auth(token)
        # The client routes messages by topic and has no channel for the answers to heartbeats, so add one.
        heartbeats = self._heartbeats = _Heartbeats(self._client)
        self._client.channels[_HEARTBEAT_TOPIC] = heartbeats
        self._tasks.add(start_task(self._keep_beating(heartbeats)))
        channel = self._client.channel("tavern")
        for binding in self._config.bindings:
            channel.on_postgres_changes(
                RealtimePostgresChangesListenEvent.All,
                table=binding.table,
                schema="public",
                filter=binding.filter,
                callback=self._received,
            )
        channel.on_system(lambda payload: self._on_system(payload.extension))
        await channel.subscribe(self._state_changed)

    def _received(self, payload: Mapping[str, object]) -> None:
        # An error raised from here would silently end the client's reader for every channel.
        try:
            if self._heartbeats is not None:
                self._heartbeats.mark_answered()
            self._on_data(cast(Record, payload["data"]))
        except Exception as error:
            FAULTS.record("subscription", error)
            self._end("a change could not be handled")

    def _on_system(self, extension: str) -> None:
        # The message comes again after each token that is pushed. After the end it concerns a dead channel.
        if extension == "postgres_changes" and not self._ended.done():
            if not self._ready.done():
                self._ready.set_result("ready")
            self._on_subscribed()

    def _state_changed(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            self._end(f"{state.value}: {error}" if error else state.value)
        elif not self._config.bindings:
            # Without a table to follow, the server never says "Subscribed to PostgreSQL".
            self._on_system("postgres_changes")

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    async def _keep_beating(self, heartbeats: _Heartbeats) -> None:
        try:
            while await self._server_answers(heartbeats):
                self._probe.clear()
                await wait_for_event(self._probe, self._config.liveness.heartbeat())
        except Exception as error:  # whatever the socket raises, the connection is lost
            self._end(f"{type(error).__name__}: {error}")
        else:
            self._end(f"no answer for {self._timing.heartbeat_answer:g} s")

    async def _server_answers(self, heartbeats: _Heartbeats) -> bool:
        """Send a heartbeat and wait for its answer.

        While the answer is late, ask over HTTP too: when the heartbeat times out, it is known already
        whether anything answers.
        """
        timing = self._timing
        await heartbeats.send()
        if await heartbeats.answered(timing.late_after):
            return True
        async with running(self._ask()) as (asking,):
            if await heartbeats.answered(timing.heartbeat_answer - timing.late_after):
                return True
            self._nothing_answers = not (asking.done() and asking.result())
            return False

    async def _ask(self) -> bool:
        return await self._config.liveness.anything_answers()


class _Heartbeats(AsyncRealtimeChannel):
    """A channel that is never joined: it sends heartbeats and receives their answers."""

    def __init__(self, client: AsyncRealtimeClient) -> None:
        super().__init__(client, _HEARTBEAT_TOPIC)
        self._answer = asyncio.Event()
        self._count = 0

    async def send(self) -> None:
        """Send a heartbeat and forget earlier answers."""
        self._count += 1
        self._answer.clear()
        ref = f"beat-{self._count}"
        await self.socket.send(
            Message(topic=_HEARTBEAT_TOPIC, event=ChannelEvents.heartbeat, payload={}, ref=ref)
        )

    async def answered(self, within: float) -> bool:
        """Wait for the answer. Return whether it came within so many seconds.

        Time in which this process was suspended says nothing about the server and does not count.
        """
        clock, left = asyncio.get_running_loop().time, within
        for _ in range(math.ceil(_MAX_EXTENSION * within / _SLICE)):
            began, slice_ = clock(), min(_SLICE, left)
            if await wait_for_event(self._answer, slice_):
                return True
            took = clock() - began
            left -= took if took < slice_ + _SLICE else 0
            if left <= 0:
                break
        return False

    def mark_answered(self) -> None:
        """Count any other message as an answer: the server is there."""
        self._answer.set()

    def _handle_message(self, message: ServerMessage) -> None:
        if isinstance(message, ReplyMessage) and message.ref == f"beat-{self._count}":
            self._answer.set()


def unsent_table(reason: str) -> str | None:
    """Return what the database lacks if the server refuses to send a table's changes, else None.

    `reason` is that of the subscription's end.
    """
    found = _NOT_PUBLISHED.search(reason)
    if found is None:
        return None
    # As the check of the database says it, so that it is not shown twice.
    return (
        f"{found[1]} is not in the publication supabase_realtime, so its changes arrive late\n"
        f"    alter publication supabase_realtime add table public.{found[1]};"
    )


async def close_client(client: AsyncRealtimeClient) -> None:
    """Close the client's websocket. Never raises, and takes at most a second."""
    # A dead server never completes the close handshake, and the client would leave the socket open.
    websocket = client._ws_connection  # noqa: SLF001 - the client has no public way to it
    try:
        async with asyncio.timeout(_CLOSE_TIMEOUT):
            await client.close()
    except Exception as error:
        _log.debug("Closing a dead websocket: %r", error)
    finally:
        if websocket is not None:
            websocket.transport.abort()
