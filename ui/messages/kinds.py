"""The messages that everybody reads: those of the common room, and those about an event."""

from __future__ import annotations

from typing import Protocol

from db.caller import Caller
from db.columns import Record
from db.hub import event_messages, tavern_messages
from db.hub.models import EventMessage, TavernMessage

Message = TavernMessage | EventMessage


class Writes(Protocol):
    """A module of `db` that writes messages."""

    TABLE: str

    def edit(self, me: Caller, message_id: str, body: str, *, version: int) -> Record:
        """Change the text of a message of this person."""

    def remove(self, me: Caller, message_id: str) -> None:
        """Delete a message of this person."""

    def hide(self, me: Caller, message_id: str, *, version: int) -> Record:
        """Hide the text of a message from everybody."""

    def unhide(self, me: Caller, message_id: str, *, version: int) -> Record:
        """Show the text of a hidden message again."""


def writes_of(message: Message) -> Writes:
    """Return what writes messages of this kind."""
    return event_messages if isinstance(message, EventMessage) else tavern_messages


def event_of(message: Message) -> str:
    """Return the id of the event that a message is about; empty for the common room."""
    return message.event_id if isinstance(message, EventMessage) else ""
