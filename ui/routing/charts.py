"""The charts of routed requests, as data and Vega-Lite specifications with fixed field names.

Names that programs gave are in the data only: in a specification, Vega-Lite could take one for an expression.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from db.routing.models import RoutingDay
from ui.base.charts import AXIS_DAY, FULL_DAY, LEGEND, sized, span_of
from ui.base.text import shortened
from ui.routing.sums import Sums, grouped

MOST_SERIES = 8
OTHERS = "all others"
ONE_DAY = "All requests are of one day. Charts begin with the second one."
_LONGEST_NAME = 32
# Distinguishable on a light and on a dark page.
_COLORS = (
    "#c2622d", "#4a8a9a", "#5b8c4a", "#b0892f", "#8a6aa5", "#c45b6a", "#6f9a86", "#8f7a66", "#999999",
)  # fmt: skip

Point = dict[str, object]
Spec = dict[str, object]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its title, its data and its specification. Without data, `missing` says why."""

    title: str
    data: Sequence[Point]
    spec: Spec
    missing: str = ""


def charts(days: Sequence[RoutingDay], first: date, last: date) -> list[Chart]:
    """Return the charts of cost, tokens, latency, and errors and fallbacks."""
    by_day = grouped(days, lambda row: row.day)
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    found = [
        _chart("Cost by model", _cost(days, every), len(by_day), _spec("bar", "Cost (dollars)", "$,.2~f")),
        _chart("Tokens", _tokens(by_day, every), len(by_day), _spec("bar", "Tokens", "~s")),
        _measured("Latency", _latency(by_day), _spec("line", "Latency (milliseconds)", ",.0f")),
        _measured("Errors and fallbacks", _rates(by_day), _spec("line", "Share of requests (%)", ".0f")),
    ]
    most = max(span_of(chart.data, "name") for chart in found)
    return [
        replace(chart, spec=sized(chart.spec, span_of(chart.data, "name"), most)) if chart.data else chart
        for chart in found
    ]


def _measured(title: str, data: Sequence[Point], spec: Spec) -> Chart:
    return _chart(title, data, span_of(data, "day"), spec)


def _chart(title: str, data: Sequence[Point], days: int, spec: Spec) -> Chart:
    """Return a chart of so many days with requests. One day is a row of the table, and no chart."""
    if days > 1:
        return Chart(title, data, spec)
    return Chart(title, [], spec, ONE_DAY if days else "No request of these days was measured.")


def _cost(days: Sequence[RoutingDay], every: Iterable[date]) -> list[Point]:
    names = _series(days)
    costs = grouped(days, lambda row: (row.day, names.get((row.provider, row.model), OTHERS)))
    points = [_point(day, name, float(sums.cost)) for (day, name), sums in sorted(costs.items())]
    if not points:
        return []
    # Days without a request need a point too, or the axis would leave them out.
    with_requests = {day for day, _ in costs}
    return points + [_point(day, points[0]["name"], 0.0) for day in every if day not in with_requests]


def _series(days: Iterable[RoutingDay]) -> dict[tuple[str, str], str]:
    """Return names for the models that cost most; two models of one name have their providers added."""
    models = grouped(days, lambda row: (row.provider, row.model))
    largest = sorted(models, key=lambda name: (-models[name].cost, name))[:MOST_SERIES]
    shared = Counter(model for _, model in largest)
    return {
        (provider, model): shortened(model if shared[model] == 1 else f"{model} ({provider})", _LONGEST_NAME)
        for provider, model in largest
    }


def _tokens(by_day: dict[date, Sums], every: Iterable[date]) -> list[Point]:
    days = [(day, by_day.get(day, Sums())) for day in every]
    return [
        point
        for day, sums in days
        for point in (_point(day, "input", sums.input_tokens), _point(day, "output", sums.output_tokens))
    ]


def _latency(by_day: dict[date, Sums]) -> list[Point]:
    return [
        _point(day, name, round(latency))
        for day, sums in sorted(by_day.items())
        for name, percent in (("p50", 50), ("p95", 95))
        if (latency := sums.latency(percent)) is not None
    ]


def _rates(by_day: dict[date, Sums]) -> list[Point]:
    return [
        point
        for day, sums in sorted(by_day.items())
        for point in (
            _point(day, "errors", round(sums.error_rate, 2)),
            _point(day, "fallbacks", round(sums.fallback_rate, 2)),
        )
    ]


def _point(day: date, name: object, value: float) -> Point:
    return {"day": day.isoformat(), "name": name, "value": value}


def _spec(mark: str, title: str, form: str) -> Spec:
    # Vega takes a date without a time for UTC, so it has to be shown in UTC too.
    day = {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate"}
    line = {"type": "line", "point": {"filled": True, "size": 40}}
    return {
        "mark": line if mark == "line" else {"type": "bar"},
        "encoding": {
            "x": {
                **day,
                "title": "Day (UTC)",
                "axis": {"format": AXIS_DAY, "labelOverlap": True, "grid": False},
            },
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": title,
                "axis": {"format": form, "tickCount": 5},
            },
            "color": {
                "field": "name",
                "type": "nominal",
                "title": None,
                "scale": {"range": list(_COLORS)},
                "legend": dict(LEGEND),
            },
            "tooltip": [
                {**day, "title": "Day (UTC)", "format": FULL_DAY},
                {"field": "name", "type": "nominal", "title": "What"},
                {"field": "value", "type": "quantitative", "title": title},
            ],
        },
    }
