"""The newest rows of one audience's tables: applied under a lock, read without one."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from live.changes import Change, Key, Record
from live.rows import Rows
from live.snapshot import EMPTY, Snapshot
from live.tables import AnySpec

_log: Final = logging.getLogger(__name__)

_revisions: Final = itertools.count(1)

_WINDOWS: Final = 3
"""How many windows of rows are held before the oldest are dropped, beside those that were asked for."""


@dataclass(frozen=True, slots=True)
class Moment:
    """All tables of one audience at the same time. `number` grows with every visible change."""

    number: int
    tables: Mapping[str, Snapshot[Any]]


class Store:
    """Takes changes on any thread and gives out moments. `on_change` is told which tables look different."""

    def __init__(self, specs: Sequence[AnySpec], on_change: Callable[[frozenset[str]], None]) -> None:
        self.specs: Final = {spec.name: spec for spec in specs}
        self.loaded: Final = threading.Event()
        """Set once every table has its first rows."""
        self._on_change = on_change
        self._lock = threading.RLock()
        self._positions = itertools.count(1)
        self._rows: dict[str, Rows[Any]] = {name: Rows() for name in self.specs}
        self._floors: dict[str, Any] = {}
        self._room: dict[str, int] = {}
        self._cuts: dict[str, tuple[Key, Any]] = {}
        self._moment = Moment(0, MappingProxyType(dict.fromkeys(self.specs, EMPTY)))

    @property
    def moment(self) -> Moment:
        """The newest moment."""
        return self._moment

    def position(self) -> int:
        """Return a position after all that was seen so far."""
        return next(self._positions)

    def version(self, table: str, key: Key) -> int:
        """Return the highest version seen of this key, 0 when none was."""
        return self._rows[table].version(key)

    def apply(self, changes: Iterable[Change[Any]]) -> frozenset[str]:
        """Apply them all as one moment; return the tables that look different now."""
        with self._lock:
            touched: set[str] = set()
            for change in changes:
                spec = self.specs[change.table]
                if self._in_window(spec, change):
                    self._rows[change.table] = _handled(spec, self._rows[change.table], change)
                    touched.add(change.table)
            for table in touched:
                self._trim(self.specs[table])
            return self._publish()

    def apply_written(self, table: str, record: Record) -> None:
        """Take the row that a write returned. It may be older than a deletion seen meanwhile."""
        spec = self.specs[table]
        with self._lock:
            self.apply([spec.written(record, position=self._rows[table].position(spec.key_of(record)))])

    def apply_deleted(self, table: str, key: Key, version: int = 0) -> None:
        """Take the writer's word that the row is deleted, in every version up to this one or seen so far."""
        spec = self.specs[table]
        with self._lock:
            known = self._rows[table].version(key)
            ended = known if spec.reborn is not None else max(known, version)
            self.apply([spec.deleted(key, version=ended, position=self.position())])

    def replace(
        self, spec: AnySpec, changes: Sequence[Change[Any]], *, position: int, complete: bool
    ) -> None:
        """Take a fresh load of the table, asked for at `position`: what it lacks is gone.

        `complete` says that there are no rows older than these. Not visible until the next `apply`.
        """
        with self._lock:
            rows = self._rows[spec.name]
            found = {change.key for change in changes}
            for key in rows:
                if key not in found:
                    rows = _handled(spec, rows, spec.deleted(key, position=position))
            for change in changes:
                rows = _handled(spec, rows, change)
            self._rows[spec.name] = rows
            self._floors[spec.name] = None if complete else _oldest(spec, changes)
            self._cuts.pop(spec.name, None)
            self._room[spec.name] = _WINDOWS * (spec.window or 0)

    def extend(self, spec: AnySpec, changes: Sequence[Change[Any]], *, complete: bool) -> None:
        """Take older rows of a windowed table; `complete` says that there are no more."""
        with self._lock:
            self._floors[spec.name] = None if complete else _oldest(spec, changes)
            self._cuts.pop(spec.name, None)
            self._room[spec.name] = self._room.get(spec.name, 0) + len(changes)
            self.apply(changes)

    def cut(self, table: str) -> tuple[Key, Any] | None:
        """Return the oldest row that was kept when older ones were dropped, None if none were."""
        return self._cuts.get(table)

    def _trim(self, spec: AnySpec) -> None:
        """Drop the oldest rows of a table that has grown far beyond its window: they can be loaded again."""
        rows, room = self._rows[spec.name], self._room.get(spec.name)
        if not spec.window or not room or len(rows) <= room:
            return
        newest_first = sorted(rows.items(), key=lambda item: (_order(spec, item[1]), item[0]), reverse=True)
        floor = _order(spec, newest_first[room - spec.window - 1][1])
        kept = [item for item in newest_first if _order(spec, item[1]) >= floor]
        self._floors[spec.name], self._cuts[spec.name] = floor, kept[-1]
        self._rows[spec.name] = rows.without({key for key, _ in newest_first[len(kept) :]})

    def finish_loading(self) -> None:
        """Say that every table has its first rows: one without any is known to be empty from now on."""
        if not self.loaded.is_set():
            self.loaded.set()
            self._on_change(frozenset(self.specs))

    def clear(self, table: str) -> None:
        """Hold no rows of this table any longer, not even those that are loaded and not visible yet."""
        with self._lock:
            self._rows[table] = Rows()
            for known in (self._floors, self._room, self._cuts):
                known.pop(table, None)
            self._publish()

    def keys_outside(self, spec: AnySpec, newest: Collection[Key], oldest: object | None) -> list[Key]:
        """Return the keys of rows that cannot be there, if these are the newest keys and this the oldest row.

        Without an oldest row the newest are all there are.
        """
        rows, there = self._rows[spec.name], set(newest)
        begin = min((_order(spec, rows[key]) for key in there if key in rows), default=None)
        end = None if oldest is None else _order(spec, oldest)

        def is_gone(row: object) -> bool:
            if end is None or begin is None:
                return True
            return bool(_order(spec, row) < end or _order(spec, row) > begin)

        return [key for key, row in rows.items() if key not in there and is_gone(row)]

    def news(self, changes: Iterable[Change[Any]]) -> int:
        """Return how many of the changes would be seen if they were applied."""
        with self._lock:
            rows = dict(self._rows)
            count = 0
            for change in changes:
                spec, before = self.specs[change.table], rows[change.table]
                if self._in_window(spec, change):
                    rows[spec.name] = _handled(spec, before, change)
                    count += rows[spec.name].revision != before.revision
            return count

    def forget_deleted(self, before: int) -> None:
        """Drop what is remembered of deletions older than this position."""
        with self._lock:
            for name, rows in self._rows.items():
                self._rows[name] = rows.forget_deleted(before)

    def _in_window(self, spec: AnySpec, change: Change[Any]) -> bool:
        """Whether the change belongs to what is loaded; an old row that changes would leave a gap."""
        floor = self._floors.get(spec.name)
        if floor is None or change.row is None or change.key in self._rows[spec.name]:
            return True
        return bool(_order(spec, change.row) >= floor)

    def _publish(self) -> frozenset[str]:
        before = self._moment.tables
        tables = {
            name: before[name]
            if before[name].rows.revision == rows.revision and len(before[name]) == len(rows)
            else Snapshot(rows, next(_revisions))
            for name, rows in self._rows.items()
        }
        changed = frozenset(name for name, snapshot in tables.items() if snapshot is not before[name])
        if changed:
            self._moment = Moment(self._moment.number + 1, MappingProxyType(tables))
            self._on_change(changed)
        return changed


def _handled(spec: AnySpec, rows: Rows[Any], change: Change[Any]) -> Rows[Any]:
    try:
        return spec.handler(rows, change)
    except Exception:
        # A fault in one table's handler must not end the feed of all the others.
        _log.exception("The handler of %s failed at %s", spec.name, change.key)
        return rows


def _oldest(spec: AnySpec, changes: Sequence[Change[Any]]) -> Any:
    return min(_order(spec, change.row) for change in changes)


def _order(spec: AnySpec, row: object) -> Any:
    assert spec.order is not None
    return getattr(row, spec.order)
