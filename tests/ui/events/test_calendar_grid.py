"""Events on the days of a month and on the hours of a week."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.hub.models import Event
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, event, user
from ui.base import times
from ui.base.region import Region
from ui.events.calendar_grid import (
    WEEKS_OF_A_MONTH,
    Placed,
    by_day,
    month_pieces,
    placed_on,
    shown_hours,
    week_pieces,
    weeks_of_month,
)
from ui.events.cards import Viewing

ANN = user("Ann")
VIEWING = Viewing(BERLIN, NOW)
TODAY = date(2026, 11, 20)
US = Region(times.zone_named("America/New_York"), "US", twelve_hours=True)


def at(title: str, begin: str, end: str, region: Region = BERLIN, **values: object) -> Event:
    """Return an event between two wall-clock times of a region."""
    starts, ends = (datetime.fromisoformat(each).replace(tzinfo=region.zone) for each in (begin, end))
    both = {"starts_at": starts.astimezone(UTC), "ends_at": ends.astimezone(UTC)}
    return event(title, ANN, hours=0, **{**both, **values})


def week_of(day: date) -> str:
    return f"week?{day}"


@given(st.dates(date(1970, 1, 1), date(2199, 12, 31)), st.sampled_from([BERLIN, US]))
def test_the_weeks_of_a_month_have_all_its_days_in_their_order(day: date, region: Region) -> None:
    weeks = weeks_of_month(day, region)
    days = [each for week in weeks for each in week]
    assert len(weeks) <= WEEKS_OF_A_MONTH
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))
    assert all(any(each.month == day.month for each in week) for week in weeks)
    assert day in days
    assert all(region.first_day_of_week(week[0]) == week[0] for week in weeks)


@pytest.mark.parametrize(
    ("begin", "end", "days"),
    [
        ("2026-12-04 19:00", "2026-12-04 22:00", ["2026-12-04"]),
        ("2026-12-04 19:00", "2026-12-05 00:00", ["2026-12-04"]),
        ("2026-12-04 22:00", "2026-12-05 02:00", ["2026-12-04", "2026-12-05"]),
        ("2026-11-29 10:00", "2026-12-01 10:00", ["2026-11-30", "2026-12-01"]),
        ("2026-11-01 10:00", "2026-11-29 10:00", []),
    ],
)
def test_an_event_is_on_every_day_on_which_it_lasts(begin: str, end: str, days: list[str]) -> None:
    week = [date(2026, 11, 30) + timedelta(days=each) for each in range(7)]
    found = by_day([at("Feast", begin, end)], week, BERLIN)
    assert [day.isoformat() for day, events in found.items() if events] == days


def test_the_day_is_that_of_the_viewer() -> None:
    late = at("Late", "2026-12-04 01:00", "2026-12-04 02:00")
    days = [date(2026, 12, 3), date(2026, 12, 4)]
    assert by_day([late], days, BERLIN)[days[1]] == [late]
    assert by_day([late], days, US)[days[0]] == [late]


def test_a_month_shows_titles_as_text_and_leads_to_the_events() -> None:
    feast = at(HOSTILE, "2026-11-20 19:00", "2026-11-20 22:00", id="e1", cancelled_at=NOW)
    pieces = month_pieces([feast], TODAY, VIEWING, week_of)
    html = "".join(pieces)
    assert HOSTILE_HTML in html
    assert 'href="event?id=e1"' in html
    assert 'class="tv-entry cancelled"' in html
    assert html.count(" today") == 1
    assert "Nothing in" not in html


def test_every_month_has_as_many_pieces_and_an_empty_one_says_so() -> None:
    months = [month_pieces([], date(2026, month, 1), VIEWING, week_of) for month in range(1, 13)]
    assert {len(pieces) for pieces in months} == {WEEKS_OF_A_MONTH + 2}
    assert "Nothing in February 2026." in months[1][-1]


def test_a_full_day_leads_to_its_week() -> None:
    many = [at(f"Talk {n}", f"2026-11-20 1{n}:00", f"2026-11-20 1{n}:30") for n in range(6)]
    html = "".join(month_pieces(many, TODAY, VIEWING, week_of))
    assert html.count("tv-entry") == 3
    assert '<a class="tv-link" href="week?2026-11-20">3 more</a>' in html


def test_a_change_of_one_day_changes_one_piece() -> None:
    feast = at("Feast", "2026-11-20 19:00", "2026-11-20 22:00")
    before, after = month_pieces([], TODAY, VIEWING, week_of), month_pieces([feast], TODAY, VIEWING, week_of)
    changed = [index for index, (old, new) in enumerate(zip(before, after, strict=True)) if old != new]
    assert changed == [4, WEEKS_OF_A_MONTH + 1]  # the fourth week, and that there is nothing


def test_events_that_overlap_stand_side_by_side() -> None:
    day = date(2026, 12, 4)
    long, short, next_one, alone = (
        at("Long", "2026-12-04 10:00", "2026-12-04 14:00"),
        at("Short", "2026-12-04 11:00", "2026-12-04 12:00"),
        at("Next", "2026-12-04 12:00", "2026-12-04 13:00"),
        at("Alone", "2026-12-04 14:00", "2026-12-04 15:00"),
    )
    assert placed_on(day, [alone, next_one, short, long], BERLIN) == [
        Placed(long, 600, 840, 0, 2),
        Placed(short, 660, 720, 1, 2),
        Placed(next_one, 720, 780, 1, 2),
        Placed(alone, 840, 900, 0, 1),
    ]


spans = st.tuples(st.integers(-600, 2000), st.integers(1, 3000))


@given(st.lists(spans, max_size=12))
def test_no_two_events_cover_each_other(minutes: list[tuple[int, int]]) -> None:
    day = date(2026, 10, 25)  # the clocks are put back
    midnight = datetime(2026, 10, 25, tzinfo=BERLIN.zone).astimezone(UTC)
    events = [
        event(
            f"{n}",
            ANN,
            starts_at=midnight + timedelta(minutes=a),
            ends_at=midnight + timedelta(minutes=a + b),
        )
        for n, (a, b) in enumerate(minutes)
    ]
    placed = placed_on(day, by_day(events, [day], BERLIN)[day], BERLIN)
    for each in placed:
        assert 0 <= each.begin < each.end <= 24 * 60
        assert 0 <= each.lane < each.lanes
        for other in placed:
            apart = other.end <= each.begin or each.end <= other.begin
            assert other is each or apart or (other.lane != each.lane and other.lanes == each.lanes)
    begin, end = shown_hours(placed)
    assert 0 <= begin <= end - 8
    assert end <= 24
    assert all(60 * begin <= each.begin and each.end <= 60 * end for each in placed)


def test_a_week_shows_its_days_and_hours() -> None:
    feast = at("Feast", "2026-12-04 19:00", "2026-12-04 22:00", US)
    names, table, nothing = week_pieces([feast], date(2026, 12, 4), Viewing(US, NOW))
    assert names.index("Sun") < names.index("Mon")
    assert "7:00 PM" in table
    assert "Friday, December 4, 2026" in table
    assert nothing == ""
    *_, nothing = week_pieces([], TODAY, VIEWING)
    assert "Nothing in this week." in nothing
