"""Events, their co-hosts, and people's answers to them."""

from __future__ import annotations

from typing import Final

from db.hub.models import Event, EventCohost, Rsvp
from livetables.tables.changes import Change
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.spec import TableSpec


def handle_events_change(rows: Rows[Event], change: Change[Event]) -> Rows[Event]:
    """Add, replace or remove an event."""
    return rows.apply(change)


def handle_rsvps_change(rows: Rows[Rsvp], change: Change[Rsvp]) -> Rows[Rsvp]:
    """Add, replace or remove an answer."""
    return rows.apply(change)


EVENTS: Final = TableSpec(
    name="events",
    key=("id",),
    parse=Event.from_record,
    handler=handle_events_change,
    order="created_at",
    filterable={
        "id": ColumnType.UUID,
        "title": ColumnType.TEXT,
        "location": ColumnType.TEXT,
        "starts_at": ColumnType.TIME,
        "ends_at": ColumnType.TIME,
        "capacity": ColumnType.INTEGER,
        "organizer_id": ColumnType.UUID,
        "cancelled_at": ColumnType.TIME,
    },
)

EVENT_COHOSTS: Final = TableSpec(
    name="event_cohosts",
    key=("event_id", "user_id"),
    parse=EventCohost.from_record,
    order="created_at",
    recreated_at=lambda cohost: cohost.created_at,
    filterable={"event_id": ColumnType.UUID, "user_id": ColumnType.UUID},
)

RSVPS: Final = TableSpec(
    name="rsvps",
    key=("event_id", "user_id"),
    parse=Rsvp.from_record,
    handler=handle_rsvps_change,
    order="created_at",
    recreated_at=lambda rsvp: rsvp.created_at,
    filterable={
        "event_id": ColumnType.UUID,
        "user_id": ColumnType.UUID,
        "status": ColumnType.TEXT,
        "created_at": ColumnType.TIME,
    },
)
