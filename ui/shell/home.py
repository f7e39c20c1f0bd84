"""The sections of the home page that are the same for everybody, and what sections are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from db.hub.models import Event, PrivateMessage, Rsvp, TavernMessage, User
from livetables.presence.model import Present
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import ALL_EVENTS, link_html, to_event
from ui.base.navigation import Place
from ui.base.people import avatar_html, finder, name_html, names_html
from ui.base.text import plural, shortened
from ui.events import cards, schedule
from ui.events.cards import Viewing
from ui.events.schedule import NO_RSVPS, Attendance

_MOST_EVENTS: Final = 5
_MOST_SAID: Final = 4
_MOST_NAMES: Final = 12
_LONGEST_PREVIEW: Final = 90

_SECTION = Template(
    '<section class="tv-home" aria-label="{title}"><div class="tv-home-head"><h2>{title}</h2>{more}</div>'
    "{body}</section>"
)
_LINES = Template('<ul class="tv-lines">{lines}</ul>')
_LINE = Template(
    '<li{row}><a class="tv-link tv-line" href="{href}">{sign}<span class="tv-main"><b>{title}{state}</b>'
    "<small>{detail}</small>{note}</span></a></li>"
)
_ROW = Template(' data-row="{id}" data-owner="{organizer_id}"')
_SIGN = Template('<span class="tv-sign" aria-hidden="true">{glyph}</span>')
_SAID = Template('<bdi dir="auto">{text}</bdi>')
_NOTHING = Template('<p class="tv-lead">{text}</p>')
_NAMES = Template('<div class="tv-names">{names}</div>')
_VISITORS = Template("<small>{text}</small>")
_NOTED = Template("<em>{text}</em>")
_WHEN = Template("<time>{when}</time>")

# `marks.js` fills it with how the viewer stands with the event.
_NOTE: Final = Template("<em data-note></em>")()
_ON_NOW: Final = Template('<span class="tv-state good">On now</span>')()


# ---------------------------------------------------------------- what sections are made of


def section_html(title: str, body: Markup, more: Markup = EMPTY) -> Markup:
    """Show a section of the page."""
    return _SECTION(title=title, more=more, body=body)


def lines_html(lines: Sequence[Markup], otherwise: str) -> Markup:
    """Show lines below each other, or what to say when there are none."""
    return _LINES(lines=join(lines)) if lines else _NOTHING(text=otherwise)


def line_html(
    href: str, sign: Markup, title: Markup, detail: Markup | str, note: Markup = EMPTY, state: Markup = EMPTY
) -> Markup:
    """Show one line, which leads to where it is dealt with."""
    return _LINE(row=EMPTY, href=href, sign=sign, title=title, state=state, detail=detail, note=note)


def sign_html(glyph: str) -> Markup:
    """Show the picture before a line."""
    return _SIGN(glyph=glyph)


def said_html(text: str) -> Markup:
    """Show the beginning of what somebody wrote."""
    return _SAID(text=shortened(text, _LONGEST_PREVIEW))


def note_html(text: str) -> Markup:
    """Show what a line means to the viewer."""
    return _NOTED(text=text)


def when_html(message: TavernMessage | PrivateMessage, viewing: Viewing) -> Markup:
    """Show when something was written."""
    return _WHEN(when=times.short_day(message.created_at, viewing.region, viewing.today))


# ---------------------------------------------------------------- the sections


def coming_up_html(events: Snapshot[Event], rsvps: Snapshot[Rsvp], viewing: Viewing) -> Markup:
    """Show what is on now and next, with a place for how the viewer stands with each event."""
    soon = coming_up(events, viewing)
    attendances = schedule.attendance_by_event(rsvps)
    lines = [_event_line(event, viewing, attendances.get(event.id, NO_RSVPS)) for event in soon]
    today = any(event.starts_at.astimezone(viewing.region.zone).date() <= viewing.today for event in soon)
    return section_html(
        "Today and next" if today else "Coming up",
        lines_html(lines, "Nothing is planned yet. Everybody with an account can plan an evening."),
        ALL_EVENTS,
    )


def coming_up(events: Snapshot[Event], viewing: Viewing) -> list[Event]:
    """Return the events of `coming_up_html`; cancelled ones do not count."""
    return schedule.coming_up(events, viewing.minute)[:_MOST_EVENTS]


def _event_line(event: Event, viewing: Viewing, attendance: Attendance) -> Markup:
    details = [times.span(event.starts_at, event.ends_at, viewing.region, viewing.today)]
    if event.location:
        details.append(event.location)
    if attendance.going:
        details.append(f"{len(attendance.going):,} going")
    return _LINE(
        row=_ROW(id=event.id, organizer_id=event.organizer_id),
        href=to_event(event.id),
        sign=cards.leaf_html(event, viewing.region.zone),
        title=cards.plain_title_html(event),
        state=_ON_NOW if event.starts_at <= viewing.minute else EMPTY,
        detail=" · ".join(details),
        note=_NOTE,
    )


def who_is_here_html(present: Present, users: Snapshot[User]) -> Markup:
    """Show who is here now."""
    people = [user for user_id in present.people if (user := users.get((user_id,))) is not None]
    chips = names_html(people, _MOST_NAMES, Place.PEOPLE.value)
    visitors = _VISITORS(text=plural(present.visitors, "visitor")) if present.visitors else EMPTY
    return section_html(
        "Who is here",
        _NAMES(names=join((chips, visitors))) if people or visitors else _NOTHING(text="Nobody just now."),
        link_html(Place.PEOPLE.value, "All people"),
    )


def room_html(messages: Snapshot[TavernMessage], users: Snapshot[User], viewing: Viewing) -> Markup:
    """Show what was said last in the common room."""
    find = finder(users)
    lines = [
        line_html(
            Place.TAVERN.value,
            avatar_html(find(message.author_id), "small"),
            name_html(find(message.author_id)),
            said_html(message.body or ""),
            when_html(message, viewing),
        )
        for message in messages.derived("newest said", _newest_said)
    ]
    return section_html(
        "In the common room",
        lines_html(lines, "Quiet so far. Write the first message."),
        link_html(Place.TAVERN.value, "Go there"),
    )


def _newest_said(rows: Rows[TavernMessage]) -> tuple[TavernMessage, ...]:
    visible = (message for message in rows.values() if message.body is not None)
    return tuple(sorted(visible, key=lambda each: (each.created_at, each.id))[-_MOST_SAID:])
