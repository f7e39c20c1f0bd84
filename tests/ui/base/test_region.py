"""The territory of a viewer: the order of dates, and the first day of a week."""

from datetime import date

import pytest

from ui.base import times
from ui.base.region import WORLD, Region, territory_of

ZONE = times.zone_named("UTC")
DAY = date(2026, 12, 2)  # a Wednesday


@pytest.mark.parametrize(
    ("tag", "territory"),
    [
        ("en-US", "US"),
        ("en", "US"),
        ("de", "DE"),
        ("de-CH", "CH"),
        ("zh-Hans-CN", "CN"),
        ("zh-TW", "TW"),
        ("en-US-u-hc-h12", "US"),
        ("es-419", "419"),
        (None, WORLD),
        ("", WORLD),
        ("de-XX", WORLD),
        ("tlh", WORLD),
        ("../../etc/passwd", WORLD),
        ("<b>", WORLD),
        ("en_US.UTF-8", WORLD),
        ("x" * 10_000, WORLD),
    ],
)
def test_a_language_has_a_territory(tag: str | None, territory: str) -> None:
    assert territory_of(tag) == territory


@pytest.mark.parametrize(
    ("territory", "short", "long", "first"),
    [
        ("US", "Dec 2", "December 2, 2026", date(2026, 11, 29)),
        ("GB", "2 Dec", "2 December 2026", date(2026, 11, 30)),
        ("DE", "2 Dec", "2 December 2026", date(2026, 11, 30)),
        ("EG", "2 Dec", "2 December 2026", date(2026, 11, 28)),
        ("BR", "2 Dec", "2 December 2026", date(2026, 11, 29)),
        ("MV", "2 Dec", "2 December 2026", date(2026, 11, 27)),
        (WORLD, "2 Dec", "2 December 2026", date(2026, 11, 30)),
    ],
)
def test_dates_and_weeks_are_those_of_the_territory(
    territory: str, short: str, long: str, first: date
) -> None:
    region = Region(ZONE, territory)
    assert region.date_text(DAY, "MMMd") == short
    assert region.date_text(DAY, "yMMMMd") == long
    assert region.first_day_of_week(DAY) == first
    assert region.first_day_of_week(first) == first


@pytest.mark.parametrize(
    ("territory", "form"),
    [
        ("US", "MM/DD/YYYY"),
        ("GB", "DD/MM/YYYY"),
        ("DE", "DD.MM.YYYY"),
        ("SE", "YYYY-MM-DD"),
        ("JP", "YYYY/MM/DD"),
        ("NL", "DD-MM-YYYY"),
        ("EG", "DD/MM/YYYY"),
        (WORLD, "DD/MM/YYYY"),
    ],
)
def test_fields_take_dates_in_that_order(territory: str, form: str) -> None:
    assert Region(ZONE, territory).input_format == form
