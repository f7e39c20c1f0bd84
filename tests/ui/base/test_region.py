"""The territory of a viewer: the order of dates, and the first day of a week."""

from datetime import date, datetime

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


@pytest.mark.parametrize(
    ("tag", "noon", "midnight"),
    [
        ("en-US", "12:05 PM", "12:05 AM"),
        ("en", "12:05 PM", "12:05 AM"),
        ("en-AU", "12:05 pm", "12:05 am"),
        ("en-CA", "12:05 p.m.", "12:05 a.m."),
        ("hi-IN", "12:05 PM", "12:05 AM"),
        ("ko", "12:05 pm", "12:05 am"),
        ("zh-TW", "12:05 pm", "12:05 am"),
        ("ar-EG", "12:05 pm", "12:05 am"),
        ("fr-CA", "12:05", "00:05"),
        ("en-GB", "12:05", "00:05"),
        ("de", "12:05", "00:05"),
        ("ja-JP", "12:05", "00:05"),
        ("en-US-u-hc-h23", "12:05", "00:05"),
        ("de-DE-u-ca-gregory-hc-h12", "12:05 pm", "12:05 am"),
        ("tlh", "12:05", "00:05"),
        ("<b>", "12:05", "00:05"),
        ("", "12:05", "00:05"),
        (None, "12:05", "00:05"),
    ],
)
def test_a_clock_has_as_many_hours_as_people_of_the_language_count(
    tag: str | None, noon: str, midnight: str
) -> None:
    region = Region.of(ZONE, tag)
    assert region.time_text(datetime(2026, 12, 2, 12, 5)) == noon
    assert region.time_text(datetime(2026, 12, 2, 0, 5)) == midnight


def test_the_clock_of_another_zone_has_the_viewers_hours() -> None:
    tokyo = Region.of(ZONE, "en-US").in_zone(times.zone_named("Asia/Tokyo"))
    assert tokyo.time_text(datetime(2026, 12, 2, 19, 30, 9), seconds=True) == "7:30:09 PM"
