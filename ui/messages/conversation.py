"""The conversation that is open: chosen in the list or in the address, its messages, and writing to it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import streamlit as st

from db.auth.accounts import SignedIn
from db.hub import private_messages
from db.hub.models import PrivateMessage
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import address, drafts, focus, html, layout, session, times
from ui.base.follow import follow
from ui.base.links import INBOX_WITH, MESSAGE
from ui.base.people import linked_avatar_html, linked_name_html, name_of, role_html
from ui.base.text import shortened
from ui.base.write_queue import WRITES, Expected, Mode
from ui.messages import composer, inbox, tables
from ui.messages.composer import Composer
from ui.writes.submit import show_unsent, submit, submit_row

CHOSEN: Final = "inbox_chosen"
"""The other person of the conversation that is shown."""
THREAD: Final = "inbox_thread"
TABLE: Final = private_messages.TABLE

_OPENED: Final = "inbox_opened"
_LAST: Final = "inbox_last"
_UNNAMED: Final = "inbox_unnamed"
_GOAL: Final = "inbox_goal"
_LONGEST: Final = 5000
_LONGEST_NAME: Final = 26
"""Characters of a name for which a phone has room in the field."""

_HEAD = html.Template(
    '<div class="tv-with"{opened} data-row=""><button type="button" class="tv-action" data-action="list">'
    '<span aria-hidden="true">←</span> All<span class="tv-spoken"> conversations</span></button>'
    "{avatar}<h2>{name}</h2>{role}</div>"
)
_BY_ADDRESS: Final = html.Template(" data-opened")()
_LEFT: Final = html.Template('<p class="tv-lead">This person has left the Tavern.</p>')()


def me() -> str:
    """Return the id of the signed-in person."""
    return session.my_id() or ""


def chosen() -> str | None:
    """Return the other person of the conversation that is shown."""
    user_id: str | None = st.session_state.get(CHOSEN)
    return user_id


def open_with(user_id: str | None) -> None:
    """Open a conversation with the next full run; None leads back to the list."""
    if st.session_state.get(_GOAL) is None:
        address.write(INBOX_WITH, user_id)
    else:  # both in one step back
        address.replace({} if user_id is None else {INBOX_WITH: user_id})


def follow_address() -> None:
    """Show the conversation of the page's address. Call it in each full run of the page.

    An address that names nobody is the list. Beside it, where there is room, stands the conversation that was
    open last, or the newest. It stays the same one until the person comes to the page again.
    """
    came, asked = address.arrived(INBOX_WITH), address.read(INBOX_WITH)
    if came:
        st.session_state[_UNNAMED] = st.session_state.get(_LAST)
    if _is_known(asked):
        st.session_state[_LAST] = asked
    elif not _is_known(st.session_state.get(_UNNAMED)):
        st.session_state[_UNNAMED] = _newest()
    st.session_state[_GOAL] = address.read(MESSAGE)
    st.session_state[_OPENED] = _is_known(asked)
    st.session_state[CHOSEN] = asked if _is_known(asked) else st.session_state[_UNNAMED]


def _is_known(user_id: str | None) -> bool:
    """Tell whether there is such a person, or a conversation with somebody who has left."""
    if user_id is None or user_id == me():
        return False
    return (user_id,) in session.users() or _with(user_id) is not None


def _newest() -> str | None:
    found = inbox.conversations(tables.private_messages(), me())
    return found[0].other_id if found else None


def _with(user_id: str) -> inbox.Conversation | None:
    return inbox.conversation_with(tables.private_messages(), me(), user_id)


# ---------------------------------------------------------------- read


@live_fragment(tables=("users",), varies_by=("user", CHOSEN, _OPENED), key="inbox_head")
def head() -> None:
    """Show whom the conversation is with, and on a phone the way back to the list."""
    user_id = chosen()
    if user_id is None:
        return
    other = session.users().get((user_id,))
    html.show(
        _HEAD(
            opened=_BY_ADDRESS if st.session_state[_OPENED] else html.EMPTY,
            avatar=linked_avatar_html(other),
            name=linked_name_html(other),
            role=role_html(other),
        )
    )


@live_fragment(
    tables=(TABLE, WRITES), varies_by=("user", "time_zone", "language", CHOSEN), key="inbox_messages"
)
def thread() -> None:
    """Show the messages."""
    user_id = chosen()
    if user_id is None:
        layout.empty("🪶", "Nothing to read yet", "Conversations open here.")
        return
    conversation = _with(user_id)
    if conversation is None:
        layout.empty("🪶", "Nothing said yet", "Write the first message.")
        return
    region = session.region()
    today, pending = times.today_in(region.zone), session.pending(TABLE)
    html.show(inbox.thread_html(conversation, me(), region, today, pending))


@st.fragment(key="inbox_read")
def mark_read() -> None:
    """Mark as read what a visible page has shown, in one write. The browser says what that is."""
    newest: Snapshot[PrivateMessage] = session.newest(TABLE)
    goal = st.session_state.get(_GOAL)
    found = [newest.get((row,)) for row in follow(THREAD, goal=goal)]
    new = [message for message in found if message is not None and inbox.is_unread(message, me())]
    if not new:
        return
    ids, now, engine = [message.id for message in new], datetime.now(UTC), session.engine()

    def write(me: SignedIn) -> None:
        for record in private_messages.mark_read(me, ids):
            engine.apply_written(TABLE, record, me.user_id)

    read = [Expected(TABLE, (message.id,), replace(message, read_at=now)) for message in new]
    submit(write, *read, mode=Mode.RETRY_WHEN_ONLINE, notify=False)


# ---------------------------------------------------------------- write


@st.fragment(key="inbox_compose")
def compose() -> None:
    """Let the person write to the other one."""
    user_id = chosen()
    if user_id is None:
        _unsent()
        return
    other = session.users().get((user_id,))
    if other is None:
        _unsent()
        html.show(_LEFT)
        return
    name = shortened(name_of(other), _LONGEST_NAME).removesuffix("…")
    field = Composer(drafts.conversation(user_id), f"inbox_{user_id}", f"Write to {name}…", _LONGEST)
    composer.show(field, lambda body: _send(user_id, body), _unsent)
    focus.follow_moves("inbox_compose")


def focus_field(user_id: str) -> None:
    """Move the keyboard focus to the field for this person with the next run."""
    focus.move("inbox_compose", f".st-key-field_inbox_{user_id} textarea")


@live_fragment(tables=(WRITES,), varies_by=("user", CHOSEN), key="inbox_unsent")
def _unsent() -> None:
    show_unsent(TABLE, _recipient)


def _recipient(row: object) -> str:
    return (
        f"To {name_of(session.users().get((row.recipient_id,)))}" if isinstance(row, PrivateMessage) else ""
    )


def _send(to: str, body: str) -> bool:
    message_id, now = str(uuid.uuid4()), datetime.now(UTC)
    message = PrivateMessage(message_id, me(), to, body, None, 0, now, now)
    submit_row(
        TABLE,
        lambda me: private_messages.send(me, message_id, to, body),
        Expected(TABLE, (message_id,), message, new=True),
        text=body,
        mode=Mode.RETRY_WHEN_ONLINE,
        notify=False,
    )
    return True
