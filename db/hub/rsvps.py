"""Writing a person's answers to events."""

from __future__ import annotations

from db import rows
from db.caller import Caller
from db.clients import Clients
from db.columns import Record
from db.errors import translated
from db.hub.models import RsvpStatus

TABLE = "rsvps"
MOST_GUESTS = 10
"""How many guests a person may bring."""


def answer(me: Caller, event_id: str, status: RsvpStatus, guests: int = 0) -> Record:
    """Answer an event, or change the answer, and so confirm a place that came from the waitlist.

    Whoever asks for the waitlist gets a place at once if one is free. Raises `EventFullError` when no place
    is left, and `InvalidValueError` when fewer are left than the person and the guests need.
    """
    values = {"status": status.value, "guests": guests, "confirm_by": None}
    return rows.upsert(me, TABLE, {"event_id": event_id, "user_id": me.user_id}, values)


def withdraw(me: Caller, event_id: str) -> None:
    """Remove this person's answer to an event."""
    rows.delete(me, TABLE, {"event_id": event_id, "user_id": me.user_id})


def settle_waitlists(clients: Clients) -> None:
    """Pass on the places that were not confirmed in time, of all events. Anybody may."""
    with translated():
        clients.rpc("settle_waitlists", {}).execute()
