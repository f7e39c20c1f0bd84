"""Sums of days grouped by provider, model, route, day or person, with their charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from db.routing.models import RoutingDay
from ui.base.people import FindUser, name_of
from ui.routing.charts import Chart, charts
from ui.routing.sums import Sums, grouped, summed


class GroupBy(StrEnum):
    """How requests are grouped."""

    PROVIDER = "Provider"
    MODEL = "Model"
    ROUTE = "Route"
    DAY = "Day"
    PERSON = "Person"


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of each group, then of all together, and the charts. Names of groups are text."""

    groups: Sequence[tuple[str, Sums]]
    charts: Sequence[Chart]


def totals(
    days: Sequence[RoutingDay], group_by: GroupBy, first: date, last: date, find: FindUser
) -> Totals | None:
    """Add days up: the newest day first, other groups by cost; None when there are no days."""
    if not days:
        return None
    # Grouped by keys, because names may be ambiguous: two people can have the same one.
    groups = grouped(days, lambda row: _key(row, group_by))
    order = sorted(groups, key=lambda key: (-groups[key].cost, key))
    if group_by is GroupBy.DAY:
        order = sorted(groups, reverse=True)
    named = [(_name(key, group_by, find), groups[key]) for key in order]
    return Totals([*named, ("All together", summed(days))], charts(days, first, last))


def _key(row: RoutingDay, group_by: GroupBy) -> tuple[str, ...]:
    match group_by:
        case GroupBy.PROVIDER:
            return (row.provider,)
        case GroupBy.MODEL:
            return row.provider, row.model
        case GroupBy.ROUTE:
            return (row.route,)
        case GroupBy.DAY:
            return (row.day.isoformat(),)
        case GroupBy.PERSON:
            return (row.user_id,)


def _name(key: tuple[str, ...], group_by: GroupBy, find: FindUser) -> str:
    return name_of(find(key[0])) if group_by is GroupBy.PERSON else " / ".join(key)
