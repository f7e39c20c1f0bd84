"""Reading one column of a row as PostgREST or Realtime sends it.

Every function raises `ValueError` when the column is missing or has another shape than the schema gives it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

Record = Mapping[str, object]


def text(record: Record, column: str) -> str:
    """Read text."""
    value = record.get(column)
    if not isinstance(value, str):
        raise ValueError(f"column {column!r} should hold text, not {value!r}")
    return value


def optional_text(record: Record, column: str) -> str | None:
    """Read text or null."""
    return None if record.get(column) is None else text(record, column)


def integer(record: Record, column: str) -> int:
    """Read a whole number."""
    value = record.get(column)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"column {column!r} should hold an integer, not {value!r}")
    return value


def optional_integer(record: Record, column: str) -> int | None:
    """Read a whole number or null."""
    return None if record.get(column) is None else integer(record, column)


def moment(record: Record, column: str) -> datetime:
    """Read a time with its zone."""
    return _moment(text(record, column), column)


def moments(record: Record, column: str) -> Sequence[datetime]:
    """Read a JSON list of times with their zones."""
    return tuple(_moment(str(item), column) for item in items(record, column))


def _moment(value: str, column: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError(f"column {column!r} should hold a time with its zone, not {value}")
    return moment


def optional_moment(record: Record, column: str) -> datetime | None:
    """Read a time with its zone, or null."""
    return None if record.get(column) is None else moment(record, column)


def optional_object(record: Record, column: str) -> Mapping[str, object] | None:
    """Read a JSON object or null."""
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(f"column {column!r} should hold a JSON object, not {value!r}")
    return value


def number(record: Record, column: str) -> float:
    """Read a number."""
    value = record.get(column)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"column {column!r} should hold a number, not {value!r}")
    return float(value)


def decimal(record: Record, column: str) -> Decimal:
    """Read a `numeric`, which JSON may carry as a number or as text."""
    value = record.get(column)
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            pass
    raise ValueError(f"column {column!r} should hold a number, not {value!r}")


def items(record: Record, column: str) -> Sequence[object]:
    """Read a JSON list."""
    value = record.get(column)
    if not isinstance(value, list):
        raise ValueError(f"column {column!r} should hold a JSON list, not {value!r}")
    return tuple(value)


def boolean(record: Record, column: str) -> bool:
    """Read a yes or no."""
    value = record.get(column)
    if not isinstance(value, bool):
        raise ValueError(f"column {column!r} should hold true or false, not {value!r}")
    return value


def optional_day(record: Record, column: str) -> date | None:
    """Read a date or null."""
    return None if record.get(column) is None else date.fromisoformat(text(record, column))


def nested(record: Record, column: str) -> Record:
    """Read a JSON object."""
    value = optional_object(record, column)
    if value is None:
        raise ValueError(f"column {column!r} should hold a JSON object, not null")
    return value
