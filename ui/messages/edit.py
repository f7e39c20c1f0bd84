"""The dialog to edit one's own message, which may be edited in another tab, hidden or deleted meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import NotAllowedError
from db.hub import event_messages, tavern_messages
from db.rows import Values
from livetables.fragments import live_fragment
from livetables.running_session import enter_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import drafts, feedback, session
from ui.base.text import as_label
from ui.base.write_queue import WRITES, Expected, with_values
from ui.messages.kinds import Message, writes_of
from ui.writes.conflict import Clash, Edit, Editing, choose, describe_change, save, save_decided
from ui.writes.saving import Saving

LONGEST = 2000
"""Characters."""

_SAVING = Saving("message_edit")
_LABELS: Mapping[str, str] = {"body": "Message"}


def edit_message(message: Message) -> None:
    """Open the dialog for this message, as the person sees it now."""
    _SAVING.forget()
    _dialog(message)


@st.dialog("Edit your message")
def _dialog(message: Message) -> None:
    enter_fragment((WRITES,))
    if _SAVING.saved:
        _SAVING.forget()
        drafts.forget(drafts.message(message.id))
        st.rerun()
    clash = _SAVING.clash
    if clash is not None:
        _decide(message, clash)
        return
    _changes_since(message)
    place, busy = drafts.message(message.id), _SAVING.busy
    key = drafts.shown(place, f"edit_{message.id}").key
    drafts.keep(place, key, row={"": message.body or ""}, note=True)
    with st.form(f"form_edit_{message.id}", border=False):
        body = st.text_area("Message", message.body or "", max_chars=LONGEST, key=key, height=140)
        saved = st.form_submit_button("Save", type="primary", disabled=busy)
        _SAVING.mark()
    if saved:
        _save(message, body.strip())
    _SAVING.show()


def _save(message: Message, body: str) -> None:
    if not body:
        _SAVING.forget()
        st.warning("Please write something, or delete the message instead.")
        return
    edit = Edit(base={"body": message.body}, mine={"body": body}, version=message.version)
    _SAVING.begin(save(_editing(message), edit))
    st.rerun(scope="fragment")


def _decide(message: Message, clash: Clash) -> None:
    choices = choose(_editing(message), clash, f"choice_{message.id}")
    _SAVING.mark()
    if st.button("Save", type="primary", disabled=_SAVING.busy):
        _SAVING.begin(save_decided(_editing(message), clash, choices), clash)
        st.rerun(scope="fragment")
    _SAVING.show()


def _editing(message: Message) -> Editing:
    writes = writes_of(message)

    def write(me: SignedIn, values: Values, version: int) -> Record:
        return writes.edit(me, message.id, str(values["body"]), version=version)

    def expect(values: Values) -> Expected:
        edited = with_values(message, {**values, "edited_at": datetime.now(UTC).isoformat()})
        return Expected(writes.TABLE, (message.id,), edited)

    return Editing(
        writes.TABLE,
        (message.id,),
        partial(_values_of, type(message)),
        write,
        expect,
        _LABELS,
        author_of=itemgetter("author_id"),  # nobody else can change the body
    )


def _values_of(kind: type[Message], record: Record) -> Values:
    message = kind.from_record(record)
    if message.hidden_at is not None:
        raise NotAllowedError("This message was hidden by a moderator.")
    return {"body": message.body}


@live_fragment(
    tables=(tavern_messages.TABLE, event_messages.TABLE), varies_by=("user",), key="message_edit_changes"
)
def _changes_since(message: Message) -> None:
    """Show what happened to the message while its form is open."""
    newest: Snapshot[Message] = session.table(writes_of(message).TABLE)
    now = newest.get((message.id,))
    if now is None:
        feedback.warn_removed("message")
    elif now.hidden_at is not None:
        st.warning("A moderator has hidden this message. Your text stays here to copy.")
    elif now.version != message.version and now.body != message.body:
        change = describe_change(_LABELS, ["body"], now.author_id, now.edited_at or now.updated_at)
        st.info(as_label(change), icon=":material/edit_note:")
