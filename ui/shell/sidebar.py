"""The menu: links to the pages, the unread count, who is here, and the signed-in person's own menu.

It is the sidebar, and on a phone also a bar of tabs at the bottom.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

from db.hub.models import PrivateMessage
from livetables.fragments import STATUS, live_fragment
from livetables.tables.rows import Rows
from ui.agents import notices as run_notices
from ui.base import html, presence, session
from ui.base.html import Template
from ui.base.kept_reads import kept_reads
from ui.base.navigation import Place, here, page
from ui.base.parts import MY_PROFILE
from ui.base.people import avatar_html, name_of
from ui.base.write_queue import WRITES
from ui.messages import tables as message_tables
from ui.messages.inbox import is_unread
from ui.ratings import notices as rating_notices
from ui.routing import notices as routing_notices
from ui.shell import follow_links, identity, keep_focus, quick_search
from ui.shell.account import create_account_link, sign_in_link
from ui.writes.submit import show_outcomes

LOGO = Path(__file__).parent / "logo.svg"
_GROUP = Template('<p class="tv-group">{name}</p>')
_CARD = Template(
    '<div class="tv-who">{avatar}<div><b><bdi>{name}</bdi></b><small>{email}</small></div></div>'
)


_LABELS: Final[Mapping[Place, str]] = {
    Place.HOME: "Home",
    Place.TAVERN: "Tavern",
    Place.EVENTS: "Events",
    Place.PEOPLE: "People",
    Place.INBOX: "Inbox",
    Place.AGENTS: "Agents",
    Place.ROUTING: "Routing",
    Place.RATINGS: "Ratings",
    Place.LEADERBOARD: "Leaderboard",
    Place.ACTIVITY: "Activity",
    Place.DIAGNOSTICS: "Diagnostics",
}
_HOUSE: Final = (Place.HOME, Place.TAVERN, Place.EVENTS, Place.PEOPLE, Place.INBOX)
_WORKSHOP: Final = (Place.AGENTS, Place.ROUTING, Place.RATINGS, Place.LEADERBOARD)
_WITHIN: Final[Mapping[Place, Place]] = {Place.EVENT: Place.EVENTS, Place.PERSON: Place.PEOPLE}
"""The pages of one event and one person are within those of all."""
_ADMIN: Final = (Place.ACTIVITY, Place.DIAGNOSTICS)
_FOR_ADMIN: Final = "menu_for_admin"


def show() -> None:
    """Show the menu with the current page marked, and the notices that appear on every page."""
    st.logo(LOGO, size="large")
    _links()
    run_notices.show()
    routing_notices.show()
    rating_notices.show()
    show_outcomes()
    with st.sidebar.container(key="here"):
        presence.show()
    with st.sidebar.container(key="who"):
        _who()
    with st.sidebar:
        follow_links.show()
        keep_focus.show()
        quick_search.show({place: _LABELS[place] for place in _places()})


def _lost_its_admin() -> bool:
    """Whether this tab's person has stopped being an admin since the last call.

    What only admins see may stand in fragments that show no table, so the whole page is drawn anew.
    """
    kept_reads()  # forgets what another role has read, also if no page asks for it until the role is back
    before = st.session_state.get(_FOR_ADMIN, False)
    st.session_state[_FOR_ADMIN] = session.is_admin()
    return bool(before) and not session.is_admin()


@live_fragment(
    tables=(MY_PROFILE, "private_messages", STATUS, WRITES), varies_by=("user", "role"), key="navigation"
)
def _links() -> None:
    if identity.needs_full_run() or _lost_its_admin():
        st.rerun()
    count = unread()
    with st.sidebar, st.container(key="menu_search"):
        quick_search.button()
    with st.sidebar, st.container(key="links", gap=None):
        _group("House", _HOUSE, count)
        if session.signed_in() is not None:
            _group("Workshop", _WORKSHOP, count)
        if session.is_admin():
            _group("Admin", _ADMIN, count)
    # The places that are used most, at the bottom of a phone.
    with st.container(key="tabs", horizontal=True, wrap=False, gap=None):
        for place in _HOUSE:
            _link(place, count)
    within = _WITHIN.get(here())
    data = {
        "unread": count,
        "current": page(here()).url_path,
        "within": None if within is None else page(within).url_path,
    }
    _script()(key="tavern_menu", data=data)


@cache
def _script() -> ComponentRenderer:
    script = (Path(__file__).parent / "menu.js").read_text(encoding="utf-8")
    return st.components.v2.component("tavern_menu", js=script)


def _places() -> Sequence[Place]:
    """Return the pages of the menu that this person may open."""
    workshop = _WORKSHOP if session.signed_in() is not None else ()
    return (*_HOUSE, *workshop, *(_ADMIN if session.is_admin() else ()))


def _group(name: str, places: Sequence[Place], count: int) -> None:
    html.show(_GROUP(name=name))
    for place in places:
        _link(place, count)


def _link(place: Place, count: int) -> None:
    badge = f" :primary-badge[{count}]" if place is Place.INBOX and count else ""
    st.page_link(page(place), label=_LABELS[place] + badge, width="stretch")


def unread() -> int:
    """Count the signed-in person's unread messages."""
    me = session.my_id()
    if me is None:
        return 0
    return message_tables.private_messages().derived(("unread", me), lambda rows: _count_unread(rows, me))


def _count_unread(rows: Rows[PrivateMessage], me: str) -> int:
    return sum(1 for message in rows.values() if is_unread(message, me))


def _who() -> None:
    if session.signed_in() is None:
        sign_in_link(width="stretch")
        create_account_link(width="stretch")
        return
    _card()
    # The style sheet puts its button over the card.
    with st.popover("Account", type="tertiary", width="stretch", key="own_menu"):
        st.page_link(page(Place.PROFILE), label="Your profile", icon=":material/badge:", width="stretch")
        st.button(
            "Sign out", icon=":material/logout:", type="tertiary", key="sign_out", on_click=identity.sign_out
        )


@live_fragment(tables=(MY_PROFILE, WRITES), varies_by=("user",), key="who_card")
def _card() -> None:
    me = session.signed_in()
    user = session.my_profile()
    name, email = name_of(user) if user else "…", me.email if me else ""
    html.show(_CARD(avatar=avatar_html(user), name=name, email=email))
