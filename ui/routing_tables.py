"""The routing tables as the running session sees them."""

from __future__ import annotations

from typing import TypeVar, cast

import streamlit as st

from db.routing_models import ModelPrice, RoutingBudget, RoutingDay, RoutingMetric
from live.snapshot import EMPTY, Snapshot
from ui import session

R = TypeVar("R")

METRICS, DAILY, BUDGETS, PRICES = "routing_metrics", "routing_daily", "routing_budgets", "model_prices"


def _table(name: str) -> Snapshot[R]:
    return cast("Snapshot[R]", st.session_state.get(name, EMPTY))


def metrics() -> Snapshot[RoutingMetric]:
    """Return the newest decisions, of those that the session has chosen; for admins everybody's."""
    return _table(METRICS)


def daily() -> Snapshot[RoutingDay]:
    """Return the loaded sums of days; for admins everybody's."""
    return _table(DAILY)


def newest_daily() -> Snapshot[RoutingDay]:
    """Return the sums as the engine has them by now, past the moment that the running fragment shows."""
    tables = session.engine().tables(session.my_id())
    return cast("Snapshot[RoutingDay]", tables.get(DAILY, EMPTY))


def budgets() -> Snapshot[RoutingBudget]:
    """Return the signed-in person's budgets."""
    return _table(BUDGETS)


def prices() -> Snapshot[ModelPrice]:
    """Return what models cost."""
    return _table(PRICES)
