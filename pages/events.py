"""Upcoming and past events, RSVPs, and new events."""

from __future__ import annotations

import streamlit as st

from db.hub.models import Event
from livetables.fragments import PRESENCE, live_fragment
from ui.base import html, layout, pieces, session
from ui.base.html import Markup
from ui.base.html_actions import mark
from ui.base.html_cache import shared_html
from ui.base.parts import MY_COHOSTING, MY_PROFILE, MY_RSVPS
from ui.base.pieces import in_pieces
from ui.base.write_queue import WRITES
from ui.events import actions, answers, calendar_grid, cards, choosing, new_event, schedule, tables
from ui.events.cards import Viewing, viewing_now
from ui.events.choosing import View
from ui.events.editors import editors_html
from ui.shell.account import sign_in_link
from ui.shell.run_app import run_whole_app

BLOCK = "event_cards"
_UPCOMING_SHOWN, _PAST_SHOWN = 100, 30
_CARDS_A_PIECE = 2


def show() -> None:
    layout.page_head("Events", "What is on in the Tavern, and who is coming.")
    if session.signed_in() is None:
        sign_in_link("Sign in to plan an event")
    else:
        new_event.show()
    choice = choosing.show_view()
    choosing.show_filters()
    with st.container(key=BLOCK):
        _editors()
        if choice.view is View.AGENDA:
            soon, over = st.tabs(["Upcoming", "Past"])
            with soon:
                _upcoming()
            with over:
                _past()
        else:
            _calendar()
    _marks()
    actions.follow_clicks(BLOCK)


@live_fragment(tables=(PRESENCE, "events", "users", WRITES), key="events_editors", shared=True)
def _editors() -> None:
    html.show(editors_html(session.present().now, tables.events(), session.users()))


_TABLES = ("events", "rsvps", "users", "event_cohosts")


_NAMES = {"upcoming": "planned", "past": "over"}
_VARIES_BY = ("time_zone", "language", choosing.CHOICE)


@live_fragment(tables=(*_TABLES, WRITES), varies_by=_VARIES_BY, key=choosing.UPCOMING, shared=True)
def _upcoming() -> None:
    viewing = viewing_now()
    if not _list("upcoming", schedule.upcoming(tables.events(), viewing.minute), viewing, _UPCOMING_SHOWN):
        layout.empty("🎻", "Nothing planned yet", "Sign in and plan the first evening.")


@live_fragment(tables=(*_TABLES, WRITES), varies_by=_VARIES_BY, key=choosing.PAST, shared=True)
def _past() -> None:
    viewing = viewing_now()
    if not _list("past", schedule.past(tables.events(), viewing.minute), viewing, _PAST_SHOWN):
        layout.empty("🕯️", "No memories yet", "Events that are over move here.")


def _list(which: str, events: list[Event], viewing: Viewing, most: int) -> bool:
    """Show the events that pass the filters, or that none does; False if there are none without filters."""
    filters = choosing.current_choice().filters
    found = filters.keep(events, tables.rsvps(), tables.cohosts())
    if found:
        _cards(which, found[:most], viewing, most)
    elif filters:
        layout.empty("🔎", "No such event", f"Nothing that is {_NAMES[which]} passes the filters.")
    return bool(found or filters)


@live_fragment(
    tables=("events", "rsvps", "event_cohosts", WRITES),
    varies_by=_VARIES_BY,
    key=choosing.CALENDAR,
    shared=True,
)
def _calendar() -> None:
    """Show the month or the week, built once for everybody with the same choice in the same region."""
    viewing, choice = viewing_now(), choosing.current_choice()
    day, filters = choice.day or viewing.today, choice.filters
    rsvps, cohosts = tables.rsvps(), tables.cohosts()
    mine = (rsvps, cohosts) if filters.whose else ()

    def build() -> list[Markup]:
        found = filters.keep(schedule.by_start(tables.events()), rsvps, cohosts)
        if choice.view is View.WEEK:
            return calendar_grid.week_pieces(found, day, viewing)
        return calendar_grid.month_pieces(found, day, viewing, choosing.address_of_week)

    built = shared_html((choice.view, day, filters, tables.events(), *mine, viewing), build)
    pieces.show("events_days", built)


def _cards(which: str, shown: list[Event], viewing: Viewing, most: int) -> None:
    """Show the cards, built once for everybody who is shown the same ones in the same region."""
    rsvps, users, cohosts = tables.rsvps(), session.users(), tables.cohosts()
    pending = frozenset().union(*(session.pending(table) for table in ("events", "rsvps", "event_cohosts")))
    ids = tuple(event.id for event in shown)
    by_event = schedule.cohosts_by_event(cohosts)
    built = shared_html(
        (which, ids, tables.events(), rsvps, users, cohosts, viewing.region, viewing.today, pending),
        lambda: in_pieces(
            shown,
            _CARDS_A_PIECE,
            most,
            lambda some: cards.cards_html(some, rsvps, users, by_event, viewing, pending),
        ),
    )
    pieces.show(f"events_{which}_cards", built)


@live_fragment(
    tables=(MY_RSVPS, MY_COHOSTING, MY_PROFILE, WRITES),
    varies_by=("user", "role", "time_zone", "language"),
    key="events_marks",
)
def _marks() -> None:
    mark(
        BLOCK,
        rows=answers.my_marks(tables.rsvps(), tables.cohosts(), session.my_id()),
        notes=answers.my_notes(tables.rsvps(), session.my_id(), session.region()),
        everywhere=["host"] if session.is_admin() else [],
    )


if __name__ == "__main__":
    run_whole_app()
