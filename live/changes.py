"""One change of one row, as a value."""

from __future__ import annotations

import sys
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

FINAL: Final = sys.maxsize
"""As the version of a deletion: no row with this key comes back, so every version is older."""


class Op(StrEnum):
    """What happened to the row, in the words of the wire."""

    INSERT = "INSERT"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Change(Generic[R]):
    """What is known of one row at one moment; `live.rows` says how two of them compare.

    `row` is the row after the change, None for DELETE. `version` grows with every change of a key,
    re-inserted rows included; for DELETE it is the highest version that is surely gone (0: not known,
    `FINAL`: all there will ever be). `committed_at` is the commit time where the wire told it. `position`
    orders what this process saw: a stream's message has a later position than all before it, a read has
    that of the moment it was sent. `ceiling` counts for DELETE only: rows with a higher version came to be
    after it, whatever their position.
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
