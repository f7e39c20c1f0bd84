"""Messages between two people, fed through each one's own subscription."""

from __future__ import annotations

from db.models import PrivateMessage
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import Audience, PublicTables, TableSpec


def handle_private_messages_change(
    rows: Rows[PrivateMessage], change: Change[PrivateMessage]
) -> Rows[PrivateMessage]:
    """Add, replace or remove a message."""
    return rows.apply(change)


def _own(user_id: str, _public: PublicTables) -> tuple[str, ...]:
    # With a filter on the user's own id one change costs one authorization check, not one per connected user.
    return f"sender_id=eq.{user_id}", f"recipient_id=eq.{user_id}"


SPEC = TableSpec(
    name="private_messages",
    key=("id",),
    parse=PrivateMessage.from_record,
    version=lambda message: message.version,
    handler=handle_private_messages_change,
    audience=Audience.USER,
    order="created_at",
    window=500,
    filters=_own,
    filterable={
        "sender_id": Kind.UUID,
        "recipient_id": Kind.UUID,
        "created_at": Kind.TIME,
        "read_at": Kind.TIME,
    },
)
