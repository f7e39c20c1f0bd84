"""The newest rows of one audience's tables: changes are applied under a lock, reads take none."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from livetables.faults import FAULTS
from livetables.tables.changes import Change, Key, Op, Record
from livetables.tables.rows import Rows
from livetables.tables.snapshot import EMPTY, Snapshot
from livetables.tables.spec import AnySpec

_revisions: Final = itertools.count(1)

_WINDOWS: Final = 3
"""How many windows of rows a table may hold before the oldest are trimmed. Rows that were paged in on demand
are added to that."""


@dataclass(frozen=True, slots=True)
class Moment:
    """All tables of one audience at the same time. `number` grows with every visible change."""

    number: int
    tables: Mapping[str, Snapshot[Any]]


@dataclass(frozen=True, slots=True)
class _Window:
    """Which part of a table is loaded."""

    floor: Any = None
    """The value of the order column down to which all rows are loaded. None: every row is loaded."""
    capacity: int = 0
    """How many rows are held before the oldest are trimmed. 0: no limit."""
    oldest_kept: tuple[Key, Any] | None = None
    """The oldest row that the last trimming kept. None: nothing was trimmed since the last load."""


class Store:
    """Takes changes on any thread and gives out moments.

    `on_change` is called with the names of the tables that look different, on the thread that applied the
    change, and must not block.
    """

    def __init__(self, specs: Sequence[AnySpec], on_change: Callable[[frozenset[str]], None]) -> None:
        self.specs: Mapping[str, AnySpec] = {spec.name: spec for spec in specs}
        self.loaded: Final = threading.Event()
        """Set once every table has its first rows."""
        self._on_change = on_change
        self._lock = threading.RLock()
        self._positions = itertools.count(1)
        self._rows: dict[str, Rows[Any]] = {name: Rows() for name in self.specs}
        self._windows: dict[str, _Window] = {name: _Window() for name in self.specs}
        self._moment = Moment(0, MappingProxyType(dict.fromkeys(self.specs, EMPTY)))

    def follow(self, spec: AnySpec) -> None:
        """Hold this table from now on, empty and not loaded. It replaces one of the same name."""
        with self._lock:
            # Readers take no lock, so the specs are replaced in one step.
            self.specs = {**self.specs, spec.name: spec}
            self._windows[spec.name] = _Window()
            self.loaded.clear()
            self._rows[spec.name] = Rows()
            tables = {**self._moment.tables, spec.name: EMPTY}
            self._moment = Moment(self._moment.number + 1, MappingProxyType(tables))
        self._on_change(frozenset({spec.name}))

    @property
    def moment(self) -> Moment:
        """The newest moment."""
        return self._moment

    def position(self) -> int:
        """Return a new position, after everything seen so far."""
        return next(self._positions)

    def version(self, table: str, key: Key) -> int:
        """Return the highest version seen of this key, 0 if none was."""
        return self._rows[table].version(key)

    def floor(self, table: str) -> Any:
        """Return the value of the order column down to which all rows are loaded; None if all rows are."""
        return self._windows[table].floor

    def oldest_kept(self, table: str) -> tuple[Key, Any] | None:
        """Return the oldest row that the last trimming kept, None if nothing is trimmed."""
        return self._windows[table].oldest_kept

    def apply(self, changes: Iterable[Change[Any]]) -> frozenset[str]:
        """Apply all changes as one moment. Return the names of the tables that look different."""
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
        """Apply the row that a write returned. A deletion seen meanwhile may be newer and then wins.

        Raises what the spec's `parse` raises.
        """
        spec = self.specs[table]
        with self._lock:
            self.apply([spec.written(record, position=self._rows[table].position(spec.key_of(record)))])

    def apply_deleted(self, table: str, key: Key, version: int = 0) -> None:
        """Apply the writer's own deletion, of every version up to this one or seen so far."""
        spec = self.specs[table]
        with self._lock:
            known = self._rows[table].version(key)
            deleted = known if spec.recreated_at is not None else max(known, version)
            self.apply([spec.deleted(key, version=deleted, position=self.position())])

    def replace(
        self, spec: AnySpec, changes: Sequence[Change[Any]], *, position: int, complete: bool
    ) -> None:
        """Apply a fresh load of the table: rows that it lacks were deleted.

        `position` is the one at which the load was requested. `complete` says that no older rows exist.
        The rows become visible with the next `apply`.
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
            floor = None if complete else _oldest(spec, changes)
            self._windows[spec.name] = _Window(floor, _WINDOWS * (spec.window or 0))

    def extend(self, spec: AnySpec, changes: Sequence[Change[Any]], *, complete: bool) -> None:
        """Apply older rows of a windowed table. `complete` says that no older rows exist."""
        with self._lock:
            window, oldest = self._windows[spec.name], _oldest(spec, changes)
            floor = None if complete else window.floor if oldest is None else oldest
            self._windows[spec.name] = _Window(floor, window.capacity + len(changes))
            self.apply(changes)

    def _trim(self, spec: AnySpec) -> None:
        """Drop the oldest rows of a table that has outgrown its capacity. They can be loaded again."""
        rows, window = self._rows[spec.name], self._windows[spec.name]
        if not spec.window or not window.capacity or len(rows) <= window.capacity:
            return
        newest_first = sorted(rows.items(), key=lambda item: (_order(spec, item[1]), item[0]), reverse=True)
        floor = _order(spec, newest_first[window.capacity - spec.window - 1][1])
        kept = [item for item in newest_first if _order(spec, item[1]) >= floor]
        self._windows[spec.name] = replace(window, floor=floor, oldest_kept=kept[-1])
        self._rows[spec.name] = rows.without({key for key, _ in newest_first[len(kept) :]})

    def finish_loading(self) -> None:
        """Mark every table as loaded: from now on a table without rows is known to be empty."""
        if not self.loaded.is_set():
            self.loaded.set()
            self._on_change(frozenset(self.specs))

    def clear(self, table: str) -> None:
        """Drop all rows of this table, also those that are loaded and not visible yet."""
        with self._lock:
            self._rows[table] = Rows()
            self._windows[table] = _Window()
            self._publish()

    def keys_outside(self, spec: AnySpec, newest: Collection[Key], oldest: object | None) -> list[Key]:
        """Return the keys of held rows that no longer exist in a table that loses only its oldest rows.

        `newest` are the keys of the newest existing rows, `oldest` is the oldest existing row. None as
        `oldest` says that `newest` are all rows there are.
        """
        rows, existing = self._rows[spec.name], set(newest)
        begin = min((_order(spec, rows[key]) for key in existing if key in rows), default=None)
        end = None if oldest is None else _order(spec, oldest)

        def is_gone(row: object) -> bool:
            if end is None or begin is None:
                return True
            return bool(_order(spec, row) < end or _order(spec, row) > begin)

        return [key for key, row in rows.items() if key not in existing and is_gone(row)]

    def revived_by(self, changes: Iterable[Change[Any]]) -> list[Change[Any]]:
        """Return the changes that show deleted rows again only because they arrive after the deletion."""
        return [change for change in changes if self._rows[change.table].revives(change)]

    def outlived(self, changes: Iterable[Change[Any]]) -> list[Change[Any]]:
        """Return the deletions whose rows are there."""
        return [
            change for change in changes if change.op is Op.DELETE and change.key in self._rows[change.table]
        ]

    def count_visible(self, changes: Iterable[Change[Any]]) -> int:
        """Return how many of the changes would make a visible difference if they were applied."""
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
        """Drop the record of deletions older than this position. Nothing older may still arrive."""
        with self._lock:
            for name, rows in self._rows.items():
                self._rows[name] = rows.forget_deleted(before)
            self._publish()

    def _in_window(self, spec: AnySpec, change: Change[Any]) -> bool:
        """Return whether the change belongs to the loaded part.

        An older row that changes is left out: with it, the rows between it and the window would be missing.
        """
        floor = self._windows[spec.name].floor
        if floor is None or change.row is None or change.key in self._rows[spec.name]:
            return True
        return bool(_order(spec, change.row) >= floor)

    def _publish(self) -> frozenset[str]:
        before = self._moment.tables
        tables = {name: _snapshot(before[name], rows) for name, rows in self._rows.items()}
        changed = frozenset(name for name, snapshot in tables.items() if snapshot is not before[name])
        if changed:
            self._moment = Moment(self._moment.number + 1, MappingProxyType(tables))
            self._on_change(changed)
        return changed


def _snapshot(before: Snapshot[Any], rows: Rows[Any]) -> Snapshot[Any]:
    """Return the snapshot of these rows, which is the one before if they look the same."""
    if before.rows.revision != rows.revision or len(before) != len(rows):
        return Snapshot(rows, next(_revisions))
    if before is not EMPTY:
        # Otherwise the table would be in memory twice until its next visible change.
        before.rows = rows
    return before


def _handled(spec: AnySpec, rows: Rows[Any], change: Change[Any]) -> Rows[Any]:
    try:
        return spec.handler(rows, change)
    except Exception as error:
        # A fault in the handler of one table must not end the feed of all others.
        FAULTS.record(f"rows of {spec.name}", error)
        return rows


def _oldest(spec: AnySpec, changes: Sequence[Change[Any]]) -> Any:
    """Return the lowest value of the order column, None if no row could be read."""
    return min((_order(spec, change.row) for change in changes), default=None)


def _order(spec: AnySpec, row: object) -> Any:
    assert spec.order is not None
    return row[spec.order] if isinstance(row, Mapping) else getattr(row, spec.order)
