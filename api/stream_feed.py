"""The events of one stream: all changes after a cursor that its caller may see, as states of rows.

There is no queue. The stream holds a cursor. When something has changed it calls `changes_since(cursor)`
with the caller's token, reads the named keys under row-level security and the filters, and sends the rows.
A key without a row is gone for this caller. The stream asks again only after the caller has taken the last
answer. So a slow caller gets fewer, newer states, and nothing piles up here.

Only the last event of an answer carries the next cursor as its id. A caller who is cut off in the middle of
an answer gets all of it again, and misses nothing.
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

from api.stream_rights import Rights
from livetables.background import running
from livetables.errors import NotAllowedError, ReadError
from livetables.faults import FAULTS
from livetables.feed.reads import ChangesSince, LoggedChange, Reader
from livetables.tables.changes import Key, Op, Record
from livetables.tables.spec import AnySpec
from livetables.timing import Backoff

BATCH: Final = 100
"""Rows that are read, and held here, at a time."""
_MOST_GONE: Final = 10_000
"""Keys that a stream remembers as absent for its caller."""

_RowKey = tuple[str, Key]
"""A table and a key in it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """The intervals of streams, in seconds."""

    heartbeat: float = 15.0
    """Between two comments that keep the connection alive, each with the cursor."""
    poll: float = 5.0
    """Between two polls while the engine reports changes. It does not report old rows, so polls remain."""
    poll_without_engine: float = 1.0
    """Between two polls while the engine itself has no stream."""
    min_interval: float = 0.05
    """Between two polls at least, so that changes in quick succession are sent together."""
    first_retry: float = 0.3
    longest_retry: float = 5.0
    """Between retries while the database is unreachable."""
    reconnect: float = 2.0
    """After which a browser that was cut off should connect again."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The readers of a stream: of the change log, each table with its filters, and the caller's rights."""

    log: Reader
    rows: Mapping[str, tuple[AnySpec, Reader]]
    rights: Rights


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stream begins.

    - `resumed`: the caller gave the cursor, and has everything before it.
    - `snapshot`: send the present rows first.
    """

    cursor: str
    resumed: bool = False
    snapshot: bool = False


class ChangeStream:
    """The events of one stream, which ends at the Unix time `ends_at`. No error of the database is raised.

    `now` returns the Unix time.
    """

    def __init__(
        self, sources: Sources, start: Start, *, ends_at: float, pace: Pace, now: Callable[[], float]
    ) -> None:
        self.sources: Final = sources
        self._cursor = start.cursor
        self._snapshot = start.snapshot
        self._ends_at = ends_at
        self._pace = pace
        self._now = now
        self._backoff = Backoff(pace.first_retry, pace.longest_retry)
        self._woken = asyncio.Event()
        self._sent: dict[_RowKey, int] = {}
        self._gone: OrderedDict[_RowKey, None] = OrderedDict()
        self.server_stops: Final = anyio.Event()
        """Set when the server is about to stop."""
        self.last_id: str | None = start.cursor if start.resumed else None
        """The id of the last event that the caller has taken, with which it can resume."""
        self.engine_is_live = False
        """Whether the engine calls `wake` for nearly every change."""

    @property
    def tables(self) -> frozenset[str]:
        """The tables of this stream, and those that say what its caller may read."""
        return self.sources.rights.tables.union(self.sources.rows)

    def wake(self) -> None:
        """Poll for changes now. Call it in the event loop."""
        self._woken.set()

    def heartbeat(self) -> ServerSentEvent:
        """Return a comment whose id moves the caller's cursor past changes that were not for it."""
        return ServerSentEvent(comment="still here", id=self.last_id)

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """Yield the events until the token expires or the server stops."""
        reconnect = round(self._pace.reconnect * 1000)
        yield ServerSentEvent(retry=reconnect, comment="changes, as they are committed")
        if self._snapshot:
            async for event in self._all_rows():
                yield event
        if not self._ended():
            yield ServerSentEvent("{}", event="ready", id=self._cursor)
            self.last_id = self._cursor
        while not self._ended():
            async for event in self._poll():
                yield event
        if not self.server_stops.is_set():
            yield ServerSentEvent('{"detail":"The access token has ended."}', event="expired")

    def _ended(self) -> bool:
        return self.server_stops.is_set() or self._now() >= self._ends_at

    async def _poll(self) -> AsyncIterator[ServerSentEvent]:
        """Yield the changes since the cursor, then wait for a reason to poll again."""
        self._woken.clear()
        try:
            answer = await self.sources.log.changes_since(self._cursor)
            if answer.resync or await self.sources.rights.changed(answer.changes):
                async for event in self._resync(answer.cursor):
                    yield event
            else:
                async for event in self._changes(answer):
                    yield event
        except NotAllowedError:
            self._ends_at = 0  # Supabase no longer accepts the token, whatever expiry it claims
            return
        except ReadError:
            await self._wait(self._backoff.next(), until_woken=False)
            return
        except Exception as error:
            # Whatever it was, the stream must go on: its caller would only connect again, to the same fault.
            FAULTS.record("streams", error)
            await self._wait(self._backoff.next(), until_woken=False)
            return
        self._backoff.reset()
        await self._wait(self._pace.min_interval, until_woken=False)
        poll = self._pace.poll if self.engine_is_live else self._pace.poll_without_engine
        await self._wait(poll, until_woken=True)

    async def _resync(self, cursor: str) -> AsyncIterator[ServerSentEvent]:
        """Tell the caller to drop its rows, and send all rows again."""
        yield ServerSentEvent("{}", event="resync")
        self._sent.clear()
        self._gone.clear()
        async for event in self._all_rows():
            yield event
        if not self._ended():
            yield ServerSentEvent("{}", event="ready", id=cursor)
            self._cursor = self.last_id = cursor

    async def _all_rows(self) -> AsyncIterator[ServerSentEvent]:
        for spec, reader in self.sources.rows.values():
            # After a failure the table starts from its beginning. Sending a row twice does no harm.
            while not self._ended():
                try:
                    async for page in reader.pages(spec, BATCH):
                        for event in _snapshot_events(spec, page):
                            yield event
                    break
                except NotAllowedError:
                    self._ends_at = 0
                except ReadError:
                    await self._wait(self._backoff.next(), until_woken=False)

    async def _changes(self, answer: ChangesSince) -> AsyncIterator[ServerSentEvent]:
        held: ServerSentEvent | None = None
        async for event in self._row_events(answer.changes):
            if held is not None:
                yield held
            held = event
        if held is not None:
            held.id = answer.cursor
            yield held
        # The log repeats these changes while a transaction is open. Other states need not be remembered.
        repeatable = {(change.table, change.key) for change in answer.changes}
        self._sent = {key: state for key, state in self._sent.items() if key in repeatable}
        self._cursor = self.last_id = answer.cursor

    async def _row_events(self, changes: Iterable[LoggedChange]) -> AsyncIterator[ServerSentEvent]:
        by_table: defaultdict[str, list[LoggedChange]] = defaultdict(list)
        for change in changes:
            if change.table in self.sources.rows:
                by_table[change.table].append(change)
        for table, logged in by_table.items():
            spec, reader = self.sources.rows[table]
            for start in range(0, len(logged), BATCH):
                batch = logged[start : start + BATCH]
                rows = await reader.by_key(spec, [change.key for change in batch])
                found = {spec.key_of(row): row for row in rows}
                for change in batch:
                    event = None
                    with FAULTS.contained(f"rows of {table}"):
                        event = self._row_event(spec, change, found.get(change.key))
                    if event is not None:
                        yield event

    def _row_event(self, spec: AnySpec, change: LoggedChange, row: Record | None) -> ServerSentEvent | None:
        """Return the event with the present state of a key; None if the caller has this state."""
        key = (change.table, change.key)
        if row is None:
            return self._delete_event(spec, change, key)
        event = _event(spec, Op.INSERT if change.op is Op.INSERT else Op.UPDATE, change.key, row)
        state = hash(event.data)
        if self._sent.get(key) == state:
            return None
        self._sent[key] = state
        self._gone.pop(key, None)
        return event

    def _delete_event(self, spec: AnySpec, change: LoggedChange, key: _RowKey) -> ServerSentEvent | None:
        never_sent = change.op is Op.INSERT and spec.recreated_at is None and key not in self._sent
        if key in self._gone or never_sent:
            return None
        self._sent.pop(key, None)
        self._gone[key] = None
        if len(self._gone) > _MOST_GONE:
            self._gone.popitem(last=False)
        return _event(spec, Op.DELETE, change.key, None)

    async def _wait(self, seconds: float, *, until_woken: bool) -> None:
        """Wait this long, or until the server stops, but not beyond the end of the token.

        With `until_woken` also end when `wake` is called.
        """
        wakers = [self._until_stopped(), self._until_woken()] if until_woken else [self._until_stopped()]
        async with running(*wakers) as waits:
            timeout = max(0.0, min(seconds, self._ends_at - self._now()))
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)

    async def _until_stopped(self) -> None:
        await self.server_stops.wait()

    async def _until_woken(self) -> None:
        await self._woken.wait()


def _snapshot_events(spec: AnySpec, page: Iterable[Record]) -> Iterable[ServerSentEvent]:
    for row in page:
        with FAULTS.contained(f"rows of {spec.name}"):
            yield _event(spec, "SNAPSHOT", spec.key_of(row), row)


def _event(spec: AnySpec, op: str, key: Key, row: Record | None) -> ServerSentEvent:
    data = {"table": spec.name, "op": op, "key": dict(zip(spec.key, key, strict=True)), "row": row}
    return ServerSentEvent(json.dumps(data, ensure_ascii=False, separators=(",", ":")), event="change")
