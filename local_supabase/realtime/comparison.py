"""Decides filter clauses in Python where that gives exactly what Postgres would.

Collations, regular expressions and rarer types follow Postgres' own rules; for them the verdict is
`Verdict.UNDECIDED`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

from local_supabase.realtime.filters import Clause, Operator
from local_supabase.realtime.like import TooCostlyError, UnfinishedEscapeError, like


class Verdict(Enum):
    """Whether a row passes a clause; `UNDECIDED` means that only Postgres can decide."""

    PASS = True
    FAIL = False
    UNDECIDED = None


@dataclass(frozen=True, slots=True)
class CheckedClause:
    """A clause that Postgres accepted for a column: the column's type and the value as Postgres writes it."""

    clause: Clause
    type_oid: int
    type_name: str
    canonical: tuple[str | None, ...]


_INTEGERS = frozenset(("int2", "int4", "int8", "oid"))
_NUMBERS = frozenset(("float4", "float8", "numeric"))
_TIMES = frozenset(("date", "timestamp", "timestamptz"))
_TEXTS = frozenset(("text", "varchar"))
# Two values of these are equal exactly when their text is.
_TEXT_EQUALITY = _TEXTS | _TIMES | {"bool", "uuid", "bytea", "bit", "varbit"}
_ORDERED_TIME = re.compile(r"\d{4}-\d\d-\d\d[^B]*\Z")
_ORDER: dict[Operator, Callable[[int], bool]] = {
    Operator.LT: lambda sign: sign < 0,
    Operator.LTE: lambda sign: sign <= 0,
    Operator.GT: lambda sign: sign > 0,
    Operator.GTE: lambda sign: sign >= 0,
}
_EQUALITY = frozenset((Operator.EQ, Operator.NEQ, Operator.IN, Operator.ISDISTINCT))


class _UndecidableError(Exception):
    """Only Postgres can compare this pair of values."""


def decide(checked: CheckedClause, value: str | None) -> Verdict:
    """Decide whether a column's value passes a clause. NULL passes only `is` and `isdistinct`."""
    clause = checked.clause
    if clause.operator is Operator.IS:
        return _verdict(_is(checked.canonical[0], value), clause.negate)
    if value is None:
        # NULL is always distinct from a value; every other comparison with NULL is unknown.
        return Verdict.PASS if clause.operator is Operator.ISDISTINCT and not clause.negate else Verdict.FAIL
    try:
        result = _compare(checked, value)
    except _UndecidableError:
        return Verdict.UNDECIDED
    return Verdict.FAIL if result is None else _verdict(result, clause.negate)


def _verdict(result: bool, negate: bool) -> Verdict:
    return Verdict(result is not negate)


def _is(keyword: str | None, value: str | None) -> bool:
    if keyword in ("null", "unknown"):
        return value is None
    return value == ("t" if keyword == "true" else "f")


def _compare(checked: CheckedClause, value: str) -> bool | None:
    operator = checked.clause.operator
    if operator in _EQUALITY:
        return _equality(checked, value)
    if operator in _ORDER:
        return _ORDER[operator](_sign(checked.type_name, value, _single(checked.canonical)))
    if operator in (Operator.LIKE, Operator.ILIKE) and checked.type_name in _TEXTS:
        return _like(_single(checked.canonical), value, fold=operator is Operator.ILIKE)
    raise _UndecidableError


def _single(canonical: Sequence[str | None]) -> str:
    (value,) = canonical
    assert value is not None
    return value


def _equality(checked: CheckedClause, value: str) -> bool | None:
    operator = checked.clause.operator
    if operator is Operator.IN:
        matched = any(
            item is not None and _equal(checked.type_name, value, item) for item in checked.canonical
        )
        return True if matched else (None if None in checked.canonical else False)
    equal = _equal(checked.type_name, value, _single(checked.canonical))
    return equal if operator is Operator.EQ else not equal


def _equal(type_name: str, left: str, right: str) -> bool:
    if type_name in _TEXT_EQUALITY:
        return left == right
    if type_name == "bpchar":
        # Blanks at the end do not count.
        return left.rstrip(" ") == right.rstrip(" ")
    return _sign(type_name, left, right) == 0


def _sign(type_name: str, left: str, right: str) -> int:
    if type_name in _INTEGERS:
        return _order(int(left), int(right))
    if type_name in _NUMBERS:
        return _order(_number(left), _number(right))
    if type_name in ("uuid", "bool"):
        return _order(left, right)
    if type_name in _TIMES and _ORDERED_TIME.match(left) and _ORDERED_TIME.match(right):
        return _order(left, right)
    raise _UndecidableError


def _number(text: str) -> Decimal:
    if text == "NaN":
        raise _UndecidableError
    return Decimal(text)


def _order(left: int | str | Decimal, right: int | str | Decimal) -> int:
    if left == right:
        return 0
    return -1 if left < right else 1  # type: ignore[operator]  # both sides are of one type


def _like(pattern: str, value: str, *, fold: bool) -> bool:
    if fold:
        # Case beyond ASCII depends on the database's locale.
        if not (pattern.isascii() and value.isascii()):
            raise _UndecidableError
        pattern, value = pattern.lower(), value.lower()
    try:
        return like(pattern, value)
    except (TooCostlyError, UnfinishedEscapeError) as error:
        raise _UndecidableError from error
