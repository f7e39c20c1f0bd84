"""The table of the activity, as this session sees it."""

from __future__ import annotations

from db.hub.models import ChangeLogEntry
from livetables.tables.snapshot import Snapshot
from ui.base import session


def change_log() -> Snapshot[ChangeLogEntry]:
    """Return the loaded part of the change log; empty for everybody but admins."""
    return session.table("change_log")
