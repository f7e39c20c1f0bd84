"""What a visitor sees first: what this is, what is on next, who is here, and one thing to do."""

from __future__ import annotations

from typing import Final

import streamlit as st

from db.hub.models import Event, User
from livetables.fragments import PRESENCE, live_fragment
from livetables.presence.model import Present
from livetables.tables.snapshot import Snapshot
from ui.base import html, session, times
from ui.base.html import EMPTY, Markup, Template
from ui.base.people import names_html
from ui.base.text import plural
from ui.events import schedule, tables
from ui.events.cards import Viewing, title_html, viewing_now
from ui.shell.account import create_account_link

_MOST_NAMES: Final = 5

_WELCOME: Final = Template(
    '<section class="tv-welcome" aria-label="Welcome"><p>Tavern is a live meeting place: people talk, plan '
    "events, and watch over their agents and models, and everybody sees it as it happens.</p>"
    "<dl><dt>{state}</dt><dd>{event}</dd><dt>Who is here</dt><dd>{people}</dd></dl></section>"
)
_EVENT: Final = Template("<b>{title}</b>, {when}{going}")
_GOING: Final = Template(" · {count} going")
_PEOPLE: Final = Template("{names} {visitors}")
_VISITORS: Final = Template("<small>{text}</small>")


@live_fragment(
    tables=("events", "rsvps", "users", PRESENCE),
    varies_by=("time_zone", "language"),
    key="welcome",
    shared=True,
)
def show() -> None:
    """Show a visitor what this is, and the way in."""
    viewing = viewing_now()
    event = next_event(tables.events(), viewing)
    going = _going(event)
    with st.container(key="welcome"):
        html.show(welcome_html(event, going, session.present().now, session.users(), viewing))
        # The one button of the page that stands out.
        create_account_link("Join in")


def _going(event: Event | None) -> int:
    attendances = schedule.attendance_by_event(tables.rsvps())
    return len(attendances.get(event.id, schedule.NO_RSVPS).going) if event else 0


def next_event(events: Snapshot[Event], viewing: Viewing) -> Event | None:
    """Return the event that is on, or else the next one; cancelled ones do not count."""
    return next(iter(schedule.coming_up(events, viewing.minute)), None)


def welcome_html(
    event: Event | None, going: int, present: Present, users: Snapshot[User], viewing: Viewing
) -> Markup:
    """Say what this is, what is on next with how many go, and who is here."""
    begun = event is not None and event.starts_at <= viewing.minute
    return _WELCOME(
        state="On now" if begun else "On next",
        event=_event_html(event, going, viewing) if event else "Nothing is planned yet.",
        people=_people_html(present, users),
    )


def _event_html(event: Event, going: int, viewing: Viewing) -> Markup:
    return _EVENT(
        title=title_html(event),
        when=times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
        going=_GOING(count=f"{going:,}") if going else EMPTY,
    )


def _people_html(present: Present, users: Snapshot[User]) -> Markup:
    people = [user for user_id in present.people if (user := users.get((user_id,))) is not None]
    text = plural(present.visitors, "visitor") if present.visitors else ""
    return _PEOPLE(names=names_html(people, _MOST_NAMES), visitors=_VISITORS(text=text) if text else EMPTY)
