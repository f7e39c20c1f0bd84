"""The audiences of an engine: everybody, and each signed-in user for what is theirs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from live.errors import NotAllowedError
from live.feed import Feed
from live.reads import Reader
from live.snapshot import Snapshot
from live.status import FeedState, FeedStatus
from live.store import Store
from live.subscription import Binding
from live.sync import Sync
from live.tables import AnySpec
from live.timing import Backoff, Timing
from live.users import UserSession

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Where the project is: `https://<ref>.supabase.co` and its anon or publishable key."""

    url: str
    key: str


class Audience:
    """One store and the feed that keeps it current. Made on any thread; its coroutines belong to the loop.

    `may_read` says which of the tables this audience may read now; the others stay empty.
    """

    def __init__(
        self,
        user_id: str | None,
        specs: Sequence[AnySpec],
        may_read: Callable[[AnySpec], bool],
        on_change: Callable[[Audience, frozenset[str]], None],
        on_status: Callable[[Audience], None],
    ) -> None:
        self.user_id: Final = user_id
        self.store: Final = Store(specs, lambda tables: on_change(self, tables))
        self.users: Final[dict[str, UserSession]] = {}
        """The sign-in of each session of this user, by session id; empty for the public audience."""
        self._may_read = may_read
        self._on_status = on_status
        self._feed: Feed | None = None
        self._readable: frozenset[str] = frozenset()
        self._readable_changed = asyncio.Event()
        self._began = datetime.now(UTC)

    @property
    def status(self) -> FeedStatus:
        """How this audience is connected."""
        return self._feed.status if self._feed else FeedStatus(FeedState.CONNECTING, self._began)

    @property
    def tables(self) -> dict[str, Snapshot[Any]]:
        """The tables it may read, at one moment."""
        moment = self.store.moment
        return {name: moment.tables[name] for name in moment.tables if self._may_read(self.store.specs[name])}

    async def run(self, config: EngineConfig, timing: Timing, http: httpx.AsyncClient) -> None:
        """Feed the store until cancelled, whatever happens."""
        backoff = Backoff(timing.first_retry, timing.longest_retry)
        while True:
            self._readable_changed.clear()
            self._readable = self._now_readable()
            specs = {name: self.store.specs[name] for name in self._readable}
            reader = Reader(config.url, config.key, specs, self.token, http, again=timing.again)
            self._feed = Feed(
                config.url,
                config.key,
                Sync(self.store, specs, reader),
                self.token,
                self._bindings(specs.values()),
                timing,
                timing.heartbeat if self.user_id is None else timing.quiet_heartbeat,
                lambda: self._on_status(self),
            )
            await self._run_feed(self._feed, backoff)

    async def _run_feed(self, feed: Feed, backoff: Backoff) -> None:
        running = asyncio.create_task(feed.run())
        changed = asyncio.create_task(self._readable_changed.wait())
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

    def check_readable(self) -> None:
        """Begin anew if what this audience may read is no longer the same. Belongs to the loop."""
        readable = self._now_readable()
        for name in self._readable - readable:
            self.store.clear(name)
        if readable != self._readable:
            self._readable_changed.set()

    def _now_readable(self) -> frozenset[str]:
        return frozenset(name for name, spec in self.store.specs.items() if self._may_read(spec))

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

    def _bindings(self, specs: Iterable[AnySpec]) -> list[Binding]:
        bindings: list[Binding] = []
        for spec in specs:
            if spec.filters is None or self.user_id is None:
                bindings.append(Binding(spec.name))
            else:
                bindings += [Binding(spec.name, one) for one in spec.filters(self.user_id)]
        return bindings
