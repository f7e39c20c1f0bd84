"""The description of a table: how its rows are read, compared, loaded and subscribed to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar

from livetables.tables.changes import FINAL, Change, Key, Op, Record, key_of
from livetables.tables.column_types import Columns
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot

R = TypeVar("R")

PublicTables = Mapping[str, "Snapshot[Any]"]
"""The public tables at one time, by name."""

_VERSION_BITS: Final = 24
"""The low bits of a stamp hold the row's version, the high ones its creation time."""
_WIRE_PRECISION: Final = timedelta(milliseconds=1)
"""The Realtime server truncates commit times to milliseconds."""


class Visibility(Enum):
    """Who may read a table, and so whose subscription it is read through."""

    PUBLIC = "public"
    """`anon` may read it: one subscription and one snapshot serve the whole process."""
    USER = "user"
    """Each user reads their own rows: one subscription and one snapshot for each signed-in user."""
    BOTH = "both"
    """`anon` may read some rows, such as published ones, and users theirs as well: visitors are shown the
    public snapshot, and each signed-in user one of their own."""


# Without slots: Python 3.11 cannot instantiate a frozen generic dataclass with slots as TableSpec[Row](...).
@dataclass(frozen=True)
class TableSpec(Generic[R]):
    """One table: how its rows are read, compared, loaded and subscribed to.

    - `name` and `key` are the table's name and its primary key columns.
    - `parse` turns a record into a row. It raises `ValueError` or `KeyError` if columns are missing.
    - `version` returns a number that grows with every update of a row. By default it is the row's field
      `version`.
    - `handler` is a pure function: rows and a change in, rows out. By default it is `Rows.apply`.
    - `visibility` says whose subscription reads the table.
    - `order` names a column, and field or key of the row, by which newer rows sort higher. `window` is how
      many of the newest rows are loaded at first; older ones are loaded on demand. Without a window the whole
      table is loaded.
    - `columns` is PostgREST's `select` parameter.
    - `filters` takes a user's id and the public tables and returns Realtime filters, one subscription each.
      With none of them, or without the function, only the policies decide what arrives.
    - `visible_to` takes a user's id and the public tables and says whether the user may read this table at
      all. Without it everybody may. It and `filters` are evaluated again when public tables change.
    - `permission_version` returns the version of the public row that says what the user may read, such as
      the profile with their role. A user who loses a right and gets it back looks the same before and
      after, so a skipped version makes the engine read everything again.
    - `recreated_at` returns the creation time of a row. Give it if keys are natural, so that a key may be
      deleted and inserted again.
    - `logged` is False for tables whose changes are not in `change_log` and that lose only their oldest
      rows. Catching up then compares the window, and drops what is older than the table's oldest row.
    - `filterable` are the columns by which a session may filter, with their types.
    """

    name: str
    key: tuple[str, ...]
    parse: Callable[[Record], R]
    version: Callable[[R], int] = attrgetter("version")
    handler: Callable[[Rows[R], Change[R]], Rows[R]] = Rows.apply
    visibility: Visibility = Visibility.PUBLIC
    order: str | None = None
    window: int | None = None
    columns: str = "*"
    filters: Callable[[str, PublicTables], tuple[str, ...]] | None = None
    visible_to: Callable[[str, PublicTables], bool] | None = None
    permission_version: Callable[[str, PublicTables], int] | None = None
    recreated_at: Callable[[R], datetime] | None = None
    logged: bool = True
    filterable: Columns = field(default_factory=dict)

    def key_of(self, record: Record) -> Key:
        """Return the record's primary key. Raises `KeyError` if a key column is missing."""
        return key_of(record, self.key)

    def stamp(self, row: R) -> int:
        """Return a number that orders all states of a key, also across re-insertions."""
        if self.recreated_at is None:
            return self.version(row)
        return _time_as_version(self.recreated_at(row)) | min(self.version(row), (1 << _VERSION_BITS) - 1)

    def written(
        self,
        record: Record,
        *,
        op: Op = Op.UPDATE,
        committed_at: datetime | None = None,
        position: int = 0,
    ) -> Change[R]:
        """Return the change that makes the row look like this record. Raises what `parse` raises."""
        row = self.parse(record)
        return Change(self.name, op, self.key_of(record), row, self.stamp(row), committed_at, position)

    def deleted(
        self, key: Key, *, committed_at: datetime | None = None, version: int = 0, position: int = 0
    ) -> Change[R]:
        """Return the deletion of this key; `version` is the highest version known to be deleted."""
        ceiling = FINAL
        if self.recreated_at is not None and committed_at is not None:
            ceiling = _time_as_version(committed_at + _WIRE_PRECISION)
        return Change(self.name, Op.DELETE, key, None, version, committed_at, position, ceiling)


def _time_as_version(time: datetime) -> int:
    """Return microseconds in the high bits, so that the row's own version fits into the low ones."""
    return int(time.timestamp() * 1_000_000) << _VERSION_BITS


AnySpec = TableSpec[Any]
"""A spec among specs of other row types. Its `parse` checks what is read through it."""
