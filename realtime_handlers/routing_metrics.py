"""What was routed where: each person's own, and everybody's for admins."""

from __future__ import annotations

from typing import Final

from db.routing_models import RoutingMetric
from live.changes import FINAL, Change, Op
from live.kinds import Columns, Kind
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.roles import own_unless_admin, standing

WINDOW: Final = 100
"""How many of the newest are shown."""
_MOST: Final = 3 * WINDOW


def handle_routing_metrics_change(
    rows: Rows[RoutingMetric], change: Change[RoutingMetric]
) -> Rows[RoutingMetric]:
    """Add a decision (none is ever changed), and let go of what is far from being among the newest."""
    after = rows.apply(change)
    if change.op is Op.DELETE or len(after) <= _MOST:
        return after
    oldest_first = sorted(after.items(), key=lambda item: (item[1].timestamp, item[1].id))
    for key, row in oldest_first[: len(after) - 2 * WINDOW]:
        # A busy router adds thousands an hour, and none would ever go otherwise.
        after = after.apply(
            Change(change.table, Op.DELETE, key, None, row.version, None, change.position, FINAL)
        )
    return after


COLUMNS: Final[Columns] = {
    "provider": Kind.TEXT,
    "model": Kind.TEXT,
    "route": Kind.TEXT,
    "request_id": Kind.TEXT,
    "timestamp": Kind.TIME,
    "auto_route": Kind.BOOLEAN,
    "input_tokens": Kind.INTEGER,
    "output_tokens": Kind.INTEGER,
    "cost": Kind.NUMBER,
    "latency_ms": Kind.INTEGER,
    "success": Kind.BOOLEAN,
    "error_kind": Kind.TEXT,
    "fallback": Kind.BOOLEAN,
    "fallback_from": Kind.TEXT,
    "prompt_length": Kind.INTEGER,
    "user_id": Kind.UUID,
}
"""By what decisions can be filtered."""

SPEC = TableSpec(
    name="routing_metrics",
    key=("id",),
    parse=RoutingMetric.from_record,
    version=lambda metric: metric.version,
    handler=handle_routing_metrics_change,
    audience=Audience.USER,
    order="timestamp",
    window=WINDOW,
    filters=own_unless_admin,
    standing=standing,
    filterable=COLUMNS,
)
