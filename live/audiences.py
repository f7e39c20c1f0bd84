"""The audiences of an engine: everybody, each signed-in user for what is theirs, and views of one table."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from live.changes import Change, Key, Op
from live.errors import NotAllowedError
from live.feed import Feed
from live.filters import Filter, format_filters
from live.reads import Reader
from live.snapshot import Snapshot
from live.status import FeedState, FeedStatus
from live.store import Store
from live.subscription import Binding, Watch
from live.sync import Sync
from live.tables import AnySpec, PublicTables
from live.timing import Backoff, Timing
from live.users import UserSession

_log: Final = logging.getLogger(__name__)

_OWN_STREAM: Final = 0.3
"""Seconds a view's own stream gets to bring what another one has told of already."""

OPENING: Final = timedelta(seconds=5)
"""For a view to be opened, before its not being connected counts as the connection's."""

_Followed = dict[str, tuple[tuple[str, ...], int]]
"""The tables that are read, each with the Realtime filters it is followed by and the person's standing."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the project is: `https://<ref>.supabase.co` and its anon or publishable key."""

    url: str
    key: str


@dataclass(frozen=True, slots=True)
class Reports:
    """What an audience tells its engine, on any thread."""

    changed: Callable[[Audience, frozenset[str]], None]
    """These tables look different."""
    status_changed: Callable[[Audience], None]
    streamed: Callable[[Audience, Sequence[Change[Any]]], None]
    """These changes arrived over the stream. In the loop."""


