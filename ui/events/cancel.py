"""The dialog to cancel an event, with a reason for those who wanted to come, and putting it back on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import events
from db.hub.models import Event
from ui.base import drafts, feedback
from ui.base.text import as_label, one_line
from ui.base.write_queue import Expected
from ui.writes.submit import submit_row

LONGEST = 500
"""Characters of a reason."""


@st.dialog("Cancel this event?")
def cancel_event(event: Event) -> None:
    """Ask whether the event is to be cancelled, and why."""
    st.markdown(
        f"**{as_label(event.title)}** stays on the page, marked as cancelled. Nobody can answer any more."
    )
    place = drafts.cancellation(event.id)
    key = drafts.shown(place, f"cancel_{event.id}").key
    drafts.keep(place, key)
    with st.form(f"cancel_form_{event.id}", border=False, enter_to_submit=False):
        # No `max_chars`: with it the browser silently drops a long text that is pasted.
        reason = st.text_area(
            "Reason",
            key=key,
            height=90,
            placeholder="For everybody who wanted to come. You can leave it empty.",
        )
        problem = st.container()
        st.caption("You can put it back on later.")
        with st.container(horizontal=True):
            confirmed = st.form_submit_button("Yes, cancel it", type="primary")
            kept = st.form_submit_button("Keep it", type="tertiary")
    if kept:
        st.rerun()
    if confirmed:
        with problem:
            feedback.show_problem(problem_of(reason))
        if problem_of(reason) is None:
            _cancel(event, reason.strip() if one_line(reason) else "")
            drafts.forget(place)
            st.rerun()


def problem_of(reason: str) -> str | None:
    """Return what is wrong with a reason, None if nothing is."""
    length = len(reason.strip())
    if length <= LONGEST:
        return None
    return f"A reason has up to {LONGEST} characters, and this has {length:,}. Please shorten it."


def _cancel(event: Event, reason: str) -> None:
    _switch(
        event,
        lambda me: events.cancel(me, event.id, version=event.version, reason=reason),
        replace(event, cancelled_at=datetime.now(UTC), cancel_reason=reason),
        "The event is cancelled. “Put back on” undoes it.",
    )


def reinstate_event(event: Event) -> None:
    """Put a cancelled event back on."""
    _switch(
        event,
        lambda me: events.reinstate(me, event.id, version=event.version),
        replace(event, cancelled_at=None, cancel_reason=""),
        "The event is on again.",
    )


def _switch(event: Event, do: Callable[[SignedIn], Record], expected: Event, message: str) -> None:
    submit_row("events", do, Expected("events", (event.id,), expected), success_message=message)
