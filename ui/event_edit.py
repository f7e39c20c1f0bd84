"""Changing an event, also when somebody else does so at the same time: nobody's words are lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from db import events
from db.auth import SignedIn
from db.events import EventDraft
from db.merge import changed
from db.models import Event, EventCohost, Record
from db.rows import Values
from live.fragments import PRESENCE, live_fragment
from live.sessions import enter_fragment, look_at
from ui import event_form, here, session, writing
from ui.conflicts import Clash, Editing, Saving, change_told, choose, save, save_decided
from ui.pending import WRITES, Expected, with_values
from ui.people import label_of
from ui.text import as_label

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
}


def edit_event(event: Event) -> None:
    """Open the dialog for this event, as the person sees it now."""
    _SAVING.forget()
    _dialog(event)


@st.dialog("Edit event", width="medium", dismissible=False)
def _dialog(event: Event) -> None:
    enter_fragment((WRITES,))
    look_at("events", event.id)
    if _SAVING.saved:
        writing.say("Your changes are saved.")
        _close()
    _also_here(event.id)
    clash = _SAVING.clash
    if clash is not None:
        _decide(event, clash)
        return
    _news(event)
    key, busy = f"edit_{event.id}", _SAVING.busy
    with st.form(key, border=False):
        filled = event_form.fields(key, EventDraft.of(event))
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save changes", type="primary", disabled=busy)
            left = st.form_submit_button("Close without saving", type="tertiary", disabled=busy)
        _SAVING.mark()
    _cohosts(event)
    if left:
        _close()
    if saved:
        _save(event, filled)
    _SAVING.show()


def _editing(event: Event) -> Editing:
    def write(me: SignedIn, values: Values, version: int) -> Record:
        return events.change(me, event.id, values, version=version)

    shown = session.events().get((event.id,), event)
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


def _save(event: Event, filled: event_form.Filled) -> None:
    draft = event_form.checked(filled)
    if isinstance(draft, str):
        _SAVING.forget()
        st.warning(draft)
        return
    _SAVING.begin(save(_editing(event), EventDraft.of(event).values(), draft.values(), event.version))
    st.rerun(scope="fragment")


def _decide(event: Event, clash: Clash) -> None:
    busy = _SAVING.busy
    choices = choose(_editing(event), clash, f"choice_{event.id}")
    with st.container(horizontal=True):
        saved = st.button("Save", type="primary", disabled=busy)
        left = st.button("Close without saving", type="tertiary", disabled=busy)
    _SAVING.mark()
    if left:
        _close()
    if saved:
        _SAVING.begin(save_decided(_editing(event), clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _close() -> None:
    _SAVING.forget()
    st.rerun()


@live_fragment(tables=(PRESENCE, "users"), varies_by=("user",), key="event_edit_also_here")
def _also_here(event_id: str) -> None:
    """Tell who else has the event open."""
    told = here.also_here_html(session.present().now, event_id, session.users(), session.my_id())
    if told:
        st.html(told)


@live_fragment(tables=("events",), varies_by=("user",), key="event_edit_news")
def _news(event: Event) -> None:
    """Tell what happens to the event while its form is open."""
    now = session.events().get((event.id,))
    if now is None:
        writing.warn_removed("event")
        return
    if now.version == event.version:
        return
    fields = changed(_told(event), _told(now))
    told = change_told(_LABELS, fields, now.updated_by, now.updated_at)
    st.info(as_label(told), icon=":material/edit_note:")


def _told(event: Event) -> dict[str, object]:
    return {**EventDraft.of(event).values(), "cancelled_at": event.cancelled_at}


def _cohosts(event: Event) -> None:
    """Let the organizer choose who may change the event too."""
    if not (session.is_admin() or event.organizer_id == session.my_id()):
        return
    names = {user.id: label_of(user) for user in session.users() if user.id != event.organizer_id}
    key, before = f"cohosts_{event.id}", f"cohosts_before_{event.id}"
    now = [
        each.user_id
        for each in session.event_cohosts()
        if each.event_id == event.id and each.user_id in names
    ]
    st.session_state[before] = now
    if set(st.session_state.get(key, ())) != set(now):
        # Somebody else has chosen, or what this person chose was refused.
        st.session_state[key] = now
    st.multiselect(
        "Co-hosts",
        list(names),
        format_func=lambda user_id: names[user_id],
        key=key,
        help="They may change this event too. Takes effect at once.",
        on_change=_change_cohosts,
        args=(event.id, key, before),
    )


def _change_cohosts(event_id: str, key: str, before: str) -> None:
    """Add and remove what this person has just changed, and nothing else."""
    chosen, known = set(st.session_state[key]), set(st.session_state[before])
    now = datetime.now(UTC)
    for user_id in chosen - known:
        cohost = EventCohost(event_id, user_id, 0, now, now)
        add = writing.putting("event_cohosts", partial(_add, event_id, user_id))
        writing.ask(add, Expected("event_cohosts", (event_id, user_id), cohost, new=True))
    for user_id in known - chosen:
        key_of = (event_id, user_id)
        remove = writing.removing("event_cohosts", key_of, partial(_remove, event_id, user_id))
        writing.ask(remove, Expected("event_cohosts", key_of, None))


def _add(event_id: str, user_id: str, me: SignedIn) -> Record:
    return events.add_cohost(me, event_id, user_id)


def _remove(event_id: str, user_id: str, me: SignedIn) -> None:
    events.remove_cohost(me, event_id, user_id)
