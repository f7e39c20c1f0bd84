"""The syntax tree of a query string."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

EmbedPath: TypeAlias = tuple[str, ...]


class Join(StrEnum):
    """Whether parents without a row of the embedded resource are left out (inner) or kept (left)."""

    INNER = "inner"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class JsonStep:
    """One `->` or `->>` of a JSON path. Its operand is a number (an index) or a text (a key)."""

    operand: str | int
    as_text: bool


@dataclass(frozen=True, slots=True)
class Field:
    """A column, or a path inside a JSON column."""

    name: str
    path: tuple[JsonStep, ...] = ()


@dataclass(frozen=True, slots=True)
class SelectField:
    """A column in `select`."""

    field: Field
    alias: str | None = None
    cast: str | None = None
    aggregate: str | None = None
    aggregate_cast: str | None = None


@dataclass(frozen=True, slots=True)
class SelectRelation:
    """An embedded resource in `select`, or a spread one (`...rel(*)`)."""

    name: str
    items: tuple[SelectItem, ...]
    alias: str | None = None
    hint: str | None = None
    join: Join | None = None
    spread: bool = False


SelectItem: TypeAlias = SelectField | SelectRelation


class Quantifier(StrEnum):
    """`eq(any)` and `eq(all)`."""

    ANY = "any"
    ALL = "all"


class IsValue(StrEnum):
    """The values of the operator `is`."""

    NULL = "null"
    NOT_NULL = "not_null"
    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Compare:
    """An operator with one value, such as `eq.5`, `like(any).{a*,b*}` or `cs.{1}`."""

    operator: str
    value: str
    quantifier: Quantifier | None = None


@dataclass(frozen=True, slots=True)
class Distinct:
    """`isdistinct.5`."""

    value: str


@dataclass(frozen=True, slots=True)
class In:
    """`in.(1,2)`."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Is:
    """`is.null` and the other values of `is`."""

    value: IsValue


@dataclass(frozen=True, slots=True)
class FullText:
    """`fts(english).cats`."""

    operator: str
    language: str | None
    value: str


Operation: TypeAlias = Compare | Distinct | In | Is | FullText


@dataclass(frozen=True, slots=True)
class Filter:
    """One condition on one field."""

    field: Field
    operation: Operation
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """`and(...)`, `or(...)` and their negations."""

    conjunction: bool
    negated: bool
    parts: tuple[Condition, ...]


Condition: TypeAlias = Filter | Logic


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One term of `order`. With a relation, it orders by a column of an embedded to-one resource."""

    field: Field
    relation: str | None = None
    descending: bool | None = None
    nulls_first: bool | None = None
