"""Rows of the common rooms: profiles, events, answers, messages, and the activity log. Imports no client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.columns import AwareDatetime, Model

__all__ = [
    "ChangeLogEntry",
    "EndedSession",
    "Event",
    "EventCohost",
    "EventMessage",
    "PrivateMessage",
    "Role",
    "Rsvp",
    "RsvpStatus",
    "TavernMessage",
    "User",
]


class Role(StrEnum):
    """What a person may do beyond writing their own rows."""

    MEMBER = "member"
    ORGANIZER = "organizer"
    ADMIN = "admin"


class RsvpStatus(StrEnum):
    """A person's answer to an event."""

    GOING = "going"
    WAITLISTED = "waitlisted"
    MAYBE = "maybe"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class User(Model):
    """A person's public profile. `avatar` is an emoji; empty text and None mean no avatar.

    `picture` names a file of the person, which is shown instead of the emoji (`db/hub/pictures.py`).

    `updated_by` is the id of the person who last wrote the row, None for the system.
    """

    id: str
    display_name: str
    bio: str
    avatar: str | None
    picture: str | None
    role: Role
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    updated_by: str | None


@dataclass(frozen=True, slots=True)
class Event(Model):
    """An event. `time_zone` is an IANA name; `capacity` None means no limit; `cancel_reason` may be empty.

    `picture` names a file of the event (`db/hub/event_pictures.py`), None without a picture.

    `updated_by` is the id of the person who last wrote the row, None for the system.
    """

    id: str
    title: str
    description: str
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    time_zone: str
    location: str
    capacity: int | None
    organizer_id: str
    cancelled_at: AwareDatetime | None
    cancel_reason: str
    picture: str | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime
    updated_by: str | None


@dataclass(frozen=True, slots=True)
class EventCohost(Model):
    """A person who may change an event besides its organizer."""

    event_id: str
    user_id: str
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class EndedSession(Model):
    """A session of the Auth service that has ended; its tokens carry the same `session_id`."""

    session_id: str
    user_id: str
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class Rsvp(Model):
    """One person's answer to one event.

    `guests` are the people whom the person brings. `waitlisted_at` is the order of the waitlist, None for
    whoever does not wait. `confirm_by` is until when a place from the waitlist is kept; None if nothing has
    to be confirmed.
    """

    event_id: str
    user_id: str
    status: RsvpStatus
    guests: int
    waitlisted_at: AwareDatetime | None
    confirm_by: AwareDatetime | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime

    @property
    def places(self) -> int:
        """How many places of the event the answer takes."""
        return 1 + self.guests if self.status is RsvpStatus.GOING else 0


@dataclass(frozen=True, slots=True)
class TavernMessage(Model):
    """A message in the common room. `body` is None once a moderator has hidden it."""

    id: str
    author_id: str
    body: str | None
    edited_at: AwareDatetime | None
    hidden_at: AwareDatetime | None
    hidden_by: str | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class EventMessage(Model):
    """A message in the discussion of an event. `body` is None once a host or an admin has hidden it."""

    id: str
    event_id: str
    author_id: str
    body: str | None
    edited_at: AwareDatetime | None
    hidden_at: AwareDatetime | None
    hidden_by: str | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class PrivateMessage(Model):
    """A message between two people, readable by these two only."""

    id: str
    sender_id: str
    recipient_id: str
    body: str
    read_at: AwareDatetime | None
    version: int
    created_at: AwareDatetime
    updated_at: AwareDatetime


@dataclass(frozen=True, slots=True)
class ChangeLogEntry(Model):
    """One entry of the activity log. `old` and `new` are None for tables whose content the log does not keep.

    `op` is INSERT, UPDATE or DELETE; `actor` is the id of the person who did it, None for direct SQL.
    """

    id: int
    table_name: str
    row_key: Mapping[str, object]
    op: str
    actor: str | None
    old: Mapping[str, object] | None
    new: Mapping[str, object] | None
    changed_at: AwareDatetime
