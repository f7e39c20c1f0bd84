"""The tables of events, as this session sees them: with the signed-in person's own pending writes."""

from __future__ import annotations

from db.hub.models import Event, EventCohost, Rsvp
from livetables.tables.snapshot import Snapshot
from ui.base import session


def events() -> Snapshot[Event]:
    """Return all events."""
    return session.table("events")


def cohosts() -> Snapshot[EventCohost]:
    """Return the co-hosts of all events."""
    return session.table("event_cohosts")


def rsvps() -> Snapshot[Rsvp]:
    """Return all answers to events."""
    return session.table("rsvps")
