"""Writing messages in the discussions of events."""

from __future__ import annotations

from datetime import UTC, datetime

from db import rows
from db.caller import Caller
from db.columns import Record

TABLE = "event_messages"


def post(me: Caller, message_id: str, event_id: str, body: str) -> Record:
    """Post a message about an event. Posting it again with the same id changes nothing."""
    values = {"event_id": event_id, "author_id": me.user_id, "body": body}
    return rows.insert(me, TABLE, {"id": message_id}, values)


def edit(me: Caller, message_id: str, body: str, *, version: int) -> Record:
    """Change the text of a message of this person."""
    return rows.update(me, TABLE, {"id": message_id}, {"body": body}, version)


def remove(me: Caller, message_id: str) -> None:
    """Delete a message of this person."""
    rows.delete(me, TABLE, {"id": message_id})


def hide(me: Caller, message_id: str, *, version: int) -> Record:
    """Hide the text from everybody; hosts and admins may. The database sets when and by whom."""
    values = {"hidden_at": datetime.now(UTC).isoformat()}
    return rows.update(me, TABLE, {"id": message_id}, values, version, written_as={"hidden_by": me.user_id})


def unhide(me: Caller, message_id: str, *, version: int) -> Record:
    """Show the text of a hidden message again; hosts and admins may."""
    return rows.update(me, TABLE, {"id": message_id}, {"hidden_at": None}, version)
