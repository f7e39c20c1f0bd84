"""Writing private messages."""

from __future__ import annotations

from datetime import UTC, datetime

from db import rows
from db.models import Record
from db.rows import Caller

TABLE = "private_messages"


def send(me: Caller, message_id: str, recipient_id: str, body: str) -> Record:
    """Write to one person, once, however often it is sent with this id."""
    values = {"sender_id": me.user_id, "recipient_id": recipient_id, "body": body}
    return rows.insert(me, TABLE, {"id": message_id}, values)


def mark_read(me: Caller, sender_id: str) -> list[Record]:
    """Mark everything this sender wrote to this person as read; return what changed."""
    key = {"sender_id": sender_id, "recipient_id": me.user_id}
    now = datetime.now(UTC).isoformat()
    return rows.run(
        me,
        TABLE,
        lambda table: rows.narrowed(table.update({"read_at": now}).is_("read_at", None), key),
    )


def remove(me: Caller, message_id: str) -> None:
    """Take back a message one has sent."""
    rows.delete(me, TABLE, {"id": message_id})
