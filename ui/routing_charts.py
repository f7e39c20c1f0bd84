"""The charts of routed requests, as data and Vega-Lite specifications with fixed field names.

Names that programs gave stand in the data only, never in a specification, so none of them is read as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from db.routing_models import RoutingDay
from ui.routing_sums import Sums, grouped
from ui.text import shortened

MOST_SERIES = 8
OTHERS = "all others"
_LONGEST_NAME = 32
# To be told apart on a light and on a dark page.
_COLORS = (
    "#c2622d", "#4a8a9a", "#5b8c4a", "#b0892f", "#8a6aa5", "#c45b6a", "#6f9a86", "#8f7a66", "#999999",
)  # fmt: skip

Point = dict[str, object]
Spec = dict[str, object]


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: its title, its data, and how they are drawn."""

    title: str
    data: Sequence[Point]
    spec: Spec


def charts(days: Sequence[RoutingDay], first: date, last: date) -> list[Chart]:
    """Return what the days look like: cost, tokens, latency, and what went wrong."""
    by_day = grouped(days, lambda row: row.day)
    every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return [
        Chart("Cost by model", _cost(days, every), _spec("bar", "Dollars", "$,.2~f")),
        Chart("Tokens", _tokens(by_day, every), _spec("bar", "Tokens", "~s")),
        Chart("Latency", _latency(by_day), _spec("line", "Milliseconds", ",.0f")),
        Chart("Errors and fallbacks", _rates(by_day), _spec("line", "Percent of requests", ".0f")),
    ]


def _cost(days: Sequence[RoutingDay], every: Iterable[date]) -> list[Point]:
    names = _series(days)
    costs = grouped(days, lambda row: (row.day, names.get((row.provider, row.model), OTHERS)))
    points = [_point(day, name, float(sums.cost)) for (day, name), sums in sorted(costs.items())]
    # Days on which nothing was routed are days too.
    return points + [_point(day, points[0]["name"], 0.0) for day in every if points and not _has(costs, day)]


def _has(costs: Iterable[tuple[date, str]], day: date) -> bool:
    return any(each == day for each, _ in costs)


def _series(days: Iterable[RoutingDay]) -> dict[tuple[str, str], str]:
    """Name the models that cost most; with their provider where two of them have one name."""
    models = grouped(days, lambda row: (row.provider, row.model))
    largest = sorted(models, key=lambda name: (-models[name].cost, name))[:MOST_SERIES]
    shared = Counter(model for _, model in largest)
    return {
        (provider, model): shortened(model if shared[model] == 1 else f"{model} ({provider})", _LONGEST_NAME)
        for provider, model in largest
    }


def _tokens(by_day: dict[date, Sums], every: Iterable[date]) -> list[Point]:
    none = Sums()
    days = [(day, by_day.get(day, none)) for day in every]
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
    # A date without a time is one in UTC to Vega, and has to be shown as such.
    day = {"field": "day", "type": "temporal", "timeUnit": "utcyearmonthdate"}
    line = {"type": "line", "point": {"filled": True, "size": 40}}
    return {
        "mark": line if mark == "line" else {"type": "bar"},
        "encoding": {
            "x": {**day, "title": None, "axis": {"format": "%-d %b", "labelOverlap": True, "grid": False}},
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
                "legend": {"orient": "bottom", "columns": 2, "labelLimit": 130},
            },
            "tooltip": [
                {**day, "title": "Day (UTC)", "format": "%-d %B %Y"},
                {"field": "name", "type": "nominal", "title": "What"},
                {"field": "value", "type": "quantitative", "title": title},
            ],
        },
        "height": 240,
    }
