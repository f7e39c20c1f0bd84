"""Writing private messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from db import rows
from db.caller import Caller
from db.columns import Record
from db.errors import UnreachableError

TABLE = "private_messages"


def send(me: Caller, message_id: str, recipient_id: str, body: str) -> Record:
    """Send a message to one person. Sending it again with the same id changes nothing."""
    values = {"sender_id": me.user_id, "recipient_id": recipient_id, "body": body}
    return rows.insert(me, TABLE, {"id": message_id}, values)


def mark_read(me: Caller, message_ids: Sequence[str]) -> list[Record]:
    """Mark these messages to this person as read; return those that changed.

    If the answer is lost although all are marked, all of them are returned.
    """
    now = datetime.now(UTC).isoformat()
    try:
        return rows.run(
            me,
            TABLE,
            lambda table: rows.where(
                table.update({"read_at": now}).is_("read_at", None).in_("id", list(message_ids)),
                {"recipient_id": me.user_id},
            ),
        )
    except UnreachableError as error:
        if not error.answer_lost:
            raise
        found = rows.find_all(me, TABLE, "id", message_ids)
        if any(record["read_at"] is None for record in found):
            raise
        return found


def remove(me: Caller, message_id: str) -> None:
    """Delete a message that this person sent."""
    rows.delete(me, TABLE, {"id": message_id})
