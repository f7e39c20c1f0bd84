"""All streams of the process: how many there are, and what wakes them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from api.auth import Caller
from api.errors import Away, TooMany
from api.stream_feed import Feed, Pace
from db.errors import SignedOut
from live.engine import STATUS, Engine
from live.status import FeedState

MOST_A_PERSON: Final = 8
MOST: Final = 500
_TIMEOUT: Final = httpx.Timeout(10.0, connect=4.0)
_TRY_AGAIN: Final = 10
"""Seconds after which a stream may have ended."""


class Place:
    """One stream's place among the others, and its person's in the engine. `leave` gives it back."""

    def __init__(self, hub: Hub, caller: Caller, ends_at: float) -> None:
        self.id: Final = f"stream-{uuid.uuid4()}"
        self.user_id: Final = caller.user_id
        self.engine: Final = caller.backend.engine
        self.feed: Feed | None = None
        self._hub = hub
        self._caller = caller
        self._ends_at = ends_at

    # What the engine asks of a signed-in person.

    @property
    def claims(self) -> Mapping[str, object]:
        """What the token says of the person."""
        return self._caller.claims

    def access_token(self) -> str:
        """Return the token that the stream was opened with. Raises `SignedOut` when it has ended."""
        if self._hub.now() >= self._ends_at:
            raise SignedOut
        return self._caller.token

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Do nothing: whoever has a new token opens a new stream."""
        del callback
        return lambda: None

    def leave(self) -> None:
        """Give the place back. Idempotent."""
        self._hub.leave(self)


class Hub:
    """The open streams. Belongs to one event loop; the engine tells of changes on threads of its own."""

    def __init__(self, now: Callable[[], float], pace: Pace | None = None) -> None:
        self.now: Final = now
        self.pace: Final = pace or Pace()
        self._places: dict[str, Place] = {}
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unlisten: Callable[[], None] | None = None
        self._closing: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many streams are open."""
        return len(self._places)

    def take(self, caller: Caller, ends_at: float) -> Place:
        """Return a place for one more stream of this person. Raises `TooMany`, or `Away` if all are taken."""
        if sum(place.user_id == caller.user_id for place in self._places.values()) >= MOST_A_PERSON:
            raise TooMany(
                _TRY_AGAIN, f"You have {MOST_A_PERSON} streams open, which is the most. Close one first."
            )
        if len(self._places) >= MOST:
            raise Away("There are too many streams now. Please try again soon.")
        place = Place(self, caller, ends_at)
        if not self._places:
            self._loop = asyncio.get_running_loop()
            self._unlisten = place.engine.listen(self._changed)
        self._places[place.id] = place
        place.engine.attach(place.id, place)
        return place

    def leave(self, place: Place) -> None:
        """Forget a stream, and with the last one what served them all."""
        if self._places.pop(place.id, None) is None:
            return
        place.engine.detach(place.id)
        if self._places:
            return
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        if self._http is not None and self._loop is not None:
            self._closing = self._loop.create_task(self._http.aclose())
            self._http = None

    def http(self) -> httpx.AsyncClient:
        """Return the connections that all streams share."""
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=_TIMEOUT, limits=httpx.Limits(max_connections=64, keepalive_expiry=30)
            )
        return self._http

    def follow(self, place: Place, feed: Feed) -> None:
        """Wake the feed from now on when the engine hears of a change in its tables."""
        place.feed = feed
        feed.fed = _fed(place.engine, place.user_id)

    def _changed(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        if self._loop is not None and not self._loop.is_closed() and not sessions.isdisjoint(self._places):
            self._loop.call_soon_threadsafe(self._wake, sessions, tables)

    def _wake(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        for place in list(self._places.values()):
            if place.feed is None or place.id not in sessions:
                continue
            if STATUS in tables:
                place.feed.fed = _fed(place.engine, place.user_id)
                place.feed.wake()
            elif not tables.isdisjoint(place.feed.tables):
                place.feed.wake()


def _fed(engine: Engine, user_id: str) -> bool:
    return engine.status(user_id).state is FeedState.LIVE
