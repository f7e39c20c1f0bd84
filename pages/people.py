"""The directory: everybody who has an account, with search."""

from __future__ import annotations

import streamlit as st

from livetables.fragments import PRESENCE, live_fragment
from ui.base import layout, pieces, session
from ui.base.fragments import rerun_only
from ui.base.html_actions import mark
from ui.base.html_cache import shared_html
from ui.base.parts import MY_PROFILE
from ui.base.tab import own_key
from ui.base.text import plural
from ui.base.write_queue import WRITES
from ui.people.directory import Directory, search
from ui.shell.run_app import run_whole_app

BLOCK = "directory"
_SEARCH = "people_search"
_MOST_SHOWN = 120


def show() -> None:
    layout.page_head("People", "Who belongs to the Tavern.")
    _search()
    with st.container(key=BLOCK):
        _directory()
    _marks()


@st.fragment(key="people_search_box")
def _search() -> None:
    # The text is copied, because Streamlit drops the state of a widget when the person leaves the page.
    typed = st.text_input(
        "Search",
        key=own_key(f"{_SEARCH}_box"),
        placeholder="Search names and profiles",
        icon=":material/search:",
        on_change=_searched,
    )
    st.session_state[_SEARCH] = typed


def _searched() -> None:
    st.session_state[_SEARCH] = st.session_state[own_key(f"{_SEARCH}_box")]
    rerun_only("people_directory")


@live_fragment(tables=("users", PRESENCE, WRITES), varies_by=(_SEARCH,), key="people_directory", shared=True)
def _directory() -> None:
    query = st.session_state.get(_SEARCH, "")
    users = session.users()
    online = frozenset(session.present().now.people)
    found = search(users, query)
    if not found:
        layout.empty("🔎", "Nobody found", "Try fewer letters.")
        return
    directory = shared_html(
        ("directory", users, online, query), lambda: Directory.of(found, online, _MOST_SHOWN)
    )
    pieces.show("directory_cards", directory.pieces)
    if directory.more:
        st.caption(f"{plural(directory.more, 'more person', 'more people')}. Search to find them.")


@live_fragment(tables=(MY_PROFILE,), varies_by=("user",), key="people_marks")
def _marks() -> None:
    mark(BLOCK, everywhere=["guest"] if session.signed_in() is None else ["member"])


if __name__ == "__main__":
    run_whole_app()
