"""Events and messages of one's own."""

import uuid
from datetime import UTC, datetime, timedelta

from db.auth.accounts import SignedIn
from db.hub import events, tavern_messages
from db.hub.events import EventDraft
from db.hub.models import Event, TavernMessage


def draft(**changes: object) -> EventDraft:
    """Return an event of tomorrow."""
    starts = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    values: dict[str, object] = {
        "title": "Quiz",
        "description": "",
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=2),
        "time_zone": "Europe/Berlin",
        "location": "Bar",
        "capacity": None,
    }
    return EventDraft(**{**values, **changes})  # type: ignore[arg-type]  # fields by name, from the test


def new_event(me: SignedIn, **changes: object) -> Event:
    """Create an event."""
    return Event.from_record(events.create(me, str(uuid.uuid4()), draft(**changes)))


def new_message(me: SignedIn, body: str = "Hello") -> TavernMessage:
    """Post a message."""
    return TavernMessage.from_record(tavern_messages.post(me, str(uuid.uuid4()), body))
