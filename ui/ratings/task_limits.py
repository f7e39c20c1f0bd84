"""What the schema takes of a task, as the migrations for rating tasks and for readable JSON say.

The database checks it as well, but refuses a whole request for one bad task, and does not know its line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

_TASK_TYPE: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
LONGEST: Final[Mapping[str, int]] = {
    "prompt": 50_000, "name_a": 120, "name_b": 120, "model_a": 200, "model_b": 200, "external_id": 200,
    "gold_reason": 5000,
}  # fmt: skip
"""Characters of each text."""
MOST_JSON_BYTES: Final = 200_000
MOST_LEVELS: Final = 100
LARGEST_NUMBER: Final = 1e300


def check_task_type(text: str) -> None:
    """Raise `ValueError` for a type that is no word."""
    if not _TASK_TYPE.fullmatch(text):
        raise ValueError(
            "task_type has 1 to 60 small letters, digits and underscores, and begins with a letter."
        )


def check_text(name: str, text: str) -> None:
    """Raise `ValueError` for a text that the database cannot store."""
    if "\x00" in text:
        raise ValueError(f"{name} contains the character U+0000, which cannot be stored.")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{name} contains half of a character (an unpaired surrogate).")
    longest = LONGEST.get(name)
    if longest is not None and len(text) > longest:
        raise ValueError(f"{name} has {len(text):,} characters; up to {longest:,} are possible.")


def check_json(name: str, value: object) -> None:
    """Raise `ValueError` for a JSON value that the database cannot store or that clients could not read."""
    size = _size(name, value, 0)
    if size > MOST_JSON_BYTES:
        raise ValueError(f"{name} has {size:,} bytes of JSON; up to {MOST_JSON_BYTES:,} are possible.")


def _size(name: str, value: object, level: int) -> int:
    """Return the bytes of a value as Postgres writes it."""
    if level >= MOST_LEVELS:
        raise ValueError(f"{name} has {MOST_LEVELS} levels of JSON or more.")
    match value:
        case str():
            check_text(name, value)
            return len(json.dumps(value, ensure_ascii=False).encode())
        case bool() | None:
            return len(json.dumps(value))
        case float() | int():
            return _size_of_number(name, value)
        case Mapping():
            parts = [
                _size(name, key, level) + 2 + _size(name, each, level + 1) for key, each in value.items()
            ]
        case list():
            parts = [_size(name, each, level + 1) for each in value]
        case _:
            raise ValueError(f"{name} is no JSON value.")
    return 2 + sum(parts) + 2 * max(0, len(parts) - 1)


def _size_of_number(name: str, value: int | float) -> int:
    if math.isnan(value):
        raise ValueError(f"{name} contains NaN, which is not a number of JSON.")
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise ValueError(f"{name} contains a number beyond 1e300.")
    # Postgres writes all digits: 1e300 has 301.
    return len(str(value)) if isinstance(value, int) else len(format(Decimal(repr(value)), "f"))
