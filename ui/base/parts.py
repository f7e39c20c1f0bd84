"""Parts of tables that concern the viewer alone: what others do there reruns no fragment that shows them."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Final

from db.hub.models import EventCohost, Rsvp, RsvpStatus, User
from livetables.fragments import Part
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot


def _my_row(users: Snapshot[User], me: str | None) -> Hashable:
    return None if me is None else users.get((me,))


def rsvps_of(rsvps: Snapshot[Rsvp], user_id: str | None) -> frozenset[Rsvp]:
    """Return a person's answers to events; none for a visitor. They are grouped once a snapshot."""
    return rsvps.derived("by person", _rsvps_by_person).get(user_id or "", frozenset())


def _my_rsvps(rsvps: Snapshot[Rsvp], me: str | None) -> Hashable:
    mine = rsvps_of(rsvps, me)
    waits_for = [rsvp.event_id for rsvp in mine if rsvp.status is RsvpStatus.WAITLISTED]
    if not waits_for:
        return mine
    lines = rsvps.derived("waitlists", _waitlists)
    return mine, tuple(lines[event] for event in sorted(waits_for))


def _waitlists(rows: Rows[Rsvp]) -> dict[str, frozenset[tuple[str, datetime | None]]]:
    lines = dict[str, set[tuple[str, datetime | None]]]()
    for rsvp in rows.values():
        if rsvp.status is RsvpStatus.WAITLISTED:
            lines.setdefault(rsvp.event_id, set()).add((rsvp.user_id, rsvp.waitlisted_at))
    return {event: frozenset(line) for event, line in lines.items()}


def _rsvps_by_person(rows: Rows[Rsvp]) -> dict[str, frozenset[Rsvp]]:
    people = dict[str, set[Rsvp]]()
    for rsvp in rows.values():
        people.setdefault(rsvp.user_id, set()).add(rsvp)
    return {person: frozenset(some) for person, some in people.items()}


def cohosting_of(cohosts: Snapshot[EventCohost], user_id: str | None) -> frozenset[str]:
    """Return the ids of the events that a person helps to run; none for a visitor."""
    return cohosts.derived("by person", _events_by_person).get(user_id or "", frozenset())


def _events_by_person(rows: Rows[EventCohost]) -> dict[str, frozenset[str]]:
    people = dict[str, set[str]]()
    for cohost in rows.values():
        people.setdefault(cohost.user_id, set()).add(cohost.event_id)
    return {person: frozenset(some) for person, some in people.items()}


MY_PROFILE: Final = Part("users", _my_row)
"""The viewer's own profile, with their role."""

MY_RSVPS: Final = Part("rsvps", _my_rsvps)
"""The viewer's own answers, and the waitlists they are on."""

MY_COHOSTING: Final = Part("event_cohosts", cohosting_of)
"""The events that the viewer helps to run."""
