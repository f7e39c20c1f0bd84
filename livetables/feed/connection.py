"""Websockets that carry the channels of many subscriptions, and the heartbeats that show that they are alive.

Each channel is joined with a token of its own, and only its own messages reach its subscription: one may be
refused, expire or fail, and the others go on. A connection is used once. When it ends, every subscription on
it ends, and each opens a new one after its own pause.

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
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from realtime import (
    AsyncRealtimeChannel,
    AsyncRealtimeClient,
    ChannelEvents,
    Message,
    ReplyMessage,
    ServerMessage,
)

from livetables.background import running, start_task
from livetables.config import EngineConfig
from livetables.errors import SubscriptionError
from livetables.timing import Timing, wait_for_event

_log: Final = logging.getLogger(__name__)

# The client logs every failed attempt as an error. During an outage that is what attempts do, and the feed
# reports the outage once.
logging.getLogger("realtime").setLevel(logging.CRITICAL)

MOST_CHANNELS: Final = 100
"""How many channels a connection may have. Realtime refuses more."""

MOST_BINDINGS: Final = 1000
"""How many bindings the channels of a connection may have together. The embedded Realtime refuses more."""

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds for the server to complete the close handshake, or to answer a channel that leaves."""

_HEARTBEAT_TOPIC: Final = "phoenix"
_SLICE: Final = 0.1
"""Seconds in one step of waiting for an answer. A step that takes much longer shows that this process was
suspended."""
_MAX_EXTENSION: Final = 4
"""A process that is suspended again and again waits at most this many times as long for an answer."""


@dataclass(frozen=True, slots=True)
class LivenessCheck:
    """How a connection finds out whether the server is still there."""

    heartbeat: Callable[[], float]
    """Returns the seconds from one heartbeat's answer to the next heartbeat."""
    anything_answers: Callable[[], Awaitable[bool]]
    """Asks the server in another way. Called while a heartbeat's answer is late."""


@dataclass(eq=False, slots=True)
class Place:
    """The place of one subscription on a connection. `on_end` is called once if the connection ends."""

    connection: Connection
    topic: str
    bindings: int
    on_end: Callable[[str], None]


class Connections:
    """The connections that subscriptions share: at most `most_channels` each. Belongs to the event loop."""

    def __init__(
        self,
        project: EngineConfig,
        timing: Timing,
        liveness: LivenessCheck,
        most_channels: int = MOST_CHANNELS,
    ) -> None:
        self.project, self.timing, self.liveness = project, timing, liveness
        self._most_channels = most_channels
        self._open: list[Connection] = []
        self._joined = 0
        self._next_join = 0.0

    def __len__(self) -> int:
        return len(self._open)

    def take_place(self, bindings: int, on_end: Callable[[str], None]) -> Place:
        """Return a place for a channel with so many bindings, on a new connection if none has room."""
        found = next((each for each in self._open if each.usable and self._has_room(each, bindings)), None)
        if found is None:
            found = Connection(self)
            self._open.append(found)
        self._joined += 1
        # No topic is used again: what is still sent to a channel that has ended must not reach another one.
        topic = "tavern" if self._most_channels == 1 else f"tavern-{self._joined}"
        place = Place(found, topic, bindings, on_end)
        found.places.append(place)
        return place

    async def leave(self, place: Place) -> None:
        """Give the place back, and close the connection after the last one. Never raises."""
        connection = place.connection
        if place in connection.places:
            connection.places.remove(place)
        if not connection.places:
            if connection in self._open:
                self._open.remove(connection)
            await connection.close()

    async def turn_to_join(self) -> None:
        """Wait until it is this channel's turn to join.

        Realtime closes the websocket of whoever joins too many channels a second, with all its channels.
        """
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_join)
        self._next_join = turn + 1 / self.timing.joins_per_second
        if turn > now:
            await asyncio.sleep(turn - now)

    def _has_room(self, connection: Connection, bindings: int) -> bool:
        taken = sum(place.bindings for place in connection.places)
        return len(connection.places) < self._most_channels and taken + bindings <= MOST_BINDINGS


