"""Filters: refused when they cannot apply, described in words, applied to sums where possible."""

import pytest

from livetables.errors import FilterError
from livetables.tables.filters import parse
from realtime_handlers.routing import METRIC_COLUMNS
from tests.ui.routing.routing_samples import day
from ui.routing.filters import describe, keep_days, summable


def test_sums_are_filtered_where_they_can_be() -> None:
    filters = parse("provider=in.(acme,other),cost=gt.0.01,route=neq.code", METRIC_COLUMNS)
    applied = summable(filters)
    assert [one.column for one in applied] == ["provider", "route"]
    days = [day(), day(provider="third"), day(route="code"), day(provider="other")]
    assert keep_days(days, applied) == [days[0], days[3]]
    assert keep_days(days, ()) == days


@pytest.mark.parametrize(
    ("text", "description"),
    [
        ("cost=gt.0.01", "Cost ($) > 0.01"),
        ("provider=in.(a,b)", "Provider in a, b"),
        ("error_kind=not.is.null", "Error not is null"),
        ("latency_ms=lte.100", "Latency (ms) ≤ 100"),
    ],
)
def test_a_filter_is_described_in_words(text: str, description: str) -> None:
    (one,) = parse(text, METRIC_COLUMNS)
    assert describe(one) == description


@pytest.mark.parametrize(
    "text", ["prompt=eq.x", "cost=gt.much", "success=is.7", "timestamp=gt.soon", "metadata=is.null"]
)
def test_an_impossible_filter_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text, METRIC_COLUMNS)
