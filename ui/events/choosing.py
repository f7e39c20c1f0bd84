"""Which events the page shows, and how: chosen with widgets, kept in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final, cast
from urllib.parse import urlencode

import streamlit as st

from db.hub.models import Event, EventCohost, Rsvp, RsvpStatus
from livetables.fragments import live_fragment
from livetables.tables.snapshot import Snapshot
from ui.base import address, folding, session, times
from ui.base.fragments import rerun_only
from ui.base.html import Template, show
from ui.base.navigation import Place
from ui.base.parts import rsvps_of
from ui.base.region import Region
from ui.base.write_queue import WRITES
from ui.events import schedule, tables

CHOICE: Final = "events_choice"
"""The session's `Choice`."""
UPCOMING, PAST, CALENDAR = "events_upcoming", "events_past", "events_calendar"
"""The keys of the fragments that show events."""
ON: Final = "on"
"""The parameter of the address for the day around which month and week are shown."""

# They are the names of the parameters in the address, too, so no other page may have them.
_VIEW, _TEXT, _PLACE, _WHOSE = "show", "find", "place", "mine"
_COMING: Final = frozenset({RsvpStatus.GOING, RsvpStatus.WAITLISTED})
_FIRST, _LAST = date(1970, 1, 1), date(2199, 12, 31)
_PERIOD: Final = Template('<h2 class="tv-period" aria-live="polite">{name}</h2>')


class View(StrEnum):
    """How the events are shown."""

    AGENDA = "Agenda"
    WEEK = "Week"
    MONTH = "Month"


class Whose(StrEnum):
    """Which events of the viewer's are shown."""

    GOING = "Going"
    HOSTING = "Hosting"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events pass; empty text and None let all pass. `user_id` is whose events `whose` means."""

    text: str = ""
    place: str | None = None
    whose: Whose | None = None
    user_id: str | None = None

    def __bool__(self) -> bool:
        """Whether there is any filter."""
        return bool(self.text.strip() or self.place or self.whose)

    def keep(
        self, events: Iterable[Event], rsvps: Snapshot[Rsvp], cohosts: Snapshot[EventCohost]
    ) -> list[Event]:
        """Return the events that pass, in their order."""
        kept = [event for event in events if self._passes(event)]
        if self.whose is Whose.HOSTING:
            return [event for event in kept if schedule.is_host(event, cohosts, self.user_id)]
        if self.whose is Whose.GOING:
            mine = {each.event_id for each in rsvps_of(rsvps, self.user_id) if each.status in _COMING}
            return [event for event in kept if event.id in mine]
        return kept

    def _passes(self, event: Event) -> bool:
        text = f"{event.title} {event.description} {event.location}"
        return self.place in (None, event.location) and folding.matches(text, self.text)


@dataclass(frozen=True, slots=True)
class Choice:
    """The view, the day around which it is, and the filters of a session. Without a day it is today."""

    view: View = View.AGENDA
    day: date | None = None
    filters: Filters = Filters()


def current_choice() -> Choice:
    """Return the choice of this session."""
    return cast("Choice", st.session_state.get(CHOICE, Choice()))


def day_of(text: str | None) -> date | None:
    """Return the day that an address names; None for none, and for what is no day of a calendar."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None


def moved(view: View, day: date, steps: int) -> date:
    """Return the day so many weeks or months later, the first of it for a month; the calendar has ends."""
    if view is View.WEEK:
        ordinal = day.toordinal() + 7 * steps
        return date.fromordinal(min(max(ordinal, _FIRST.toordinal()), _LAST.toordinal()))
    months = 12 * day.year + day.month - 1 + steps
    first, last = 12 * _FIRST.year, 12 * _LAST.year + _LAST.month - 1
    year, month = divmod(min(max(months, first), last), 12)
    return date(year, month + 1, 1)


def period_name(view: View, day: date, region: Region) -> str:
    """Name the shown month or week: `December 2026`, `30 November – 6 December 2026`."""
    if view is not View.WEEK:
        return f"{day:%B} {day.year}"
    first = region.first_day_of_week(day)
    last = first + timedelta(days=6)
    begin = region.date_text(first, "MMMMd" if first.year == last.year else "yMMMMd")
    return f"{begin} – {region.date_text(last, 'yMMMMd')}"


def address_of_week(day: date) -> str:
    """Return the address of the week of a day, without filters."""
    return f"{Place.EVENTS.value}?{urlencode({_VIEW: View.WEEK.value, ON: day.isoformat()})}"


def show_view() -> Choice:
    """Show the choice of the view and what moves through it, and return the choice. For a full run."""
    with st.container(key="events_view", horizontal=True, vertical_alignment="center"):
        st.segmented_control(
            "View", [view.value for view in View], default=View.AGENDA.value, key=_VIEW,
            bind="query-params", label_visibility="collapsed", required=True,
        )  # fmt: skip
        choice = _remember(day_of(address.read(ON)))
        if choice.view is not View.AGENDA:
            with st.container(
                key="events_moves", horizontal=True, width="content", vertical_alignment="center"
            ):
                _show_moves(choice)
    return choice


def _show_moves(choice: Choice) -> None:
    day, unit = choice.day or times.today_in(session.zone()), choice.view.value.lower()
    # The style sheet hides the labels beside an icon from the eye alone.
    for key, label, icon, steps in (
        ("events_earlier", f"Previous {unit}", ":material/chevron_left:", -1),
        ("events_today", "Today", None, 0),
        ("events_later", f"Next {unit}", ":material/chevron_right:", 1),
    ):
        hint = None if icon is None else label
        st.button(label, icon=icon, key=key, help=hint, on_click=_move, args=(choice.view, day, steps))
    show(_PERIOD(name=period_name(choice.view, day, session.region())))


def _move(view: View, day: date, steps: int) -> None:
    address.write(ON, moved(view, day, steps).isoformat() if steps else None)


@live_fragment(tables=("events", WRITES), varies_by=("user",), key="events_choose")
def show_filters() -> None:
    """Show the filters; a change reruns the fragments that depend on it, and nothing else."""
    places = sorted({event.location for event in tables.events() if event.location}, key=folding.sort_key)
    with st.container(key="events_filters", horizontal=True, vertical_alignment="bottom"):
        st.text_input(
            "Search", key=_TEXT, bind="query-params", placeholder="Title, description or place",
            icon=":material/search:", on_change=_apply,
        )  # fmt: skip
        st.selectbox(
            "Place", places, index=None, key=_PLACE, bind="query-params",
            format_func=folding.as_option, placeholder="Every place", on_change=_apply,
        )  # fmt: skip
        if session.signed_in() is not None:
            st.segmented_control(
                "My events", [each.value for each in Whose], key=_WHOSE, bind="query-params",
                on_change=_apply,
            )  # fmt: skip
    _remember(current_choice().day)


def _apply() -> None:
    _remember(current_choice().day)
    rerun_only(*((UPCOMING, PAST) if current_choice().view is View.AGENDA else (CALENDAR,)))


def _remember(day: date | None) -> Choice:
    """Copy the values out of the widgets' state, which Streamlit drops when they are not rendered."""
    state, me = st.session_state, session.my_id()
    whose = state.get(_WHOSE) if me else None
    filters = Filters(
        state.get(_TEXT) or "", state.get(_PLACE), Whose(whose) if whose else None, me if whose else None
    )
    state[CHOICE] = Choice(View(state.get(_VIEW) or View.AGENDA), day, filters)
    return current_choice()
