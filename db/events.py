"""Writing events and who helps to run them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from db import rows
from db.models import Event, Record
from db.rows import Caller

TABLE = "events"
COHOSTS = "event_cohosts"


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What a person says about an event; times are aware, `capacity` None means no limit."""

    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    location: str
    capacity: int | None

    @classmethod
    def of(cls, event: Event) -> EventDraft:
        """Take the draft that an event was made from."""
        return cls(
            title=event.title,
            description=event.description,
            starts_at=event.starts_at,
            ends_at=event.ends_at,
            time_zone=event.time_zone,
            location=event.location,
            capacity=event.capacity,
        )

    def values(self) -> Mapping[str, str | int | None]:
        """Give the columns as JSON."""
        return {
            "title": self.title,
            "description": self.description,
            "starts_at": self.starts_at.astimezone(UTC).isoformat(),
            "ends_at": self.ends_at.astimezone(UTC).isoformat(),
            "time_zone": self.time_zone,
            "location": self.location,
            "capacity": self.capacity,
        }


def create(me: Caller, event_id: str, draft: EventDraft) -> Record:
    """Make an event with this id, run by this person."""
    return rows.insert(me, TABLE, {"id": event_id}, {**draft.values(), "organizer_id": me.user_id})


def change(me: Caller, event_id: str, values: rows.Values, *, version: int) -> Record:
    """Change some columns of an event that was seen at this version."""
    return rows.update(me, TABLE, {"id": event_id}, values, version)


def cancel(me: Caller, event_id: str, *, version: int) -> Record:
    """Call an event off; it stays visible as cancelled."""
    return change(me, event_id, {"cancelled_at": datetime.now(UTC).isoformat()}, version=version)


def reinstate(me: Caller, event_id: str, *, version: int) -> Record:
    """Take a cancellation back."""
    return change(me, event_id, {"cancelled_at": None}, version=version)


def add_cohost(me: Caller, event_id: str, user_id: str) -> Record:
    """Let somebody else change the event too."""
    return rows.insert(me, COHOSTS, {"event_id": event_id, "user_id": user_id}, {})


def remove_cohost(me: Caller, event_id: str, user_id: str) -> None:
    """Take that back."""
    rows.delete(me, COHOSTS, {"event_id": event_id, "user_id": user_id})
