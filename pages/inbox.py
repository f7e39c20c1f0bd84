"""Private messages: who wrote, what was said, and answering."""

from __future__ import annotations

import uuid

import streamlit as st

from db import private_messages
from db.errors import DatabaseError
from live.fragments import live_fragment
from ui import inbox, layout, session, times, writing
from ui.bridge import clicked
from ui.first_run import run_whole_app
from ui.people import by_name, finder, name_of
from ui.sidebar import Place, page
from ui.text import one_line

LIST = "inbox_list"
_CHOSEN = "inbox_chosen"
_WANTED = "inbox_wanted"
_TO = "inbox_to"
_BODY = "inbox_body"
_DRAFT = "inbox_draft"
_ERROR = "inbox_error"
_LONGEST = 5000


def show() -> None:
    layout.page_head("Inbox", "Between you and one other person.")
    if session.signed_in() is None:
        layout.empty("✉️", "Private messages are for members", "Sign in to read and write yours.")
        st.page_link(page(Place.SIGN_IN), label="Sign in", icon=":material/login:")
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
    tables=("private_messages", "users"), varies_by=("user", "time_zone", _CHOSEN), key="inbox_conversations"
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


@live_fragment(tables=("private_messages",), varies_by=("user", "time_zone", _CHOSEN), key="inbox_messages")
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
    st.html(inbox.thread_html(conversation, _me(), zone, times.today_in(zone)))


@live_fragment(tables=("private_messages",), varies_by=("user", _CHOSEN), key="inbox_read")
def _mark_read() -> None:
    """Say that what is open has been read, once for all that is new."""
    chosen = _chosen()
    if chosen is None:
        return
    conversation = inbox.conversation_with(session.private_messages(), _me(), chosen)
    if conversation is None or conversation.unread == 0:
        return
    marked = writing.attempt(lambda me: private_messages.mark_read(me, chosen))
    if not isinstance(marked, DatabaseError):
        writing.show_written("private_messages", marked)


# ---------------------------------------------------------------- writing


@st.fragment(key="inbox_compose")
def _compose() -> None:
    with st.form("inbox_form", border=False):
        st.text_area(
            "Message", key=_BODY, max_chars=_LONGEST, height=90, placeholder="Only the two of you can read it"
        )
        st.form_submit_button("Send", type="primary", icon=":material/send:", on_click=_send)
    error = st.session_state.pop(_ERROR, None)
    if isinstance(error, DatabaseError):
        writing.complain(error)
    elif error:
        st.warning(error)


def _send() -> None:
    chosen, body = _chosen(), str(st.session_state[_BODY]).strip()
    if chosen is None:
        st.session_state[_ERROR] = "Please choose who the message is for."
    elif not one_line(body):
        st.session_state[_ERROR] = "Please write something first."
    else:
        _deliver(chosen, body)


def _deliver(to: str, body: str) -> None:
    # The id belongs to this text: sent again after a failure, it is still one message.
    message_id = st.session_state.setdefault(_DRAFT, {}).setdefault((to, body), str(uuid.uuid4()))
    result = writing.write("private_messages", lambda me: private_messages.send(me, message_id, to, body))
    if isinstance(result, DatabaseError):
        st.session_state[_ERROR] = result
        return
    st.session_state[_DRAFT] = {}
    st.session_state[_BODY] = ""


if __name__ == "__main__":
    run_whole_app()
