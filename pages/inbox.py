"""Private messages: the conversations, one of them, and writing."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db.auth.accounts import SignedIn
from db.hub import private_messages
from db.hub.models import PrivateMessage
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import drafts, html, layout, session, times
from ui.base.follow import follow
from ui.base.html_actions import clicked
from ui.base.navigation import arrived
from ui.base.people import by_name, finder, name_of, option_of
from ui.base.send_keys import send_keys
from ui.base.text import one_line
from ui.base.write_queue import WRITES, Expected, Mode
from ui.messages import inbox, tables
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app
from ui.writes.submit import show_unsent, submit, submit_row

LIST = "inbox_list"
THREAD = "inbox_thread"
TABLE = private_messages.TABLE
_CHOSEN = "inbox_chosen"
_LEFT = "inbox_left"
_TO = "inbox_to"
_PROBLEM = "inbox_problem"
_SENT = "inbox_sent"
_LONGEST = 5000
_DOUBLE_CLICK = 1.5
"""Seconds within which the same text to the same person counts as a double click."""


def show() -> None:
    layout.page_head("Inbox", "Between you and one other person.")
    if session.signed_in() is None:
        invite("✉️", "Private messages are for members", "Sign in to read and write yours.")
        return
    _follow_address()
    with st.container(key="inbox", horizontal=True, gap="medium"):
        with st.container(key=LIST, width=300):
            _conversations()
        with st.container(key="inbox_pane"):
            _to()
            with st.container(key=THREAD, height=420, autoscroll=True):
                _thread()
            _compose()
    _clicks()
    _mark_read()


def _me() -> str:
    return session.my_id() or ""


def _follow_address() -> None:
    """Open the conversation of the page's address, or the last one when somebody returns to the page."""
    in_address, chosen = st.query_params.get(inbox.PARAMETER), _chosen()
    # What the browser sends before it has the new address still names the conversation that was left.
    is_old = _LEFT in st.session_state and in_address == st.session_state[_LEFT] != chosen
    if is_old or (in_address is None and arrived()):
        _write_address(chosen)
    else:
        st.session_state.pop(_LEFT, None)
        is_other = in_address != _me() and (in_address,) in session.users()
        st.session_state[_CHOSEN] = in_address if is_other else None


def _chosen() -> str | None:
    chosen: str | None = st.session_state.get(_CHOSEN)
    return chosen


@live_fragment(
    tables=("private_messages", "users", WRITES),
    varies_by=("user", "time_zone", "language", _CHOSEN),
    key="inbox_conversations",
)
def _conversations() -> None:
    found = inbox.conversations(tables.private_messages(), _me())
    if not found:
        layout.empty("🕊️", "No messages yet", "Choose somebody and write the first one.")
        return
    region = session.region()
    find = finder(session.users())
    html.show(inbox.list_html(found, find, _me(), _chosen(), region, times.today_in(region.zone)))


@st.fragment(key="inbox_clicks")
def _clicks() -> None:
    click = clicked(LIST)
    if click is not None and click.action == "open":
        _choose(click.row)
        st.rerun()


def _choose(user_id: str | None) -> None:
    st.session_state[_LEFT] = st.query_params.get(inbox.PARAMETER)
    st.session_state[_CHOSEN] = user_id
    _write_address(user_id)


def _write_address(user_id: str | None) -> None:
    if user_id is not None:
        st.query_params[inbox.PARAMETER] = user_id
    else:
        st.query_params.pop(inbox.PARAMETER, None)


@live_fragment(tables=("users",), varies_by=("user", _CHOSEN), key="inbox_to_box")
def _to() -> None:
    """Choose the recipient. The choice and what is typed stay when somebody creates an account."""
    people = {user.id: user for user in by_name(session.users()) if user.id != _me()}
    chosen = _chosen()
    if st.session_state.get(_TO) != chosen and (chosen in people or chosen is None):
        st.session_state[_TO] = chosen
    st.selectbox(
        "To",
        list(people),
        index=None,
        format_func=lambda user_id: option_of(people.get(user_id)),
        key=_TO,
        placeholder="Who is it for?",
        on_change=_to_changed,
    )


def _to_changed() -> None:
    _choose(st.session_state[_TO])
    st.rerun(["inbox_to_box", "inbox_conversations", "inbox_messages", "inbox_compose"])


