"""What the buttons of an event do: answer, bring guests, edit, cancel, put back on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db.hub import rsvps
from db.hub.models import Event, Rsvp, RsvpStatus
from ui.base import feedback, session
from ui.base.html_actions import Click, clicked
from ui.base.write_queue import Expected
from ui.events import answers, tables
from ui.events.cancel import cancel_event, reinstate_event
from ui.events.edit import edit_event
from ui.writes.submit import submit_removal, submit_row

_COMING: Final = frozenset({RsvpStatus.GOING, RsvpStatus.WAITLISTED})
_ANSWERING: Final = frozenset(
    {*RsvpStatus, answers.CONFIRM, answers.WITHDRAW, answers.MORE_GUESTS, answers.FEWER_GUESTS}
)


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
    event, me = _event_of(click), session.my_id()
    if event is None or me is None or click.action not in _ANSWERING:
        return False
    mine: Rsvp | None = session.newest("rsvps").get((event.id, me))
    if click.action == answers.WITHDRAW:
        if mine is not None:
            submit_removal("rsvps", (event.id, me), lambda me: rsvps.withdraw(me, event.id))
        return True
    new = _new_answer(event.id, me, mine, click.action)
    if new is not None and new != mine:
        submit_row(
            "rsvps",
            lambda me: rsvps.answer(me, event.id, new.status, new.guests),
            Expected("rsvps", (event.id, me), new, new=mine is None),
        )
    return True


def _new_answer(event_id: str, me: str, mine: Rsvp | None, action: str) -> Rsvp | None:
    """Return the answer after a click, None if the answer has changed so that the click cannot be meant."""
    now = datetime.now(UTC)
    comes = mine is not None and mine.status in _COMING
    if action in set(RsvpStatus):
        status = RsvpStatus(action)
        if mine is None:
            since = now if status is RsvpStatus.WAITLISTED else None
            return Rsvp(event_id, me, status, 0, since, None, 0, now, now)
        if mine.status is RsvpStatus.GOING and status is RsvpStatus.WAITLISTED:
            return None
        return replace(
            mine,
            status=status,
            guests=mine.guests if comes and status in _COMING else 0,
            waitlisted_at=(mine.waitlisted_at or now) if status is RsvpStatus.WAITLISTED else None,
            confirm_by=None,
        )
    if mine is None or not comes:
        return None
    if action == answers.CONFIRM:
        return replace(mine, confirm_by=None)
    guests = mine.guests + (1 if action == answers.MORE_GUESTS else -1)
    return replace(mine, guests=min(max(guests, 0), rsvps.MOST_GUESTS), confirm_by=None)
