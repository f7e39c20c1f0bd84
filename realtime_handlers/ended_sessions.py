"""Which sign-ins have ended, so that every tab gives them up."""

from __future__ import annotations

from db.models import EndedSession
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, PublicTables, TableSpec


def handle_ended_sessions_change(
    rows: Rows[EndedSession], change: Change[EndedSession]
) -> Rows[EndedSession]:
    """Add a sign-in that has ended, or forget it after a month."""
    return rows.apply(change)


def _own(user_id: str, _public: PublicTables) -> tuple[str, ...]:
    return (f"user_id=eq.{user_id}",)


SPEC = TableSpec(
    name="ended_sessions",
    key=("session_id",),
    parse=EndedSession.from_record,
    version=lambda ended: ended.version,
    handler=handle_ended_sessions_change,
    audience=Audience.USER,
    filters=_own,
)
