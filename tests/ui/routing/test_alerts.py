"""How much of a budget is spent."""

from datetime import date
from decimal import Decimal

from db.routing.models import Period
from tests.ui.routing.routing_samples import ME, TODAY, budget, day
from ui.routing.alerts import Alert, budget_statuses


def test_a_budget_counts_the_own_requests_of_its_period_and_provider() -> None:
    month, today = budget(Period.MONTH, "5", "10"), budget(Period.DAY, "1", "2", "acme")
    days = [
        day(TODAY, cost=Decimal("0.9")),
        day(TODAY, cost=Decimal("3"), provider="other"),
        day(TODAY.replace(day=1), cost=Decimal(2)),
        day(date(2026, 10, 31), cost=Decimal(50)),
        day(TODAY, cost=Decimal(50), user_id="id-somebody"),
    ]
    worst, other = budget_statuses([today, month], days, ME, TODAY)
    assert (worst.budget, worst.spent, worst.alert, worst.percent) == (month, Decimal("5.9"), Alert.SOFT, 59)
    assert (other.spent, other.alert) == (Decimal("0.9"), Alert.NONE)
    (full,) = budget_statuses([today], [*days, day(TODAY, model="b", cost=Decimal("1.1"))], ME, TODAY)
    assert (full.alert, full.message) == (Alert.HARD, "Today, acme: $2.00 spent, the hard limit is $2.00.")
