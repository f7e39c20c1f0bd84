"""Audiences: the public, each signed-in user, and each view. An audience is one store and its feed."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx

from livetables.background import running
from livetables.errors import NotAllowedError
from livetables.faults import FAULTS
from livetables.feed.connection import Connections
from livetables.feed.feed import Feed, FeedConfig
from livetables.feed.reads import Reader, ReaderConfig
from livetables.feed.status import FeedState, FeedStatus, combined
from livetables.feed.subscription import Binding, SubscriptionConfig
from livetables.feed.sync import Sync
from livetables.tables.changes import Change, Key, Op
from livetables.tables.filters import Filter, format_filters
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import AnySpec, PublicTables
from livetables.tables.standing import Standing, differently_read, may_read, standing, unchanged
from livetables.tables.store import Store
from livetables.timing import Backoff, Timing
from livetables.users import UserSession

_log: Final = logging.getLogger(__name__)

_numbers = itertools.count(1)
_status_revisions = itertools.count(1)

_STREAM_GRACE: Final = 0.3
"""Seconds for a view's own stream to deliver a change that the stream of the whole table has delivered."""


@dataclass(frozen=True, slots=True)
class AudienceContext:
    """What all audiences of an engine share. The callbacks must not block."""

    timing: Timing
    public_tables: Callable[[], PublicTables]
    """Returns the public tables, on which an audience's rights and filters may depend."""
    on_change: Callable[[Audience, frozenset[str]], None]
    """Called on any thread with the tables that look different."""
    on_status: Callable[[Audience], None]
    """Called on any thread when the audience is connected in another way."""
    on_streamed: Callable[[Audience, Sequence[Change[Any]]], None]
    """Called on the loop with changes that arrived over the stream."""


