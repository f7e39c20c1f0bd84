"""Writing in the common room."""

from __future__ import annotations

from datetime import UTC, datetime

from db import rows
from db.models import Record
from db.rows import Caller

TABLE = "tavern_messages"


def post(me: Caller, message_id: str, body: str) -> Record:
    """Say something, once, however often it is sent with this id."""
    return rows.insert(me, TABLE, {"id": message_id}, {"author_id": me.user_id, "body": body})


def edit(me: Caller, message_id: str, body: str, *, version: int) -> Record:
    """Change one's own message."""
    return rows.update(me, TABLE, {"id": message_id}, {"body": body}, version)


def remove(me: Caller, message_id: str) -> None:
    """Delete one's own message."""
    rows.delete(me, TABLE, {"id": message_id})


def hide(me: Caller, message_id: str, *, version: int) -> Record:
    """Take a message's text out of everybody's sight; admins may. The database says when and by whom."""
    values = {"hidden_at": datetime.now(UTC).isoformat()}
    return rows.update(me, TABLE, {"id": message_id}, values, version, seen_by={"hidden_by": me.user_id})


def unhide(me: Caller, message_id: str, *, version: int) -> Record:
    """Show a hidden message again."""
    return rows.update(me, TABLE, {"id": message_id}, {"hidden_at": None}, version)
