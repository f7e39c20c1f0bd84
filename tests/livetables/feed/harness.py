"""A store with its reader, sync and feed on a real stack, without an engine around them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from livetables.config import EngineConfig
from livetables.feed.connection import Connections, LivenessCheck
from livetables.feed.feed import Feed, FeedConfig
from livetables.feed.reads import Reader, ReaderConfig, TokenSource
from livetables.feed.status import FeedState
from livetables.feed.subscription import Binding, SubscriptionConfig
from livetables.feed.sync import Sync
from livetables.tables.changes import Change, Key
from livetables.tables.filters import Filter
from livetables.tables.spec import AnySpec
from livetables.tables.store import Store
from livetables.timing import Timing
from local_supabase.stack.runtime import StackInfo
from realtime_handlers.messages import TAVERN_MESSAGES
from tests.livetables.broken import QUICK
from tests.livetables.support import Signed
from tests.support.people import Person
from tests.support.wait import wait_until

MESSAGES = TAVERN_MESSAGES


async def anonymous() -> str | None:
    """Read as `anon`."""
    return None


def token_of(person: Person) -> TokenSource:
    """Read as this person."""

    async def token() -> str | None:
        return await asyncio.to_thread(Signed(person).access_token)

    return token


async def nothing_answers() -> bool:
    """Say that HTTP does not answer."""
    return False


@dataclass(slots=True)
class Synced:
    """A store and the sync that reads into it."""

    store: Store
    reader: Reader
    sync: Sync

    def rows(self, table: str = MESSAGES.name) -> dict[Key, Any]:
        """Return the visible rows of a table."""
        return dict(self.store.moment.tables[table].rows)


@contextlib.asynccontextmanager
async def synced(
    project: EngineConfig,
    specs: Sequence[AnySpec] = (MESSAGES,),
    token: TokenSource = anonymous,
    filters: Sequence[Filter] = (),
) -> AsyncIterator[Synced]:
    """Give a store that nothing has been read into yet."""
    store, by_name = Store(specs, lambda _: None), {spec.name: spec for spec in specs}
    async with httpx.AsyncClient(timeout=2) as http:
        reader = Reader(ReaderConfig(project, token, http, hedge_after=0.5), by_name, filters)
        yield Synced(store, reader, Sync(store, by_name, reader))


@dataclass(slots=True)
class RunningFeed:
    """A feed that is running, and what it has reported."""

    feed: Feed
    synced: Synced
    states: list[FeedState] = field(default_factory=list)
    streamed: list[Change[Any]] = field(default_factory=list)

    async def wait_state(self, state: FeedState) -> None:
        """Wait until the feed is in this state."""
        await wait_until(
            lambda: self.feed.status.state is state, what=f"{state}; it is {self.feed.status.state}"
        )

    async def wait_shown(self, key: Key) -> None:
        """Wait until the message with this key is in the store."""
        await wait_until(lambda: key in self.synced.rows(), within=10, what="the message")


@contextlib.asynccontextmanager
async def running_feed(
    url: str,
    stack: StackInfo,
    timing: Timing = QUICK,
    *,
    spec: AnySpec = MESSAGES,
    token: TokenSource = anonymous,
    filters: Sequence[Filter] = (),
) -> AsyncIterator[RunningFeed]:
    """Run a feed of one table."""
    project = EngineConfig(url, stack.anon_key)
    async with synced(project, [spec], token, filters) as one:
        liveness = LivenessCheck(lambda: timing.heartbeat, nothing_answers)
        connections = Connections(project, timing, liveness, most_channels=1)
        subscription = SubscriptionConfig([Binding(spec.name)], timing, connections)
        feed = Feed(
            one.sync,
            FeedConfig(
                subscription,
                token,
                lambda: running.states.append(feed.status.state),
                lambda changes: running.streamed.extend(changes),
            ),
        )
        running = RunningFeed(feed, one)
        task = asyncio.create_task(feed.run())
        try:
            yield running
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
