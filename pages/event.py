"""One event, at an address of its own."""

from __future__ import annotations

import streamlit as st

from db.hub.models import Event
from livetables.fragments import PRESENCE, live_fragment
from ui.base import html, layout, presence, session
from ui.base.html import Template, join
from ui.base.html_actions import mark
from ui.base.html_cache import shared_html
from ui.base.links import ALL_EVENTS, ID
from ui.base.navigation import Place, page
from ui.base.parts import MY_COHOSTING, MY_PROFILE, MY_RSVPS
from ui.base.text import one_line
from ui.base.write_queue import WRITES
from ui.events import actions, answers, attendees, picture, schedule, tables
from ui.events.cards import viewing_now
from ui.events.page import page_html
from ui.messages.chat import EventChat, Look
from ui.shell.account import sign_in_link
from ui.shell.guests import GUESTS
from ui.shell.run_app import run_whole_app

BLOCK = "event_page"
_SEEN = "event_page_seen"
_TITLE = "Event"
_DISCUSSION_HEAD = Template("<h2>Discussion</h2>")()


def show() -> None:
    # Fragments get the id from this run: the address may be a step behind when they run again.
    event_id = st.query_params.get(ID, "")
    layout.live_head(lambda: _head(event_id))
    _also_here(event_id)
    with st.container(key=BLOCK):
        _event(event_id)
    _export(event_id)
    picture.reset(event_id)
    picture.show(event_id)
    _marks()
    actions.follow_clicks(BLOCK)
    if _found(event_id) is not None:
        _discussion(event_id)


def open_item() -> str:
    """Return what the page has open, for others to see who looks at it."""
    return presence.page_item(st.query_params.get(ID, ""))


def _found(event_id: str) -> Event | None:
    return tables.events().get((event_id,))


@live_fragment(tables=("events", WRITES), varies_by=("user",), key="event_head")
def _head(event_id: str) -> None:
    event = _found(event_id)
    title = one_line(event.title) if event else _TITLE
    layout.show_title(title, ALL_EVENTS)
    layout.name_tab(title, _TITLE)


@live_fragment(tables=(PRESENCE, "users"), varies_by=("user",), key="event_also_here")
def _also_here(event_id: str) -> None:
    """Show who is editing the event, and who is looking at it."""
    now, users, me = session.present().now, session.users(), session.my_id()
    people = (
        presence.editing_html(now, event_id, users, me),
        presence.looking_html(now, event_id, users, me),
    )
    if any(people):
        html.show(join(people))


@live_fragment(
    tables=("events", "rsvps", "users", "event_cohosts", WRITES),
    varies_by=("user", "time_zone", "language"),
    key="event_body",
)
def _event(event_id: str) -> None:
    event = _found(event_id)
    if event is None:
        _missing(event_id)
        return
    st.session_state[_SEEN] = event_id
    viewing = viewing_now()
    rsvps, users, cohosts = tables.rsvps(), session.users(), tables.cohosts()
    pending = any(event_id in session.pending(table) for table in ("events", "rsvps", "event_cohosts"))
    by_event = schedule.cohosts_by_event(cohosts)
    over = event.ends_at <= viewing.minute
    html.show(
        shared_html(
            ("event page", event, rsvps, users, cohosts, viewing.region, viewing.today, over, pending),
            lambda: page_html(event, rsvps, users, by_event.get(event_id, ()), viewing, pending=pending),
        )
    )
    if session.signed_in() is None and not over and event.cancelled_at is None:
        sign_in_link("Sign in to answer")


@live_fragment(
    tables=("events", "rsvps", "users", "event_cohosts", WRITES),
    varies_by=("user", "role"),
    key="event_export",
)
def _export(event_id: str) -> None:
    """Offer the hosts and admins the answers as a file."""
    event = _found(event_id)
    if event is None:
        return
    if session.is_admin() or schedule.is_host(event, tables.cohosts(), session.my_id()):
        attendees.show_export(event, tables.rsvps(), session.users())


def _is_host(event_id: str) -> bool:
    event = _found(event_id)
    return event is not None and schedule.is_host(event, tables.cohosts(), session.my_id())


_NOTHING_SAID = ("💬", "Nothing said yet", "Ask something, or say what you bring.")
_DISCUSSION = EventChat("discussion", Look("Discussion", 40, 420, _NOTHING_SAID), GUESTS, _is_host)


def _discussion(event_id: str) -> None:
    with st.container(key="event_discussion"):
        html.show(_DISCUSSION_HEAD)
        _DISCUSSION.show(event_id)


def _missing(event_id: str) -> None:
    if st.session_state.get(_SEEN) == event_id:
        layout.empty("🕯️", "This event is no longer there", "Somebody has removed it while you were here.")
    else:
        layout.empty(
            "🗺️",
            "This event does not exist or is not visible to you",
            "Maybe it was removed, or a letter of the link is missing.",
        )
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.page_link(page(Place.EVENTS), label="See all events", icon=":material/event:")


@live_fragment(
    tables=(MY_RSVPS, MY_COHOSTING, MY_PROFILE, WRITES),
    varies_by=("user", "role", "time_zone", "language"),
    key="event_marks",
)
def _marks() -> None:
    mark(
        BLOCK,
        rows=answers.my_marks(tables.rsvps(), tables.cohosts(), session.my_id()),
        notes=answers.my_notes(tables.rsvps(), session.my_id(), session.region()),
        everywhere=["host"] if session.is_admin() else [],
    )


if __name__ == "__main__":
    run_whole_app()
