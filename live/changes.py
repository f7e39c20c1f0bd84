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
"""Above every version: as the ceiling of a deletion, only what is seen later can be there again."""


class Op(StrEnum):
    """What happened to the row, in the words of the wire."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """What is known of one row at one moment; `live.rows` says how two of them compare.

    `row` is the row after the change, None for DELETE. `version` grows with every change of a key,
    re-inserted rows included; for DELETE it is the highest one that is surely gone, 0 when not known.
    `committed_at` is the commit time where the wire told it. `position` orders what this process saw: a
    message of the stream comes after all before it, a read has the position of the moment it was sent,
    0 claims nothing. `ceiling` counts for DELETE only: higher versions came to be after it.
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
