"""The routing tables as the running session sees them."""

from __future__ import annotations

from db.routing_models import ModelPrice, RoutingBudget, RoutingDay, RoutingMetric
from live.snapshot import Snapshot
from ui import session

METRICS, DAILY, BUDGETS, PRICES = "routing_metrics", "routing_daily", "routing_budgets", "model_prices"


def metrics() -> Snapshot[RoutingMetric]:
    """Return the newest decisions, of those that the session has chosen; for admins everybody's."""
    return session.table(METRICS)


def daily() -> Snapshot[RoutingDay]:
    """Return the loaded sums of days; for admins everybody's."""
    return session.table(DAILY)


def newest_daily() -> Snapshot[RoutingDay]:
    """Return the sums as the engine has them by now, past the moment that the running fragment shows."""
    return session.newest(DAILY)


def budgets() -> Snapshot[RoutingBudget]:
    """Return the signed-in person's budgets."""
    return session.table(BUDGETS)


def prices() -> Snapshot[ModelPrice]:
    """Return what models cost."""
    return session.table(PRICES)
