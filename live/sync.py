"""Bringing a store up to date by reading, which is what never misses anything.

`changes_since(cursor)` names every key that changed, whenever its transaction committed; the rows behind
the keys are then read under row level security, and a key that does not come back is gone. The stream
only makes this fast.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from live.changes import Change, Key, Record
from live.reads import PAGE, ChangesSince, LoggedChange, Reader
from live.store import Store
from live.tables import AnySpec
from live.timing import happens

_log: Final = logging.getLogger(__name__)

_REMEMBERED: Final = 60.0


class Sync:
    """Reads these tables for one store. Every method raises `ReadError` and can be called again after it."""

    def __init__(self, store: Store, specs: Mapping[str, AnySpec], reader: Reader) -> None:
        self.store: Final = store
        self._specs: Final = specs
        self._reader: Final = reader
        self._cursor: str | None = None
        self._oldest: dict[str, Record] = {}
        self._old_position = 0
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
        """Read every table, and then what changed meanwhile."""
        cursor = (await self._reader.changes_since(None)).cursor
        await asyncio.gather(*(self._load(spec) for spec in self._specs.values()))
        answer = await self._reader.changes_since(cursor)
        if not answer.resync:
            await self._take(answer.changes)
        self.store.apply(())
        self._cursor = answer.cursor
        self.store.finish_loading()

    async def catch_up(self, grace: float = 0, hurry: asyncio.Event | None = None) -> int:
        """Read what changed since the last time; return how much of it the stream had lost, in rows.

        The stream gets `grace` seconds to bring the same by itself, unless there is a `hurry`. Without any
        grace nothing counts as lost.
        """
        if self._cursor is None:
            await self.load()
            return 0
        answer = await self._reader.changes_since(self._cursor)
        if answer.resync:
            await self.load()
            return 0
        repaired = await self._repair(answer, grace, hurry or asyncio.Event())
        self._cursor = answer.cursor
        self._forget()
        return repaired

    async def refetch(self, table: str, keys: Sequence[Key]) -> None:
        """Read these rows again."""
        self.store.apply(await self._read(self._specs[table], keys))

    async def load_older(self, table: str) -> bool:
        """Read the next rows beyond the window; False when there are none."""
        spec = self._specs.get(table)
        if spec is None or spec.window is None or spec.order is None:
            return False
        cut, position = self.store.cut(table), self.store.position()
        oldest = self._oldest.get(table) if cut is None else _as_record(spec, *cut)
        if oldest is None:
            return False
        records = await self._reader.newest(spec, spec.window, before=oldest)
        if self.store.cut(table) is not cut:
            return True  # these no longer adjoin what is held
        complete = self._note_oldest(spec, records)
        self.store.extend(spec, _written(spec, records, position), complete=complete)
        return bool(records)

    async def _load(self, spec: AnySpec) -> None:
        position = self.store.position()
        if spec.window is None:
            records, complete = await self._reader.everything(spec), True
        else:
            records = await self._reader.newest(spec, spec.window)
            complete = self._note_oldest(spec, records)
        changes = _written(spec, records, position)
        self.store.replace(spec, changes, position=position, complete=complete)

    def _note_oldest(self, spec: AnySpec, records: Sequence[Record]) -> bool:
        """Remember where the next page begins; return whether there is none."""
        complete = len(records) < min(spec.window or PAGE, PAGE)
        if complete:
            self._oldest.pop(spec.name, None)
        else:
            self._oldest[spec.name] = records[-1]
        return complete

    async def _repair(self, answer: ChangesSince, grace: float, hurry: asyncio.Event) -> int:
        changes = await self._read_changes(answer.changes)
        lost = 0
        if grace and self.store.news(changes) and not await happens(hurry, grace):
            lost = self.store.news(changes)
        self.store.apply(changes)
        return lost

    async def _take(self, logged: Iterable[LoggedChange]) -> None:
        self.store.apply(await self._read_changes(logged))

    async def _read_changes(self, logged: Iterable[LoggedChange]) -> list[Change[Any]]:
        keys: defaultdict[str, list[Key]] = defaultdict(list)
        for entry in logged:
            keys[entry.table].append(entry.key)
        reads = [self._read(self._specs[table], some) for table, some in keys.items()]
        reads += [self._read_newest(spec) for spec in self._specs.values() if not spec.logged]
        return [change for changes in await asyncio.gather(*reads) for change in changes]

    async def _read(self, spec: AnySpec, keys: Sequence[Key]) -> list[Change[Any]]:
        position = self.store.position()
        records = await self._reader.by_key(spec, keys)
        found = {spec.key_of(record) for record in records}
        gone = [spec.deleted(key, position=position) for key in keys if key not in found]
        return _written(spec, records, position) + gone

    async def _read_newest(self, spec: AnySpec) -> list[Change[Any]]:
        """Read what the log does not tell of: rows of the window not known yet, and which are gone."""
        position = self.store.position()
        window = min(spec.window or PAGE, PAGE)
        keys = await self._reader.newest_keys(spec, window)
        unknown = [key for key in keys if not self.store.version(spec.name, key)]
        if len(keys) == window and keys[-1] in unknown:
            # More than a window was missed: what is between it and the rows that are known is not there.
            await self._load(spec)
            return []
        records = await self._reader.by_key(spec, unknown) if unknown else []
        beyond = await self._reader.oldest(spec) if len(keys) == window else None
        kept = None if beyond is None else spec.parse(beyond)
        gone = [key for key in self.store.keys_outside(spec, keys, kept) if key not in unknown]
        return _written(spec, records, position) + [spec.deleted(key, position=position) for key in gone]

    def _forget(self) -> None:
        """Forget deletions now and then: no request from before the last time is still under way."""
        now = time.monotonic()
        if now - self._forgot_at > _REMEMBERED:
            self.store.forget_deleted(self._old_position)
            self._old_position, self._forgot_at = self.store.position(), now


def _as_record(spec: AnySpec, key: Key, row: object) -> Record:
    """Return as much of a row as says where the rows before it begin."""
    assert spec.order is not None
    return {spec.order: str(getattr(row, spec.order)), **dict(zip(spec.key, key, strict=True))}


def _written(spec: AnySpec, records: Sequence[Record], position: int) -> list[Change[Any]]:
    changes: list[Change[Any]] = []
    for record in records:
        try:
            changes.append(spec.written(record, position=position))
        except (KeyError, ValueError):
            # One row that the app cannot read must not keep all the others from being shown.
            _log.exception("A row of %s has another shape than the app expects", spec.name)
    return changes
