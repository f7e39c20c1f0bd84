"""Private messages: the conversations, and one of them."""

from __future__ import annotations

import streamlit as st

from livetables.fragments import live_fragment
from ui.base import html, layout, session, times
from ui.base.html_actions import clicked
from ui.base.people import finder
from ui.base.write_queue import WRITES
from ui.messages import conversation, inbox, new_message, tables
from ui.messages.opening import bridge
from ui.shell.account import invite
from ui.shell.run_app import run_whole_app

BLOCK = "inbox"
PANE = "inbox_pane"


def show() -> None:
    layout.page_head("Inbox", "Between you and one other person.")
    if session.signed_in() is None:
        invite("✉️", "Private messages are for members", "Sign in to read and write yours.")
        return
    conversation.follow_address()
    with st.container(key=BLOCK, horizontal=True, gap="medium"):
        with st.container(key="inbox_side", width=300):
            new_message.show()
            with st.container(key="inbox_list"):
                _conversations()
        with st.container(key=PANE):
            conversation.head()
            with st.container(key=conversation.THREAD, height=420, autoscroll=True):
                conversation.thread()
            conversation.compose()
    _clicks()
    conversation.mark_read()
    bridge(BLOCK, PANE)


@live_fragment(
    tables=("private_messages", "users", WRITES),
    varies_by=("user", "time_zone", "language", conversation.CHOSEN),
    key="inbox_conversations",
)
def _conversations() -> None:
    me, region = conversation.me(), session.region()
    found = inbox.conversations(tables.private_messages(), me)
    if not found:
        layout.empty("🕊️", "No messages yet", "Choose somebody and write the first one.")
        return
    find, today = finder(session.users()), times.today_in(region.zone)
    html.show(inbox.list_html(found, find, me, conversation.chosen(), region, today))


@st.fragment(key="inbox_clicks")
def _clicks() -> None:
    click = clicked(BLOCK)
    if click is not None and click.action in ("open", "list"):
        conversation.open_with(click.row or None)
        st.rerun()


if __name__ == "__main__":
    run_whole_app()
