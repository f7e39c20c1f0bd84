"""Writing private messages."""

from __future__ import annotations

from datetime import UTC, datetime

from db import rows
from db.errors import Unreachable
from db.models import Record
from db.rows import Caller

TABLE = "private_messages"
_LOOKED_AT = 100


def send(me: Caller, message_id: str, recipient_id: str, body: str) -> Record:
    """Write to one person, once, however often it is sent with this id."""
    values = {"sender_id": me.user_id, "recipient_id": recipient_id, "body": body}
    return rows.insert(me, TABLE, {"id": message_id}, values)


def mark_read(me: Caller, sender_id: str) -> list[Record]:
    """Mark everything this sender wrote to this person as read; return what changed."""
    key = {"sender_id": sender_id, "recipient_id": me.user_id}
    now = datetime.now(UTC).isoformat()
    try:
        return rows.run(
            me,
            TABLE,
            lambda table: rows.narrowed(table.update({"read_at": now}).is_("read_at", None), key),
        )
    except Unreachable as error:
        if not error.worth_looking:
            raise
        return _read_already(me, key, error)


def _read_already(me: Caller, key: rows.Key, otherwise: Unreachable) -> list[Record]:
    """Look whether marking happened though its answer got lost; return the messages read last."""
    newest = rows.run(
        me,
        TABLE,
        lambda table: rows.narrowed(table.select("*"), key).order("created_at", desc=True).limit(_LOOKED_AT),
    )
    if any(record["read_at"] is None for record in newest):
        raise otherwise
    return newest


def remove(me: Caller, message_id: str) -> None:
    """Take back a message one has sent."""
    rows.delete(me, TABLE, {"id": message_id})
