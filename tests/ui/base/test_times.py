"""Times in the viewer's zone."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.base import times
from ui.base.region import Region

BERLIN = Region(times.zone_named("Europe/Berlin"))
AMERICAN = Region.of(BERLIN.zone, "en-US")
TODAY = date(2026, 11, 20)
EVENING = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def test_an_unknown_zone_is_utc() -> None:
    assert times.zone_named("Mars/Olympus").key == "UTC"
    assert times.zone_named(None).key == "UTC"
    assert times.zone_named("../../etc/passwd").key == "UTC"


def test_the_clock_is_the_viewers() -> None:
    assert times.clock(EVENING, BERLIN) == "19:30"
    assert times.clock(EVENING, AMERICAN) == "7:30 PM"


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (0, "Today"),
        (-1, "Yesterday"),
        (1, "Tomorrow"),
        (3, "Monday"),
        (10, "Monday, 30 November"),
        (60, "Tuesday, 19 January 2027"),
        (-3, "Tuesday, 17 November"),
    ],
)
def test_days_have_names(days: int, name: str) -> None:
    assert times.day_name(EVENING + timedelta(days=days), BERLIN, TODAY) == name


def test_dates_are_in_the_order_of_the_viewers_territory() -> None:
    later, old = EVENING + timedelta(days=10), EVENING - timedelta(days=400)
    assert times.day_name(later, AMERICAN, TODAY) == "Monday, November 30"
    assert times.full(later, AMERICAN) == "Monday, November 30, 2026, 7:30 PM (Europe/Berlin)"
    assert times.full(later, BERLIN) == "Monday, 30 November 2026, 19:30 (Europe/Berlin)"
    assert [times.short_day(one, AMERICAN, TODAY) for one in (EVENING, later, old)] == [
        "7:30 PM",
        "Nov 30",
        "Oct 16, 2025",
    ]
    assert [times.short_day(one, BERLIN, TODAY) for one in (later, old)] == ["30 Nov", "16 Oct 2025"]


def test_rows_say_the_date_and_the_time() -> None:
    assert times.to_the_second(EVENING, BERLIN, TODAY) == "20 Nov, 19:30:00"
    assert times.second_of_day(EVENING, BERLIN, TODAY) == "19:30:00"
    assert times.second_of_day(EVENING - timedelta(days=1), BERLIN, TODAY) == "19 Nov, 19:30:00"
    assert times.to_the_second(EVENING, AMERICAN, TODAY) == "Nov 20, 7:30:00 PM"
    assert times.second_of_day(EVENING, AMERICAN, TODAY) == "7:30:00 PM"


def test_midnight_belongs_to_the_viewers_day() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert times.day_name(late, BERLIN, TODAY) == "Tomorrow"
    assert times.day_name(late, Region(times.zone_named("America/New_York")), TODAY) == "Today"


def test_a_span_names_the_second_day_only_if_there_is_one() -> None:
    assert times.span(EVENING, EVENING + timedelta(hours=2), BERLIN, TODAY) == "Today, 19:30 – 21:30"
    long = times.span(EVENING, EVENING + timedelta(hours=7), BERLIN, TODAY)
    assert long == "Today, 19:30 – Tomorrow, 02:30"
    over_noon = times.span(EVENING - timedelta(hours=8), EVENING - timedelta(hours=6), AMERICAN, TODAY)
    assert over_noon == "Today, 11:30 AM – 1:30 PM"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (2, "just now"),
        (40, "40 s ago"),
        (190, "3 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
        (729 * 86400, "729 days ago"),
        (6.5 * 365.25 * 86400, "6 years ago"),
    ],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert times.ago(EVENING, EVENING + timedelta(seconds=seconds)) == words


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="skip 02:30"):
        times.wall_time(datetime(2026, 3, 29, 2, 30), BERLIN.zone)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), st.sampled_from(times.zones_to_choose()))
def test_a_wall_time_reads_back_the_same(local: datetime, zone_name: str) -> None:
    zone = times.zone_named(zone_name)
    try:
        moment = times.wall_time(local, zone)
    except ValueError:
        return
    assert moment.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


def test_zones_to_choose_are_places_and_utc() -> None:
    zones = times.zones_to_choose()
    assert zones[0] == "UTC"
    assert "Europe/Berlin" in zones
    assert not any(zone.startswith("Etc/") for zone in zones)


def test_a_time_that_the_clocks_show_twice_is_shown_with_its_offset() -> None:
    new_york = Region(times.zone_named("America/New_York"))
    first, second = datetime(2027, 11, 7, 5, 45, tzinfo=UTC), datetime(2027, 11, 7, 6, 15, tzinfo=UTC)
    assert times.clock(first, new_york) == "01:45 (EDT, UTC−04:00)"
    assert times.clock(second, new_york) == "01:15 (EST, UTC−05:00)"
    assert times.clock(second + timedelta(hours=1), new_york) == "02:15"
    lord_howe = times.zone_named("Australia/Lord_Howe")
    third = datetime(2027, 4, 3, 14, 45, tzinfo=UTC)
    assert times.clock(third, Region(lord_howe)) == "01:45 (UTC+11:00)"
    assert times.clock(third, Region.of(lord_howe, "en-AU")) == "1:45 am (UTC+11:00)"


def test_a_time_that_the_clocks_skip_is_not_one_that_they_show_twice() -> None:
    assert not times.is_repeated(datetime(2026, 3, 29, 2, 30), BERLIN.zone)
    assert times.is_repeated(datetime(2026, 10, 25, 2, 30), BERLIN.zone)
