"""Rows as a write will make them, and snapshots that show them before the database has answered."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, fields
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol, Self, TypeVar

from db.columns import Record
from livetables.tables.changes import FINAL, Change, Key, Op
from livetables.tables.snapshot import Snapshot

R = TypeVar("R")
M = TypeVar("M", bound="Model")

_ABOVE_ALL: Final = FINAL + 1
_revisions = itertools.count(1)


class Model(Protocol):
    """A dataclass of a row that can be read from JSON."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row as PostgREST or Realtime sends it."""


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


def with_values(row: M, values: Mapping[str, object]) -> M:
    """Return a row with some columns changed, whose values are JSON as the database would take them."""
    record = {each.name: _as_json(getattr(row, each.name)) for each in fields(row)}
    return row.from_record({**record, **values})


def _as_json(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
