"""Deciding here whether a record passes filters, where the server is not asked.

What the database says counts: it may order texts by another collation, and its `ilike` knows more of upper
and lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from live.changes import Record
from live.filters import Filter, Operator, text_of
from live.kinds import Columns, Comparable, Kind, read


def matches(filters: Iterable[Filter], record: Record, columns: Columns) -> bool:
    """Tell whether a record, as JSON gives it, passes all the filters.

    As in SQL a null passes nothing but `is`. Neither does a column that is not among `columns`.
    """
    return all(_passes(one, record.get(one.column), columns.get(one.column)) for one in filters)


def _passes(one: Filter, value: object, kind: Kind | None) -> bool:
    if kind is None:
        return False
    if one.operator is Operator.IS:
        return _is(one.criterion, value) is not one.negate
    left = None if value is None else read(_text(value), kind)
    rights = [right for each in one.values if (right := read(each, kind)) is not None]
    if left is None or not rights:
        return False
    return _compare(one.operator, left, rights) is not one.negate


def _text(value: object) -> str:
    return text_of(value) if isinstance(value, bool) else str(value)


def _is(word: str, value: object) -> bool:
    return value is None if word in ("null", "unknown") else value is (word == "true")


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
    above = bool(left > right)  # type: ignore[operator]  # both were read as the column's kind
    return above is (operator in (Operator.GT, Operator.GTE))


def like(text: str, pattern: str) -> bool:
    """Tell whether a text is like a pattern of SQL: `%` stands for anything, `_` for one character.

    Without a regular expression: patterns come from people, and some would never come to an end.
    """
    parts = re.findall(r"\\.|.", pattern, flags=re.DOTALL)
    at = here = 0
    star, resume = -1, 0
    while here < len(text):
        if at < len(parts) and parts[at] == "%":
            star, resume, at = at, here, at + 1
        elif at < len(parts) and _is_one(parts[at], text[here]):
            at, here = at + 1, here + 1
        elif star >= 0:
            resume += 1
            at, here = star + 1, resume
        else:
            return False
    return all(part == "%" for part in parts[at:])


def _is_one(part: str, character: str) -> bool:
    return part == "_" or part[-1] == character
