"""A part of a table on which a fragment depends, instead of the whole table."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any

from livetables.tables.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Part:
    """What a fragment shows of a table: it reruns only when this value changes.

    - `table` is the name of the table.
    - `value` computes the part from the table and the id of the user, None for a visitor. It is called for
      each user after each change of the table, so it should look something up, perhaps in what
      `Snapshot.derived` keeps. Two equal values have to look the same.
    """

    table: str
    value: Callable[[Snapshot[Any], str | None], Hashable]


Dependency = str | Part
"""What a fragment depends on: a table, by its name, or a part of one."""


def table_names(dependencies: Iterable[Dependency]) -> frozenset[str]:
    """Return the names of the tables that these are, or are parts of."""
    return frozenset(each.table if isinstance(each, Part) else each for each in dependencies)
