"""The form for a new event, or the button that opens it."""

from __future__ import annotations

import uuid

import streamlit as st

from db.hub import events as db_events
from db.hub.events import EventDraft
from livetables.fragments import live_fragment
from ui.base import drafts, feedback, focus, session
from ui.base.write_queue import WRITES, Expected
from ui.events import form
from ui.writes.saving import Saving
from ui.writes.submit import submit_row

_FORM = "new_event"
_OPEN = "new_event_open"
_ID = "new_event_id"
_QUERY_PARAMETER = "new"
_SAVING = Saving("new_event")


@live_fragment(tables=(WRITES,), varies_by=("user",), key="new_event")
def show() -> None:
    """Show the button for a new event, or the open form."""
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
