"""What a script shows: fragments with live rows, how the tab is connected, and what could not be saved."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

import streamlit as st

from livetables import running_session
from livetables.auth.signed_in import SignedIn
from livetables.errors import ClashError
from livetables.feed.status import FeedState, FeedStatus
from livetables.fragments import STATUS, live_fragment
from livetables.library import session, sign_in
from livetables.library.writes import REFUSED, Write, item_of
from livetables.tables.filters import parse
from livetables.users import UserSession

_COLORS: Final[Mapping[FeedState, str]] = {
    FeedState.LIVE: "green",
    FeedState.CATCHING_UP: "blue",
    FeedState.INCOMPLETE: "red",
}
_ICONS: Final[Mapping[FeedState, str]] = {
    FeedState.LIVE: ":material/bolt:",
    FeedState.CATCHING_UP: ":material/sync:",
    FeedState.CONNECTING: ":material/sync:",
    FeedState.INCOMPLETE: ":material/build:",
    FeedState.POLLING: ":material/schedule:",
    FeedState.OFFLINE: ":material/cloud_off:",
}


def begin(user: UserSession | None = None) -> None:
    """Show the watched tables in the running tab. Call it in each run, after `db.watch`.

    The first run of a tab waits a few seconds for tables that are still loading.

    Arguments:
        user: who is signed in, as `sign_in` returns it. None shows what visitors may read.

    Raises `LiveError` if no database is connected.
    """
    session.bind(user)
    if isinstance(user, SignedIn):
        sign_in.keep_cookie()


def fragment(
    *tables: str, varies_by: tuple[str, ...] = (), key: str | None = None, shared: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Turn a function into a fragment that reruns when one of these tables changes, and only then.

    The function is called with the rows of each table, as `rows` returns them, before its other arguments.

    Arguments:
        tables: the names of watched tables.
        varies_by: what else the output depends on: "time_zone", "language", "user", or keys of
            `st.session_state`.
        key: the fragment's name, unique in the app; by default the function's module and name.
        shared: the function shows elements and nothing else, and depends on nothing but the rows,
            `varies_by` and its arguments. Then it runs once for many tabs, which are sent what differs.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        names = (*tables, *map(item_of, tables))

        @functools.wraps(function)
        def shown(*args: Any, **kwargs: Any) -> None:
            _say_what_was_refused()
            for table in tables:
                _ask_about_clashes(table)
            function(*(rows(table) for table in tables), *args, **kwargs)

        name = key or f"{function.__module__}.{function.__qualname__}"
        return live_fragment(tables=names, varies_by=varies_by, key=name, shared=shared)(shown)

    return decorate


def rows(table: str) -> list[Any]:
    """Return the rows of a watched table as the running tab shows them, in the order of `db.watch`.

    Empty while they are loading (`is_loading`), and for a table that the person may not read.

    Raises `LiveError` if the table is not watched.
    """
    return session.database().rows(table)


def pending(table: str) -> frozenset[str | tuple[str, ...]]:
    """Return the keys of the rows that this person has written and the database has not confirmed, as texts.

    A key of several columns is a tuple.
    """
    keys = session.database().writes.pending(session.owner(), table)
    return frozenset(key[0] if len(key) == 1 else key for key in keys)


def choose(table: str, filters: str = "") -> None:
    """Show the running tab only rows that pass the filters, such as `"done=is.false,title=ilike.*tea*"`.

    The server filters. Call it in each run, also in a fragment or a callback; without filters all rows are
    shown. The form is that of PostgREST, and commas join conditions.

    Raises `FilterError` if they do not fit the table.
    """
    running_session.choose(table, parse(filters))


def status() -> FeedStatus:
    """Return how the running tab is connected."""
    return running_session.connection()


@live_fragment(tables=(STATUS, REFUSED), key="livetables_badge")
def badge() -> None:
    """Show how the tab is connected, and say what could not be saved. Call it once, anywhere on the page.

    For a database that lacks something, it also shows what, and the SQL that mends it.
    """
    _say_what_was_refused()
    now = status()
    st.badge(now.state.value, icon=_ICONS[now.state], color=_color(now.state))
    if now.missing:
        st.code("\n\n".join(now.missing), language="sql", wrap_lines=True)


def _color(state: FeedState) -> Any:
    return _COLORS.get(state, "orange")


def _say_what_was_refused() -> None:
    for write in session.database().writes.take_refused(session.owner()):
        st.toast(str(write.error), icon=":material/error:", duration="long")


def _ask_about_clashes(table: str) -> None:
    for write, clash in session.database().writes.clashes(session.owner(), table):
        _ask_which(write, clash)


def _ask_which(write: Write, clash: ClashError) -> None:
    """Show both versions of each column, until the person has chosen."""
    with st.container(border=True):
        st.warning(str(clash), icon=":material/call_merge:")
        for column, mine in clash.mine.items():
            st.text(f"{column}\nyours: {mine}\ntheirs: {clash.theirs.get(column)}")
        with st.container(horizontal=True):
            number = id(write)
            st.button("Keep mine", key=f"livetables_mine_{number}", on_click=_keep_mine, args=(write, clash))
            st.button("Take theirs", key=f"livetables_theirs_{number}", on_click=_decided, args=(write,))


def _keep_mine(write: Write, clash: ClashError) -> None:
    _decided(write)
    assert write.key is not None
    session.database().update(write.name, write.key, **clash.mine)


def _decided(write: Write) -> None:
    session.database().writes.decide(write, session.owner())
