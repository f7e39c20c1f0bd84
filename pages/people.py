"""The directory: everybody who has an account, with search."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from db.hub import users as db_users
from db.hub.models import Role, User
from livetables.fragments import PRESENCE, live_fragment
from ui.base import html, layout, session, times
from ui.base.html import EMPTY, Template
from ui.base.html_actions import clicked, mark
from ui.base.html_cache import shared_html
from ui.base.navigation import Place, page
from ui.base.people import (
    avatar_html,
    name_html,
    name_of,
    role_html,
)
from ui.base.tab import own_key
from ui.base.text import as_label, plural
from ui.base.write_queue import WRITES, Expected
from ui.events import tables as event_tables
from ui.events.schedule import NO_RSVPS, attendance_by_event, this_minute, upcoming
from ui.messages import inbox
from ui.people.directory import directory_html, online_marks, search
from ui.shell.run_app import run_whole_app
from ui.writes.submit import submit_row

BLOCK = "directory"
_SEARCH = "people_search"
_MOST_SHOWN = 120

_PROFILE = Template(
    '<div class="tv-profile">{avatar}<div><h2>{name}{role}</h2>'
    "<small>Joined: {joined}</small></div></div>{bio}"
)
_BIO = Template('<p class="tv-text" dir="auto">{text}</p>')


def show() -> None:
    layout.page_head("People", "Who belongs to the Tavern.")
    _search()
    with st.container(key=BLOCK):
        _directory()
    _marks()
    _actions()


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
    st.rerun("people_directory")


@live_fragment(tables=("users", WRITES), varies_by=(_SEARCH,), key="people_directory")
def _directory() -> None:
    query = st.session_state.get(_SEARCH, "")
    users = session.users()
    found = search(users, query)
    if not found:
        layout.empty("🔎", "Nobody found", "Try fewer letters.")
        return
    shown = found[:_MOST_SHOWN]
    html.show(
        directory_html(shown) if query else shared_html(("directory", users), lambda: directory_html(shown))
    )
    if len(found) > _MOST_SHOWN:
        st.caption(f"{plural(len(found) - _MOST_SHOWN, 'more person', 'more people')}. Search to find them.")


@live_fragment(tables=("users", PRESENCE), varies_by=("user",), key="people_marks")
def _marks() -> None:
    mark(
        BLOCK,
        rows=online_marks(session.present().now),
        everywhere=["guest"] if session.signed_in() is None else ["member"],
    )


@st.fragment(key="people_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    user = session.users().get((click.row,)) if click else None
    if click is None or user is None:
        return
    if click.action == "write":
        st.switch_page(page(Place.INBOX), query_params={inbox.PARAMETER: user.id})
    _profile(user.id)


@st.dialog("Profile")
def _profile(user_id: str) -> None:
    user = session.users().get((user_id,))
    if user is None:
        st.info("This person has left the Tavern.")
        return
    region = session.region()
    html.show(
        _PROFILE(
            avatar=avatar_html(user, "large"),
            name=name_html(user),
            role=role_html(user),
            joined=times.day_name(user.created_at, region, times.today_in(region.zone)),
            bio=_BIO(text=user.bio) if user.bio else EMPTY,
        )
    )
    _plans(user)
    if user.id == session.my_id():
        st.page_link(page(Place.PROFILE), label="Edit your profile", icon=":material/edit:")
    if session.is_admin():
        _role(user)


def _plans(user: User) -> None:
    events = upcoming(event_tables.events(), this_minute())
    attendances = attendance_by_event(event_tables.rsvps())
    organizes = [event for event in events if event.organizer_id == user.id]
    attends = [
        event
        for event in events
        if any(rsvp.user_id == user.id for rsvp in attendances.get(event.id, NO_RSVPS).going)
    ]
    for verb, found in (("Organizes", organizes), ("Goes to", attends)):
        if found:
            titles = ", ".join(as_label(event.title) for event in found[:5])
            st.markdown(f"**{verb} {plural(len(found), 'event')}:** {titles}")


def _role(user: User) -> None:
    with st.form(f"role_{user.id}", border=True):
        name = st.selectbox(
            "Role",
            [each.value for each in Role],
            index=list(Role).index(user.role),
            key=f"role_of_{user.id}",
        )
        changed = st.form_submit_button("Change role")
    role = Role(name)
    if not changed or role is user.role:
        return
    expected = Expected("users", (user.id,), replace(user, role=role))
    submit_row(
        "users",
        lambda me: db_users.set_role(me, user.id, role, version=user.version),
        expected,
        success_message=f"{name_of(user)} is now {role.value}.",
    )
    st.rerun()


if __name__ == "__main__":
    run_whole_app()
