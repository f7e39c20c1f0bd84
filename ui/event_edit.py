"""Changing an event, also when somebody else does so at the same time: nobody's words are lost."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import streamlit as st

from db import events
from db.auth import SignedIn
from db.errors import DatabaseError
from db.events import EventDraft
from db.merge import changed
from db.models import Event, Record
from db.rows import Values
from live.fragments import PRESENCE, live_fragment
from live.sessions import look_at
from ui import event_form, here, session, writing
from ui.conflicts import Clash, Editing, change_told, choose, save, save_decided
from ui.people import label_of
from ui.text import as_label

_CLASH = "event_clash"
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
    st.session_state.pop(_CLASH, None)
    _dialog(event)


@st.dialog("Edit event", width="medium", dismissible=False)
def _dialog(event: Event) -> None:
    look_at("events", event.id)
    _also_here(event.id)
    clash: Clash | None = st.session_state.get(_CLASH)
    if clash is not None:
        _decide(event, clash)
        return
    _news(event)
    key = f"edit_{event.id}"
    with st.form(key, border=False):
        filled = event_form.fields(key, EventDraft.of(event))
        with st.container(horizontal=True):
            saved = st.form_submit_button("Save changes", type="primary")
            left = st.form_submit_button("Close without saving", type="tertiary")
    _cohosts(event)
    if left:
        _close()
    if saved:
        _save(event, filled)


def _editing(event: Event) -> Editing:
    def write(me: SignedIn, values: Values, version: int) -> Record:
        return events.change(me, event.id, values, version=version)

    return Editing("events", _values_of, write, _LABELS)


def _values_of(record: Record) -> Values:
    return EventDraft.of(Event.from_record(record)).values()


def _save(event: Event, filled: event_form.Filled) -> None:
    draft = event_form.checked(filled)
    if isinstance(draft, str):
        st.warning(draft)
        return
    _settle(save(_editing(event), EventDraft.of(event).values(), draft.values(), event.version))


def _decide(event: Event, clash: Clash) -> None:
    choices = choose(_editing(event), clash, f"choice_{event.id}")
    with st.container(horizontal=True):
        saved = st.button("Save", type="primary")
        left = st.button("Close without saving", type="tertiary")
    if left:
        _close()
    if saved:
        _settle(save_decided(_editing(event), clash, choices))


def _settle(result: Clash | DatabaseError | None) -> None:
    """Close when it is saved; else say why not, with everything that was typed still in place."""
    if isinstance(result, Clash):
        st.session_state[_CLASH] = result
        st.rerun(scope="fragment")
    if isinstance(result, DatabaseError):
        writing.complain(result)
        return
    writing.say("Your changes are saved.")
    _close()


def _close() -> None:
    st.session_state.pop(_CLASH, None)
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
        st.warning("Somebody has removed this event. Your text stays here to copy.", icon=":material/delete:")
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
    now = [each.user_id for each in session.event_cohosts() if each.event_id == event.id]
    st.session_state.setdefault(before, now)
    st.multiselect(
        "Co-hosts",
        list(names),
        default=[user_id for user_id in now if user_id in names],
        format_func=lambda user_id: names[user_id],
        key=key,
        help="They may change this event too. Takes effect at once.",
        on_change=_change_cohosts,
        args=(event.id, key, before),
    )


def _change_cohosts(event_id: str, key: str, before: str) -> None:
    """Add and remove what this person has just changed, and nothing else."""
    chosen, known = set(st.session_state[key]), set(st.session_state[before])
    st.session_state[before] = list(chosen)
    for user_id in chosen - known:
        _tell(writing.write("event_cohosts", partial(_add, event_id, user_id)))
    for user_id in known - chosen:
        _tell(writing.remove("event_cohosts", (event_id, user_id), partial(_remove, event_id, user_id)))


def _add(event_id: str, user_id: str, me: SignedIn) -> Record:
    return events.add_cohost(me, event_id, user_id)


def _remove(event_id: str, user_id: str, me: SignedIn) -> None:
    events.remove_cohost(me, event_id, user_id)


def _tell(result: object) -> None:
    if isinstance(result, DatabaseError):
        writing.tell(result)
