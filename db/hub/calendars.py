"""Events for other programs: as an iCalendar file (RFC 5545), and as schema.org's `Event` in JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from icalendar import STATUS, Alarm, Calendar
from icalendar import Event as CalendarEvent

from db.hub.models import Event

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_PRODUCT: Final = "-//Tavern//Events//EN"
_REFRESH: Final = timedelta(hours=1)
_ALARM: Final = timedelta(hours=-1)
_CONTROL: Final = dict.fromkeys([*range(9), *range(11, 32), 127])


def calendar_of(events: Iterable[Event], hosts: Mapping[str, str], home: str = "") -> bytes:
    """Return the events as one iCalendar file.

    A calendar that reads it again knows each event by its `UID`, and sees changes by its `SEQUENCE`. A
    cancelled event stays in it, as cancelled.

    Args:
        events: In the order of the file.
        hosts: The names of the organizers, by their ids.
        home: The address of the app, such as `https://tavern.example`; without it, events have no links.
    """
    shown = list(events)
    calendar = Calendar.new(
        uid=uuid5(NAMESPACE_URL, home),
        name="Tavern",
        prodid=_PRODUCT,
        method="PUBLISH",
        refresh_interval=_REFRESH,
    )
    for event in shown:
        calendar.add_component(_entry(event, hosts.get(event.organizer_id, ""), home))
    if shown:
        # The rules of the zones are listed date by date, so only for the years that are needed.
        first, last = min(event.starts_at for event in shown), max(event.ends_at for event in shown)
        calendar.add_missing_timezones(date(first.year - 1, 1, 1), date(last.year + 2, 1, 1))
    return bytes(calendar.to_ical())


def _entry(event: Event, host: str, home: str) -> CalendarEvent:
    zone = zone_of(event)
    cancelled = event.cancelled_at is not None
    entry = CalendarEvent.new(
        uid=f"{event.id}@tavern",
        summary=_plain(event.title),
        description=_plain(_description(event, host)) or None,
        location=_plain(event.location) or None,
        start=event.starts_at.astimezone(zone),
        end=event.ends_at.astimezone(zone),
        status=STATUS.CANCELLED if cancelled else STATUS.CONFIRMED,
        sequence=event.version,
        stamp=event.updated_at.astimezone(UTC),
        created=event.created_at.astimezone(UTC),
        last_modified=event.updated_at.astimezone(UTC),
        url=address_of(event, home) or None,
    )
    if not cancelled:
        alarm = Alarm.new(description=event.title)
        alarm.add("action", "DISPLAY")
        alarm.add("trigger", _ALARM)
        entry.add_component(alarm)
    return entry


def _plain(text: str) -> str:
    """Drop what the format does not allow: control characters but line breaks and tabs."""
    return text.replace("\r\n", "\n").translate(_CONTROL)


def _description(event: Event, host: str) -> str:
    reason = (
        f"Cancelled: {event.cancel_reason}" if event.cancelled_at is not None and event.cancel_reason else ""
    )
    parts = (reason, event.description, f"Hosted by {host}" if host else "")
    return "\n\n".join(part for part in parts if part)


def zone_of(event: Event) -> ZoneInfo:
    """Return the time zone of an event, UTC if this machine does not know it."""
    try:
        return ZoneInfo(event.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def address_of(event: Event, home: str) -> str:
    """Return the address of an event's page, empty without the address of the app."""
    return f"{home.rstrip('/')}/event?id={event.id}" if home else ""


def as_schema_org(event: Event, host: str, places_left: int | None, home: str) -> dict[str, object]:
    """Return an event as an object of schema.org's type `Event`.

    `places_left` is None for an event without a limit. Times have the offset of the event's own zone.
    """
    zone = zone_of(event)
    state = "EventCancelled" if event.cancelled_at is not None else "EventScheduled"
    found: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Event",
        "@id": address_of(event, home),
        "identifier": event.id,
        "url": address_of(event, home),
        "name": event.title,
        "description": event.description,
        "startDate": _iso(event.starts_at, zone),
        "endDate": _iso(event.ends_at, zone),
        "eventStatus": f"https://schema.org/{state}",
        "organizer": {"@type": "Person", "name": host},
    }
    if event.location:
        found["location"] = {"@type": "Place", "name": event.location, "address": event.location}
    if event.capacity is not None and places_left is not None:
        found["maximumAttendeeCapacity"] = event.capacity
        found["remainingAttendeeCapacity"] = max(places_left, 0)
    return found


def _iso(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds")