class Connection:
    """One websocket. It connects once, sends heartbeats, and ends."""

    def __init__(self, connections: Connections) -> None:
        project, self._timing = connections.project, connections.timing
        self._liveness = connections.liveness
        self.places: Final[list[Place]] = []
        self.client: Final = AsyncRealtimeClient(
            f"{project.url}/realtime/v1", project.key, auto_reconnect=False, timeout=int(self._timing.open)
        )
        # The client routes messages by topic and has no channel for the answers to heartbeats, so add one.
        self._heartbeats = Heartbeats(self.client)
        self.client.channels[_HEARTBEAT_TOPIC] = self._heartbeats
        self._probe = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: asyncio.Task[None] | None = None
        self._connected = False
        self._end_reason: str | None = None
        self._abandoned = False
        self.nothing_answers = False
        """Whether it ended because no heartbeat was answered and neither was any other request meanwhile."""

    @property
    def usable(self) -> bool:
        """Whether more channels may join."""
        if self._end_reason is not None or self._abandoned:
            return False
        return self.client.is_connected or not self._connected

    async def connect(self) -> None:
        """Wait until it is connected, whoever began to connect it. Raises `SubscriptionError`."""
        if self._connecting is None:
            self._connecting = start_task(self._connect())
        try:
            # Whoever waits no longer must not take the connection from the others.
            await asyncio.shield(self._connecting)
        finally:
            if not self._connected:
                self.abandon()
        self.check()

    def abandon(self) -> None:
        """Let no more channels join: whoever comes next may be answered on a new connection."""
        self._abandoned = True

    def check(self) -> None:
        """Raise `SubscriptionError` if no channel can join: the client would connect anew by itself."""
        if self._end_reason is not None:
            raise SubscriptionError(self._end_reason)
        if not self.client.is_connected:
            raise SubscriptionError("The websocket is closed")

    def probe(self) -> None:
        """Send a heartbeat at once."""
        self._probe.set()

    def mark_answered(self) -> None:
        """Count a message of any channel as an answer: the server is there."""
        self._heartbeats.mark_answered()

    async def close(self) -> None:
        """Close the websocket. Never raises, and takes at most a second whatever the server does."""
        self._end("closed by us")
        for task in (*self._tasks, *filter(None, [self._connecting])):
            task.cancel()
        await close_client(self.client)

    async def _connect(self) -> None:
        try:
            await self.client.connect()
        except Exception as error:
            # The client passes on whatever the socket, the resolver and the handshake raise.
            self._end(f"{type(error).__name__}: {error}")
            return
        self._connected = True
        self._tasks.add(start_task(self._keep_beating()))

    def _end(self, reason: str) -> None:
        if self._end_reason is None:
            self._end_reason = reason
            for place in tuple(self.places):
                place.on_end(reason)

    async def _keep_beating(self) -> None:
        try:
            while await self._server_answers():
                self._probe.clear()
                await wait_for_event(self._probe, self._liveness.heartbeat())
        except Exception as error:  # whatever the socket raises, the connection is lost
            self._end(f"{type(error).__name__}: {error}")
        else:
            self._end(f"no answer for {self._timing.heartbeat_answer:g} s")

    async def _server_answers(self) -> bool:
        """Send a heartbeat and wait for its answer.

        While the answer is late, ask over HTTP too: when the heartbeat times out, it is known already
        whether anything answers.
        """
        timing = self._timing
        await self._heartbeats.send()
        if await self._heartbeats.answered(timing.late_after):
            return True
        async with running(self._ask()) as (asking,):
            if await self._heartbeats.answered(timing.heartbeat_answer - timing.late_after):
                return True
            self.nothing_answers = not (asking.done() and asking.result())
            return False

    async def _ask(self) -> bool:
        return await self._liveness.anything_answers()


class Channel(AsyncRealtimeChannel):
    """A channel that joins with a token of its own; the client has one for all. None joins as `anon`."""

    def __init__(self, client: AsyncRealtimeClient, topic: str, token: str | None) -> None:
        super().__init__(client, f"realtime:{topic}")
        self._token = token
        self._sent_token = token

    async def renew(self, token: str) -> None:
        """Use this token from now on."""
        self._token = token
        if self.is_joined:
            await self.send_newest_token()

    async def send_newest_token(self) -> None:
        """Send the newest token if the server does not have it. It came while the channel was joining."""
        if self._token is not None and self._token != self._sent_token:
            self._sent_token = self._token
            await self.push(ChannelEvents.access_token, {"access_token": self._token})

    async def leave(self) -> None:
        """Leave, whatever the state. Never raises, and takes at most a second."""
        if self.is_closed or not self.socket.is_connected:
            self.rejoin_timer.reset()
            self.join_push.destroy()
            self.socket._remove_channel(self)  # noqa: SLF001 - it has no public name
            return
        with contextlib.suppress(Exception):  # of a dead socket, which the heartbeats notice
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self.unsubscribe()

    async def _rejoin(self) -> None:
        if self._token is not None:
            self._sent_token = self._token
            self.join_push.update_payload({"access_token": self._token})
        await super()._rejoin()


class Heartbeats(AsyncRealtimeChannel):
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
