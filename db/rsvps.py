"""Writing one's answers to events."""

from __future__ import annotations

from db import rows
from db.models import Record, RsvpStatus
from db.rows import Caller

TABLE = "rsvps"


def answer(me: Caller, event_id: str, status: RsvpStatus) -> Record:
    """Say whether this person comes. Raises `EventFull` when the last place went to somebody else."""
    return rows.upsert(me, TABLE, {"event_id": event_id, "user_id": me.user_id}, {"status": status.value})


def withdraw(me: Caller, event_id: str) -> None:
    """Take the answer back altogether."""
    rows.delete(me, TABLE, {"event_id": event_id, "user_id": me.user_id})
