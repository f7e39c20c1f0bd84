"""One websocket with one channel on it, used once: when it ends, a new one takes its place.

The stock client (realtime 2.34.1) is used for the protocol only. It gives up for ever after about 15 s of
outage, dies silently when a callback raises, does not rejoin after its token expired and never checks the
answers to its heartbeats, so none of its repairs are relied on: no callback given
to it can raise, its own reconnection is off, and heartbeats of our own have to be answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
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

from live.changes import Record
from live.errors import SubscriptionError
from live.sockets import give_up
from live.timing import Timing, happens

_log: Final = logging.getLogger(__name__)

# To the client every attempt that fails is an error; here it is what an outage looks like, and the feed says
# once that there is one.
logging.getLogger("realtime").setLevel(logging.CRITICAL)

_HEARTBEATS: Final = "phoenix"
_SLICE: Final = 0.1
_PATIENCE: Final = 4
"""How many times as long an answer is waited for at most, in a process that is held up again and again."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One table to follow, with a Realtime filter or None."""

    table: str
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """How it is found out whether the other side is there."""

    pause: Callable[[], float]
    """Gives the seconds from one heartbeat's answer to the next heartbeat."""
    anything_answers: Callable[[], Awaitable[bool]]
    """Asks in another way, while a heartbeat's answer is late."""


class Subscription:
    """Follows `bindings` until it ends. All methods belong to the event loop it was made on."""

    def __init__(
        self,
        url: str,
        key: str,
        bindings: Sequence[Binding],
        timing: Timing,
        watch: Watch,
        on_data: Callable[[Record], None],
        on_subscribed: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._timing = timing
        self._watch = watch
        self._probe = asyncio.Event()
        self._bindings = bindings
        self._on_data = on_data
        self._on_subscribed = on_subscribed
        self._client = AsyncRealtimeClient(
            f"{url}/realtime/v1", key, auto_reconnect=False, timeout=int(timing.open)
        )
        self._ready: asyncio.Future[str] = loop.create_future()
        self._ended: asyncio.Future[str] = loop.create_future()
        self._heartbeats: _Heartbeats | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.nothing_answers = False
        """Whether it ended because no heartbeat was answered, and neither was anything else meanwhile."""

    async def open(self, token: str | None) -> None:
        """Return once changes arrive. Raises `SubscriptionError` when they will not."""
        try:
            async with asyncio.timeout(self._timing.open):
                await self._join(token)
                await asyncio.wait([self._ready, self._ended], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise SubscriptionError(f"No subscription within {self._timing.open:g} s") from None
        except Exception as error:
            # The client lets through whatever the socket, the resolver and the handshake raise.
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        if self._ended.done():
            raise SubscriptionError(self._ended.result())

    async def ended(self) -> str:
        """Wait for the end and return its reason."""
        return await asyncio.shield(self._ended)

    async def push_token(self, token: str) -> None:
        """Go on with a new access token, before the old one expires."""
        with contextlib.suppress(Exception):  # a dead socket: the heartbeat finds out
            await self._client.set_auth(token)

    async def close(self) -> None:
        """Give it up. Never raises, and takes no longer than a moment whatever the other side does."""
        self._end("closed by us")
        for task in self._tasks:
            task.cancel()
        await give_up(self._client)

    async def _join(self, token: str | None) -> None:
        await self._client.connect()
        if token is not None:
            await self._client.set_auth(token)
        # The client routes by topic and knows no one for the heartbeats' answers, so it is told of us.
        heartbeats = self._heartbeats = _Heartbeats(self._client)
        self._client.channels[_HEARTBEATS] = heartbeats
        self._tasks.add(asyncio.create_task(self._beat(heartbeats)))
        channel = self._client.channel("tavern")
        for binding in self._bindings:
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
        # What is raised from here would kill the client's reader of every channel, in silence.
        try:
            if self._heartbeats is not None:
                self._heartbeats.hear()
            self._on_data(cast(Record, payload["data"]))
        except Exception:
            _log.exception("A change could not be taken")
            self._end("a change could not be taken")

    def _on_system(self, extension: str) -> None:
        # Again after each token that is pushed. What comes after the end is of a channel that is given up.
        if extension == "postgres_changes" and not self._ended.done():
            if not self._ready.done():
                self._ready.set_result("ready")
            self._on_subscribed()

    def _state_changed(self, state: RealtimeSubscribeStates, error: Exception | None) -> None:
        if state is not RealtimeSubscribeStates.SUBSCRIBED:
            self._end(f"{state.value}: {error}" if error else state.value)

    def _end(self, reason: str) -> None:
        if not self._ended.done():
            self._ended.set_result(reason)

    def probe(self) -> None:
        """Send a heartbeat at once, to find out whether the other side is there."""
        self._probe.set()

    async def _beat(self, heartbeats: _Heartbeats) -> None:
        try:
            while await self._is_there(heartbeats):
                self._probe.clear()
                await happens(self._probe, self._watch.pause())
        except Exception as error:  # whatever the socket raises, it is the end
            self._end(f"{type(error).__name__}: {error}")
        else:
            self._end(f"no answer for {self._timing.heartbeat_answer:g} s")

    async def _is_there(self, heartbeats: _Heartbeats) -> bool:
        """Send a heartbeat and wait; that nothing at all answers is known with it, not only after it."""
        timing = self._timing
        await heartbeats.send()
        if await heartbeats.heard(timing.late):
            return True
        asking = asyncio.ensure_future(self._watch.anything_answers())
        try:
            if await heartbeats.heard(timing.heartbeat_answer - timing.late):
                return True
            self.nothing_answers = not (asking.done() and asking.result())
            return False
        finally:
            asking.cancel()


class _Heartbeats(AsyncRealtimeChannel):
    """Sends heartbeats that ask for an answer, and hears the answers. Never joined."""

    def __init__(self, client: AsyncRealtimeClient) -> None:
        super().__init__(client, _HEARTBEATS)
        self._answer = asyncio.Event()
        self._count = 0

    async def send(self) -> None:
        """Send one, whose answer is waited for from now on."""
        self._count += 1
        self._answer.clear()
        ref = f"beat-{self._count}"
        await self.socket.send(Message(topic=_HEARTBEATS, event=ChannelEvents.heartbeat, payload={}, ref=ref))

    async def heard(self, within: float) -> bool:
        """Return whether the answer comes in time."""
        clock, left = asyncio.get_running_loop().time, within
        for _ in range(math.ceil(_PATIENCE * within / _SLICE)):
            began, slice_ = clock(), min(_SLICE, left)
            if await happens(self._answer, slice_):
                return True
            # A time in which this process was held up says nothing about the other side.
            took = clock() - began
            left -= took if took < slice_ + _SLICE else 0
            if left <= 0:
                break
        return False

    def hear(self) -> None:
        """Take any message as an answer: whoever sends is there."""
        self._answer.set()

    def _handle_message(self, message: ServerMessage) -> None:
        if isinstance(message, ReplyMessage) and message.ref == f"beat-{self._count}":
            self._answer.set()
