"""What is being said in the common room."""

from __future__ import annotations

from db.models import TavernMessage
from live.changes import Change
from live.kinds import Kind
from live.rows import Rows
from live.tables import TableSpec


def handle_tavern_messages_change(
    rows: Rows[TavernMessage], change: Change[TavernMessage]
) -> Rows[TavernMessage]:
    """Add, replace or remove a message."""
    return rows.apply(change)


SPEC = TableSpec(
    name="tavern_messages",
    key=("id",),
    parse=TavernMessage.from_record,
    version=lambda message: message.version,
    handler=handle_tavern_messages_change,
    order="created_at",
    window=200,
    filterable={
        "author_id": Kind.UUID,
        "created_at": Kind.TIME,
        "edited_at": Kind.TIME,
        "hidden_at": Kind.TIME,
    },
)
