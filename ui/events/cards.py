"""Events as one block of cards, the same for everybody in a region."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from db.hub.models import Event, EventCohost, Rsvp, User
from livetables.tables.snapshot import Snapshot
from ui.base import pictures, session, times
from ui.base.feedback import saving_html
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import link_html, second_link_html, to_event
from ui.base.people import avatar_html, linked_name_html
from ui.base.region import Region
from ui.events import answers, schedule
from ui.events.schedule import NO_RSVPS, Attendance, attendance_by_event

_CARDS = Template('<div class="tv-events">{cards}</div>')
_CARD = Template(
    '<article class="tv-event{css}" data-row="{id}" data-owner="{organizer_id}">{leaf}'
    '<div class="tv-main"><h2>{title}{state}{saving}</h2>'
    "{facts}{reason}{description}{attendance}{buttons}</div>{picture}</article>"
)
_PICTURE = Template('<img class="tv-event-picture" src="{address}" alt="" loading="lazy" decoding="async">')
_LEAF = Template('<div class="tv-leaf" aria-hidden="true"><span>{month}</span><b>{day}</b>{weekday}</div>')
_DESCRIPTION = Template('<p class="tv-text" dir="auto">{text}</p>')
# The text stands after what folds it, for the style sheet. `clicks.js` keeps open what somebody has opened.
_LONG_DESCRIPTION = Template(
    '<div class="tv-fold"><details><summary><span>Show more</span><span>Show less</span></summary></details>'
    '<p class="tv-text" dir="auto">{text}</p></div>'
)
_LONG, _MANY_LINES = 480, 6
"""Characters, and lines, above which a description is folded."""
_FACTS = Template(
    '<p class="tv-facts"><span title="{exactly}">🕖 {when}</span>{there}{location}'
    "<span>{avatar}<span>{hosts}</span></span></p>"
)
_THERE = Template("<span>🌍 {when}</span>")
_TITLE = Template("<bdi>{title}</bdi>")
_REASON = Template('<p class="tv-text tv-reason" dir="auto"><b>Why it is cancelled</b> {text}</p>')
_LOCATION = Template("<span>📍 <bdi>{location}</bdi></span>")
# The label tells screen readers which event the buttons belong to; the buttons are the same on every card.
_BUTTONS = Template('{note}<div class="tv-buttons" role="group" aria-label="{title}">{buttons}</div>')
_HOST_BUTTON = Template(
    '<button type="button" class="tv-action for-host" data-action="{action}">{label}</button>'
)

# The same on every card, so they are built once.
_CANCELLED: Final = Template('<span class="tv-state bad">Cancelled</span>')()
_OVER: Final = Template('<span class="tv-state">Over</span>')()
_EDIT: Final = _HOST_BUTTON(action="edit", label="Edit")
_CANCEL: Final = _HOST_BUTTON(action="cancel", label="Cancel event")
_REINSTATE: Final = _HOST_BUTTON(action="reinstate", label="Put back on")
# In one line, also where they do not fit beside the others.
_FOR_HOSTS = Template('<span class="tv-together">{buttons}</span>')
_WHILE_ON: Final = _FOR_HOSTS(buttons=_EDIT + _CANCEL)
_WHILE_CANCELLED: Final = _FOR_HOSTS(buttons=_EDIT + _REINSTATE)
_WHEN_OVER: Final = _FOR_HOSTS(buttons=_EDIT)


@dataclass(frozen=True, slots=True)
class Viewing:
    """The region and minute that a list is shown for; equal ones get the same HTML."""

    region: Region
    minute: datetime

    @property
    def today(self) -> date:
        """The viewer's date."""
        return self.minute.astimezone(self.region.zone).date()


def viewing_now() -> Viewing:
    """Return the region of this session, now."""
    return Viewing(session.region(), schedule.this_minute())


def cards_html(
    shown: Iterable[Event],
    rsvps: Snapshot[Rsvp],
    users: Snapshot[User],
    cohosts: Mapping[str, tuple[EventCohost, ...]],
    viewing: Viewing,
    pending: frozenset[str] = frozenset(),
) -> Markup:
    """Show events as cards.

    `pending` are the ids of the events that the database has not confirmed yet.
    """
    attendances = attendance_by_event(rsvps)
    return _CARDS(
        cards=join(
            _card_html(
                event,
                attendances.get(event.id, NO_RSVPS),
                users,
                cohosts.get(event.id, ()),
                viewing,
                saving_html(event.id in pending),
            )
            for event in shown
        )
    )


