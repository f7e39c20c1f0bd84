"""The picture of an event: its hosts choose and remove it, and admins take it down."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final, cast

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.hub import event_pictures, events
from db.hub.models import Event
from livetables.fragments import live_fragment
from ui.base import feedback, session
from ui.base.picture_field import PictureField
from ui.base.write_queue import WRITES, Expected, Mode, State, Write
from ui.events import schedule, tables
from ui.writes.submit import applying, submit, submit_row

_FIELD: Final = PictureField("event_picture", side=event_pictures.SIDE, limit=event_pictures.LIMIT)
_WRITE: Final = "event_picture_write"
_WHICH: Final = "event_picture_which"


def reset(event_id: str) -> None:
    """Forget what was chosen for another event. Call it in the page's full run."""
    if st.session_state.get(_WHICH) != event_id:
        st.session_state[_WHICH] = event_id
        st.session_state.pop(_WRITE, None)
        _FIELD.empty()


@live_fragment(
    tables=("events", "event_cohosts", "users", WRITES), varies_by=("user", "role"), key="event_picture"
)
def show(event_id: str) -> None:
    """Offer the hosts to choose a picture, and them and admins to remove it."""
    event = tables.events().get((event_id,))
    if event is None or not event.version or session.my_id() is None:
        return
    hosts = schedule.is_host(event, tables.cohosts(), session.my_id())
    if not hosts and not (event.picture and session.is_admin()):
        return
    write = cast("Write | None", st.session_state.get(_WRITE))
    if write is not None and write.state is State.DONE:
        st.session_state.pop(_WRITE)
        _FIELD.empty()
        write = None
    busy = write is not None and not write.done
    with st.expander("Picture", icon=":material/image:", key="event_picture_part"):
        content = _FIELD.show(busy=busy) if hosts else None
        if event.picture:
            st.button(
                "Remove picture", icon=":material/delete:", key="event_picture_remove", disabled=busy,
                on_click=_remove, args=(event,),
            )  # fmt: skip
        if write is not None:
            feedback.show_error(write.error)
    if content is not None:
        _send(event_id, content)


def _send(event_id: str, content: bytes) -> None:
    picture = str(uuid.uuid4())

    def send(me: SignedIn) -> Record:
        event_pictures.add(me, event_id, picture, content)
        return event_pictures.choose(me, event_id, picture)

    st.session_state[_WRITE] = submit(
        applying(events.TABLE, send), mode=Mode.CONCURRENT, success_message="The picture is changed."
    )
    st.rerun(scope="fragment")


def _remove(event: Event) -> None:
    st.session_state[_WRITE] = submit_row(
        events.TABLE,
        lambda me: event_pictures.choose(me, event.id, None),
        Expected(events.TABLE, (event.id,), replace(event, picture=None)),
        success_message="The picture is removed.",
    )
