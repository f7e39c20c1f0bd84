"""The types of columns, as far as comparing their values needs them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Final
from uuid import UUID

_INTEGER: Final = re.compile(r"[+-]?\d{1,19}")
_INT8_LIMIT: Final = 1 << 63
_UUID_LENGTH: Final = 36


class ColumnType(Enum):
    """What a column holds. The value is how error messages name it."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    TIME = "a date or a time"
    BOOLEAN = "true or false"
    UUID = "an id"


Columns = Mapping[str, ColumnType]
"""The columns that filters may name, with their types."""

Comparable = str | Decimal | float | bool
"""A parsed value. Two values of one column type can be compared."""


def read(text: str, column_type: ColumnType) -> Comparable | None:
    """Parse a value of this type. Return None if the text is not one."""
    try:
        return _PARSERS[column_type](text)
    except (ValueError, OverflowError, InvalidOperation):
        return None


def _integer(text: str) -> Decimal | None:
    number = int(text) if _INTEGER.fullmatch(text) else _INT8_LIMIT
    return Decimal(number) if -_INT8_LIMIT <= number < _INT8_LIMIT else None


def _number(text: str) -> Decimal | None:
    number = Decimal(text)
    return number if number.is_finite() else None


def _timestamp(text: str) -> float:
    time = datetime.fromisoformat(text)
    # Postgres reads a time without a zone in the session's zone. It is UTC on hosted projects and on the
    # embedded one.
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


def _boolean(text: str) -> bool | None:
    return {"true": True, "t": True, "false": False, "f": False}.get(text.lower())


def _uuid(text: str) -> str | None:
    return str(UUID(text)) if len(text) == _UUID_LENGTH else None


_PARSERS: Final[Mapping[ColumnType, Callable[[str], Comparable | None]]] = {
    ColumnType.TEXT: str,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _number,
    ColumnType.TIME: _timestamp,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.UUID: _uuid,
}
