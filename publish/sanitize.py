"""Turns whatever a program passes into values that JSON and Postgres can hold. Nothing here raises."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

_LARGEST_NUMBER: Final = 10**300
_MAX_DEPTH: Final = 50
"""Levels of nesting. The schema takes twice as many, and numbers up to `_LARGEST_NUMBER`."""
_MAX_METADATA: Final = 16_000
"""Characters of JSON. The schema takes 20 kB."""
_MAX_COST: Final = Decimal(1_000_000)
_COST_PLACES: Final = Decimal("1e-12")


def clean_text(text: str) -> str:
    """Return the text without what Postgres cannot hold: null characters and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(value: object) -> str:
    """Return the value as text."""
    try:
        return clean_text(str(value))
    except Exception:
        # `str` raises for a number with too many digits and for objects with a broken `__str__`.
        return f"<{type(value).__name__}>"


def json_value(value: object, ancestors: tuple[int, ...] = ()) -> object:
    """Return the value as JSON. Values that are nested too deeply or contain themselves become "…".

    `ancestors` are the ids of the containers around the value.
    """
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < _LARGEST_NUMBER else None
        case float():
            return value if math.isfinite(value) and abs(value) < _LARGEST_NUMBER else None
        case str():
            return clean_text(value)
        case Mapping() | list() | tuple() | set() | frozenset():
            return _json_container(value, ancestors)
    return text_of(value)


def _json_container(
    value: Mapping[object, object] | list[object] | tuple[object, ...] | set[object] | frozenset[object],
    ancestors: tuple[int, ...],
) -> object:
    if len(ancestors) >= _MAX_DEPTH or id(value) in ancestors:
        return "…"
    ancestors = (*ancestors, id(value))
    if isinstance(value, Mapping):
        return {text_of(key): json_value(each, ancestors) for key, each in value.items()}
    return [json_value(each, ancestors) for each in value]


def metadata_of(value: object) -> dict[str, object]:
    """Return a JSON object that fits the column.

    An object that is too large becomes `{"too_large": <characters>}`, anything else an empty object.
    """
    metadata = json_value(value)
    if not isinstance(metadata, dict):
        return {}
    size = len(json.dumps(metadata))
    return metadata if size <= _MAX_METADATA else {"too_large": size}


def count_of(value: object, most: int) -> int | None:
    """Return a whole number from 0 to `most`, or None if the value is not a number, negative or larger."""
    number = _number(value)
    return None if number is None or not 0 <= number <= most else round(number)


def cost_of(value: object) -> Decimal | None:
    """Return US dollars, or None if the value is not a number, negative, or above what the schema takes."""
    number = _number(value)
    if number is None or not 0 <= number <= _MAX_COST:
        return None
    return number.quantize(_COST_PLACES).normalize()


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(text_of(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
