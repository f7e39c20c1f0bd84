"""One run of an agent, by its link: its facts, its timeline and the end of its log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, cast

import streamlit as st

from db.agents import runs
from db.agents.models import AgentRun, AgentRunEvent
from db.columns import Record
from db.errors import DatabaseError, UnreachableError
from livetables.fragments import live_fragment
from ui.agents import tables
from ui.agents.run_html import (
    LogLine,
    Viewer,
    log_html,
    log_lines,
    run_html,
    timeline_html,
)
from ui.base import address, html, layout, session, times
from ui.base.fragments import rerun_only
from ui.base.kept_reads import kept_reads
from ui.base.people import finder
from ui.base.text import plural
from ui.base.write_queue import WRITES
from ui.writes.submit import fetch

PARAMETER: Final = "run"
"""The parameter of the page's address that names the open run."""

_READ_RUNS: Final = "agents_found"
_PAUSED_AT: Final = "agents_log_until"
_SEARCH, _FOLLOW, _PAUSE = "log", "agents_follow", "agents_pause"
_LOG_HEIGHT: Final = 340
"""Pixels."""
_HEADING: Final = html.Template('<h3 class="tv-sub">{text}</h3>')


def open_run(run_id: str) -> None:
    """Show one run with the next rerun of the page; its address is a link to it."""
    # Replace the whole address at once, so that one step back in the browser is the board as it was.
    address.replace({PARAMETER: run_id})


def current_viewer() -> Viewer:
    """Return who looks at the page, now."""
    me, pending = session.my_id() or "", session.pending("agent_runs")
    return Viewer(
        me, session.is_admin(), session.region(), datetime.now(UTC), finder(session.users()), pending
    )


def find_run(run_id: str) -> AgentRun | None:
    """Return a run: a loaded one, or an older one, read from the database.

    An older one is read again on each call until it is finished: the engine follows its events, which wake
    the page, but not the run itself.
    """
    run = tables.agent_runs().get((run_id,))
    if run is not None:
        return run
    known = cast("dict[str, AgentRun | None]", kept_reads().setdefault(_READ_RUNS, {}))
    if run_id not in known or _is_running(known[run_id]):
        record = fetch(lambda me: runs.find(me, run_id))
        if isinstance(record, UnreachableError):
            return known.get(run_id)  # read again with the next change
        missing = record is None or isinstance(record, DatabaseError)
        known[run_id] = None if missing else AgentRun.from_record(cast("Record", record))
    return known[run_id]


def _is_running(run: AgentRun | None) -> bool:
    return run is not None and not run.status.finished


@live_fragment(
    tables=("agent_runs", "agent_run_events", "users", WRITES),
    varies_by=("user", "role", "time_zone", "language"),
    key="agent_run",
)
def show_run(run_id: str) -> None:
    """Show the facts of a run and its timeline."""
    run = find_run(run_id)
    if run is None:
        layout.empty(
            "🔎", "There is no such run", "It may be another person's, or its person's account is deleted."
        )
        return
    viewer = current_viewer()
    html.show(run_html(run, viewer))
    html.show(html.join((_HEADING(text="Timeline"), timeline_html(run, _events(run), viewer))))


def _events(run: AgentRun) -> Sequence[AgentRunEvent]:
    """Return the events of a run; those older than the loaded ones are read once a session."""
    loaded = tables.events_by_run(tables.agent_run_events()).get(run.id, [])
    if any(event.seq == 0 and not (event.data or {}).get("from") for event in loaded):
        return loaded  # They begin with the run's first event.
    key, kept = f"{_READ_RUNS}_{run.id}", kept_reads()
    if key not in kept:
        records = fetch(lambda me: runs.events_of(me, run.id))
        kept[key] = (
            [] if isinstance(records, DatabaseError) else [AgentRunEvent.from_record(one) for one in records]
        )
    older = cast("list[AgentRunEvent]", kept[key])
    return sorted({event.id: event for event in (*older, *loaded)}.values(), key=tables.event_order)


# ---------------------------------------------------------------- the log


def show_log(run_id: str) -> None:
    """Show the log as it grows, to follow, pause and search."""
    html.show(_HEADING(text="Log"))
    _controls(run_id)
    _tail(run_id)


@st.fragment(key="agents_tail_controls")
def _controls(run_id: str) -> None:
    with st.container(key="agent_log_controls", horizontal=True, vertical_alignment="center"):
        st.text_input(
            "Search the log", key=_SEARCH, bind="query-params", on_change=_rerun_log,
            placeholder="Search the log", label_visibility="collapsed",
        )  # fmt: skip
        st.toggle("Follow", value=True, key=_FOLLOW, on_change=_rerun_log)
        st.toggle("Pause", key=_PAUSE, on_change=_pause, args=(run_id,))


def _rerun_log() -> None:
    rerun_only("agent_log")


def _pause(run_id: str) -> None:
    run = find_run(run_id)
    events = _events(run) if run is not None else []
    # The database's clock, because lines are compared with it by the time they were stored.
    st.session_state[_PAUSED_AT] = max((event.created_at for event in events), default=None)
    _rerun_log()


@live_fragment(
    tables=("agent_runs", "agent_run_events", "users"),
    varies_by=("user", "role", "time_zone", "language", _SEARCH, _FOLLOW, _PAUSE, _PAUSED_AT),
    key="agent_log",
)
def _tail(run_id: str) -> None:
    run = find_run(run_id)
    if run is None:
        return
    state = st.session_state
    lines, paused = log_lines(_events(run), state.get(_SEARCH) or ""), bool(state.get(_PAUSE))
    shown = _before_pause(lines) if paused else lines
    follow = bool(state.get(_FOLLOW, True)) and not paused
    with st.container(key="agent_log_tail", height=_LOG_HEIGHT, autoscroll=follow):
        html.show(log_html(shown, session.region(), times.today_in(session.zone())))
    newer = f" · paused, {plural(len(lines) - len(shown), 'newer line')}" if paused else ""
    st.caption(plural(len(shown), "line") + newer)


def _before_pause(lines: Sequence[LogLine]) -> Sequence[LogLine]:
    paused_at = cast("datetime | None", st.session_state.get(_PAUSED_AT))
    return [line for line in lines if paused_at is not None and line.known_at <= paused_at]
