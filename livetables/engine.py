"""The engine: one per process, on a thread with an event loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final, Self

import httpx

from livetables.attached import AttachedSession
from livetables.audiences import Audience, AudienceContext, status_of, tables_of
from livetables.config import EngineConfig
from livetables.errors import LiveError
from livetables.feed.status import FeedState, FeedStatus
from livetables.feed_runner import FeedRunner
from livetables.listeners import Listener, Listeners
from livetables.presence.feed import PresenceFeed
from livetables.presence.model import PRESENCE
from livetables.pseudo_tables import STATUS, PseudoTables
from livetables.registry import Registry
from livetables.setup_watch import Check, SetupWatch
from livetables.tables.changes import Change, Key, Record
from livetables.tables.matching import matches
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import AnySpec, PublicTables
from livetables.timing import Timing
from livetables.users import UserSession
from livetables.views import Choice

__all__ = ["STATUS", "AttachedSession", "Engine", "EngineConfig", "Listener"]


class Engine:
    """Keeps every table current for every audience, and reports which sessions show what changed.

    Methods may be called on any thread.
    """

    def __init__(self, config: EngineConfig, specs: Sequence[AnySpec], timing: Timing | None = None) -> None:
        """Create an engine that is not running; use `start` to get one that is."""
        self.config: Final = config
        self.timing: Final = timing or Timing()
        self._listeners: Final = Listeners()
        self._runner: Final = FeedRunner(config, self.timing)
        context = AudienceContext(
            self.timing, self._public_tables, self._changed, self._status_changed, self._streamed
        )
        self._registry: Final = Registry(specs, context, self._runner, self.timing)
        self.presence: Final = PresenceFeed(self._open_presence, self._presence_changed, self.timing.presence)
        self._pseudo_tables: Final = PseudoTables(lambda: self.presence.revision)
        self._setup: Final = SetupWatch(self.timing, self._setup_changed)

    @classmethod
    def start(cls, config: EngineConfig, specs: Sequence[AnySpec], timing: Timing | None = None) -> Self:
        """Start an engine for these tables. Returns at once; see `wait_loaded`."""
        engine = cls(config, specs, timing)
        engine._runner.start(engine._registry.public)
        return engine

    def stop(self) -> None:
        """Close every feed and end the thread. Blocks until it has ended."""
        self._runner.stop()

    def follow(self, spec: AnySpec) -> None:
        """Keep one more table current, or one in another way than before: its rows are loaded again.

        Its visibility has to stay the same. Sessions that have not run since then show it from their next
        full run on.
        """
        self._registry.follow(spec)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` when sessions have something new to show. Return a function that stops this."""
        return self._listeners.add(listener)

    # Sessions.

    def attach(self, session_id: str, user: UserSession | None) -> AttachedSession:
        """Attach a session, open its user's feed, and return a handle to read with.

        Attaching again as the same user changes nothing. `user` is None for a visitor.
        """
        user_id = None if user is None else user.user_id
        if self._registry.attach(session_id, user):
            self.presence.untrack(session_id)
        return AttachedSession(
            session_id, user_id, self._registry, self._runner, self._pseudo_tables, self._setup
        )

    def detach(self, session_id: str) -> None:
        """Forget the session. Its user's feed closes a little after their last one."""
        self._registry.detach(session_id)
        self.presence.untrack(session_id)

    @property
    def sessions(self) -> Mapping[str, str | None]:
        """The attached sessions: the user's id, or None for a visitor, by session id."""
        return self._registry.sessions

    @property
    def feeds(self) -> frozenset[str | None]:
        """The ids of the users whose feeds are open; None is the public feed."""
        return frozenset(audience.user_id for audience in self._runner.feeds if not audience.filters)

    @property
    def views(self) -> Mapping[Choice, Audience]:
        """The filtered tables that are open."""
        return self._registry.views

    def audience(self, user_id: str | None = None) -> Audience:
        """Return the audience of a user whose feed is open, or with None the public one.

        Raises `LiveError` for any other user.
        """
        audience = self._registry.public if user_id is None else self._registry.user_audience(user_id)
        if audience is None:
            raise LiveError(f"No feed of {user_id} is open")
        return audience

    # Reading.

    def wait_loaded(self, timeout: float | None = None, *, user_id: str | None = None) -> bool:
        """Wait for the public tables (and this user's) to be loaded. Return False after `timeout` seconds."""
        return all(audience.store.loaded.wait(timeout) for audience in self._registry.audiences_of(user_id))

    def tables(self, user_id: str | None = None) -> Mapping[str, Snapshot[Any]]:
        """Return all tables this user may read. A table that is not loaded yet is empty."""
        return tables_of(self._registry.audiences_of(user_id))

    def status(self, user_id: str | None = None) -> FeedStatus:
        """Return how this user is connected: the worse of the public feed and their own."""
        return status_of(self._registry.audiences_of(user_id), self._setup.status)

    def report_setup(self, missing: Sequence[str]) -> None:
        """Show everybody that the database lacks this, one text each, or with none that it lacks nothing."""
        self._setup.report(missing)

    def keep_checking(self, check: Check) -> None:
        """Ask now, and again and again until the engine stops, what the database lacks, and show it."""
        self._runner.spawn(lambda: self._setup.run(check))

    def probe(self) -> None:
        """Check at once whether the server still answers, for callers whose own requests are not answered."""
        self._runner.probe()

    # Writing.

    def apply_written(self, table: str, record: Record, user_id: str | None = None) -> None:
        """Show a row that a write just returned. When the stream delivers it later, nothing changes.

        `user_id` is the writer's for a private table; a public row is shown to everybody. Nothing happens if
        the writer has left, so that their feed is closed. Raises `LiveError` if there is no such table, and
        what the spec's `parse` raises.
        """
        base = self._registry.audience_of_writer(table, user_id)
        if base is None:
            return
        base.store.apply_written(table, record)
        spec = base.store.specs[table]
        for _, view in self._registry.views_of_tables(base, [table]):
            if matches(view.filters, record, spec.filterable):
                view.store.apply_written(table, record)
            else:
                self._runner.call(view.base_changed, [spec.written(record)])

    def apply_deleted(
        self, table: str, key: Key, version: int | None = None, user_id: str | None = None
    ) -> None:
        """Show that the writer has deleted this row, of this version if it is known.

        Nothing happens if the writer has left. Raises `LiveError` if there is no such table.
        """
        base = self._registry.audience_of_writer(table, user_id)
        if base is None:
            return
        views = [view for _, view in self._registry.views_of_tables(base, [table])]
        for audience in [base, *views]:
            audience.store.apply_deleted(table, key, version or 0)

    def sign_in_changed(self, user_id: str) -> None:
        """Rerun the fragments that show `STATUS` to this user, because their sign-in has changed."""
        if audience := self._registry.user_audience(user_id):
            self._status_changed(audience)

    def own_changed(self, name: str, owner: str, revision: int) -> None:
        """Rerun the fragments that show `name` to this owner: an item of theirs that is in no table.

        `owner` is a user's id, or the id of a visitor's session. `revision` is another number for each state
        of the item, 0 for the usual one.
        """
        self._pseudo_tables.set_item(name, owner, revision)
        self._listeners.notify(self._registry.sessions_of_owner(owner), frozenset({name}))

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Call the function on the engine's thread, which it must not block, after so many seconds."""
        self._runner.call_later(seconds, function)

    def spawn(self, work: Callable[[httpx.AsyncClient], Coroutine[object, object, None]]) -> None:
        """Start work on the engine's thread, with the connections that its reads use."""
        self._runner.spawn(lambda: work(self._runner.http))

    # What the audiences report, on any thread.

    def _public_tables(self) -> PublicTables:
        return self._registry.public.store.moment.tables

    def _changed(self, audience: Audience, tables: frozenset[str]) -> None:
        if audience is self._registry.public:
            self._runner.check_permissions()
        self._listeners.notify(self._registry.sessions_of(audience), tables)

    def _streamed(self, audience: Audience, changes: Sequence[Change[Any]]) -> None:
        if audience.filters:
            return
        for table, view in self._registry.views_of_tables(audience, {change.table for change in changes}):
            view.base_changed([change for change in changes if change.table == table])

    def _status_changed(self, audience: Audience) -> None:
        audience.status_changed()
        if self._registry.public.store.loaded.is_set():
            self._runner.public_loaded()
        if audience.status.state in (FeedState.CONNECTING, FeedState.POLLING, FeedState.OFFLINE):
            # What cut off this feed has probably cut off the others too.
            self.probe()
        self._listeners.notify(self._registry.sessions_of(audience), frozenset({STATUS}))

    def _setup_changed(self) -> None:
        self._registry.public.status_changed()
        self._listeners.notify(self._registry.sessions_of_user(None), frozenset({STATUS}))

    def _open_presence(self) -> None:
        self._runner.spawn(lambda: self.presence.run(self.config))

    def _presence_changed(self) -> None:
        self._listeners.notify(self._registry.sessions_of_user(None), frozenset({PRESENCE}))
