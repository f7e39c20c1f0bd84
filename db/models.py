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

Record = Mapping[str, object]


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


def _text(record: Record, column: str) -> str:
    value = record.get(column)
    if not isinstance(value, str):
        raise ValueError(f"column {column!r} should hold text, not {value!r}")
    return value


def _optional_text(record: Record, column: str) -> str | None:
    return None if record.get(column) is None else _text(record, column)


def _integer(record: Record, column: str) -> int:
    value = record.get(column)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"column {column!r} should hold an integer, not {value!r}")
    return value


def _optional_integer(record: Record, column: str) -> int | None:
    return None if record.get(column) is None else _integer(record, column)


def _moment(record: Record, column: str) -> datetime:
    moment = datetime.fromisoformat(_text(record, column))
    if moment.tzinfo is None:
        raise ValueError(f"column {column!r} should hold a time with its zone, not {moment.isoformat()}")
    return moment


def _optional_moment(record: Record, column: str) -> datetime | None:
    return None if record.get(column) is None else _moment(record, column)


def _optional_object(record: Record, column: str) -> Mapping[str, object] | None:
    value = record.get(column)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(f"column {column!r} should hold a JSON object, not {value!r}")
    return value


@dataclass(frozen=True, slots=True)
class User:
    """A person's public profile. `avatar` is an emoji or an https URL, empty text or None for neither."""

    id: str
    display_name: str
    bio: str
    avatar: str | None
    role: Role
    version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.users`."""
        return cls(
            id=_text(record, "id"),
            display_name=_text(record, "display_name"),
            bio=_optional_text(record, "bio") or "",
            avatar=_optional_text(record, "avatar"),
            role=Role(_text(record, "role")),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """A gathering. `time_zone` is an IANA name; `capacity` None means no limit."""

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

    @classmethod
    def from_record(cls, record: Record) -> Self:
        """Read one row of `public.events`."""
        return cls(
            id=_text(record, "id"),
            title=_text(record, "title"),
            description=_optional_text(record, "description") or "",
            starts_at=_moment(record, "starts_at"),
            ends_at=_moment(record, "ends_at"),
            time_zone=_text(record, "time_zone"),
            location=_optional_text(record, "location") or "",
            capacity=_optional_integer(record, "capacity"),
            organizer_id=_text(record, "organizer_id"),
            cancelled_at=_optional_moment(record, "cancelled_at"),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
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
            event_id=_text(record, "event_id"),
            user_id=_text(record, "user_id"),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
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
            event_id=_text(record, "event_id"),
            user_id=_text(record, "user_id"),
            status=RsvpStatus(_text(record, "status")),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
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
            id=_text(record, "id"),
            author_id=_text(record, "author_id"),
            body=_optional_text(record, "body"),
            edited_at=_optional_moment(record, "edited_at"),
            hidden_at=_optional_moment(record, "hidden_at"),
            hidden_by=_optional_text(record, "hidden_by"),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
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
            id=_text(record, "id"),
            sender_id=_text(record, "sender_id"),
            recipient_id=_text(record, "recipient_id"),
            body=_text(record, "body"),
            read_at=_optional_moment(record, "read_at"),
            version=_integer(record, "version"),
            created_at=_moment(record, "created_at"),
            updated_at=_moment(record, "updated_at"),
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
            id=_integer(record, "id"),
            table_name=_text(record, "table_name"),
            row_key=_optional_object(record, "row_key") or {},
            op=_text(record, "op"),
            actor=_optional_text(record, "actor"),
            old=_optional_object(record, "old"),
            new=_optional_object(record, "new"),
            changed_at=_moment(record, "changed_at"),
        )
