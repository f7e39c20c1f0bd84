"""Changing an event, also when somebody else does so at the same time: nobody's words are lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import cast

import streamlit as st

from db import events
from db.auth import SignedIn
from db.errors import Conflict, DatabaseError
from db.events import EventDraft
from db.merge import Choice, Merge, changed, decided, merge
from db.models import Event, Record
from db.rows import Values
from ui import event_form, session, times, writing
from ui.people import label_of
from ui.text import as_html

_CONFLICT = "event_conflict"
_LABELS: Mapping[str, str] = {
    "title": "Title",
    "description": "Description",
    "starts_at": "Starts",
    "ends_at": "Ends",
    "time_zone": "Time zone",
    "location": "Location",
    "capacity": "Capacity",
}


def edit_event(event: Event) -> None:
    """Open the dialog for this event, as the person sees it now."""
    st.session_state.pop(_CONFLICT, None)
    _dialog(event)


@st.dialog("Edit event", width="medium", dismissible=False)
def _dialog(event: Event) -> None:
    conflict: _Conflict | None = st.session_state.get(_CONFLICT)
    if conflict is not None:
        _decide(conflict)
        return
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


def _save(event: Event, filled: event_form.Filled) -> None:
    draft = event_form.checked(filled)
    if isinstance(draft, str):
        st.warning(draft)
        return
    base, mine = EventDraft.of(event).values(), draft.values()
    _write(event, base, mine, changed(base, mine), event.version)


def _write(event: Event, base: Values, mine: Values, values: Mapping[str, object], version: int) -> None:
    if not values:
        _close()
    result = writing.write(
        "events", lambda me: events.change(me, event.id, cast("Values", values), version=version)
    )
    if isinstance(result, Conflict):
        _merge(event, base, mine, result.current)
    elif isinstance(result, DatabaseError):
        writing.complain(result)
    else:
        writing.say("Your changes are saved.")
        _close()


def _merge(event: Event, base: Values, mine: Values, current: Record) -> None:
    """Put both changes together, or ask about the fields that both have changed."""
    writing.show_written("events", [current])
    now = Event.from_record(current)
    theirs = EventDraft.of(now).values()
    merged = merge(base, mine, theirs)
    if not merged.clashes:
        _write(event, theirs, {**theirs, **cast("Values", merged.mine)}, merged.mine, now.version)
        return
    st.session_state[_CONFLICT] = _Conflict(now, mine, theirs, merged)
    st.rerun(scope="fragment")


class _Conflict:
    """Both versions of an event, until the person has decided."""

    def __init__(self, event: Event, mine: Values, theirs: Values, merged: Merge) -> None:
        self.event = event
        self.mine = mine
        self.theirs = theirs
        self.merged = merged


def _decide(conflict: _Conflict) -> None:
    st.warning("Somebody else has changed the same fields since you began. Which version shall stand?")
    choices = {field: _choose(field, conflict) for field in conflict.merged.clashes}
    with st.container(horizontal=True):
        saved = st.button("Save", type="primary")
        left = st.button("Close without saving", type="tertiary")
    if left:
        _close()
    if saved:
        values = decided(conflict.merged, conflict.mine, choices)
        st.session_state.pop(_CONFLICT)
        _write(conflict.event, conflict.theirs, conflict.mine, values, conflict.event.version)


def _choose(field: str, conflict: _Conflict) -> Choice:
    with st.container(border=True):
        zone = session.zone()
        mine, theirs = _shown(conflict.mine[field], zone.key), _shown(conflict.theirs[field], zone.key)
        st.html(
            f'<div class="tv-versions"><b>{_LABELS[field]}</b>'
            f"<p><small>Yours</small>{mine}</p><p><small>Theirs</small>{theirs}</p></div>"
        )
        return st.segmented_control(
            _LABELS[field],
            list(Choice),
            format_func=lambda choice: choice.value,
            default=Choice.MINE,
            required=True,
            label_visibility="collapsed",
            key=f"choice_{conflict.event.id}_{conflict.event.version}_{field}",
        )


def _shown(value: object, zone_name: str) -> str:
    if value is None or value == "":
        return "<i>nothing</i>"
    text = str(value)
    try:
        return as_html(times.full(datetime.fromisoformat(text), times.zone_named(zone_name)))
    except ValueError:
        return as_html(text)


def _close() -> None:
    st.session_state.pop(_CONFLICT, None)
    st.rerun()


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
