"""The fields of an event, in the form for a new one and in the dialog to edit one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from db.hub.events import EventDraft
from db.hub.models import Event
from ui.base import feedback, session, times
from ui.base.text import as_label, one_line
from ui.events.when import (
    TIME,
    Before,
    WallTime,
    WhenError,
    begins_in_the_past,
    fold_field,
    moment_field,
    moment_of,
)

_MAX_TITLE, _MAX_DESCRIPTION, _MAX_LOCATION, _MAX_CAPACITY = 120, 5000, 200, 100_000
_DURATION = timedelta(hours=3)
PAST: Final = "past"
"""The name of the problem that an event begins in the past, which the person may confirm."""

NOTHING: Final[Mapping[str, str]] = {}

Problems = Mapping[str, str]
"""What is wrong with the values, by the name of the field: sentences for the person."""


@dataclass(frozen=True, slots=True)
class Filled:
    """The values of the fields, not checked yet. The times are in `time_zone`.

    `past_is_meant` is the person's answer to the question whether the event is meant to begin in the past.
    """

    title: str
    description: str
    starts: WallTime
    ends: WallTime
    time_zone: str
    location: str
    capacity: str
    past_is_meant: bool = False


def show_problems(key: str) -> None:
    """Show each problem at its field from now on. For `on_click` of the form's button."""
    st.session_state[f"{key}_sent"] = True


def fields(key: str, initial: EventDraft, options: Mapping[str, str] = NOTHING) -> EventDraft | Problems:
    """Show the fields inside a form, and return the draft in them, or what is wrong with them.

    `key` separates the widgets from those of other forms. `options` are those of a draft that the person has
    not saved yet (`drafts.Draft`).
    """
    title = st.text_input("Title", initial.title, max_chars=_MAX_TITLE, key=f"{key}_title")
    places = {"title": st.container()}
    description = st.text_area(
        "Description",
        initial.description,
        max_chars=_MAX_DESCRIPTION,
        height=110,
        key=f"{key}_description",
    )
    before = times.zone_named(initial.time_zone)
    first, last = Before(initial.starts_at, before), Before(initial.ends_at, before)
    places["starts_at"], places["ends_at"] = st.columns(2)
    starts = moment_field(
        places["starts_at"],
        ("Starts", "Start time"),
        first,
        f"{key}_starts",
        options.get(f"_starts{TIME}", ""),
    )
    ends = moment_field(
        places["ends_at"], ("Ends", "End time"), last, f"{key}_ends", options.get(f"_ends{TIME}", "")
    )
    time_zone = _time_zone(f"{key}_zone", options.get("_zone", ""), initial.time_zone)
    zone = times.zone_named(time_zone)
    places[PAST] = st.container()
    left, places["capacity"] = st.columns(2)
    filled = Filled(
        title=title,
        description=description,
        starts=fold_field(places["starts_at"], starts, zone, first, f"{key}_starts_fold"),
        ends=fold_field(places["ends_at"], ends, zone, last, f"{key}_ends_fold"),
        time_zone=time_zone,
        location=left.text_input(
            "Location", initial.location, max_chars=_MAX_LOCATION, key=f"{key}_location"
        ),
        capacity=places["capacity"].text_input(
            "Capacity",
            _capacity_text(initial.capacity),
            placeholder="No limit",
            key=f"{key}_capacity",
        ),
    )
    draft = checked(filled, initial)
    if isinstance(draft, EventDraft) or not st.session_state.get(f"{key}_sent"):
        return draft
    feedback.show_problems(draft, places)
    if PAST in draft and _confirmed(places[PAST], f"{key}_past_{starts}_{zone.key}"):
        return checked(replace(filled, past_is_meant=True), initial)
    return draft


def texts(event: Event) -> Mapping[str, str]:
    """Return what the text fields show of an event, by the rest of the widget's key after `fields`' `key`."""
    return {
        "_title": event.title,
        "_description": event.description,
        "_location": event.location,
        "_capacity": _capacity_text(event.capacity),
    }


def _capacity_text(capacity: int | None) -> str:
    return "" if capacity is None else str(capacity)


def _confirmed(place: DeltaGenerator, key: str) -> bool:
    return place.checkbox("Yes, it is meant to start in the past.", key=key)


