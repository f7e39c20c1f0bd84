"""Budgets for routed requests: each person's own."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from db import rows
from db.models import Record
from db.routing_models import Period
from db.rows import Caller

TABLE = "routing_budgets"


@dataclass(frozen=True, slots=True)
class BudgetDraft:
    """What a person says of a budget, in dollars. `provider` is None for all of them together."""

    period: Period
    provider: str | None
    soft_limit: Decimal
    hard_limit: Decimal


def add(me: Caller, budget_id: str, draft: BudgetDraft) -> Record:
    """Make a budget. Raises `Duplicate` when there is one for this period and provider already."""
    return rows.insert(me, TABLE, {"id": budget_id}, {"user_id": me.user_id, **_values(draft)})


def change(me: Caller, budget_id: str, draft: BudgetDraft, version: int) -> Record:
    """Change the budget that this person saw."""
    return rows.update(me, TABLE, {"id": budget_id}, _values(draft), version)


def remove(me: Caller, budget_id: str) -> None:
    """Remove a budget."""
    rows.delete(me, TABLE, {"id": budget_id})


def _values(draft: BudgetDraft) -> rows.Values:
    return {
        "period": draft.period.value,
        "provider": draft.provider,
        "soft_limit": format(draft.soft_limit, "f"),
        "hard_limit": format(draft.hard_limit, "f"),
    }
