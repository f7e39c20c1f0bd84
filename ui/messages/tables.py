"""The tables of messages, as this session sees them: with the signed-in person's own pending writes."""

from __future__ import annotations

from db.hub.models import PrivateMessage, TavernMessage
from livetables.tables.snapshot import Snapshot
from ui.base import session


def tavern_messages() -> Snapshot[TavernMessage]:
    """Return the loaded part of the common room's messages."""
    return session.table("tavern_messages")


def private_messages() -> Snapshot[PrivateMessage]:
    """Return the loaded part of the signed-in person's own messages; empty for visitors."""
    return session.table("private_messages")
