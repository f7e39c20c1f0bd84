"""Keyed rows that take changes in any order, any number of times, and end up the same.

Of each key three facts are kept, each the largest of all that was seen, so that no order of arrival
matters: the newest version of the row, the position at which that version was last seen, and the
newest deletion. The row is there when

- its version is above the one the deletion is known to have ended, and
- it was seen after the deletion, or came to be after it (its version is above the deletion's ceiling).

A deletion on the wire carries the key alone (row level security on), not what it deleted; hence the
second rule. It also lets natural keys come back: `TableSpec.reborn` makes their versions grow across
lives, and what a later message or read finds is there again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from live.changes import Change, Key, Op

R = TypeVar("R")

_PATCH_LIMIT: Final = 64


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
    """All that is known of one key. `row` is None while the key is deleted; version 0: none was seen."""

    row: R | None = None
    version: int = 0
    position: int = 0
    ended: _Deletion | None = None

    def with_change(self, change: Change[R]) -> _Cell[R]:
        if change.op is Op.DELETE:
            return self._with_deletion(_Deletion(change.version, change.position, change.ceiling))
        if change.row is None or (change.version, change.position) <= (self.version, self.position):
            return self
        same = self.row is not None and change.version == self.version
        row = self.row if same else change.row
        return _judged(_Cell(row, change.version, change.position, self.ended))

    def _with_deletion(self, deletion: _Deletion) -> _Cell[R]:
        ended = deletion if self.ended is None else self.ended.merged(deletion)
        return self if ended == self.ended else _judged(replace(self, ended=ended))


def _judged(cell: _Cell[R]) -> _Cell[R]:
    """Drop the row that the deletion ended."""
    if cell.row is None or cell.ended is None:
        return cell
    over = cell.version <= cell.ended.version
    seen_before = cell.position <= cell.ended.position and cell.version <= cell.ended.ceiling
    return replace(cell, row=None) if over or seen_before else cell


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
        """Return these rows with one more change known."""
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
        """Return the highest version ever seen of this key, gone or not; 0 when none was."""
        cell = self._cell(key)
        return 0 if cell is None else cell.version

    def position(self, key: Key) -> int:
        """Return the position at which the row was last seen, 0 when it is not there."""
        cell = self._cell(key)
        return 0 if cell is None or cell.row is None else cell.position

    def forget_deleted(self, before: int) -> Rows[R]:
        """Drop what is remembered of deletions seen before this position; nothing older may still arrive."""
        kept = {
            key: cell
            for key, cell in {**self._base, **self._patch}.items()
            if cell.row is not None or cell.ended is None or cell.ended.position >= before
        }
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base, rows._patch, rows._count, rows.revision = kept, {}, self._count, self.revision
        return rows

    def without(self, keys: Collection[Key]) -> Rows[R]:
        """Return these rows with nothing known of some keys, as if they had never been seen."""
        gone = sum(key in self for key in keys)
        rows: Rows[R] = Rows.__new__(Rows)
        rows._base = {key: cell for key, cell in {**self._base, **self._patch}.items() if key not in keys}
        rows._patch, rows._count, rows.revision = {}, self._count - gone, self.revision + 1
        return rows

    def _cell(self, key: Key) -> _Cell[R] | None:
        return self._patch.get(key) or self._base.get(key)

    def _fold(self) -> None:
        size = len(self._patch)
        if size > _PATCH_LIMIT and size * size > len(self._base):
            self._base, self._patch = {**self._base, **self._patch}, {}
