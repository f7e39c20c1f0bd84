"""The activity feed: every change anybody made, for admins."""

from __future__ import annotations

from db.models import ChangeLogEntry
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, TableSpec
from realtime_handlers.roles import is_admin, standing


def handle_change_log_change(
    rows: Rows[ChangeLogEntry], change: Change[ChangeLogEntry]
) -> Rows[ChangeLogEntry]:
    """Add an entry, or drop one that the retention removed."""
    return rows.apply(change)


SPEC = TableSpec(
    name="change_log",
    key=("id",),
    parse=ChangeLogEntry.from_record,
    version=lambda _entry: 1,  # written once, never changed
    handler=handle_change_log_change,
    audience=Audience.USER,
    order="id",
    window=500,
    visible_to=is_admin,
    standing=standing,
    logged=False,
)
