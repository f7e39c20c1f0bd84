"""The engine: one per process, in a thread of its own, with an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Self

import httpx

from live.audiences import OPENING, Audience, EngineConfig, Reports
from live.background import Background
from live.changes import Change, Key, Record
from live.errors import LiveError
from live.filters import Filter, canonical, check
from live.listeners import Listener, Listeners
from live.matching import matches
from live.presence import PRESENCE
from live.presence_feed import PresenceFeed
from live.reach import Reach
from live.reads import connections
from live.snapshot import Snapshot
from live.status import FeedState, FeedStatus, together
from live.subscription import Watch
from live.tables import AnySpec, PublicTables
from live.tables import Audience as Readers
from live.timing import Timing, heartbeat_of_many
from live.users import UserSession
from live.views import Choice, Views

__all__ = ["STATUS", "Engine", "EngineConfig", "Listener"]

STATUS: Final = "status"
"""Stands among table names for how the engine is connected."""


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
        self._reports = Reports(self._changed, self._status_changed, self._streamed)
        self._public = Audience(None, public, self._public_tables, self._reports)
        self._views: Final = Views(self._open_view, self._close_view, self._close_view_soon)
        self._audiences: dict[str, Audience] = {}
        self._sessions: dict[str, str | None] = {}
        self._token_watches: dict[str, Callable[[], None]] = {}
        self._feeds: dict[Audience, asyncio.Task[None]] = {}
        self._status_revision = 0
        self._probing = False
        self._own: dict[tuple[str, str], int] = {}
        self.presence: Final = PresenceFeed(
            self._open_presence, lambda: self._tell(None, frozenset({PRESENCE}))
        )
        self._listeners: Final = Listeners()
        self._background: Final = Background("live engine")
        self._loop = self._background.loop
        self._http: httpx.AsyncClient | None = None
        self._reach: Final = Reach(config.url, config.key, self.timing.heartbeat_answer - self.timing.late)
        self._public_loaded = asyncio.Event()

    @classmethod
    def start(cls, config: EngineConfig, specs: Sequence[AnySpec], timing: Timing | None = None) -> Self:
        """Start the thread and the public feed; return at once."""
        engine = cls(config, specs, timing)
        engine._background.start(engine._begin)
        return engine

    def stop(self) -> None:
        """Close every feed and end the thread."""
        self._background.stop(self._end)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Tell `listener` of changes from now on; return how to stop that."""
        return self._listeners.add(listener)

    # Reading.

    def wait_loaded(self, timeout: float | None = None, *, user_id: str | None = None) -> bool:
        """Wait for the public tables (and this user's) to be loaded; False after `timeout` seconds."""
        return all(audience.store.loaded.wait(timeout) for audience in self._audiences_of(user_id))

    def tables(
        self, user_id: str | None = None, session_id: str | None = None
    ) -> Mapping[str, Snapshot[Any]]:
        """Return all tables this person may read, at one moment. A table not loaded yet is empty.

        Of the tables that the session has chosen a view of, it is the view.
        """
        audiences = [*self._audiences_of(user_id), *self._views_of(session_id)]
        return {name: table for audience in audiences for name, table in audience.tables.items()}

    def loading(self, table: str, user_id: str | None = None, session_id: str | None = None) -> bool:
        """Tell whether the table, as the session has chosen it, has not got its first rows yet."""
        return not self._audience_for(table, user_id, session_id).store.loaded.is_set()

    def refused(self, table: str, user_id: str | None = None, session_id: str | None = None) -> str | None:
        """Return why the database will not answer what the session has chosen, None if it does."""
        return self._audience_for(table, user_id, session_id).refused

    def revision(self, table: str, user_id: str | None = None, session_id: str | None = None) -> int:
        """Return a number that changes with what this person is shown of a table, `STATUS` or `PRESENCE`.

        Of something of their own (`own_changed`) it is the number that was given last.
        """
        if table in (STATUS, PRESENCE):
            return self._status_revision if table == STATUS else self.presence.revision
        for audience in [*self._views_of(session_id, table), *self._audiences_of(user_id)]:
            if table in audience.store.specs:
                return audience.revision(table)
        return self._own.get((table, user_id or ""), 0)

    def status(self, user_id: str | None = None, session_id: str | None = None) -> FeedStatus:
        """Return how the person is connected: the worst of the public feed, their own and their views."""
        views = [view for view in self._views_of(session_id) if view.settled]
        return together([audience.status for audience in [*self._audiences_of(user_id), *views]])

    def load_older(
        self, table: str, user_id: str | None = None, session_id: str | None = None, *, timeout: float = 10
    ) -> bool:
        """Load the next older rows of a windowed table, waiting for them; False when there are none.

        Raises `ReadError` when nothing usable came back, `TimeoutError` when nothing did in time.
        """
        audience = self._audience_for(table, user_id, session_id)
        return self._background.result(audience.load_older(table), timeout)

    # Writing.

    def apply_written(self, table: str, record: Record, user_id: str | None = None) -> None:
        """Show a row that a write just returned at once; what the stream tells of it later changes nothing.

        `user_id` is the writer's for a private table; a public one goes to everybody.
        """
        base = self._audience_for(table, user_id)
        base.store.apply_written(table, record)
        spec = base.store.specs[table]
        for view in self._views_of_table(base, [table]):
            if matches(view.filters, record, spec.filterable):
                view.store.apply_written(table, record)
            else:
                change = spec.written(record)
                self._background.call(view.hear, [change])

    def apply_deleted(
        self, table: str, key: Key, version: int | None = None, user_id: str | None = None
    ) -> None:
        """Show at once that the writer deleted this row; `version` is the one they deleted, if known."""
        base = self._audience_for(table, user_id)
        for audience in [base, *self._views_of_table(base, [table])]:
            audience.store.apply_deleted(table, key, version or 0)

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

    def choose(self, session_id: str, table: str, filters: Sequence[Filter]) -> bool:
        """Have an attached session see only the rows that pass, or with no filters all; tell if that is new.

        Sessions of one person (of anybody, for a public table) that have chosen the same share one view,
        which the server filters. It closes a little after the last of them chose something else.
        Raises `FilterError` for what is not among the table's `filterable` columns.
        """
        with self._lock:
            base = self._audience_for(table, self._sessions.get(session_id))
            chosen = check(canonical(filters), base.store.specs[table].filterable)
            choice = Choice(base.user_id, table, chosen) if chosen else None
            return self._views.choose(session_id, table, choice)

    @property
    def sessions(self) -> Mapping[str, str | None]:
        """The user's id, or None, of every session counted in."""
        with self._lock:
            return dict(self._sessions)

    @property
    def feeds(self) -> frozenset[str | None]:
        """Whose feeds are open; None is the public one."""
        return frozenset(audience.user_id for audience in self._feeds if not audience.filters)

    @property
    def views(self) -> frozenset[Choice]:
        """The filtered tables that are open."""
        with self._lock:
            return frozenset(self._views.open)

    def sign_in_changed(self, user_id: str) -> None:
        """Wake what shows this person's sessions their `STATUS`; it finds out what became of the sign-in."""
        if audience := self._audiences.get(user_id):
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
        self._background.call(self._open_feed, audience)

    def _detach(self, session_id: str) -> None:
        user_id = self._sessions.pop(session_id, None)
        self._views.leave(session_id)
        self.presence.leave(session_id)
        if watch := self._token_watches.pop(session_id, None):
            watch()
        audience = None if user_id is None else self._audiences.get(user_id)
        if audience is not None:
            audience.users.pop(session_id, None)
            if not audience.users:
                self._background.call_later(self.timing.linger, self._close_unused, audience)

    def _new_audience(self, user_id: str) -> Audience:
        return Audience(user_id, self._private, self._public_tables, self._reports)

    def _public_tables(self) -> PublicTables:
        return self._public.store.moment.tables

    def _audiences_of(self, user_id: str | None) -> list[Audience]:
        own = None if user_id is None else self._audiences.get(user_id)
        return [self._public] if own is None else [self._public, own]

    def _audience_for(self, table: str, user_id: str | None, session_id: str | None = None) -> Audience:
        for audience in [*self._views_of(session_id, table), *self._audiences_of(user_id)]:
            if table in audience.store.specs:
                return audience
        raise LiveError(f"No feed of {user_id or 'the public'} holds a table {table!r}")

    # Views.

    def _views_of(self, session_id: str | None, table: str | None = None) -> list[Audience]:
        with self._lock:
            return self._views.of_session(session_id, table)

    def _views_of_table(self, base: Audience, tables: Iterable[str]) -> list[Audience]:
        with self._lock:
            return [view for _, view in self._views.of_table(base.user_id, tables)]

    def _open_view(self, choice: Choice) -> Audience:
        base = self._audience_for(choice.table, choice.user_id)
        spec = base.store.specs[choice.table]
        view = Audience(
            choice.user_id, [spec], self._public_tables, self._reports, filters=choice.filters, base=base
        )
        self._background.call(self._open_feed, view)
        self._background.call_later(OPENING.total_seconds(), self._status_changed, view)
        return view

    def _close_view(self, view: Audience) -> None:
        self._background.call(self._close_feed, view)

    def _close_view_soon(self, choice: Choice) -> None:
        self._background.call_later(self.timing.linger, self._close_unused_view, choice)

    def _close_unused_view(self, choice: Choice) -> None:
        with self._lock:
            self._views.close_unused(choice)

    # What the audiences report, on any thread.

    def _changed(self, audience: Audience, tables: frozenset[str]) -> None:
        if audience is self._public:
            self._background.call(self._check_followed)
        self._tell_of(audience, tables)

    def _streamed(self, audience: Audience, changes: Sequence[Change[Any]]) -> None:
        if audience.filters:
            return
        with self._lock:
            views = self._views.of_table(audience.user_id, {change.table for change in changes})
        for table, view in views:
            view.hear([change for change in changes if change.table == table])

    def _status_changed(self, audience: Audience) -> None:
        with self._lock:
            self._status_revision += 1
        if self._public.store.loaded.is_set():
            self._public_loaded.set()
        if audience.status.state in (FeedState.CONNECTING, FeedState.POLLING, FeedState.OFFLINE):
            # What cut this feed off has most likely cut off the others.
            self.probe()
        self._tell_of(audience, frozenset({STATUS}))

    def _tell_of(self, audience: Audience, tables: frozenset[str]) -> None:
        if not audience.filters:
            self._tell(audience.user_id, tables)
            return
        with self._lock:
            concerned = self._views.sessions_of(audience)
        self._listeners.tell(concerned, tables)

    def _tell(self, user_id: str | None, tables: frozenset[str]) -> None:
        """Tell of this person's sessions, or with None of everybody's."""
        with self._lock:
            concerned = frozenset(
                session for session, user in self._sessions.items() if user_id is None or user == user_id
            )
        self._listeners.tell(concerned, tables)

    # In the loop.

    def _begin(self) -> None:
        self._http = connections(self.timing.request, self.timing.again)
        self._open_feed(self._public)

    async def _end(self) -> None:
        assert self._http is not None
        await self._http.aclose()

    def _open_presence(self) -> None:
        self._background.call(lambda: self._background.spawn(self.presence.run(self.config)))

    def _open_feed(self, audience: Audience) -> None:
        if audience not in self._feeds:
            self._feeds[audience] = self._background.spawn(self._feed(audience))

    def _close_feed(self, audience: Audience) -> None:
        self._feeds.pop(audience).cancel()

    async def _feed(self, audience: Audience) -> None:
        assert self._http is not None
        if audience is not self._public:
            # Which private tables a user may read can depend on the public ones.
            await self._public_loaded.wait()
        watch = Watch(lambda: self._heartbeat(audience), self._reach.answers)
        await audience.run(self.config, self.timing, self._http, watch)

    def _heartbeat(self, audience: Audience) -> float:
        others = len(self._feeds) - 1
        return self.timing.heartbeat if audience is self._public else heartbeat_of_many(self.timing, others)

    def _close_unused(self, audience: Audience) -> None:
        assert audience.user_id is not None
        with self._lock:
            if audience.users or self._audiences.get(audience.user_id) is not audience:
                return
            del self._audiences[audience.user_id]
            self._views.close_all_of(audience.user_id)
        self._close_feed(audience)

    def _check_followed(self) -> None:
        for audience in self._all_but_public():
            audience.check_followed()

    def probe(self) -> None:
        """Find out at once whether the other side is still there. For whoever has reason to doubt it."""
        if not self._probing:
            self._probing = True
            self._background.call(self._probe)

    def _probe(self) -> None:
        self._probing = False
        for audience in [self._public, *self._all_but_public()]:
            audience.probe()

    def _all_but_public(self) -> list[Audience]:
        with self._lock:
            return [*self._audiences.values(), *self._views.open.values()]

    def _push_token(self, user_id: str, token: str) -> None:
        def push() -> None:
            for audience in [one for one in self._all_but_public() if one.user_id == user_id]:
                self._background.spawn(audience.push_token(token))

        self._background.call(push)
