"""Doing what a person asked for: write, show the result at once, or say why not and keep their text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import streamlit as st

from db.auth import SignedIn
from db.errors import DatabaseError, SignedOut, Unreachable
from db.models import Record
from live.status import FeedState
from ui import session
from ui.text import as_label

T = TypeVar("T")


def attempt(do: Callable[[SignedIn], T]) -> T | DatabaseError:
    """Run a write as the signed-in person; the error, if any, is a sentence for them."""
    me = session.signed_in()
    if me is None:
        return SignedOut()
    if session.engine().status(me.user_id).state is FeedState.OFFLINE:
        return Unreachable(perhaps_written=False)  # told at once, without waiting for nothing
    try:
        return do(me)
    except DatabaseError as error:
        return error


def write(table: str, do: Callable[[SignedIn], Record]) -> Record | DatabaseError:
    """Write one row, and show it at once in every tab of this process."""
    written = attempt(do)
    if not isinstance(written, DatabaseError):
        show_written(table, [written])
    return written


def show_written(table: str, records: Iterable[Record]) -> None:
    """Hand rows that the database returned to the engine; the echo of them then changes nothing."""
    for record in records:
        session.engine().apply_written(table, record, session.my_id())


def remove(table: str, key: tuple[str, ...], do: Callable[[SignedIn], None]) -> DatabaseError | None:
    """Delete one row, and take it away at once in every tab of this process."""
    done = attempt(do)
    if done is None:
        session.engine().apply_deleted(table, key, user_id=session.my_id())
    return done


def complain(error: DatabaseError | None) -> None:
    """Show what went wrong, where the person is looking."""
    if error is not None:
        st.error(as_label(str(error)), icon=":material/error:")


def tell(error: DatabaseError) -> None:
    """Show what went wrong, for something that has no place of its own on the page."""
    st.toast(as_label(str(error)), icon=":material/error:", duration="long")


def say(text: str, icon: str = ":material/check:") -> None:
    """Confirm in passing."""
    st.toast(as_label(text), icon=icon)
