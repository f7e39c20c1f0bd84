"""Applies filters to a record in this process, where the server is not asked.

The database's answer wins where the two differ: it may order texts by another collation, and its `ilike`
folds case by its locale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from livetables.tables.changes import Record
from livetables.tables.column_types import Columns, ColumnType, Comparable, read
from livetables.tables.filters import Filter, Operator, text_of


def matches(filters: Iterable[Filter], record: Record, columns: Columns) -> bool:
    """Return whether a record, as JSON gives it, passes all filters.

    As in SQL, null passes only `is`. A filter on a column that `columns` lacks passes nothing.
    """
    return all(_passes(one, record.get(one.column), columns.get(one.column)) for one in filters)


def _passes(one: Filter, value: object, column_type: ColumnType | None) -> bool:
    if column_type is None:
        return False
    if one.operator is Operator.IS:
        return _is(one.criterion, value) is not one.negate
    left = None if value is None else read(_text(value), column_type)
    rights = [right for each in one.values if (right := read(each, column_type)) is not None]
    if left is None or not rights:
        return False
    return _compare(one.operator, left, rights) is not one.negate


def _text(value: object) -> str:
    return text_of(value) if isinstance(value, bool) else str(value)


def _is(criterion: str, value: object) -> bool:
    return value is None if criterion in ("null", "unknown") else value is (criterion == "true")


def _compare(operator: Operator, left: Comparable, rights: Sequence[Comparable]) -> bool:
    right = rights[0]
    match operator:
        case Operator.EQ | Operator.IN:
            return left in rights
        case Operator.NEQ:
            return left != right
        case Operator.LIKE:
            return like(str(left), str(right))
        case Operator.ILIKE:
            return like(str(left).lower(), str(right).lower())
    if left == right:
        return operator in (Operator.GTE, Operator.LTE)
    above = bool(left > right)  # type: ignore[operator]  # both were parsed as the column's type
    return above is (operator in (Operator.GT, Operator.GTE))


def like(text: str, pattern: str) -> bool:
    """Return whether a text matches an SQL pattern: `%` matches any text, `_` one character.

    Patterns come from users, and as one regular expression some would backtrack for ever. So each piece
    between two `%` is looked for once, after the one before it: the first place leaves most to the others.
    """
    pieces = _pieces(pattern)
    if len(pieces) == 1:
        return pieces[0].expression.fullmatch(text) is not None
    first, last = pieces[0], pieces[-1]
    start, end = first.length, len(text) - last.length
    if start > end or not first.expression.match(text) or not last.expression.match(text, end):
        return False
    for piece in pieces[1:-1]:
        found = piece.expression.search(text, start, end)
        if found is None:
            return False
        start = found.end()
    return True


@dataclass(frozen=True, slots=True)
class _Piece:
    """What lies between two `%`: an expression without repetitions, and the length of what it matches."""

    expression: re.Pattern[str]
    length: int


@lru_cache(256)
def _pieces(pattern: str) -> tuple[_Piece, ...]:
    pieces: list[list[str]] = [[]]
    for part in re.findall(r"\\.|.", pattern, flags=re.DOTALL):
        if part == "%":
            pieces.append([])
        else:
            pieces[-1].append("." if part == "_" else re.escape(part[-1]))
    return tuple(_Piece(re.compile("".join(piece), re.DOTALL), len(piece)) for piece in pieces)
