"""Private messages: who wrote, what was said, and answering."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db import private_messages
from db.auth import SignedIn
from db.models import PrivateMessage
from live.fragments import live_fragment
from ui import inbox, layout, session, times, writing
from ui.account import invite
from ui.bridge import clicked
from ui.first_run import run_whole_app
from ui.pending import WRITES, Expected
from ui.people import by_name, finder, name_of
from ui.sidebar import Place
from ui.text import one_line

LIST = "inbox_list"
TABLE = private_messages.TABLE
_CHOSEN = "inbox_chosen"
_WANTED = "inbox_wanted"
_TO = "inbox_to"
_BODY = "inbox_body"
_PROBLEM = "inbox_problem"
_SENT = "inbox_sent"
_MARKED = "inbox_marked"
_LONGEST = 5000
_DOUBLE_CLICK = 1.5
"""Seconds in which the same text to the same person is a click too many."""


def show() -> None:
    layout.page_head("Inbox", "Between you and one other person.")
    if session.signed_in() is None:
        invite(Place.INBOX, "✉️", "Private messages are for members", "Sign in to read and write yours.")
        return
    wanted = st.session_state.pop(_WANTED, None)
    if wanted is not None:
        st.session_state[_CHOSEN] = wanted
    with st.container(key="inbox", horizontal=True, gap="medium"):
        with st.container(key=LIST, width=300):
            _conversations()
        with st.container(key="inbox_pane"):
            _to()
            with st.container(key="inbox_thread", height=420, autoscroll=True):
                _thread()
            _compose()
    _clicks()
    _mark_read()


def _me() -> str:
    return session.my_id() or ""


def _chosen() -> str | None:
    chosen: str | None = st.session_state.get(_CHOSEN)
    return chosen


@live_fragment(
    tables=("private_messages", "users", WRITES),
    varies_by=("user", "time_zone", _CHOSEN),
    key="inbox_conversations",
)
def _conversations() -> None:
    found = inbox.conversations(session.private_messages(), _me())
    if not found:
        layout.empty("🕊️", "No messages yet", "Choose somebody and write the first one.")
        return
    zone = session.zone()
    find = finder(session.users())
    st.html(inbox.list_html(found, find, _me(), _chosen(), zone, times.today_in(zone)))


@st.fragment(key="inbox_clicks")
def _clicks() -> None:
    click = clicked(LIST)
    if click is not None and click.action == "open":
        _choose(click.row)
        st.rerun()


def _choose(user_id: str | None) -> None:
    st.session_state[_CHOSEN] = user_id


@live_fragment(tables=("users",), varies_by=("user", _CHOSEN), key="inbox_to_box")
def _to() -> None:
    """Choose who it goes to; what is chosen or typed stays when somebody new joins."""
    people = {user.id: user for user in by_name(session.users()) if user.id != _me()}
    chosen = _chosen()
    if st.session_state.get(_TO) != chosen and (chosen in people or chosen is None):
        st.session_state[_TO] = chosen
    st.selectbox(
        "To",
        list(people),
        index=None,
        format_func=lambda user_id: name_of(people.get(user_id)),
        key=_TO,
        placeholder="Who is it for?",
        on_change=_to_changed,
    )


def _to_changed() -> None:
    _choose(st.session_state[_TO])
    st.rerun(["inbox_to_box", "inbox_conversations", "inbox_messages", "inbox_read"])


@live_fragment(tables=(TABLE, WRITES), varies_by=("user", "time_zone", _CHOSEN), key="inbox_messages")
def _thread() -> None:
    chosen = _chosen()
    if chosen is None:
        layout.empty("🪶", "Nobody chosen", "Open a conversation, or choose somebody to write to.")
        return
    conversation = inbox.conversation_with(session.private_messages(), _me(), chosen)
    if conversation is None:
        layout.empty("🪶", "Nothing said yet", "Yours is the first word.")
        return
    zone = session.zone()
    today, pending = times.today_in(zone), session.pending(TABLE)
    st.html(inbox.thread_html(conversation, _me(), zone, today, pending))


@live_fragment(tables=(TABLE,), varies_by=("user", _CHOSEN), key="inbox_read")
def _mark_read() -> None:
    """Say that what is open has been read, once for all that is new."""
    chosen = _chosen()
    if chosen is None:
        return
    conversation = inbox.conversation_with(session.private_messages(), _me(), chosen)
    new = [each for each in conversation.messages if inbox.is_unread(each, _me())] if conversation else []
    # A refusal is not asked for again and again.
    if not new or st.session_state.get(_MARKED) == new[-1].id:
        return
    st.session_state[_MARKED] = new[-1].id
    now, engine = datetime.now(UTC), session.engine()

    def mark(me: SignedIn) -> None:
        for record in private_messages.mark_read(me, chosen):
            engine.apply_written(TABLE, record, me.user_id)

    read = [Expected(TABLE, (message.id,), replace(message, read_at=now)) for message in new]
    writing.ask(mark, *read, waits=True, told=False)


# ---------------------------------------------------------------- writing


@st.fragment(key="inbox_compose")
def _compose() -> None:
    _unsent()
    with st.form("inbox_form", border=False):
        # Without `max_chars`: with it the browser drops a long text that is pasted, and says nothing.
        st.text_area("Message", key=_BODY, height=90, placeholder="Only the two of you can read it")
        st.form_submit_button("Send", type="primary", icon=":material/send:", on_click=_send)
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.warning(problem)


@live_fragment(tables=(WRITES,), varies_by=("user", _CHOSEN), key="inbox_unsent")
def _unsent() -> None:
    writing.unsent(TABLE, _recipient)


def _recipient(row: object) -> str:
    return (
        f"To {name_of(session.users().get((row.recipient_id,)))}" if isinstance(row, PrivateMessage) else ""
    )


def _send() -> None:
    chosen, body = _chosen(), str(st.session_state[_BODY]).strip()
    if chosen is None:
        st.session_state[_PROBLEM] = "Please choose who the message is for."
    elif not one_line(body):
        if not _just_sent():
            st.session_state[_PROBLEM] = "Please write something first."
    elif len(body) > _LONGEST:
        st.session_state[_PROBLEM] = (
            f"A message has up to {_LONGEST:,} characters, and this has {len(body):,}. Please shorten it."
        )
    elif not _just_sent(chosen, body):
        _deliver(chosen, body)
        st.session_state[_BODY] = ""


def _just_sent(*what: str) -> bool:
    """Tell whether a click is the second one of a double click: the field was not seen to be empty yet."""
    sent: tuple[str, ...]
    at: float
    sent, at = st.session_state.get(_SENT, ((), 0.0))
    return (not what or sent == what) and time.monotonic() - at < _DOUBLE_CLICK


def _deliver(to: str, body: str) -> None:
    message_id, now = str(uuid.uuid4()), datetime.now(UTC)
    message = PrivateMessage(message_id, _me(), to, body, None, 0, now, now)
    put = writing.putting(TABLE, lambda me: private_messages.send(me, message_id, to, body))
    writing.ask(put, Expected(TABLE, (message_id,), message, new=True), text=body, waits=True, told=False)
    st.session_state[_SENT] = (to, body), time.monotonic()


if __name__ == "__main__":
    run_whole_app()
