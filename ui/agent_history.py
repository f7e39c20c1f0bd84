"""What finished runs add up to: success by agent and day, and files to take away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from db.agent_models import AgentRun, RunStatus
from ui.agent_runs import seconds
from ui.export import csv_text, json_text
from ui.text import as_html

K = TypeVar("K")
V = TypeVar("V")

_MOST_DAYS = 14
_MOST_WEEKS = 26

COLUMNS = (
    "id", "task_id", "user_id", "agent_name", "agent_id", "status", "current_step", "progress_percent",
    "tokens", "cost_usd", "verification_attempts", "retry_of", "started_at", "completed_at", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Success:
    """How the finished runs of an agent went. `rate` is in percent; cancelled runs do not count."""

    agent: str
    runs: int
    completed: int
    average: float
    """Seconds that a completed run took."""

    @property
    def rate(self) -> float:
        """Completed runs in a hundred."""
        return 100 * self.completed / self.runs


class Unit(StrEnum):
    """What a point of the chart sums up."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """Return the first day of the one that has this day; weeks begin on Monday."""
        match self:
            case Unit.DAY:
                return day
            case Unit.WEEK:
                return day - timedelta(days=day.weekday())
            case Unit.MONTH:
                return day.replace(day=1)


@dataclass(frozen=True, slots=True)
class Course:
    """How it went over time: for each first day of a `unit` and each agent, oldest first."""

    unit: Unit
    points: Sequence[tuple[date, Success]]


def counted(runs: Iterable[AgentRun]) -> list[AgentRun]:
    """Keep the runs that came to an end by themselves."""
    return [run for run in runs if run.status.finished and run.status is not RunStatus.CANCELLED]


def by_agent(runs: Iterable[AgentRun]) -> list[Success]:
    """Sum up each agent, the busiest first."""
    groups = _grouped(counted(runs), lambda run: run.agent_name)
    return sorted((_success(agent, some) for agent, some in groups.items()), key=lambda one: -one.runs)


def over_time(runs: Iterable[AgentRun], zone: ZoneInfo) -> Course:
    """Sum up each agent's days, or its weeks or months when the days are many."""
    ended = [(_day(run, zone), run) for run in counted(runs)]
    days = [day for day, _ in ended]
    unit = _unit((max(days) - min(days)).days) if days else Unit.DAY
    groups = _grouped(ended, lambda one: (unit.begin(one[0]), one[1].agent_name))
    points = [(day, _success(agent, [run for _, run in some])) for (day, agent), some in groups.items()]
    return Course(unit, sorted(points, key=lambda one: (one[0], one[1].agent)))


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


def chart(course: Course) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Return the data and the Vega-Lite specification of the success rate by agent over time."""
    data: list[dict[str, object]] = [
        {"from": begin.isoformat(), "agent": one.agent, "rate": round(one.rate, 1), "runs": one.runs}
        for begin, one in course.points
    ]
    title = f"First day of the {course.unit}" if course.unit is not Unit.DAY else "Day"
    # A date without a time is one in UTC to Vega, and has to be shown as such.
    day = {"field": "from", "type": "temporal", "timeUnit": "utcyearmonthdate"}
    spec: dict[str, object] = {
        "mark": {"type": "line", "point": {"filled": True, "size": 60}, "clip": False},
        "encoding": {
            "x": {**day, "title": None, "axis": {"format": "%-d %b", "labelOverlap": True}},
            "y": {
                "field": "rate",
                "type": "quantitative",
                "title": f"Completed, % of the {course.unit}’s runs",
                "scale": {"domain": [0, 100]},
            },
            "color": {"field": "agent", "type": "nominal", "title": None, "legend": {"orient": "bottom"}},
            "tooltip": [
                {"field": "agent", "title": "Agent"},
                {**day, "title": title, "format": "%-d %b %Y"},
                {"field": "rate", "title": "Completed (%)"},
                {"field": "runs", "title": "Runs"},
            ],
        },
    }
    return data, spec


def table_html(totals: Iterable[Success]) -> str:
    """Show the totals of each agent."""
    rows = "".join(
        f"<tr><td><bdi>{as_html(one.agent)}</bdi></td><td>{one.runs:,}</td><td>{one.completed:,}</td>"
        f"<td>{one.rate:.0f} %</td><td>{seconds(one.average) if one.completed else '–'}</td></tr>"
        for one in totals
    )
    head = "<tr><th>Agent</th><th>Runs</th><th>Completed</th><th>Success</th><th>Took on average</th></tr>"
    return f'<table class="tv-totals"><thead>{head}</thead><tbody>{rows}</tbody></table>'


def as_csv(runs: Iterable[AgentRun]) -> str:
    """Return runs as CSV with a header."""
    return csv_text(COLUMNS, ([getattr(run, column) for column in COLUMNS] for run in runs))


def as_json(runs: Iterable[AgentRun]) -> str:
    """Return runs as a JSON list, with all that is known of them."""
    columns = (*COLUMNS, "metadata", "result", "verification_evidence")
    return json_text({column: getattr(run, column) for column in columns} for run in runs)
