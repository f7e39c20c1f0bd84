"""Groups of days, and their order."""

from datetime import timedelta
from decimal import Decimal

from tests.ui.routing.routing_samples import TODAY, day
from tests.ui.samples import user
from ui.routing.grouping import GroupBy, totals


def test_two_people_of_one_name_are_two_groups() -> None:
    days = [day(user_id="id-a", cost=Decimal(1)), day(user_id="id-b", cost=Decimal(2))]
    found = totals(days, GroupBy.PERSON, TODAY, TODAY, lambda _: user("Ada"))
    assert found is not None
    assert [(name, sums.cost) for name, sums in found.groups] == [
        ("Ada", Decimal(2)),
        ("Ada", Decimal(1)),
        ("All together", Decimal(3)),
    ]
    by_day = totals([day(TODAY - timedelta(days=1)), day()], GroupBy.DAY, TODAY, TODAY, lambda _: None)
    assert by_day is not None
    assert [name for name, _ in by_day.groups] == ["2026-11-20", "2026-11-19", "All together"]
    assert totals([], GroupBy.MODEL, TODAY, TODAY, lambda _: None) is None