@live_fragment(
    tables=(TABLE, WRITES), varies_by=("user", "time_zone", "language", _CHOSEN), key="inbox_messages"
)
def _thread() -> None:
    chosen = _chosen()
    if chosen is None:
        layout.empty("🪶", "Nobody chosen", "Open a conversation, or choose somebody to write to.")
        return
    conversation = inbox.conversation_with(tables.private_messages(), _me(), chosen)
    if conversation is None:
        layout.empty("🪶", "Nothing said yet", "Write the first message.")
        return
    region = session.region()
    today, pending = times.today_in(region.zone), session.pending(TABLE)
    html.show(inbox.thread_html(conversation, _me(), region, today, pending))


@st.fragment(key="inbox_read")
def _mark_read() -> None:
    """Mark as read what a visible page has shown, in one write. The browser says what that is."""
    newest: Snapshot[PrivateMessage] = session.newest(TABLE)
    found = [newest.get((row,)) for row in follow(THREAD)]
    new = [message for message in found if message is not None and inbox.is_unread(message, _me())]
    if not new:
        return
    ids, now, engine = [message.id for message in new], datetime.now(UTC), session.engine()

    def mark_read(me: SignedIn) -> None:
        for record in private_messages.mark_read(me, ids):
            engine.apply_written(TABLE, record, me.user_id)

    read = [Expected(TABLE, (message.id,), replace(message, read_at=now)) for message in new]
    submit(mark_read, *read, mode=Mode.RETRY_WHEN_ONLINE, notify=False)


# ---------------------------------------------------------------- write


@st.fragment(key="inbox_compose")
def _compose() -> None:
    _unsent()
    chosen = _chosen()
    # One field for each conversation, so that a text never goes to another person than it was written to.
    place = drafts.conversation(chosen)
    draft = drafts.shown(place, f"inbox_{chosen or 'nobody'}")
    drafts.keep(place, draft.key, adopt=drafts.conversation(None) if chosen else "")
    with st.form("inbox_form", border=False):
        # No `max_chars`: with it the browser silently drops a long text that is pasted.
        # In a container of its own: the browser would keep the last field beside this one until the run ends.
        with st.container(key=f"inbox_field_{chosen}"):
            st.text_area("Message", key=draft.key, height=90, placeholder="Only the two of you can read it")
        st.form_submit_button(
            "Send", type="primary", icon=":material/send:", on_click=_send, args=(chosen, draft.key)
        )
    send_keys("inbox_pane")
    problem = st.session_state.pop(_PROBLEM, None)
    if problem:
        st.warning(problem)


@live_fragment(tables=(WRITES,), varies_by=("user", _CHOSEN), key="inbox_unsent")
def _unsent() -> None:
    show_unsent(TABLE, _recipient)


def _recipient(row: object) -> str:
    return (
        f"To {name_of(session.users().get((row.recipient_id,)))}" if isinstance(row, PrivateMessage) else ""
    )


def _send(to: str | None, key: str) -> None:
    body = str(st.session_state[key]).strip()
    if to is None:
        st.session_state[_PROBLEM] = "Please choose who the message is for."
    elif not one_line(body):
        if not _just_sent():
            st.session_state[_PROBLEM] = "Please write something first."
    elif len(body) > _LONGEST:
        st.session_state[_PROBLEM] = (
            f"A message has up to {_LONGEST:,} characters, and this has {len(body):,}. Please shorten it."
        )
    elif not _just_sent(to, body):
        _deliver(to, body)
        st.session_state[key] = ""
        drafts.forget(drafts.conversation(to), sent=body)


def _just_sent(*message: str) -> bool:
    """Tell whether this is the second click of a double click, sent before the browser emptied the field."""
    sent: tuple[str, ...]
    at: float
    sent, at = st.session_state.get(_SENT, ((), 0.0))
    return (not message or sent == message) and time.monotonic() - at < _DOUBLE_CLICK


def _deliver(to: str, body: str) -> None:
    message_id, now = str(uuid.uuid4()), datetime.now(UTC)
    message = PrivateMessage(message_id, _me(), to, body, None, 0, now, now)
    submit_row(
        TABLE,
        lambda me: private_messages.send(me, message_id, to, body),
        Expected(TABLE, (message_id,), message, new=True),
        text=body,
        mode=Mode.RETRY_WHEN_ONLINE,
        notify=False,
    )
    st.session_state[_SENT] = (to, body), time.monotonic()


if __name__ == "__main__":
    run_whole_app()
