"""What the buttons of an event do: answer, edit, cancel, put back on."""

from __future__ import annotations

from datetime import UTC, datetime

import streamlit as st

from db.hub import rsvps
from db.hub.models import Event, Rsvp, RsvpStatus
from ui.base import feedback, session
from ui.base.html_actions import Click, clicked
from ui.base.write_queue import Expected
from ui.events import tables
from ui.events.cancel import cancel_event, reinstate_event
from ui.events.edit import edit_event
from ui.writes.submit import submit_row


@st.fragment(key="events_actions")
def follow_clicks(block: str) -> None:
    """Do what the buttons of the events in a block of HTML say."""
    click = clicked(block, _answer)
    event = _event_of(click) if click else None
    if click is None or event is None:
        return
    if session.signed_in() is None:
        feedback.toast("Sign in to answer: it takes a minute.", ":material/login:")
        return
    match click.action:
        case "edit":
            edit_event(event)
        case "cancel":
            cancel_event(event)
        case "reinstate":
            reinstate_event(event)


def _event_of(click: Click) -> Event | None:
    return tables.events().get((click.row,))


def _answer(click: Click) -> bool:
    """Answer an event, if the click says so and the person may. An answer says it by its look."""
    event, me, now = _event_of(click), session.my_id(), datetime.now(UTC)
    if event is None or me is None or click.action not in set(RsvpStatus):
        return False
    status, key = RsvpStatus(click.action), (event.id, me)
    mine: Rsvp | None = session.newest("rsvps").get(key)
    if mine is None or mine.status is not status:
        answer = Rsvp(event.id, me, status, 0, now, now)
        submit_row(
            "rsvps",
            lambda me: rsvps.answer(me, event.id, status),
            Expected("rsvps", key, answer, new=mine is None),
        )
    return True
