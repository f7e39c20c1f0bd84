"""The sums of each day: exact totals, however many decisions there are, that nobody has to count again."""

from __future__ import annotations

from db.routing_models import RoutingDay
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.roles import own_unless_admin, standing


def handle_routing_daily_change(rows: Rows[RoutingDay], change: Change[RoutingDay]) -> Rows[RoutingDay]:
    """Take the newest sums of a day."""
    return rows.apply(change)


# The newest thousand are months of most people's; pages load older ones.
SPEC = TableSpec(
    name="routing_daily",
    key=("id",),
    parse=RoutingDay.from_record,
    version=lambda sums: sums.version,
    handler=handle_routing_daily_change,
    audience=Audience.USER,
    filters=own_unless_admin,
    standing=standing,
    order="day",
    window=1000,
)
