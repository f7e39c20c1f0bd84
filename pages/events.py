"""Upcoming and past events, RSVPs, and new events."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import events as db_events
from db.hub import rsvps as db_rsvps
from db.hub.events import EventDraft
from db.hub.models import Event, Rsvp, RsvpStatus
from livetables.fragments import PRESENCE, live_fragment
from ui.base import drafts, feedback, focus, html, layout, session
from ui.base.html_actions import Click, clicked, mark
from ui.base.html_cache import shared_html
from ui.base.text import as_label
from ui.base.write_queue import WRITES, Expected
from ui.events import cards, form, schedule, tables
from ui.events.cards import Viewing
from ui.events.edit import edit_event
from ui.events.editors import editors_html
from ui.shell.account import sign_in_link
from ui.shell.run_app import run_whole_app
from ui.writes.saving import Saving
from ui.writes.submit import submit_row

BLOCK = "event_cards"
_FORM = "new_event"
_OPEN = "new_event_open"
_ID = "new_event_id"
_QUERY_PARAMETER = "new"
_SAVING = Saving("new_event")
_UPCOMING_SHOWN, _PAST_SHOWN = 100, 30


def show() -> None:
    layout.page_head("Events", "What is on in the Tavern, and who is coming.")
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
    editors = editors_html(session.present().now, tables.events(), session.users(), session.my_id())
    if editors:
        html.show(editors)


def _viewing() -> Viewing:
    return Viewing(session.region(), schedule.this_minute())


_TABLES = ("events", "rsvps", "users", "event_cohosts")


@live_fragment(
    tables=(*_TABLES, WRITES),
    varies_by=(
        "time_zone",
        "language",
    ),
    key="events_upcoming",
)
def _upcoming() -> None:
    viewing = _viewing()
    shown = schedule.upcoming(tables.events(), viewing.minute)[:_UPCOMING_SHOWN]
    if not shown:
        layout.empty("🎻", "Nothing planned yet", "Sign in and plan the first evening.")
        return
    _cards("upcoming", shown, viewing)


@live_fragment(
    tables=(*_TABLES, WRITES),
    varies_by=(
        "time_zone",
        "language",
    ),
    key="events_past",
)
def _past() -> None:
    viewing = _viewing()
    shown = schedule.past(tables.events(), viewing.minute)[:_PAST_SHOWN]
    if not shown:
        layout.empty("🕯️", "No memories yet", "Events that are over move here.")
        return
    _cards("past", shown, viewing)


def _cards(which: str, shown: list[Event], viewing: Viewing) -> None:
    """Show the cards, built once for everybody who is shown the same ones in the same region."""
    rsvps, users, cohosts = tables.rsvps(), session.users(), tables.cohosts()
    pending = frozenset().union(*(session.pending(table) for table in ("events", "rsvps", "event_cohosts")))
    ids = tuple(event.id for event in shown)
    by_event = schedule.cohosts_by_event(cohosts)
    html.show(
        shared_html(
            (which, ids, tables.events(), rsvps, users, cohosts, viewing.region, viewing.today, pending),
            lambda: cards.cards_html(shown, rsvps, users, by_event, viewing, pending),
        )
    )


@live_fragment(
    tables=("rsvps", "event_cohosts", "users", WRITES), varies_by=("user", "role"), key="events_marks"
)
def _marks() -> None:
    mark(
        BLOCK,
        rows=cards.my_marks(tables.rsvps(), tables.cohosts(), session.my_id()),
        everywhere=["host"] if session.is_admin() else [],
    )


# ---------------------------------------------------------------- answer, edit, cancel


@st.fragment(key="events_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    event = tables.events().get((click.row,)) if click else None
    if click is None or event is None:
        return
    if session.signed_in() is None:
        feedback.toast("Sign in to answer: it takes a minute.", ":material/login:")
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
    mine = tables.rsvps().get(key)
    if mine is not None and mine.status is status:
        return
    answer = Rsvp(event.id, me, status, 0, now, now)
    submit_row(
        "rsvps",
        lambda me: db_rsvps.answer(me, event.id, status),
        Expected("rsvps", key, answer, new=mine is None),
    )


@st.dialog("Cancel this event?")
def _cancel(event: Event) -> None:
    st.markdown(
        f"**{as_label(event.title)}** stays on the page, marked as cancelled. Nobody can answer any more."
    )
    st.caption("You can put it back on later.")
    if st.button("Yes, cancel it", type="primary"):
        _switch(
            event,
            lambda me: db_events.cancel(me, event.id, version=event.version),
            datetime.now(UTC),
            "The event is cancelled. “Put back on” undoes it.",
        )
        st.rerun()


def _reinstate(event: Event) -> None:
    _switch(
        event,
        lambda me: db_events.reinstate(me, event.id, version=event.version),
        None,
        "The event is on again.",
    )


def _switch(
    event: Event, do: Callable[[SignedIn], Record], cancelled_at: datetime | None, message: str
) -> None:
    expected = Expected("events", (event.id,), replace(event, cancelled_at=cancelled_at))
    submit_row("events", do, expected, success_message=message)


# ---------------------------------------------------------------- new event


@live_fragment(tables=(WRITES,), varies_by=("user",), key="new_event")
def _new_event() -> None:
    if session.signed_in() is None:
        sign_in_link("Sign in to plan an event")
        return
    if _SAVING.saved:
        _close_form()
        focus.move(_FORM, f'[data-row="{st.session_state.get(_ID)}"]')
        drafts.forget(drafts.NEW_EVENT)
        feedback.toast("Your event is on the board.", ":material/celebration:")
    _keep_in_address()
    event_id, busy = str(st.session_state.get(_ID)), _SAVING.busy
    kept = drafts.shown(drafts.NEW_EVENT, f"new_{event_id}")
    drafts.keep(drafts.NEW_EVENT, kept.key, note=True)
    focus.follow_moves(_FORM)
    if not st.session_state.get(_OPEN):
        st.button(
            "New event", type="primary", icon=":material/add:", key="new_event_button", on_click=_open_form
        )
        return
    with st.form(f"new_event_{event_id}"):
        st.header("New event", anchor=False)
        draft = form.fields(kept.key, form.new_draft(session.zone()), kept.options)
        with st.container(horizontal=True):
            created = st.form_submit_button(
                "Create event", type="primary", disabled=busy, on_click=form.show_problems, args=(kept.key,)
            )
            st.form_submit_button("Close", type="tertiary", on_click=_close_form, disabled=busy)
        _SAVING.mark()
    if created:
        _SAVING.forget()
        if isinstance(draft, EventDraft):
            _create(event_id, draft)
    _SAVING.show()


def _keep_in_address() -> None:
    """Keep an open form in the page's address, so that it is open again after the server restarts."""
    in_address = st.query_params.get(_QUERY_PARAMETER)
    if _OPEN not in st.session_state and in_address and _is_uuid(in_address):
        st.session_state[_OPEN], st.session_state[_ID] = True, in_address
    if st.session_state.get(_OPEN):
        if in_address != st.session_state[_ID]:
            st.query_params[_QUERY_PARAMETER] = st.session_state[_ID]
    elif in_address:
        del st.query_params[_QUERY_PARAMETER]


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _open_form() -> None:
    st.session_state[_OPEN] = True
    # The id is made with the form, so that sending the form twice creates one event.
    st.session_state[_ID] = str(uuid.uuid4())
    focus.move(_FORM, '[data-testid="stForm"] input')


def _close_form() -> None:
    _SAVING.forget()
    st.session_state[_OPEN] = False
    focus.move(_FORM, ".st-key-new_event_button button")


def _create(event_id: str, draft: EventDraft) -> None:
    row = form.new_event(event_id, draft, session.my_id() or "")
    _SAVING.begin(
        submit_row(
            "events",
            lambda me: db_events.create(me, event_id, draft),
            Expected("events", (event_id,), row, new=True),
            notify=False,
        )
    )
    st.rerun(scope="fragment")


if __name__ == "__main__":
    run_whole_app()
