"""Two people change the same row: what goes together by itself, and what somebody has to decide.

Pure: from the row a person began with, what they made of it, and what it has become meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

V = TypeVar("V", bound=object)


class Choice(Enum):
    """Whose version of a field to keep."""

    MINE = "Keep mine"
    THEIRS = "Take theirs"


@dataclass(frozen=True, slots=True)
class Merge:
    """`mine` are the fields that only this person changed; `clashes` those that both changed, differently."""

    mine: Mapping[str, object]
    clashes: tuple[str, ...]


def changed(base: Mapping[str, V], draft: Mapping[str, V]) -> dict[str, V]:
    """Return the fields of the draft that differ from what it was made from."""
    return {field: value for field, value in draft.items() if value != base.get(field)}


def merge(base: Mapping[str, object], mine: Mapping[str, object], theirs: Mapping[str, object]) -> Merge:
    """Put two changes of one row together, field by field; all three hold the same fields."""
    my_changes = changed(base, mine)
    their_changes = changed(base, theirs)
    both = [field for field in my_changes if field in their_changes]
    clashes = tuple(field for field in both if my_changes[field] != their_changes[field])
    alone = {field: value for field, value in my_changes.items() if field not in both}
    return Merge(alone, clashes)


def decided(merged: Merge, mine: Mapping[str, object], choices: Mapping[str, Choice]) -> Mapping[str, object]:
    """Return what to write on top of the other person's version, once every clash is decided.

    Raises `KeyError` when a clash has no choice.
    """
    kept = {field: mine[field] for field in merged.clashes if choices[field] is Choice.MINE}
    return {**merged.mine, **kept}
