"""The success of agents over their finished runs, and runs as files."""

import csv
import io
import json
from datetime import UTC

from db.agents.models import RunStatus
from tests.ui.agents.agent_samples import run
from tests.ui.samples import BERLIN, HOSTILE, NOW
from ui.agents import history
from ui.base import times
from ui.base.charts import LEGEND
from ui.base.region import Region


def test_success_by_agent_and_day_leaves_out_the_cancelled() -> None:
    runs = [
        run(RunStatus.COMPLETED),
        run(RunStatus.FAILED, minutes=1),
        run(RunStatus.CANCELLED, minutes=2),
        run(minutes=3),
        run(RunStatus.COMPLETED, minutes=24 * 60, agent_name="writer"),
    ]
    tester, writer = history.by_agent(runs)
    assert (tester.agent, tester.runs, tester.completed, tester.rate, tester.average) == (
        "tester",
        2,
        1,
        50,
        120,
    )
    assert (writer.agent, writer.rate) == ("writer", 100)
    success = history.over_time(runs, BERLIN.in_zone(times.zone_named("UTC")))
    assert [(day.day, one.agent, one.rate) for day, one in success.points] == [
        (20, "tester", 50),
        (21, "writer", 100),
    ]
    assert [history.over_time([], BERLIN).points, success.unit] == [[], history.Unit.DAY]


def test_the_success_table_has_names_as_text() -> None:
    html = history.success_html(history.by_agent([run(RunStatus.COMPLETED, agent_name=HOSTILE)]))
    assert "<img" not in html
    assert "<td>100 %</td><td>2 min 0 s</td>" in html


def test_a_long_history_is_summed_up_by_week_and_by_month() -> None:
    day = 24 * 60
    some = [run(RunStatus.COMPLETED, minutes=day * at) for at in range(30)]
    weeks = history.over_time(some, BERLIN)
    assert weeks.unit is history.Unit.WEEK
    assert {begin.weekday() for begin, _ in weeks.points} == {0}
    american = history.over_time(some, Region(BERLIN.zone, "US"))
    assert {begin.weekday() for begin, _ in american.points} == {6}
    assert sum(one.runs for _, one in weeks.points) == 30
    months = history.over_time([run(RunStatus.COMPLETED, minutes=day * at) for at in (0, 300)], BERLIN)
    assert [begin.day for begin, _ in months.points] == [1, 1]
    data, _ = history.chart(months)
    assert [(point["rate"], point["runs"]) for point in data] == [(100, 1), (100, 1)]


def test_a_chart_has_several_days_and_says_what_its_axes_measure() -> None:
    zone = BERLIN.in_zone(times.zone_named("UTC"))
    one_day = [run(RunStatus.COMPLETED, minutes=at, agent_name=f"a{at}") for at in range(3)]
    assert history.over_time(one_day, zone).spans == 1
    success = history.over_time([*one_day, run(RunStatus.FAILED, minutes=24 * 60)], zone)
    assert success.spans == 2
    _, spec = history.chart(success)
    axes: dict[str, dict[str, object]] = spec["encoding"]  # type: ignore[assignment]  # a specification
    assert axes["x"]["title"] == "Day"
    assert axes["y"]["title"] == "Completed, % of the day’s runs"
    assert axes["color"]["legend"] == dict(LEGEND)
    # Its legend takes nothing from its plot.
    assert int(str(spec["height"])) > int(str(history.chart(success_of(success, 2))[1]["height"]))


def success_of(success: history.SuccessOverTime, most: int) -> history.SuccessOverTime:
    """Return the first points."""
    return history.SuccessOverTime(success.unit, success.points[:most])


def test_the_export_is_complete_and_harmless_in_a_spreadsheet() -> None:
    runs = [run(RunStatus.FAILED, agent_name='=HYPERLINK("x")', error='a "b",\nc', metadata={"m": 1})]
    (row,) = csv.DictReader(io.StringIO(history.as_csv(runs)))
    for formula in ("+1", "-1", "@SUM(A1)", "\tx", "\rx"):
        (other,) = csv.DictReader(io.StringIO(history.as_csv([run(task_id=formula)]), newline=""))
        assert other["task_id"] == f"'{formula}"
    assert row["agent_name"] == '\'=HYPERLINK("x")'
    assert row["error"] == 'a "b",\nc'
    (entry,) = json.loads(history.as_json(runs))
    assert (entry["agent_name"], entry["metadata"]) == ('=HYPERLINK("x")', {"m": 1})
    assert entry["started_at"] == str(NOW.astimezone(UTC))
