"""Runs of agents as HTML, and what they add up to."""

import csv
import io
import json
from datetime import UTC, timedelta
from decimal import Decimal

from db.agent_models import STUCK_AFTER, AgentRun, AgentRunEvent, EventKind, Level, RunStatus
from tests.ui.samples import HOSTILE, NOW, snapshot, user
from ui import agent_history, times
from ui.agent_runs import (
    Filters,
    Viewer,
    board_html,
    log_html,
    log_lines,
    newest_first,
    run_html,
    seconds,
    timeline_html,
)
from ui.people import finder
from ui.text import as_html

ANN, BO = user("Ann"), user("Bo")
ZONE = times.zone_named("Europe/Berlin")


def viewer(me: str = ANN.id, *, admin: bool = False) -> Viewer:
    """Return somebody who looks, a while after NOW."""
    return Viewer(me, admin, ZONE, NOW + timedelta(seconds=90), finder(snapshot([ANN, BO])))


def run(status: RunStatus = RunStatus.IN_PROGRESS, *, minutes: float = 0, **values: object) -> AgentRun:
    """Return a run of Ann's that began so many minutes after NOW, and took two minutes if it is over."""
    began = NOW + timedelta(minutes=minutes)
    given: dict[str, object] = {
        "id": f"run-{minutes}",
        "task_id": None,
        "user_id": ANN.id,
        "agent_name": "tester",
        "agent_id": "t-1",
        "status": status,
        "status_at": began,
        "current_step": None,
        "progress_percent": 40.0,
        "result": None,
        "error": None,
        "metadata": {},
        "verification_attempts": 0,
        "verification_evidence": (),
        "tokens": 0,
        "cost_usd": Decimal(0),
        "retry_of": None,
        "started_at": began,
        "heartbeat_at": began,
        "completed_at": began + timedelta(minutes=2) if status.finished else None,
        "version": 1,
        "created_at": began,
        "updated_at": began,
    }
    return AgentRun(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def event(kind: EventKind, message: str, *, after: float = 0, **values: object) -> AgentRunEvent:
    """Return an event so many seconds after NOW."""
    at = NOW + timedelta(seconds=after)
    given: dict[str, object] = {
        "id": f"event-{after}-{message}",
        "run_id": "run-0",
        "user_id": ANN.id,
        "seq": 1,
        "kind": kind,
        "level": Level.INFO,
        "message": message,
        "data": None,
        "at": at,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }
    return AgentRunEvent(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def test_text_is_never_markup() -> None:
    hostile = run(
        RunStatus.FAILED,
        agent_name=HOSTILE,
        task_id=HOSTILE,
        current_step=HOSTILE,
        error=HOSTILE,
        result={HOSTILE: HOSTILE},
        metadata={HOSTILE: [HOSTILE]},
        verification_evidence=({"x": HOSTILE}, HOSTILE),
    )
    events = [event(EventKind.STEP, HOSTILE), event(EventKind.LOG, HOSTILE)]
    lines = log_lines(events, "")
    blocks = (
        board_html([hostile], viewer()),
        run_html(hostile, viewer()),
        timeline_html(hostile, events, viewer()),
        log_html(lines, ZONE),
        agent_history.table_html(agent_history.by_agent([hostile])),
    )
    for html in blocks:
        assert "<img src=x" not in html
    assert as_html(HOSTILE) in blocks[0]


def test_buttons_are_for_those_who_may() -> None:
    running, over = run(), run(RunStatus.COMPLETED)
    assert 'data-action="cancel"' in board_html([running], viewer())
    assert 'data-action="cancel"' in board_html([running], viewer(BO.id, admin=True))
    assert 'data-action="cancel"' not in board_html([running], viewer(BO.id))
    assert 'data-action="cancel"' not in board_html([over], viewer())
    assert 'data-action="retry"' in board_html([over], viewer())
    assert 'data-action="retry"' not in board_html([over], viewer(BO.id, admin=True))


def test_a_row_says_who_when_how_far_and_what_it_has_used() -> None:
    html = board_html([run(tokens=12_000, cost_usd=Decimal("0.0315"), current_step="Reading")], viewer())
    for words in ("Ann", "since 19:30", "40 %", "12,000 tokens · $0.0315", "Reading", 'aria-valuenow="40"'):
        assert words in html
    assert "took 2 min 0 s" in board_html([run(RunStatus.COMPLETED)], viewer())


def test_the_timeline_has_durations_and_names_who_interfered() -> None:
    events = [
        event(EventKind.STATUS, "in_progress"),
        event(EventKind.STEP, "Reading", after=1),
        event(EventKind.LOG, "not here", after=2),
        event(EventKind.STEP, "Writing", after=5.2),
        event(EventKind.STATUS, "cancelled", after=65, data={"from": "in_progress", "by": BO.id}),
    ]
    html = timeline_html(run(RunStatus.CANCELLED), events, viewer())
    for words in ("<small>1.0 s</small>", "<small>4.2 s</small>", "<small>59.8 s</small>", "by Bo"):
        assert words in html
    assert "not here" not in html
    assert "<small>1 min 30 s</small>" in timeline_html(run(), events[:1], viewer())


def test_a_run_that_nobody_has_said_anything_of_yet() -> None:
    assert "<li" not in timeline_html(run(RunStatus.PENDING), [], viewer())
    assert "No lines." in log_html([], ZONE)


def test_what_an_agent_gives_is_shown_by_name() -> None:
    html = run_html(
        run(metadata={"branch": "main"}, verification_evidence=({"changed": ["a", 1]}, ["x"])), viewer()
    )
    for words in ("<dt>branch</dt><dd>main</dd>", "<dt>agent</dt><dd>t-1</dd>", "19:30 (Europe/Berlin)"):
        assert words in html
    assert "<dd>[&quot;a&quot;, 1]</dd>" in html
    assert 'data-action="before"' not in html
    assert 'data-action="before"' in run_html(run(retry_of="run-9"), viewer())


def test_the_log_is_searched_and_cut() -> None:
    events = [event(EventKind.LOG, "one\ntwo three"), event(EventKind.LOG, "Three again", after=10)]
    assert [line.text for line in log_lines(events, "")] == ["one", "two three", "Three again"]
    assert [line.text for line in log_lines(events, "three")] == ["two three", "Three again"]
    many = log_lines([event(EventKind.LOG, "\n".join(f"line {n}" for n in range(2000)))], "")
    html = log_html(many, ZONE)
    assert "line 1999" in html
    assert "line 1499<" not in html


def test_filters_and_order() -> None:
    runs = [run(minutes=1), run(RunStatus.COMPLETED, minutes=2, agent_name="writer"), run(minutes=3)]
    ordered = newest_first(snapshot(runs))
    assert [one.id for one in ordered] == ["run-3", "run-2", "run-1"]

    def kept(filters: Filters) -> list[str]:
        return [one.id for one in ordered if filters.keep(one)]

    assert kept(Filters(active=True)) == ["run-3", "run-1"]
    assert kept(Filters(agent="writer")) == ["run-2"]
    assert kept(Filters(status=RunStatus.COMPLETED)) == ["run-2"]
    assert kept(Filters(person=BO.id)) == []
    assert kept(Filters(words="WRI t-1")) == ["run-2"]


def test_a_run_without_a_sign_of_life_is_stuck() -> None:
    assert "no sign of life" in board_html([run()], viewer())
    assert "no sign of life" not in board_html([run(heartbeat_at=NOW + timedelta(seconds=80))], viewer())
    late = NOW + STUCK_AFTER + timedelta(seconds=1)
    assert run().stuck(late)
    assert not run().stuck(NOW + STUCK_AFTER)
    assert not run(RunStatus.FAILED).stuck(late)


def test_lengths_of_time_in_words() -> None:
    assert [seconds(length) for length in (0.35, 4.21, 185, 7800)] == [
        "350 ms",
        "4.2 s",
        "3 min 5 s",
        "2 h 10 min",
    ]


def test_success_by_agent_and_day_leaves_out_the_cancelled() -> None:
    runs = [
        run(RunStatus.COMPLETED),
        run(RunStatus.FAILED, minutes=1),
        run(RunStatus.CANCELLED, minutes=2),
        run(minutes=3),
        run(RunStatus.COMPLETED, minutes=24 * 60, agent_name="writer"),
    ]
    tester, writer = agent_history.by_agent(runs)
    assert (tester.agent, tester.runs, tester.completed, tester.rate, tester.average) == (
        "tester",
        2,
        1,
        50,
        120,
    )
    assert (writer.agent, writer.rate) == ("writer", 100)
    course = agent_history.over_time(runs, times.zone_named("UTC"))
    assert [(day.day, one.agent, one.rate) for day, one in course.points] == [
        (20, "tester", 50),
        (21, "writer", 100),
    ]
    assert [agent_history.over_time([], ZONE).points, course.unit] == [[], agent_history.Unit.DAY]


def test_a_long_history_is_summed_up_by_week_and_by_month() -> None:
    day = 24 * 60
    weeks = agent_history.over_time([run(RunStatus.COMPLETED, minutes=day * at) for at in range(30)], ZONE)
    assert weeks.unit is agent_history.Unit.WEEK
    assert {begin.weekday() for begin, _ in weeks.points} == {0}
    assert sum(one.runs for _, one in weeks.points) == 30
    months = agent_history.over_time([run(RunStatus.COMPLETED, minutes=day * at) for at in (0, 300)], ZONE)
    assert [begin.day for begin, _ in months.points] == [1, 1]
    data, _ = agent_history.chart(months)
    assert [(point["rate"], point["runs"]) for point in data] == [(100, 1), (100, 1)]


def test_the_export_is_complete_and_harmless_in_a_spreadsheet() -> None:
    runs = [run(RunStatus.FAILED, agent_name='=HYPERLINK("x")', error='a "b",\nc', metadata={"m": 1})]
    (row,) = csv.DictReader(io.StringIO(agent_history.as_csv(runs)))
    for formula in ("+1", "-1", "@SUM(A1)", "\tx", "\rx"):
        (other,) = csv.DictReader(io.StringIO(agent_history.as_csv([run(task_id=formula)]), newline=""))
        assert other["task_id"] == f"'{formula}"
    assert row["agent_name"] == '\'=HYPERLINK("x")'
    assert row["error"] == 'a "b",\nc'
    (entry,) = json.loads(agent_history.as_json(runs))
    assert (entry["agent_name"], entry["metadata"]) == ('=HYPERLINK("x")', {"m": 1})
    assert entry["started_at"] == str(NOW.astimezone(UTC))
