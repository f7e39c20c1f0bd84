"""Events on the days of a month, and on the hours of a week, as blocks of HTML for everybody in a region.

`docs/decisions/0023-the-calendar-is-html.md` says why this is no component.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from db.hub.models import Event
from ui.base import times
from ui.base.html import EMPTY, Markup, Template, join
from ui.base.links import link_html, to_event
from ui.base.region import Region
from ui.events import cards
from ui.events.cards import Viewing

WEEKS_OF_A_MONTH: Final = 6
"""The most weeks in which a month has a day."""
_A_DAY_SHOWS: Final = 4
_MINUTES: Final = 24 * 60
_FEWEST_HOURS: Final = 8
_SHORTEST: Final = 30
"""The minutes that the shortest event takes on the hours of a day, so that its title can be read."""

_DAY_NAMES: Final = Template('<div class="tv-days" aria-hidden="true">{names}</div>')
_DAY_NAME: Final = Template("<span>{name}</span>")
_WEEK: Final = Template('<ol class="tv-week">{days}</ol>')
_DAY: Final = Template(
    '<li class="tv-cell{css}"><span class="tv-date" title="{full}"><i>{weekday}</i>{number}</span>'
    "{events}</li>"
)
_EVENTS: Final = Template("<ul>{events}{more}</ul>")
_ENTRY: Final = Template(
    '<li class="tv-entry{css}" data-row="{id}" data-owner="{owner}" title="{hint}"{place}>{link}</li>'
)
_PLACE: Final = Template(' style="top: {top}%; height: {height}%; left: {left}%; width: {width}%"')
_TITLE: Final = Template("<time>{time}</time> <bdi>{title}</bdi>")
_MORE: Final = Template('<li class="tv-more">{link}</li>')
_MORE_TEXT: Final = Template("{count} more")
_NOTHING: Final = Template('<p class="tv-nothing">{text}</p>')

_HOURS: Final = Template('<ol class="tv-hours" aria-hidden="true" style="height: {height}rem">{marks}</ol>')
_HOUR: Final = Template('<li style="top: {top}%">{text}</li>')
_LANES: Final = Template('<ul class="tv-lanes" style="height: {height}rem">{events}</ul>')
_WEEK_OF_HOURS: Final = Template('<div class="tv-timetable">{hours}<ol class="tv-week">{days}</ol></div>')
_REM_AN_HOUR: Final = 2.6


def weeks_of_month(day: date, region: Region) -> list[list[date]]:
    """Return the weeks that have a day of the month, each from the first day of a week in the region."""
    first = region.first_day_of_week(day.replace(day=1))
    next_month = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    weeks = ((next_month - first).days + 6) // 7
    return [[first + timedelta(days=7 * week + each) for each in range(7)] for week in range(weeks)]


def by_day(events: Iterable[Event], days: Sequence[date], region: Region) -> Mapping[date, list[Event]]:
    """Return the events of each day in their order; an event is on every day on which it lasts."""
    found: dict[date, list[Event]] = {day: [] for day in days}
    if not days:
        return found
    for event in events:
        first, last = _days_of(event, region)
        for ordinal in range(max(first, days[0]).toordinal(), min(last, days[-1]).toordinal() + 1):
            found[date.fromordinal(ordinal)].append(event)
    return found


def _days_of(event: Event, region: Region) -> tuple[date, date]:
    """Return the first and the last day of an event; one that ends at midnight is not on the next day."""
    first = event.starts_at.astimezone(region.zone).date()
    ends = event.ends_at.astimezone(region.zone)
    return first, max(first, (ends - timedelta(microseconds=1)).date())


def month_pieces(
    events: Sequence[Event], day: date, viewing: Viewing, week_address: Callable[[date], str]
) -> list[Markup]:
    """Show a month: the names of the days, and its weeks, each a piece; as many pieces for every month.

    `events` are in the order of their starts. `week_address` returns the address of the week of a day, for
    days with more events than have room.
    """
    weeks = weeks_of_month(day, viewing.region)
    placed = by_day(events, [each for week in weeks for each in week], viewing.region)
    pieces = [_day_names_html(weeks[0])]
    for week in weeks:
        cells = (
            _cell_html(each, placed[each], viewing, outside=each.month != day.month, more=week_address(each))
            for each in week
        )
        pieces.append(_WEEK(days=join(cells)))
    pieces += [EMPTY] * (1 + WEEKS_OF_A_MONTH - len(pieces))
    empty = not any(placed[each] for week in weeks for each in week if each.month == day.month)
    return [*pieces, _NOTHING(text=f"Nothing in {day:%B} {day.year}.") if empty else EMPTY]


def _day_names_html(week: Sequence[date]) -> Markup:
    return _DAY_NAMES(names=join(_DAY_NAME(name=f"{day:%a}") for day in week))


def _cell_html(day: date, events: list[Event], viewing: Viewing, *, outside: bool, more: str) -> Markup:
    shown = events if len(events) <= _A_DAY_SHOWS else events[: _A_DAY_SHOWS - 1]
    left = len(events) - len(shown)
    rest = _MORE(link=link_html(more, _MORE_TEXT(count=left))) if left else EMPTY
    entries = join(_entry_html(event, day, viewing) for event in shown)
    return _day_html(day, viewing, _EVENTS(events=entries, more=rest) if events else EMPTY, outside=outside)


def _day_html(day: date, viewing: Viewing, events: Markup, *, outside: bool = False) -> Markup:
    css = (" outside" if outside else "") + (" today" if day == viewing.today else "")
    return _DAY(
        css=css + ("" if events else " free"),
        full=f"{day:%A}, {viewing.region.date_text(day, 'yMMMMd')}",
        weekday=f"{day:%a}",
        number=day.day,
        events=events,
    )


def _entry_html(event: Event, day: date, viewing: Viewing, place: Markup = EMPTY) -> Markup:
    return _ENTRY(
        css=cards.state_css(event, over=event.ends_at <= viewing.minute),
        id=event.id,
        owner=event.organizer_id,
        hint=_hint(event, viewing),
        place=place,
        link=_link_html(event, day, viewing),
    )


def _link_html(event: Event, day: date, viewing: Viewing) -> Markup:
    begins = event.starts_at.astimezone(viewing.region.zone).date() == day
    shown = times.clock(event.starts_at, viewing.region) if begins else "…"
    return link_html(to_event(event.id), _TITLE(time=shown, title=event.title))


def _hint(event: Event, viewing: Viewing) -> str:
    facts = [
        event.title,
        times.span(event.starts_at, event.ends_at, viewing.region, viewing.today),
        event.location,
        "Cancelled" if event.cancelled_at is not None else "",
    ]
    return " · ".join(fact for fact in facts if fact)


# ---------------------------------------------------------------- a week, by the hours


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an event stands on a day: minutes since midnight, and the lane of those side by side."""

    event: Event
    begin: int
    end: int
    lane: int = 0
    lanes: int = 1


