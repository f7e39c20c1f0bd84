"""One stream: from a cursor on, every change that its caller may see, as states that can be told twice.

There is no queue. The stream holds a cursor; when something has changed it asks `changes_since(cursor)` with
the caller's token, reads the keys it names under row level security and the caller's filters, and sends what
comes back. A key that does not come back is gone for this caller. The next question is asked when the caller
has taken the last answer, so a slow one gets fewer, newer states, and nothing piles up here.

Only the last event of an answer carries the next cursor as its id. Whoever is cut off before it begins again
with the same answer, and misses nothing.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import anyio
from sse_starlette import ServerSentEvent

from live.changes import Key, Op, Record
from live.errors import NotAllowedError, ReadError
from live.reads import ChangesSince, LoggedChange, Reader
from live.tables import AnySpec
from live.timing import Backoff

AT_ONCE: Final = 100
"""Rows that are read, and held here, at a time."""
_MOST_GONE: Final = 10_000
"""Keys of which a stream remembers that its caller does not have them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds."""

    heartbeat: float = 15.0
    """Between two signs of life, each with the cursor."""
    look: float = 5.0
    """Between two questions for changes while the engine tells of none: it has the newest rows only."""
    look_unfed: float = 1.0
    """The same while the engine itself has no stream."""
    rest: float = 0.05
    """Between two questions at least: what changes meanwhile is told together."""
    first_retry: float = 0.3
    longest_retry: float = 5.0
    """Between tries while the database cannot be reached."""
    retry: float = 2.0
    """After which a browser that was cut off should come again."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a stream reads: what has changed, and of each table the rows that pass its filters."""

    log: Reader
    rows: Mapping[str, tuple[AnySpec, Reader]]


