"""Writing a person's answers to events."""

from __future__ import annotations

from db import rows
from db.caller import Caller
from db.columns import Record
from db.hub.models import RsvpStatus

TABLE = "rsvps"


def answer(me: Caller, event_id: str, status: RsvpStatus) -> Record:
    """Answer an event, or change the answer. Raises `EventFullError` when no place is left."""
    return rows.upsert(me, TABLE, {"event_id": event_id, "user_id": me.user_id}, {"status": status.value})


def withdraw(me: Caller, event_id: str) -> None:
    """Remove this person's answer to an event."""
    rows.delete(me, TABLE, {"event_id": event_id, "user_id": me.user_id})
