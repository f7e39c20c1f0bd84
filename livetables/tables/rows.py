"""Keyed rows that end up the same, whatever the order of the changes and however often each is applied.

For each key this keeps three facts, each the maximum of what was seen, so that the order of arrival does not
matter: the newest version of the row, the position at which that version was last seen, and the newest
deletion. The row exists if

- its version is above the highest version that is known to be deleted, and
- it was seen after the deletion, or inserted after it (its version is above the deletion's ceiling).

With row-level security, a deletion on the wire carries only the key and not the version it deleted, so the
second rule is needed. It also lets natural keys be inserted again: `TableSpec.recreated_at` makes their
versions grow across re-insertions.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from livetables.tables.changes import Change, Key, Op

R = TypeVar("R")

_MIN_FOLD: Final = 64
"""Patches of up to this many cells are not folded into the base."""


@dataclass(frozen=True, slots=True)
class _Deletion:
    version: int
    position: int
    ceiling: int

    def merged(self, other: _Deletion) -> _Deletion:
        later = max(self, other, key=lambda deletion: (deletion.position, deletion.ceiling))
        return replace(later, version=max(self.version, other.version))


@dataclass(frozen=True, slots=True)
class _Cell(Generic[R]):
    """Everything known of one key. `row` is None if the key is deleted; `version` 0: none was seen."""

    row: R | None = None
    version: int = 0
    position: int = 0
    deletion: _Deletion | None = None

    def with_change(self, change: Change[R]) -> _Cell[R]:
        if change.op is Op.DELETE:
            return self._with_deletion(_Deletion(change.version, change.position, change.ceiling))
        if change.row is None or (change.version, change.position) <= (self.version, self.position):
            return self
        same = self.row is not None and change.version == self.version
        row = self.row if same else change.row
        return _without_deleted(_Cell(row, change.version, change.position, self.deletion))

    def _with_deletion(self, deletion: _Deletion) -> _Cell[R]:
        newest = deletion if self.deletion is None else self.deletion.merged(deletion)
        return self if newest == self.deletion else _without_deleted(replace(self, deletion=newest))


def _without_deleted(cell: _Cell[R]) -> _Cell[R]:
    """Drop the row if the deletion covers it."""
    if cell.row is None or cell.deletion is None:
        return cell
    known_deleted = cell.version <= cell.deletion.version
    seen_before = cell.position <= cell.deletion.position and cell.version <= cell.deletion.ceiling
    return replace(cell, row=None) if known_deleted or seen_before else cell


class Rows(Mapping[Key, R]):
    """Immutable rows of one table by key. `apply` returns a new value, or the same one if nothing is new.

    Applying a change costs about the square root of the number of rows: it adds to a small patch over a
    shared base, and a patch that has grown is folded into a new base.
    """

    __slots__ = ("_base", "_count", "_patch", "revision")

    def __init__(self) -> None:
        self._base: dict[Key, _Cell[R]] = {}
        self._patch: dict[Key, _Cell[R]] = {}
        self._count = 0
        self.revision = 0
        """Grows with every visible change."""

    def __getitem__(self, key: Key) -> R:
        cell = self._cell(key)
        if cell is None or cell.row is None:
            raise KeyError(key)
        return cell.row

    def __iter__(self) -> Iterator[Key]:
        for key, cell in self._base.items():
            if self._patch.get(key, cell).row is not None:
                yield key
        for key, cell in self._patch.items():
            if key not in self._base and cell.row is not None:
                yield key

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"Rows({dict(self)!r})"

    def apply(self, change: Change[R]) -> Rows[R]:
        """Return these rows with one more change applied."""
        before: _Cell[R] = self._cell(change.key) or _Cell()
        after = before.with_change(change)
        if after is before:
            return self
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base, rows._patch = self._base, {**self._patch, change.key: after}
        rows._count = self._count + (after.row is not None) - (before.row is not None)
        rows.revision = self.revision + (after.row is not before.row)
        rows._fold()
        return rows

    def version(self, key: Key) -> int:
        """Return the highest version seen of this key, deleted or not; 0 if none was."""
        cell = self._cell(key)
        return 0 if cell is None else cell.version

    def position(self, key: Key) -> int:
        """Return the position at which the row was last seen, 0 if it does not exist."""
        cell = self._cell(key)
        return 0 if cell is None or cell.row is None else cell.position

    def revives(self, change: Change[R]) -> bool:
        """Return whether the change shows a deleted row again only because it arrived after the deletion."""
        cell = self._cell(change.key)
        if cell is None or cell.row is not None or cell.deletion is None or change.row is None:
            return False
        return change.version <= cell.deletion.ceiling and cell.with_change(change).row is not None

    def forget_deleted(self, before: int) -> Rows[R]:
        """Drop the record of deletions seen before this position.

        Call it only when nothing older than the position can still arrive. Returns the same value if there
        is nothing to drop: a copy would be held beside the one in the snapshot.
        """
        cells = {**self._base, **self._patch}
        kept = {
            key: cell
            for key, cell in cells.items()
            if cell.row is not None or cell.deletion is None or cell.deletion.position >= before
        }
        if len(kept) == len(cells):
            return self
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base, rows._patch, rows._count, rows.revision = kept, {}, self._count, self.revision
        return rows

    def without(self, keys: Collection[Key]) -> Rows[R]:
        """Return these rows without these keys, as if they had never been seen."""
        dropped = sum(key in self for key in keys)
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base = {key: cell for key, cell in {**self._base, **self._patch}.items() if key not in keys}
        rows._patch, rows._count, rows.revision = {}, self._count - dropped, self.revision + 1
        return rows

    def _cell(self, key: Key) -> _Cell[R] | None:
        return self._patch.get(key) or self._base.get(key)

    def _fold(self) -> None:
        size = len(self._patch)
        if size > _MIN_FOLD and size * size > len(self._base):
            self._base, self._patch = {**self._base, **self._patch}, {}
