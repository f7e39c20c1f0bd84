"""Which alerts are announced."""

from datetime import timedelta
from decimal import Decimal

from db.routing.models import Period
from tests.ui.routing.routing_samples import ME, TODAY, budget, day
from ui.routing.alerts import Alert, budget_statuses
from ui.routing.notices import Seen, new_alerts


def test_an_alert_is_announced_when_it_gets_worse_and_again_in_a_new_period() -> None:
    (soft,) = budget_statuses([budget(Period.DAY, "1", "2")], [day(cost=Decimal(1))], ME, TODAY)
    (hard,) = budget_statuses([budget(Period.DAY, "1", "2")], [day(cost=Decimal(2))], ME, TODAY)
    seen: Seen = {}
    assert new_alerts(seen, [soft], TODAY) == [soft]
    seen = {soft.budget.id: (Alert.SOFT, TODAY)}
    assert new_alerts(seen, [soft], TODAY) == []
    assert new_alerts(seen, [hard], TODAY) == [hard]
    assert new_alerts({soft.budget.id: (Alert.HARD, TODAY)}, [soft], TODAY) == []
    assert new_alerts({soft.budget.id: (Alert.HARD, TODAY - timedelta(days=1))}, [soft], TODAY) == [soft]
