"""Turns a logged change into the `data` of a postgres_changes event, without I/O.

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
# A record that is too large keeps only the values of at most so many bytes of JSON.
_KEPT_VALUE_BYTES = 64
# What wal2json, which the hosted server measures, adds to each column.
_COLUMN_OVERHEAD = 48

UNAUTHORIZED = "Error 401: Unauthorized"
NO_PRIMARY_KEY = "Error 400: Bad Request, no primary key"
TOO_LARGE = "Error 413: Payload Too Large"

Included = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One change of one row, with values by column position; a value that was not logged is `UNCHANGED`."""

    table: Table
    operation: Operation
    transaction: Begin
    new: Row | None
    old: Row | None

    def value(self, column: str) -> Value:
        """Return a column's value for filters: of the new row, or of the old one for a DELETE."""
        position = self.table.positions.get(column)
        row = self.new if self.new is not None else self.old
        if position is None or row is None:
            return UNCHANGED
        return row[position]

    def key(self) -> list[str | None]:
        """Return the primary key of the new row."""
        return [_known(self.value(name)) for name in self.table.key]

    def identity(self) -> list[str | None]:
        """Return the values of the replica identity, for a DELETE those of the old row."""
        return [_known(self.value(name)) for name in self.table.identity]


def _known(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def row_change(table: Table, message: Insert | Update | Delete, transaction: Begin) -> RowChange:
    """Make the change of a table that a message of the log describes."""
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
    # An old key that equals the new one is not logged.
    return _only_identity(table, message.new)


def _only_identity(table: Table, row: Row) -> Row:
    columns = table.relation.columns
    return tuple(value if column.in_key else UNCHANGED for value, column in zip(row, columns, strict=True))


class EventWriter:
    """Encodes the event of one change, once for each set of readable columns and `select`."""

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
            # An event with an error has an empty record in place of the row.
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
            # Policies cannot be checked for a row that is gone, so with row security only the key is sent.
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
        # The text of some types, such as int2vector, is in no known form; send the text itself.
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
    """Return whether subscribers get an error in place of the row (no key, or no right to read it)."""
    return _error(change, access) is not None


def told(change: RowChange, access: Access) -> bool:
    """Return whether a role may be told of a change, as far as that does not depend on the row.

    Policies of one row are asked for an INSERT and an UPDATE, whose event says so if they cannot be. A DELETE
    is not told to a role that cannot see any row of the table.
    """
    if change.operation is not Operation.DELETE or access.bypasses:
        return True
    if not access.readable.issuperset(change.table.key):
        return False
    return access.has_policy or not change.table.row_security


def _included(access: Access, select: tuple[str, ...] | None, table: Table) -> Included:
    if select is None:
        return access.readable.__contains__
    wanted = access.readable & (frozenset(select) | frozenset(table.key))
    return wanted.__contains__


def _filled(new: Row, old: Row | None) -> Row:
    """Fill in values that an UPDATE did not touch, and so did not log, from a logged old row."""
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
