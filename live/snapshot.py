"""The rows of one table at one moment, with what is derived from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterator, ValuesView
from typing import Generic, TypeVar, cast, overload

from live.changes import Key
from live.rows import Rows

R = TypeVar("R")
T = TypeVar("T")
D = TypeVar("D")


class Snapshot(Generic[R]):
    """Immutable rows of a table, shared by every session of an audience.

    `revision` differs between any two snapshots of a table that do not show the same rows.
    """

    __slots__ = ("_derived", "_lock", "revision", "rows")

    def __init__(self, rows: Rows[R], revision: int) -> None:
        self.rows = rows
        self.revision = revision
        self._derived: dict[Hashable, object] = {}
        self._lock = threading.RLock()

    def derived(self, name: Hashable, compute: Callable[[Rows[R]], T]) -> T:
        """Return `compute(rows)`, worked out once for all sessions that ask under this name.

        `compute` must be pure. What it needs beyond the rows belongs into the name: `("by day", zone)`. The
        lock is held while computing, so many sessions woken at once wait for one computation; `compute` may
        call `derived`.
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
        """Return the row with this key, `default` when there is none."""
        return self.rows.get(key, default)


EMPTY: Snapshot[object] = Snapshot(Rows(), 0)
"""What a session is shown of a table before its first rows are loaded."""
