"""One person, at an address of their own."""

from __future__ import annotations

import streamlit as st

from db.hub.models import User
from livetables.fragments import PRESENCE, live_fragment
from ui.base import html, layout, session, times
from ui.base.links import ID
from ui.base.navigation import Place, page
from ui.base.people import name_of
from ui.base.write_queue import WRITES
from ui.events import tables
from ui.events.cards import viewing_now
from ui.events.plans import plans_html, plans_of
from ui.people import role, take_down
from ui.people.person import person_html
from ui.shell.run_app import run_whole_app

_SEEN = "person_page_seen"
_TITLE = "Person"


def show() -> None:
    # Fragments get the id from this run: the address may be a step behind when they run again.
    user_id = st.query_params.get(ID, "")
    layout.live_head(lambda: _head(user_id))
    _person(user_id)
    _plans(user_id)
    if session.is_admin():
        take_down.show(user_id)
        role.show(user_id)


def _found(user_id: str) -> User | None:
    return session.users().get((user_id,))


@live_fragment(tables=("users", WRITES), varies_by=("user", "time_zone", "language"), key="person_head")
def _head(user_id: str) -> None:
    user = _found(user_id)
    if user is None:
        layout.show_title(_TITLE, "Nobody is at this address.")
        layout.name_tab(_TITLE, _TITLE)
        return
    region = session.region()
    joined = times.day_name(user.created_at, region, times.today_in(region.zone))
    layout.show_title(name_of(user), f"Joined: {joined}")
    layout.name_tab(name_of(user), _TITLE)


@live_fragment(tables=("users", PRESENCE, WRITES), varies_by=("user",), key="person_card")
def _person(user_id: str) -> None:
    user = _found(user_id)
    if user is None:
        _missing(user_id)
        return
    st.session_state[_SEEN] = user_id
    spots = session.present().now.people.get(user_id, ())
    html.show(person_html(user, spots, session.my_id()))


def _missing(user_id: str) -> None:
    if st.session_state.get(_SEEN) == user_id:
        layout.empty("🕯️", "This person has left the Tavern", "Their account was deleted while you were here.")
    else:
        layout.empty(
            "🗺️",
            "This person does not exist or is not visible to you",
            "Maybe they have left the Tavern, or a letter of the link is missing.",
        )
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.page_link(page(Place.PEOPLE), label="See everybody", icon=":material/group:")


@live_fragment(
    tables=("events", "rsvps", "event_cohosts", "users", WRITES),
    varies_by=("user", "time_zone", "language"),
    key="person_plans",
)
def _plans(user_id: str) -> None:
    if _found(user_id) is None:
        return
    viewing = viewing_now()
    plans = plans_of(user_id, tables.events(), tables.rsvps(), tables.cohosts(), viewing)
    if plans:
        html.show(plans_html(plans, viewing))


if __name__ == "__main__":
    run_whole_app()