class Audience:
    """One store and the feed that keeps it current. Made on any thread; its coroutines belong to the loop.

    `public` gives the public tables, on which it may depend what this audience may read and follows; what it
    may not read stays empty. With `filters` it is a view: only the rows that pass them are loaded and
    followed, with the sign-ins of its `base`, the audience that has all of the table.
    """

    def __init__(
        self,
        user_id: str | None,
        specs: Sequence[AnySpec],
        public: Callable[[], PublicTables],
        reports: Reports,
        *,
        filters: Sequence[Filter] = (),
        base: Audience | None = None,
    ) -> None:
        self.user_id: Final = user_id
        self.filters: Final = tuple(filters)
        self.store: Final = Store(specs, lambda tables: reports.changed(self, tables))
        self.users: Final[dict[str, UserSession]] = {} if base is None else base.users
        """The sign-in of each session of this user, by session id; empty for the public audience."""
        self._public = public
        self._reports = reports
        self._feed: Feed | None = None
        self._followed: _Followed = {}
        self._followed_changed = asyncio.Event()
        self._doubted: dict[Key, int] = {}
        self._was_live = False
        self._refused: str | None = None
        self._began = datetime.now(UTC)

    @property
    def status(self) -> FeedStatus:
        """How this audience is connected."""
        return self._feed.status if self._feed else FeedStatus(FeedState.CONNECTING, self._began)

    @property
    def settled(self) -> bool:
        """Whether its status tells of the connection; that of a new view only tells that it is new."""
        opening = datetime.now(UTC) - self._began < OPENING
        return self._refused is None and (not self.filters or self._was_live or not opening)

    @property
    def refused(self) -> str | None:
        """Why the database would not answer what this audience asks, None if it does."""
        return self._refused

    @property
    def tables(self) -> dict[str, Snapshot[Any]]:
        """The tables it may read, at one moment."""
        moment = self.store.moment
        return {name: moment.tables[name] for name in moment.tables if self._may_read(self.store.specs[name])}

    def revision(self, table: str) -> int:
        """Return a number that changes with what is shown of a table, its not being loaded yet included."""
        loaded = self.store.loaded.is_set()
        return self.store.moment.tables[table].revision * 4 + 2 * (self._refused is not None) + loaded

    async def run(self, config: EngineConfig, timing: Timing, http: httpx.AsyncClient, watch: Watch) -> None:
        """Feed the store until cancelled, whatever happens."""
        backoff = Backoff(timing.first_retry, timing.longest_retry)
        while True:
            self._followed_changed.clear()
            self._followed = self._now_followed()
            specs = {name: self.store.specs[name] for name in self._followed}
            self._clear_all_but(self._followed)  # the last of what the feed before this one was sent
            reader = Reader(config.url, config.key, specs, self.token, http, self.filters, again=timing.again)
            self._feed = Feed(
                config.url,
                config.key,
                Sync(self.store, specs, reader),
                self.token,
                self._bindings(),
                # A view is opened by somebody who waits for it.
                timing if not self.filters else replace(timing, patience=0.0),
                watch,
                self._status_changed,
                lambda changes: self._reports.streamed(self, changes),
            )
            await self._run_feed(self._feed, backoff)

    async def _run_feed(self, feed: Feed, backoff: Backoff) -> None:
        running = asyncio.create_task(feed.run())
        changed = asyncio.create_task(self._followed_changed.wait())
        try:
            await asyncio.wait([running, changed], return_when=asyncio.FIRST_COMPLETED)
            if running.done() and (error := running.exception()) is not None:
                # A fault of ours. Beginning anew loses nothing: everything is read again.
                _log.error("The feed failed and begins anew", exc_info=error)
                await asyncio.sleep(backoff.next())
        finally:
            running.cancel()
            changed.cancel()
            await asyncio.gather(running, changed, return_exceptions=True)

    def _status_changed(self) -> None:
        assert self._feed is not None
        self._was_live = self._was_live or self._feed.status.state is FeedState.LIVE
        refused, self._refused = self._refused, self._feed.refused
        if self._refused != refused:
            self._reports.changed(self, frozenset(self.store.specs))
        self._reports.status_changed(self)

    def check_followed(self) -> None:
        """Begin anew if what this audience may read and follows is not the same. Belongs to the loop."""
        before, followed = self._followed, self._now_followed()
        if _still(before, followed):
            self._followed = followed
            return
        self._clear_all_but(followed)
        self._followed_changed.set()

    def _clear_all_but(self, followed: _Followed) -> None:
        for name in self.store.specs.keys() - followed.keys():
            self.store.clear(name)

    def _now_followed(self) -> _Followed:
        return {
            name: (self._filters_of(spec), self._standing_of(spec))
            for name, spec in self.store.specs.items()
            if self._may_read(spec)
        }

    def _may_read(self, spec: AnySpec) -> bool:
        if spec.visible_to is None or self.user_id is None:
            return True
        return spec.visible_to(self.user_id, self._public())

    def _filters_of(self, spec: AnySpec) -> tuple[str, ...]:
        if spec.filters is None or self.user_id is None:
            return ()
        return spec.filters(self.user_id, self._public())

    def _standing_of(self, spec: AnySpec) -> int:
        if spec.standing is None or self.user_id is None:
            return 0
        return spec.standing(self.user_id, self._public())

    def _bindings(self) -> list[Binding]:
        chosen = format_filters(self.filters)
        return [
            Binding(name, ",".join(filter(None, [own, chosen])) or None)
            for name, (filters, _) in self._followed.items()
            for own in filters or ("",)
        ]

    async def token(self) -> str | None:
        """Return an access token to read with, None to read as `anon`. Raises `ReadError` for neither."""
        if self.user_id is None:
            return None
        for user in tuple(self.users.values()):
            try:
                # It may wait for a refresh over HTTP.
                return await asyncio.to_thread(user.access_token)
            except Exception as error:
                # Each app's sign-in has errors of its own; another tab's sign-in may still be good.
                _log.info("A sign-in gives no token: %r", error)
        raise NotAllowedError("No sign-in of this user gives a token")

    async def push_token(self, token: str) -> None:
        """Go on with a new access token."""
        if self._feed is not None:
            await self._feed.push_token(token)

    def probe(self) -> None:
        """Find out at once whether the other side is still there. Belongs to the loop."""
        if self._feed is not None:
            self._feed.probe()

    async def load_older(self, table: str) -> bool:
        """Read the next rows beyond the window of a table. Raises `ReadError`."""
        return self._feed is not None and await self._feed.load_older(table)

    # What a view hears of its base. Belongs to the loop.

    def hear(self, changes: Iterable[Change[Any]]) -> None:
        """Take what the stream of the whole table tells, and that of a filter does not.

        Realtime filters by the new row only: of one that passes no longer nothing is said, and of one that is
        deleted only where the filter can be decided by its key.
        """
        for change in changes:
            if change.op is Op.DELETE:
                self.store.apply([replace(change, position=self.store.position())])
            elif change.key in self.store.moment.tables[change.table]:
                self.doubt(change.table, change.key, change.version)

    def doubt(self, table: str, key: Key, version: int) -> None:
        """Have a row read again, unless this version of it arrives by itself."""
        if not self._doubted:
            asyncio.get_running_loop().call_later(_OWN_STREAM, self._ask_again, table)
        self._doubted[key] = max(version, self._doubted.get(key, 0))

    def _ask_again(self, table: str) -> None:
        doubted, self._doubted = self._doubted, {}
        missing = [key for key, version in doubted.items() if self.store.version(table, key) < version]
        if missing and self._feed is not None:
            self._feed.doubt(table, missing)


def _still(before: _Followed, now: _Followed) -> bool:
    """Tell whether what is followed is the same, and has been all the time: no version was missed."""
    return before.keys() == now.keys() and all(
        filters == now[name][0] and now[name][1] - standing in (0, 1)
        for name, (filters, standing) in before.items()
    )
