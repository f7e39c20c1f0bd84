"""The way around, live: the pages, how many messages wait, and who is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import cast

import streamlit as st

from db.models import PrivateMessage
from live.fragments import STATUS, live_fragment
from live.rows import Rows
from ui import here, identity, rating_notices, routing_notices, run_notices, session, writing
from ui.inbox import is_unread
from ui.pending import WRITES
from ui.people import avatar_html, name_of
from ui.text import as_html

LOGO = Path(__file__).parent / "logo.svg"
_PAGES = "tavern_pages"


class Place(StrEnum):
    """Every page, by its path."""

    TAVERN = "tavern"
    EVENTS = "events"
    PEOPLE = "people"
    INBOX = "inbox"
    AGENTS = "agents"
    ROUTING = "routing"
    RATINGS = "ratings"
    LEADERBOARD = "leaderboard"
    ACTIVITY = "activity"
    DIAGNOSTICS = "diagnostics"
    SIGN_IN = "sign_in"
    CREATE_ACCOUNT = "create_account"
    PROFILE = "profile"


def remember(pages: Mapping[Place, st.Page]) -> None:
    """Keep the pages of this run, for links between them."""
    st.session_state[_PAGES] = dict(pages)


def page(place: Place) -> st.Page:
    """Return a page to link or switch to."""
    return cast("Mapping[Place, st.Page]", st.session_state[_PAGES])[place]


def show() -> None:
    """Draw the sidebar."""
    st.logo(LOGO, size="large")
    with st.sidebar:
        st.space("small")
    _links()
    run_notices.show()
    routing_notices.show()
    rating_notices.show()
    writing.show_outcomes()
    with st.sidebar.container(key="here"):
        here.show()
    with st.sidebar.container(key="who"):
        _who()


@live_fragment(
    tables=("users", "private_messages", STATUS, WRITES), varies_by=("user", "role"), key="navigation"
)
def _links() -> None:
    if identity.overdue():
        st.rerun()
    with st.sidebar:
        _link(Place.TAVERN, "Tavern")
        _link(Place.EVENTS, "Events")
        _link(Place.PEOPLE, "People")
        _link(Place.INBOX, f"Inbox{_badge(unread())}")
        if session.signed_in() is not None:
            _link(Place.AGENTS, "Agents")
            _link(Place.ROUTING, "Routing")
            _link(Place.RATINGS, "Ratings")
            _link(Place.LEADERBOARD, "Leaderboard")
        if session.is_admin():
            _link(Place.ACTIVITY, "Activity")
            _link(Place.DIAGNOSTICS, "Diagnostics")


def _link(place: Place, label: str) -> None:
    st.page_link(page(place), label=label, width="stretch")


def _badge(count: int) -> str:
    return f" :primary-badge[{count}]" if count else ""


def unread() -> int:
    """Count the signed-in person's unread messages."""
    me = session.my_id()
    if me is None:
        return 0
    return session.private_messages().derived(("unread", me), lambda rows: _count_unread(rows, me))


def _count_unread(rows: Rows[PrivateMessage], me: str) -> int:
    return sum(1 for message in rows.values() if is_unread(message, me))


def _who() -> None:
    if session.signed_in() is None:
        st.page_link(page(Place.SIGN_IN), label="Sign in", icon=":material/login:", width="stretch")
        st.page_link(
            page(Place.CREATE_ACCOUNT), label="Create account", icon=":material/person_add:", width="stretch"
        )
        return
    _card()
    st.page_link(page(Place.PROFILE), label="Your profile", icon=":material/badge:", width="stretch")
    st.button("Sign out", icon=":material/logout:", on_click=identity.sign_out, width="stretch")


@live_fragment(tables=("users", WRITES), varies_by=("user",), key="who_card")
def _card() -> None:
    me = session.signed_in()
    user = session.my_profile()
    name = as_html(name_of(user)) if user else "…"
    email = as_html(me.email) if me else ""
    words = f"<b><bdi>{name}</bdi></b><small>{email}</small>"
    st.html(f'<div class="tv-who">{avatar_html(user)}<div>{words}</div></div>')
