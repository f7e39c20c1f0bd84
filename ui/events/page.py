"""An event as a page of its own, the same for everybody in a region."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from db.hub.models import Event, EventCohost, Rsvp, User
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import calendar_html, copy_button_html, map_html, to_copy, to_event
from ui.base.people import names_html
from ui.base.text import plural
from ui.events.answers import places_left
from ui.events.cards import Viewing, buttons_html, leaf_html, picture_html, reason_html, state_html
from ui.events.schedule import NO_RSVPS, Attendance, attendance_by_event

_MOST_NAMES: Final = 300

_PAGE = Template(
    '<article class="tv-event whole{css}" data-row="{id}" data-owner="{organizer_id}">{leaf}'
    '<div class="tv-main">{state}{saving}{reason}<dl class="tv-plan">{facts}</dl>{description}{buttons}</div>'
    '{picture}</article><div class="tv-answers">{answers}</div>'
)
_FACT = Template("<dt>{name}</dt><dd>{value}</dd>")
_WHEN = Template('<span title="{exactly}">{here}</span>{there}')
_THERE = Template("<small>{when} in {zone}</small>")
_PLACE = Template("<bdi>{location}</bdi>{map}")
_NAMES = Template('<span class="tv-names">{names}</span>')
_DESCRIPTION = Template('<p class="tv-text" dir="auto">{text}</p>')
_ANSWERS = Template(
    '<section><h2>{title}<small>{count}</small></h2><div class="tv-names">{names}</div></section>'
)
_DUPLICATE = Template('<a class="tv-link tv-action for-host" href="{href}">Duplicate</a>')
_NOBODY: Final = Template('<p class="tv-lead">Nobody yet.</p>')()


def page_html(
    event: Event,
    rsvps: Snapshot[Rsvp],
    users: Snapshot[User],
    cohosts: Iterable[EventCohost],
    viewing: Viewing,
    *,
    pending: bool = False,
) -> Markup:
    """Show all of an event but its title, and who has answered.

    `pending` says that the database has not confirmed it yet.
    """
    attendance = attendance_by_event(rsvps).get(event.id, NO_RSVPS)
    over = event.ends_at <= viewing.minute
    parts = (
        calendar_html(event.id),
        copy_button_html(to_event(event.id)),
        _DUPLICATE(href=to_copy(event.id)),
    )
    return _PAGE(
        css=" over" if over else "",
        id=event.id,
        organizer_id=event.organizer_id,
        leaf=leaf_html(event, viewing.region.zone),
        state=state_html(event, over=over),
        saving=saving_html(pending),
        picture=picture_html(event),
        reason=reason_html(event),
        facts=_facts_html(event, users, cohosts, viewing),
        description=_DESCRIPTION(text=event.description) if event.description else EMPTY,
        # Version 0 is not in the database yet, so nobody can act on it.
        buttons=buttons_html(event, attendance, over=over, more=join(parts)) if event.version else EMPTY,
        answers=_answers_html(event, attendance, users),
    )


def _facts_html(
    event: Event, users: Snapshot[User], cohosts: Iterable[EventCohost], viewing: Viewing
) -> Markup:
    hosts = [event.organizer_id, *(each.user_id for each in cohosts)]
    facts: list[Markup] = [_FACT(name="When", value=_when_html(event, viewing))]
    if event.location:
        facts.append(_FACT(name="Where", value=_PLACE(location=event.location, map=map_html(event.location))))
    names = names_html((users.get((user_id,)) for user_id in hosts), _MOST_NAMES)
    facts.append(_FACT(name="Hosts" if len(hosts) > 1 else "Host", value=_NAMES(names=names)))
    return join(facts)


def _when_html(event: Event, viewing: Viewing) -> Markup:
    """Show when it is, also on the clocks of its own zone if they differ from the viewer's."""
    there = viewing.region.in_zone(times.zone_named(event.time_zone))
    mine, local = event.starts_at.astimezone(viewing.region.zone), event.starts_at.astimezone(there.zone)
    elsewhere = EMPTY
    if mine.utcoffset() != local.utcoffset():
        today = viewing.minute.astimezone(there.zone).date()
        elsewhere = _THERE(when=times.span(event.starts_at, event.ends_at, there, today), zone=there.zone.key)
    return _WHEN(
        exactly=times.full(event.starts_at, there),
        here=times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
        there=elsewhere,
    )


def _answers_html(event: Event, attendance: Attendance, users: Snapshot[User]) -> Markup:
    going = f"{len(attendance.going):,}"
    if attendance.guests:
        going += f" with {plural(attendance.guests, 'guest')}"
    if (left := attendance.places_left(event)) is not None:
        going += f" · {places_left(left)}"
    parts = [_answer_html("Going", going, attendance.going, users)]
    others = (
        ("Waitlist", attendance.waiting),
        ("Maybe", attendance.maybe),
        ("Can't go", attendance.declined),
    )
    for title, rsvps in others:
        if rsvps:
            parts.append(_answer_html(title, f"{len(rsvps):,}", rsvps, users))
    return join(parts)


def _answer_html(title: str, count: str, rsvps: tuple[Rsvp, ...], users: Snapshot[User]) -> Markup:
    names = names_html((users.get((rsvp.user_id,)) for rsvp in rsvps), _MOST_NAMES)
    return _ANSWERS(title=title, count=count, names=names if rsvps else _NOBODY)
