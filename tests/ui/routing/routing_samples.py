"""Routed decisions, days, budgets and prices for the tests of what is shown."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from db.routing.models import (
    ModelPrice,
    Period,
    RoutingBudget,
    RoutingDay,
    RoutingMetric,
)

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
TODAY = NOW.date()
ME = "id-me"


def metric(minutes: float = 0, **values: object) -> RoutingMetric:
    """Return a decision of so many minutes after NOW."""
    moment = NOW + timedelta(minutes=minutes)
    given = {
        "id": f"metric{minutes}", "user_id": ME, "request_id": f"r{minutes}", "timestamp": moment,
        "provider": "acme", "model": "small", "route": "chat", "auto_route": True, "prompt_fingerprint": None,
        "prompt_length": 10, "prompt": None, "input_tokens": 1200, "output_tokens": 30,
        "cost": Decimal("0.0021"), "latency_ms": 640, "success": True, "error_kind": None,
        "fallback": False, "fallback_from": None, "dropped": 0, "metadata": {},
        "version": 1, "created_at": moment, "updated_at": moment,
    }  # fmt: skip
    return RoutingMetric(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def day(when: date = TODAY, **values: object) -> RoutingDay:
    """Return the sums of a day."""
    given = {
        "id": f"day-{when}-{values.get('provider', 'acme')}-{values.get('model', 'small')}", "user_id": ME,
        "day": when, "provider": "acme", "model": "small", "route": "chat", "requests": 1, "errors": 0,
        "fallbacks": 0, "auto_routed": 0, "dropped": 0, "input_tokens": 0, "output_tokens": 0,
        "cost": Decimal(1), "latencies": {}, "version": 1, "created_at": NOW, "updated_at": NOW,
    }  # fmt: skip
    return RoutingDay(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def budget(period: Period, soft: str, hard: str, provider: str | None = None) -> RoutingBudget:
    """Return a budget."""
    limits = Decimal(soft), Decimal(hard)
    return RoutingBudget(f"budget-{period}-{provider}", ME, period, provider, *limits, 1, NOW, NOW)


def price(model: str, given: str, made: str, provider: str = "acme") -> ModelPrice:
    """Return what a model costs for a million tokens."""
    return ModelPrice(f"price-{model}", provider, model, Decimal(given), Decimal(made), 1, NOW, NOW)
