"""What columns hold, as far as comparing them is concerned."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Final
from uuid import UUID

_WHOLE: Final = re.compile(r"[+-]?\d{1,19}")
_INT8: Final = 1 << 63
_UUID_LENGTH: Final = 36


class Kind(Enum):
    """What a column holds; the value is what an error message calls it."""

    TEXT = "text"
    INTEGER = "a whole number"
    NUMBER = "a number"
    TIME = "a date or a time"
    BOOLEAN = "true or false"
    UUID = "an id"


Columns = Mapping[str, Kind]
"""The columns that filters may name, and what they hold."""

Comparable = str | Decimal | float | bool
"""A value that was read; two of one kind can be compared."""


def read(text: str, kind: Kind) -> Comparable | None:
    """Read a value of this kind, None when it is none."""
    try:
        return _READ[kind](text)
    except (ValueError, OverflowError, InvalidOperation):
        return None


def _whole(text: str) -> Decimal | None:
    number = int(text) if _WHOLE.fullmatch(text) else _INT8
    return Decimal(number) if -_INT8 <= number < _INT8 else None


def _number(text: str) -> Decimal | None:
    number = Decimal(text)
    return number if number.is_finite() else None


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    # Without a zone Postgres takes the session's, which is UTC on hosted projects and on the embedded one.
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _boolean(text: str) -> bool | None:
    return {"true": True, "t": True, "false": False, "f": False}.get(text.lower())


def _uuid(text: str) -> str | None:
    return str(UUID(text)) if len(text) == _UUID_LENGTH else None


_READ: Final[Mapping[Kind, Callable[[str], Comparable | None]]] = {
    Kind.TEXT: str,
    Kind.INTEGER: _whole,
    Kind.NUMBER: _number,
    Kind.TIME: _moment,
    Kind.BOOLEAN: _boolean,
    Kind.UUID: _uuid,
}
