"""What a caller wants to be told of: tables, and conditions on their rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from api.errors import FieldProblem, Wrong
from live.errors import FilterError
from live.filters import MOST_FILTERS, Filter, parse
from live.tables import AnySpec
from realtime_handlers import ALL_SPECS

OFFERED: Final[Mapping[str, AnySpec]] = {spec.name: spec for spec in ALL_SPECS if spec.logged}
"""The tables that can be streamed: those whose changes the database keeps a log of."""

LONGEST_FILTER: Final = 2000
"""Characters. Filters go to PostgREST in an address, beside up to 4 kB of keys."""

_NO_COLUMNS: Final = frozenset(
    ("select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not")
)
"""In an address these mean something else to PostgREST, which would pass over the condition."""

_OF_TABLE: Final = re.compile(r"([a-z_][a-z0-9_]*):(.*)", re.DOTALL)

Wanted = Mapping[str, tuple[Filter, ...]]
"""Tables by name, with the conditions on the rows of each."""


def wanted(tables: str, filters: Sequence[str]) -> Wanted:
    """Read the parameters `tables` and `filter` of a request. Raises `Wrong`, naming the parameter."""
    names = list(dict.fromkeys(name.strip() for name in tables.split(",") if name.strip()))
    unknown = [name for name in names if name not in OFFERED]
    if unknown or not names:
        what = f"There is no table {unknown[0]!r}" if unknown else "Name one table at least"
        raise wrong("tables", f"{what}; there are {', '.join(sorted(OFFERED))}.")
    found: dict[str, tuple[Filter, ...]] = dict.fromkeys(names, ())
    for text in filters:
        name, conditions = _of_table(text, names)
        found[name] += _conditions(conditions)
        if len(found[name]) > MOST_FILTERS:
            raise wrong("filter", f"At most {MOST_FILTERS} conditions can be joined.")
    return found


def _of_table(text: str, names: Sequence[str]) -> tuple[str, str]:
    """Return the table that conditions are for, and the conditions."""
    if len(text) > LONGEST_FILTER:
        raise wrong("filter", f"A filter has up to {LONGEST_FILTER:,} characters.")
    match = _OF_TABLE.fullmatch(text)
    if match is None:
        if len(names) > 1:
            raise wrong("filter", f"Say for which table it is, as in {names[0]}:column=eq.value.")
        return names[0], text
    if match[1] not in names:
        raise wrong("filter", f"{match[1]!r} is not among the tables of this stream.")
    return match[1], match[2]


def _conditions(text: str) -> tuple[Filter, ...]:
    try:
        conditions = parse(text)
    except FilterError as error:
        raise wrong("filter", str(error)) from error
    for one in conditions:
        if one.column in _NO_COLUMNS:
            raise wrong("filter", f"There is no column {one.column!r} to filter by.")
    return conditions


def wrong(parameter: str, message: str) -> Wrong:
    """Return the error that a parameter of the address is wrong."""
    return Wrong(message, fields=[FieldProblem(place="query", field=parameter, message=message)])
