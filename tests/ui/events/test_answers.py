"""What concerns the viewer alone: the marks and notes of their answers."""

from datetime import timedelta

from db.hub.models import EventCohost, Rsvp, RsvpStatus
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import NOW, event, rsvp, snapshot, user
from ui.base import times
from ui.base.region import Region
from ui.events import answers

ANN, BOB, CAT, DAN = user("Ann"), user("Bob"), user("Cat"), user("Dan")
QUIZ, FEAST = event("Quiz", ANN, capacity=1), event("Feast", ANN)
BERLIN = Region(times.zone_named("Europe/Berlin"), "GB")


def given(*rsvps: Rsvp) -> Snapshot[Rsvp]:
    return snapshot(rsvps, ("event_id", "user_id"))


def test_my_rsvps_and_the_events_i_cohost_are_marked() -> None:
    rsvps = given(rsvp(QUIZ, BOB, RsvpStatus.MAYBE), rsvp(FEAST, CAT, RsvpStatus.GOING))
    cohosts = snapshot([EventCohost(FEAST.id, BOB.id, 1, NOW, NOW)], ("event_id", "user_id"))
    marks = {QUIZ.id: ["answered", "maybe"], FEAST.id: ["host"]}
    assert answers.my_marks(rsvps, cohosts, BOB.id) == marks
    assert answers.my_marks(rsvps, cohosts, None) == {}


def test_what_can_be_done_with_a_place_is_marked() -> None:
    nobody: Snapshot[EventCohost] = snapshot([], ("event_id", "user_id"))

    def marks(guests: int, confirm: bool) -> list[str]:
        deadline = NOW if confirm else None
        mine = rsvp(QUIZ, BOB, RsvpStatus.GOING, guests=guests, confirm_by=deadline)
        return answers.my_marks(given(mine), nobody, BOB.id)[QUIZ.id]

    assert marks(0, True) == ["answered", "going", "unconfirmed"]
    assert marks(1, False) == ["answered", "going", "guests"]
    assert marks(10, False) == ["answered", "going", "guests", "most_guests"]


def test_the_note_says_the_place_in_line() -> None:
    waiting = [
        rsvp(QUIZ, CAT, RsvpStatus.WAITLISTED),
        rsvp(QUIZ, DAN, RsvpStatus.WAITLISTED, guests=2),
    ]
    rsvps = given(rsvp(QUIZ, BOB, RsvpStatus.GOING), *waiting)
    assert answers.my_notes(rsvps, CAT.id, BERLIN) == {QUIZ.id: "You are 1st on the waitlist."}
    assert answers.my_notes(rsvps, DAN.id, BERLIN) == {QUIZ.id: "You are 2nd on the waitlist with 2 guests."}
    assert answers.my_notes(rsvps, BOB.id, BERLIN) == {}
    assert answers.my_notes(rsvps, None, BERLIN) == {}


def test_the_note_says_until_when_a_place_is_kept_and_who_comes_along() -> None:
    until = NOW + timedelta(hours=3)
    offered = given(rsvp(QUIZ, BOB, RsvpStatus.GOING, confirm_by=until))
    note = answers.my_notes(offered, BOB.id, BERLIN)[QUIZ.id]
    assert "without guests. Confirm it until Friday, 20 November 2026, 22:30" in note
    coming = given(rsvp(QUIZ, BOB, RsvpStatus.GOING, guests=1))
    assert answers.my_notes(coming, BOB.id, BERLIN) == {QUIZ.id: "You come with 1 guest."}
