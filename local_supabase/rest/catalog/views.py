"""Finds the table columns behind the columns of views, in the parsed queries that Postgres stores.

A stored query is a node tree in text, `({QUERY ... :targetList ({TARGETENTRY ... :resno 1 ... :resorigtbl
16385 :resorigcol 2 ...} ...) ...})`. Each TARGETENTRY names the table and column that a column of the view
comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

# A backslash escapes the next character of a name. The text has no other quoting.
_TOKEN: Final = re.compile(r"(?:\\.|[^\s(){}\\])+|[(){}]", re.DOTALL)
_MAX_DEPTH: Final = 64


@dataclass(frozen=True, slots=True)
class Origin:
    """A column of a view, and the column of a relation that it shows. Numbers are those of pg_attribute."""

    column: int
    source: int
    source_column: int


def origins(definition: str) -> Iterator[Origin]:
    """Yield the origins of a view's columns. A computed column has none."""
    depth = 0
    entry: dict[str, str] = {}
    key = ""
    in_list, list_depth = False, 0
    for match in _TOKEN.finditer(definition):
        word = match[0]
        if word in "({":
            depth += 1
        elif word in ")}":
            depth -= 1
            if in_list and word == "}" and depth == list_depth + 1:
                yield from _origin(entry)
                entry = {}
            elif in_list and depth <= list_depth:
                return
        elif word == ":targetList" and depth == 2:
            # Depth 2 is the outermost query: `(` opens the list of queries and `{` the query.
            in_list, list_depth = True, depth
        elif in_list and depth == list_depth + 2:
            if key:
                entry[key] = word
                key = ""
            elif word.startswith(":res"):
                key = word


def _origin(entry: Mapping[str, str]) -> Iterator[Origin]:
    table = entry.get(":resorigtbl", "0")
    if table != "0":
        yield Origin(int(entry[":resno"]), int(table), int(entry[":resorigcol"]))


def base_columns(views: Mapping[int, str]) -> dict[int, dict[tuple[int, int], list[int]]]:
    """Return for each view: the (relation, column) pairs it shows, also through other views, and where."""
    direct = {view: list(origins(definition)) for view, definition in views.items()}
    found: dict[int, dict[tuple[int, int], list[int]]] = {}
    for view, columns in direct.items():
        shown: dict[tuple[int, int], list[int]] = {}
        for column in columns:
            for source in _chain(column, direct):
                shown.setdefault(source, []).append(column.column)
        found[view] = shown
    return found


def _chain(column: Origin, direct: Mapping[int, list[Origin]]) -> Iterator[tuple[int, int]]:
    pending = [(column.source, column.source_column)]
    seen: set[tuple[int, int]] = set()
    while pending and len(seen) < _MAX_DEPTH:
        source = pending.pop()
        if source in seen:
            continue
        seen.add(source)
        yield source
        pending.extend(
            (o.source, o.source_column) for o in direct.get(source[0], ()) if o.column == source[1]
        )
