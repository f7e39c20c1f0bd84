"""Brings a store up to date by reading, which never misses a change. The stream only makes it fast.

`changes_since(cursor)` names every key that changed, however late its transaction committed. The rows of
these keys are then read under row-level security; a key whose row does not come back is gone.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, cast

from livetables.background import running
from livetables.errors import ReadError
from livetables.faults import FAULTS
from livetables.feed.reads import PAGE, ChangesSince, LoggedChange, Reader
from livetables.tables.changes import Change, Key, Record
from livetables.tables.spec import AnySpec
from livetables.tables.store import Store
from livetables.timing import wait_for_event

T = TypeVar("T")

_LOADS: Final = 3
"""How often loading starts again because the log no longer reached back to its beginning."""

_DELETIONS_KEPT: Final = 60.0
"""Seconds for which deletions are remembered at least; no request takes that long."""


class Sync:
    """Reads the tables of `specs` into a store. Methods raise `ReadError` and may then be called again."""

    def __init__(self, store: Store, specs: Mapping[str, AnySpec], reader: Reader) -> None:
        self.store: Final = store
        self._specs: Final = specs
        self._reader: Final = reader
        self._cursor: str | None = None
        self._doubtful: set[tuple[str, Key]] = set()
        self._oldest: dict[str, Record] = {}
        self._forget_before = 0
        self._forgot_at = 0.0

    @property
    def loaded(self) -> bool:
        """Whether the tables have been loaded."""
        return self._cursor is not None

    @property
    def answers(self) -> int:
        """How many of its requests have been answered."""
        return self._reader.answers

    async def load(self) -> None:
        """Read every table, and then what changed meanwhile, unless all rows came in one answer."""
        for _ in range(_LOADS):
            position = self.store.position()
            specs = tuple(self._specs.values())
            first = await self._reader.first_rows(specs) if len(specs) > 1 else None
            cursor = first.cursor if first else (await self._reader.changes_since(None)).cursor
            known = first.records if first else {}
            await _together(self._load(spec, known.get(spec.name), position) for spec in self._specs.values())
            if first is not None and all(_is_whole(spec, known.get(spec.name)) for spec in specs):
                self._finish_loading(first.cursor)
                return
            answer = await self._reader.changes_since(cursor)
            if not answer.resync:
                break
        else:
            raise ReadError("The log of changes does not reach back to the beginning of a load")
        self._take(await self._read_changes(answer.changes))
        self._finish_loading(answer.cursor)

    def _finish_loading(self, cursor: str) -> None:
        self.store.apply(())
        self._cursor = cursor
        self.store.finish_loading()

    async def catch_up(self, grace: float = 0, hurry: asyncio.Event | None = None) -> int:
        """Read what changed since the last call. Return how many of the changes the stream had lost.

        The stream gets `grace` seconds to deliver the same changes, less if `hurry` is set meanwhile. Without
        grace, or in a hurry, no change counts as lost.
        """
        if self._cursor is None:
            await self.load()
            return 0
        answer = await self._reader.changes_since(self._cursor)
        if answer.resync:
            await self.load()
            return 0
        lost = await self._apply(answer, grace, hurry or asyncio.Event())
        self._cursor = answer.cursor
        self._forget_deletions()
        return lost

    def doubt(self, table: str, key: Key) -> None:
        """Read this row again with the next call of `catch_up`, although the log may name no change of it."""
        self._doubtful.add((table, key))

    async def refetch(self, table: str, keys: Sequence[Key]) -> None:
        """Read these rows again."""
        self._take(await self._read(self._specs[table], keys))

    async def load_older(self, table: str) -> bool:
        """Read the next rows beyond the window. Return False if there are none."""
        spec = self._specs.get(table)
        if spec is None or spec.window is None or spec.order is None:
            return False
        kept, position = self.store.oldest_kept(table), self.store.position()
        oldest = self._oldest.get(table) if kept is None else _as_record(spec, *kept)
        if oldest is None:
            return False
        records = await self._reader.newest(spec, spec.window, before=oldest)
        if self.store.oldest_kept(table) is not kept:
            return True  # the table was trimmed meanwhile, so these rows no longer adjoin the loaded ones
        complete = self._note_oldest(spec, records)
        self.store.extend(spec, _written(spec, records, position), complete=complete)
        return bool(records)

    async def _load(self, spec: AnySpec, first: list[Record] | None = None, position: int = 0) -> None:
        """Load a table; `first` are its first rows, read at this position, if they are there already."""
        position = self.store.position() if first is None else position
        if spec.window is None:
            records, complete = await self._reader.everything(spec, first), True
        else:
            records = await self._reader.newest(spec, spec.window) if first is None else first
            complete = self._note_oldest(spec, records)
        changes = _written(spec, records, position)
        self.store.replace(spec, changes, position=position, complete=complete)

    def _note_oldest(self, spec: AnySpec, records: Sequence[Record]) -> bool:
        """Remember where the next page begins. Return whether there is no next page."""
        complete = len(records) < min(spec.window or PAGE, PAGE)
        if complete:
            self._oldest.pop(spec.name, None)
        else:
            self._oldest[spec.name] = records[-1]
        return complete

    async def _apply(self, answer: ChangesSince, grace: float, hurry: asyncio.Event) -> int:
        changes = await self._read_changes(answer.changes)
        lost = 0
        if grace and self.store.count_visible(changes) and not await wait_for_event(hurry, grace):
            lost = self.store.count_visible(changes)
        self._take(changes)
        return lost

    def _take(self, changes: Sequence[Change[Any]]) -> None:
        """Apply what was read, and doubt the rows that were found gone and are still there.

        Either they were inserted again, or a delayed message of the stream brought them during the read. The
        stream may end before it delivers their deletion, and the log names them no more.
        """
        self.store.apply(changes)
        for change in self.store.outlived(changes):
            self.doubt(change.table, change.key)

    async def _read_changes(self, logged: Iterable[LoggedChange]) -> list[Change[Any]]:
        keys: defaultdict[str, dict[Key, None]] = defaultdict(dict)
        for entry in logged:
            keys[entry.table][entry.key] = None
        # A row may be doubted again while it is read. That doubt is for the next call.
        doubtful, self._doubtful = self._doubtful, set()
        for table, key in doubtful:
            keys[table][key] = None
        reads = [self._read(self._specs[table], list(some)) for table, some in keys.items()]
        reads += [self._read_newest(spec) for spec in self._specs.values() if not spec.logged]
        try:
            return [change for changes in await _together(reads) for change in changes]
        except BaseException:
            self._doubtful |= doubtful
            raise

    async def _read(self, spec: AnySpec, keys: Sequence[Key]) -> list[Change[Any]]:
        position = self.store.position()
        records = await self._reader.by_key(spec, keys)
        written = _written(spec, records, position)
        # What cannot be read is left out, also where the row as it was before is shown.
        readable = {change.key for change in written}
        return written + [spec.deleted(key, position=position) for key in keys if key not in readable]

    async def _read_newest(self, spec: AnySpec) -> list[Change[Any]]:
        """Read what the log does not contain: new rows of the window, and which rows are gone."""
        position = self.store.position()
        window = min(spec.window or PAGE, PAGE)
        keys = await self._reader.newest_keys(spec, window)
        unknown = [key for key in keys if not self.store.version(spec.name, key)]
        if len(keys) == window and keys[-1] in unknown:
            # More than a window was missed, so rows between it and the loaded ones may exist.
            await self._load(spec)
            return []
        records = await self._reader.by_key(spec, unknown) if unknown else []
        gone = await self._gone_from_window(spec, keys, complete=len(keys) < window)
        deleted = [spec.deleted(key, position=position) for key in gone if key not in unknown]
        return _written(spec, records, position) + deleted

    async def _gone_from_window(self, spec: AnySpec, newest: Sequence[Key], *, complete: bool) -> list[Key]:
        """Return the held keys that no longer exist; `complete` says that `newest` are all there are."""
        record = None if complete else await self._reader.oldest(spec)
        if record is None:
            return self.store.keys_outside(spec, newest, None)
        oldest = _parsed(spec, record)
        # Without a readable oldest row nobody knows how far back the table reaches: nothing counts as gone.
        return [] if oldest is None else self.store.keys_outside(spec, newest, oldest)

    def _forget_deletions(self) -> None:
        """Forget old deletions once a minute: no request from before the last time is still open."""
        now = time.monotonic()
        if now - self._forgot_at > _DELETIONS_KEPT:
            self.store.forget_deleted(self._forget_before)
            self._forget_before, self._forgot_at = self.store.position(), now


def _is_whole(spec: AnySpec, first: Sequence[Record] | None) -> bool:
    """Return whether the first rows of a table are all that loading it takes."""
    return first is not None and (spec.window is not None or len(first) < PAGE)


def _as_record(spec: AnySpec, key: Key, row: object) -> Record:
    """Return as much of a row as paging needs to find the rows before it."""
    assert spec.order is not None
    return {spec.order: str(getattr(row, spec.order)), **dict(zip(spec.key, key, strict=True))}


def _written(spec: AnySpec, records: Sequence[Record], position: int) -> list[Change[Any]]:
    """Return the changes that make these rows; a row that cannot be read is left out and counted."""
    changes: list[Change[Any]] = []
    for record in records:
        with FAULTS.contained(f"rows of {spec.name}"):
            changes.append(spec.written(record, position=position))
    return changes


def _parsed(spec: AnySpec, record: Record) -> object | None:
    try:
        return cast(object, spec.parse(record))
    except Exception as error:
        FAULTS.record(f"rows of {spec.name}", error)
        return None


async def _together(reads: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Run reads at the same time. If one fails, cancel the others: they must not write later."""
    async with running(*reads) as tasks:
        return await asyncio.gather(*tasks)
