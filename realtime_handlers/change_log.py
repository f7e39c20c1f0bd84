"""The activity feed: every change anybody made, for admins."""

from __future__ import annotations

from db.models import ChangeLogEntry, Role, User
from live.changes import Change
from live.rows import Rows
from live.tables import Audience, PublicTables, TableSpec


def handle_change_log_change(
    rows: Rows[ChangeLogEntry], change: Change[ChangeLogEntry]
) -> Rows[ChangeLogEntry]:
    """Add an entry, or drop one that the retention removed."""
    return rows.apply(change)


def _is_admin(user_id: str, public: PublicTables) -> bool:
    profile = public["users"].get((user_id,))
    return isinstance(profile, User) and profile.role is Role.ADMIN


SPEC = TableSpec(
    name="change_log",
    key=("id",),
    parse=ChangeLogEntry.from_record,
    version=lambda _entry: 1,  # written once, never changed
    handler=handle_change_log_change,
    audience=Audience.USER,
    order="id",
    window=500,
    visible_to=_is_admin,
    logged=False,
)
