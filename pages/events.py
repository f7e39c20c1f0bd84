"""What is on, who comes, and one's own answer."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db import events as writes
from db import rsvps
from db.auth import SignedIn
from db.models import Event, Record, Rsvp, RsvpStatus
from live.fragments import PRESENCE, live_fragment
from ui import event_cards, event_form, here, layout, session, writing
from ui.bridge import Click, clicked, mark
from ui.conflicts import Saving
from ui.event_cards import Viewing
from ui.event_edit import edit_event
from ui.first_run import run_whole_app
from ui.pending import WRITES, Expected
from ui.shared import shared_html
from ui.sidebar import Place, page
from ui.text import as_label

BLOCK = "event_cards"
_OPEN = "new_event_open"
_DRAFT = "new_event_draft"
_NOTED = "new"
_SAVING = Saving("new_event")
_UPCOMING_SHOWN, _PAST_SHOWN = 100, 30


def show() -> None:
    layout.page_head("Events", "What is on in the Tavern, and who comes.")
    _new_event()
    _editors()
    with st.container(key=BLOCK):
        soon, over = st.tabs(["Upcoming", "Past"])
        with soon:
            _upcoming()
        with over:
            _past()
    _marks()
    _actions()


@live_fragment(tables=(PRESENCE, "events", "users"), varies_by=("user",), key="events_editors")
def _editors() -> None:
    told = here.editors_html(session.present().now, session.events(), session.users(), session.my_id())
    if told:
        st.html(told)


def _viewing() -> Viewing:
    return Viewing(session.zone(), event_cards.this_minute())


_TABLES = ("events", "rsvps", "users", "event_cohosts")


@live_fragment(tables=(*_TABLES, WRITES), varies_by=("time_zone",), key="events_upcoming")
def _upcoming() -> None:
    viewing = _viewing()
    shown = event_cards.upcoming(session.events(), viewing.minute)[:_UPCOMING_SHOWN]
    if not shown:
        layout.empty("🎻", "Nothing planned yet", "Sign in and plan the first evening.")
        return
    _cards("upcoming", shown, viewing)


@live_fragment(tables=(*_TABLES, WRITES), varies_by=("time_zone",), key="events_past")
def _past() -> None:
    viewing = _viewing()
    shown = event_cards.past(session.events(), viewing.minute)[:_PAST_SHOWN]
    if not shown:
        layout.empty("🕯️", "No memories yet", "What is over moves here.")
        return
    _cards("past", shown, viewing)


def _cards(which: str, shown: list[Event], viewing: Viewing) -> None:
    """Show the cards, built once for everybody who looks at the same ones from the same zone."""
    answers, users, cohosts = session.rsvps(), session.users(), session.event_cohosts()
    pending = frozenset().union(*(session.pending(table) for table in ("events", "rsvps", "event_cohosts")))
    ids = tuple(event.id for event in shown)
    by_event = event_cards.cohosts_by_event(cohosts)
    st.html(
        shared_html(
            (which, ids, session.events(), answers, users, cohosts, viewing.zone.key, viewing.today, pending),
            lambda: event_cards.cards_html(shown, answers, users, by_event, viewing, pending),
        )
    )


@live_fragment(
    tables=("rsvps", "event_cohosts", "users", WRITES), varies_by=("user", "role"), key="events_marks"
)
def _marks() -> None:
    mark(
        BLOCK,
        rows=event_cards.my_marks(session.rsvps(), session.event_cohosts(), session.my_id()),
        everywhere=["host"] if session.is_admin() else [],
    )


# ---------------------------------------------------------------- answering, changing, calling off


@st.fragment(key="events_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    event = session.events().get((click.row,)) if click else None
    if click is None or event is None:
        return
    if session.signed_in() is None:
        writing.say("Sign in to answer: it takes a minute.", ":material/login:")
        return
    _act(click, event)


def _act(click: Click, event: Event) -> None:
    match click.action:
        case "edit":
            edit_event(event)
        case "cancel":
            _cancel(event)
        case "reinstate":
            _reinstate(event)
        case "going" | "maybe" | "declined":
            _answer(event, RsvpStatus(click.action))


def _answer(event: Event, status: RsvpStatus) -> None:
    me, now = session.my_id() or "", datetime.now(UTC)
    key = (event.id, me)
    mine = session.rsvps().get(key)
    if mine is not None and mine.status is status:
        return
    answer = Rsvp(event.id, me, status, 0, now, now)
    put = writing.putting("rsvps", lambda me: rsvps.answer(me, event.id, status))
    writing.ask(put, Expected("rsvps", key, answer, new=mine is None))


@st.dialog("Cancel this event?")
def _cancel(event: Event) -> None:
    st.markdown(f"**{as_label(event.title)}** stays on the page, marked as cancelled, and nobody can answer.")
    st.caption("You can put it back on later.")
    if st.button("Yes, cancel it", type="primary"):
        _switch(
            event,
            lambda me: writes.cancel(me, event.id, version=event.version),
            datetime.now(UTC),
            "The event is cancelled. “Put back on” undoes it.",
        )
        st.rerun()


def _reinstate(event: Event) -> None:
    _switch(
        event,
        lambda me: writes.reinstate(me, event.id, version=event.version),
        None,
        "The event is on again.",
    )


def _switch(
    event: Event, do: Callable[[SignedIn], Record], cancelled_at: datetime | None, words: str
) -> None:
    expected = Expected("events", (event.id,), replace(event, cancelled_at=cancelled_at))
    writing.ask(writing.putting("events", do), expected, words=words)


# ---------------------------------------------------------------- a new event


@live_fragment(tables=(WRITES,), varies_by=("user",), key="new_event")
def _new_event() -> None:
    if session.signed_in() is None:
        st.page_link(page(Place.SIGN_IN), label="Sign in to plan an event", icon=":material/login:")
        return
    if _SAVING.saved:
        _close_form()
        writing.say("Your event is on the board.", ":material/celebration:")
    _keep_in_address()
    if not st.session_state.get(_OPEN):
        st.button("New event", type="primary", icon=":material/add:", on_click=_open_form)
        return
    event_id, busy = str(st.session_state[_DRAFT]), _SAVING.busy
    with st.form(f"new_event_{event_id}"):
        st.subheader("New event", anchor=False)
        filled = event_form.fields(f"new_{event_id}", event_form.new_draft(session.zone()))
        with st.container(horizontal=True):
            created = st.form_submit_button("Create event", type="primary", disabled=busy)
            st.form_submit_button("Close", type="tertiary", on_click=_close_form, disabled=busy)
        _SAVING.mark()
    if created:
        _create(event_id, filled)
    _SAVING.show()


def _keep_in_address() -> None:
    """Note an open form in the page's address, so that it is open again after the server was restarted."""
    noted = st.query_params.get(_NOTED)
    if _OPEN not in st.session_state and noted and _is_uuid(noted):
        st.session_state[_OPEN], st.session_state[_DRAFT] = True, noted
    if st.session_state.get(_OPEN):
        if noted != st.session_state[_DRAFT]:
            st.query_params[_NOTED] = st.session_state[_DRAFT]
    elif noted:
        del st.query_params[_NOTED]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _open_form() -> None:
    st.session_state[_OPEN] = True
    # The id is made with the form: sending it twice makes one event.
    st.session_state[_DRAFT] = str(uuid.uuid4())


def _close_form() -> None:
    _SAVING.forget()
    st.session_state[_OPEN] = False


def _create(event_id: str, filled: event_form.Filled) -> None:
    draft = event_form.checked(filled)
    if isinstance(draft, str):
        _SAVING.forget()
        st.warning(draft)
        return
    row = event_form.new_event(event_id, draft, session.my_id() or "")
    put = writing.putting("events", lambda me: writes.create(me, event_id, draft))
    _SAVING.begin(writing.ask(put, Expected("events", (event_id,), row, new=True), told=False))
    st.rerun(scope="fragment")


if __name__ == "__main__":
    run_whole_app()
