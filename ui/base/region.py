"""Where somebody is: their time zone, and how dates are written and weeks begin there.

The interface is in English, so the words of a date are English too. Its order and the first day of the week
are those of the viewer's territory, from Unicode's tables (CLDR).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, parse_locale
from babel.core import get_global

WORLD: Final = "001"
"""CLDR's name for no territory in particular."""

Skeleton = Literal["MMMd", "yMMMd", "MMMMd", "yMMMMd"]
"""The parts of a date, in CLDR's letters: `4 Dec`, `4 Dec 2026`, `4 December`, `4 December 2026`."""

_ORDERS: Final = {"yMd": ("YYYY", "MM", "DD"), "dMy": ("DD", "MM", "YYYY"), "Mdy": ("MM", "DD", "YYYY")}
_SEPARATORS: Final = "/.-"


@dataclass(frozen=True, slots=True)
class Region:
    """A time zone, and the code of a territory as `territory_of` returns it."""

    zone: ZoneInfo
    territory: str = WORLD

    def in_zone(self, zone: ZoneInfo) -> Region:
        """Return the region for times that are told in another zone."""
        return Region(zone, self.territory)

    def first_day_of_week(self, day: date) -> date:
        """Return the first day of the week of `day`."""
        return day - timedelta(days=(day.weekday() - _local(self.territory).first_week_day) % 7)

    def date_text(self, day: date, parts: Skeleton) -> str:
        """Return a date in English words and in the order of the territory."""
        return _date_text(day, parts, self.territory)

    @property
    def input_format(self) -> str:
        """The format of Streamlit's date fields, for example `DD.MM.YYYY`."""
        return _input_format(self.territory)


@lru_cache(maxsize=256)
def territory_of(tag: str | None) -> str:
    """Return the territory of a browser's language, `DE` for `de` and `de-DE`; `WORLD` if there is none."""
    try:
        language, territory, *_ = parse_locale((tag or "").split("-u-")[0], sep="-")
        if territory is None:
            _, territory, *_ = parse_locale(get_global("likely_subtags")[language])
        Locale.parse(f"und_{territory}")
    except (ValueError, KeyError, UnknownLocaleError):
        return WORLD
    return territory or WORLD


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
