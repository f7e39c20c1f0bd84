"""Whatever a program says, in a form that JSON and Postgres can hold. Raises nothing, whatever it is."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

_LARGEST: Final = 10**300
_DEEPEST: Final = 50
"""The schema takes numbers up to that, and twice as many levels."""
_METADATA: Final = 16_000
"""Characters of JSON; the schema keeps 20 kB."""
_HIGHEST_COST: Final = Decimal(1_000_000)
_PLACES: Final = Decimal("1e-12")


def clean(text: str) -> str:
    """Drop what Postgres cannot hold: the null character, and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def text_of(value: object) -> str:
    """Return it as text."""
    try:
        return clean(str(value))
    except Exception:
        # A number with too many digits, or an object that cannot say what it is.
        return f"<{type(value).__name__}>"


def plain(value: object, within: tuple[int, ...] = ()) -> object:
    """Return it as JSON, as far as it goes: what is too deep, or holds itself, is left out.

    `within` are the ids of the values around it.
    """
    match value:
        case None | bool():
            return value
        case int():
            return value if abs(value) < _LARGEST else None
        case float():
            return value if math.isfinite(value) and abs(value) < _LARGEST else None
        case str():
            return clean(value)
        case Mapping() | list() | tuple() | set() | frozenset():
            return _plain_inside(value, within)
    return text_of(value)


def _plain_inside(
    value: Mapping[object, object] | list[object] | tuple[object, ...] | set[object] | frozenset[object],
    within: tuple[int, ...],
) -> object:
    if len(within) >= _DEEPEST or id(value) in within:
        return "…"
    within = (*within, id(value))
    if isinstance(value, Mapping):
        return {text_of(key): plain(each, within) for key, each in value.items()}
    return [plain(each, within) for each in value]


def metadata_of(given: object) -> dict[str, object]:
    """Return a JSON object that is not too large to be kept; what is no object, as an empty one."""
    metadata = plain(given)
    if not isinstance(metadata, dict):
        return {}
    size = len(json.dumps(metadata))
    return metadata if size <= _METADATA else {"too_large": size}


def count_of(value: object, most: int) -> int | None:
    """Return a whole number from 0 to `most`; None for what is no number."""
    number = _number(value)
    return None if number is None else round(min(max(number, Decimal(0)), Decimal(most)))


def cost_of(value: object) -> Decimal | None:
    """Return dollars; None for what is no number, negative, or more than the schema takes."""
    number = _number(value)
    if number is None or not 0 <= number <= _HIGHEST_COST:
        return None
    return number.quantize(_PLACES).normalize()


def _number(value: object) -> Decimal | None:
    try:
        number = Decimal(text_of(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
