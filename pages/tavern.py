"""The common room: what everybody says to everybody."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db import tavern_messages
from db.errors import Unreachable
from db.models import TavernMessage
from live.fragments import live_fragment
from ui import chat, layout, session, times, writing
from ui.bridge import Click, clicked, mark
from ui.first_run import run_whole_app
from ui.message_edit import LONGEST, edit_message
from ui.pending import WRITES, Expected
from ui.sidebar import Place, page
from ui.text import as_html, shortened

BLOCK = "room"
TABLE = tavern_messages.TABLE
_SHOWN = "room_shown"
_ALL_SHOWN = "room_all_shown"
_TOO_LONG = "room_too_long_text"
_FIRST, _MORE = 80, 120


def show() -> None:
    layout.page_head("The common room", "Everybody hears what is said here.")
    st.session_state.setdefault(_SHOWN, _FIRST)
    with st.container(key=BLOCK, height=560, autoscroll=True):
        _earlier()
        _messages()
    _marks()
    _actions()
    _composer()


@live_fragment(
    tables=("tavern_messages", "users", WRITES), varies_by=("time_zone", _SHOWN), key="room_messages"
)
def _messages() -> None:
    messages, zone = session.tavern_messages(), session.zone()
    if not messages:
        layout.empty("🍺", "Quiet so far", "Say the first word.")
        return
    shown, today, pending = st.session_state[_SHOWN], times.today_in(zone), session.pending(TABLE)
    st.html(chat.room_html(messages, session.users(), shown, zone, today, pending))


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
            edit_message(message)
        case "delete":
            _delete(message)
        case "hide":
            _moderate(message, hidden=True)
        case "unhide":
            _moderate(message, hidden=False)


@st.dialog("Delete this message?")
def _delete(message: TavernMessage) -> None:
    st.html(f'<blockquote class="tv-quote">{as_html(shortened(message.body or "", 200))}</blockquote>')
    st.caption("It goes away for everybody, and cannot be brought back.")
    if not st.button("Delete", type="primary", icon=":material/delete:"):
        return
    key = (message.id,)
    remove = writing.removing(TABLE, key, lambda me: tavern_messages.remove(me, message.id))
    writing.ask(remove, Expected(TABLE, key, None))
    st.rerun()


def _moderate(message: TavernMessage, *, hidden: bool) -> None:
    do = tavern_messages.hide if hidden else tavern_messages.unhide
    put = writing.putting(TABLE, lambda me: do(me, message.id, version=message.version))
    # What a hidden message said is not known here, so showing it again has to wait for the database.
    gone = replace(message, body=None, hidden_at=datetime.now(UTC), hidden_by=session.my_id())
    writing.ask(put, *([Expected(TABLE, (message.id,), gone)] if hidden else []))


# ---------------------------------------------------------------- saying something


@st.fragment(key="room_composer")
def _composer() -> None:
    me = session.my_id()
    if me is None:
        _invitation()
        return
    with st.container(key="composer", gap=None):
        place = st.container(key="unsent_room")
        # Without `max_chars`: with it the browser drops a long text that is pasted, and says nothing.
        said = st.chat_input("Say something…", key="room_say")
    if said and said.strip():
        _say_or_shorten(me, said.strip())
    with place:
        _too_long(me)
        _unsent()


def _say_or_shorten(me: str, body: str) -> None:
    if len(body) <= LONGEST:
        _say(me, body)
    else:
        st.session_state[_TOO_LONG] = body


def _too_long(me: str) -> None:
    """Give back what is too long for a message, to be shortened; nothing of it is lost."""
    if _TOO_LONG not in st.session_state:
        return
    kept = str(st.session_state[_TOO_LONG])
    with st.form("room_too_long"):
        text = st.text_area("Your message", kept, height=140).strip()
        st.warning(
            f"A message has up to {LONGEST:,} characters, and this has {len(text):,}. Please shorten it."
        )
        with st.container(horizontal=True):
            sent = st.form_submit_button("Send", type="primary")
            discarded = st.form_submit_button("Discard", type="tertiary")
    if not (sent or discarded):
        return
    del st.session_state[_TOO_LONG]
    if sent and text:
        _say_or_shorten(me, text)
    st.rerun(scope="fragment")


def _say(me: str, body: str) -> None:
    message_id, now = str(uuid.uuid4()), datetime.now(UTC)
    message = TavernMessage(message_id, me, body, None, None, None, 0, now, now)
    put = writing.putting(TABLE, lambda me: tavern_messages.post(me, message_id, body))
    expected = Expected(TABLE, (message_id,), message, new=True)
    writing.ask(put, expected, text=body, waits=True, told=False)


@live_fragment(tables=(WRITES,), varies_by=("user",), key="room_deliveries")
def _unsent() -> None:
    writing.unsent(TABLE)


def _invitation() -> None:
    with st.container(key="invitation", horizontal=True, vertical_alignment="center"):
        st.html('<p class="tv-lead">You can read along. Sign in to say something yourself.</p>')
        st.page_link(page(Place.SIGN_IN), label="Sign in to write", icon=":material/login:")


if __name__ == "__main__":
    run_whole_app()
