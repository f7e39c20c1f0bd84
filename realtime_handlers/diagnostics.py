"""The activity log: every change anybody made, for admins."""

from __future__ import annotations

from typing import Final

from db.hub.models import ChangeLogEntry
from livetables.tables.spec import TableSpec, Visibility
from realtime_handlers.permissions import is_admin, permission_version

CHANGE_LOG: Final = TableSpec(
    name="change_log",
    key=("id",),
    parse=ChangeLogEntry.from_record,
    version=lambda _entry: 1,  # an entry is never updated
    visibility=Visibility.USER,
    order="id",
    window=500,
    visible_to=is_admin,
    permission_version=permission_version,
    logged=False,
)