class Feed:
    """The events of one stream. Raises nothing that the database causes."""

    def __init__(
        self,
        sources: Sources,
        cursor: str,
        *,
        resumed: bool,
        snapshot: bool,
        ends_at: float,
        pace: Pace,
        now: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._cursor = cursor
        self._snapshot = snapshot
        self._ends_at = ends_at
        self._pace = pace
        self._now = now
        self._backoff = Backoff(pace.first_retry, pace.longest_retry)
        self._woken = asyncio.Event()
        self._told: dict[tuple[str, Key], int] = {}
        self._gone: OrderedDict[tuple[str, Key], None] = OrderedDict()
        self.ending: Final = anyio.Event()
        """Set when the server is about to stop."""
        self.taken: str | None = cursor if resumed else None
        """The id of the last event that the caller has taken: where it may begin again."""
        self.fed = False
        """Whether `wake` is called for nearly every change."""

    @property
    def tables(self) -> frozenset[str]:
        """What this stream tells of."""
        return frozenset(self._sources.rows)

    def wake(self) -> None:
        """Look for changes now. Belongs to the loop."""
        self._woken.set()

    def heartbeat(self) -> ServerSentEvent:
        """Return a sign of life, which also moves the caller's cursor past changes that were not for it."""
        return ServerSentEvent(comment="still here", id=self.taken)

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """Give the events until the token or the server ends."""
        yield ServerSentEvent(retry=round(self._pace.retry * 1000), comment="changes, as they are committed")
        if self._snapshot:
            async for event in self._all_rows():
                yield event
        if not self._over():
            yield ServerSentEvent("{}", event="ready", id=self._cursor)
            self.taken = self._cursor
        while not self._over():
            async for event in self._news():
                yield event
        if not self.ending.is_set():
            yield ServerSentEvent('{"detail":"The access token has ended."}', event="expired")

    def _over(self) -> bool:
        return self.ending.is_set() or self._now() >= self._ends_at

    async def _news(self) -> AsyncIterator[ServerSentEvent]:
        """Give what one question brings, and wait until there is reason for the next."""
        self._woken.clear()
        try:
            answer = await self._sources.log.changes_since(self._cursor)
            if answer.resync:
                async for event in self._resync(answer.cursor):
                    yield event
            else:
                async for event in self._changes(answer):
                    yield event
        except NotAllowedError:
            self._ends_at = 0  # the token does not count any more, whatever it says of itself
            return
        except ReadError:
            await self._wait(self._backoff.next(), woken=False)
            return
        self._backoff.reset()
        await self._wait(self._pace.rest, woken=False)
        await self._wait(self._pace.look if self.fed else self._pace.look_unfed, woken=True)

    async def _resync(self, cursor: str) -> AsyncIterator[ServerSentEvent]:
        """Tell the caller to forget what it has, and give all rows anew."""
        yield ServerSentEvent("{}", event="resync")
        self._told.clear()
        self._gone.clear()
        async for event in self._all_rows():
            yield event
        if not self._over():
            yield ServerSentEvent("{}", event="ready", id=cursor)
            self._cursor = self.taken = cursor

    async def _all_rows(self) -> AsyncIterator[ServerSentEvent]:
        for spec, reader in self._sources.rows.values():
            # A failure in the middle begins the table again: the same rows once more are no harm.
            while not self._over():
                try:
                    async for page in reader.pages(spec, AT_ONCE):
                        for row in page:
                            yield _event(spec, "SNAPSHOT", spec.key_of(row), row)
                    break
                except NotAllowedError:
                    self._ends_at = 0
                except ReadError:
                    await self._wait(self._backoff.next(), woken=False)

    async def _changes(self, answer: ChangesSince) -> AsyncIterator[ServerSentEvent]:
        held: ServerSentEvent | None = None
        async for event in self._states(answer.changes):
            if held is not None:
                yield held
            held = event
        if held is not None:
            held.id = answer.cursor
            yield held
        # What is told once more because a transaction is still open need not be sent once more.
        known = {(change.table, change.key) for change in answer.changes}
        self._told = {key: state for key, state in self._told.items() if key in known}
        self._cursor = self.taken = answer.cursor

    async def _states(self, changes: Iterable[LoggedChange]) -> AsyncIterator[ServerSentEvent]:
        by_table: defaultdict[str, list[LoggedChange]] = defaultdict(list)
        for change in changes:
            if change.table in self._sources.rows:
                by_table[change.table].append(change)
        for table, logged in by_table.items():
            spec, reader = self._sources.rows[table]
            for start in range(0, len(logged), AT_ONCE):
                some = logged[start : start + AT_ONCE]
                rows = await reader.by_key(spec, [change.key for change in some])
                found = {spec.key_of(row): row for row in rows}
                for change in some:
                    event = self._state(spec, change, found.get(change.key))
                    if event is not None:
                        yield event

    def _state(self, spec: AnySpec, change: LoggedChange, row: Record | None) -> ServerSentEvent | None:
        """Return the event that tells how a key is now, None if the caller knows."""
        key = (change.table, change.key)
        if row is None:
            return self._goes(spec, change, key)
        event = _event(spec, Op.INSERT if change.op is Op.INSERT else Op.UPDATE, change.key, row)
        state = hash(event.data)
        if self._told.get(key) == state:
            return None
        self._told[key] = state
        self._gone.pop(key, None)
        return event

    def _goes(self, spec: AnySpec, change: LoggedChange, key: tuple[str, Key]) -> ServerSentEvent | None:
        never_there = change.op is Op.INSERT and spec.reborn is None and key not in self._told
        if key in self._gone or never_there:
            return None
        self._told.pop(key, None)
        self._gone[key] = None
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)
        return _event(spec, Op.DELETE, change.key, None)

    async def _wait(self, seconds: float, *, woken: bool) -> None:
        """Wait so long, or until the server stops, and no longer than the token counts.

        With `woken` also until somebody calls `wake`.
        """
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self.ending.wait())]
        if woken:
            waits.append(asyncio.ensure_future(self._woken.wait()))
        try:
            timeout = max(0.0, min(seconds, self._ends_at - self._now()))
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()


def _event(spec: AnySpec, op: str, key: Key, row: Record | None) -> ServerSentEvent:
    told = {"table": spec.name, "op": op, "key": dict(zip(spec.key, key, strict=True)), "row": row}
    return ServerSentEvent(json.dumps(told, ensure_ascii=False, separators=(",", ":")), event="change")
