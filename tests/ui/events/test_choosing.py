"""Which events the page shows: days of the address, steps through the calendar, filters."""

from datetime import date

import pytest

from db.hub.models import EventCohost, RsvpStatus
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import BERLIN, NOW, event, rsvp, snapshot, user
from ui.base import times
from ui.base.region import Region
from ui.events.choosing import Filters, View, Whose, address_of_week, day_of, moved, period_name

ANN, BOB = user("Ann"), user("Bob")
QUIZ = event("Quiz night", ANN, location="Cellar")
FEAST = event("Café", BOB, description="Bring soup", location="Roof")
WALK = event("Walk", BOB, location="Cellar")
EVENTS = [QUIZ, FEAST, WALK]
KEY = ("event_id", "user_id")
RSVPS = snapshot(
    [
        rsvp(QUIZ, BOB, RsvpStatus.WAITLISTED),
        rsvp(FEAST, ANN, RsvpStatus.GOING),
        rsvp(WALK, ANN, RsvpStatus.MAYBE),
    ],
    KEY,
)
COHOSTS: Snapshot[EventCohost] = snapshot([EventCohost(WALK.id, ANN.id, 1, NOW, NOW)], KEY)
US = Region(times.zone_named("America/New_York"), "US", twelve_hours=True)


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        (Filters(), EVENTS),
        (Filters(text="  "), EVENTS),
        (Filters(text="cafe soup"), [FEAST]),
        (Filters(text="cellar"), [QUIZ, WALK]),
        (Filters(place="Cellar", text="quiz"), [QUIZ]),
        (Filters(place="Elsewhere"), []),
        (Filters(whose=Whose.GOING, user_id=ANN.id), [FEAST]),
        (Filters(whose=Whose.GOING, user_id=BOB.id), [QUIZ]),
        (Filters(whose=Whose.HOSTING, user_id=ANN.id), [QUIZ, WALK]),
        (Filters(whose=Whose.HOSTING, user_id=BOB.id, place="Roof"), [FEAST]),
    ],
)
def test_events_that_pass_every_filter_are_kept(filters: Filters, kept: list[object]) -> None:
    assert filters.keep(EVENTS, RSVPS, COHOSTS) == kept


def test_text_of_spaces_is_no_filter() -> None:
    assert not Filters(text="  ")
    assert Filters(place="Roof")


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-02-30", "0001-01-01", "9999-12-31", "2026-1-1"]
)
def test_what_is_no_day_of_the_calendar_is_none(text: str | None) -> None:
    assert day_of(text) is None


def test_a_day_of_an_address_is_read() -> None:
    assert day_of("2028-02-29") == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("view", "day", "steps", "then"),
    [
        (View.MONTH, "2026-01-31", 1, "2026-02-01"),
        (View.MONTH, "2026-01-31", -1, "2025-12-01"),
        (View.MONTH, "2026-12-02", 1, "2027-01-01"),
        (View.WEEK, "2026-12-30", 1, "2027-01-06"),
        (View.WEEK, "1970-01-02", -1, "1970-01-01"),
        (View.MONTH, "2199-12-31", 1, "2199-12-01"),
        (View.MONTH, "1970-01-31", -1, "1970-01-01"),
    ],
)
def test_steps_lead_through_the_calendar_and_not_out_of_it(
    view: View, day: str, steps: int, then: str
) -> None:
    assert moved(view, date.fromisoformat(day), steps) == date.fromisoformat(then)


def test_a_period_has_a_name_in_the_order_of_the_region() -> None:
    day = date(2026, 12, 31)
    assert period_name(View.MONTH, day, BERLIN) == "December 2026"
    assert period_name(View.WEEK, day, BERLIN) == "28 December 2026 – 3 January 2027"
    assert period_name(View.WEEK, date(2026, 12, 4), US) == "November 29 – December 5, 2026"


def test_a_week_has_an_address() -> None:
    assert address_of_week(date(2026, 12, 4)) == "events?show=Week&on=2026-12-04"
