"""What the charts share."""

from __future__ import annotations

from ui.base import times
from ui.base.charts import AXIS_DAY, FULL_DAY, LEGEND, bars_height, dated, sized, span_of
from ui.base.region import Region


def test_charts_beside_each_other_are_equally_high_and_their_plots_too() -> None:
    long, short = sized({"mark": "bar"}, 9), sized({"mark": "line"}, 2, 9)
    assert long["height"] == short["height"]
    assert long["mark"] == "bar"
    # What the longer legend needs more is the space under the shorter one: four rows of two names.
    spaces = [one["padding"]["bottom"] for one in (long, short)]  # type: ignore[index]  # given above
    alone = sized({}, 2)
    assert spaces[1] - spaces[0] == int(str(short["height"])) - int(str(alone["height"])) > 0
    assert alone["padding"] == long["padding"]


def test_a_legend_is_right_below_its_chart() -> None:
    assert LEGEND["orient"] == "bottom"
    assert int(str(LEGEND["offset"])) < 10


def test_bars_are_equally_thick_whatever_their_number() -> None:
    assert bars_height(4) - bars_height(3) == bars_height(3) - bars_height(2) > 0


def test_the_span_of_points_is_that_of_their_values() -> None:
    assert span_of([{"day": "1"}, {"day": "1"}, {"day": "2"}], "day") == 2
    assert span_of([], "day") == 0


def test_days_are_written_in_the_order_of_the_viewers_territory() -> None:
    spec = {"x": {"axis": {"format": AXIS_DAY}}, "tooltip": [{"format": FULL_DAY}, {"format": ".0f"}]}
    zone = times.zone_named("UTC")
    assert dated(spec, Region.of(zone, "de")) == spec
    assert dated(spec, Region.of(zone, "en-US")) == {
        "x": {"axis": {"format": "%b %-d"}},
        "tooltip": [{"format": "%b %-d, %Y"}, {"format": ".0f"}],
    }
