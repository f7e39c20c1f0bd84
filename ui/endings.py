"""Sign-ins that ended elsewhere: in another browser, on another server, or with the account."""

from __future__ import annotations

from db.auth import Accounts
from live.engine import Engine

_TABLE = "ended_sessions"


def follow(engine: Engine, accounts: Accounts) -> None:
    """End every sign-in of this process as soon as the database says that its session is over."""

    def heard(sessions: frozenset[str], tables: frozenset[str]) -> None:
        if _TABLE not in tables:
            return
        people = {user_id for session, user_id in engine.sessions.items() if session in sessions and user_id}
        for user_id in people:
            table = engine.tables(user_id).get(_TABLE)
            accounts.end_sessions({key[0] for key in table.rows} if table is not None else ())

    engine.listen(heard)
