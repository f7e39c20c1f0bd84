"""The fields of an event, for making one and for changing one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import streamlit as st

from db.events import EventDraft
from db.models import Event
from ui import times
from ui.text import one_line

_LONGEST_TITLE, _LONGEST_DESCRIPTION, _LONGEST_LOCATION, _MOST_PEOPLE = 120, 5000, 200, 100_000


@dataclass(frozen=True, slots=True)
class Filled:
    """What stands in the fields, not checked yet; the times are on the clock of `time_zone`."""

    title: str
    description: str
    starts: datetime | None
    ends: datetime | None
    time_zone: str
    location: str
    capacity: int | None


def fields(key: str, initial: EventDraft) -> Filled:
    """Show the fields inside a form. `key` keeps what was typed apart from other forms."""
    zone = times.zone_named(initial.time_zone)
    title = st.text_input("Title", initial.title, max_chars=_LONGEST_TITLE, key=f"{key}_title")
    description = st.text_area(
        "Description",
        initial.description,
        max_chars=_LONGEST_DESCRIPTION,
        height=110,
        key=f"{key}_description",
    )
    left, right = st.columns(2)
    starts = left.datetime_input("Starts", _local(initial.starts_at, zone), key=f"{key}_starts")
    ends = right.datetime_input("Ends", _local(initial.ends_at, zone), key=f"{key}_ends")
    left, right = st.columns(2)
    location = left.text_input(
        "Location", initial.location, max_chars=_LONGEST_LOCATION, key=f"{key}_location"
    )
    capacity = right.number_input(
        "Capacity",
        min_value=1,
        max_value=_MOST_PEOPLE,
        value=initial.capacity,
        step=1,
        placeholder="No limit",
        key=f"{key}_capacity",
    )
    zones = times.zones_to_choose()
    known = zones if initial.time_zone in zones else (initial.time_zone, *zones)
    zone_name = st.selectbox("Time zone", known, index=known.index(initial.time_zone), key=f"{key}_zone")
    return Filled(
        title=title,
        description=description,
        starts=starts,
        ends=ends,
        time_zone=zone_name,
        location=location,
        capacity=None if capacity is None else int(capacity),
    )


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def new_draft(zone: ZoneInfo) -> EventDraft:
    """Return what an empty form begins with: an evening tomorrow."""
    starts = times.next_evening(datetime.now(zone))
    return EventDraft(
        title="",
        description="",
        starts_at=starts,
        ends_at=starts + timedelta(hours=3),
        time_zone=zone.key,
        location="",
        capacity=None,
    )


def checked(filled: Filled) -> EventDraft | str:
    """Return the draft, or a sentence about what is missing."""
    if not one_line(filled.title):
        return "Please give the event a title."
    if filled.starts is None or filled.ends is None:
        return "Please say when the event starts and ends."
    zone = times.zone_named(filled.time_zone)
    try:
        starts, ends = times.wall_time(filled.starts, zone), times.wall_time(filled.ends, zone)
    except ValueError as error:
        return str(error)
    if ends.astimezone(UTC) <= starts.astimezone(UTC):
        return "The event ends before it starts. Please check the times."
    return EventDraft(
        title=one_line(filled.title),
        description=filled.description.strip(),
        starts_at=starts,
        ends_at=ends,
        time_zone=filled.time_zone,
        location=one_line(filled.location),
        capacity=filled.capacity,
    )


def new_event(event_id: str, draft: EventDraft, organizer_id: str) -> Event:
    """Return the event that the database will make of a draft."""
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
        version=0,
        created_at=now,
        updated_at=now,
        updated_by=organizer_id,
    )
