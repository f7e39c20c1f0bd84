"""The success of agents over their finished runs, and runs as files."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from db.agents.models import AgentRun, RunStatus
from ui.agents.run_html import duration
from ui.base.charts import AXIS_DAY, FULL_DAY, LEGEND, sized, span_of
from ui.base.export import csv_text, json_text
from ui.base.html import Markup, Template
from ui.base.html_table import row_html, table_html
from ui.base.region import Region

K = TypeVar("K")
V = TypeVar("V")

_MOST_DAYS: Final = 14
_MOST_WEEKS: Final = 26

_AGENT: Final = Template("<bdi>{name}</bdi>")

COLUMNS: Final = (
    "id", "task_id", "user_id", "agent_name", "agent_id", "status", "current_step", "progress_percent",
    "tokens", "cost_usd", "verification_attempts", "retry_of", "started_at", "completed_at", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Success:
    """How the finished runs of an agent went; cancelled runs do not count."""

    agent: str
    runs: int
    completed: int
    average: float
    """Mean duration of the completed runs, in seconds."""

    @property
    def rate(self) -> float:
        """The completed runs, in percent."""
        return 100 * self.completed / self.runs


class Unit(StrEnum):
    """The span of time that a point of the chart covers."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def first_day(self, day: date, region: Region) -> date:
        """Return the first day of the span that contains a day; weeks begin as they do in the region."""
        match self:
            case Unit.DAY:
                return day
            case Unit.WEEK:
                return region.first_day_of_week(day)
            case Unit.MONTH:
                return day.replace(day=1)


@dataclass(frozen=True, slots=True)
class SuccessOverTime:
    """The success for each first day of a `unit` and each agent, oldest first."""

    unit: Unit
    points: Sequence[tuple[date, Success]]

    @property
    def spans(self) -> int:
        """How many days, weeks or months have a finished run. One of them is no chart."""
        return len({begin for begin, _ in self.points})


def counted(runs: Iterable[AgentRun]) -> list[AgentRun]:
    """Return the finished runs that nobody cancelled."""
    return [run for run in runs if run.status.finished and run.status is not RunStatus.CANCELLED]


def by_agent(runs: Iterable[AgentRun]) -> list[Success]:
    """Return the success of each agent, most runs first."""
    groups = _grouped(counted(runs), lambda run: run.agent_name)
    return sorted((_success(agent, some) for agent, some in groups.items()), key=lambda one: -one.runs)


def over_time(runs: Iterable[AgentRun], region: Region) -> SuccessOverTime:
    """Return the success of each agent by day, or by week or month when there are many days."""
    ended = [(_day(run, region.zone), run) for run in counted(runs)]
    days = [day for day, _ in ended]
    unit = _unit((max(days) - min(days)).days) if days else Unit.DAY
    groups = _grouped(ended, lambda one: (unit.first_day(one[0], region), one[1].agent_name))
    points = [(day, _success(agent, [run for _, run in some])) for (day, agent), some in groups.items()]
    return SuccessOverTime(unit, sorted(points, key=lambda one: (one[0], one[1].agent)))


def _unit(days: int) -> Unit:
    if days <= _MOST_DAYS:
        return Unit.DAY
    return Unit.WEEK if days <= _MOST_WEEKS * 7 else Unit.MONTH


def _day(run: AgentRun, zone: ZoneInfo) -> date:
    return (run.completed_at or run.started_at).astimezone(zone).date()


def _grouped(values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups


def _success(agent: str, runs: Sequence[AgentRun]) -> Success:
    lengths = [
        (run.completed_at - run.started_at).total_seconds()
        for run in runs
        if run.status is RunStatus.COMPLETED and run.completed_at is not None
    ]
    return Success(agent, len(runs), len(lengths), sum(lengths) / len(lengths) if lengths else 0.0)


def chart(success: SuccessOverTime) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Return the data and the Vega-Lite specification of the success rate by agent over time."""
    data: list[dict[str, object]] = [
        {"from": begin.isoformat(), "agent": one.agent, "rate": round(one.rate, 1), "runs": one.runs}
        for begin, one in success.points
    ]
    title = f"First day of the {success.unit}" if success.unit is not Unit.DAY else "Day"
    # Vega takes a date without a time for UTC, so it has to be shown in UTC too.
    day = {"field": "from", "type": "temporal", "timeUnit": "utcyearmonthdate"}
    spec: dict[str, object] = {
        "mark": {"type": "line", "point": {"filled": True, "size": 60}, "clip": False},
        "encoding": {
            "x": {**day, "title": title, "axis": {"format": AXIS_DAY, "labelOverlap": True}},
            "y": {
                "field": "rate",
                "type": "quantitative",
                "title": f"Completed, % of the {success.unit}’s runs",
                "scale": {"domain": [0, 100]},
            },
            "color": {"field": "agent", "type": "nominal", "title": None, "legend": dict(LEGEND)},
            "tooltip": [
                {"field": "agent", "title": "Agent"},
                {**day, "title": title, "format": FULL_DAY},
                {"field": "rate", "title": "Completed (%)"},
                {"field": "runs", "title": "Runs"},
            ],
        },
    }
    return data, sized(spec, span_of(data, "agent"))


def success_html(agents: Iterable[Success]) -> Markup:
    """Show the success of each agent as a table."""
    rows = (
        row_html(
            _AGENT(name=one.agent),
            f"{one.runs:,}",
            f"{one.completed:,}",
            f"{one.rate:.0f} %",
            duration(one.average) if one.completed else "–",
        )
        for one in agents
    )
    return table_html("Success rate", ("Agent", "Runs", "Completed", "Success", "Mean duration"), rows)


def as_csv(runs: Iterable[AgentRun]) -> str:
    """Return runs as CSV with a header."""
    return csv_text(COLUMNS, ([getattr(run, column) for column in COLUMNS] for run in runs))


def as_json(runs: Iterable[AgentRun]) -> str:
    """Return runs as a JSON list, with their metadata, results and evidence."""
    columns = (*COLUMNS, "metadata", "result", "verification_evidence")
    return json_text({column: getattr(run, column) for column in columns} for run in runs)
