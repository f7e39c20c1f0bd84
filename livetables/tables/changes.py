"""One change of one row, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

R = TypeVar("R")

Record = Mapping[str, object]
"""One row as JSON gives it: column name to text, number, boolean, null, list or object."""

Key = tuple[str, ...]
"""The primary key of a row as text, in the order of `TableSpec.key`."""

FINAL: Final = 1 << 128
"""A version above all others. As the ceiling of a deletion: only a row seen after it can exist again."""


class Op(StrEnum):
    """What happened to the row, as the wire and `change_log` spell it."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """What is known of one row at one time; `livetables.tables.rows` says how two of them compare.

    - `row` is the row after the change, None for DELETE.
    - `version` grows with every change of a key, re-insertions included. For DELETE it is the highest
      version that is known to be deleted, 0 if none is known.
    - `committed_at` is the commit time, None if the wire did not send it.
    - `position` orders what this process saw. A message of the stream has a position after all earlier ones,
      a read has the position at which its request was sent, and 0 claims no order.
    - `ceiling` counts for DELETE only: versions above it were inserted after the deletion.
    """

    table: str
    op: Op
    key: Key
    row: R | None
    version: int
    committed_at: datetime | None = None
    position: int = 0
    ceiling: int = FINAL


def key_of(record: Record, columns: Sequence[str]) -> Key:
    """Return the key held in `columns` of a record. Raises `KeyError` when one is missing."""
    return tuple(str(record[column]) for column in columns)
