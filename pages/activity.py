"""The change log, for admins."""

from __future__ import annotations

import streamlit as st

from db.errors import UnreachableError
from livetables.fragments import live_fragment
from ui.activity import cleaning, log, tables
from ui.base import feedback, html, layout, session, times
from ui.base.people import by_name, finder, option_of
from ui.events import tables as event_tables
from ui.shell.run_app import run_whole_app

_TABLE = "activity_table"
_ACTOR = "activity_actor"
_SHOWN = "activity_shown"
_STEP = 100


def show() -> None:
    layout.page_head("Activity", "What people change, newest first, as it happens.")
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "Only admins see what everybody has changed.")
        return
    st.session_state.setdefault(_SHOWN, _STEP)
    _filters()
    with st.container(key="activity_log"):
        _log()
    _more()
    cleaning.show()


@st.fragment(key="activity_filters")
def _filters() -> None:
    people = {user.id: user for user in by_name(session.users())}
    left, right = st.columns(2)
    left.selectbox(
        "Table",
        list(log.TABLES),
        index=None,
        format_func=lambda name: log.TABLES[name],
        placeholder="Every table",
        key=f"{_TABLE}_box",
        on_change=_filter,
    )
    right.selectbox(
        "Person",
        list(people),
        index=None,
        format_func=lambda user_id: option_of(people.get(user_id)),
        placeholder="Everybody",
        key=f"{_ACTOR}_box",
        on_change=_filter,
    )
    st.session_state[_TABLE] = st.session_state[f"{_TABLE}_box"]
    st.session_state[_ACTOR] = st.session_state[f"{_ACTOR}_box"]


def _filter() -> None:
    st.session_state[_TABLE] = st.session_state[f"{_TABLE}_box"]
    st.session_state[_ACTOR] = st.session_state[f"{_ACTOR}_box"]
    st.rerun("activity_rows")


@live_fragment(
    tables=("change_log", "users"),
    varies_by=("role", "time_zone", "language", _TABLE, _ACTOR, _SHOWN),
    key="activity_rows",
)
def _log() -> None:
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "You are not an admin any more.")
        return
    table, actor = st.session_state.get(_TABLE), st.session_state.get(_ACTOR)
    found = log.chosen(log.newest_first(tables.change_log()), table, actor)
    if not found:
        layout.empty(
            "🕰️", "Nothing found", "No change matches the filters, or nobody has changed anything yet."
        )
        return
    region = session.region()
    shown = found[: st.session_state[_SHOWN]]
    events = event_tables.events()
    titles = events.derived("titles", lambda rows: {each.id: each.title for each in rows.values()})
    reader = log.Reader(region, times.today_in(region.zone), finder(session.users()), titles)
    html.show(log.table_html(shown, reader))


@st.fragment(key="activity_more")
def _more() -> None:
    st.button("Show older changes", on_click=_show_more, type="tertiary", width="stretch")


def _show_more() -> None:
    st.session_state[_SHOWN] += _STEP
    if st.session_state[_SHOWN] > len(tables.change_log()):
        try:
            session.load_older("change_log")
        except UnreachableError as error:
            feedback.toast_error(error)
    st.rerun("activity_rows")


if __name__ == "__main__":
    run_whole_app()
