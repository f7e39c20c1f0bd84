"""One run of an agent, by its link: everything about it, its timeline and the tail of its log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import streamlit as st

from db import agent_runs as writes
from db.agent_models import AgentRun, AgentRunEvent
from db.errors import DatabaseError, Unreachable
from db.models import Record
from live.fragments import live_fragment
from ui import layout, session, writing
from ui.agent_runs import Viewer, events_by_run, log_html, log_lines, order_of, run_html, timeline_html
from ui.pending import WRITES
from ui.people import finder
from ui.text import plural

_FOUND = "agents_found"
_UNTIL = "agents_log_until"
_TAIL_HEIGHT = 340
"""Pixels."""


def viewer() -> Viewer:
    """Return who looks at the board, now."""
    me = session.my_id() or ""
    pending = session.pending("agent_runs")
    return Viewer(me, session.is_admin(), session.zone(), datetime.now(UTC), finder(session.users()), pending)


def find(run_id: str) -> AgentRun | None:
    """Return a run: a loaded one, or one that is read because it is older than those.

    Such a one is read again while it goes on: the engine follows its events only, which wake the page.
    """
    run = session.agent_runs().get((run_id,))
    if run is not None:
        return run
    found = cast("dict[str, AgentRun | None]", st.session_state.setdefault(_FOUND, {}))
    if run_id not in found or _goes_on(found[run_id]):
        record = writing.fetch(lambda me: writes.find(me, run_id))
        if isinstance(record, Unreachable):
            return found.get(run_id)  # asked again with the next change
        unknown = record is None or isinstance(record, DatabaseError)
        found[run_id] = None if unknown else AgentRun.from_record(cast("Record", record))
    return found[run_id]


def _goes_on(run: AgentRun | None) -> bool:
    return run is not None and not run.status.finished


@live_fragment(
    tables=("agent_runs", "agent_run_events", "users", WRITES),
    varies_by=("user", "role", "time_zone"),
    key="agent_run",
)
def details(run_id: str) -> None:
    """Show what is known of the run, and what happened when."""
    run = find(run_id)
    if run is None:
        layout.empty("🔎", "There is no such run", "It may be somebody else's, or gone with their account.")
        return
    looks = viewer()
    st.html(run_html(run, looks))
    st.html(f'<h4 class="tv-sub">Timeline</h4>{timeline_html(run, _events(run), looks)}')


def log(run_id: str) -> None:
    """Show the log as it grows, to follow, pause and search."""
    st.html('<h4 class="tv-sub">Log</h4>')
    _controls(run_id)
    _tail(run_id)


@st.fragment(key="agents_tail_controls")
def _controls(run_id: str) -> None:
    with st.container(key="agent_log_controls", horizontal=True, vertical_alignment="center"):
        st.text_input(
            "Search the log", key="log", bind="query-params", on_change=_show_again,
            placeholder="Search the log", label_visibility="collapsed",
        )  # fmt: skip
        st.toggle("Follow", value=True, key="agents_follow", on_change=_show_again)
        st.toggle("Pause", key="agents_pause", on_change=_pause, args=(run_id,))


def _show_again() -> None:
    st.rerun("agent_log")


def _pause(run_id: str) -> None:
    run = find(run_id)
    events = _events(run) if run is not None else []
    # By the database's clock, as the events have it.
    st.session_state[_UNTIL] = max((event.created_at for event in events), default=None)
    _show_again()


@live_fragment(
    tables=("agent_runs", "agent_run_events"),
    varies_by=("user", "role", "time_zone", "log", "agents_follow", "agents_pause", _UNTIL),
    key="agent_log",
)
def _tail(run_id: str) -> None:
    run = find(run_id)
    if run is None:
        return
    state = st.session_state
    lines = log_lines(_events(run), state.get("log") or "")
    paused = bool(state.get("agents_pause"))
    until = cast("datetime | None", state.get(_UNTIL))
    shown = [line for line in lines if until is not None and line.known_at <= until] if paused else lines
    follow = bool(state.get("agents_follow", True)) and not paused
    with st.container(key="agent_log_tail", height=_TAIL_HEIGHT, autoscroll=follow):
        st.html(log_html(shown, session.zone()))
    newer = f" · paused, {plural(len(lines) - len(shown), 'newer line')}" if paused else ""
    st.caption(plural(len(shown), "line") + newer)


def _events(run: AgentRun) -> list[AgentRunEvent]:
    """Return what happened in a run, and read once what is older than the loaded events."""
    loaded = events_by_run(session.agent_run_events()).get(run.id, [])
    if any(event.seq == 0 and not (event.data or {}).get("from") for event in loaded):
        return loaded
    key = f"{_FOUND}_{run.id}"
    if key not in st.session_state:
        records = writing.fetch(lambda me: writes.events_of(me, run.id))
        st.session_state[key] = (
            [] if isinstance(records, DatabaseError) else [AgentRunEvent.from_record(one) for one in records]
        )
    older = cast("list[AgentRunEvent]", st.session_state[key])
    return sorted({event.id: event for event in (*older, *loaded)}.values(), key=order_of)
