"""Times in the viewer's own zone, in words where that is clearer."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from ui.base.region import Region


def zone_named(name: str | None) -> ZoneInfo:
    """Return the zone with this IANA name, or UTC when there is none."""
    if name and name in _zone_names():
        return ZoneInfo(name)
    return ZoneInfo("UTC")


@cache
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zones_to_choose() -> tuple[str, ...]:
    """Return the zones to choose from, sorted: UTC and places, no abbreviations or offsets."""
    places = (
        name for name in _zone_names() if "/" in name and not name.startswith(("Etc/", "SystemV/", "US/"))
    )
    return ("UTC", *sorted(places))


def clock(moment: datetime, region: Region) -> str:
    """Return the time of day, `19:30` or `7:30 PM`; with the offset from UTC if the clocks show it twice."""
    local = moment.astimezone(region.zone)
    text = region.time_text(local)
    repeated = is_repeated(local.replace(tzinfo=None), region.zone)
    return f"{text} ({offset_name(local, region.zone)})" if repeated else text


def day_name(moment: datetime, region: Region, today: date) -> str:
    """Name a day: `Today`, `Friday` within a week, else `Friday, 4 December`, with another year."""
    day = moment.astimezone(region.zone).date()
    near = {0: "Today", -1: "Yesterday", 1: "Tomorrow"}.get((day - today).days)
    if near:
        return near
    if 1 < (day - today).days < 7:
        return f"{day:%A}"
    return f"{day:%A}, {region.date_text(day, 'MMMMd' if day.year == today.year else 'yMMMMd')}"


def full(moment: datetime, region: Region) -> str:
    """Return date, time and zone: `Friday, 4 December 2026, 19:30 (Europe/Berlin)`."""
    day = moment.astimezone(region.zone).date()
    return f"{day:%A}, {region.date_text(day, 'yMMMMd')}, {clock(moment, region)} ({region.zone.key})"


def short_day(moment: datetime, region: Region, today: date) -> str:
    """Return a time today, else a short date: `19:30`, `4 Dec`, `4 Dec 2025`."""
    day = moment.astimezone(region.zone).date()
    return clock(moment, region) if day == today else _short_date(day, region, today)


def to_the_second(moment: datetime, region: Region, today: date) -> str:
    """Return date and time to the second: `4 Dec, 19:30:59`, with another year `4 Dec 2025, 19:30:59`."""
    local = moment.astimezone(region.zone)
    return f"{_short_date(local.date(), region, today)}, {region.time_text(local, seconds=True)}"


def second_of_day(moment: datetime, region: Region, today: date) -> str:
    """Return the time to the second, `19:30:59`; as `to_the_second` on another day than today."""
    local = moment.astimezone(region.zone)
    if local.date() == today:
        return region.time_text(local, seconds=True)
    return to_the_second(moment, region, today)


def _short_date(day: date, region: Region, today: date) -> str:
    return region.date_text(day, "MMMd" if day.year == today.year else "yMMMd")


def span(starts: datetime, ends: datetime, region: Region, today: date) -> str:
    """Return a period: `Friday, 19:30 – 22:00`, with the second day if it ends on another."""
    zone = region.zone
    first = f"{day_name(starts, region, today)}, {clock(starts, region)}"
    if starts.astimezone(zone).date() == ends.astimezone(zone).date():
        return f"{first} – {clock(ends, region)}"
    return f"{first} – {day_name(ends, region, today)}, {clock(ends, region)}"


def ago(moment: datetime, now: datetime) -> str:
    """Return an age in its largest unit: `just now`, `40 s ago`, `3 min ago`, `5 days ago`."""
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
    if days >= 730:
        return f"{days // 365} years ago"
    return f"{days} day ago" if days == 1 else f"{days} days ago"


def today_in(zone: ZoneInfo) -> date:
    """Return today's date in this zone."""
    return datetime.now(zone).date()


def wall_time(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a wall-clock time with its zone. `local.fold` says which one, if the clocks show it twice.

    Raises:
        ValueError: The clocks of the zone skip that time.
    """
    aware = local.replace(tzinfo=zone)
    if aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError(f"The clocks in {zone.key} skip {local:%H:%M} on that day.")
    return aware


def is_repeated(local: datetime, zone: ZoneInfo) -> bool:
    """Tell whether the clocks of the zone show that wall-clock time twice, because they are put back."""
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first is not None and second is not None and first > second  # smaller when it is skipped


def offset_name(moment: datetime, zone: ZoneInfo) -> str:
    """Name what tells two equal times of one night apart: `EDT, UTC−04:00`, or only the offset."""
    local = moment.astimezone(zone)
    offset = "UTC" + local.isoformat(timespec="minutes")[16:].replace("-", "−")
    name = local.tzname() or ""
    return f"{name}, {offset}" if name.isalpha() else offset


def next_evening(now: datetime) -> datetime:
    """Return 19:00 tomorrow, in the zone of `now`."""
    return (now + timedelta(days=1)).replace(hour=19, minute=0, second=0, microsecond=0)
