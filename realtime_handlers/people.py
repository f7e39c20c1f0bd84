"""People's public profiles."""

from __future__ import annotations

from typing import Final

from db.hub.models import User
from livetables.tables.changes import Change
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.spec import TableSpec


def handle_users_change(rows: Rows[User], change: Change[User]) -> Rows[User]:
    """Add, replace or remove a profile."""
    return rows.apply(change)


USERS: Final = TableSpec(
    name="users",
    key=("id",),
    parse=User.from_record,
    handler=handle_users_change,
    order="created_at",
    filterable={
        "id": ColumnType.UUID,
        "display_name": ColumnType.TEXT,
        "role": ColumnType.TEXT,
        "created_at": ColumnType.TIME,
    },
)
