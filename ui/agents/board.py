"""The board: the runs that pass the filters, live, or how successful the agents are; and the export."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Sized
from datetime import UTC, datetime
from typing import Final

import pandas as pd
import streamlit as st

from db.agents import runs as run_calls
from db.agents.models import AgentRun
from db.auth.accounts import SignedIn
from db.errors import UnreachableError
from livetables.fragments import live_fragment
from realtime_handlers.agents import AGENT_RUNS
from ui.agents import history, tables
from ui.agents.filters import CHOICE, SHOWN, Filters, View, current_choice
from ui.agents.run import current_viewer, open_run
from ui.agents.run_html import runs_html
from ui.base import feedback, html, layout, session, times
from ui.base.charts import dated
from ui.base.text import as_label, plural
from ui.base.write_queue import WRITES

_PAGE_SIZE: Final = 100
_NO_OLDER: Final = "agents_no_more"
_STUCK_NAMED: Final = 5
_STUCK_LINKED: Final = 3
_CHECK_STUCK_EVERY: Final = 10
"""Seconds between checks for runs without a heartbeat."""


@live_fragment(
    tables=("agent_runs", "users", WRITES),
    varies_by=("user", "role", "time_zone", "language", CHOICE, SHOWN, _NO_OLDER),
    key="agent_rows",
)
def show_runs() -> None:
    """Show the chosen view of the runs that pass the filters."""
    choice, loaded = current_choice(), tables.newest_first(tables.agent_runs())
    runs = choice.filters.keep(loaded)
    if not runs:
        _no_runs(any_loaded=bool(loaded))
    elif choice.view is View.SUCCESS:
        _success(runs)
    else:
        html.show(runs_html(runs[: _shown()], current_viewer()))
    more_loaded = choice.view is not View.SUCCESS and len(runs) > _shown()
    more_to_load = _more_to_load(loaded)
    if more_to_load:
        _say_how_far_back(loaded)
    if more_loaded or more_to_load:
        st.button(
            "Show older runs", key="agents_older", type="tertiary", on_click=_show_older, width="stretch"
        )


def _no_runs(*, any_loaded: bool) -> None:
    if any_loaded:
        layout.empty("🔎", "No runs here", "No run passes these filters. New runs appear here as they start.")
        return
    hint = "Start the demo agent above and watch it check the links and the style of the documents."
    layout.empty("🤖", "No runs yet", f"{hint} Runs of your own programs appear here as well.")


def _shown() -> int:
    return int(st.session_state.get(SHOWN, _PAGE_SIZE))


def _more_to_load(loaded: Sized) -> bool:
    return len(loaded) >= (AGENT_RUNS.window or 0) and not st.session_state.get(_NO_OLDER)


def _say_how_far_back(loaded: Sequence[AgentRun]) -> None:
    since = times.short_day(loaded[-1].created_at, session.region(), times.today_in(session.zone()))
    st.caption(f"These are from the newest {plural(len(loaded), 'run')}, since {since}.")


def _show_older() -> None:
    """Show more of the loaded runs, and load older ones when all of them are shown."""
    choice = current_choice()
    if choice.view is not View.SUCCESS:
        st.session_state[SHOWN] = _shown() + _PAGE_SIZE
        if len(choice.filters.keep(tables.newest_first(tables.agent_runs()))) >= _shown():
            return
    try:
        st.session_state[_NO_OLDER] = not session.load_older("agent_runs")
    except UnreachableError as error:
        feedback.toast_error(error)


def _success(runs: Sequence[AgentRun]) -> None:
    success = history.over_time(runs, session.region())
    if not success.points:
        layout.empty("📈", "No run has finished yet", "The success rate appears with the first finished run.")
        return
    if success.spans > 1:
        data, spec = history.chart(success)
        st.vega_lite_chart(pd.DataFrame(data), dated(spec, session.region()))
    else:
        st.caption("All these runs finished on one day. A chart begins with the second one.")
    html.show(history.success_html(history.by_agent(runs)))


# ---------------------------------------------------------------- export


@live_fragment(tables=("agent_runs",), varies_by=("user", CHOICE, _NO_OLDER), key="agents_export")
def show_export() -> None:
    """Offer all runs that pass the filters as files, if there may be any."""
    me, filters, loaded = session.signed_in(), current_choice().filters, tables.agent_runs()
    if me is None or not may_pass(filters, loaded.values(), more=_more_to_load(loaded)):
        return
    help_text = "All runs that pass the filters, however old"
    # Streamlit makes the files on demand and outside the session, so the functions hold all that they need.
    with st.container(horizontal=True):
        st.download_button(
            "Export CSV", lambda: history.as_csv(_all_runs(me, filters)), "agent-runs.csv", "text/csv",
            icon=":material/download:", on_click="ignore", help=help_text,
        )  # fmt: skip
        st.download_button(
            "Export JSON", lambda: history.as_json(_all_runs(me, filters)), "agent-runs.json",
            "application/json", icon=":material/download:", on_click="ignore", help=help_text,
        )  # fmt: skip


def may_pass(filters: Filters, loaded: Iterable[AgentRun], *, more: bool) -> bool:
    """Tell whether any run may pass the filters; `more` says that there may be runs that are not loaded."""
    return more or any(map(filters.passes, loaded))


def _all_runs(me: SignedIn, filters: Filters) -> Iterator[AgentRun]:
    """Read all runs that pass, newest first, also those that no page has loaded."""
    for record in run_calls.history(me):
        run = AgentRun.from_record(record)
        if filters.passes(run):
            yield run


# ---------------------------------------------------------------- runs without a heartbeat


@st.fragment(run_every=_CHECK_STUCK_EVERY, key="agents_stuck")
def show_stuck() -> None:
    """Warn of runs without a heartbeat. No row changes when one stops, so a timer has to check."""
    now = datetime.now(UTC)
    stuck = [run for run in tables.newest_first(tables.agent_runs()) if run.stuck(now)]
    if not stuck:
        return
    names = ", ".join(dict.fromkeys(as_label(run.agent_name) for run in stuck[:_STUCK_NAMED]))
    count = plural(len(stuck), "run has", "runs have")
    st.warning(f"{count} not responded for a minute or more: {names}", icon=":material/heart_broken:")
    with st.container(horizontal=True):
        for run in stuck[:_STUCK_LINKED]:
            label = f"Open {as_label(run.agent_name)}, {times.ago(run.heartbeat_at, now)}"
            if st.button(label, key=f"stuck_{run.id}", help="The time of its last heartbeat"):
                open_run(run.id)
                st.rerun()
