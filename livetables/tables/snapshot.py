"""The rows of one table at one time, with values derived from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, ValuesView
from typing import Generic, TypeVar, cast, overload

from livetables.tables.changes import Key
from livetables.tables.rows import Rows

R = TypeVar("R")
T = TypeVar("T")
D = TypeVar("D")


class Snapshot(Generic[R]):
    """Immutable rows of a table, shared by every session of an audience.

    Two snapshots of a table with the same `revision` hold the same rows. `rows` may only be replaced by rows
    that look the same.
    """

    __slots__ = ("_derived", "_lock", "revision", "rows")

    def __init__(self, rows: Rows[R], revision: int) -> None:
        self.rows = rows
        self.revision = revision
        self._derived: dict[Hashable, object] = {}
        self._lock = threading.RLock()

    def derived(self, name: Hashable, compute: Callable[[Rows[R]], T]) -> T:
        """Return `compute(rows)`, computed once for all sessions that use this name.

        `compute` must be pure, and may call `derived`. Put everything it uses besides the rows into the
        name: `("by day", zone)`. Other threads wait while it computes, so that sessions that rerun together
        share one computation. Raises what `compute` raises, and then keeps nothing.
        """
        with self._lock:
            if name not in self._derived:
                self._derived[name] = compute(self.rows)
            return cast(T, self._derived[name])

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, key: object) -> bool:
        return key in self.rows

    def __repr__(self) -> str:
        return f"Snapshot(revision={self.revision}, rows={len(self)})"

    def values(self) -> ValuesView[R]:
        """Return the rows, in no particular order."""
        return self.rows.values()

    @overload
    def get(self, key: Key) -> R | None: ...
    @overload
    def get(self, key: Key, default: D) -> R | D: ...
    def get(self, key: Key, default: D | None = None) -> R | D | None:
        """Return the row with this key, or `default`."""
        return self.rows.get(key, default)


EMPTY: Snapshot[object] = Snapshot(Rows(), 0)
"""The snapshot of a table whose first rows are not loaded yet."""
