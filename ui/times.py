"""Times as the viewer reads them: in their own zone, in words where that is clearer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones


def zone_named(name: str | None) -> ZoneInfo:
    """Return the zone with this IANA name, UTC when there is none."""
    if name and name in _zone_names():
        return ZoneInfo(name)
    return ZoneInfo("UTC")


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zones_to_choose() -> tuple[str, ...]:
    """Return the names that people know, sorted: places, not abbreviations and offsets."""
    places = (
        name for name in _zone_names() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
    return ("UTC", *sorted(places))


def clock(moment: datetime, zone: ZoneInfo) -> str:
    """Return the time of day, `19:30`."""
    return f"{moment.astimezone(zone):%H:%M}"


def day_name(moment: datetime, zone: ZoneInfo, today: date) -> str:
    """Name a day as people do: `Today`, `Friday` this week, `Friday, 4 December`, the year if not this."""
    day = moment.astimezone(zone).date()
    near = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}.get((day - today).days)
    if near:
        return near
    if 1 < (day - today).days < 7:
        return f"{day:%A}"
    return f"{day:%A}, {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def full(moment: datetime, zone: ZoneInfo) -> str:
    """Return everything about a moment, `Friday, 4 December 2026, 19:30 (Europe/Berlin)`."""
    local = moment.astimezone(zone)
    return f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} ({zone.key})"


def short_day(moment: datetime, zone: ZoneInfo, today: date) -> str:
    """Return a time today, else a short date: `19:30`, `4 Dec`, `4 Dec 2025`."""
    local = moment.astimezone(zone)
    if local.date() == today:
        return f"{local:%H:%M}"
    return f"{local.day} {local:%b}" + ("" if local.year == today.year else f" {local.year}")


def span(starts: datetime, ends: datetime, zone: ZoneInfo, today: date) -> str:
    """Return when something is on: `Friday, 19:30 – 22:00`, with the second day when it ends on another."""
    first = f"{day_name(starts, zone, today)}, {clock(starts, zone)}"
    if starts.astimezone(zone).date() == ends.astimezone(zone).date():
        return f"{first} – {clock(ends, zone)}"
    return f"{first} – {day_name(ends, zone, today)}, {clock(ends, zone)}"


def ago(moment: datetime, now: datetime) -> str:
    """Return roughly how long ago something was: `just now`, `40 s ago`, `3 min ago`, `5 days ago`."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 5:
        return "just now"
    if seconds < 60:
        return f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86400
    return f"{days} day ago" if days == 1 else f"{days} days ago"


def today_in(zone: ZoneInfo) -> date:
    """Return the date that it is in this zone."""
    return datetime.now(zone).date()


def wall_time(local: datetime, zone: ZoneInfo) -> datetime:
    """Give a wall-clock time its zone. Raises `ValueError` for a time that the clocks skip there."""
    aware = local.replace(tzinfo=zone)
    if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"The clocks in {zone.key} skip {local:%H:%M} on that day.")
    return aware


def next_evening(now: datetime) -> datetime:
    """Suggest when to start something new: 19:00 tomorrow, in the zone of `now`."""
    return (now + timedelta(days=1)).replace(hour=19, minute=0, second=0, microsecond=0)
