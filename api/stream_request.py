"""Reads which tables and rows a caller wants to stream."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from api.errors import FieldProblem, InvalidInputError
from livetables.errors import FilterError
from livetables.tables.filters import MAX_FILTERS, Filter, parse
from livetables.tables.spec import AnySpec
from realtime_handlers import ALL_SPECS

STREAMABLE: Final[Mapping[str, AnySpec]] = {spec.name: spec for spec in ALL_SPECS if spec.logged}
"""The tables that can be streamed: those whose changes the database logs."""

LONGEST_FILTER: Final = 2000
"""Characters. Filters go to PostgREST in an address, beside up to 4 kB of keys."""

_RESERVED: Final = frozenset(
    ("select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not")
)
"""In an address these names have another meaning for PostgREST, so it would ignore the condition."""

_TABLE_PREFIX: Final = re.compile(r"([a-z_][a-z0-9_]*):(.*)", re.DOTALL)

Selection = Mapping[str, tuple[Filter, ...]]
"""The tables of a stream by name, each with the conditions on its rows."""


def read_selection(tables: str, filters: Sequence[str]) -> Selection:
    """Read the parameters `tables` and `filter` of a request.

    Raises `InvalidInputError`, which names the parameter.
    """
    names = list(dict.fromkeys(name.strip() for name in tables.split(",") if name.strip()))
    unknown = [name for name in names if name not in STREAMABLE]
    if unknown or not names:
        problem = f"There is no table {unknown[0]!r}" if unknown else "Name one table at least"
        raise invalid_parameter("tables", f"{problem}; there are {', '.join(sorted(STREAMABLE))}.")
    selection: dict[str, tuple[Filter, ...]] = dict.fromkeys(names, ())
    for text in filters:
        name, conditions = _split_table(text, names)
        selection[name] += _conditions(conditions)
        if len(selection[name]) > MAX_FILTERS:
            raise invalid_parameter("filter", f"At most {MAX_FILTERS} conditions can be joined.")
    return selection


def _split_table(text: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the table that a filter is for, and its conditions."""
    if len(text) > LONGEST_FILTER:
        raise invalid_parameter("filter", f"A filter has up to {LONGEST_FILTER:,} characters.")
    match = _TABLE_PREFIX.fullmatch(text)
    if match is None:
        if len(names) > 1:
            message = f"Say for which table it is, as in {names[0]}:column=eq.value."
            raise invalid_parameter("filter", message)
        return names[0], text
    if match[1] not in names:
        raise invalid_parameter("filter", f"{match[1]!r} is not among the tables of this stream.")
    return match[1], match[2]


def _conditions(text: str) -> tuple[Filter, ...]:
    try:
        conditions = parse(text)
    except FilterError as error:
        raise invalid_parameter("filter", str(error)) from error
    for one in conditions:
        if one.column in _RESERVED:
            raise invalid_parameter("filter", f"There is no column {one.column!r} to filter by.")
    return conditions


def invalid_parameter(parameter: str, message: str) -> InvalidInputError:
    """Return the error for an invalid parameter in the query."""
    return InvalidInputError(message, fields=[FieldProblem(place="query", field=parameter, message=message)])
