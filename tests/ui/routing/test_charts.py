"""Charts: a point for each day, few series, and names in the data only."""

import json
from datetime import timedelta
from decimal import Decimal

from tests.ui.routing.routing_samples import TODAY, day
from tests.ui.samples import HOSTILE
from ui.routing.charts import MOST_SERIES, ONE_DAY, OTHERS, charts

YESTERDAY = TODAY - timedelta(days=1)


def test_charts_have_a_point_for_each_day_and_few_series() -> None:
    days = [day(TODAY - timedelta(days=ago), model=f"m{ago}", cost=Decimal(ago)) for ago in range(12)]
    cost, tokens, latency, rates = charts(days, TODAY - timedelta(days=29), TODAY)
    assert len({point["day"] for point in cost.data}) == 30
    assert len({point["name"] for point in cost.data}) == MOST_SERIES + 1
    assert OTHERS in {point["name"] for point in cost.data}
    assert len(tokens.data) == 60
    assert latency.data == []
    assert len(rates.data) == 24
    assert charts([], TODAY, TODAY)[0].data == []


def test_one_day_is_no_chart() -> None:
    # Neither with the other days of the range, which are filled up with zeros.
    one = charts([day(latencies={40: 1})], TODAY - timedelta(days=29), TODAY)
    assert [(chart.data, chart.missing) for chart in one] == [([], ONE_DAY)] * 4
    two = charts([day(YESTERDAY, latencies={40: 1}), day(latencies={40: 1})], YESTERDAY, TODAY)
    assert all(chart.data for chart in two)
    # A day without a measured latency is none of its chart.
    cost, _, latency, _ = charts([day(YESTERDAY), day(latencies={40: 1})], YESTERDAY, TODAY)
    assert (bool(cost.data), latency.data, latency.missing) == (True, [], ONE_DAY)


def test_charts_are_equally_high_and_say_what_their_axes_measure() -> None:
    days = [day(TODAY - timedelta(days=ago), model=f"m{ago}", latencies={40: 1}) for ago in range(12)]
    drawn = charts(days, TODAY - timedelta(days=29), TODAY)
    assert len({chart.spec["height"] for chart in drawn}) == 1
    axes = [chart.spec["encoding"] for chart in drawn]
    assert {axis["x"]["title"] for axis in axes} == {"Day (UTC)"}  # type: ignore[index]  # a specification
    assert [axis["y"]["title"] for axis in axes] == [  # type: ignore[index]  # a specification
        "Cost (dollars)",
        "Tokens",
        "Latency (milliseconds)",
        "Share of requests (%)",
    ]


def test_names_are_in_the_data_and_not_in_the_specifications() -> None:
    days = [day(when, provider=HOSTILE, model=HOSTILE, route=HOSTILE) for when in (YESTERDAY, TODAY)]
    drawn = charts(days, YESTERDAY, TODAY)
    assert "img" in json.dumps(drawn[0].data)
    assert not any("img" in json.dumps(chart.spec) for chart in drawn)
