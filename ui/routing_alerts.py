"""How full budgets are: what was spent of each, and whether a limit is crossed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum

from db.routing_models import Period, RoutingBudget, RoutingDay
from ui.routing_sums import between, dollars, first_of_month, summed


class Alert(IntEnum):
    """What to say of a budget; more is worse."""

    NONE = 0
    SOFT = 1
    HARD = 2


@dataclass(frozen=True, slots=True)
class Filling:
    """A budget, and what was spent of it in its present period, in dollars."""

    budget: RoutingBudget
    spent: Decimal

    @property
    def alert(self) -> Alert:
        """Which limit is reached."""
        if self.spent >= self.budget.hard_limit:
            return Alert.HARD
        return Alert.SOFT if self.spent >= self.budget.soft_limit else Alert.NONE

    @property
    def percent(self) -> int:
        """How much of the hard limit is spent."""
        return int(100 * self.spent / self.budget.hard_limit)

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        limit = self.budget.hard_limit if self.alert is Alert.HARD else self.budget.soft_limit
        kind = "hard" if self.alert is Alert.HARD else "soft"
        return f"{scope(self.budget)}: {dollars(self.spent)} spent, the {kind} limit is {dollars(limit)}."


def scope(budget: RoutingBudget) -> str:
    """Name what a budget is for."""
    period = "Today" if budget.period is Period.DAY else "This month"
    return f"{period}, {budget.provider or 'all providers'}"


def fillings(
    budgets: Iterable[RoutingBudget], days: Sequence[RoutingDay], user_id: str, today: date
) -> list[Filling]:
    """Return how full this person's budgets are, the worst first. Days of other people do not count."""
    found = [Filling(budget, _spent(budget, days, user_id, today)) for budget in budgets]
    return sorted(found, key=lambda one: (-one.alert, -one.percent, scope(one.budget)))


def _spent(budget: RoutingBudget, days: Iterable[RoutingDay], user_id: str, today: date) -> Decimal:
    begin = today if budget.period is Period.DAY else first_of_month(today)
    return summed(
        row
        for row in between(days, begin, today)
        if row.user_id == user_id and budget.provider in (None, row.provider)
    ).cost
