"""The running session: what its script, fragments and callbacks ask of the engine.

Every function is for the thread of a script. Outside of one, as in a test that imports a page, none does
anything.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from livetables import rerun
from livetables.attached import AttachedSession
from livetables.engine import Engine
from livetables.feed.status import FeedState, FeedStatus
from livetables.sessions import Sessions
from livetables.tables.filters import Filter
from livetables.tables.part import Dependency
from livetables.users import UserSession

_lock: Final = threading.Lock()
_by_loop: Final[dict[asyncio.AbstractEventLoop | None, Sessions]] = {}


def bind_session(engine: Engine, user: UserSession | None) -> None:
    """Show the engine's tables in the running session. Call it first in every full run.

    Puts a `Snapshot` of every table the user may read into `st.session_state.<table>`, removes the tables
    they may no longer read, and reruns the session's live fragments from now on. It reads nothing from the
    database. A session's first run waits up to `FIRST_LOAD` seconds for tables that are still loading.

    From the first call on, no request for another run interrupts a callback (`rerun.protect_callbacks`), and
    no report of a widget undoes a change of pages (`rerun.protect_navigation`).
    """
    session_id = rerun.current_session()
    if session_id is not None:
        rerun.protect_callbacks()
        rerun.protect_navigation()
        _sessions().bind(session_id, engine, user)


def begin_run() -> None:
    """Forget the fragments of the previous full run, for a script that may end before `bind_session`.

    The page that such a run shows has no place for them, and one that reran there would break it.
    """
    session_id = rerun.current_session()
    if session_id is not None and rerun.current_fragment() is None:
        _sessions().forget_fragments(session_id)


def enter_fragment(tables: Sequence[Dependency]) -> None:
    """Move the running session to the newest moment, for the running fragment, which shows these tables."""
    session_id = rerun.current_session()
    if session_id is not None:
        _sessions().enter(session_id, rerun.current_fragment(), tables)


@contextmanager
def rendering(
    tables: Sequence[Dependency], varies_by: Sequence[str], arguments: object, *, shared: bool
) -> Iterator[None]:
    """Do the same for the block, and share with other sessions what a fragment shows that is `shared`."""
    session_id = rerun.current_session()
    if session_id is None:
        yield
        return
    sessions = _sessions()
    sessions.end_if_closed(session_id)
    variant = sessions.variant(session_id, varies_by, arguments) if shared else None
    with sessions.rendering(session_id, rerun.current_fragment(), tables, variant):
        yield


def choose(table: str, filters: Sequence[Filter]) -> None:
    """Show the running session only rows of a table that pass the filters, or without filters all rows.

    From now on `st.session_state.<table>` is a snapshot of these rows. The server filters them for loading,
    streaming and catching up. Call it in a page's script, a fragment or a callback, on every run: the same
    choice again costs nothing. The choice lasts until another one, or until the page changes (`look_at`).
    Sessions of one user with the same choice share one view. `is_loading` is true until its first rows are
    there.

    Raises `FilterError` for columns that are not `filterable`, and `LiveError` if the session is not bound or
    its user has no such table.
    """
    session_id = rerun.current_session()
    if session_id is not None:
        _sessions().choose(session_id, rerun.current_fragment(), table, filters)


def is_loading(table: str) -> bool:
    """Return whether the table, as the running session has chosen it, has not got its first rows yet.

    Raises `LiveError` if the session is not bound or its user has no such table.
    """
    attached = _attached()
    return attached is not None and attached.is_loading(table)


def refusal(table: str) -> str | None:
    """Return why the database refuses to answer what the running session has chosen, None if it does not.

    Raises `LiveError` if the session is not bound or its user has no such table.
    """
    attached = _attached()
    return None if attached is None else attached.refusal(table)


def load_older(table: str) -> bool:
    """Load the next older rows of a table, as the running session has chosen it. Blocks; False if none exist.

    Raises `ReadError` if no usable answer came back, `TimeoutError` after 10 s, and `LiveError` if the
    session is not bound or its user has no such table.
    """
    attached = _attached()
    return attached is not None and attached.load_older(table)


def connection() -> FeedStatus:
    """Return how the running session is connected, its views included. Raises `LiveError` if not bound."""
    attached = _attached()
    return FeedStatus(FeedState.CONNECTING, datetime.now(UTC)) if attached is None else attached.status()


def look_at(page: str, item: str = "") -> None:
    """Report to others that the session shows this page, with this row open. Other pages' choices end."""
    session_id = rerun.current_session()
    if session_id is not None:
        _sessions().look_at(session_id, page, item)


def _attached() -> AttachedSession | None:
    """Return the handle of the running session, None outside of a script. Raises `LiveError` if not bound."""
    session_id = rerun.current_session()
    return None if session_id is None else _sessions().session(session_id).attached


def _sessions() -> Sessions:
    """Return the sessions of the running server, or of none in Streamlit's AppTest."""
    loop = rerun.session_loop()
    with _lock:
        if loop not in _by_loop:
            # The sessions of a server that has ended are gone with its loop.
            for old in [old for old in _by_loop if old is not None and old.is_closed()]:
                del _by_loop[old]
            _by_loop[loop] = Sessions(loop)
        return _by_loop[loop]
