"""What a user may read and follow of each table, as the public tables say, and whether that has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from livetables.tables.spec import AnySpec, PublicTables


@dataclass(frozen=True, slots=True)
class Standing:
    """How a user reads one table."""

    filters: tuple[str, ...] = ()
    """The Realtime filters, one subscription each; none: one subscription to the whole table."""
    permission_version: int = 0


def may_read(spec: AnySpec, user_id: str | None, public: PublicTables) -> bool:
    """Return whether this user may read the table at all; None is the public."""
    return spec.visible_to is None or user_id is None or spec.visible_to(user_id, public)


def standing(specs: Iterable[AnySpec], user_id: str | None, public: PublicTables) -> Mapping[str, Standing]:
    """Return how a user reads each of the tables that they may read, by the table's name."""
    return {spec.name: _standing(spec, user_id, public) for spec in specs if may_read(spec, user_id, public)}


def _standing(spec: AnySpec, user_id: str | None, public: PublicTables) -> Standing:
    if user_id is None:
        return Standing()
    return Standing(
        () if spec.filters is None else spec.filters(user_id, public),
        0 if spec.permission_version is None else spec.permission_version(user_id, public),
    )


def unchanged(before: Mapping[str, Standing], now: Mapping[str, Standing]) -> bool:
    """Return whether a user reads the same as before, and did so in between (no version is missing)."""
    return before.keys() == now.keys() and all(
        one.filters == now[name].filters and now[name].permission_version - one.permission_version in (0, 1)
        for name, one in before.items()
    )


def differently_read(before: Mapping[str, Standing], now: Mapping[str, Standing]) -> frozenset[str]:
    """Return the tables of which a user reads other rows now. What they held is no longer theirs to see."""
    return frozenset(
        name for name, one in before.items() if name not in now or one.filters != now[name].filters
    )
