"""From a change in the write-ahead log to the `data` of a postgres_changes event, without I/O.

Rules: `realtime.apply_rls` of supabase/walrus.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson

from local_supabase.realtime.catalog import Access, Table
from local_supabase.realtime.pgoutput import UNCHANGED, Begin, Delete, Identity, Insert, Row, Update, Value
from local_supabase.realtime.subscriptions import Operation
from local_supabase.realtime.values import Encoder, Json

MAX_RECORD_BYTES = 1024 * 1024
# Of a record that is too large, only values of this many bytes of JSON are kept.
_KEPT_VALUE_BYTES = 64
# What the JSON form of the log adds to each column: its name, type and punctuation.
_COLUMN_OVERHEAD = 48

UNAUTHORIZED = "Error 401: Unauthorized"
NO_PRIMARY_KEY = "Error 400: Bad Request, no primary key"
TOO_LARGE = "Error 413: Payload Too Large"

Included = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One change of one row, by column position. Values that the log does not have are `UNCHANGED`."""

    table: Table
    operation: Operation
    transaction: Begin
    new: Row | None
    old: Row | None

    def value(self, column: str) -> Value:
        """Return what a filter sees of a column: of the new row, or of the old one after a DELETE."""
        position = self.table.positions.get(column)
        row = self.new if self.new is not None else self.old
        if position is None or row is None:
            return UNCHANGED
        return row[position]

    def key(self) -> list[str | None]:
        """Return the primary key of the new row."""
        assert self.new is not None
        values = (self.new[self.table.positions[name]] for name in self.table.key)
        return [value if isinstance(value, str) else None for value in values]


def row_change(table: Table, message: Insert | Update | Delete, transaction: Begin) -> RowChange:
    """Read a change of a table."""
    if isinstance(message, Insert):
        return RowChange(table, Operation.INSERT, transaction, message.new, None)
    if isinstance(message, Delete):
        old = _only_identity(table, message.old) if message.old_is_key else message.old
        return RowChange(table, Operation.DELETE, transaction, None, old)
    return RowChange(table, Operation.UPDATE, transaction, message.new, _old_of_update(table, message))


def _old_of_update(table: Table, message: Update) -> Row | None:
    if message.old is not None:
        return _only_identity(table, message.old) if message.old_is_key else message.old
    if table.relation.identity is Identity.NOTHING:
        return None
    # The log leaves out an old key that is the new one.
    return _only_identity(table, message.new)


def _only_identity(table: Table, row: Row) -> Row:
    columns = table.relation.columns
    return tuple(value if column.in_key else UNCHANGED for value, column in zip(row, columns, strict=True))


class EventWriter:
    """Writes the event of one change, once for each distinct view of it (readable columns and `select`)."""

    def __init__(self, change: RowChange) -> None:
        self._change = change
        self._too_large = _logged_bytes(change) > MAX_RECORD_BYTES
        self._written: dict[tuple[frozenset[str], tuple[str, ...] | None], bytes] = {}
        self.written = 0

    def write(self, access: Access, select: tuple[str, ...] | None) -> bytes:
        """Return the JSON of the event's `data` for a role's access and a binding's `select`."""
        view = (access.readable, select)
        data = self._written.get(view)
        if data is None:
            self.written += 1
            data = self._written[view] = orjson.dumps(self._document(access, select))
        return data

    def _document(self, access: Access, select: tuple[str, ...] | None) -> dict[str, object]:
        change, table = self._change, self._change.table
        error = _error(change, access)
        document: dict[str, object] = {
            "schema": table.relation.schema,
            "table": table.relation.table,
            "type": change.operation,
            "commit_timestamp": None if error else _timestamp(change.transaction.committed_at),
            "columns": [],
            "errors": None,
        }
        if error:
            document["errors"] = [error]
            # Events of errors carry no row, only the keys of one.
            document["record"] = {}
            if change.operation is Operation.UPDATE:
                document["old_record"] = {}
            return document
        included = _included(access, select, table)
        document["columns"] = [
            {"name": name, "type": type_name}
            for name, type_name in table.column_types.items()
            if included(name)
        ]
        if self._too_large:
            document["errors"] = [TOO_LARGE]
        return document | self._records(included)

    def _records(self, included: Included) -> dict[str, object]:
        change, table = self._change, self._change.table
        records: dict[str, object] = {}
        if change.new is not None:
            records["record"] = self._record(_filled(change.new, change.old), included)
        if change.operation is Operation.UPDATE:
            records["old_record"] = self._record(change.old or (), included)
        if change.operation is Operation.DELETE:
            # Who may see a row that is gone cannot be asked: with row security, the key is all there is.
            hidden = frozenset(table.key) if table.row_security else None
            records["old_record"] = self._record(
                change.old or (), lambda name: included(name) and (hidden is None or name in hidden)
            )
        return records

    def _record(self, row: Row, included: Included) -> Mapping[str, Json]:
        table = self._change.table
        record: dict[str, Json] = {}
        for column, encoder, value in zip(table.relation.columns, table.encoders, row, strict=False):
            if value is UNCHANGED or not included(column.name):
                continue
            encoded = None if value is None else _encoded(encoder, str(value))
            if self._too_large and len(orjson.dumps(encoded)) > _KEPT_VALUE_BYTES:
                continue
            record[column.name] = encoded
        return record


def _encoded(encoder: Encoder, text: str) -> Json:
    try:
        return encoder(text)
    except ValueError:
        # A type whose text has a form of its own, as int2vector's; its text is better than no event.
        return text


def _error(change: RowChange, access: Access) -> str | None:
    if change.operation is Operation.DELETE:
        return None
    if not change.table.key or not change.table.positions.keys() >= set(change.table.key):
        return NO_PRIMARY_KEY
    if not access.readable.issuperset(change.table.key):
        return UNAUTHORIZED
    return None


def refused(change: RowChange, access: Access) -> bool:
    """Tell whether subscribers get an error in place of the row (no key, or no right to read it)."""
    return _error(change, access) is not None


def _included(access: Access, select: tuple[str, ...] | None, table: Table) -> Included:
    if select is None:
        return access.readable.__contains__
    wanted = access.readable & (frozenset(select) | frozenset(table.key))
    return wanted.__contains__


def _filled(new: Row, old: Row | None) -> Row:
    """Take values that an UPDATE left untouched and unlogged from the old row, when the log has that."""
    if old is None or UNCHANGED not in new:
        return new
    return tuple(before if value is UNCHANGED else value for value, before in zip(new, old, strict=True))


def _logged_bytes(change: RowChange) -> int:
    total = 0
    for row in (change.new, change.old):
        for column, value in zip(change.table.relation.columns, row or (), strict=False):
            if value is not UNCHANGED:
                total += len(column.name) + _COLUMN_OVERHEAD + (len(value.encode()) if value else 0)
    return total


def _timestamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
