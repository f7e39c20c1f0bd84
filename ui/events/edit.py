"""The dialog to edit an event, which somebody else may be editing at the same time."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import events
from db.hub.events import EventDraft
from db.hub.models import Event
from db.rows import Values
from livetables.fragments import PRESENCE, live_fragment
from livetables.merging import changed
from livetables.running_session import enter_fragment, look_at
from ui.base import drafts, feedback, presence, session
from ui.base.html import show
from ui.base.navigation import here
from ui.base.text import as_label
from ui.base.write_queue import WRITES, Expected, with_values
from ui.events import cohosts, form, tables
from ui.events.cohosts import Offer
from ui.writes.conflict import Also, Clash, Edit, Editing, choose, describe_change, save, save_decided
from ui.writes.saving import Saving

_SAVING = Saving("event_edit")
_LABELS: Mapping[str, str] = {
    "title": "Title",
    "description": "Description",
    "starts_at": "Starts",
    "ends_at": "Ends",
    "time_zone": "Time zone",
    "location": "Location",
    "capacity": "Capacity",
    "cancelled_at": "Cancellation",
    "cancel_reason": "Reason for cancelling",
}


def edit_event(event: Event) -> None:
    """Open the dialog for this event, as the person sees it now."""
    _SAVING.forget()
    _dialog(event, Offer.for_event(event))


@st.dialog("Edit event", width="medium", dismissible=False)
def _dialog(event: Event, offer: Offer | None) -> None:
    enter_fragment((WRITES,))
    look_at(here(), event.id)
    if _SAVING.saved:
        feedback.toast("Your changes are saved.")
        _close(event)
    _also_here(event.id)
    clash = _SAVING.clash
    if clash is not None:
        _decide(event, clash)
        return
    _changes_since(event, offer)
    place, busy = drafts.event(event.id), _SAVING.busy
    kept = drafts.shown(place, f"edit_{event.id}")
    key = kept.key
    drafts.keep(place, key, row={**form.texts(event), **cohosts.texts(offer)}, note=True)
    with st.form(f"edit_{event.id}", border=False):
        draft = form.fields(key, EventDraft.of(event), kept.options)
        hosts = cohosts.field(event.id, offer, kept)
        with st.container(horizontal=True):
            saved = st.form_submit_button(
                "Save changes", type="primary", disabled=busy, on_click=form.show_problems, args=(key,)
            )
            left = st.form_submit_button("Close without saving", type="tertiary", disabled=busy)
        _SAVING.mark()
    if left:
        _close(event)
    if saved:
        _save(event, draft, hosts)
    _SAVING.show()


def _editing(event: Event) -> Editing:
    def write(me: SignedIn, values: Values, version: int) -> Record:
        return events.change(me, event.id, values, version=version)

    shown = tables.events().get((event.id,), event)
    return Editing(
        "events",
        (event.id,),
        _values_of,
        write,
        lambda values: Expected("events", (event.id,), with_values(shown, values)),
        _LABELS,
    )


def _values_of(record: Record) -> Values:
    return EventDraft.of(Event.from_record(record)).values()


def _save(event: Event, draft: EventDraft | form.Problems, hosts: cohosts.Change) -> None:
    if not isinstance(draft, EventDraft):
        _SAVING.forget()
        return
    edit = Edit(base=EventDraft.of(event).values(), mine=draft.values(), version=event.version)
    engine = session.engine()
    also = Also(lambda me: hosts.write(me, engine), hosts.expected())
    _SAVING.begin(save(_editing(event), edit, also))
    st.rerun(scope="fragment")


def _decide(event: Event, clash: Clash) -> None:
    busy = _SAVING.busy
    choices = choose(_editing(event), clash, f"choice_{event.id}")
    with st.container(horizontal=True):
        saved = st.button("Save", type="primary", disabled=busy)
        left = st.button("Close without saving", type="tertiary", disabled=busy)
    _SAVING.mark()
    if left:
        _close(event)
    if saved:
        _SAVING.begin(save_decided(_editing(event), clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _close(event: Event) -> None:
    _SAVING.forget()
    drafts.forget(drafts.event(event.id))
    st.rerun()


@live_fragment(tables=(PRESENCE, "users"), varies_by=("user",), key="event_edit_also_here")
def _also_here(event_id: str) -> None:
    """Show who else has the event open."""
    people = presence.also_here_html(session.present().now, event_id, session.users(), session.my_id())
    if people:
        show(people)


@live_fragment(tables=("events", cohosts.TABLE), varies_by=("user",), key="event_edit_changes")
def _changes_since(event: Event, offer: Offer | None) -> None:
    """Show what others have changed while the form is open."""
    now = tables.events().get((event.id,))
    if now is None:
        feedback.warn_removed("event")
        return
    if offer is not None and not _SAVING.busy and cohosts.of_event(event.id) != offer.known:
        st.info("The co-hosts have changed. Saving changes only those that you add or remove.")
    if now.version == event.version:
        return
    fields = changed(_described(event), _described(now))
    change = describe_change(_LABELS, fields, now.updated_by, now.updated_at)
    st.info(as_label(change), icon=":material/edit_note:")


def _described(event: Event) -> dict[str, object]:
    cancellation = {"cancelled_at": event.cancelled_at, "cancel_reason": event.cancel_reason}
    return {**EventDraft.of(event).values(), **cancellation}
