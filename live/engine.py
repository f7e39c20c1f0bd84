"""The engine: one per process, in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Self, TypeVar

import httpx

from live.audiences import Audience, EngineConfig
from live.changes import Key, Record
from live.errors import LiveError
from live.presence import PRESENCE
from live.presence_feed import PresenceFeed
from live.snapshot import Snapshot
from live.status import FeedState, FeedStatus
from live.tables import AnySpec
from live.tables import Audience as Readers
from live.timing import Timing
from live.users import UserSession

__all__ = ["STATUS", "Engine", "EngineConfig", "Listener"]

T = TypeVar("T")

STATUS: Final = "status"
"""Stands among table names for how the engine is connected."""

Listener = Callable[[frozenset[str], frozenset[str]], None]
"""Is told, on any thread, which sessions show something else now, and of which tables. Must not block."""

_ENDING: Final = 3.0
"""Seconds that feeds and libraries get to end by themselves."""

_WORST_FIRST: Final = (
    FeedState.OFFLINE,
    FeedState.CONNECTING,
    FeedState.POLLING,
    FeedState.CATCHING_UP,
    FeedState.LIVE,
)


class Engine:
    """Keeps every table current for every audience, and says which sessions show what changed.

    Every method may be called on any thread.
    """

    def __init__(self, config: EngineConfig, specs: Sequence[AnySpec], timing: Timing | None = None) -> None:
        self.config: Final = config
        self.timing: Final = timing or Timing()
        self._private: Final = [spec for spec in specs if spec.audience is Readers.USER]
        public = [spec for spec in specs if spec.audience is Readers.PUBLIC]
        self._lock = threading.RLock()
        self._public = Audience(None, public, lambda _: True, self._changed, self._status_changed)
        self._audiences: dict[str, Audience] = {}
        self._sessions: dict[str, str | None] = {}
        self._token_watches: dict[str, Callable[[], None]] = {}
        self._feeds: dict[str | None, asyncio.Task[None]] = {}
        self._pushes: set[asyncio.Task[None]] = set()
        self._status_revision = 0
        self._own: dict[tuple[str, str], int] = {}
        self.presence: Final = PresenceFeed(self._open_presence, self._presence_changed)
        self._listeners: list[Listener] = []
        self._loop = asyncio.new_event_loop()
        self._http: httpx.AsyncClient | None = None
        self._public_loaded = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="live engine", daemon=True)

    @classmethod
    def start(cls, config: EngineConfig, specs: Sequence[AnySpec], timing: Timing | None = None) -> Self:
        """Start the thread and the public feed; return at once."""
        engine = cls(config, specs, timing)
        engine._thread.start()
        return engine

    def stop(self) -> None:
        """Close every feed and end the thread."""
        if self._thread.is_alive():
            self._call(lambda: self._spawn(self._close_down()))
            self._thread.join()
        self._loop.close()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of changes from now on; return how to stop that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # Reading.

    def wait_loaded(self, timeout: float | None = None, *, user_id: str | None = None) -> bool:
        """Wait for the public tables (and this user's) to be loaded; False after `timeout` seconds."""
        return all(audience.store.loaded.wait(timeout) for audience in self._audiences_of(user_id))

    def tables(self, user_id: str | None = None) -> Mapping[str, Snapshot[Any]]:
        """Return all tables this person may read, at one moment. A table not loaded yet is empty."""
        return {
            name: table for audience in self._audiences_of(user_id) for name, table in audience.tables.items()
        }

    def revision(self, table: str, user_id: str | None = None) -> int:
        """Return a number that changes with what this person is shown of a table, `STATUS` or `PRESENCE`.

        Of something of their own (`own_changed`) it is the number that was given last.
        """
        if table in (STATUS, PRESENCE):
            return self._status_revision if table == STATUS else self.presence.revision
        for audience in self._audiences_of(user_id):
            if table in audience.store.specs:
                return audience.store.moment.tables[table].revision
        return self._own.get((table, user_id or ""), 0)

    def status(self, user_id: str | None = None) -> FeedStatus:
        """Return how the person is connected: the worse of the public feed and their own."""
        statuses = [audience.status for audience in self._audiences_of(user_id)]
        worst = min(statuses, key=lambda status: _WORST_FIRST.index(status.state))
        lags = [status.last_lag for status in statuses if status.last_lag is not None]
        return FeedStatus(
            worst.state,
            worst.since,
            max(lags, default=None),
            sum(status.repaired for status in statuses),
        )

    def load_older(self, table: str, user_id: str | None = None, *, timeout: float = 10) -> bool:
        """Load the next older rows of a windowed table, waiting for them; False when there are none.

        Raises `ReadError` when nothing usable came back, `TimeoutError` when nothing did in time.
        """
        audience = self._audience_for(table, user_id)
        future = asyncio.run_coroutine_threadsafe(audience.load_older(table), self._loop)
        return future.result(timeout)

    # Writing.

    def apply_written(self, table: str, record: Record, user_id: str | None = None) -> None:
        """Show a row that a write just returned at once; what the stream tells of it later changes nothing.

        `user_id` is the writer's for a private table; a public one goes to everybody.
        """
        self._audience_for(table, user_id).store.apply_written(table, record)

    def apply_deleted(
        self, table: str, key: Key, version: int | None = None, user_id: str | None = None
    ) -> None:
        """Show at once that the writer deleted this row; `version` is the one they deleted, if known."""
        store = self._audience_for(table, user_id).store
        store.apply_deleted(table, key, version or 0)

    # Sessions.

    def attach(self, session_id: str, user: UserSession | None) -> None:
        """Count this session in for wakes and keep its user's feed open. Idempotent."""
        with self._lock:
            user_id = None if user is None else user.user_id
            known = self._audiences.get(user_id) if user_id is not None else self._public
            joined = known is not None and (user is None or known.users.get(session_id) is user)
            if joined and session_id in self._sessions and self._sessions[session_id] == user_id:
                return
            self._detach(session_id)
            self._sessions[session_id] = user_id
            if user is not None:
                self._join(session_id, user)

    def detach(self, session_id: str) -> None:
        """Forget the session; the user's feed closes a little after the last one."""
        with self._lock:
            self._detach(session_id)

    @property
    def sessions(self) -> Mapping[str, str | None]:
        """The user's id, or None, of every session counted in."""
        with self._lock:
            return dict(self._sessions)

    @property
    def feeds(self) -> frozenset[str | None]:
        """Whose feeds are open; None is the public one."""
        return frozenset(self._feeds)

    def sign_in_ended(self, user_id: str) -> None:
        """Wake this person's sessions, whose scripts find out that they are signed out."""
        audience = self._audiences.get(user_id)
        if audience is not None:
            self._status_changed(audience)

    def own_changed(self, name: str, user_id: str, revision: int) -> None:
        """Wake this person's fragments that show `name`: something of theirs that is in no table.

        `revision` is another number for each look it has had, 0 for its usual one.
        """
        with self._lock:
            if revision:
                self._own[name, user_id] = revision
            else:
                self._own.pop((name, user_id), None)
        self._tell(user_id, frozenset({name}))

    def _join(self, session_id: str, user: UserSession) -> None:
        audience = self._audiences.get(user.user_id)
        if audience is None:
            audience = self._audiences[user.user_id] = self._new_audience(user.user_id)
        audience.users[session_id] = user
        self._token_watches[session_id] = user.on_token(lambda token: self._push_token(user.user_id, token))
        self._call(self._open_feed, audience)

    def _detach(self, session_id: str) -> None:
        user_id = self._sessions.pop(session_id, None)
        self.presence.leave(session_id)
        if watch := self._token_watches.pop(session_id, None):
            watch()
        audience = None if user_id is None else self._audiences.get(user_id)
        if audience is not None:
            audience.users.pop(session_id, None)
            if not audience.users:
                self._call(self._loop.call_later, self.timing.linger, self._close_unused, audience)

    def _new_audience(self, user_id: str) -> Audience:
        def may_read(spec: AnySpec) -> bool:
            return spec.visible_to is None or spec.visible_to(user_id, self._public.store.moment.tables)

        return Audience(user_id, self._private, may_read, self._changed, self._status_changed)

    def _audiences_of(self, user_id: str | None) -> list[Audience]:
        own = None if user_id is None else self._audiences.get(user_id)
        return [self._public] if own is None else [self._public, own]

    def _audience_for(self, table: str, user_id: str | None) -> Audience:
        for audience in self._audiences_of(user_id):
            if table in audience.store.specs:
                return audience
        raise LiveError(f"No feed of {user_id or 'the public'} holds a table {table!r}")

    # What the audiences report, on any thread.

    def _changed(self, audience: Audience, tables: frozenset[str]) -> None:
        if audience is self._public:
            self._call(self._check_readable)
        self._tell(audience.user_id, tables)

    def _status_changed(self, audience: Audience) -> None:
        with self._lock:
            self._status_revision += 1
        if self._public.store.loaded.is_set():
            self._public_loaded.set()
        if audience is self._public and audience.status.state is not FeedState.LIVE:
            # What cut this feed off has most likely cut off the others.
            self._call(self._probe)
        self._tell(audience.user_id, frozenset({STATUS}))

    def _presence_changed(self) -> None:
        self._tell(None, frozenset({PRESENCE}))

    def _tell(self, user_id: str | None, tables: frozenset[str]) -> None:
        """Tell of this person's sessions, or with None of everybody's."""
        with self._lock:
            concerned = frozenset(
                session for session, user in self._sessions.items() if user_id is None or user == user_id
            )
        if concerned:
            for listener in tuple(self._listeners):
                listener(concerned, tables)

    # In the loop.

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._http = httpx.AsyncClient(
            timeout=self.timing.request,
            # What is asked again goes out on a new connection, for none is idle that long.
            limits=httpx.Limits(max_connections=100, keepalive_expiry=self.timing.again),
        )
        self._open_feed(self._public)
        self._loop.run_forever()

    async def _close_down(self) -> None:
        """Close the feeds in good order, then end whatever the libraries have left running."""
        feeds = [*self._feeds.values(), *self._pushes]
        for feed in feeds:
            feed.cancel()
        if feeds:
            await asyncio.wait(feeds, timeout=_ENDING)
        assert self._http is not None
        await self._http.aclose()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=_ENDING)
        await self._loop.shutdown_default_executor()
        self._loop.stop()

    def _call(self, function: Callable[..., object], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _spawn(self, coroutine: Coroutine[object, object, T]) -> asyncio.Task[T]:
        return self._loop.create_task(coroutine)

    def _open_presence(self) -> None:
        self._call(lambda: self._pushes.add(self._spawn(self.presence.run(self.config))))

    def _open_feed(self, audience: Audience) -> None:
        if audience.user_id not in self._feeds:
            self._feeds[audience.user_id] = self._spawn(self._feed(audience))

    async def _feed(self, audience: Audience) -> None:
        assert self._http is not None
        if audience is not self._public:
            # Which private tables a user may read can depend on the public ones.
            await self._public_loaded.wait()
        await audience.run(self.config, self.timing, self._http)

    def _close_unused(self, audience: Audience) -> None:
        assert audience.user_id is not None
        with self._lock:
            if audience.users or self._audiences.get(audience.user_id) is not audience:
                return
            del self._audiences[audience.user_id]
        self._feeds.pop(audience.user_id).cancel()

    def _check_readable(self) -> None:
        with self._lock:
            audiences = tuple(self._audiences.values())
        for audience in audiences:
            audience.check_readable()

    def _probe(self) -> None:
        with self._lock:
            audiences = tuple(self._audiences.values())
        for audience in audiences:
            audience.probe()

    def _push_token(self, user_id: str, token: str) -> None:
        def push() -> None:
            audience = self._audiences.get(user_id)
            if audience is not None:
                self._pushes.add(task := self._spawn(audience.push_token(token)))
                task.add_done_callback(self._pushes.discard)

        self._call(push)
