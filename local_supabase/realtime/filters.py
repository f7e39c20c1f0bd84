"""The `filter` of a postgres_changes subscription: parsing, without I/O.

Grammar: `column=[not.]operator.value`, joined by commas, all of which must hold. Rules and messages follow
`Extensions.PostgresCdcRls.Subscriptions` of supabase/realtime.
"""

from dataclasses import dataclass
from enum import StrEnum


class FilterError(ValueError):
    """A filter that does not parse; the message is the one that Realtime sends."""


class Operator(StrEnum):
    """The operators of filters."""

    EQ = "eq"
    NEQ = "neq"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    IN = "in"
    LIKE = "like"
    ILIKE = "ilike"
    IS = "is"
    MATCH = "match"
    IMATCH = "imatch"
    ISDISTINCT = "isdistinct"


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition. For `in` the value is a Postgres array literal, else the text to compare with."""

    column: str
    operator: Operator
    value: str
    negate: bool


def parse(text: str) -> tuple[Clause, ...]:
    """Read a filter; empty and blank text has no clauses.

    Raises `FilterError` when it does not follow the grammar.
    """
    stripped = text.strip()
    if not stripped:
        return ()
    return tuple(_clause(segment) for segment in _split(stripped))


def _split(text: str) -> list[str]:
    """Split at commas that are neither in parentheses nor in double quotes."""
    segments: list[str] = []
    start = depth = position = 0
    quoted = False
    previous = ""
    while position < len(text):
        char = text[position]
        if quoted:
            if char == "\\" and position + 1 < len(text):
                position += 1
                char = text[position]
            elif char == '"':
                quoted = False
        elif char == '"' and previous in (".", "(", ","):
            quoted = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif char == "," and depth == 0:
            segments.append(text[start:position])
            start = position + 1
            # A column name starts here, so a quote after this comma does not open a quoted value.
            char = ""
        previous = char
        position += 1
    return [*segments, text[start:]]


def _clause(segment: str) -> Clause:
    trimmed = segment.strip()
    if not trimmed:
        raise FilterError("filter must not contain empty segments (check for extra commas)")
    column, equals, rest = trimmed.partition("=")
    if not equals:
        raise FilterError(f"[{_inspect(trimmed)}]")
    negate = rest.startswith("not.")
    if negate:
        rest = rest.removeprefix("not.")
    name, dot, value = rest.partition(".")
    if not dot:
        raise FilterError(f"[{_inspect(rest)}]")
    try:
        operator = Operator(name)
    except ValueError:
        raise FilterError(f"[{_inspect(name)}, {_inspect(value)}]") from None
    return Clause(column, operator, _value(operator, value), negate)


def _value(operator: Operator, value: str) -> str:
    if operator is not Operator.IN:
        return _unquote(value)
    if len(value) >= 2 and value.startswith("(") and value.endswith(")"):
        return "{" + value[1:-1] + "}"
    raise FilterError("`in` filter value must be wrapped by parentheses")


def _unquote(value: str) -> str:
    """Remove the double quotes around a text; one that is not quoted as a whole stays as it is."""
    if not value.startswith('"'):
        return value
    characters: list[str] = []
    position = 1
    while position < len(value):
        char = value[position]
        if char == '"':
            return "".join(characters) if position == len(value) - 1 else value
        if char == "\\" and position + 1 < len(value):
            position += 1
            char = value[position]
        characters.append(char)
        position += 1
    return value


def describe(clauses: tuple[Clause, ...]) -> str:
    """Return the clauses as Realtime's error messages show them."""
    shown = (
        f"{{{_inspect(clause.column)}, {_inspect(clause.operator)}, {_inspect(clause.value)}, "
        f"{str(clause.negate).lower()}}}"
        for clause in clauses
    )
    return f"[{', '.join(shown)}]"


def _inspect(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
