"""Runs of agents as HTML: what agents say stays text, and each viewer gets the buttons they may press."""

from datetime import timedelta
from decimal import Decimal

from db.agents.models import STUCK_AFTER, EventKind, RunStatus
from tests.ui.agents.agent_samples import ANN, BO, event, run, viewer
from tests.ui.samples import BERLIN, HOSTILE, NOW, TODAY
from ui.agents.run_html import (
    duration,
    log_html,
    log_lines,
    run_html,
    runs_html,
    timeline_html,
)
from ui.base.html import join


def test_text_of_agents_is_never_markup() -> None:
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
    blocks = (
        runs_html([hostile], viewer()),
        run_html(hostile, viewer()),
        timeline_html(hostile, events, viewer()),
        log_html(log_lines(events, ""), BERLIN, TODAY),
    )
    for html in blocks:
        assert "<img src=x" not in html
        assert join([HOSTILE]) in html


def test_buttons_are_for_those_who_may_press_them() -> None:
    running, over = run(), run(RunStatus.COMPLETED)
    assert 'data-action="cancel"' in runs_html([running], viewer())
    assert 'data-action="cancel"' in runs_html([running], viewer(BO.id, admin=True))
    assert 'data-action="cancel"' not in runs_html([running], viewer(BO.id))
    assert 'data-action="cancel"' not in runs_html([over], viewer())
    assert 'data-action="retry"' in runs_html([over], viewer())
    assert 'data-action="retry"' not in runs_html([over], viewer(BO.id, admin=True))


def test_a_row_has_person_time_progress_and_usage() -> None:
    html = runs_html([run(tokens=12_000, cost_usd=Decimal("0.0315"), current_step="Reading")], viewer())
    for text in ("Ann", "since 19:30", "40 %", "12,000 tokens · $0.0315", "Reading", 'aria-valuenow="40"'):
        assert text in html
    assert "took 2 min 0 s" in runs_html([run(RunStatus.COMPLETED)], viewer())


def test_simulated_figures_are_marked_in_the_list_and_on_the_page_of_the_run() -> None:
    simulated = run(metadata={"simulated": True}, tokens=12)
    measured = [run(tokens=12), run(metadata={"simulated": False}), run(metadata={"simulated": "yes"})]
    assert ">Simulated</span>" in runs_html([simulated], viewer())
    assert ">Simulated</span>" in run_html(simulated, viewer())
    assert "Simulated" not in runs_html(measured, viewer())
    assert not any("Simulated" in run_html(each, viewer()) for each in measured)


def test_the_timeline_has_durations_and_names_who_interfered() -> None:
    events = [
        event(EventKind.STATUS, "in_progress"),
        event(EventKind.STEP, "Reading", after=1),
        event(EventKind.LOG, "not here", after=2),
        event(EventKind.STEP, "Writing", after=5.2),
        event(EventKind.STATUS, "cancelled", after=65, data={"from": "in_progress", "by": BO.id}),
    ]
    html = timeline_html(run(RunStatus.CANCELLED), events, viewer())
    for text in ("<small>1.0 s</small>", "<small>4.2 s</small>", "<small>59.8 s</small>", "by Bo"):
        assert text in html
    assert "not here" not in html
    assert "<small>1 min 30 s</small>" in timeline_html(run(), events[:1], viewer())


def test_a_run_without_events_has_an_empty_timeline_and_log() -> None:
    assert "<li" not in timeline_html(run(RunStatus.PENDING), [], viewer())
    assert "No lines." in log_html([], BERLIN, TODAY)


def test_values_that_an_agent_gives_are_shown_by_name() -> None:
    html = run_html(
        run(metadata={"branch": "main"}, verification_evidence=({"changed": ["a", 1]}, ["x"])), viewer()
    )
    for text in ("<dt>branch</dt><dd>main</dd>", "<dt>agent</dt><dd>t-1</dd>", "19:30 (Europe/Berlin)"):
        assert text in html
    assert "<dd>[&#34;a&#34;, 1]</dd>" in html
    assert 'data-action="earlier"' not in html
    assert 'data-action="earlier"' in run_html(run(retry_of="run-9"), viewer())


def test_the_log_is_searched_and_cut() -> None:
    events = [event(EventKind.LOG, "one\ntwo three"), event(EventKind.LOG, "Three again", after=10)]
    assert [line.text for line in log_lines(events, "")] == ["one", "two three", "Three again"]
    assert [line.text for line in log_lines(events, "three")] == ["two three", "Three again"]
    assert [line.text for line in log_lines([event(EventKind.LOG, "Müller")], "muller")] == ["Müller"]
    many = log_lines([event(EventKind.LOG, "\n".join(f"line {n}" for n in range(2000)))], "")
    html = log_html(many, BERLIN, TODAY)
    assert "line 1999" in html
    assert "line 1499<" not in html


def test_a_run_without_a_heartbeat_is_stuck() -> None:
    assert "Not responding" in runs_html([run()], viewer())
    assert "Not responding" not in runs_html([run(heartbeat_at=NOW + timedelta(seconds=80))], viewer())
    late = NOW + STUCK_AFTER + timedelta(seconds=1)
    assert run().stuck(late)
    assert not run().stuck(NOW + STUCK_AFTER)
    assert not run(RunStatus.FAILED).stuck(late)


def test_unconfirmed_changes_are_marked() -> None:
    assert "Saving" not in runs_html([run()], viewer())
    assert "Saving" in runs_html([run()], viewer(ANN.id, pending=["run-0"]))


def test_lengths_of_time_are_readable() -> None:
    assert [duration(seconds) for seconds in (0.35, 4.21, 185, 7800)] == [
        "350 ms",
        "4.2 s",
        "3 min 5 s",
        "2 h 10 min",
    ]
