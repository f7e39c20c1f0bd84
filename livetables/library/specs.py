"""From what the database says of a table, and what the app wants of it, to the engine's description."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from typing import Any, Final

from livetables.database.description import WatchedTable
from livetables.errors import LiveError
from livetables.library.row_types import fields_of, fingerprint, reader, value_of
from livetables.tables.changes import Change, Op
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import AnySpec, PublicTables, TableSpec, Visibility

Handler = Callable[[Rows[Any], Change[Any]], Rows[Any]]
"""Takes all rows and one change, and returns the rows with it. `rows.apply(change)` does what is usual."""

_TYPES: Final[Mapping[str, ColumnType]] = {
    "uuid": ColumnType.UUID,
    "text": ColumnType.TEXT,
    "boolean": ColumnType.BOOLEAN,
    "smallint": ColumnType.INTEGER,
    "integer": ColumnType.INTEGER,
    "bigint": ColumnType.INTEGER,
    "real": ColumnType.NUMBER,
    "double precision": ColumnType.NUMBER,
    "date": ColumnType.TIME,
}
_TYPES_BY_BEGINNING: Final[Mapping[str, ColumnType]] = {
    "character": ColumnType.TEXT,
    "numeric": ColumnType.NUMBER,
    "timestamp": ColumnType.TIME,
}


@dataclass(frozen=True, slots=True)
class Order:
    """One column to sort rows by, and whether the highest comes first."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the app wants of a table: how its rows are made, sorted, changed, and how many are loaded."""

    order: tuple[Order, ...] = ()
    row_type: type | None = None
    handler: Handler | None = None
    window: int | None = None

    @property
    def identity(self) -> Hashable:
        """A value that is equal for the same wishes of another run of the script."""
        row_type = None if self.row_type is None else fingerprint(self.row_type)
        return self.order, row_type, None if self.handler is None else fingerprint(self.handler), self.window


def parse_order(order: str | Sequence[str]) -> tuple[Order, ...]:
    """Return the order that texts such as `title` and `created_at.desc` name, the first of them first."""
    return tuple(_order_of(each) for each in ([order] if isinstance(order, str) else order))


def _order_of(text: str) -> Order:
    column, dot, direction = text.partition(".")
    if dot and direction not in ("asc", "desc"):
        raise LiveError(f"order={text!r}: write {column}.asc or {column}.desc.")
    return Order(column, direction == "desc")


def spec_of(table: WatchedTable, wanted: Wanted) -> AnySpec:
    """Return the engine's description of a table.

    Raises `LiveError` if the app wants what does not fit the table.
    """
    _check(table, wanted)
    version = str(table.version)
    visibility = table.visibility
    return TableSpec(
        name=table.name,
        key=table.key,
        parse=reader(wanted.row_type),
        version=lambda row: int(value_of(row, version)),
        handler=Rows.apply if wanted.handler is None else _checked(table.name, wanted.handler),
        visibility=visibility,
        order=wanted.order[0].column if wanted.window else None,
        window=wanted.window,
        filters=_own_rows(table.filters) if visibility is Visibility.USER and table.filters else None,
        filterable={
            name: column_type
            for name, postgres in table.columns.items()
            if (column_type := _type_of(postgres)) is not None
        },
    )


def _check(table: WatchedTable, wanted: Wanted) -> None:
    fields = fields_of(wanted.row_type)
    for each in wanted.order:
        if each.column not in table.columns:
            near = get_close_matches(each.column, table.columns, 1)
            hint = f" Do you mean {near[0]!r}?" if near else f" The columns are {', '.join(table.columns)}."
            raise LiveError(f"order={each.column!r}: {table.name} has no such column.{hint}")
    needed = [*table.key, str(table.version), *(each.column for each in wanted.order)]
    missing = [name for name in needed if fields is not None and name not in fields]
    if missing and wanted.row_type is not None:
        raise LiveError(
            f"{wanted.row_type.__name__} lacks {', '.join(dict.fromkeys(missing))}: a row of {table.name} "
            "needs its key, its version and the columns that it is sorted by."
        )
    if wanted.window is not None and (wanted.window < 1 or not wanted.order):
        raise LiveError(
            "window= is how many of the newest rows are loaded; order= names the column that says how new."
        )


def _own_rows(columns: Sequence[str]) -> Callable[[str, PublicTables], tuple[str, ...]]:
    return lambda user_id, _public: tuple(f"{column}=eq.{user_id}" for column in columns)


def _type_of(postgres: str) -> ColumnType | None:
    begins = (known for beginning, known in _TYPES_BY_BEGINNING.items() if postgres.startswith(beginning))
    return None if postgres.endswith("[]") else _TYPES.get(postgres) or next(begins, None)


def _checked(table: str, handler: Handler) -> Handler:
    """Return the handler with a check of what it returns, after trying it with a deletion of no row."""

    def handle(rows: Rows[Any], change: Change[Any]) -> Rows[Any]:
        result: object = handler(rows, change)
        if not isinstance(result, Rows):
            raise TypeError(
                f"The handler of {table} has returned {type(result).__name__}, not rows. "
                "End it with: return rows.apply(change)"
            )
        return result

    handle(Rows(), Change(table, Op.DELETE, ("",), None, 0))
    return handle


def in_order(snapshot: Snapshot[Any], order: tuple[Order, ...], key: tuple[str, ...]) -> list[Any]:
    """Return a new list of the rows, sorted by `order` and then by their key. Empty values come last.

    Sorting is done once for all tabs.
    """
    whole = (*order, *map(Order, key))
    ordered: tuple[Any, ...] = snapshot.derived(("livetables", whole), lambda rows: _sorted(rows, whole))
    return list(ordered)


def _sorted(rows: Rows[Any], order: tuple[Order, ...]) -> tuple[Any, ...]:
    found = list(rows.values())
    for each in reversed(order):
        found.sort(key=partial(_place, order=each), reverse=each.descending)
    return tuple(found)


def _place(row: object, order: Order) -> tuple[bool, Any]:
    value = value_of(row, order.column)
    if isinstance(value, str):
        value = (value.casefold(), value)
    return (value is None) != order.descending, 0 if value is None else value
