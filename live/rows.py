"""Keyed rows that take changes in any order, any number of times, and end up the same.

For each key three facts are kept, each the largest of all that was seen, so that no order of arrival
matters: the newest version of the row, the position at which that version was last seen, and the newest
deletion. The row is there when

- its version is above the one the deletion is known to have ended, and
- it was seen after the deletion, or came to be after it (its version is above the deletion's ceiling).

A deletion on the wire carries the key alone (row level security on), hence the second rule. Keys that are
never used again (a generated id) make it simple: their deletions are `FINAL`. Natural keys come back;
`TableSpec.reborn` makes their versions grow across lives, and a row that is read again after its deletion
is there again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar, cast

from live.changes import FINAL, Change, Key, Op

R = TypeVar("R")

_PATCH_LIMIT: Final = 64


@dataclass(frozen=True, slots=True)
class _Cell(Generic[R]):
    """All that is known of one key. Version 0: no row was ever seen; `ended` None: no deletion was."""

    row: R | None = None
    version: int = 0
    position: int = 0
    ended: _Deletion | None = None

    @property
    def alive(self) -> bool:
        if self.row is None:
            return False
        if self.ended is None:
            return True
        if self.version <= self.ended.version:
            return False
        return self.position > self.ended.position or self.version > self.ended.ceiling

    def with_change(self, change: Change[R]) -> _Cell[R]:
        if change.op is Op.DELETE:
            return self._with_deletion(_Deletion(change.version, change.position, change.ceiling))
        if change.row is None or change.version < self.version:
            return self
        if change.version > self.version:
            return replace(self, row=change.row, version=change.version, position=change.position)
        if change.position > self.position:
            return replace(self, position=change.position)
        return self

    def _with_deletion(self, deletion: _Deletion) -> _Cell[R]:
        ended = deletion if self.ended is None else self.ended.merged(deletion)
        if ended == self.ended:
            return self
        # A row that cannot come back need not be held; its version stays, to turn older ones away.
        row = None if ended.version == FINAL else self.row
        return replace(self, row=row, ended=ended)


@dataclass(frozen=True, slots=True)
class _Deletion:
    version: int
    position: int
    ceiling: int

    def merged(self, other: _Deletion) -> _Deletion:
        later = max(self, other, key=lambda deletion: (deletion.position, deletion.ceiling))
        return replace(later, version=max(self.version, other.version))


class Rows(Mapping[Key, R]):
    """Immutable rows of one table by key. `apply` returns a new value, or the same one if nothing is new.

    A change costs about the square root of the number of rows: small patches on a shared base, folded now
    and then.
    """

    __slots__ = ("_base", "_count", "_patch", "revision")

    def __init__(self) -> None:
        self._base: dict[Key, _Cell[R]] = {}
        self._patch: dict[Key, _Cell[R]] = {}
        self._count = 0
        self.revision = 0
        """Grows with every change that can be seen."""

    def __getitem__(self, key: Key) -> R:
        cell = self._cell(key)
        if cell is None or not cell.alive:
            raise KeyError(key)
        return cast(R, cell.row)

    def __iter__(self) -> Iterator[Key]:
        for key, cell in self._base.items():
            if self._patch.get(key, cell).alive:
                yield key
        for key, cell in self._patch.items():
            if key not in self._base and cell.alive:
                yield key

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"Rows({dict(self)!r})"

    def apply(self, change: Change[R]) -> Rows[R]:
        """Return these rows with one more change known."""
        before: _Cell[R] = self._cell(change.key) or _Cell()
        after = before.with_change(change)
        if after is before:
            return self
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base, rows._patch = self._base, {**self._patch, change.key: after}
        rows._count = self._count + after.alive - before.alive
        seen = after.alive != before.alive or (after.alive and after.row is not before.row)
        rows.revision = self.revision + seen
        rows._fold()
        return rows

    def version(self, key: Key) -> int:
        """Return the highest version ever seen of this key, gone or not; 0 when none was."""
        cell = self._cell(key)
        return 0 if cell is None else cell.version

    def forget_deleted(self, before: int) -> Rows[R]:
        """Drop what is remembered of deletions seen before this position; nothing older may still arrive."""
        kept = {
            key: cell
            for key, cell in {**self._base, **self._patch}.items()
            if cell.alive or cell.ended is None or cell.ended.position >= before
        }
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base, rows._patch, rows._count, rows.revision = kept, {}, self._count, self.revision
        return rows

    def _cell(self, key: Key) -> _Cell[R] | None:
        return self._patch.get(key) or self._base.get(key)

    def _fold(self) -> None:
        size = len(self._patch)
        if size > _PATCH_LIMIT and size * size > len(self._base):
            self._base, self._patch = {**self._base, **self._patch}, {}
