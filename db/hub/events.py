"""Writing events and their co-hosts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from db import rows
from db.caller import Caller
from db.columns import Record
from db.hub.models import Event

TABLE = "events"
COHOSTS = "event_cohosts"


@dataclass(frozen=True, slots=True)
class EventDraft:
    """The columns of an event that a person fills in. Times have a zone; `capacity` None means no limit."""

    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    location: str
    capacity: int | None

    @classmethod
    def of(cls, event: Event) -> EventDraft:
        """Return the draft that gives this event."""
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
        """Return the columns as JSON, times in UTC."""
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
    """Create an event with this id; this person is its organizer."""
    return rows.insert(me, TABLE, {"id": event_id}, {**draft.values(), "organizer_id": me.user_id})


def change(me: Caller, event_id: str, values: rows.Values, *, version: int) -> Record:
    """Change columns of an event that this person saw at `version`."""
    return rows.update(me, TABLE, {"id": event_id}, values, version)


def cancel(me: Caller, event_id: str, *, version: int, reason: str = "") -> Record:
    """Cancel an event; it stays visible, with the reason."""
    values = {"cancelled_at": datetime.now(UTC).isoformat(), "cancel_reason": reason}
    return change(me, event_id, values, version=version)


def reinstate(me: Caller, event_id: str, *, version: int) -> Record:
    """Undo the cancellation of an event. Its reason goes."""
    return change(me, event_id, {"cancelled_at": None, "cancel_reason": ""}, version=version)


def add_cohost(me: Caller, event_id: str, user_id: str) -> Record:
    """Let another person change the event too."""
    return rows.insert(me, COHOSTS, {"event_id": event_id, "user_id": user_id}, {})


def remove_cohost(me: Caller, event_id: str, user_id: str) -> None:
    """Remove a co-host of an event."""
    rows.delete(me, COHOSTS, {"event_id": event_id, "user_id": user_id})
