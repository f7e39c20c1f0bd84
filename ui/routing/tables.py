"""The tables of routing, as this session sees them: with the signed-in person's own pending writes."""

from __future__ import annotations

from typing import Final

from db.routing.models import (
    ModelPrice,
    RoutingBudget,
    RoutingDay,
    RoutingMetric,
)
from livetables.tables.snapshot import Snapshot
from ui.base import session

METRICS: Final = "routing_metrics"
DAILY: Final = "routing_daily"
BUDGETS: Final = "routing_budgets"
PRICES: Final = "model_prices"


def metrics() -> Snapshot[RoutingMetric]:
    """Return the newest decisions that pass the session's filters; admins get everybody's."""
    return session.table(METRICS)


def daily() -> Snapshot[RoutingDay]:
    """Return the loaded sums of days; admins get everybody's."""
    return session.table(DAILY)


def newest_daily() -> Snapshot[RoutingDay]:
    """Return the sums as the engine has them now, which may be newer than what the page shows."""
    return session.newest(DAILY)


def budgets() -> Snapshot[RoutingBudget]:
    """Return the signed-in person's budgets."""
    return session.table(BUDGETS)


def prices() -> Snapshot[ModelPrice]:
    """Return the prices of models."""
    return session.table(PRICES)
