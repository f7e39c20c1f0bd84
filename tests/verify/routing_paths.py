"""The writes of routing decisions, budgets and prices."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from db.errors import NotAllowedError
from db.routing import budgets as routing_budgets
from db.routing import prices as routing_prices
from db.routing.models import Period
from publish import RoutingDecision, SyncMetricsCollector
from tests.verify.cast import Cast
from tests.verify.paths import Result, new_id, path, version_of


@path()
def decisions_are_routed_and_old_ones_pruned(cast: Cast) -> list[Result]:
    settings = cast.bo.clients.settings
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with SyncMetricsCollector(
        settings.url, settings.key, cast.bo.access_token, user_id=cast.bo.user_id
    ) as collector:
        for number in (1, 2, 2):
            decision = RoutingDecision("acme", "small", cost="0.1234567", latency_ms=120, at=yesterday)
            collector.track_decision(prompt="Hi", decision=decision, request_id=f"r-{number}")
        failed = RoutingDecision("<b>acme", "small", error_kind="timeout", fallback_from="large")
        collector.track_decision(prompt=None, decision=failed, auto_route=True)
        collector.flush()
        later = RoutingDecision("acme", "small", cost=2, latency_ms=90_000, at=yesterday)
        collector.track_decision(prompt=None, decision=later)
    cast.by_sql("delete from public.routing_metrics where user_id = %s and cost = 2", cast.bo.user_id)
    return []


@path(routing_budgets.add, routing_budgets.change, routing_budgets.remove)
def budgets_are_set_changed_and_removed(cast: Cast) -> list[Result]:
    kept, gone = new_id(), new_id()
    draft = routing_budgets.BudgetDraft(Period.MONTH, kept, Decimal("10.5"), Decimal(20))
    added = routing_budgets.add(cast.bo, kept, draft)
    changed = routing_budgets.change(cast.bo, kept, replace(draft, hard_limit=Decimal(30)), version_of(added))
    routing_budgets.add(cast.bo, gone, replace(draft, provider="acme", period=Period.DAY))
    routing_budgets.remove(cast.bo, gone)
    routing_budgets.remove(cast.bo, gone)
    return [(routing_budgets.TABLE, added, cast.bo), (routing_budgets.TABLE, changed, cast.bo)]


@path(routing_prices.add, routing_prices.change, routing_prices.remove)
def prices_are_set_changed_and_removed(cast: Cast) -> list[Result]:
    draft = routing_prices.PriceDraft("acme", new_id(), Decimal("0.15"), Decimal("0.6"))
    kept, gone = new_id(), new_id()
    added = routing_prices.add(cast.ada, kept, draft)
    changed = routing_prices.change(
        cast.ada, kept, replace(draft, output_price=Decimal(1)), version_of(added)
    )
    routing_prices.add(cast.ada, gone, replace(draft, provider="other"))
    routing_prices.remove(cast.ada, gone)
    with contextlib.suppress(NotAllowedError):
        routing_prices.add(cast.bo, new_id(), replace(draft, provider="mine"))
    return [(routing_prices.TABLE, added, cast.ada), (routing_prices.TABLE, changed, cast.ada)]
