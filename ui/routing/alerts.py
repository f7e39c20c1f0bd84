"""How much of each budget is spent, and whether that crosses a limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum

from db.routing.models import Period, RoutingBudget, RoutingDay
from ui.routing.sums import (
    between,
    dollars,
    first_of_month,
    summed,
)


class Alert(IntEnum):
    """The limit of a budget that is reached; more is worse."""

    NONE = 0
    SOFT = 1
    HARD = 2


@dataclass(frozen=True, slots=True)
class BudgetStatus:
    """A budget, and how many dollars of it are spent in its current period."""

    budget: RoutingBudget
    spent: Decimal

    @property
    def alert(self) -> Alert:
        """The limit that is reached."""
        if self.spent >= self.budget.hard_limit:
            return Alert.HARD
        return Alert.SOFT if self.spent >= self.budget.soft_limit else Alert.NONE

    @property
    def percent(self) -> int:
        """The part of the hard limit that is spent."""
        return int(100 * self.spent / self.budget.hard_limit)

    @property
    def message(self) -> str:
        """The alert as a sentence."""
        limit = self.budget.hard_limit if self.alert is Alert.HARD else self.budget.soft_limit
        kind = "hard" if self.alert is Alert.HARD else "soft"
        return f"{scope(self.budget)}: {dollars(self.spent)} spent, the {kind} limit is {dollars(limit)}."


def scope(budget: RoutingBudget) -> str:
    """Return the period and the provider of a budget, in words."""
    period = "Today" if budget.period is Period.DAY else "This month"
    return f"{period}, {budget.provider or 'all providers'}"


def budget_statuses(
    budgets: Iterable[RoutingBudget], days: Sequence[RoutingDay], user_id: str, today: date
) -> list[BudgetStatus]:
    """Return the status of this person's budgets, the worst first. Other people's days do not count."""
    found = [BudgetStatus(budget, _spent(budget, days, user_id, today)) for budget in budgets]
    return sorted(found, key=lambda one: (-one.alert, -one.percent, scope(one.budget)))


def _spent(budget: RoutingBudget, days: Iterable[RoutingDay], user_id: str, today: date) -> Decimal:
    begin = today if budget.period is Period.DAY else first_of_month(today)
    return summed(
        row
        for row in between(days, begin, today)
        if row.user_id == user_id and budget.provider in (None, row.provider)
    ).cost
