"""The rows of the schema in `supabase/migrations`, as values. Reads nothing, imports no client.

Every model has `from_record`, which takes one row as PostgREST or Realtime sends it (JSON values:
timestamps as ISO 8601 text, uuids as text). It raises `ValueError` when a column is missing or has
another shape than the schema gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from db import columns
from db.columns import Record

__all__ = [
    "ChangeLogEntry",
    "EndedSession",
    "Event",
    "EventCohost",
    "PrivateMessage",
    "Record",
    "Role",
    "Rsvp",
    "RsvpStatus",
    "TavernMessage",
    "User",
]


class Role(StrEnum):
    """What a person may do beyond looking after their own rows."""

    MEMBER = "member"
    ORGANIZER = "organizer"
    ADMIN = "admin"


class RsvpStatus(StrEnum):
    """A person's answer to an event."""

    GOING = "going"
    MAYBE = "maybe"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class User:
    """A person's public profile. `avatar` is an emoji or an https URL, empty text or None for neither.

    `updated_by` is the id of whoever wrote the row last, None for the system.
    """

    id: str
    display_name: str
    bio: str
    avatar: str | None
    role: Role
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.users`."""
        return cls(
            id=columns.text(record, "id"),
            display_name=columns.text(record, "display_name"),
            bio=columns.optional_text(record, "bio") or "",
            avatar=columns.optional_text(record, "avatar"),
            role=Role(columns.text(record, "role")),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
            updated_by=columns.optional_text(record, "updated_by"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A gathering. `time_zone` is an IANA name; `capacity` None means no limit.

    `updated_by` is the id of whoever wrote the row last, None for the system.
    """

    id: str
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    location: str
    capacity: int | None
    organizer_id: str
    cancelled_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.events`."""
        return cls(
            id=columns.text(record, "id"),
            title=columns.text(record, "title"),
            description=columns.optional_text(record, "description") or "",
            starts_at=columns.moment(record, "starts_at"),
            ends_at=columns.moment(record, "ends_at"),
            time_zone=columns.text(record, "time_zone"),
            location=columns.optional_text(record, "location") or "",
            capacity=columns.optional_integer(record, "capacity"),
            organizer_id=columns.text(record, "organizer_id"),
            cancelled_at=columns.optional_moment(record, "cancelled_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
            updated_by=columns.optional_text(record, "updated_by"),
        )


@dataclass(frozen=True, slots=True)
class EventCohost:
    """Somebody who may change an event beside its organizer."""

    event_id: str
    user_id: str
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.event_cohosts`."""
        return cls(
            event_id=columns.text(record, "event_id"),
            user_id=columns.text(record, "user_id"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A sign-in that has ended; `session_id` is that of its tokens."""

    session_id: str
    user_id: str
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.ended_sessions`."""
        return cls(
            session_id=columns.text(record, "session_id"),
            user_id=columns.text(record, "user_id"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class Rsvp:
    """One person's answer to one event."""

    event_id: str
    user_id: str
    status: RsvpStatus
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.rsvps`."""
        return cls(
            event_id=columns.text(record, "event_id"),
            user_id=columns.text(record, "user_id"),
            status=RsvpStatus(columns.text(record, "status")),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class TavernMessage:
    """A message in the common room. `body` is None once a moderator has hidden it."""

    id: str
    author_id: str
    body: str | None
    edited_at: datetime | None
    hidden_at: datetime | None
    hidden_by: str | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.tavern_messages`."""
        return cls(
            id=columns.text(record, "id"),
            author_id=columns.text(record, "author_id"),
            body=columns.optional_text(record, "body"),
            edited_at=columns.optional_moment(record, "edited_at"),
            hidden_at=columns.optional_moment(record, "hidden_at"),
            hidden_by=columns.optional_text(record, "hidden_by"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class PrivateMessage:
    """A message between two people, readable by these two only."""

    id: str
    sender_id: str
    recipient_id: str
    body: str
    read_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.private_messages`."""
        return cls(
            id=columns.text(record, "id"),
            sender_id=columns.text(record, "sender_id"),
            recipient_id=columns.text(record, "recipient_id"),
            body=columns.text(record, "body"),
            read_at=columns.optional_moment(record, "read_at"),
            version=columns.integer(record, "version"),
            created_at=columns.moment(record, "created_at"),
            updated_at=columns.moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class ChangeLogEntry:
    """One line of the activity feed. `old` and `new` are None where the log keeps no content.

    `op` is INSERT, UPDATE or DELETE; `actor` is the id of the person who did it, None for direct SQL.
    """

    id: int
    table_name: str
    row_key: Mapping[str, object]
    op: str
    actor: str | None
    old: Mapping[str, object] | None
    new: Mapping[str, object] | None
    changed_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.change_log`."""
        return cls(
            id=columns.integer(record, "id"),
            table_name=columns.text(record, "table_name"),
            row_key=columns.optional_object(record, "row_key") or {},
            op=columns.text(record, "op"),
            actor=columns.optional_text(record, "actor"),
            old=columns.optional_object(record, "old"),
            new=columns.optional_object(record, "new"),
            changed_at=columns.moment(record, "changed_at"),
        )
