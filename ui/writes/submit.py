"""Submitting writes: the result shows at once, and a refusal is explained."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import Final, TypeVar

import streamlit as st

from db.auth.accounts import SignedIn
from db.columns import Record
from db.errors import DatabaseError, SignedOutError, SlowDownError, UnreachableError
from livetables.faults import FAULTS
from livetables.feed.status import FeedState
from livetables.fragments import live_fragment
from livetables.rerun import current_session, give_way
from livetables.tables.changes import Key
from ui.base import feedback, session
from ui.base.background import Threads
from ui.base.html import EMPTY, Template, show
from ui.base.write_queue import (
    PENDING_AFTER,
    WRITES,
    Expected,
    Mode,
    State,
    Write,
)

T = TypeVar("T")

_READERS: Final = Threads("reading", 32)
_CHECK_CONNECTION_EVERY: Final = 0.1
"""Seconds between two checks of the connection while waiting for an answer."""

_NOT_WRITTEN = "Tavern can't reach the database, so this could not be done now. Please try again in a moment."
_WAITING = "Tavern can't reach the database, so your text is kept and sent when the connection is back."
_SLOWER = "A little slower, please. Your text is kept, and sent by itself in about {wait} s."

_UNSENT = Template('{head}<div class="tv-body" dir="auto">{text}</div>')
_HEAD = Template('<small class="tv-lead">{head}</small>')


def submit(
    do: Callable[[SignedIn], object],
    *expected: Expected,
    mode: Mode = Mode.ORDERED,
    text: str | None = None,
    success_message: str | None = None,
    notify: bool = True,
) -> Write:
    """Queue a write of the signed-in person, and show the expected rows until the database answers.

    It waits for the answer only as long as a person does not notice (`PENDING_AFTER`).

    Args:
        do: The write. It has to be idempotent, because it is called again after a lost answer.
        expected: The rows as the write will make them.
        mode: How the write is ordered with the person's other writes.
        text: What the person wrote; it is kept and offered again if it cannot be sent.
        success_message: A toast for a write that succeeded.
        notify: Whether this session shows the outcome as a toast; False when the caller shows it itself.

    Returns:
        The write, with its answer if that came at once. A visitor's is refused with `SignedOutError`.
    """
    write = Write(do, expected, text, mode, current_session() if notify else None, success_message)
    me, queue = session.signed_in(), session.my_write_queue()
    if me is None or queue is None:
        write.refuse(SignedOutError())
        if notify:
            feedback.toast_error(SignedOutError())
        return write
    queue.add(write, me)
    write.wait(PENDING_AFTER)
    return write


def submit_row(
    table: str,
    do: Callable[[SignedIn], Record],
    *expected: Expected,
    mode: Mode = Mode.ORDERED,
    text: str | None = None,
    success_message: str | None = None,
    notify: bool = True,
) -> Write:
    """Submit a write of one row of `table`. As `submit`, and the row that `do` returns shows at once."""
    applied = applying(table, do)
    return submit(applied, *expected, mode=mode, text=text, success_message=success_message, notify=notify)


def submit_removal(table: str, key: Key, do: Callable[[SignedIn], None]) -> Write:
    """Submit the deletion of a row. It disappears at once, and comes back if the database refuses."""
    engine = session.engine()

    def remove(me: SignedIn) -> None:
        do(me)
        # It is written, whatever goes wrong with showing it.
        with FAULTS.contained("writes"):
            engine.apply_deleted(table, key, user_id=me.user_id)

    return submit(remove, Expected(table, key, None))


def applying(table: str, do: Callable[[SignedIn], Record]) -> Callable[[SignedIn], Record]:
    """Wrap a write of one row of `table`, so that the row it returns is applied to the engine at once."""
    engine = session.engine()

    def write_and_apply(me: SignedIn) -> Record:
        record = do(me)
        # It is written, whatever goes wrong with showing it.
        with FAULTS.contained(f"rows of {table}"):
            engine.apply_written(table, record, me.user_id)
        return record

    return write_and_apply


@live_fragment(tables=(WRITES,), varies_by=("user",), key="write_outcomes")
def show_outcomes() -> None:
    """Show the outcomes of this tab's writes as toasts. Call it on every page."""
    queue = session.my_write_queue()
    if queue is None:
        return
    for write in queue.outcomes(current_session()):
        if isinstance(write.error, UnreachableError):
            feedback.toast_error(DatabaseError(_NOT_WRITTEN))  # writes with text are kept instead
        elif write.error is not None:
            feedback.toast_error(write.error)
        elif write.success_message:
            feedback.toast(write.success_message)


def show_unsent(table: str, head: Callable[[object], str] | None = None) -> None:
    """Show the texts for a table that could not be sent, with the reason and what the person can do.

    `head` returns a line above the text of a row, such as the recipient.
    """
    queue = session.my_write_queue()
    for write in queue.unsent(table) if queue else ():
        row = write.expected[0]
        _offer_again(write, row.key[0], head(row.row) if head else "")


def _offer_again(write: Write, key: str, head: str) -> None:
    with st.container(border=True, key=f"unsent_{key}"):
        show(_UNSENT(head=_HEAD(head=head) if head else EMPTY, text=write.text or ""))
        if write.state is State.WAITING:
            _say_why_it_waits(write.error)
        else:
            feedback.show_error(write.error)
        with st.container(horizontal=True):
            if write.state is State.REFUSED:
                st.button("Try again", key=f"again_{key}", on_click=_try_again, args=(write,))
            st.button("Discard", key=f"discard_{key}", on_click=_discard, args=(write,), type="tertiary")


def _say_why_it_waits(error: DatabaseError | None) -> None:
    if isinstance(error, SlowDownError):
        st.info(_SLOWER.format(wait=error.wait), icon=":material/hourglass_top:")
    else:
        st.warning(_WAITING, icon=":material/cloud_off:")


def _try_again(write: Write) -> None:
    me, queue = session.signed_in(), session.my_write_queue()
    if me is not None and queue is not None:
        queue.retry(write, me)


def _discard(write: Write) -> None:
    queue = session.my_write_queue()
    if queue is not None:
        queue.discard(write)


def fetch(do: Callable[[SignedIn], T]) -> T | DatabaseError:
    """Read something as the signed-in person, and wait for the answer while there is a connection.

    Whoever opens another page in the meantime need not wait.

    Returns:
        What `do` returned, or the error to show.
    """
    me = session.signed_in()
    return SignedOutError() if me is None else fetch_for_anybody(lambda: do(me))


def fetch_for_anybody(do: Callable[[], T]) -> T | DatabaseError:
    """Read something that visitors may read as well, as `fetch` does."""
    engine, me = session.engine(), session.my_id()
    if engine.status(me).state is FeedState.OFFLINE:
        return UnreachableError(perhaps_written=False)
    answer = _READERS.submit(do)
    while not futures.wait([answer], timeout=_CHECK_CONNECTION_EVERY).done:
        give_way()
        if engine.status(me).state is FeedState.OFFLINE:
            return UnreachableError(timed_out=True)
    try:
        return answer.result()
    except DatabaseError as error:
        return error
