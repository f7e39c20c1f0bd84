"""Upcoming and past events, and the RSVPs and co-hosts of each, computed from the tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from db.hub.models import Event, EventCohost, Rsvp, RsvpStatus
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base.parts import cohosting_of


@dataclass(frozen=True, slots=True)
class Attendance:
    """The RSVPs to one event, in the order in which they were given."""

    going: tuple[Rsvp, ...] = ()
    waiting: tuple[Rsvp, ...] = ()
    """The waitlist, first in line first."""
    maybe: tuple[Rsvp, ...] = ()
    declined: tuple[Rsvp, ...] = ()

    @property
    def guests(self) -> int:
        """How many people come along with those who are going."""
        return sum(rsvp.guests for rsvp in self.going)

    def place_in_line(self, user_id: str) -> int:
        """Return which one of the waitlist a person is, from 1; 0 for somebody who does not wait."""
        line = enumerate(self.waiting, 1)
        return next((number for number, rsvp in line if rsvp.user_id == user_id), 0)

    def places_left(self, event: Event) -> int | None:
        """Return how many places are left; None if any number of people may come."""
        return None if event.capacity is None else event.capacity - sum(rsvp.places for rsvp in self.going)


NO_RSVPS: Final = Attendance()


def this_minute() -> datetime:
    """Return the time to the minute: what is derived from it is shared for that long."""
    return datetime.now(UTC).replace(second=0, microsecond=0)


def upcoming(events: Snapshot[Event], minute: datetime) -> list[Event]:
    """Return the events that have not ended, soonest first."""
    return [event for event in by_start(events) if event.ends_at > minute]


def coming_up(events: Snapshot[Event], minute: datetime) -> list[Event]:
    """Return the events that are on or will be, soonest first; cancelled ones do not count."""
    return [event for event in upcoming(events, minute) if event.cancelled_at is None]


def past(events: Snapshot[Event], minute: datetime) -> list[Event]:
    """Return the events that have ended, latest first."""
    return [event for event in reversed(by_start(events)) if event.ends_at <= minute]


def by_start(events: Snapshot[Event]) -> list[Event]:
    """Return all events, earliest first; computed once a snapshot."""
    return events.derived("by start", _by_start)


def _by_start(rows: Rows[Event]) -> list[Event]:
    return sorted(rows.values(), key=lambda event: (event.starts_at, event.id))


def attendance_by_event(rsvps: Snapshot[Rsvp]) -> Mapping[str, Attendance]:
    """Return the RSVPs to each event that has any; computed once a snapshot."""
    return rsvps.derived("by event", _group_rsvps)


def _group_rsvps(rows: Rows[Rsvp]) -> dict[str, Attendance]:
    ordered = sorted(rows.values(), key=lambda rsvp: (rsvp.event_id, rsvp.updated_at, rsvp.user_id))
    return {event_id: _split(tuple(each)) for event_id, each in groupby(ordered, lambda rsvp: rsvp.event_id)}


def _split(rsvps: tuple[Rsvp, ...]) -> Attendance:
    def having(status: RsvpStatus) -> tuple[Rsvp, ...]:
        return tuple(rsvp for rsvp in rsvps if rsvp.status is status)

    waiting = sorted(having(RsvpStatus.WAITLISTED), key=_place_in_line)
    return Attendance(
        having(RsvpStatus.GOING), tuple(waiting), having(RsvpStatus.MAYBE), having(RsvpStatus.DECLINED)
    )


def _place_in_line(rsvp: Rsvp) -> tuple[datetime, str]:
    return rsvp.waitlisted_at or rsvp.updated_at, rsvp.user_id


def cohosts_by_event(cohosts: Snapshot[EventCohost]) -> Mapping[str, tuple[EventCohost, ...]]:
    """Return the co-hosts of each event that has any; computed once a snapshot."""
    return cohosts.derived("by event", _group_cohosts)


def is_host(event: Event, cohosts: Snapshot[EventCohost], user_id: str | None) -> bool:
    """Tell whether somebody is the organizer of an event or one of its co-hosts."""
    return event.organizer_id == user_id or event.id in cohosting_of(cohosts, user_id)


def _group_cohosts(rows: Rows[EventCohost]) -> dict[str, tuple[EventCohost, ...]]:
    grouped: dict[str, list[EventCohost]] = {}
    for cohost in sorted(rows.values(), key=lambda each: each.created_at):
        grouped.setdefault(cohost.event_id, []).append(cohost)
    return {event_id: tuple(each) for event_id, each in grouped.items()}
