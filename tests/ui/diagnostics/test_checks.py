"""The judgments of the page Diagnostics."""

from datetime import timedelta

import pytest

from livetables.counts import Counted
from livetables.feed.status import FeedState, FeedStatus
from tests.ui.samples import NOW
from ui.diagnostics import checks
from ui.diagnostics.checks import Finding, Level

SECOND = timedelta(seconds=1)


def test_a_quick_answer_is_ok_and_a_slow_one_is_not() -> None:
    assert checks.answered("REST answered", SECOND / 50) == Finding(Level.OK, "REST answered in 20 ms.")
    slow = checks.answered("REST answered", 3 * SECOND)
    assert slow.level is Level.WARNING
    assert "3.0 s" in slow.found
    assert slow.remedy


def test_a_table_that_is_not_published_is_named_with_the_statement_that_adds_it() -> None:
    assert checks.publication(["users", "events"], {"users", "events", "more"}).level is Level.OK
    found = checks.publication(["users", "events", "rsvps"], {"users"})
    assert found.level is Level.FAILED
    assert "events, rsvps" in found.found
    assert "alter publication supabase_realtime add table public.events, public.rsvps;" in found.remedy


def test_a_table_that_cannot_be_selected_is_named_with_the_reason() -> None:
    assert checks.policies(["users"], {}) == Finding(Level.OK, "You may select all 1 table.")
    found = checks.policies(["users", "rsvps"], {"rsvps": PermissionError("Not for you.")})
    assert (found.level, found.found) == (Level.FAILED, "Not readable: rsvps: Not for you.")


@pytest.mark.parametrize(
    ("ahead", "uncertain", "level"),
    [
        (0.05, 0.1, Level.OK),
        (-2.0, 0.1, Level.OK),
        (20.0, 0.5, Level.WARNING),
        (-20.0, 0.5, Level.WARNING),
        (-20.0, 18.0, Level.OK),
        (300.0, 0.5, Level.FAILED),
    ],
)
def test_clocks_may_differ_a_little(ahead: float, uncertain: float, level: Level) -> None:
    found = checks.clock("The clock", ahead * SECOND, uncertain * SECOND)
    assert found.level is level
    assert bool(found.remedy) == (level is not Level.OK)


def test_it_says_which_clock_is_ahead() -> None:
    assert "is 20.0 s ahead of this server" in checks.clock("It", 20 * SECOND, SECOND).found
    assert "is 20.0 s behind this server" in checks.clock("It", -20 * SECOND, SECOND).found


def test_migrations_are_compared_with_those_of_the_app() -> None:
    assert checks.migrations(["1", "2"], ["1", "2"]).level is Level.OK
    assert checks.migrations(["1", "2"], ["1"]) == Finding(Level.FAILED, "Not applied: 2.", checks.PUSH)
    newer = checks.migrations(["1"], ["1", "2"])
    assert newer.level is Level.WARNING
    assert "not know: 2" in newer.found
    assert checks.migrations(["1"], None).level is Level.WARNING


@pytest.mark.parametrize(
    ("state", "lag", "level"),
    [
        (FeedState.LIVE, None, Level.OK),
        (FeedState.LIVE, 0.05, Level.OK),
        (FeedState.LIVE, 4.0, Level.WARNING),
        (FeedState.CATCHING_UP, 0.05, Level.WARNING),
        (FeedState.POLLING, None, Level.WARNING),
        (FeedState.INCOMPLETE, None, Level.WARNING),
        (FeedState.CONNECTING, None, Level.WARNING),
        (FeedState.OFFLINE, None, Level.FAILED),
    ],
)
def test_the_feed_is_ok_when_it_is_live_and_quick(state: FeedState, lag: float | None, level: Level) -> None:
    status = FeedStatus(state, NOW, None if lag is None else lag * SECOND, repaired=3)
    found = checks.feed(status, NOW + 90 * SECOND)
    assert found.level is level
    assert found.found.startswith(f"{state.value} (began 1 min ago);")
    assert "3 changes repaired" in found.found


def test_what_the_database_lacks_is_named() -> None:
    status = FeedStatus(
        FeedState.INCOMPLETE, NOW, missing=("items is not watched\n    select 1;", "no function")
    )
    found = checks.feed(status, NOW)
    assert found.level is Level.FAILED
    assert found.found.endswith("Missing: items is not watched select 1;; no function")


def test_sessions_are_counted_by_tab_and_by_person() -> None:
    found = checks.load({"a": "ada", "b": "ada", "c": None}, {None, "ada"})
    assert found.found == (
        "3 open sessions of 1 signed-in person and 1 visitor; 1 public feed and 1 private feed."
    )


def test_where_fragments_cannot_be_woken_the_pinned_streamlit_is_the_remedy() -> None:
    assert checks.libraries({"streamlit": "1.0"}, wakes=True) == Finding(Level.OK, "streamlit 1.0.")
    assert checks.libraries({"streamlit": "9.9"}, wakes=False).level is Level.WARNING


def test_the_worst_finding_counts() -> None:
    fine, odd = Finding(Level.OK, ""), Finding(Level.WARNING, "")
    assert checks.worst([]) is Level.OK
    assert checks.worst([fine, odd]) is Level.WARNING
    assert checks.worst([odd, checks.timed_out(3), fine]) is Level.FAILED


def test_deliveries_are_told_by_way_and_with_their_average_lag() -> None:
    assert checks.deliveries(Counted()).found == (
        "0 changes arrived. For them there were 0 pushes and 0 reruns."
    )
    counted = Counted(changes=1200, timed=2, lag=0.05 * SECOND, pushes=1, reruns=3)
    assert checks.deliveries(counted).found == (
        "1,200 changes arrived, on average 25 ms after the commit. For them there were 1 push and 3 reruns."
    )


def test_faults_that_were_survived_are_named_with_their_number() -> None:
    assert checks.faults({}) == Finding(Level.OK, "None in this process.")
    found = checks.faults({"rows of events": 1200, "rerun": 1})
    assert (found.level, found.found) == (
        Level.WARNING,
        "Survived, and counted: rerun (1), rows of events (1,200).",
    )
    assert "log" in found.remedy
