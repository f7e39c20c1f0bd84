"""Where somebody is: their time zone, and how dates and times are written and weeks begin there.

The interface is in English, so the words of a date are English too. Its order and the first day of the week
are those of the viewer's territory, from Unicode's tables (CLDR). Whether the clock has 12 or 24 hours is a
matter of the language as well (`en-CA` and `fr-CA`), and of the browser's own setting (`en-US-u-hc-h23`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, Literal, Self
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, parse_locale
from babel.core import get_global

WORLD: Final = "001"
"""CLDR's name for no territory in particular."""

Skeleton = Literal["MMMd", "yMMMd", "MMMMd", "yMMMMd"]
"""The parts of a date, in CLDR's letters: `4 Dec`, `4 Dec 2026`, `4 December`, `4 December 2026`."""

_HOURS: Final = {"h11": True, "h12": True, "h23": False, "h24": False}
"""What a language's tag may say of the clock: whether it has 12 hours."""
_LETTERS_OF_12_HOURS: Final = frozenset("hK")
_ORDERS: Final = {"yMd": ("YYYY", "MM", "DD"), "dMy": ("DD", "MM", "YYYY"), "Mdy": ("MM", "DD", "YYYY")}
_QUOTED: Final = re.compile("'[^']*'")
_SEPARATORS: Final = "/.-"


@dataclass(frozen=True, slots=True)
class Region:
    """A time zone, the code of a territory as `territory_of` returns it, and the hours of the clock."""

    zone: ZoneInfo
    territory: str = WORLD
    twelve_hours: bool = False

    @classmethod
    def of(cls, zone: ZoneInfo, tag: str | None) -> Self:
        """Return the region of a browser that reports this zone and this language."""
        return cls(zone, territory_of(tag), has_twelve_hours(tag))

    def in_zone(self, zone: ZoneInfo) -> Region:
        """Return the region for times that are told in another zone."""
        return replace(self, zone=zone)

    def time_text(self, local: datetime, *, seconds: bool = False) -> str:
        """Return a time of day as it is written there: `19:30` or `7:30 PM`."""
        rest = f"{local:%M:%S}" if seconds else f"{local:%M}"
        if not self.twelve_hours:
            return f"{local:%H}:{rest}"
        return f"{local.hour % 12 or 12}:{rest} {_half_of_day(local.hour >= 12, self.territory)}"

    def first_day_of_week(self, day: date) -> date:
        """Return the first day of the week of `day`."""
        return day - timedelta(days=(day.weekday() - _local(self.territory).first_week_day) % 7)

    def date_text(self, day: date, parts: Skeleton) -> str:
        """Return a date in English words and in the order of the territory."""
        return _date_text(day, parts, self.territory)

    @property
    def axis_format(self) -> str:
        """The format of the days on the axis of a chart, for Vega: `%-d %b`."""
        return "%b %-d" if self._month_first else "%-d %b"

    @property
    def tooltip_format(self) -> str:
        """The format of a day in the tooltip of a chart, for Vega: `%-d %b %Y`."""
        return "%b %-d, %Y" if self._month_first else "%-d %b %Y"

    @property
    def _month_first(self) -> bool:
        return not self.date_text(date(2000, 1, 1), "MMMd")[0].isdigit()

    @property
    def input_format(self) -> str:
        """The format of Streamlit's date fields, for example `DD.MM.YYYY`."""
        return _input_format(self.territory)


@lru_cache(maxsize=256)
def territory_of(tag: str | None) -> str:
    """Return the territory of a browser's language, `DE` for `de` and `de-DE`; `WORLD` if there is none."""
    try:
        language, territory, *_ = parse_locale(_split(tag)[0], sep="-")
        if territory is None:
            _, territory, *_ = parse_locale(get_global("likely_subtags")[language])
        Locale.parse(f"und_{territory}")
    except (ValueError, KeyError, UnknownLocaleError):
        return WORLD
    return territory or WORLD


@lru_cache(maxsize=256)
def has_twelve_hours(tag: str | None) -> bool:
    """Tell whether people with this language in the browser read `7:30 PM`; not if it is unknown."""
    language, extension = _split(tag)
    own = next((_HOURS[each] for each in extension.lower().split("-") if each in _HOURS), None)
    if own is not None:
        return own
    try:
        locale = Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        territory = territory_of(tag)
        if territory == WORLD:
            return False
        locale = _local(territory)
    return not _LETTERS_OF_12_HOURS.isdisjoint(_QUOTED.sub("", locale.time_formats["short"].pattern))


def _split(tag: str | None) -> tuple[str, str]:
    """Return a language, and what its tag says beyond: `en-US`, `hc-h23`."""
    language, _, extension = (tag or "").partition("-u-")
    return language, extension


@lru_cache(maxsize=512)
def _half_of_day(after_noon: bool, territory: str) -> str:
    names = _english(territory).day_periods["format"]["abbreviated"]
    return str(names["pm" if after_noon else "am"])


@lru_cache(maxsize=4096)
def _date_text(day: date, parts: Skeleton, territory: str) -> str:
    return dates.format_skeleton(parts, day, locale=_english(territory))


@lru_cache(maxsize=512)
def _input_format(territory: str) -> str:
    pattern = _local(territory).date_formats["short"].pattern
    order = "".join(dict.fromkeys(letter for letter in pattern if letter in "yMd"))
    separator = next((letter for letter in pattern if letter in _SEPARATORS), _SEPARATORS[0])
    return separator.join(_ORDERS.get(order, _ORDERS["yMd"]))


@lru_cache(maxsize=512)
def _local(territory: str) -> Locale:
    return Locale.parse(f"und_{territory}")


@lru_cache(maxsize=512)
def _english(territory: str) -> Locale:
    try:
        return Locale.parse(f"en_{territory}")
    except UnknownLocaleError:
        return Locale.parse(f"en_{WORLD}")
