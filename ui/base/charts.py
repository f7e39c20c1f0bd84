"""What the charts share: how high they are, where their legends stand, how their days are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, cast

from ui.base.region import Region

_PLOT: Final = 240
"""Pixels of a chart without its legend."""
_BOTTOM: Final = 8
AXIS_DAY: Final = "%-d %b"
FULL_DAY: Final = "%-d %b %Y"
"""How a specification writes days on an axis and in a tooltip. `dated` puts them in the viewer's order."""
_LEGEND_COLUMNS: Final = 2
_LEGEND_ROW: Final = 17
_BARS_AROUND: Final = 60
_BAR: Final = 36

BARS_PADDING: Final[Mapping[str, int]] = {"left": 0, "right": 16, "top": 4, "bottom": 8}
"""Leaves room for the last number of the axis, which is centered at the end of the plot."""

LEGEND: Final[Mapping[str, object]] = {
    "orient": "bottom", "columns": _LEGEND_COLUMNS, "labelLimit": 130, "labelFontSize": 12, "offset": 4,
    "padding": 0, "rowPadding": 3,
}  # fmt: skip
"""A legend right below the chart, for the `legend` of a Vega-Lite encoding."""


def span_of(data: Iterable[Mapping[str, object]], field: str) -> int:
    """Return how many different values a field has."""
    return len({point[field] for point in data})


def sized(spec: Mapping[str, object], series: int, most_series: int | None = None) -> dict[str, object]:
    """Return a Vega-Lite specification with a height at which its plot is as high as that of other charts.

    Charts beside each other are as high as the one with the longest legend: `most_series` is its number of
    series.
    """
    rows, most = _legend_rows(series), _legend_rows(max(series, most_series or 0))
    # The height is that of everything; under a short legend there is space, so that the plots are equal.
    padding = {"left": 0, "right": 4, "top": 8, "bottom": _BOTTOM + (most - rows) * _LEGEND_ROW}
    return {**spec, "height": _PLOT + most * _LEGEND_ROW, "padding": padding}


def _legend_rows(series: int) -> int:
    return -(-series // _LEGEND_COLUMNS)


def bars_height(bars: int) -> int:
    """Return the height of a chart with so many horizontal bars, in pixels."""
    return _BARS_AROUND + _BAR * bars


def dated(spec: Mapping[str, object], region: Region) -> dict[str, object]:
    """Return a Vega-Lite specification whose days are written as in the region."""
    formats = {AXIS_DAY: region.axis_format, FULL_DAY: region.tooltip_format}

    def changed(part: object) -> object:
        if isinstance(part, Mapping):
            return {
                name: formats.get(value, value) if name == "format" else changed(value)
                for name, value in part.items()
            }
        return [changed(each) for each in part] if isinstance(part, list) else part

    return cast("dict[str, object]", changed(spec))
