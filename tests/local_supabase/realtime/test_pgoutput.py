"""The messages of logical replication, as their documentation lays them out."""

import contextlib
import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_supabase.realtime.pgoutput import (
    UNCHANGED,
    Begin,
    Column,
    Commit,
    DecodeError,
    Delete,
    Identity,
    Ignored,
    Insert,
    Message,
    Relation,
    Truncate,
    Update,
    decode,
)

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
MICROSECONDS = 820_638_245_678_901


def row(*values: str | bytes | None) -> bytes:
    parts = [struct.pack("!H", len(values))]
    for value in values:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, bytes):
            parts.append(value)
        else:
            data = value.encode()
            parts.append(b"t" + struct.pack("!I", len(data)) + data)
    return b"".join(parts)


def test_begin_and_commit() -> None:
    assert decode(b"B" + struct.pack("!QqI", 7, MICROSECONDS, 9)) == Begin(7, MOMENT, 9)
    assert decode(b"C" + struct.pack("!BQQq", 0, 7, 8, MICROSECONDS)) == Commit(7, 8, MOMENT)


def test_relation() -> None:
    message = b"R" + struct.pack("!I", 5) + b"public\0notes\0f" + struct.pack("!H", 2)
    message += b"\x01id\0" + struct.pack("!Ii", 23, -1) + b"\x00body\0" + struct.pack("!Ii", 25, -1)
    columns = (Column("id", 23, -1, in_key=True), Column("body", 25, -1, in_key=False))
    assert decode(message) == Relation(5, "public", "notes", Identity.FULL, columns)


def test_insert() -> None:
    assert decode(b"I" + struct.pack("!I", 5) + b"N" + row("1", None, "ü")) == Insert(5, ("1", None, "ü"))


def test_update_without_with_key_and_with_whole_old_row() -> None:
    head = b"U" + struct.pack("!I", 5)
    new = b"N" + row("1", b"u")
    assert decode(head + new) == Update(5, ("1", UNCHANGED), None, old_is_key=False)
    assert decode(head + b"K" + row("0", None) + new) == Update(
        5, ("1", UNCHANGED), ("0", None), old_is_key=True
    )
    assert decode(head + b"O" + row("0", "x") + new) == Update(
        5, ("1", UNCHANGED), ("0", "x"), old_is_key=False
    )


def test_delete() -> None:
    head = b"D" + struct.pack("!I", 5)
    assert decode(head + b"K" + row("1", None)) == Delete(5, ("1", None), old_is_key=True)
    assert decode(head + b"O" + row("1", "x")) == Delete(5, ("1", "x"), old_is_key=False)


def test_truncate_and_what_is_ignored() -> None:
    assert decode(b"T" + struct.pack("!IBII", 2, 0, 5, 6)) == Truncate((5, 6))
    assert decode(b"Yanything") == Ignored("Y")
    assert decode(b"Manything") == Ignored("M")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"?",
        b"I",
        b"I\0\0\0\5X",
        b"I\0\0\0\5N\0\1t\0\0\0\x09a",
        b"B\0",
        b"R\0\0\0\5public",
        b"U\0\0\0\5Z",
    ],
)
def test_what_is_not_a_message_is_an_error(message: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(message)


@given(st.sampled_from(b"IUDBCRT"), st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(kind: int, rest: bytes) -> None:
    message = None
    with contextlib.suppress(DecodeError):
        message = decode(bytes([kind]) + rest)
    assert message is None or isinstance(message, Message)
