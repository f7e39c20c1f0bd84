"""Answers to an event: how many come, the buttons to answer with, and what concerns the viewer alone."""

from __future__ import annotations

from typing import Final

from db.hub.models import Event, EventCohost, Rsvp, RsvpStatus, User
from db.hub.rsvps import MOST_GUESTS
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import to_event
from ui.base.parts import cohosting_of, rsvps_of
from ui.base.people import names_html
from ui.base.region import Region
from ui.base.text import ordinal, plural
from ui.events.schedule import NO_RSVPS, Attendance, attendance_by_event

CONFIRM: Final = "confirm"
WITHDRAW: Final = "withdraw"
MORE_GUESTS: Final = "more_guests"
FEWER_GUESTS: Final = "fewer_guests"
"""The actions of the buttons beside those that are answers (`RsvpStatus`)."""

_UNCONFIRMED, _HAS_GUESTS, _MOST_GUESTS = "unconfirmed", "guests", "most_guests"
_MOST_NAMES: Final = 12

_ATTENDANCE = Template(
    '<div class="tv-attendance"><span class="tv-counts">{counts}</span>'
    '<span class="tv-names">{going}</span>{maybe}</div>'
)
_GOING = Template("<b>{count} going</b>")
_MAYBE = Template('<span class="tv-names maybe" title="Maybe">{names}</span>')
_BUTTON = Template(
    '<button type="button" class="tv-action" data-action="{status}" data-mark="{status}"{full}>'
    "{label}</button>"
)
_WAITLIST = Template(
    '<button type="button" class="tv-action tv-waitlist" data-action="{status}" data-mark="{status}">'
    '<span class="off">Join the waitlist</span><span class="on">On the waitlist</span></button>'
)
_MINE = Template('<button type="button" class="tv-action {css}" data-action="{action}">{label}</button>')
_FULL: Final = Template(" data-full")()
# `marks.js` fills the first one.
_NOTE: Final = Template('<p class="tv-note" data-note></p>')()


def _answers_html(*, full: bool) -> Markup:
    return join(
        (
            _BUTTON(status=RsvpStatus.GOING.value, full=_FULL if full else EMPTY, label="Going"),
            _WAITLIST(status=RsvpStatus.WAITLISTED.value) if full else EMPTY,
            _BUTTON(status=RsvpStatus.MAYBE.value, full=EMPTY, label="Maybe"),
            _BUTTON(status=RsvpStatus.DECLINED.value, full=EMPTY, label="Can't go"),
        )
    )


# The same on every card, so they are built once. The marks of the row show those that a person can use.
_ANSWERS: Final = _answers_html(full=False)
_ANSWERS_TO_FULL: Final = _answers_html(full=True)
_CONFIRM: Final = _MINE(css="main for-unconfirmed", action=CONFIRM, label="Confirm my place")
_MORE: Final = _MINE(css="for-coming more", action=MORE_GUESTS, label="+ 1 guest")
_FEWER: Final = _MINE(css="for-guests", action=FEWER_GUESTS, label="− 1 guest")
_WITHDRAW: Final = _MINE(css="for-answered", action=WITHDRAW, label="Take back my answer")


def counts_html(event: Event, attendance: Attendance) -> Markup:
    """Say how many people are going, wait, and may come, and how many places are left."""
    counts: list[Markup | str] = [_GOING(count=f"{len(attendance.going):,}")]
    if attendance.guests:
        counts.append(f"with {plural(attendance.guests, 'guest')}")
    if attendance.maybe:
        counts.append(f"{len(attendance.maybe):,} maybe")
    if attendance.declined:
        counts.append(f"{len(attendance.declined):,} can't")
    if (left := attendance.places_left(event)) is not None:
        counts.append(places_left(left))
    if attendance.waiting:
        counts.append(f"{len(attendance.waiting):,} waiting")
    return join(counts, " · ")


def places_left(left: int) -> str:
    """Say how many places are left."""
    return "full" if left <= 0 else f"{plural(left, 'place')} left"


def attendance_html(event: Event, attendance: Attendance, users: Snapshot[User]) -> Markup:
    """Show how many come, and the first of their names."""
    maybe = names_html(
        (users.get((rsvp.user_id,)) for rsvp in attendance.maybe), _MOST_NAMES, to_event(event.id)
    )
    going = (users.get((rsvp.user_id,)) for rsvp in attendance.going)
    return _ATTENDANCE(
        counts=counts_html(event, attendance),
        going=names_html(going, _MOST_NAMES, to_event(event.id)),
        maybe=_MAYBE(names=maybe) if maybe else EMPTY,
    )


def buttons_html(event: Event, attendance: Attendance) -> Markup:
    """Show the buttons to answer with. Those to a full event lead to its waitlist."""
    left = attendance.places_left(event)
    is_full = left is not None and (left <= 0 or bool(attendance.waiting))
    return join((_CONFIRM, _ANSWERS_TO_FULL if is_full else _ANSWERS, _MORE, _FEWER, _WITHDRAW))


def note_html() -> Markup:
    """Show the place for the viewer's note (`my_notes`)."""
    return _NOTE


def my_marks(
    rsvps: Snapshot[Rsvp], cohosts: Snapshot[EventCohost], user_id: str | None
) -> dict[str, list[str]]:
    """Return the marks of the viewer's RSVPs, and of the events they help to run, by event id."""
    if user_id is None:
        return {}
    marks = {rsvp.event_id: _marks(rsvp) for rsvp in rsvps_of(rsvps, user_id)}
    for event_id in cohosting_of(cohosts, user_id):
        marks.setdefault(event_id, []).append("host")
    return marks


def _marks(rsvp: Rsvp) -> list[str]:
    marks = ["answered", rsvp.status.value]
    if rsvp.confirm_by is not None:
        marks.append(_UNCONFIRMED)
    if rsvp.guests:
        marks.append(_HAS_GUESTS)
    if rsvp.guests >= MOST_GUESTS:
        marks.append(_MOST_GUESTS)
    return marks


def my_notes(rsvps: Snapshot[Rsvp], user_id: str | None, region: Region) -> dict[str, str]:
    """Say how the viewer stands with each event: the place in line, what has to be confirmed, the guests."""
    attendances, mine = attendance_by_event(rsvps), rsvps_of(rsvps, user_id)
    notes = {rsvp.event_id: _note(rsvp, attendances.get(rsvp.event_id, NO_RSVPS), region) for rsvp in mine}
    return {event_id: note for event_id, note in notes.items() if note}


def _note(rsvp: Rsvp, attendance: Attendance, region: Region) -> str:
    guests = f"with {plural(rsvp.guests, 'guest')}" if rsvp.guests else ""
    if rsvp.status is RsvpStatus.WAITLISTED:
        place = attendance.place_in_line(rsvp.user_id)
        return f"You are {ordinal(place)} on the waitlist {guests}".rstrip() + "."
    if rsvp.confirm_by is not None:
        return (
            f"You have a place from the waitlist, {guests or 'without guests'}. Confirm it until "
            f"{times.full(rsvp.confirm_by, region)}, or it goes to the next in line."
        )
    return f"You come {guests}." if guests else ""
