"""The common room: what everybody says to everybody."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

import streamlit as st

from db import tavern_messages
from db.errors import DatabaseError, Unreachable
from db.models import TavernMessage
from live.fragments import live_fragment
from ui import chat, layout, session, times, writing
from ui.bridge import Click, clicked, mark
from ui.first_run import run_whole_app
from ui.sidebar import Place, page
from ui.text import as_html, shortened

BLOCK = "room"
_SHOWN = "room_shown"
_ALL_SHOWN = "room_all_shown"
_UNSENT = "room_unsent"
_FIRST, _MORE = 80, 120
_LONGEST = 2000


def show() -> None:
    layout.page_head("The common room", "Everybody hears what is said here.")
    st.session_state.setdefault(_SHOWN, _FIRST)
    with st.container(key=BLOCK, height=560, autoscroll=True):
        _earlier()
        _messages()
    _marks()
    _actions()
    _composer()


@live_fragment(tables=("tavern_messages", "users"), varies_by=("time_zone", _SHOWN), key="room_messages")
def _messages() -> None:
    messages, zone = session.tavern_messages(), session.zone()
    if not messages:
        layout.empty("🍺", "Quiet so far", "Say the first word.")
        return
    st.html(chat.room_html(messages, session.users(), st.session_state[_SHOWN], zone, times.today_in(zone)))


@st.fragment(key="room_earlier")
def _earlier() -> None:
    if st.session_state.get(_ALL_SHOWN) or len(session.tavern_messages()) < _FIRST:
        return
    st.button("Load earlier messages", type="tertiary", on_click=_load_earlier, width="stretch")


def _load_earlier() -> None:
    st.session_state[_SHOWN] += _MORE
    if st.session_state[_SHOWN] > len(session.tavern_messages()):
        try:
            st.session_state[_ALL_SHOWN] = not session.load_older("tavern_messages")
        except Unreachable as error:
            writing.tell(error)
    st.rerun(["room_earlier", "room_messages"])


# ---------------------------------------------------------------- one's own messages, and those to moderate


@live_fragment(tables=("users",), varies_by=("user", "role"), key="room_marks")
def _marks() -> None:
    mark(BLOCK, everywhere=["admin"] if session.is_admin() else [])


@st.fragment(key="room_actions")
def _actions() -> None:
    click = clicked(BLOCK)
    message = session.tavern_messages().get((click.row,)) if click else None
    if click is not None and message is not None:
        _act(click, message)


def _act(click: Click, message: TavernMessage) -> None:
    match click.action:
        case "edit":
            _edit(message)
        case "delete":
            _delete(message)
        case "hide":
            _moderate(message, hidden=True)
        case "unhide":
            _moderate(message, hidden=False)


@st.dialog("Edit your message")
def _edit(message: TavernMessage) -> None:
    key = f"edit_{message.id}"
    with st.form(f"form_{key}", border=False):
        body = st.text_area("Message", message.body or "", max_chars=_LONGEST, key=key, height=140)
        saved = st.form_submit_button("Save", type="primary")
    if not saved:
        return
    if not body.strip():
        st.warning("Write something, or delete the message instead.")
        return
    result = writing.write(
        "tavern_messages",
        lambda me: tavern_messages.edit(me, message.id, body.strip(), version=message.version),
    )
    if isinstance(result, DatabaseError):
        writing.complain(result)
        return
    st.rerun()


@st.dialog("Delete this message?")
def _delete(message: TavernMessage) -> None:
    st.html(f'<blockquote class="tv-quote">{as_html(shortened(message.body or "", 200))}</blockquote>')
    st.caption("It goes away for everybody, and cannot be brought back.")
    if not st.button("Delete", type="primary", icon=":material/delete:"):
        return
    error = writing.remove(
        "tavern_messages", (message.id,), lambda me: tavern_messages.remove(me, message.id)
    )
    if error is not None:
        writing.complain(error)
        return
    st.rerun()


def _moderate(message: TavernMessage, *, hidden: bool) -> None:
    do = tavern_messages.hide if hidden else tavern_messages.unhide
    result = writing.write("tavern_messages", lambda me: do(me, message.id, version=message.version))
    if isinstance(result, DatabaseError):
        writing.tell(result)


# ---------------------------------------------------------------- saying something


@dataclass(frozen=True, slots=True)
class _Unsent:
    """Something said that the database does not have yet; its id makes sending it again harmless."""

    id: str
    body: str
    error: DatabaseError | None = None


@st.fragment(key="room_composer")
def _composer() -> None:
    if session.signed_in() is None:
        _invitation()
        return
    with st.container(gap=None):
        place = st.container()
        said = st.chat_input("Say something…", key="room_say", max_chars=_LONGEST)
    if said and said.strip():
        _unsent().append(_Unsent(str(uuid.uuid4()), said.strip()))
    with place:
        _deliveries()


def _unsent() -> list[_Unsent]:
    unsent: list[_Unsent] = st.session_state.setdefault(_UNSENT, [])
    return unsent


@live_fragment(tables=("tavern_messages",), varies_by=("user", _UNSENT), key="room_deliveries")
def _deliveries() -> None:
    """Send what is new or asked for again, and show what could not be sent, until it turns up in the room."""
    known = session.tavern_messages()
    waiting = [each for each in _unsent() if (each.id,) not in known]
    st.session_state[_UNSENT] = [left for each in waiting if (left := _deliver(each)) is not None]


def _deliver(unsent: _Unsent) -> _Unsent | None:
    """Send what is new, or asked for again; return what is still unsent."""
    slot = st.empty()
    if unsent.error is None:
        slot.html(f'<div class="tv-pending tv-body" dir="auto">{as_html(unsent.body)} …</div>')
        result = writing.write("tavern_messages", lambda me: tavern_messages.post(me, unsent.id, unsent.body))
        if not isinstance(result, DatabaseError):
            slot.empty()
            return None
        unsent = replace(unsent, error=result)
    with slot.container(border=True):
        _offer_again(unsent)
    return unsent


def _offer_again(unsent: _Unsent) -> None:
    st.html(f'<div class="tv-body" dir="auto">{as_html(unsent.body)}</div>')
    writing.complain(unsent.error)
    with st.container(horizontal=True):
        st.button("Try again", key=f"again_{unsent.id}", on_click=_try_again, args=(unsent.id,))
        st.button(
            "Discard", key=f"discard_{unsent.id}", on_click=_discard, args=(unsent.id,), type="tertiary"
        )


def _try_again(message_id: str) -> None:
    unsent: list[_Unsent] = st.session_state[_UNSENT]
    st.session_state[_UNSENT] = [
        replace(each, error=None) if each.id == message_id else each for each in unsent
    ]


def _discard(message_id: str) -> None:
    st.session_state[_UNSENT] = [each for each in st.session_state[_UNSENT] if each.id != message_id]


def _invitation() -> None:
    with st.container(key="invitation", horizontal=True, vertical_alignment="center"):
        st.html('<p class="tv-lead">You can read along. Sign in to say something yourself.</p>')
        st.page_link(page(Place.SIGN_IN), label="Sign in to write", icon=":material/login:")


if __name__ == "__main__":
    run_whole_app()
