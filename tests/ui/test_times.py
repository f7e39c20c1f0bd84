"""Times: in the viewer's zone and words."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import times

BERLIN = times.zone_named("Europe/Berlin")
TODAY = date(2026, 11, 20)
EVENING = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)


def test_a_zone_nobody_knows_is_utc() -> None:
    assert times.zone_named("Mars/Olympus").key == "UTC"
    assert times.zone_named(None).key == "UTC"
    assert times.zone_named("../../etc/passwd").key == "UTC"


def test_the_clock_is_the_viewers() -> None:
    assert times.clock(EVENING, BERLIN) == "19:30"


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


def test_midnight_belongs_to_the_viewers_day() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert times.day_name(late, BERLIN, TODAY) == "Tomorrow"
    assert times.day_name(late, times.zone_named("America/New_York"), TODAY) == "Today"


def test_a_span_names_the_second_day_only_if_there_is_one() -> None:
    assert times.span(EVENING, EVENING + timedelta(hours=2), BERLIN, TODAY) == "Today, 19:30 – 21:30"
    long = times.span(EVENING, EVENING + timedelta(hours=7), BERLIN, TODAY)
    assert long == "Today, 19:30 – Tomorrow, 02:30"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "just now"),
        (2, "just now"),
        (40, "40 s ago"),
        (190, "3 min ago"),
        (7200, "2 h ago"),
        (86400, "1 day ago"),
    ],
)
def test_how_long_ago(seconds: int, words: str) -> None:
    assert times.ago(EVENING, EVENING + timedelta(seconds=seconds)) == words


def test_a_time_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="skip 02:30"):
        times.wall_time(datetime(2026, 3, 29, 2, 30), BERLIN)


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
