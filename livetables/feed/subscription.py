"""One channel on a websocket, used once: when it ends, a new one takes its place.

`connection` has the websockets, which many subscriptions share.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from realtime import RealtimePostgresChangesListenEvent, RealtimeSubscribeStates

from livetables.errors import SubscriptionError
from livetables.faults import FAULTS
from livetables.feed.connection import Channel, Connections, Place
from livetables.tables.changes import Record
from livetables.timing import Timing

_NOT_PUBLISHED: Final = re.compile(r"Please check Realtime is enabled .*?\btable: ([^,\]]+)")
_FULL: Final = re.compile(r"(Channel|Join)RateLimitReached|PostgresChangesLimitReached")


@dataclass(frozen=True, slots=True)
class Binding:
    """One table to follow, with a Realtime filter or None."""

    table: str
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionConfig:
    """What to follow and where. Every subscription of a feed is made from the same config."""

    bindings: Sequence[Binding]
    timing: Timing
    connections: Connections


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
        self._timing, self._connections = config.timing, config.connections
        self._config = config
        self._on_data = on_data
        self._on_subscribed = on_subscribed
        self._place: Place | None = None
        self._channel: Channel | None = None
        self._newest_token: str | None = None
        self._ready: asyncio.Future[str] = loop.create_future()
        self._ended: asyncio.Future[str] = loop.create_future()

    @property
    def nothing_answers(self) -> bool:
        """Whether it ended because no heartbeat was answered and neither was any other request meanwhile."""
        return self._place is not None and self._place.connection.nothing_answers

    async def open(self, token: str | None) -> None:
        """Connect and join. Return once changes arrive. Without a token it subscribes as `anon`.

        Raises `SubscriptionError`, `Timing.open` seconds after its turn at the latest.
        """
        await self._connections.turn_to_join()
        try:
            async with asyncio.timeout(self._timing.open):
                await self._join(token)
                await asyncio.wait([self._ready, self._ended], return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            raise SubscriptionError(f"No subscription within {self._timing.open:g} s") from None
        except Exception as error:
            # The client passes on whatever the socket, the resolver and the handshake raise.
            raise SubscriptionError(f"{type(error).__name__}: {error}") from error
        finally:
            self._abandon_if_useless()
        if self._ended.done():
            raise SubscriptionError(self._ended.result())

    def _abandon_if_useless(self) -> None:
        """Let the next attempt have a new connection if this one gave no answer, or is full."""
        unanswered = self._channel is not None and not self._ready.done() and not self._ended.done()
        full = self._ended.done() and _FULL.search(self._ended.result()) is not None
        if self._place is not None and (unanswered or full):
            self._place.connection.abandon()

    async def ended(self) -> str:
        """Wait for the end. Return its reason."""
        return await asyncio.shield(self._ended)

    async def push_token(self, token: str) -> None:
        """Send a new access token before the old one expires."""
        self._newest_token = token
        if self._channel is not None:
            with contextlib.suppress(Exception):  # on a dead socket; the heartbeat notices that
                await self._channel.renew(token)

    def probe(self) -> None:
        """Send a heartbeat at once."""
        if self._place is not None:
            self._place.connection.probe()

    async def close(self) -> None:
        """Leave the channel, and close the websocket if no other one is on it.

        Never raises, and takes a few seconds at most whatever the server does.
        """
        self._end("closed by us")
        place, self._place = self._place, None
        if place is None:
            return
        try:
            if self._channel is not None and len(place.connection.places) > 1:
                await self._channel.leave()
        finally:
            await self._connections.leave(place)

    async def _join(self, token: str | None) -> None:
        place = self._place = self._connections.take_place(len(self._config.bindings), self._end)
        await place.connection.connect()
        client = place.connection.client
        channel = self._channel = Channel(client, place.topic, self._newest_token or token)
        client.channels[channel.topic] = channel
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
        await channel.send_newest_token()

    def _received(self, payload: Mapping[str, object]) -> None:
        # An error raised from here would silently end the client's reader for every channel.
        try:
            if self._place is not None:
                self._place.connection.mark_answered()
            if not self._ended.done():  # a channel that has ended may still be sent something
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
