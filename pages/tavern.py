"""The common room: a chat for everybody."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime

import streamlit as st

from db.errors import UnreachableError
from db.hub import tavern_messages
from db.hub.models import TavernMessage
from livetables.fragments import live_fragment
from livetables.running_session import enter_fragment
from ui.base import drafts, feedback, html, layout, pieces, session, times
from ui.base.follow import follow
from ui.base.fragments import rerun_only
from ui.base.html import Template
from ui.base.html_actions import Click, clicked, mark
from ui.base.navigation import Place, page
from ui.base.parts import MY_PROFILE
from ui.base.text import shortened
from ui.base.write_queue import WRITES, Expected, Mode
from ui.messages import composer, tables
from ui.messages.composer import Composer
from ui.messages.edit import LONGEST, edit_message
from ui.messages.room import room_pieces
from ui.shell import destination, welcome
from ui.shell.account import sign_in_link
from ui.shell.run_app import run_whole_app
from ui.writes.submit import show_unsent, submit_removal, submit_row

BLOCK = "room"
TABLE = tavern_messages.TABLE
_SHOWN = "room_shown"
_ALL_SHOWN = "room_all_shown"
_SIGN_IN_FIRST = "room_sign_in_first"
_FIELD = Composer(drafts.ROOM, "room_say", "Say something…", LONGEST)
_FIRST, _MORE = 80, 120

_QUOTE = Template('<blockquote class="tv-quote">{text}</blockquote>')
_INVITATION = Template('<p class="tv-lead">Everybody can read here.</p>')()


def show() -> None:
    layout.page_head("The common room", "Everybody can read what you write here.")
    if session.signed_in() is None:
        welcome.show()
    st.session_state.setdefault(_SHOWN, _FIRST)
    with st.container(key=BLOCK, height=560, autoscroll=True):
        _earlier()
        _messages()
    _marks()
    follow(BLOCK, label="Messages")
    _actions()
    _composer()


@live_fragment(
    tables=("tavern_messages", "users", WRITES),
    varies_by=("time_zone", "language", _SHOWN),
    key="room_messages",
    shared=True,
)
def _messages() -> None:
    messages, region = tables.tavern_messages(), session.region()
    if not messages:
        layout.empty("🍺", "Quiet so far", "Write the first message.")
        return
    shown, today, pending = st.session_state[_SHOWN], times.today_in(region.zone), session.pending(TABLE)
    pieces.show("room_pieces", room_pieces(messages, session.users(), shown, region, today, pending))


@st.fragment(key="room_earlier")
def _earlier() -> None:
    enough = len(tables.tavern_messages()) >= _FIRST
    # Each message would rerun it, so it follows the room only until there are earlier ones.
    enter_fragment(() if enough else (TABLE,))
    if not enough or st.session_state.get(_ALL_SHOWN):
        return
    st.button("Load earlier messages", type="tertiary", on_click=_load_earlier, width="stretch")


def _load_earlier() -> None:
    st.session_state[_SHOWN] += _MORE
    if st.session_state[_SHOWN] > len(tables.tavern_messages()):
        try:
            st.session_state[_ALL_SHOWN] = not session.load_older("tavern_messages")
        except UnreachableError as error:
            feedback.toast_error(error)
    rerun_only("room_earlier", "room_messages")


# ---------------------------------------------------------------- edit, delete, hide


@live_fragment(tables=(MY_PROFILE,), varies_by=("user", "role"), key="room_marks")
def _marks() -> None:
    mark(BLOCK, everywhere=["admin"] if session.is_admin() else [])


@st.fragment(key="room_actions")
def _actions() -> None:
    click = clicked(BLOCK, _moderate)
    message = tables.tavern_messages().get((click.row,)) if click else None
    if click is not None and message is not None:
        _act(click, message)


def _act(click: Click, message: TavernMessage) -> None:
    match click.action:
        case "edit":
            edit_message(message)
        case "delete":
            _delete(message)


@st.dialog("Delete this message?")
def _delete(message: TavernMessage) -> None:
    html.show(_QUOTE(text=shortened(message.body or "", 200)))
    st.caption("It disappears for everybody. You cannot undo this.")
    if not st.button("Delete", type="primary", icon=":material/delete:"):
        return
    key = (message.id,)
    submit_removal(TABLE, key, lambda me: tavern_messages.remove(me, message.id))
    st.rerun()


def _moderate(click: Click) -> bool:
    """Hide a message or show it again, if the click says so."""
    message: TavernMessage | None = session.newest(TABLE).get((click.row,))
    if message is None or click.action not in {"hide", "unhide"}:
        return False
    do = tavern_messages.unhide
    hidden: list[Expected] = []
    if click.action == "hide":
        do = tavern_messages.hide
        row = replace(message, body=None, hidden_at=datetime.now(UTC), hidden_by=session.my_id())
        hidden = [Expected(TABLE, (message.id,), row)]
    # Only the database has the body of a hidden message, so `unhide` expects nothing before the answer.
    submit_row(TABLE, lambda me: do(me, message.id, version=message.version), *hidden)
    return True


# ---------------------------------------------------------------- write


@st.fragment(key="room_composer")
def _composer() -> None:
    if st.session_state.pop(_SIGN_IN_FIRST, False):
        # The text waits as the draft of this tab.
        feedback.toast("Sign in to send it. Your text waits.", ":material/login:")
        st.switch_page(page(Place.SIGN_IN), query_params=destination.link_parameters())
    if session.my_id() is None:
        _invitation()
    composer.show(_FIELD, _post, _unsent)


def _post(body: str) -> bool:
    me = session.my_id()
    if me is None:
        st.session_state[_SIGN_IN_FIRST] = True
        return False
    message_id, now = str(uuid.uuid4()), datetime.now(UTC)
    message = TavernMessage(message_id, me, body, None, None, None, 0, now, now)
    expected = Expected(TABLE, (message_id,), message, new=True)
    submit_row(
        TABLE,
        lambda me: tavern_messages.post(me, message_id, body),
        expected,
        text=body,
        mode=Mode.RETRY_WHEN_ONLINE,
        notify=False,
    )
    return True


@live_fragment(tables=(WRITES,), varies_by=("user",), key="room_deliveries")
def _unsent() -> None:
    show_unsent(TABLE)


def _invitation() -> None:
    with st.container(key="invitation", horizontal=True, vertical_alignment="center"):
        html.show(_INVITATION)
        sign_in_link("Sign in to write")


if __name__ == "__main__":
    run_whole_app()
