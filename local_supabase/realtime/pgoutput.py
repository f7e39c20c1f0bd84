"""Decoder of Postgres' built-in logical replication messages (pgoutput, protocol version 1), without I/O.

Format: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, StrEnum

POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class DecodeError(ValueError):
    """Bytes that are not a message of this protocol."""


class Unchanged(Enum):
    """Stands for a value stored out of line (TOAST) that an UPDATE did not touch and so did not log."""

    TOAST = "unchanged toast"


UNCHANGED = Unchanged.TOAST

Value = str | None | Unchanged
Row = tuple[Value, ...]


class Identity(StrEnum):
    """The replica identity of a table: what an UPDATE or DELETE logs of the old row."""

    DEFAULT = "d"
    NOTHING = "n"
    FULL = "f"
    INDEX = "i"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a relation; `in_key` means part of the replica identity."""

    name: str
    type_oid: int
    type_modifier: int
    in_key: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """Sent before the first change of a table and again after every change of its definition."""

    oid: int
    schema: str
    table: str
    identity: Identity
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Begin:
    """Start of a committed transaction. `lsn` is where its commit record ends."""

    lsn: int
    committed_at: datetime
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """End of a transaction; `end_lsn` may be confirmed once it has been handled."""

    lsn: int
    end_lsn: int
    committed_at: datetime


@dataclass(frozen=True, slots=True)
class Insert:
    """A new row."""

    relation: int
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """A changed row. `old` is the whole old row (identity FULL), the old key if it changed, or None."""

    relation: int
    new: Row
    old: Row | None
    old_is_key: bool


@dataclass(frozen=True, slots=True)
class Delete:
    """A row that is gone: the whole of it (identity FULL) or its key with None elsewhere."""

    relation: int
    old: Row
    old_is_key: bool


@dataclass(frozen=True, slots=True)
class Truncate:
    """Tables that were emptied."""

    relations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """A message that Realtime does not use (origin, type, logical message)."""

    kind: str


Message = Relation | Begin | Commit | Insert | Update | Delete | Truncate | Ignored


def decode(data: bytes) -> Message:
    """Read one message. Raises `DecodeError` when it does not follow the format."""
    try:
        return _decode(data)
    except (struct.error, IndexError, ValueError, OverflowError) as error:
        raise DecodeError(f"cannot read a replication message: {error}") from error


def _decode(data: bytes) -> Message:
    kind = data[:1]
    cursor = _Cursor(data)
    if kind == b"I":
        return _insert(cursor)
    if kind == b"U":
        return _update(cursor)
    if kind == b"D":
        return _delete(cursor)
    if kind == b"B":
        lsn, timestamp, xid = cursor.unpack("!QqI")
        return Begin(lsn, _timestamp(timestamp), xid)
    if kind == b"C":
        _flags, lsn, end_lsn, timestamp = cursor.unpack("!BQQq")
        return Commit(lsn, end_lsn, _timestamp(timestamp))
    if kind == b"R":
        return _relation(cursor)
    if kind == b"T":
        return _truncate(cursor)
    if kind in (b"O", b"Y", b"M"):
        return Ignored(kind.decode())
    raise DecodeError(f"unknown kind {kind!r}")


def _timestamp(microseconds: int) -> datetime:
    return POSTGRES_EPOCH + timedelta(microseconds=microseconds)


def _relation(cursor: "_Cursor") -> Relation:
    (oid,) = cursor.unpack("!I")
    schema = cursor.string()
    table = cursor.string()
    identity = Identity(cursor.char())
    (count,) = cursor.unpack("!H")
    return Relation(oid, schema or "pg_catalog", table, identity, tuple(_columns(cursor, count)))


def _columns(cursor: "_Cursor", count: int) -> Iterator[Column]:
    for _ in range(count):
        (flags,) = cursor.unpack("!B")
        name = cursor.string()
        type_oid, modifier = cursor.unpack("!Ii")
        yield Column(name, type_oid, modifier, bool(flags & 1))


def _insert(cursor: "_Cursor") -> Insert:
    (relation,) = cursor.unpack("!I")
    cursor.expect("N")
    return Insert(relation, cursor.row())


def _update(cursor: "_Cursor") -> Update:
    (relation,) = cursor.unpack("!I")
    marker = cursor.char()
    old: Row | None = None
    if marker in ("K", "O"):
        old = cursor.row()
        cursor.expect("N")
    elif marker != "N":
        raise DecodeError(f"unknown tuple {marker!r}")
    return Update(relation, cursor.row(), old, marker == "K")


def _delete(cursor: "_Cursor") -> Delete:
    (relation,) = cursor.unpack("!I")
    marker = cursor.char()
    if marker not in ("K", "O"):
        raise DecodeError(f"unknown tuple {marker!r}")
    return Delete(relation, cursor.row(), marker == "K")


def _truncate(cursor: "_Cursor") -> Truncate:
    count, _options = cursor.unpack("!IB")
    return Truncate(tuple(cursor.unpack("!I")[0] for _ in range(count)))


class _Cursor:
    """Reads the parts of one message in turn."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 1

    def unpack(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._data, self._position)
        self._position += struct.calcsize(layout)
        return values

    def string(self) -> str:
        end = self._data.index(0, self._position)
        value = self._data[self._position : end].decode()
        self._position = end + 1
        return value

    def char(self) -> str:
        value = chr(self._data[self._position])
        self._position += 1
        return value

    def expect(self, marker: str) -> None:
        found = self.char()
        if found != marker:
            raise DecodeError(f"expected tuple {marker!r}, found {found!r}")

    def row(self) -> Row:
        (count,) = self.unpack("!H")
        return tuple([self._value() for _ in range(count)])

    def _value(self) -> Value:
        kind = self.char()
        if kind == "n":
            return None
        if kind == "u":
            return UNCHANGED
        if kind != "t":
            raise DecodeError(f"unknown value {kind!r}")
        (size,) = self.unpack("!I")
        end = self._position + size
        if end > len(self._data):
            raise DecodeError("a value is cut short")
        value = self._data[self._position : end].decode()
        self._position = end
        return value
