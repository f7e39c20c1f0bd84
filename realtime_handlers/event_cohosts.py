"""Who may change an event beside its organizer."""

from __future__ import annotations

from db.models import EventCohost
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import TableSpec


def handle_event_cohosts_change(rows: Rows[EventCohost], change: Change[EventCohost]) -> Rows[EventCohost]:
    """Add or remove a co-host."""
    return rows.apply(change)


SPEC = TableSpec(
    name="event_cohosts",
    key=("event_id", "user_id"),
    parse=EventCohost.from_record,
    version=lambda cohost: cohost.version,
    handler=handle_event_cohosts_change,
    order="created_at",
    reborn=lambda cohost: cohost.created_at,
    filterable={"event_id": Kind.UUID, "user_id": Kind.UUID},
)
