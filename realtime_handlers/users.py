"""People's public profiles."""

from __future__ import annotations

from db.models import User
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import TableSpec


def handle_users_change(rows: Rows[User], change: Change[User]) -> Rows[User]:
    """Add, replace or remove a profile."""
    return rows.apply(change)


SPEC = TableSpec(
    name="users",
    key=("id",),
    parse=User.from_record,
    version=lambda user: user.version,
    handler=handle_users_change,
    order="created_at",
    filterable={"id": Kind.UUID, "display_name": Kind.TEXT, "role": Kind.TEXT, "created_at": Kind.TIME},
)
