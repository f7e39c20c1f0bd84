"""The form for a new event, which may begin as a copy of another one, or the button that opens it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import streamlit as st

from db.hub import events as db_events
from db.hub.events import EventDraft
from db.hub.models import Event
from livetables.fragments import live_fragment
from ui.base import drafts, feedback, focus, session
from ui.base.links import LIKE
from ui.base.text import as_label
from ui.base.write_queue import WRITES, Expected
from ui.events import form, tables
from ui.writes.saving import Saving
from ui.writes.submit import submit_row

_FORM = "new_event"
_OPEN = "new_event_open"
_ID = "new_event_id"
_LIKE = "new_event_like"
"""The id of the event of which the new one is a copy."""
_QUERY_PARAMETER = "new"
_SAVING = Saving("new_event")


@live_fragment(tables=(WRITES,), varies_by=("user",), key="new_event")
def show() -> None:
    """Show the button for a new event, or the open form."""
    if _SAVING.saved:
        drafts.forget(_place())
        _close_form()
        focus.move(_FORM, f'[data-row="{st.session_state.get(_ID)}"]')
        feedback.toast("Your event is on the board.", ":material/celebration:")
    _keep_in_address()
    event_id, busy = str(st.session_state.get(_ID)), _SAVING.busy
    kept = drafts.shown(_place(), f"new_{event_id}")
    drafts.keep(_place(), kept.key, note=True)
    focus.follow_moves(_FORM)
    if not st.session_state.get(_OPEN):
        st.button(
            "New event", type="primary", icon=":material/add:", key="new_event_button", on_click=_open_form
        )
        return
    with st.form(f"new_event_{event_id}"):
        st.header("New event", anchor=False)
        original = _original()
        if original is not None:
            st.caption(as_label(f"A copy of “{original.title}”, without its answers."))
        draft = form.fields(kept.key, _initial(original), kept.options)
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
    in_address, like = st.query_params.get(_QUERY_PARAMETER), st.query_params.get(LIKE)
    if like and not in_address and not (st.session_state.get(_OPEN) and st.session_state.get(_LIKE) == like):
        _open_form()
        st.session_state[_LIKE] = like
    if _OPEN not in st.session_state and in_address and _is_uuid(in_address):
        st.session_state[_OPEN], st.session_state[_ID] = True, in_address
        st.session_state[_LIKE] = like
    if st.session_state.get(_OPEN):
        if in_address != st.session_state[_ID]:
            st.query_params[_QUERY_PARAMETER] = st.session_state[_ID]
    else:
        for name in (_QUERY_PARAMETER, LIKE):
            st.query_params.pop(name, None)


def _place() -> str:
    """Name the place of the draft: a copy has one of its own."""
    like = st.session_state.get(_LIKE)
    return drafts.copy_of(like) if like else drafts.NEW_EVENT


def _original() -> Event | None:
    like = st.session_state.get(_LIKE)
    return tables.events().get((like,)) if like else None


def _initial(original: Event | None) -> EventDraft:
    if original is None:
        return form.new_draft(session.zone())
    return form.draft_like(original, datetime.now(UTC))


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False


def _open_form() -> None:
    st.session_state[_OPEN] = True
    # The id is made with the form, so that sending the form twice creates one event.
    st.session_state[_ID] = str(uuid.uuid4())
    st.session_state[_LIKE] = None
    focus.move(_FORM, '[data-testid="stForm"] input')


def _close_form() -> None:
    _SAVING.forget()
    st.session_state[_OPEN] = False
    st.session_state[_LIKE] = None
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
