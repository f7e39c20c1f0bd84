"""Snapshots that show rows as a write will make them, before the database has answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from livetables.tables.changes import FINAL, Change, Key, Op
from livetables.tables.snapshot import Snapshot

R = TypeVar("R")

_ABOVE_ALL: Final = FINAL + 1
_revisions = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Expected:
    """A row as a write will make it; None for a removal. A `new` row does not exist yet."""

    table: str
    key: Key
    row: object | None
    new: bool = False


def overlaid(base: Snapshot[R], expected: Iterable[Expected]) -> Snapshot[R]:
    """Return the snapshot with the expected rows.

    A change of a row that is gone is skipped, and so is a new row that has arrived.
    """
    rows = base.rows
    for number, each in enumerate(expected):
        if (each.key in rows) is each.new:
            continue
        op = Op.DELETE if each.row is None else Op.UPDATE
        change: Change[Any] = Change(each.table, op, each.key, each.row, _ABOVE_ALL + number)
        rows = rows.apply(change)
    return Snapshot(rows, -next(_revisions))
