"""The start and the end of an event: wall-clock times in the event's zone, and the moments that they mean.

The clocks show an hour twice when they are put back, so a wall-clock time alone does not say when. The person
then chooses which of the two. What nobody has touched stays exactly as it is, seconds included.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from streamlit.delta_generator import DeltaGenerator

from ui.base import session, times

TIME: Final = "_time"
"""The end of the key of the field for a time of day, which a draft keeps as an option."""
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)
_WIDTH_OF_TIME = 130
"""Pixels."""
_LATELY = timedelta(hours=1)
"""So long ago may an event have begun before the person is asked whether that is meant."""


class WhenError(ValueError):
    """The moment is not clear; the message says what to do."""


@dataclass(frozen=True, slots=True)
class WallTime:
    """A wall-clock time as filled in, to the minute; None for an empty field.

    `fold` is the person's choice for a time that the clocks show twice: 0 for the first, 1 for the second.
    """

    local: datetime | None
    fold: int | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What a field showed before: a moment, in a zone."""

    moment: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        """The wall-clock time, with its `fold`."""
        return self.moment.astimezone(self.zone).replace(tzinfo=None)

    @property
    def shown(self) -> datetime:
        """The wall-clock time to the minute, as the field shows it."""
        return self.local.replace(second=0, microsecond=0, fold=0)


def moment_of(filled: WallTime, zone: ZoneInfo, before: Before) -> datetime:
    """Return the moment that a wall-clock time in `zone` means, in UTC.

    Raises:
        WhenError: There is no such moment, or there are two and the person has not chosen.
    """
    if filled.local is None:
        raise WhenError("Enter a date and a time.")
    local = _to_the_second(filled.local, before)
    if times.is_repeated(local, zone):
        if filled.fold is None:
            raise WhenError("The clocks show this time twice on that day. Choose which one you mean.")
        local = local.replace(fold=filled.fold)
    try:
        # In UTC: Python calls a time in a repeated hour unequal to the same moment in any other zone.
        return times.wall_time(local, zone).astimezone(UTC)
    except ValueError as error:
        raise WhenError(f"The clocks in {zone.key} skip this time on that day.") from error


def _to_the_second(filled: datetime, before: Before) -> datetime:
    """Return what is filled in, with the seconds that the field has hidden if nobody has touched it."""
    return before.local.replace(fold=0) if filled == before.shown else filled


def moment_field(
    place: DeltaGenerator, labels: tuple[str, str], before: Before, key: str, kept: str = ""
) -> datetime:
    """Show the fields for a date and a time of day, and return the wall-clock time in them.

    They are two because Streamlit's field for both has 24 hours for everybody. `kept` is the time of a draft.
    """
    region, row = session.region(), place.container(horizontal=True)
    day = row.date_input(
        labels[0], before.shown.date(), _FIRST_DAY, _LAST_DAY,
        key=f"{key}_day", format=region.input_format, required=True,
    )  # fmt: skip
    clock = row.time_input(
        labels[1], _time_of(kept) or before.shown.time(), key=f"{key}{TIME}", required=True,
        format="12h" if region.twelve_hours else "24h", step=timedelta(minutes=1), width=_WIDTH_OF_TIME,
    )  # fmt: skip
    return datetime.combine(day, clock)


def _time_of(text: str) -> time | None:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return None


def fold_field(place: DeltaGenerator, filled: datetime, zone: ZoneInfo, before: Before, key: str) -> WallTime:
    """Let the person choose between the two moments of a time that the clocks show twice.

    The form sends what is in its fields only when it is submitted, so the choice appears after that, or at
    once for a time that was such a one before.
    """
    local = _to_the_second(filled, before)
    if not times.is_repeated(local, zone):
        return WallTime(filled)
    untouched = filled == before.shown and zone.key == before.zone.key
    fold = place.radio(
        f"Which {session.region().time_text(local)}?",
        (0, 1),
        index=before.local.fold if untouched else None,
        format_func=lambda fold: _name_of_fold(local, zone, fold),
        # Another time is another question.
        key=f"{key}_{zone.key}_{local:%Y%m%d%H%M}",
    )
    return WallTime(filled, fold)


def _name_of_fold(local: datetime, zone: ZoneInfo, fold: int) -> str:
    offset = times.offset_name(local.replace(tzinfo=zone, fold=fold), zone)
    return f"{'Before' if fold == 0 else 'After'} the clocks go back ({offset})"


def begins_in_the_past(starts: datetime, before: datetime, now: datetime) -> bool:
    """Tell whether somebody has moved the start into the past, by more than an event that is under way."""
    return starts != before and starts < now - _LATELY
