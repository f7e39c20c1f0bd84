"""Rows and snapshots for the tests of HTML."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from db.hub.models import (
    ChangeLogEntry,
    Event,
    PrivateMessage,
    Role,
    Rsvp,
    RsvpStatus,
    TavernMessage,
    User,
)
from livetables.tables.changes import Change, Op
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.region import Region

R = TypeVar("R")

NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
BERLIN = Region(times.zone_named("Europe/Berlin"))
TODAY = NOW.astimezone(BERLIN.zone).date()
HOSTILE = "<img src=x onerror=alert(1)> **b** \"'&"
HOSTILE_HTML = "&lt;img src=x onerror=alert(1)&gt; **b** &#34;&#39;&amp;"
"""The same, escaped."""


def snapshot(rows: Iterable[R], key: Sequence[str] = ("id",)) -> Snapshot[R]:
    """Return a snapshot of these rows."""
    table: Rows[R] = Rows()
    for row in rows:
        values = tuple(str(getattr(row, column)) for column in key)
        table = table.apply(Change("table", Op.INSERT, values, row, 1))
    return Snapshot(table, 1)


def user(name: str, **values: object) -> User:
    """Return a person whose id is made from the name."""
    given = {
        "id": f"id-{name}",
        "display_name": name,
        "bio": "",
        "avatar": None,
        "picture": None,
        "role": Role.MEMBER,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "updated_by": None,
    }
    return User(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def message(body: str | None, author: User, *, minutes: float = 0, **values: object) -> TavernMessage:
    """Return a message of so many minutes after NOW."""
    moment = NOW + timedelta(minutes=minutes)
    given = {
        "id": f"m{minutes}",
        "author_id": author.id,
        "body": body,
        "edited_at": None,
        "hidden_at": None,
        "hidden_by": None,
        "version": 1,
        "created_at": moment,
        "updated_at": moment,
    }
    return TavernMessage(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def event(title: str, organizer: User, *, hours: float = 24, **values: object) -> Event:
    """Return an event that starts so many hours after NOW and takes two."""
    starts = NOW + timedelta(hours=hours)
    given = {
        "id": f"event-{title}",
        "title": title,
        "description": "",
        "starts_at": starts,
        "ends_at": starts + timedelta(hours=2),
        "time_zone": "Europe/Berlin",
        "location": "",
        "capacity": None,
        "organizer_id": organizer.id,
        "cancelled_at": None,
        "cancel_reason": "",
        "picture": None,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
        "updated_by": None,
    }
    return Event(**{**given, **values})  # type: ignore[arg-type]  # fields by name, from the test


def rsvp(
    to: Event, who: User, status: RsvpStatus, *, guests: int = 0, confirm_by: datetime | None = None
) -> Rsvp:
    """Return somebody's RSVP. Whoever waits does so in the order of the ids."""
    waits = NOW if status is RsvpStatus.WAITLISTED else None
    return Rsvp(to.id, who.id, status, guests, waits, confirm_by, 1, NOW, NOW)


def private(
    body: str, sender: User, recipient: User, *, minutes: float = 0, read: bool = False
) -> PrivateMessage:
    """Return a private message of so many minutes after NOW."""
    moment = NOW + timedelta(minutes=minutes)
    return PrivateMessage(
        f"p{minutes}", sender.id, recipient.id, body, moment if read else None, 1, moment, moment
    )


def logged(
    op: str,
    table: str,
    actor: User | None,
    old: dict[str, object] | None,
    new: dict[str, object] | None,
    number: int = 1,
) -> ChangeLogEntry:
    """Return an entry of the change log."""
    who = actor.id if actor else None
    return ChangeLogEntry(number, table, {"id": "x"}, op, who, old, new, NOW)
