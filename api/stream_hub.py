"""The open streams of this process: it limits their number, and wakes them when the engine sees a change."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import Final

import httpx

from api.auth import Caller
from api.errors import ServiceUnavailableError, TooManyRequestsError
from api.stream_feed import ChangeStream, Pace
from db.errors import SignedOutError
from livetables.background import spawn
from livetables.engine import STATUS, Engine
from livetables.faults import FAULTS
from livetables.feed.status import FeedState

MOST_PER_PERSON: Final = 8
MOST: Final = 500
_TIMEOUT: Final = httpx.Timeout(10.0, connect=4.0)
_RETRY_AFTER: Final = 10
"""Seconds after which one of a person's streams may have ended."""


class StreamSession:
    """One open stream. For the engine it is a session of the signed-in person. Close it with `close`."""

    def __init__(self, hub: Hub, caller: Caller, ends_at: float) -> None:
        self.id: Final = f"stream-{uuid.uuid4()}"
        self.user_id: Final = caller.user_id
        self.engine: Final = caller.backend.engine
        self.stream: ChangeStream | None = None
        self._hub = hub
        self._caller = caller
        self._ends_at = ends_at

    # The methods that the engine calls on a signed-in person.

    def access_token(self) -> str:
        """Return the token that opened the stream. Raises `SignedOutError` once it has expired."""
        if self._hub.now() >= self._ends_at:
            raise SignedOutError
        return self._caller.token

    def on_token(self, callback: Callable[[str], object]) -> Callable[[], None]:
        """Do nothing, since a stream keeps its token: a caller with a new one opens a new stream."""
        del callback
        return lambda: None

    def close(self) -> None:
        """Remove the stream from the hub. Idempotent."""
        self._hub.close(self)


class Hub:
    """The open streams. Belongs to one event loop; the engine calls it on threads of its own.

    `now` returns the Unix time, `pace` has the intervals of the streams.
    """

    def __init__(self, now: Callable[[], float], pace: Pace | None = None) -> None:
        self.now: Final = now
        self.pace: Final = pace or Pace()
        self._sessions: dict[str, StreamSession] = {}
        self._http: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._closing_http: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Count the open streams."""
        return len(self._sessions)

    @property
    def sessions(self) -> Mapping[str, StreamSession]:
        """The open streams by their ids."""
        return self._sessions

    @property
    def idle(self) -> bool:
        """Whether nothing is held for streams: no session, no connection, no listener."""
        return not self._sessions and self._http is None and self._stop_listening is None

    def open(self, caller: Caller, ends_at: float) -> StreamSession:
        """Add a stream for this person, which ends at this Unix time.

        Raises `TooManyRequestsError` if the person has too many streams, `ServiceUnavailableError` if the
        process has.
        """
        if sum(one.user_id == caller.user_id for one in self._sessions.values()) >= MOST_PER_PERSON:
            raise TooManyRequestsError(
                _RETRY_AFTER, f"You have {MOST_PER_PERSON} streams open, which is the most. Close one first."
            )
        if len(self._sessions) >= MOST:
            raise ServiceUnavailableError("There are too many streams now. Please try again soon.")
        session = StreamSession(self, caller, ends_at)
        if not self._sessions:
            self._loop = asyncio.get_running_loop()
            self._stop_listening = session.engine.listen(self._on_change)
        self._sessions[session.id] = session
        session.engine.attach(session.id, session)
        return session

    def close(self, session: StreamSession) -> None:
        """Remove a stream; after the last one, release what all streams share."""
        if self._sessions.pop(session.id, None) is None:
            return
        session.engine.detach(session.id)
        if self._sessions:
            return
        if self._stop_listening is not None:
            self._stop_listening()
            self._stop_listening = None
        if self._http is not None and self._loop is not None:
            self._closing_http = spawn("streams", self._http.aclose())
            self._http = None

    def http(self) -> httpx.AsyncClient:
        """Return the connection pool that all streams share."""
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=_TIMEOUT, limits=httpx.Limits(max_connections=64, keepalive_expiry=30)
            )
        return self._http

    def connect(self, session: StreamSession, stream: ChangeStream) -> None:
        """Wake this stream from now on when the engine sees a change in its tables."""
        session.stream = stream
        stream.engine_is_live = _is_live(session.engine, session.user_id)

    def _on_change(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        if (
            self._loop is not None
            and not self._loop.is_closed()
            and not sessions.isdisjoint(tuple(self._sessions))
        ):
            self._loop.call_soon_threadsafe(self._wake, sessions, tables)

    def _wake(self, sessions: frozenset[str], tables: frozenset[str]) -> None:
        for session in list(self._sessions.values()):
            if session.id in sessions:
                with FAULTS.contained("streams"):
                    _wake(session, tables)


def _wake(session: StreamSession, tables: frozenset[str]) -> None:
    if session.stream is None:
        return
    if STATUS in tables:
        session.stream.engine_is_live = _is_live(session.engine, session.user_id)
        session.stream.wake()
    elif not tables.isdisjoint(session.stream.tables):
        session.stream.wake()


def _is_live(engine: Engine, user_id: str) -> bool:
    return engine.status(user_id).state is FeedState.LIVE