def _time_zone(key: str, kept: str, initial: str) -> str:
    """Let the person choose a zone, the viewer's own first, and say so if it is another."""
    own = session.zone().key
    zones = list(dict.fromkeys((own, *times.zones_to_choose(), initial)))
    first = kept if kept in zones else initial
    chosen = st.selectbox("Time zone", zones, index=zones.index(first), key=key)
    if chosen != own:
        st.caption(as_label(f"These are times in {chosen}. Your own time zone is {own}."))
    return chosen


def new_draft(zone: ZoneInfo) -> EventDraft:
    """Return the initial values of the form for a new event: tomorrow evening."""
    starts = times.next_evening(datetime.now(zone))
    return EventDraft(
        title="",
        description="",
        starts_at=starts,
        ends_at=starts + _DURATION,
        time_zone=zone.key,
        location="",
        capacity=None,
    )


def draft_like(event: Event, now: datetime) -> EventDraft:
    """Return the initial values for a copy of an event: on the next such weekday, at its time of day."""
    zone, later = times.zone_named(event.time_zone), max(now, event.starts_at)
    local = event.starts_at.astimezone(zone)
    weeks = max(1, (later - event.starts_at) // timedelta(weeks=1))
    after = (local.replace(tzinfo=None) + timedelta(weeks=each) for each in count(weeks))
    moments = (each.replace(tzinfo=zone).astimezone(UTC) for each in after)
    starts = next(each for each in moments if each > later)
    return replace(
        EventDraft.of(event),
        starts_at=starts.astimezone(zone),
        ends_at=(starts + (event.ends_at - event.starts_at)).astimezone(zone),
    )


def checked(filled: Filled, initial: EventDraft, now: datetime | None = None) -> EventDraft | Problems:
    """Return the draft, or all problems.

    A time that shows what `initial` has shown means the same moment, to the microsecond.
    """
    problems: dict[str, str] = {}
    now = now or datetime.now(UTC)
    if not one_line(filled.title):
        problems["title"] = "Please give the event a title."
    starts, ends = _moments(filled, initial, problems)
    if not (filled.past_is_meant or "starts_at" in problems) and begins_in_the_past(
        starts, initial.starts_at, now
    ):
        problems[PAST] = f"The start is {times.ago(starts, now)}. Is that meant?"
    try:
        capacity = _capacity_of(filled.capacity)
    except ValueError as error:
        capacity, problems["capacity"] = None, str(error)
    return problems or EventDraft(
        title=one_line(filled.title),
        description=filled.description.strip(),
        starts_at=starts,
        ends_at=ends,
        time_zone=filled.time_zone,
        location=one_line(filled.location),
        capacity=capacity,
    )


def _moments(filled: Filled, initial: EventDraft, problems: dict[str, str]) -> tuple[datetime, datetime]:
    """Return the start and the end; what is wrong with them is added to `problems`."""
    before, zone = times.zone_named(initial.time_zone), times.zone_named(filled.time_zone)
    starts, ends = initial.starts_at, initial.ends_at
    try:
        starts = moment_of(filled.starts, zone, Before(starts, before))
    except WhenError as error:
        problems["starts_at"] = str(error)
    try:
        ends = moment_of(filled.ends, zone, Before(ends, before))
    except WhenError as error:
        problems["ends_at"] = str(error)
    if not problems.keys() & {"starts_at", "ends_at"} and ends <= starts:
        problems["ends_at"] = "The event ends before it starts. Please check the times."
    return starts, ends


def _capacity_of(text: str) -> int | None:
    """Return the number in the field, None for no limit. Raises `ValueError` for anything else."""
    text = text.strip()
    if not text:
        return None
    if not text.isdecimal() or not 1 <= int(text[:20]) <= _MAX_CAPACITY:
        raise ValueError("Enter a whole number between 1 and 100,000, or leave it empty for no limit.")
    return int(text)


def new_event(event_id: str, draft: EventDraft, organizer_id: str) -> Event:
    """Return the event that the database will create from a draft."""
    now = datetime.now(UTC)
    return Event(
        id=event_id,
        title=draft.title,
        description=draft.description,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        time_zone=draft.time_zone,
        location=draft.location,
        capacity=draft.capacity,
        organizer_id=organizer_id,
        cancelled_at=None,
        cancel_reason="",
        picture=None,
        version=0,
        created_at=now,
        updated_at=now,
        updated_by=organizer_id,
    )
