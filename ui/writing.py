"""Doing what a person asked for: write, show the result at once, or say why not and keep their text."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Final, TypeVar

import streamlit as st

from db.auth import SignedIn
from db.errors import DatabaseError, SignedOut, Unreachable
from db.models import Record
from live.changes import Key
from live.fragments import live_fragment
from live.rerun import current_session
from live.status import FeedState
from ui import session
from ui.pending import AT_ONCE, WRITES, Expected, State, Write
from ui.text import as_html, as_label

T = TypeVar("T")

_HANDS: Final = futures.ThreadPoolExecutor(32, thread_name_prefix="reading")
_LOOK_EVERY: Final = 0.1
"""Seconds between two looks at the connection while an answer is waited for."""

_NOT_DONE = "Tavern can't reach the database, so this could not be done now. Please try again in a moment."
_WAITING = "Tavern can't reach the database; your text is kept, and sent as soon as the connection is back."


def ask(
    do: Callable[[SignedIn], object],
    *expected: Expected,
    text: str | None = None,
    waits: bool = False,
    words: str | None = None,
    told: bool = True,
    apart: bool = False,
) -> Write:
    """Have something written, and show what is expected of it until the answer is here.

    The answer is waited for only as long as nobody notices. `text` is what the person wrote and wants to keep
    if it cannot be sent; what `waits` is sent by itself when the connection is back. How it ended is said in
    passing (`words` when it ended well), unless whoever asks looks after that (`told`). What takes long is
    done `apart` from the person's other writes.
    """
    write = Write(do, expected, text, waits, current_session() if told else None, words, apart)
    me, line = session.signed_in(), session.my_writes()
    if me is None or line is None:
        write.refuse(SignedOut())
        if told:
            tell(SignedOut())
        return write
    line.put(write, me)
    write.wait(AT_ONCE)
    return write


def putting(table: str, do: Callable[[SignedIn], Record]) -> Callable[[SignedIn], Record]:
    """Make of a write of one row one that also shows the row the database has made of it."""
    engine = session.engine()

    def put(me: SignedIn) -> Record:
        record = do(me)
        engine.apply_written(table, record, me.user_id)
        return record

    return put


def removing(table: str, key: Key, do: Callable[[SignedIn], None]) -> Callable[[SignedIn], None]:
    """Make of a deletion one that also takes the row away everywhere."""
    engine = session.engine()

    def remove(me: SignedIn) -> None:
        do(me)
        engine.apply_deleted(table, key, user_id=me.user_id)

    return remove


@live_fragment(tables=(WRITES,), varies_by=("user",), key="write_outcomes")
def show_outcomes() -> None:
    """Say how what this tab asked for has ended. Belongs on every page."""
    line = session.my_writes()
    if line is None:
        return
    for write in line.outcomes(current_session()):
        if isinstance(write.error, Unreachable):
            tell(DatabaseError(_NOT_DONE))  # there was no text to keep
        elif write.error is not None:
            tell(write.error)
        elif write.words:
            say(write.words)


def unsent(table: str, head: Callable[[object], str] | None = None) -> None:
    """Show what the person wrote for a table and could not be sent, why, and what they can do about it.

    `head` names what a row is or whom it is for.
    """
    line = session.my_writes()
    for write in line.unsent(table) if line else ():
        row = write.expected[0]
        _offer_again(write, row.key[0], head(row.row) if head else "")


def _offer_again(write: Write, key: str, head: str) -> None:
    with st.container(border=True, key=f"unsent_{key}"):
        above = f'<small class="tv-lead">{as_html(head)}</small>' if head else ""
        st.html(f'{above}<div class="tv-body" dir="auto">{as_html(write.text or "")}</div>')
        if write.state is State.WAITING:
            st.warning(_WAITING, icon=":material/cloud_off:")
        else:
            complain(write.error)
        with st.container(horizontal=True):
            if write.state is State.REFUSED:
                st.button("Try again", key=f"again_{key}", on_click=_try_again, args=(write,))
            st.button("Discard", key=f"discard_{key}", on_click=_discard, args=(write,), type="tertiary")


def _try_again(write: Write) -> None:
    me, line = session.signed_in(), session.my_writes()
    if me is not None and line is not None:
        line.again(write, me)


def _discard(write: Write) -> None:
    line = session.my_writes()
    if line is not None:
        line.discard(write)


def fetch(do: Callable[[SignedIn], T]) -> T | DatabaseError:
    """Read something as the signed-in person, and wait for it as long as there is a connection.

    The error, if any, is a sentence for them.
    """
    me = session.signed_in()
    if me is None:
        return SignedOut()
    engine = session.engine()
    if engine.status(me.user_id).state is FeedState.OFFLINE:
        return Unreachable(perhaps_written=False)  # told at once, without waiting for nothing
    answer = _HANDS.submit(do, me)
    while not futures.wait([answer], timeout=_LOOK_EVERY).done:
        if engine.status(me.user_id).state is FeedState.OFFLINE:
            return Unreachable(timed_out=True)
    try:
        return answer.result()
    except DatabaseError as error:
        return error


def complain(error: DatabaseError | None) -> None:
    """Show what went wrong, where the person is looking."""
    if error is not None:
        st.error(as_label(str(error)), icon=":material/error:")


def warn_removed(what: str) -> None:
    """Say that what the person is editing is gone, and that their text is not."""
    st.warning(f"Somebody has removed this {what}. Your text stays here to copy.", icon=":material/delete:")


def tell(error: DatabaseError) -> None:
    """Show what went wrong, for something that has no place of its own on the page."""
    st.toast(as_label(str(error)), icon=":material/error:", duration="long")


def say(text: str, icon: str = ":material/check:") -> None:
    """Confirm in passing."""
    st.toast(as_label(text), icon=icon)
