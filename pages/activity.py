"""Every change that anybody made, for admins."""

from __future__ import annotations

import streamlit as st

from db.errors import Unreachable
from live.fragments import live_fragment
from ui import activity, layout, session, times, writing
from ui.first_run import run_whole_app
from ui.people import by_name, finder, name_of

_TABLE = "activity_table"
_ACTOR = "activity_actor"
_SHOWN = "activity_shown"
_STEP = 100


def show() -> None:
    layout.page_head("Activity", "Every change, newest first, as it happens.")
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "What people do here is theirs.")
        return
    st.session_state.setdefault(_SHOWN, _STEP)
    _filters()
    with st.container(key="activity_log"):
        _log()
    _more()


@st.fragment(key="activity_filters")
def _filters() -> None:
    people = {user.id: user for user in by_name(session.users())}
    left, right = st.columns(2)
    left.selectbox(
        "Table",
        list(activity.TABLES),
        index=None,
        format_func=lambda name: activity.TABLES[name],
        placeholder="Every table",
        key=f"{_TABLE}_box",
        on_change=_filter,
    )
    right.selectbox(
        "Person",
        list(people),
        index=None,
        format_func=lambda user_id: name_of(people.get(user_id)),
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
    varies_by=("role", "time_zone", _TABLE, _ACTOR, _SHOWN),
    key="activity_rows",
)
def _log() -> None:
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "You are no longer one.")
        return
    table, actor = st.session_state.get(_TABLE), st.session_state.get(_ACTOR)
    found = activity.chosen(activity.newest_first(session.change_log()), table, actor)
    if not found:
        layout.empty("🕰️", "Nothing to see", "No change matches, or none has been made yet.")
        return
    zone = session.zone()
    shown = found[: st.session_state[_SHOWN]]
    names = session.events().derived("titles", lambda rows: {each.id: each.title for each in rows.values()})
    reader = activity.Reader(zone, times.today_in(zone), finder(session.users()), names)
    st.html(activity.table_html(shown, reader))


@st.fragment(key="activity_more")
def _more() -> None:
    st.button("Show older changes", on_click=_show_more, type="tertiary", width="stretch")


def _show_more() -> None:
    st.session_state[_SHOWN] += _STEP
    if st.session_state[_SHOWN] > len(session.change_log()):
        try:
            session.load_older("change_log")
        except Unreachable as error:
            writing.tell(error)
    st.rerun("activity_rows")


if __name__ == "__main__":
    run_whole_app()
