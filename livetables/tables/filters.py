"""Filters on a table's columns, in the form Realtime and PostgREST share: `cost=gt.0.01,provider=in.(a,b)`.

Commas join conditions, and all of them must hold. As in SQL, null passes only `is`, not even a negated
condition. The forms are those of https://supabase.com/docs/guides/realtime/postgres-changes and
https://docs.postgrest.org/en/stable/references/api/tables_views.html. A value may stand in double quotes;
inside them a backslash escapes quotes and backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from livetables.errors import FilterError
from livetables.tables.column_types import Columns, ColumnType, read

MAX_VALUES: Final = 100
"""How many values `in` may list (Realtime's limit)."""
MAX_FILTERS: Final = 20
"""How many conditions may be joined."""
MAX_LENGTH: Final = 1000
"""How many characters a value may have."""

_COLUMN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_NEEDS_NO_QUOTES: Final = re.compile(r"[\w.:+@/%*-]+")


class Operator(StrEnum):
    """The comparison operators, as the text form spells them."""

    EQ = "eq"
    NEQ = "neq"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    IN = "in"
    IS = "is"
    LIKE = "like"
    ILIKE = "ilike"


Scalar = str | bool | int | float | Decimal | date | datetime | UUID
"""A Python value that a column can be compared with."""

_IS_VALUES: Final = frozenset(("null", "true", "false", "unknown"))
_PATTERNS: Final = frozenset((Operator.LIKE, Operator.ILIKE))


@dataclass(frozen=True, slots=True, order=True)
class Filter:
    """One condition: `column`, `operator`, `value`, and whether the condition is negated.

    `value` is text as Postgres reads it; for `in` a tuple of texts; for `is` null, true, false or unknown.
    Patterns of `like` and `ilike` may use `*` for `%`, as in PostgREST.

    Raises `FilterError` for what no server accepts.
    """

    column: str
    operator: Operator
    value: str | tuple[str, ...]
    negate: bool = False

    def __post_init__(self) -> None:
        """Check the condition. Raises `FilterError`."""
        if not _COLUMN.fullmatch(self.column):
            raise FilterError(f"{self.column!r} is not a column name.")
        if (self.operator is Operator.IN) != isinstance(self.value, tuple):
            raise FilterError(f"{self.column}: only `in` takes a list of values, as in in.(a,b).")
        if isinstance(self.value, tuple):
            self._check_list(self.value)
        else:
            self._check_value(self.value)

    @classmethod
    def of(
        cls, column: str, operator: Operator, value: Scalar | Iterable[Scalar] | None, *, negate: bool = False
    ) -> Filter:
        """Build a condition from Python values. None becomes `is null`.

        Raises `FilterError`.
        """
        if value is None:
            return cls(column, operator, "null", negate)
        if isinstance(value, (str, bool, int, float, Decimal, date, UUID)):
            one = text_of(value)
            return cls(column, operator, (one,) if operator is Operator.IN else one, negate)
        return cls(column, operator, tuple(text_of(each) for each in value), negate)

    def _check_list(self, values: tuple[str, ...]) -> None:
        if not values:
            raise FilterError(f"{self.column}: `in` needs at least one value.")
        if len(values) > MAX_VALUES:
            raise FilterError(f"{self.column}: `in` takes at most {MAX_VALUES} values.")
        for value in values:
            self._check_text(value)

    def _check_value(self, value: str) -> None:
        self._check_text(value)
        if self.operator is Operator.IS:
            if value.lower() not in _IS_VALUES:
                raise FilterError(f"{self.column}: `is` takes null, true, false or unknown, not {value!r}.")
            object.__setattr__(self, "value", value.lower())
        elif self.operator in _PATTERNS:
            if (len(value) - len(value.rstrip("\\"))) % 2:
                raise FilterError(f"{self.column}: a pattern cannot end with a backslash.")
            object.__setattr__(self, "value", value.replace("*", "%"))

    def _check_text(self, value: str) -> None:
        if len(value) > MAX_LENGTH:
            raise FilterError(f"{self.column}: a value may have at most {MAX_LENGTH} characters.")
        if "\0" in value:
            raise FilterError(f"{self.column}: a value cannot contain a null character.")

    @property
    def text(self) -> str:
        """The condition as Realtime writes it: `column=not.operator.value`."""
        value = self.listed if isinstance(self.value, tuple) else _quoted_if_needed(self.value)
        return f"{self.column}={self.verb}.{value}"

    @property
    def verb(self) -> str:
        """The operator, prefixed with `not.` if the condition is negated."""
        return f"not.{self.operator}" if self.negate else self.operator.value

    @property
    def criterion(self) -> str:
        """The value as PostgREST expects it: a single value unquoted, a list in parentheses."""
        return self.listed if isinstance(self.value, tuple) else self.value

    @property
    def listed(self) -> str:
        """The values in parentheses, quoted where needed."""
        return f"({','.join(_quoted_if_needed(value, listed=True) for value in self.values)})"

    @property
    def values(self) -> tuple[str, ...]:
        """All values; most operators have one."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


def text_of(value: Scalar) -> str:
    """Return the value as Postgres reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    return str(value)


# Parsing and formatting.


def format_filters(filters: Iterable[Filter]) -> str:
    """Return the filters as one text, empty if there are none. `parse` is the inverse."""
    return ",".join(one.text for one in filters)


def parameters(filters: Iterable[Filter]) -> list[tuple[str, str]]:
    """Return PostgREST's query parameters as unencoded pairs."""
    return [(one.column, f"{one.verb}.{one.criterion}") for one in filters]


def canonical(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """Return the conditions sorted and without duplicates, so that equivalent choices are equal."""
    return tuple(sorted(set(filters), key=lambda one: one.text))


def parse(text: str, columns: Columns | None = None) -> tuple[Filter, ...]:
    """Parse filters from text. Blank text gives none. With `columns` the filters are also checked.

    Raises `FilterError`.
    """
    if not text.strip():
        return ()
    filters = tuple(_parse_one(part.strip()) for part in _split(text))
    return filters if columns is None else check(filters, columns)


def check(filters: Iterable[Filter], columns: Columns) -> tuple[Filter, ...]:
    """Return the filters. Raises `FilterError` if one does not fit the type of its column."""
    checked = tuple(filters)
    if len(checked) > MAX_FILTERS:
        raise FilterError(f"At most {MAX_FILTERS} conditions can be joined.")
    for one in checked:
        column_type = columns.get(one.column)
        if column_type is None:
            raise FilterError(f"There is no column {one.column!r} to filter by; {_choices(columns)}")
        _check_type(one, column_type)
    return checked


def _choices(columns: Columns) -> str:
    return f"the columns are {', '.join(sorted(columns))}." if columns else "this table cannot be filtered."


def _check_type(one: Filter, column_type: ColumnType) -> None:
    if one.operator is Operator.IS:
        if column_type is not ColumnType.BOOLEAN and one.value != "null":
            raise FilterError(f"{one.column} is {column_type.value}: `is` can only compare it with null.")
        return
    if one.operator in _PATTERNS and column_type is not ColumnType.TEXT:
        raise FilterError(f"{one.column} is {column_type.value}: `{one.operator}` only compares text.")
    for value in one.values:
        if read(value, column_type) is None:
            raise FilterError(f"{one.column}: {value!r} is not {column_type.value}.")


def _split(text: str) -> list[str]:
    """Split at the commas that are neither in quotes nor in parentheses."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        character = text[position]
        if character == '"' and position and text[position - 1] in ".(,":
            position = _end_of_quotes(text, position)
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    if depth > 0:
        raise FilterError(f"A parenthesis is not closed in {text!r}; quote values that contain one.")
    return [*parts, text[start:]]


def _end_of_quotes(text: str, position: int) -> int:
    """Return the position of the quote that closes the one at `position`."""
    position += 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    if position >= len(text):
        raise FilterError(f"A quote is not closed in {text!r}.")
    return position


def _parse_one(text: str) -> Filter:
    column, equals, rest = text.partition("=")
    if not equals:
        raise FilterError(f"{text!r} is not a filter; write column=eq.value.")
    negate = rest.startswith("not.")
    name, dot, value = rest.removeprefix("not.").partition(".")
    try:
        operator = Operator(name)
    except ValueError:
        known = ", ".join(Operator)
        raise FilterError(f"{column}: there is no operator {name!r}; the operators are {known}.") from None
    if not dot:
        raise FilterError(f"{column}: `{operator}` needs a value, as in {column}={operator}.value.")
    return Filter(column, operator, _parse_value(column, operator, value), negate)


def _parse_value(column: str, operator: Operator, value: str) -> str | tuple[str, ...]:
    if operator is not Operator.IN:
        return _unquoted(column, value) if value.startswith('"') else value
    if not (value.startswith("(") and value.endswith(")")):
        raise FilterError(f"{column}: put the values of `in` in parentheses, as in {column}=in.(a,b).")
    inside = value[1:-1]
    return tuple(_parse_item(column, part) for part in _split_list(inside)) if inside.strip() else ()


def _split_list(text: str) -> list[str]:
    parts, start, position = [], 0, 0
    while position < len(text):
        if text[position] == '"':
            position = _end_of_quotes(text, position)
        elif text[position] == ",":
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def _parse_item(column: str, part: str) -> str:
    item = part.strip()
    if item.startswith('"'):
        return _unquoted(column, item)
    if not item or item.lower() == "null" or any(character in item for character in '"\\{}()'):
        raise FilterError(f"{column}: the value {item!r} in a list needs quotes.")
    return item


def _unquoted(column: str, text: str) -> str:
    end = _end_of_quotes(text, 0)
    if end != len(text) - 1:
        raise FilterError(f"{column}: there is text after the closing quote in {text!r}.")
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _quoted_if_needed(value: str, *, listed: bool = False) -> str:
    # In a list, an unquoted null is the null value and not text.
    if _NEEDS_NO_QUOTES.fullmatch(value) and not (listed and value.lower() == "null"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
