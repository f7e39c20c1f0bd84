"""Who comes to what."""

from __future__ import annotations

from db.models import Rsvp
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import TableSpec


def handle_rsvps_change(rows: Rows[Rsvp], change: Change[Rsvp]) -> Rows[Rsvp]:
    """Add, replace or remove an answer."""
    return rows.apply(change)


SPEC = TableSpec(
    name="rsvps",
    key=("event_id", "user_id"),
    parse=Rsvp.from_record,
    version=lambda rsvp: rsvp.version,
    handler=handle_rsvps_change,
    order="created_at",
    reborn=lambda rsvp: rsvp.created_at,
    filterable={"event_id": Kind.UUID, "user_id": Kind.UUID, "status": Kind.TEXT, "created_at": Kind.TIME},
)