def placed_on(day: date, events: Iterable[Event], region: Region) -> list[Placed]:
    """Place the events of a day. Those that overlap are side by side, in as few lanes as they need."""
    spans = sorted(
        (Placed(event, *_minutes(event, day, region)) for event in events),
        key=lambda each: (each.begin, -each.end),
    )
    placed: list[Placed] = []
    together: list[tuple[Placed, int]] = []
    lane_ends: list[int] = []
    for each in spans:
        if lane_ends and each.begin >= max(lane_ends):
            placed += _in_lanes(together, len(lane_ends))
            together, lane_ends = [], []
        lane = next((lane for lane, end in enumerate(lane_ends) if end <= each.begin), len(lane_ends))
        lane_ends[lane : lane + 1] = [each.end]
        together.append((each, lane))
    return placed + _in_lanes(together, len(lane_ends))


def _in_lanes(together: Iterable[tuple[Placed, int]], lanes: int) -> list[Placed]:
    return [Placed(each.event, each.begin, each.end, lane, lanes) for each, lane in together]


def _minutes(event: Event, day: date, region: Region) -> tuple[int, int]:
    """Return the minutes of a day at which an event begins and ends, by the clocks of the region."""
    begin = _minute_of(event.starts_at.astimezone(region.zone), day)
    end = _minute_of(event.ends_at.astimezone(region.zone), day)
    begin = min(begin, _MINUTES - _SHORTEST)
    return begin, max(end, begin + _SHORTEST)


def _minute_of(local: datetime, day: date) -> int:
    if local.date() != day:
        return 0 if local.date() < day else _MINUTES
    return local.hour * 60 + local.minute


def week_pieces(events: Sequence[Event], day: date, viewing: Viewing) -> list[Markup]:
    """Show a week: the names of the days, and its days on the hours that have events."""
    first = viewing.region.first_day_of_week(day)
    days = [first + timedelta(days=each) for each in range(7)]
    on_days = by_day(events, days, viewing.region)
    placed = {each: placed_on(each, on_days[each], viewing.region) for each in days}
    begin, end = shown_hours(each for some in placed.values() for each in some)
    columns = join(
        _day_html(each, viewing, _lanes_html(each, placed[each], (begin, end), viewing)) for each in days
    )
    hours = _HOURS(
        height=_height(begin, end),
        marks=join(_hour_html(hour, begin, end, viewing) for hour in range(begin, end)),
    )
    nothing = _NOTHING(text="Nothing in this week.") if not any(placed.values()) else EMPTY
    return [_day_names_html(days), _WEEK_OF_HOURS(hours=hours, days=columns), nothing]


def _height(begin: int, end: int) -> str:
    return f"{_REM_AN_HOUR * (end - begin):.1f}"


def shown_hours(placed: Iterable[Placed]) -> tuple[int, int]:
    """Return the first hour that is shown and the one after the last: all with events, some in any case."""
    spans = [(each.begin // 60, -(-each.end // 60)) for each in placed]
    begin = min((first for first, _ in spans), default=12)
    end = max((last for _, last in spans), default=20)
    missing = max(_FEWEST_HOURS - (end - begin), 0)
    end = min(end + missing, 24)
    return min(begin, end - min(_FEWEST_HOURS, end)), end


def _hour_html(hour: int, begin: int, end: int, viewing: Viewing) -> Markup:
    text = viewing.region.time_text(datetime.combine(viewing.today, time(hour)))
    return _HOUR(top=_percent(hour - begin, end - begin), text=text)


def _lanes_html(day: date, placed: Sequence[Placed], hours: tuple[int, int], viewing: Viewing) -> Markup:
    if not placed:
        return EMPTY
    begin, end = hours
    minutes = 60 * (end - begin)
    return _LANES(
        height=_height(begin, end),
        events=join(
            _entry_html(each.event, day, viewing, _place_html(each, begin, minutes)) for each in placed
        ),
    )


def _place_html(placed: Placed, begin: int, minutes: int) -> Markup:
    """Return where an event stands on a day that is shown from an hour on, for so many minutes."""
    return _PLACE(
        top=_percent(placed.begin - 60 * begin, minutes),
        height=_percent(placed.end - placed.begin, minutes),
        left=_percent(placed.lane, placed.lanes),
        width=_percent(1, placed.lanes),
    )


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.3f}".rstrip("0").rstrip(".")
