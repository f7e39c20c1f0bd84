"""The running tab: its database, its person, and what it shows."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any, Final, cast

from livetables import rerun, running_session
from livetables.engine import Engine
from livetables.errors import LiveError
from livetables.sessions import FIRST_LOAD
from livetables.tables.snapshot import Snapshot
from livetables.users import UserSession

if TYPE_CHECKING:
    from livetables.library.database import Database

_DATABASE: Final = "livetables.database"
_USER: Final = "livetables.user"

_outside: Final[dict[str, Any]] = {}
"""What a tab holds in `st.session_state`, for a program that is no tab."""


def use(database: Database) -> None:
    """Make this the database of the running tab, whose script begins."""
    running_session.begin_run()
    _state()[_DATABASE] = database


def database() -> Database:
    """Return the database of the running tab. Raises `LiveError` if none is connected."""
    found = _state().get(_DATABASE)
    if found is None:
        raise LiveError('No database is connected. Begin the script with db = live.connect("supabase").')
    return cast("Database", found)


def bind(user: UserSession | None) -> None:
    """Show the database's tables in the running tab, as this person or with None as a visitor.

    Raises `LiveError` if no database is connected.
    """
    engine = database().engine
    _state()[_USER] = user
    running_session.bind_session(engine, user)
    if rerun.current_session() is not None:
        engine.wait_loaded(FIRST_LOAD, user_id=None if user is None else user.user_id)


def user() -> UserSession | None:
    """Return who is signed in in the running tab, None for a visitor."""
    return cast("UserSession | None", _state().get(_USER))


def owner() -> str:
    """Return whose the running tab's writes are: a person's, or a visitor's in this tab; empty for no tab."""
    signed_in = user()
    return (rerun.current_session() or "") if signed_in is None else signed_in.user_id


def snapshot(engine: Engine, table: str) -> Snapshot[Any] | None:
    """Return a table as the running tab shows it, None if its person may not read it."""
    if rerun.current_session() is None:
        signed_in = user()
        return engine.tables(None if signed_in is None else signed_in.user_id).get(table)
    return cast("Snapshot[Any] | None", rerun.session_state().get(table))


def _state() -> MutableMapping[str, Any]:
    return _outside if rerun.current_session() is None else rerun.session_state()
