"""What the engine has to know of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final, Generic, TypeVar

from live.changes import FINAL, Change, Key, Op, Record, key_of
from live.kinds import Columns
from live.rows import Rows
from live.snapshot import Snapshot

R = TypeVar("R")

PublicTables = Mapping[str, "Snapshot[Any]"]
"""The public tables of one moment, by name."""

_VERSION_BITS: Final = 24
_WIRE_PRECISION: Final = timedelta(milliseconds=1)
"""Commit times come cut to milliseconds (the Realtime server does that)."""


class Audience(Enum):
    """Whose subscription a table is read through."""

    PUBLIC = "public"
    """Readable by `anon`: one subscription and one snapshot for the whole process."""
    USER = "user"
    """Readable by its parties: one subscription and one snapshot for each signed-in user."""


# Without slots: a frozen generic class with slots cannot be made as TableSpec[Row](...) in Python 3.11.
@dataclass(frozen=True)
class TableSpec(Generic[R]):
    """One table: how its rows are read, compared, loaded and subscribed to.

    - `parse` turns a record into a row and raises `ValueError` (or `KeyError`) when columns are missing.
    - `version` grows with every update of a row.
    - `handler` is the table's pure `handle_<table>_change`.
    - `order` names a column (and field of the row) that grows with age in reverse: newest first when
      loading. `window` loads only that many, older ones on demand. Without a window the whole table is
      loaded.
    - `filters` gives Realtime filters for a user's id and the public tables, one subscription each; none of
      them, or None for the function, leaves the choice to the policies.
    - `visible_to` says, of a user's id and the public tables, whether the user may read this table at all;
      None means everybody. Both are asked again when public tables change.
    - `standing` gives the version of the public row that says what the user may read, such as their profile
      with their role. Who lost a right and has it back, or the other way round, looks the same as before;
      when a version was missed it may have been so meanwhile, and everything is read again.
    - `reborn` gives the creation time of rows whose keys are natural and may be deleted and inserted again.
    - `logged` is False for tables whose own changes are not in `change_log`, and that lose nothing but their
      oldest rows; catching up compares the window, and forgets what is older than the oldest row there is.
    - `filterable` are the columns by which a session may choose among the rows, and what they hold.
    """

    name: str
    key: tuple[str, ...]
    parse: Callable[[Record], R]
    version: Callable[[R], int]
    handler: Callable[[Rows[R], Change[R]], Rows[R]]
    audience: Audience = Audience.PUBLIC
    order: str | None = None
    window: int | None = None
    columns: str = "*"
    filters: Callable[[str, PublicTables], tuple[str, ...]] | None = None
    visible_to: Callable[[str, PublicTables], bool] | None = None
    standing: Callable[[str, PublicTables], int] | None = None
    reborn: Callable[[R], datetime] | None = None
    logged: bool = True
    filterable: Columns = field(default_factory=dict)

    def key_of(self, record: Record) -> Key:
        """Return the record's primary key. Raises `KeyError` when a key column is missing."""
        return key_of(record, self.key)

    def stamp(self, row: R) -> int:
        """Return the number that orders all states of a key, across re-insertion where that happens."""
        if self.reborn is None:
            return self.version(row)
        return _moment_stamp(self.reborn(row)) | min(self.version(row), (1 << _VERSION_BITS) - 1)

    def written(
        self,
        record: Record,
        *,
        op: Op = Op.UPDATE,
        committed_at: datetime | None = None,
        position: int = 0,
    ) -> Change[R]:
        """Return the change that this row, as it is now, stands for. Raises as `parse` does."""
        row = self.parse(record)
        return Change(self.name, op, self.key_of(record), row, self.stamp(row), committed_at, position)

    def deleted(
        self, key: Key, *, committed_at: datetime | None = None, version: int = 0, position: int = 0
    ) -> Change[R]:
        """Return the deletion of this key; `version` is the highest one that is surely gone."""
        ceiling = FINAL
        if self.reborn is not None and committed_at is not None:
            ceiling = _moment_stamp(committed_at + _WIRE_PRECISION)
        return Change(self.name, Op.DELETE, key, None, version, committed_at, position, ceiling)


def _moment_stamp(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) << _VERSION_BITS


AnySpec = TableSpec[Any]
"""A spec among specs of other row types; what is read through it is checked by its own `parse`."""