def _card_html(
    event: Event,
    attendance: Attendance,
    users: Snapshot[User],
    cohosts: tuple[EventCohost, ...],
    viewing: Viewing,
    saving: Markup,
) -> Markup:
    over = event.ends_at <= viewing.minute
    return _CARD(
        css=state_css(event, over=over),
        id=event.id,
        organizer_id=event.organizer_id,
        leaf=second_link_html(to_event(event.id), leaf_html(event, viewing.region.zone)),
        title=title_html(event),
        picture=picture_html(event),
        state=state_html(event, over=over),
        saving=saving,
        facts=_facts_html(event, users, cohosts, viewing),
        reason=reason_html(event),
        description=description_html(event.description),
        attendance=answers.attendance_html(event, attendance, users),
        # Version 0 is not in the database yet, so nobody can act on it.
        buttons=buttons_html(event, attendance, over=over) if event.version else EMPTY,
    )


def title_html(event: Event) -> Markup:
    """Show the title of an event as a link to its page."""
    return link_html(to_event(event.id), plain_title_html(event))


def plain_title_html(event: Event) -> Markup:
    """Show the title of an event within something that leads there."""
    return _TITLE(title=event.title)


def reason_html(event: Event) -> Markup:
    """Show why an event is cancelled; empty if it is not, or nobody said why."""
    shown = event.cancelled_at is not None and event.cancel_reason
    return _REASON(text=event.cancel_reason) if shown else EMPTY


def picture_html(event: Event) -> Markup:
    """Show the picture of an event; empty without one."""
    address = pictures.address_of_event(event)
    return _PICTURE(address=address) if address else EMPTY


def description_html(text: str) -> Markup:
    """Show a description, a long one folded."""
    if not text:
        return EMPTY
    is_long = len(text) > _LONG or text.count("\n") >= _MANY_LINES
    return (_LONG_DESCRIPTION if is_long else _DESCRIPTION)(text=text)


def leaf_html(event: Event, zone: ZoneInfo) -> Markup:
    """Show the day of an event as a leaf of a calendar."""
    local = event.starts_at.astimezone(zone)
    return _LEAF(month=f"{local:%b}", day=local.day, weekday=f"{local:%a}")


def state_css(event: Event, *, over: bool) -> str:
    """Return the classes of an event that is over or cancelled, each after a space."""
    return (" over" if over else "") + (" cancelled" if event.cancelled_at is not None else "")


def state_html(event: Event, *, over: bool) -> Markup:
    """Mark an event that is cancelled, or over."""
    if event.cancelled_at is not None:
        return _CANCELLED
    return _OVER if over else EMPTY


def _facts_html(
    event: Event, users: Snapshot[User], cohosts: tuple[EventCohost, ...], viewing: Viewing
) -> Markup:
    hosts = [users.get((event.organizer_id,)), *(users.get((each.user_id,)) for each in cohosts)]
    there = viewing.region.in_zone(times.zone_named(event.time_zone))
    return _FACTS(
        exactly=times.full(event.starts_at, there),
        there=_there_html(event, viewing.region.zone, there),
        when=times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
        location=_LOCATION(location=event.location) if event.location else EMPTY,
        avatar=avatar_html(hosts[0], "small"),
        hosts=join(map(linked_name_html, hosts), ", "),
    )


def _there_html(event: Event, here: ZoneInfo, there: Region) -> Markup:
    """Show when the event begins on the clocks of its own zone, if they differ from the viewer's."""
    mine, local = event.starts_at.astimezone(here), event.starts_at.astimezone(there.zone)
    if mine.utcoffset() == local.utcoffset():
        return EMPTY
    weekday = "" if mine.date() == local.date() else f"{local:%A}, "
    return _THERE(when=f"{weekday}{times.clock(local, there)} in {there.zone.key}")


def buttons_html(event: Event, attendance: Attendance, *, over: bool, more: Markup = EMPTY) -> Markup:
    """Show what can be done with an event, and `more` after the answers."""
    buttons: list[Markup] = []
    if not over and event.cancelled_at is None:
        buttons.append(answers.buttons_html(event, attendance))
    buttons.append(more)
    if event.cancelled_at is not None:
        buttons.append(_WHILE_CANCELLED)
    else:
        buttons.append(_WHEN_OVER if over else _WHILE_ON)
    return _BUTTONS(note=answers.note_html(), title=event.title, buttons=join(buttons))
