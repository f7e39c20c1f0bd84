"""Reading and writing rows as a signed-in person. The modules of the tables are built on this.

When the answer to a write is lost, the write is not repeated: the row is read to see whether the write
happened. That works because new rows get their ids here, and updates name the version that the person saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar, cast

from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder

from db.caller import Caller, with_token
from db.columns import Record
from db.errors import (
    ConflictError,
    DatabaseError,
    DuplicateError,
    GoneError,
    NotAllowedError,
    UnreachableError,
    translated,
)

T = TypeVar("T")

Values = Mapping[str, str | int | bool | None]
"""Columns to write, as JSON."""

Key = Mapping[str, str]
"""The columns of a primary key."""

NaturalKey = Mapping[str, str | None]
"""The columns by which a row is unique besides its id. None is SQL's null."""

Build = Callable[[SyncRequestBuilder], SyncSelectRequestBuilder]
"""Builds a request on a table."""

_IDS_A_REQUEST: Final = 100
"""Ids stand in the address of a request, whose length is limited."""


def run(me: Caller, table: str, build: Build) -> list[Record]:
    """Send one request on a table as this person; return the rows of the answer."""

    def send(token: str) -> list[Record]:
        with translated():
            return [cast("Record", row) for row in build(me.clients.table(table, token)).execute().data]

    return with_token(me, send)


def call(me: Caller, function: str, params: Mapping[str, object]) -> object:
    """Call a function of the database as this person; return its answer."""

    def send(token: str) -> object:
        with translated():
            return me.clients.rpc(function, params, token).execute().data

    return with_token(me, send)


def repeat_if_lost(send: Callable[[], T]) -> T:
    """Send something that is safe to do twice; send it once more if its answer was lost."""
    try:
        return send()
    except UnreachableError as error:
        if not error.answer_lost:
            raise
        return send()


def where(
    request: SyncSelectRequestBuilder, values: Mapping[str, str | int | None]
) -> SyncSelectRequestBuilder:
    """Narrow a request to the rows with these values."""
    for column, value in values.items():
        request = request.is_(column, "null") if value is None else request.eq(column, value)
    return request


def find(me: Caller, table: str, key: NaturalKey) -> Record | None:
    """Read one row by its key; None when there is no such row that this person may see."""
    found = run(me, table, lambda builder: where(builder.select("*"), key))
    return found[0] if found else None


def find_all(me: Caller, table: str, column: str, values: Sequence[str], select: str = "*") -> list[Record]:
    """Read the rows whose `column` has one of these values, 100 values a request."""
    found: list[Record] = []
    for start in range(0, len(values), _IDS_A_REQUEST):
        found += _find_some(me, table, column, values[start : start + _IDS_A_REQUEST], select)
    return found


def _find_some(me: Caller, table: str, column: str, values: Sequence[str], select: str) -> list[Record]:
    return run(me, table, lambda builder: builder.select(select).in_(column, list(values)))


def insert(me: Caller, table: str, key: Key, values: Values, *, natural: NaturalKey | None = None) -> Record:
    """Insert a row; if a row with this key and these values exists already, return that.

    With a `natural` key, the existing row may have another id: somebody whose answer was lost tries again
    with a new one. Raises `DuplicateError` when the existing row has other values.
    """
    try:
        written = run(me, table, lambda builder: builder.insert({**key, **values}))
    except DuplicateError:
        return _existing(me, table, natural or key, values, otherwise=DuplicateError())
    except UnreachableError as error:
        if not error.answer_lost:
            raise
        return _existing(me, table, key, values, otherwise=error)
    return written[0]


def _existing(me: Caller, table: str, key: NaturalKey, values: Values, *, otherwise: DatabaseError) -> Record:
    found = find(me, table, key)
    if found is None or not _has_values(found, values):
        raise otherwise
    return found


def upsert(me: Caller, table: str, key: Key, values: Values) -> Record:
    """Insert the row of a natural key, or change it. Doing it twice has the same effect as once."""
    try:
        written = run(me, table, lambda builder: builder.upsert({**key, **values}, on_conflict=",".join(key)))
    except UnreachableError as error:
        if not error.answer_lost:
            raise
        return _existing(me, table, key, values, otherwise=error)
    if not written:
        raise NotAllowedError
    return written[0]


def update(
    me: Caller, table: str, key: Key, values: Values, version: int, *, written_as: Values | None = None
) -> Record:
    """Change a row that this person saw at `version`; return it as it is then.

    `written_as` are the columns that show that the update happened, for an update whose `values` the
    database replaces by its own. Raises `ConflictError` with the current row when somebody changed it since,
    `GoneError` when it does not exist.
    """
    at_version: dict[str, str | int] = {**key, "version": version}
    error: DatabaseError = NotAllowedError()
    try:
        written = run(me, table, lambda builder: where(builder.update(values), at_version))
    except UnreachableError as lost:
        if not lost.answer_lost:
            raise
        written, error = [], lost
    if written:
        return written[0]
    current = find(me, table, key)
    if current is None:
        raise GoneError
    if current.get("version") == version:
        raise error
    if current.get("version") == version + 1 and _has_values(current, written_as or values):
        return current
    raise ConflictError(current)


def delete(me: Caller, table: str, key: Key) -> None:
    """Delete a row; it is no error if it does not exist. Raises `NotAllowedError` when it is still there."""
    try:
        removed = run(me, table, lambda builder: where(builder.delete(), key))
    except UnreachableError as error:
        if not error.answer_lost or find(me, table, key) is not None:
            raise
        return
    if not removed and find(me, table, key) is not None:
        raise NotAllowedError


def _has_values(record: Record, values: Values) -> bool:
    return all(same_value(record.get(column), value) for column, value in values.items())


def same_value(one: object, other: object) -> bool:
    """Whether two JSON values of a column are equal, however a time or a number is written."""
    if one == other:
        return True
    if not isinstance(one, str) or not isinstance(other, str):
        number = _number(one)
        return number is not None and number == _number(other)
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False


def _number(value: object) -> Decimal | None:
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None
