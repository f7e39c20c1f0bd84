"""What is on."""

from __future__ import annotations

from db.models import Event
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import TableSpec


def handle_events_change(rows: Rows[Event], change: Change[Event]) -> Rows[Event]:
    """Add, replace or remove an event."""
    return rows.apply(change)


SPEC = TableSpec(
    name="events",
    key=("id",),
    parse=Event.from_record,
    version=lambda event: event.version,
    handler=handle_events_change,
    order="created_at",
    filterable={
        "id": Kind.UUID,
        "title": Kind.TEXT,
        "location": Kind.TEXT,
        "starts_at": Kind.TIME,
        "ends_at": Kind.TIME,
        "capacity": Kind.INTEGER,
        "organizer_id": Kind.UUID,
        "cancelled_at": Kind.TIME,
    },
)
