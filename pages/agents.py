"""What agents are doing: every run live, one's own, and everybody's for admins."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pandas as pd
import streamlit as st

from db import agent_runs as writes
from db.agent_models import AgentRun, AgentRunEvent, RunStatus
from db.agent_runs import RunDraft
from db.errors import DatabaseError
from db.models import Record
from demo_agent import agent as demo
from live.fragments import live_fragment
from ui import agent_history, layout, session, writing
from ui.agent_runs import (
    LABELS,
    Filters,
    Viewer,
    board_html,
    events_by_run,
    log_html,
    log_lines,
    newest_first,
    order_of,
    run_html,
    timeline_html,
)
from ui.bridge import clicked
from ui.first_run import run_whole_app
from ui.people import by_name, finder, name_of
from ui.text import as_label, plural

PROJECT = Path(__file__).parent.parent
BLOCK = "agent_board"
ALL, ACTIVE, SUCCESS = "All runs", "Active", "Success rate"
_MOST = 100
_FILTERS = "agents_filters"
_FOUND = "agents_found"
_PAUSED = "agents_paused"
_LOOK_EVERY = 10
"""Seconds between looks for runs that no longer show a sign of life."""


def show() -> None:
    layout.page_head("Agents", "What agents are doing, and how it went.")
    if session.signed_in() is None:
        layout.empty("🤖", "Sign in to see your agents", "Runs are seen by their own people only.")
        return
    _stuck()
    run_id = st.query_params.get("run")
    if run_id is None:
        _board()
    else:
        _one(run_id)
    _actions()


def _viewer() -> Viewer:
    me = session.my_id() or ""
    return Viewer(me, session.is_admin(), session.zone(), datetime.now(UTC), finder(session.users()))


# ---------------------------------------------------------------- the board


def _board() -> None:
    _start()
    _choose()
    with st.container(key=BLOCK):
        _rows()


@st.fragment(key="agents_start")
def _start() -> None:
    if st.button("Start the demo agent", icon=":material/play_arrow:", type="primary"):
        _begin(RunDraft(demo.NAME, demo.NAME, "Check the project's documents"))


def _begin(draft: RunDraft) -> None:
    run_id = str(uuid.uuid4())
    _set_to_work(run_id, writing.write("agent_runs", lambda me: writes.start(me, run_id, draft)))


def _try_again(run: AgentRun) -> None:
    run_id = str(uuid.uuid4())
    _set_to_work(run_id, writing.write("agent_runs", lambda me: writes.retry(me, run_id, run)))


def _set_to_work(run_id: str, written: object) -> None:
    if isinstance(written, DatabaseError):
        writing.tell(written)
        return
    me = session.signed_in()
    record = cast("dict[str, object]", written)
    # Other agents find their own pending runs, wherever they are at home.
    if me is not None and record["agent_name"] == demo.NAME:
        settings = me.clients.settings
        demo.start(demo.Job(run_id, PROJECT), settings.url, settings.key, me.access_token)


@st.fragment(key="agents_choose")
def _choose() -> None:
    runs = newest_first(session.agent_runs())
    view = st.segmented_control(
        "View", [ALL, ACTIVE, SUCCESS], default=ALL, key="view", bind="query-params", on_change=_chosen,
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    columns = st.columns(4 if session.is_admin() else 3)
    columns[0].text_input(
        "Search", key="q", bind="query-params", placeholder="Agent, task or step", on_change=_chosen
    )
    columns[1].selectbox(
        "Agent", sorted({run.agent_name for run in runs}), index=None, key="agent", bind="query-params",
        placeholder="Every agent", on_change=_chosen,
    )  # fmt: skip
    columns[2].selectbox(
        "Status", [status.value for status in RunStatus], index=None, key="state", bind="query-params",
        format_func=lambda value: LABELS[RunStatus(value)], placeholder="Every status", on_change=_chosen,
    )  # fmt: skip
    if session.is_admin():
        people = {user.id: user for user in by_name(session.users())}
        columns[3].selectbox(
            "Person", list(people), index=None, key="person", bind="query-params",
            format_func=lambda user_id: name_of(people.get(user_id)), placeholder="Everybody",
            on_change=_chosen,
        )  # fmt: skip
    _remember(view)


def _chosen() -> None:
    _remember(st.session_state.get("view"))
    st.rerun("agent_rows")


def _remember(view: str | None) -> None:
    """Keep the answers outside the widgets, whose state is theirs."""
    state = st.session_state
    status = state.get("state")
    st.session_state[_FILTERS] = (
        view or ALL,
        Filters(
            view == ACTIVE,
            state.get("agent"),
            RunStatus(status) if status else None,
            state.get("person") if session.is_admin() else None,
            state.get("q") or "",
        ),
    )


def _wanted() -> tuple[str, list[AgentRun]]:
    view, filters = cast("tuple[str, Filters]", st.session_state.get(_FILTERS, (ALL, Filters())))
    return view, [run for run in newest_first(session.agent_runs()) if filters.keep(run)]


@live_fragment(
    tables=("agent_runs", "users"), varies_by=("user", "role", "time_zone", _FILTERS), key="agent_rows"
)
def _rows() -> None:
    view, runs = _wanted()
    if not runs:
        layout.empty("🤖", "No runs here", "Start the demo agent, or publish runs from a program of yours.")
        return
    if view == SUCCESS:
        _success(runs)
    else:
        _list(runs)
    _export(runs)


def _list(runs: list[AgentRun]) -> None:
    st.html(board_html(runs[:_MOST], _viewer()))
    if len(runs) > _MOST:
        st.caption(f"{plural(len(runs) - _MOST, 'older run')}. Search to find them.")


def _success(runs: list[AgentRun]) -> None:
    days = agent_history.by_day(runs, session.zone())
    if not days:
        layout.empty("📈", "Nothing has ended yet", "The success rate begins with the first finished run.")
        return
    frame = pd.DataFrame(
        {
            "Day": [pd.Timestamp(day) for day, _ in days],
            "Agent": [one.agent for _, one in days],
            "Rate": [one.rate for _, one in days],
        }
    )
    st.scatter_chart(frame, x="Day", y="Rate", color="Agent", y_label="Success rate (%)")
    st.html(agent_history.table_html(agent_history.by_agent(runs)))


def _export(runs: list[AgentRun]) -> None:
    # The files are made when they are asked for, past the session: they need what they hold now.
    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: agent_history.as_csv(runs), "agent-runs.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: agent_history.as_json(runs), "agent-runs.json", "application/json",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip


@st.fragment(run_every=_LOOK_EVERY, key="agents_stuck")
def _stuck() -> None:
    now = datetime.now(UTC)
    stuck = [run for run in newest_first(session.agent_runs()) if run.stuck(now)]
    if stuck:
        names = ", ".join(dict.fromkeys(as_label(run.agent_name) for run in stuck[:5]))
        count = plural(len(stuck), "run shows", "runs show")
        st.warning(f"{count} no sign of life for a minute or more: {names}", icon=":material/heart_broken:")


# ---------------------------------------------------------------- one run


def _one(run_id: str) -> None:
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        del st.query_params["run"]
        st.rerun()
    with st.container(key=BLOCK):
        _detail(run_id)
    st.subheader("Log", anchor=False)
    _tail_controls()
    _tail(run_id)


@live_fragment(
    tables=("agent_runs", "agent_run_events", "users"),
    varies_by=("user", "role", "time_zone"),
    key="agent_run",
)
def _detail(run_id: str) -> None:
    run = _run(run_id)
    if run is None:
        layout.empty("🔎", "There is no such run", "It may be somebody else's, or gone with their account.")
        return
    viewer = _viewer()
    st.html(run_html(run, viewer))
    st.html(f'<h4 class="tv-sub">Timeline</h4>{timeline_html(run, _events(run), viewer)}')


@st.fragment(key="agents_tail_controls")
def _tail_controls() -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.text_input("Search the log", key="log", on_change=_log_changed, placeholder="Words of a line")
        st.toggle("Follow", value=True, key="agents_follow", on_change=_log_changed)
        st.toggle("Pause", key="agents_pause", on_change=_paused)


def _log_changed() -> None:
    st.rerun("agent_log")


def _paused() -> None:
    st.session_state[_PAUSED] = datetime.now(UTC) if st.session_state["agents_pause"] else None
    st.rerun("agent_log")


@live_fragment(
    tables=("agent_runs", "agent_run_events"),
    varies_by=("user", "role", "time_zone", "log", "agents_follow", _PAUSED),
    key="agent_log",
)
def _tail(run_id: str) -> None:
    run = _run(run_id)
    if run is None:
        return
    state = st.session_state
    paused = cast("datetime | None", state.get(_PAUSED)) if state.get("agents_pause") else None
    lines = log_lines(_events(run), state.get("log") or "", paused)
    st.html(log_html(lines, session.zone(), follow=bool(state.get("agents_follow", True))))
    st.caption(plural(len(lines), "line"))


def _run(run_id: str) -> AgentRun | None:
    """Return a run: a loaded one, or one that is read once because it is older than those."""
    run = session.agent_runs().get((run_id,))
    if run is not None:
        return run
    found = cast("dict[str, AgentRun | None]", st.session_state.setdefault(_FOUND, {}))
    if run_id not in found:
        record = writing.attempt(lambda me: writes.find(me, run_id))
        unknown = record is None or isinstance(record, DatabaseError)
        found[run_id] = None if unknown else AgentRun.from_record(cast("Record", record))
    return found[run_id]


def _events(run: AgentRun) -> list[AgentRunEvent]:
    """Return what happened in a run, and read once what is older than the loaded events."""
    loaded = events_by_run(session.agent_run_events()).get(run.id, [])
    if any(event.seq == 0 and not (event.data or {}).get("from") for event in loaded):
        return loaded
    key = f"{_FOUND}_{run.id}"
    if key not in st.session_state:
        records = writing.attempt(lambda me: writes.events_of(me, run.id))
        st.session_state[key] = (
            [] if isinstance(records, DatabaseError) else [AgentRunEvent.from_record(one) for one in records]
        )
    older = cast("list[AgentRunEvent]", st.session_state[key])
    return sorted({event.id: event for event in (*older, *loaded)}.values(), key=order_of)


# ---------------------------------------------------------------- buttons in the blocks


@st.fragment(key="agents_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    run = _run(click.row) if click else None
    if click is None or run is None:
        return
    match click.action:
        case "open":
            st.query_params["run"] = run.id
            st.rerun()
        case "cancel":
            written = writing.write("agent_runs", lambda me: writes.cancel(me, run.id))
            if isinstance(written, DatabaseError):
                writing.tell(written)
        case "retry":
            _try_again(run)


if __name__ == "__main__":
    run_whole_app()
