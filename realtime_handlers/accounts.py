"""Sessions of the Auth service that have ended, so that every tab signs out."""

from __future__ import annotations

from typing import Final

from db.hub.models import EndedSession
from livetables.tables.spec import TableSpec, Visibility
from realtime_handlers.permissions import own_rows

ENDED_SESSIONS: Final = TableSpec(
    name="ended_sessions",
    key=("session_id",),
    parse=EndedSession.from_record,
    visibility=Visibility.USER,
    filters=own_rows,
)
