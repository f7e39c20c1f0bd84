"""Writing one row as a signed-in person: what every table module here is made of.

A write whose answer got lost is found out, not repeated: rows are made with ids from this side and changed
only at the version the person saw, so looking at the row tells whether the write happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeVar, cast

import httpx
from postgrest import SyncRequestBuilder, SyncSelectRequestBuilder
from postgrest.exceptions import APIError

from db.clients import Clients
from db.errors import (
    Conflict,
    DatabaseError,
    Duplicate,
    Gone,
    NotAllowed,
    SignedOut,
    Unreachable,
    from_api,
    from_transport,
)
from db.models import Record

T = TypeVar("T")

Values = Mapping[str, str | int | bool | None]
Key = Mapping[str, str]


class Caller(Protocol):
    """Who writes: `db.auth.SignedIn`."""

    @property
    def user_id(self) -> str:
        """The person's id."""

    @property
    def clients(self) -> Clients:
        """The way to the database."""

    def access_token(self) -> str:
        """Return a fresh token."""

    def renew(self, seen: str | None = None) -> None:
        """Replace the token that was seen."""


Build = Callable[[SyncRequestBuilder], SyncSelectRequestBuilder]


def run(me: Caller, table: str, build: Build) -> list[Record]:
    """Send one request as this person, with a new token if the database says that the token is over."""
    token = me.access_token()
    try:
        return _send(me, table, build, token)
    except SignedOut:
        me.renew(token)
        return _send(me, table, build, me.access_token())


def _send(me: Caller, table: str, build: Build, token: str) -> list[Record]:
    request = build(me.clients.table(table, token))
    try:
        return [cast("Record", row) for row in request.execute().data]
    except APIError as error:
        raise from_api(error) from error
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def call(me: Caller, function: str, params: Mapping[str, object]) -> object:
    """Call a function of the database as this person; return what it answers."""
    token = me.access_token()
    try:
        return _call(me, function, params, token)
    except SignedOut:
        me.renew(token)
        return _call(me, function, params, me.access_token())


def _call(me: Caller, function: str, params: Mapping[str, object], token: str) -> object:
    try:
        return me.clients.rpc(function, params, token).execute().data
    except APIError as error:
        raise from_api(error) from error
    except httpx.HTTPError as error:
        raise from_transport(error) from error


def again(do: Callable[[], T]) -> T:
    """Do what is the same done twice; a second time if the answer got lost."""
    try:
        return do()
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return do()


def find(me: Caller, table: str, key: Key) -> Record | None:
    """Read one row by its key; None when there is none that this person may see."""
    rows = run(me, table, lambda rows: narrowed(rows.select("*"), key))
    return rows[0] if rows else None


def narrowed(request: SyncSelectRequestBuilder, key: Mapping[str, str | int]) -> SyncSelectRequestBuilder:
    """Keep the rows with these values."""
    for column, value in key.items():
        request = request.eq(column, value)
    return request


def insert(me: Caller, table: str, key: Key, values: Values) -> Record:
    """Make a row; asked again with the same key (a retry, a double click), return the one that is there."""
    try:
        written = run(me, table, lambda rows: rows.insert({**key, **values}))
    except Duplicate:
        return _mine_already(me, table, key, values, Duplicate())
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return _mine_already(me, table, key, values, error)
    return written[0]


def _mine_already(me: Caller, table: str, key: Key, values: Values, otherwise: DatabaseError) -> Record:
    found = find(me, table, key)
    if found is None or not _holds(found, values):
        raise otherwise
    return found


def upsert(me: Caller, table: str, key: Key, values: Values) -> Record:
    """Make the row of a natural key, or change it; doing it twice is the same as once."""
    try:
        written = run(me, table, lambda rows: rows.upsert({**key, **values}, on_conflict=",".join(key)))
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return _mine_already(me, table, key, values, error)
    if not written:
        raise NotAllowed
    return written[0]


def update(
    me: Caller, table: str, key: Key, values: Values, version: int, *, seen_by: Values | None = None
) -> Record:
    """Change the row that this person saw. `seen_by` tells the change where the database words `values` anew.

    Raises `Conflict` with the row as it is now when somebody changed it since, `Gone` when it is not there.
    """
    at_version: dict[str, str | int] = {**key, "version": version}
    try:
        written = run(me, table, lambda rows: narrowed(rows.update(values), at_version))
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return _explain_unchanged(me, table, key, seen_by or values, version, otherwise=error)
    if written:
        return written[0]
    return _explain_unchanged(me, table, key, seen_by or values, version, otherwise=NotAllowed())


def _explain_unchanged(
    me: Caller, table: str, key: Key, values: Values, version: int, *, otherwise: DatabaseError
) -> Record:
    """Find out why nothing came back: written after all, gone, changed by somebody, or refused."""
    current = find(me, table, key)
    if current is None:
        raise Gone
    if current.get("version") == version:
        raise otherwise
    if current.get("version") == version + 1 and _holds(current, values):
        return current
    raise Conflict(current)


def delete(me: Caller, table: str, key: Key) -> None:
    """Remove a row; that it is gone already is as good. Raises `NotAllowed` when it stays."""
    try:
        removed = run(me, table, lambda rows: narrowed(rows.delete(), key))
    except Unreachable as error:
        if not error.worth_looking or find(me, table, key) is not None:
            raise
        return
    if not removed and find(me, table, key) is not None:
        raise NotAllowed


def _holds(record: Record, values: Values) -> bool:
    return all(same_value(record.get(column), value) for column, value in values.items())


def same_value(one: object, other: object) -> bool:
    """Whether two JSON values of a column mean the same: times and numbers are written in different ways."""
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
