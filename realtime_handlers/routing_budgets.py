"""What people want to spend on models at most: seen by themselves only."""

from __future__ import annotations

from db.routing_models import RoutingBudget
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec


def handle_routing_budgets_change(
    rows: Rows[RoutingBudget], change: Change[RoutingBudget]
) -> Rows[RoutingBudget]:
    """Add, replace or remove a budget."""
    return rows.apply(change)


SPEC = TableSpec(
    name="routing_budgets",
    key=("id",),
    parse=RoutingBudget.from_record,
    version=lambda budget: budget.version,
    handler=handle_routing_budgets_change,
    audience=Audience.USER,
    filters=lambda user_id, _public: (f"user_id=eq.{user_id}",),
)
