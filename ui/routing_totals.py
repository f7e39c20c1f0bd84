"""Days of routed requests added up by provider, model, route, day or person, with their charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from db.routing_models import RoutingDay
from ui.activity import Find
from ui.people import name_of
from ui.routing_charts import Chart, charts
from ui.routing_sums import Sums, grouped, summed


class By(StrEnum):
    """What requests are added up by."""

    PROVIDER = "Provider"
    MODEL = "Model"
    ROUTE = "Route"
    DAY = "Day"
    PERSON = "Person"


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of each group, the last of them of all together, and the charts."""

    groups: Sequence[tuple[str, Sums]]
    charts: Sequence[Chart]


def totals(days: Sequence[RoutingDay], by: By, first: date, last: date, find: Find) -> Totals | None:
    """Add days up: the newest day first, else what cost most; None when there is nothing to add."""
    if not days:
        return None
    # By what tells groups apart, which their names need not do: two people may have one name.
    groups = grouped(days, lambda row: _key(row, by))
    order = sorted(groups, key=lambda key: (-groups[key].cost, key))
    if by is By.DAY:
        order = sorted(groups, reverse=True)
    named = [(_name(key, by, find), groups[key]) for key in order]
    return Totals([*named, ("All together", summed(days))], charts(days, first, last))


def _key(row: RoutingDay, by: By) -> tuple[str, ...]:
    match by:
        case By.PROVIDER:
            return (row.provider,)
        case By.MODEL:
            return row.provider, row.model
        case By.ROUTE:
            return (row.route,)
        case By.DAY:
            return (row.day.isoformat(),)
        case By.PERSON:
            return (row.user_id,)


def _name(key: tuple[str, ...], by: By, find: Find) -> str:
    return name_of(find(key[0])) if by is By.PERSON else " / ".join(key)
