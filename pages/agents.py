"""What agents are doing: every run live, one's own, and everybody's for admins."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pandas as pd
import streamlit as st

from db import agent_runs as writes
from db.agent_models import AgentRun, RunStatus
from db.agent_runs import RunDraft
from db.auth import SignedIn
from db.errors import Unreachable
from db.models import Record
from demo_agent import agent as demo
from live.fragments import live_fragment
from live.snapshot import Snapshot
from realtime_handlers.agent_runs import SPEC
from ui import agent_history, agent_run_page, layout, session, times, writing
from ui.account import invite
from ui.agent_runs import LABELS, Filters, board_html, cancelled, new_run, newest_first
from ui.bridge import clicked
from ui.conflicts import Saving
from ui.first_run import run_whole_app
from ui.pending import WRITES, Expected, Write
from ui.people import by_name, name_of
from ui.sidebar import Place
from ui.text import as_label, plural

PROJECT = Path(__file__).parent.parent
BLOCK = "agent_board"
ALL, ACTIVE, SUCCESS = "All runs", "Active", "Success rate"
_A_PAGE = 100
_TASK = "Check the project's documents"
_LONGEST_TASK = 200
_FILTERS = "agents_filters"
_SHOWN = "agents_shown"
_NO_MORE = "agents_no_more"
_STARTED = "agents_started"
_SAVING = Saving(_STARTED)
_LOOK_EVERY = 10
"""Seconds between looks for runs that no longer show a sign of life."""


def show() -> None:
    layout.page_head("Agents", "What agents are doing, and how it went.")
    if session.signed_in() is None:
        invite(Place.AGENTS, "🤖", "Sign in to see your agents", "Runs are seen by their own people only.")
        return
    _stuck()
    run_id = st.query_params.get("run")
    if run_id is None:
        _board()
    else:
        _one(run_id)
    _actions()


def _open(run_id: str) -> None:
    """Show one run; its address is the link to it."""
    # All of the address at once: one step back in the browser is the board as it was.
    st.query_params.from_dict({"run": run_id})


def _one(run_id: str) -> None:
    if st.button("All runs", icon=":material/arrow_back:", type="tertiary"):
        st.query_params.clear()  # the filters still know their values, and put them there again
        st.rerun()
    with st.container(key=BLOCK):
        agent_run_page.details(run_id)
    agent_run_page.log(run_id)


# ---------------------------------------------------------------- the board


def _board() -> None:
    _start()
    _choose()
    with st.container(key=BLOCK):
        _rows()
    _export()


@live_fragment(tables=(WRITES,), varies_by=("user",), key="agents_start")
def _start() -> None:
    number = int(st.session_state.get(_STARTED, 0))
    if _SAVING.finished():
        number = st.session_state[_STARTED] = number + 1  # which empties the form
    with (
        st.form(f"agents_start_{number}", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        task = st.text_input("What for?", placeholder=_TASK, max_chars=_LONGEST_TASK)
        started = _SAVING.submit("Start the demo agent", ":material/play_arrow:")
    if not started:
        _SAVING.show()
        return
    # The same for a second click, so that it starts nothing more.
    run_id = str(st.session_state.setdefault(f"{_STARTED}_id_{number}", str(uuid.uuid4())))
    draft = RunDraft(demo.NAME, demo.NAME, task.strip() or _TASK)
    _SAVING.begin(_begin(run_id, draft, None, lambda me: writes.start(me, run_id, draft), told=False))
    st.rerun(scope="fragment")


def _try_again(run: AgentRun) -> None:
    if any(one.retry_of == run.id and not one.status.finished for one in _newest_runs()):
        writing.say("Another try is under way already.", ":material/info:")
        return
    run_id = str(uuid.uuid4())
    draft = RunDraft(run.agent_name, run.agent_id, run.task_id)
    _begin(run_id, draft, run.id, lambda me: writes.retry(me, run_id, run), metadata=run.metadata)


def _newest_runs() -> Snapshot[AgentRun]:
    """Return the runs as they are by now: what a click is about may have changed with the click before."""
    return session.newest("agent_runs")


def _begin(
    run_id: str,
    draft: RunDraft,
    retry_of: str | None,
    do: Callable[[SignedIn], Record],
    *,
    metadata: Mapping[str, object] | None = None,
    told: bool = True,
) -> Write:
    put = writing.putting("agent_runs", do)

    def begin(me: SignedIn) -> None:
        put(me)
        # Other agents find their own pending runs, wherever they are at home.
        if draft.agent_name == demo.NAME:
            settings = me.clients.settings
            job = demo.Job(run_id, demo.errand_of(PROJECT, metadata or {}))
            demo.start(job, settings.url, settings.key, me.access_token)

    foretold = new_run(run_id, session.my_id() or "", draft, retry_of)
    return writing.ask(begin, Expected("agent_runs", (run_id,), foretold, new=True), told=told)


@st.fragment(key="agents_choose")
def _choose() -> None:
    agents = {run.agent_name for run in newest_first(session.agent_runs())}
    view = st.segmented_control(
        "View", [ALL, ACTIVE, SUCCESS], default=ALL, key="view", bind="query-params", on_change=_chosen,
        label_visibility="collapsed", required=True,
    )  # fmt: skip
    with st.container(key="agents_filters"):
        columns = st.columns(4 if session.is_admin() else 3)
    columns[0].text_input(
        "Search", key="q", bind="query-params", placeholder="Agent, task or step", on_change=_chosen
    )
    columns[1].selectbox(
        "Agent", sorted(agents), index=None, key="agent", bind="query-params", placeholder="Every agent",
        on_change=_chosen,
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
    st.session_state.pop(_SHOWN, None)
    st.rerun(["agent_rows", "agents_export"])


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


def _chosen_filters() -> tuple[str, Filters]:
    return cast("tuple[str, Filters]", st.session_state.get(_FILTERS, (ALL, Filters())))


@live_fragment(
    tables=("agent_runs", "users", WRITES),
    varies_by=("user", "role", "time_zone", _FILTERS, _SHOWN, _NO_MORE),
    key="agent_rows",
)
def _rows() -> None:
    view, filters = _chosen_filters()
    loaded = newest_first(session.agent_runs())
    runs = [run for run in loaded if filters.keep(run)]
    if not runs:
        _no_runs(any_at_all=bool(loaded))
    elif view == SUCCESS:
        _success(runs)
    else:
        st.html(board_html(runs[: _shown()], agent_run_page.viewer()))
    more = view != SUCCESS and len(runs) > _shown()
    beyond = len(loaded) >= (SPEC.window or 0) and not st.session_state.get(_NO_MORE)
    if more or beyond:
        _offer_older(len(loaded), beyond=beyond)


def _no_runs(*, any_at_all: bool) -> None:
    if any_at_all:
        layout.empty("🔎", "No runs here", "Nothing passes these filters. What does appears here by itself.")
        return
    hint = "Start the demo agent above and watch it work: it checks the links and style of the documents."
    layout.empty("🤖", "No runs yet", f"{hint} Runs of your own programs appear here as well.")


def _shown() -> int:
    return int(st.session_state.get(_SHOWN, _A_PAGE))


def _offer_older(loaded: int, *, beyond: bool) -> None:
    if beyond:
        oldest = newest_first(session.agent_runs())[-1].created_at
        since = times.short_day(oldest, session.zone(), times.today_in(session.zone()))
        st.caption(f"This is from the newest {plural(loaded, 'run')}, since {since}.")
    st.button("Show older runs", key="agents_older", type="tertiary", on_click=_older, width="stretch")


def _older() -> None:
    """Show more of what is loaded, and load more when that is all."""
    view, filters = _chosen_filters()
    runs = [run for run in newest_first(session.agent_runs()) if filters.keep(run)]
    if view != SUCCESS:
        st.session_state[_SHOWN] = _shown() + _A_PAGE
    if view != SUCCESS and len(runs) >= _shown():
        return
    try:
        st.session_state[_NO_MORE] = not session.load_older("agent_runs")
    except Unreachable as error:
        writing.tell(error)


def _success(runs: list[AgentRun]) -> None:
    course = agent_history.over_time(runs, session.zone())
    if not course.points:
        layout.empty("📈", "Nothing has ended yet", "The success rate begins with the first finished run.")
        return
    data, spec = agent_history.chart(course)
    st.vega_lite_chart(pd.DataFrame(data), spec)
    st.html(agent_history.table_html(agent_history.by_agent(runs)))


@st.fragment(key="agents_export")
def _export() -> None:
    me = session.signed_in()
    if me is None:
        return
    _, filters = _chosen_filters()
    # The files are made when they are asked for, past the session: they need what they hold now.
    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: agent_history.as_csv(_history(me, filters)), "agent-runs.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
            help="All runs that the filters leave, however old",
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: agent_history.as_json(_history(me, filters)), "agent-runs.json",
            "application/json", icon=":material/download:", on_click="ignore",
            help="All runs that the filters leave, however old",
        )  # fmt: skip


def _history(me: SignedIn, filters: Filters) -> Iterator[AgentRun]:
    """Read all runs that are wanted, newest first, also those that no page has loaded."""
    for record in writes.history(me):
        run = AgentRun.from_record(record)
        if filters.keep(run):
            yield run


@st.fragment(run_every=_LOOK_EVERY, key="agents_stuck")
def _stuck() -> None:
    now = datetime.now(UTC)
    stuck = [run for run in newest_first(session.agent_runs()) if run.stuck(now)]
    if not stuck:
        return
    names = ", ".join(dict.fromkeys(as_label(run.agent_name) for run in stuck[:5]))
    count = plural(len(stuck), "run shows", "runs show")
    st.warning(f"{count} no sign of life for a minute or more: {names}", icon=":material/heart_broken:")
    with st.container(horizontal=True):
        for run in stuck[:3]:
            label = f"Open {as_label(run.agent_name)}, {times.ago(run.heartbeat_at, now)}"
            if st.button(label, key=f"stuck_{run.id}", help="Its last sign of life"):
                _open(run.id)
                st.rerun()


# ---------------------------------------------------------------- buttons in the blocks


@st.fragment(key="agents_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    run = agent_run_page.find(click.row) if click else None
    if click is None or run is None:
        return
    match click.action:
        case "open":
            _open(run.id)
            st.rerun()
        case "before":
            _open(run.retry_of or run.id)
            st.rerun()
        case "cancel":
            _cancel(run)
        case "retry":
            _try_again(run)


@st.dialog("Cancel this run?")
def _cancel(run: AgentRun) -> None:
    st.markdown(f"**{as_label(run.agent_name)}** stops when it next says something.")
    st.caption("What it has done so far stays here. You can try again with a new run.")
    if not st.button("Yes, cancel it", type="primary"):
        return
    if (known := _newest_runs().get((run.id,))) is not None and known.status.finished:
        st.rerun()
    put = writing.putting("agent_runs", lambda me: writes.cancel(me, run.id))

    def cancel(me: SignedIn) -> None:
        put(me)
        demo.BACKGROUND.stop(run.id)  # if it works in this process, it need not find out by itself

    writing.ask(cancel, Expected("agent_runs", (run.id,), cancelled(run)))
    st.rerun()


if __name__ == "__main__":
    run_whole_app()
