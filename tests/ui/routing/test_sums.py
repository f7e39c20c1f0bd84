"""Sums of routed requests: exact sums, percentiles, the forecast, other models' prices."""

import math
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.routing.models import BUCKET
from tests.ui.routing.routing_samples import TODAY, day, price
from ui.routing.sums import (
    Sums,
    alternatives,
    between,
    dollars,
    grouped,
    milliseconds,
    outlook,
    summed,
)


def bucket(latency: int) -> int:
    return math.floor(math.log(max(latency, 1)) / math.log(BUCKET) + 1e-9)


@given(st.lists(st.integers(1, 600_000), min_size=1, max_size=200), st.sampled_from((50, 90, 95, 99)))
def test_a_percentile_is_within_a_tenth(latencies: list[int], percent: int) -> None:
    sums = Sums(latencies=Counter(bucket(latency) for latency in latencies))
    exact = sorted(latencies)[math.ceil(percent / 100 * len(latencies)) - 1]
    found = sums.latency(percent)
    assert found is not None
    assert exact / BUCKET <= found <= exact * BUCKET


def test_a_missing_latency_is_not_zero() -> None:
    assert Sums().latency(50) is None
    assert [milliseconds(value) for value in (None, 640.2, 2400)] == ["–", "640 ms", "2.4 s"]


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9), st.decimals(0, 9, places=6)), max_size=30)
)
def test_groups_add_up_to_the_whole(rows: list[tuple[str, int, Decimal]]) -> None:
    days = [day(provider=name, requests=count, cost=cost, latencies={3: count}) for name, count, cost in rows]
    whole = summed(days)
    parts = grouped(days, lambda row: row.provider).values()
    assert sum(part.requests for part in parts) == whole.requests == sum(count for _, count, _ in rows)
    assert sum((part.cost for part in parts), Decimal(0)) == whole.cost
    assert sum(part.latencies[3] for part in parts) == whole.latencies.get(3, 0)


def test_the_forecast_continues_the_mean_of_the_last_complete_days() -> None:
    days = [day(TODAY - timedelta(days=ago), cost=Decimal(cost)) for ago, cost in ((10, 100), (3, 7), (1, 7))]
    days += [day(TODAY, cost=Decimal("0.5")), day(date(2026, 10, 31), cost=Decimal(9))]
    seen = outlook(days, TODAY)
    assert (seen.today.cost, seen.month.cost, seen.last_month) == (
        Decimal("0.5"),
        Decimal("114.5"),
        Decimal(9),
    )
    # 14 dollars in seven days are 2 a day: 1.50 for the rest of today, and ten more days.
    assert seen.forecast == Decimal("114.5") + Decimal("1.5") + 20


def test_the_forecast_of_a_first_day_is_that_day_again() -> None:
    assert outlook([day(TODAY, cost=Decimal(3))], TODAY).forecast == 3 + 10 * 3
    assert outlook([], TODAY).forecast == 0
    last = date(2026, 11, 30)
    assert outlook([day(last, cost=Decimal(3))], last).forecast == 3


def test_the_days_between_are_both_ends_and_all_in_between() -> None:
    days = [day(TODAY - timedelta(days=ago)) for ago in range(5)]
    assert [row.day.day for row in between(days, TODAY - timedelta(days=3), TODAY)] == [20, 19, 18, 17]


def test_the_same_traffic_at_other_prices() -> None:
    traffic = Sums(requests=3, input_tokens=2_000_000, output_tokens=500_000, cost=Decimal(4))
    cheap, dear = alternatives(traffic, [price("large", "3", "15"), price("small", "0.15", "0.6")])
    assert (cheap.price.model, cheap.cost, cheap.difference) == ("small", Decimal("0.6"), Decimal("-3.4"))
    assert (dear.cost, dear.percent) == (Decimal("13.5"), 237.5)
    (free,) = alternatives(Sums(), [price("small", "1", "1")])
    assert free.cost == 0
    assert free.percent is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.04", "$0.040"), ("0.84", "$0.84"), ("0.0021", "$0.0021"),
        ("0.00000012", "$0.00000012"), ("-3.4", "-$3.40"),
    ],
)  # fmt: skip
def test_amounts_are_written_with_enough_digits(amount: str, text: str) -> None:
    assert dollars(Decimal(amount)) == text
