"""Merging two changes of one row, field by field. A person decides on fields that both changed differently.

Pure functions of three versions: the one a person started from, theirs, and the current one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

V = TypeVar("V", bound=object)


class Choice(Enum):
    """Which version of a field to keep."""

    MINE = "Keep mine"
    THEIRS = "Take theirs"


@dataclass(frozen=True, slots=True)
class Merge:
    """`mine` holds the fields that only this person changed, `clashes` those both changed differently."""

    mine: Mapping[str, object]
    clashes: tuple[str, ...]


def changed(base: Mapping[str, V], draft: Mapping[str, V]) -> dict[str, V]:
    """Return the fields of the draft that differ from the version it started from."""
    return {field: value for field, value in draft.items() if value != base.get(field)}


def merge(base: Mapping[str, object], mine: Mapping[str, object], theirs: Mapping[str, object]) -> Merge:
    """Merge two changes of one row, field by field. All three arguments have the same fields."""
    my_changes = changed(base, mine)
    their_changes = changed(base, theirs)
    both = [field for field in my_changes if field in their_changes]
    clashes = tuple(field for field in both if my_changes[field] != their_changes[field])
    alone = {field: value for field, value in my_changes.items() if field not in both}
    return Merge(alone, clashes)


def decided(merged: Merge, mine: Mapping[str, object], choices: Mapping[str, Choice]) -> Mapping[str, object]:
    """Return the fields to write over the other person's version.

    Raises `KeyError` when a clash has no choice.
    """
    kept = {field: mine[field] for field in merged.clashes if choices[field] is Choice.MINE}
    return {**merged.mine, **kept}
