"""The activity: filters, and one page of the log, live."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, cast

import streamlit as st

from db.errors import UnreachableError
from db.hub.models import ChangeLogEntry
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from realtime_handlers.diagnostics import CHANGE_LOG
from ui.activity import log, tables
from ui.activity.fields import Reader
from ui.base import feedback, html, layout, session, times
from ui.base.fragments import rerun_only
from ui.base.html_actions import clicked
from ui.base.people import by_name, finder, option_of

BLOCK: Final = "activity_log"
_TABLE: Final = "activity_table"
_ACTOR: Final = "activity_actor"
_TURNED: Final = "activity_turned"
"""The ids of the last entries of the pages that the person has turned, oldest page last."""
_ALL_LOADED: Final = "activity_all_loaded"
_MOST_LOADS: Final = 5


@st.fragment(key="activity_filters")
def show_filters() -> None:
    """Let the person choose a table and a person."""
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
    _take_filters()


def _filter() -> None:
    _take_filters()
    st.session_state[_TURNED] = ()
    rerun_only("activity_rows")


def _take_filters() -> None:
    st.session_state[_TABLE] = st.session_state[f"{_TABLE}_box"]
    st.session_state[_ACTOR] = st.session_state[f"{_ACTOR}_box"]


def show_log(titles: Callable[[], Mapping[str, str]]) -> None:
    """Show the log. What is unfolded stays so while it grows. `titles` are those of events by their ids."""
    with st.container(key=BLOCK):
        _log(titles)
    _keep_unfolded()


@st.fragment(key="activity_unfolded")
def _keep_unfolded() -> None:
    clicked(BLOCK)


@live_fragment(
    tables=("change_log", "users"),
    varies_by=("role", "time_zone", "language", _TABLE, _ACTOR, _TURNED),
    key="activity_rows",
)
def _log(titles: Callable[[], Mapping[str, str]]) -> None:
    if not session.is_admin():
        layout.empty("🗝️", "For admins only", "You are not an admin any more.")
        return
    page = _page(tables.change_log())
    if page.entries:
        html.show(log.list_html(page.entries, _reader(titles())))
    else:
        layout.empty(
            "🕰️", "Nothing found", "No change matches the filters, or nobody has changed anything yet."
        )
    _turn(page)


def _page(change_log: Snapshot[ChangeLogEntry]) -> log.Page:
    entries = log.newest_first(change_log)
    found = log.chosen(entries, st.session_state.get(_TABLE), st.session_state.get(_ACTOR))
    turned = _turned()
    return log.page_after(found, turned[-1] if turned else None)


def _turned() -> tuple[int, ...]:
    return cast("tuple[int, ...]", st.session_state.get(_TURNED, ()))


def _reader(titles: Mapping[str, str]) -> Reader:
    region = session.region()
    return Reader(region, times.today_in(region.zone), finder(session.users()), titles)


def _turn(page: log.Page) -> None:
    """Show the buttons that lead to newer and older changes."""
    newer, older = bool(_turned()), page.more or _may_have_older()
    if not newer and not older:
        return
    with st.container(
        key="activity_pages", horizontal=True, horizontal_alignment="center", vertical_alignment="center"
    ):
        st.button("Newer", icon=":material/arrow_back:", disabled=not newer, on_click=_newer)
        last = page.first + len(page.entries) - 1
        st.caption(f"{page.first}–{last}" if page.entries else "–", width="content")
        st.button(
            "Older",
            icon=":material/arrow_forward:",
            icon_position="right",
            disabled=not older,
            on_click=_older,
        )


def _may_have_older() -> bool:
    is_full = len(tables.change_log()) >= (CHANGE_LOG.window or 0)
    return is_full and not st.session_state.get(_ALL_LOADED)


def _newer() -> None:
    st.session_state[_TURNED] = _turned()[:-1]


def _older() -> None:
    """Turn to the next page, which may have to be loaded. Rare changes of a filter may be far back."""
    for _ in range(_MOST_LOADS):
        page = _page(session.newest("change_log"))
        if page.more or not _load_older():
            break
    page = _page(session.newest("change_log"))
    if page.more:
        st.session_state[_TURNED] = (*_turned(), page.entries[-1].id)


def _load_older() -> bool:
    try:
        more = session.load_older("change_log")
    except UnreachableError as error:
        feedback.toast_error(error)
        return False
    st.session_state[_ALL_LOADED] = not more
    if not more:
        feedback.toast("There are no older changes.", ":material/history:")
    return more