class Audience:
    """One store and the feed that keeps it current. Created on any thread; its coroutines belong to the loop.

    Tables that the audience may not read stay empty. With `filters` it is a view: only rows that pass them
    are loaded and followed, with the sign-ins of `base`, the audience that has the whole table.
    """

    def __init__(
        self,
        user_id: str | None,
        specs: Sequence[AnySpec],
        context: AudienceContext,
        *,
        filters: Sequence[Filter] = (),
        base: Audience | None = None,
    ) -> None:
        self.user_id: Final = user_id
        self.number: Final = next(_numbers)
        """A number that no other audience of this process has, also after this one is gone."""
        self.filters: Final = tuple(filters)
        self.store: Final = Store(specs, lambda tables: context.on_change(self, tables))
        self.users: Final[dict[str, UserSession]] = {} if base is None else base.users
        """The sign-in of each session of this user, by session id; empty for the public audience."""
        self._context = context
        self._feed: Feed | None = None
        self._subscribed: Mapping[str, Standing] = {}
        self._outdated: frozenset[str] = frozenset()
        """Tables of which the running feed may deliver rows that are no longer this user's to see."""
        self._subscribed_changed = asyncio.Event()
        self._expected: dict[Key, int] = {}
        """Versions of rows that this view's own stream should deliver, by key."""
        self._status_revision = 0
        self._was_live = False
        self._refusal: str | None = None
        self._began = datetime.now(UTC)

    @property
    def status(self) -> FeedStatus:
        """How this audience is connected."""
        return self._feed.status if self._feed else FeedStatus(FeedState.CONNECTING, self._began)

    @property
    def status_revision(self) -> int:
        """A number that is another one after each call of `status_changed`."""
        return self._status_revision

    def status_changed(self) -> None:
        """Note that fragments that show the connection show this audience's no more as it is."""
        self._status_revision = next(_status_revisions)

    @property
    def settled(self) -> bool:
        """Whether `status` says something about the connection.

        That of a new view only says that it is new, and that of a refused one that it is refused.
        """
        if not self.filters:
            return True
        opening = datetime.now(UTC) - self._began < timedelta(seconds=self._context.timing.view_opening)
        return self._refusal is None and (self._was_live or not opening)

    @property
    def refusal(self) -> str | None:
        """Why the database refuses this audience's query, None if it does not."""
        return self._refusal

    @property
    def tables(self) -> dict[str, Snapshot[Any]]:
        """The tables this audience may read, at one moment."""
        tables = self.store.moment.tables
        return {name: tables[name] for name in tables if self._may_read(self.store.specs[name])}

    def table(self, name: str) -> Snapshot[Any] | None:
        """Return one of `tables`, None if this audience may not read it."""
        return self.store.moment.tables[name] if self._may_read(self.store.specs[name]) else None

    def revision(self, table: str) -> int:
        """Return a number that changes when a table looks different, is loaded, or is refused."""
        loaded = self.store.loaded.is_set()
        return self.store.moment.tables[table].revision * 4 + 2 * (self._refusal is not None) + loaded

    async def run(self, http: httpx.AsyncClient, connections: Connections) -> None:
        """Keep the store current until cancelled. Starts a new feed when rights or filters change."""
        timing = self._context.timing
        backoff = Backoff(timing.first_retry, timing.longest_retry)
        if self.filters:
            # Somebody waits for a view, so load it without waiting for the stream.
            timing = replace(timing, stream_wait=0.0)
        while True:
            try:
                feed = self._new_feed(http, timing, connections)
            except Exception as error:
                # Such as a fault in a spec's functions. The public tables may be different the next time.
                FAULTS.record("feed", error)
                await asyncio.sleep(backoff.next())
                continue
            await self._run_feed(feed, backoff)

    def _new_feed(self, http: httpx.AsyncClient, timing: Timing, connections: Connections) -> Feed:
        """Make a feed of what this audience may read and follow now."""
        self._subscribed_changed.clear()
        self._subscribed = self._now_subscribed()
        specs = {name: self.store.specs[name] for name in self._subscribed}
        self._clear_all_but(self._subscribed)  # also what the previous feed received last
        self._clear_outdated()
        reader_config = ReaderConfig(connections.project, self.token, http, timing.hedge_after)
        sync = Sync(self.store, specs, Reader(reader_config, specs, self.filters))
        subscription = SubscriptionConfig(self._bindings(), timing, connections)
        config = FeedConfig(subscription, self.token, self._status_changed, self._streamed)
        self._feed = Feed(sync, config)
        return self._feed

    async def _run_feed(self, feed: Feed, backoff: Backoff) -> None:
        """Run the feed until rights or filters change, or it fails."""
        async with running(feed.run(), _until(self._subscribed_changed)) as (run, changed):
            await asyncio.wait([run, changed], return_when=asyncio.FIRST_COMPLETED)
            if run.done() and (error := run.exception()) is not None:
                # This is a bug of ours. A new feed loses nothing: it reads everything again.
                FAULTS.record("feed", error)
                await asyncio.sleep(backoff.next())

    def _status_changed(self) -> None:
        assert self._feed is not None
        self._was_live = self._was_live or self._feed.status.state is FeedState.LIVE
        before, self._refusal = self._refusal, self._feed.refusal
        if self._refusal != before:
            self._context.on_change(self, frozenset(self.store.specs))
        self._context.on_status(self)

    def _streamed(self, changes: Sequence[Change[Any]]) -> None:
        self._context.on_streamed(self, changes)

    def check_permissions(self) -> None:
        """Start a new feed if what this audience may read or follow has changed. Call it on the loop.

        Rows of tables that it reads differently from now on disappear at once, before the new feed loads
        those that are still its own.
        """
        before, now = self._subscribed, self._now_subscribed()
        if unchanged(before, now):
            self._subscribed = now
            return
        self._outdated |= differently_read(before, now)
        for name in self._outdated:
            self.store.clear(name)
        self._subscribed_changed.set()

    def follow(self, table: str) -> None:
        """Start a new feed, because the store holds this table anew. Call it on the loop."""
        self._outdated |= {table}
        self._subscribed_changed.set()

    def _clear_all_but(self, subscribed: Mapping[str, Standing]) -> None:
        for name in self.store.specs.keys() - subscribed.keys():
            self.store.clear(name)

    def _clear_outdated(self) -> None:
        outdated, self._outdated = self._outdated, frozenset()
        for name in outdated:
            self.store.clear(name)
        if outdated:
            # The previous feed may have finished its own loading meanwhile.
            self.store.loaded.clear()

    def _now_subscribed(self) -> Mapping[str, Standing]:
        return standing(self.store.specs.values(), self.user_id, self._context.public_tables())

    def _may_read(self, spec: AnySpec) -> bool:
        return may_read(spec, self.user_id, self._context.public_tables())

    def _bindings(self) -> list[Binding]:
        view_filter = format_filters(self.filters)
        return [
            Binding(name, ",".join(filter(None, [table_filter, view_filter])) or None)
            for name, subscribed in self._subscribed.items()
            for table_filter in subscribed.filters or ("",)
        ]

    async def token(self) -> str | None:
        """Return an access token to read with, None to read as `anon`.

        Raises `NotAllowedError` if none of the user's sign-ins returns a token.
        """
        if self.user_id is None:
            return None
        for user in tuple(self.users.values()):
            try:
                # It may wait for a refresh over HTTP.
                return await asyncio.to_thread(user.access_token)
            except Exception as error:
                # Each app's sign-in raises errors of its own. Another tab's sign-in may still be valid.
                _log.info("A sign-in returned no token: %r", error)
        raise NotAllowedError("No sign-in of this user returned a token")

    async def push_token(self, token: str) -> None:
        """Use this access token from now on."""
        if self._feed is not None:
            await self._feed.push_token(token)

    def probe(self) -> None:
        """Check at once whether the server still answers. Call it on the loop."""
        if self._feed is not None:
            self._feed.probe()

    async def load_older(self, table: str) -> bool:
        """Load the next older rows of a windowed table. Return False if there are none.

        Raises `ReadError`.
        """
        return self._feed is not None and await self._feed.load_older(table)

    # Of views only. Belongs to the loop.

    def base_changed(self, changes: Iterable[Change[Any]]) -> None:
        """Apply what the stream of the whole table reports and a filtered stream does not.

        Realtime filters by the new row. It reports no update after which a row no longer passes, and of
        deletions only those whose filter can be evaluated on the replica identity.
        """
        for change in changes:
            if change.op is Op.DELETE:
                self.store.apply([replace(change, position=self.store.position())])
            elif change.key in self.store.moment.tables[change.table]:
                self.refetch(change.table, change.key, change.version)

    def refetch(self, table: str, key: Key, version: int) -> None:
        """Read a row again, unless this version of it arrives over the view's own stream in time."""
        if not self._expected:
            asyncio.get_running_loop().call_later(_STREAM_GRACE, self._refetch_missing, table)
        self._expected[key] = max(version, self._expected.get(key, 0))

    def _refetch_missing(self, table: str) -> None:
        expected, self._expected = self._expected, {}
        missing = [key for key, version in expected.items() if self.store.version(table, key) < version]
        if missing and self._feed is not None:
            self._feed.refetch(table, missing)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


def tables_of(audiences: Iterable[Audience]) -> dict[str, Snapshot[Any]]:
    """Return the tables of several audiences. Of a table that two of them have, the last one's wins."""
    return {name: table for audience in audiences for name, table in audience.tables.items()}


def status_of(audiences: Iterable[Audience], setup: FeedStatus | None = None) -> FeedStatus:
    """Return one status for several audiences and the set-up: that of the worst one that is settled."""
    statuses = [audience.status for audience in audiences if audience.settled]
    return combined(statuses if setup is None else [*statuses, setup])
