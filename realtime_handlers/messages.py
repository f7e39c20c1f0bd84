"""The chat in the common room, the discussions of events, and private messages."""

from __future__ import annotations

from typing import Final

from db.hub.models import EventMessage, PrivateMessage, TavernMessage
from livetables.tables.changes import Change
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.spec import PublicTables, TableSpec, Visibility


def handle_tavern_messages_change(
    rows: Rows[TavernMessage], change: Change[TavernMessage]
) -> Rows[TavernMessage]:
    """Add, replace or remove a message."""
    return rows.apply(change)


def handle_event_messages_change(
    rows: Rows[EventMessage], change: Change[EventMessage]
) -> Rows[EventMessage]:
    """Add, replace or remove a message."""
    return rows.apply(change)


def handle_private_messages_change(
    rows: Rows[PrivateMessage], change: Change[PrivateMessage]
) -> Rows[PrivateMessage]:
    """Add, replace or remove a message."""
    return rows.apply(change)


def _sent_or_received(user_id: str, _public: PublicTables) -> tuple[str, ...]:
    # With filters on the person's own id, Realtime checks the policies of a change once, and not once for
    # every connected person.
    return f"sender_id=eq.{user_id}", f"recipient_id=eq.{user_id}"


TAVERN_MESSAGES: Final = TableSpec(
    name="tavern_messages",
    key=("id",),
    parse=TavernMessage.from_record,
    handler=handle_tavern_messages_change,
    order="created_at",
    window=200,
    filterable={
        "author_id": ColumnType.UUID,
        "created_at": ColumnType.TIME,
        "edited_at": ColumnType.TIME,
        "hidden_at": ColumnType.TIME,
    },
)

EVENT_MESSAGES: Final = TableSpec(
    name="event_messages",
    key=("id",),
    parse=EventMessage.from_record,
    handler=handle_event_messages_change,
    order="created_at",
    # Pages choose the rows of one event, so few of all are loaded, once for a process.
    window=100,
    filterable={
        "event_id": ColumnType.UUID,
        "author_id": ColumnType.UUID,
        "created_at": ColumnType.TIME,
        "edited_at": ColumnType.TIME,
        "hidden_at": ColumnType.TIME,
    },
)

PRIVATE_MESSAGES: Final = TableSpec(
    name="private_messages",
    key=("id",),
    parse=PrivateMessage.from_record,
    handler=handle_private_messages_change,
    visibility=Visibility.USER,
    order="created_at",
    window=500,
    filters=_sent_or_received,
    filterable={
        "sender_id": ColumnType.UUID,
        "recipient_id": ColumnType.UUID,
        "created_at": ColumnType.TIME,
        "read_at": ColumnType.TIME,
    },
)
