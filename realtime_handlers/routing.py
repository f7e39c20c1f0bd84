"""Routed requests, daily sums, budgets and prices. Admins see the requests and sums of everybody."""

from __future__ import annotations

from typing import Final

from db.routing.models import ModelPrice, RoutingBudget, RoutingDay, RoutingMetric
from livetables.tables.column_types import Columns, ColumnType
from livetables.tables.spec import TableSpec, Visibility
from realtime_handlers.permissions import own_rows, own_rows_unless_admin, permission_version

METRIC_COLUMNS: Final[Columns] = {
    "provider": ColumnType.TEXT,
    "model": ColumnType.TEXT,
    "route": ColumnType.TEXT,
    "request_id": ColumnType.TEXT,
    "timestamp": ColumnType.TIME,
    "auto_route": ColumnType.BOOLEAN,
    "input_tokens": ColumnType.INTEGER,
    "output_tokens": ColumnType.INTEGER,
    "cost": ColumnType.NUMBER,
    "latency_ms": ColumnType.INTEGER,
    "success": ColumnType.BOOLEAN,
    "error_kind": ColumnType.TEXT,
    "fallback": ColumnType.BOOLEAN,
    "fallback_from": ColumnType.TEXT,
    "prompt_length": ColumnType.INTEGER,
    "user_id": ColumnType.UUID,
}
"""The columns by which routed requests can be filtered."""

ROUTING_METRICS: Final = TableSpec(
    name="routing_metrics",
    key=("id",),
    parse=RoutingMetric.from_record,
    visibility=Visibility.USER,
    order="timestamp",
    window=100,
    filters=own_rows_unless_admin,
    permission_version=permission_version,
    filterable=METRIC_COLUMNS,
)

# A thousand rows are the sums of several months for most people; pages load older ones.
ROUTING_DAILY: Final = TableSpec(
    name="routing_daily",
    key=("id",),
    parse=RoutingDay.from_record,
    visibility=Visibility.USER,
    order="day",
    window=1000,
    filters=own_rows_unless_admin,
    permission_version=permission_version,
)

ROUTING_BUDGETS: Final = TableSpec(
    name="routing_budgets",
    key=("id",),
    parse=RoutingBudget.from_record,
    visibility=Visibility.USER,
    filters=own_rows,
)

MODEL_PRICES: Final = TableSpec(
    name="model_prices",
    key=("id",),
    parse=ModelPrice.from_record,
    visibility=Visibility.USER,
)
