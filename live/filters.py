"""Filters on a table's columns, in the form Realtime and PostgREST share: `cost=gt.0.01,provider=in.(a,b)`.

Conditions are joined by commas and must all hold. As in SQL a null passes no condition but `is`, not even a
negated one. The forms are those of https://supabase.com/docs/guides/realtime/postgres-changes and
https://docs.postgrest.org/en/stable/references/api/tables_views.html; a value in the text may be put in
double quotes, with backslashes before quotes and backslashes in it.
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

from live.errors import FilterError
from live.kinds import Columns, Kind, read

MOST_VALUES: Final = 100
"""Values that `in` may list (Realtime's limit)."""
MOST_FILTERS: Final = 20
LONGEST: Final = 1000
"""Characters of one value."""

_COLUMN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_PLAIN: Final = re.compile(r"[\w.:+@/%*-]+")


class Operator(StrEnum):
    """How a column is compared."""

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
"""What a column can be compared with."""

_WORDS: Final = frozenset(("null", "true", "false", "unknown"))
_PATTERNS: Final = frozenset((Operator.LIKE, Operator.ILIKE))


@dataclass(frozen=True, slots=True, order=True)
class Filter:
    """One condition. `value` is text as Postgres reads it, a tuple of texts for `in`, a word for `is`.

    Patterns of `like` and `ilike` may say `*` for `%`, as PostgREST has it. Raises `FilterError`.
    """

    column: str
    operator: Operator
    value: str | tuple[str, ...]
    negate: bool = False

    def __post_init__(self) -> None:
        """Refuse what no server would take."""
        if not _COLUMN.fullmatch(self.column):
            raise FilterError(f"{self.column!r} is no name of a column.")
        if (self.operator is Operator.IN) != isinstance(self.value, tuple):
            raise FilterError(f"{self.column}: only `in` is followed by a list of values, as in in.(a,b).")
        if isinstance(self.value, tuple):
            self._check_list(self.value)
        else:
            self._check_value(self.value)

    @classmethod
    def of(
        cls, column: str, operator: Operator, value: Scalar | Iterable[Scalar] | None, *, negate: bool = False
    ) -> Filter:
        """Make a condition from Python's values; None is for `is` (null)."""
        if value is None:
            return cls(column, operator, "null", negate)
        if isinstance(value, (str, bool, int, float, Decimal, date, UUID)):
            one = text_of(value)
            return cls(column, operator, (one,) if operator is Operator.IN else one, negate)
        return cls(column, operator, tuple(text_of(each) for each in value), negate)

    def _check_list(self, values: tuple[str, ...]) -> None:
        if not values:
            raise FilterError(f"{self.column}: `in` needs at least one value.")
        if len(values) > MOST_VALUES:
            raise FilterError(f"{self.column}: `in` takes at most {MOST_VALUES} values.")
        for value in values:
            self._check_text(value)

    def _check_value(self, value: str) -> None:
        self._check_text(value)
        if self.operator is Operator.IS:
            if value.lower() not in _WORDS:
                raise FilterError(f"{self.column}: `is` takes null, true, false or unknown, not {value!r}.")
            object.__setattr__(self, "value", value.lower())
        elif self.operator in _PATTERNS:
            if (len(value) - len(value.rstrip("\\"))) % 2:
                raise FilterError(f"{self.column}: a pattern cannot end with a backslash.")
            object.__setattr__(self, "value", value.replace("*", "%"))

    def _check_text(self, value: str) -> None:
        if len(value) > LONGEST:
            raise FilterError(f"{self.column}: a value may be {LONGEST} characters long.")
        if "\0" in value:
            raise FilterError(f"{self.column}: a value cannot contain a null character.")

    @property
    def text(self) -> str:
        """The condition in Realtime's form: `column=not.operator.value`."""
        value = self.listed if isinstance(self.value, tuple) else _quoted_if_needed(self.value)
        return f"{self.column}={self.verb}.{value}"

    @property
    def verb(self) -> str:
        """The operator, with `not.` before it if the condition is negated."""
        return f"not.{self.operator}" if self.negate else self.operator.value

    @property
    def criterion(self) -> str:
        """What PostgREST compares with: a single value as it is, a list in parentheses."""
        return self.listed if isinstance(self.value, tuple) else self.value

    @property
    def listed(self) -> str:
        """The values as a list in parentheses."""
        return f"({','.join(_quoted_if_needed(value, listed=True) for value in self.values)})"

    @property
    def values(self) -> tuple[str, ...]:
        """All values, one of them for most operators."""
        return self.value if isinstance(self.value, tuple) else (self.value,)


def text_of(value: Scalar) -> str:
    """Write a value as Postgres reads it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    return str(value)


# Reading and writing.


def format_filters(filters: Iterable[Filter]) -> str:
    """Write filters as one text, empty for none; `parse` reads it again."""
    return ",".join(one.text for one in filters)


def parameters(filters: Iterable[Filter]) -> list[tuple[str, str]]:
    """Return PostgREST's query parameters, to be encoded like any others."""
    return [(one.column, f"{one.verb}.{one.criterion}") for one in filters]


def canonical(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """Return the same conditions in one order, each once, so that equal choices are equal."""
    return tuple(sorted(set(filters), key=lambda one: one.text))


def parse(text: str, columns: Columns | None = None) -> tuple[Filter, ...]:
    """Read filters from text; blank text is none. With `columns` they are checked too.

    Raises `FilterError`.
    """
    if not text.strip():
        return ()
    filters = tuple(_parse_one(part.strip()) for part in _split(text))
    return filters if columns is None else check(filters, columns)


def check(filters: Iterable[Filter], columns: Columns) -> tuple[Filter, ...]:
    """Return the filters if these columns can be compared so. Raises `FilterError`."""
    checked = tuple(filters)
    if len(checked) > MOST_FILTERS:
        raise FilterError(f"At most {MOST_FILTERS} conditions can be joined.")
    for one in checked:
        kind = columns.get(one.column)
        if kind is None:
            raise FilterError(f"There is no column {one.column!r} to filter by; {_choices(columns)}")
        _check_kind(one, kind)
    return checked


def _choices(columns: Columns) -> str:
    return f"there are {', '.join(sorted(columns))}." if columns else "this table cannot be filtered."


def _check_kind(one: Filter, kind: Kind) -> None:
    if one.operator is Operator.IS:
        if kind is not Kind.BOOLEAN and one.value != "null":
            raise FilterError(f"{one.column} is {kind.value}: `is` can only ask whether it is null.")
        return
    if one.operator in _PATTERNS and kind is not Kind.TEXT:
        raise FilterError(f"{one.column} is {kind.value}: `{one.operator}` compares texts.")
    for value in one.values:
        if read(value, kind) is None:
            raise FilterError(f"{one.column}: {value!r} is not {kind.value}.")


def _split(text: str) -> list[str]:
    """Cut at the commas that are neither in quotes nor in parentheses."""
    parts, begin, depth, position = [], 0, 0, 0
    while position < len(text):
        character = text[position]
        if character == '"' and position and text[position - 1] in ".(,":
            position = _end_of_quotes(text, position)
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "," and depth <= 0:
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    if depth > 0:
        raise FilterError(f"A parenthesis is not closed in {text!r}; values with one in them need quotes.")
    return [*parts, text[begin:]]


def _end_of_quotes(text: str, position: int) -> int:
    """Return where the quotes that open here are closed."""
    position += 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    if position >= len(text):
        raise FilterError(f"A quote is not closed in {text!r}.")
    return position


def _parse_one(text: str) -> Filter:
    column, equals, rest = text.partition("=")
    if not equals:
        raise FilterError(f"{text!r} is no filter; one looks like column=eq.value.")
    negate = rest.startswith("not.")
    word, dot, value = rest.removeprefix("not.").partition(".")
    try:
        operator = Operator(word)
    except ValueError:
        known = ", ".join(Operator)
        raise FilterError(f"{column}: there is no operator {word!r}; there are {known}.") from None
    if not dot:
        raise FilterError(f"{column}: `{operator}` needs a value, as in {column}={operator}.value.")
    return Filter(column, operator, _parse_value(column, operator, value), negate)


def _parse_value(column: str, operator: Operator, value: str) -> str | tuple[str, ...]:
    if operator is not Operator.IN:
        return _unquoted(column, value) if value.startswith('"') else value
    if not (value.startswith("(") and value.endswith(")")):
        raise FilterError(f"{column}: the values of `in` stand in parentheses, as in {column}=in.(a,b).")
    inside = value[1:-1]
    return tuple(_parse_item(column, part) for part in _split_list(inside)) if inside.strip() else ()


def _split_list(text: str) -> list[str]:
    parts, begin, position = [], 0, 0
    while position < len(text):
        if text[position] == '"':
            position = _end_of_quotes(text, position)
        elif text[position] == ",":
            parts.append(text[begin:position])
            begin = position + 1
        position += 1
    return [*parts, text[begin:]]


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
        raise FilterError(f"{column}: there is more after the closing quote in {text!r}.")
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def _quoted_if_needed(value: str, *, listed: bool = False) -> str:
    # In a list, an unquoted null is no text.
    if _PLAIN.fullmatch(value) and not (listed and value.lower() == "null"):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
