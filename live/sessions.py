"""Sessions of the app (one open tab each) and what they show."""

from __future__ import annotations

from live.engine import Engine
from live.users import UserSession


def bind_session(engine: Engine, user: UserSession | None) -> None:
    """Show the engine's tables in the running session. Call it first on every full run.

    Puts a `Snapshot` of every table the user may read into `st.session_state.<table>` (tables of an
    audience the session no longer belongs to are taken away), and counts the session in for wakes. Costs no
    reads.
    """
    raise NotImplementedError
