"""The routing board as HTML, charts and files: hostile names stay text everywhere."""

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from db.routing_models import Period, RoutingMetric
from live.changes import Change, Op
from live.errors import FilterError
from live.filters import parse
from live.rows import Rows
from realtime_handlers.routing_metrics import COLUMNS, WINDOW, handle_routing_metrics_change
from tests.ui.routing_samples import ME, NOW, TODAY, budget, day, metric, price
from tests.ui.samples import HOSTILE, snapshot, user
from ui import routing_board, routing_charts, routing_export
from ui.routing_alerts import fillings
from ui.routing_board import Reader
from ui.routing_filters import keep_days, listed, summable, words
from ui.routing_forms import budget_problem
from ui.routing_sums import Sums, outlook, what_if
from ui.routing_totals import By, totals

UTC_ZONE = ZoneInfo("UTC")


def list_html(*metrics: RoutingMetric, admin: bool = False) -> str:
    find = (lambda _: user("Ada")) if admin else None
    return routing_board.list_html(metrics, Reader(ZoneInfo("Europe/Berlin"), TODAY, find))


def test_the_newest_hundred_newest_first() -> None:
    rows = snapshot(metric(number) for number in range(130))
    newest = routing_board.newest_first(rows)
    assert len(newest) == 100
    assert newest[0].request_id == "r129"
    assert newest[-1].request_id == "r30"


def test_a_decision_in_a_line() -> None:
    html = list_html(metric(latency_ms=None, fallback=True, fallback_from="large", dropped=1234))
    for text in ("19:30:00", "acme", "small", "auto", "1,200 → 30", "$0.0021", "–", "instead of large"):
        assert text in html
    assert "1,234 before it not recorded" in html
    assert "Ada" not in html
    assert "Ada" in list_html(metric(), admin=True)
    assert "timeout" in list_html(metric(success=False, error_kind="timeout"))


def test_names_are_text_in_every_block() -> None:
    names: dict[str, Any] = {"provider": HOSTILE, "model": HOSTILE, "route": HOSTILE}
    blocks = [
        list_html(metric(**names, error_kind=HOSTILE, success=False, fallback=True, fallback_from=HOSTILE,
                         request_id=HOSTILE)),
        routing_board.sums_html("Model", [(HOSTILE, Sums(requests=1))]),
        routing_board.what_if_html(what_if(Sums(), [price(HOSTILE, "1", "2", HOSTILE)])),
        routing_board.prices_html([price(HOSTILE, "1", "2", HOSTILE)]),
        routing_board.budget_html(fillings([budget(Period.DAY, "1", "2", HOSTILE)], [], ME, TODAY)[0]),
        routing_board.figures_html(outlook([day(**names)], TODAY)),
    ]  # fmt: skip
    for block in blocks:
        assert "<img" not in block
        assert "'&" not in block
    for drawn in routing_charts.charts([day(**names)], TODAY, TODAY):
        assert "img" not in json.dumps(drawn.spec)


def read(*metrics: RoutingMetric) -> list[dict[str, str]]:
    """Read the exported file as other programs do."""
    return list(csv.DictReader(io.StringIO(routing_export.as_csv(metrics), newline="")))


def test_a_spreadsheet_takes_no_name_for_a_formula() -> None:
    for name in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"):
        (row,) = read(metric(provider=name, model=name))
        assert row["provider"] == row["model"] == f"'{name}"
    (row,) = read(metric(provider='a,"b"\nc'))
    assert (row["provider"], row["cost"], row["error_kind"]) == ('a,"b"\nc', "0.0021", "")


def test_json_has_all_that_is_known() -> None:
    (row,) = json.loads(routing_export.as_json([metric(metadata={"x": [1]}, provider=HOSTILE)]))
    assert (row["metadata"], row["provider"], row["cost"]) == ({"x": [1]}, HOSTILE, "0.0021")


def test_charts_have_a_point_for_each_day_and_few_series() -> None:
    days = [day(TODAY - timedelta(days=ago), model=f"m{ago}", cost=Decimal(ago)) for ago in range(12)]
    cost, tokens, latency, rates = routing_charts.charts(days, TODAY - timedelta(days=29), TODAY)
    assert len({point["day"] for point in cost.data}) == 30
    assert len({point["name"] for point in cost.data}) == routing_charts.MOST_SERIES + 1
    assert len(tokens.data) == 60
    assert latency.data == []
    assert len(rates.data) == 24
    assert routing_charts.charts([], TODAY, TODAY)[0].data == []


def test_two_people_of_one_name_are_two_lines() -> None:
    days = [day(user_id="id-a", cost=Decimal(1)), day(user_id="id-b", cost=Decimal(2))]
    found = totals(days, By.PERSON, TODAY, TODAY, lambda _: user("Ada"))
    assert found is not None
    assert [(name, sums.cost) for name, sums in found.groups] == [
        ("Ada", Decimal(2)),
        ("Ada", Decimal(1)),
        ("All together", Decimal(3)),
    ]
    by_day = totals([day(TODAY - timedelta(days=1)), day()], By.DAY, TODAY, TODAY, lambda _: None)
    assert by_day is not None
    assert [name for name, _ in by_day.groups] == ["2026-11-20", "2026-11-19", "All together"]
    assert totals([], By.MODEL, TODAY, TODAY, lambda _: None) is None


def test_values_of_a_list_are_typed_with_commas() -> None:
    assert listed('a, b ,"c, d",,') == ["a", "b", "c, d"]


def test_sums_follow_the_filters_they_can() -> None:
    filters = parse("provider=in.(acme,other),cost=gt.0.01,route=neq.code", COLUMNS)
    followed = summable(filters)
    assert [one.column for one in followed] == ["provider", "route"]
    days = [day(), day(provider="third"), day(route="code"), day(provider="other")]
    assert keep_days(days, followed) == [days[0], days[3]]
    assert keep_days(days, ()) == days


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost=gt.0.01", "Cost ($) > 0.01"),
        ("provider=in.(a,b)", "Provider in a, b"),
        ("error_kind=not.is.null", "Error not is null"),
        ("latency_ms=lte.100", "Latency (ms) ≤ 100"),
    ],
)
def test_filters_in_words(text: str, said: str) -> None:
    (one,) = parse(text, COLUMNS)
    assert words(one) == said


@pytest.mark.parametrize(
    "text", ["prompt=eq.x", "cost=gt.much", "success=is.7", "timestamp=gt.soon", "metadata=is.null"]
)
def test_what_cannot_be_filtered_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text, COLUMNS)


@pytest.mark.parametrize(("soft", "hard"), [(None, 1), (1, None), (0, 1), (2, 1)])
def test_a_budget_needs_two_limits_in_order(soft: float | None, hard: float | None) -> None:
    assert budget_problem(soft, hard) is not None
    assert budget_problem(1, 1) is None


def test_a_busy_router_does_not_fill_the_memory() -> None:
    rows: Rows[RoutingMetric] = Rows()
    for number in range(2_000):
        one = metric(number)
        rows = handle_routing_metrics_change(
            rows, Change("routing_metrics", Op.INSERT, (one.id,), one, 1, None, number + 1)
        )
    assert WINDOW <= len(rows) <= 3 * WINDOW
    newest = sorted((row.timestamp for row in rows.values()), reverse=True)[:WINDOW]
    assert newest == [NOW + timedelta(minutes=number) for number in range(1_999, 1_899, -1)]
