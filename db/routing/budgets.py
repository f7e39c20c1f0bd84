"""Writing a person's budgets for routed requests."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from db import rows
from db.caller import Caller
from db.columns import Record
from db.routing.models import Period

TABLE = "routing_budgets"


@dataclass(frozen=True, slots=True)
class BudgetDraft:
    """What a person enters for a budget, in dollars. `provider` None means all of them together."""

    period: Period
    provider: str | None
    soft_limit: Decimal
    hard_limit: Decimal


def add(me: Caller, budget_id: str, draft: BudgetDraft) -> Record:
    """Create a budget, or return the one with the same limits for this period and provider.

    Raises `DuplicateError` when this period and provider have one with other limits.
    """
    natural = {"user_id": me.user_id, "period": draft.period.value, "provider": draft.provider}
    values = {"user_id": me.user_id, **_values(draft)}
    return rows.insert(me, TABLE, {"id": budget_id}, values, natural=natural)


def change(me: Caller, budget_id: str, draft: BudgetDraft, version: int) -> Record:
    """Change a budget that this person saw at `version`."""
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
