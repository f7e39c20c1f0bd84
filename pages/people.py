"""Everybody who belongs to the Tavern."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from db import users as writes
from db.models import Role, User
from live.fragments import PRESENCE, live_fragment
from ui import event_cards, here, layout, session, times, writing
from ui.bridge import clicked, mark
from ui.first_run import run_whole_app
from ui.pending import WRITES, Expected
from ui.people import avatar_html, by_name, directory_html, matches, name_of, role_html
from ui.shared import shared_html
from ui.sidebar import Place, page
from ui.text import as_html, as_label, plural

BLOCK = "directory"
_SEARCH = "people_search"
_MOST = 120
"""People shown at once."""


def show() -> None:
    layout.page_head("People", "Who belongs to the Tavern.")
    _search()
    with st.container(key=BLOCK):
        _directory()
    _marks()
    _actions()


@st.fragment(key="people_search_box")
def _search() -> None:
    # The answer moves out of the widget: its own state goes when the page is left.
    typed = st.text_input(
        "Search",
        key=f"{_SEARCH}_box",
        placeholder="Find somebody by name or by what they say about themselves",
        icon=":material/search:",
        on_change=_searched,
    )
    st.session_state[_SEARCH] = typed


def _searched() -> None:
    st.session_state[_SEARCH] = st.session_state[f"{_SEARCH}_box"]
    st.rerun("people_directory")


@live_fragment(tables=("users", WRITES), varies_by=(_SEARCH,), key="people_directory")
def _directory() -> None:
    wanted = st.session_state.get(_SEARCH, "")
    users = session.users()
    found = [user for user in by_name(users) if matches(user, wanted)]
    if not found:
        layout.empty("🔎", "Nobody here by that name", "Try fewer letters.")
        return
    shown = found[:_MOST]
    st.html(
        directory_html(shown) if wanted else shared_html(("directory", users), lambda: directory_html(shown))
    )
    if len(found) > _MOST:
        st.caption(f"{plural(len(found) - _MOST, 'more person', 'more people')}. Search to find them.")


@live_fragment(tables=("users", PRESENCE), varies_by=("user",), key="people_marks")
def _marks() -> None:
    mark(
        BLOCK,
        rows=here.online_marks(session.present().now),
        everywhere=["guest"] if session.signed_in() is None else ["member"],
    )


@st.fragment(key="people_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    user = session.users().get((click.row,)) if click else None
    if click is None or user is None:
        return
    if click.action == "write":
        st.session_state["inbox_wanted"] = user.id
        st.switch_page(page(Place.INBOX))
    _profile(user.id)


@st.dialog("Profile")
def _profile(user_id: str) -> None:
    user = session.users().get((user_id,))
    if user is None:
        st.info("This person has left the Tavern.")
        return
    bio = f'<p class="tv-text" dir="auto">{as_html(user.bio)}</p>' if user.bio else ""
    zone = session.zone()
    joined = times.day_name(user.created_at, zone, times.today_in(zone))
    st.html(
        f'<div class="tv-profile">{avatar_html(user, "large")}<div><h2><bdi>{as_html(name_of(user))}</bdi>'
        f"{role_html(user)}</h2><small>Here since: {as_html(joined)}</small></div></div>{bio}"
    )
    _plans(user)
    if user.id == session.my_id():
        st.page_link(page(Place.PROFILE), label="Edit your profile", icon=":material/edit:")
    if session.is_admin():
        _role(user)


def _plans(user: User) -> None:
    events = event_cards.upcoming(session.events(), event_cards.this_minute())
    answers = event_cards.answers_by_event(session.rsvps())
    runs = [event for event in events if event.organizer_id == user.id]
    goes = [
        event
        for event in events
        if any(rsvp.user_id == user.id for rsvp in answers.get(event.id, event_cards.NOBODY).going)
    ]
    for words, some in (("Runs", runs), ("Goes to", goes)):
        if some:
            titles = ", ".join(as_label(event.title) for event in some[:5])
            st.markdown(f"**{words} {plural(len(some), 'event')}:** {titles}")


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
    put = writing.putting("users", lambda me: writes.set_role(me, user.id, role, version=user.version))
    expected = Expected("users", (user.id,), replace(user, role=role))
    writing.ask(put, expected, words=f"{name_of(user)} is now {role.value}.")
    st.rerun()


if __name__ == "__main__":
    run_whole_app()
