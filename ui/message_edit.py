"""Changing one's own message, which may be changed in another tab, hidden or deleted meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from operator import itemgetter

import streamlit as st

from db import tavern_messages
from db.auth import SignedIn
from db.errors import NotAllowed
from db.models import Record, TavernMessage
from db.rows import Values
from live.fragments import live_fragment
from live.sessions import enter_fragment
from ui import session, writing
from ui.conflicts import Clash, Editing, Saving, change_told, choose, save, save_decided
from ui.pending import WRITES, Expected, with_values
from ui.text import as_label

LONGEST = 2000
"""Characters of a message."""

_SAVING = Saving("message_edit")
_LABELS: Mapping[str, str] = {"body": "Message"}


def edit_message(message: TavernMessage) -> None:
    """Open the dialog for this message, as the person sees it now."""
    _SAVING.forget()
    _dialog(message)


@st.dialog("Edit your message")
def _dialog(message: TavernMessage) -> None:
    enter_fragment((WRITES,))
    if _SAVING.saved:
        _SAVING.forget()
        st.rerun()
    clash = _SAVING.clash
    if clash is not None:
        _decide(message, clash)
        return
    _news(message)
    key, busy = f"edit_{message.id}", _SAVING.busy
    with st.form(f"form_{key}", border=False):
        body = st.text_area("Message", message.body or "", max_chars=LONGEST, key=key, height=140)
        saved = st.form_submit_button("Save", type="primary", disabled=busy)
        _SAVING.mark()
    if saved:
        _save(message, body.strip())
    _SAVING.show()


def _save(message: TavernMessage, body: str) -> None:
    if not body:
        _SAVING.forget()
        st.warning("Write something, or delete the message instead.")
        return
    _SAVING.begin(save(_editing(message), {"body": message.body}, {"body": body}, message.version))
    st.rerun(scope="fragment")


def _decide(message: TavernMessage, clash: Clash) -> None:
    choices = choose(_editing(message), clash, f"choice_{message.id}")
    _SAVING.mark()
    if st.button("Save", type="primary", disabled=_SAVING.busy):
        _SAVING.begin(save_decided(_editing(message), clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _editing(message: TavernMessage) -> Editing:
    def write(me: SignedIn, values: Values, version: int) -> Record:
        return tavern_messages.edit(me, message.id, str(values["body"]), version=version)

    def expect(values: Values) -> Expected:
        edited = with_values(message, {**values, "edited_at": datetime.now(UTC).isoformat()})
        return Expected(tavern_messages.TABLE, (message.id,), edited)

    return Editing(
        tavern_messages.TABLE,
        (message.id,),
        _values_of,
        write,
        expect,
        _LABELS,
        author_of=itemgetter("author_id"),  # nobody else can change what it says
    )


def _values_of(record: Record) -> Values:
    message = TavernMessage.from_record(record)
    if message.hidden_at is not None:
        raise NotAllowed("This message was hidden by a moderator.")
    return {"body": message.body}


@live_fragment(tables=(tavern_messages.TABLE,), varies_by=("user",), key="message_edit_news")
def _news(message: TavernMessage) -> None:
    """Tell what happens to the message while its form is open."""
    now = session.tavern_messages().get((message.id,))
    if now is None:
        writing.warn_removed("message")
    elif now.hidden_at is not None:
        st.warning("A moderator has hidden this message. Your text stays here to copy.")
    elif now.version != message.version and now.body != message.body:
        told = change_told(_LABELS, ["body"], now.author_id, now.edited_at or now.updated_at)
        st.info(as_label(told), icon=":material/edit_note:")
