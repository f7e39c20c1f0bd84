"""Places from a waitlist: the notice, and the deadline that is next."""

from datetime import timedelta

from db.hub.models import Rsvp, RsvpStatus
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import HOSTILE, NOW, event, rsvp, snapshot, user
from ui.base import times
from ui.base.region import Region
from ui.events.offers import next_deadline, offers_html

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")
QUIZ, FEAST = event("Quiz", ANN, capacity=1), event("Feast", ANN, capacity=1)
BERLIN = Region(times.zone_named("Europe/Berlin"), "GB")
SOON, LATER = NOW + timedelta(hours=1), NOW + timedelta(hours=2)


def given(*rsvps: Rsvp) -> Snapshot[Rsvp]:
    return snapshot(rsvps, ("event_id", "user_id"))


def test_the_notice_names_the_events_the_next_deadline_first() -> None:
    hostile = event(HOSTILE, ANN)
    offered = [
        rsvp(FEAST, BOB, RsvpStatus.GOING, confirm_by=LATER),
        rsvp(hostile, BOB, RsvpStatus.GOING, confirm_by=SOON),
    ]
    html = offers_html(offered, snapshot([FEAST, hostile], ("id",)), BERLIN) or ""
    assert "<img src=x" not in html
    assert html.index("20:30") < html.index("Feast") < html.index("21:30")
    assert offers_html(offered, snapshot([QUIZ], ("id",)), BERLIN) is None


def test_a_deadline_counts_only_where_somebody_waits() -> None:
    unconfirmed = rsvp(QUIZ, BOB, RsvpStatus.GOING, confirm_by=LATER)
    elsewhere = rsvp(FEAST, BOB, RsvpStatus.GOING, confirm_by=SOON)
    assert next_deadline(given(unconfirmed, elsewhere)) is None
    assert next_deadline(given(unconfirmed, elsewhere, rsvp(QUIZ, CAT, RsvpStatus.WAITLISTED))) == LATER
