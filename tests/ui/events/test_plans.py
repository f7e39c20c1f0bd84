"""The events of one person."""

from db.hub.models import EventCohost, RsvpStatus
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, event, rsvp, snapshot, user
from ui.events.cards import Viewing
from ui.events.plans import Plans, plans_html, plans_of

ANN, BOB = user("Ann"), user("Bob")
VIEWING = Viewing(BERLIN, NOW)
QUIZ, FEAST, WALK = event("Quiz", ANN), event("Feast", BOB), event("Walk", BOB, hours=30)
OVER, OFF = event("Over", ANN, hours=-9), event("Off", ANN, hours=-9, cancelled_at=NOW)
EVENTS = snapshot([WALK, FEAST, QUIZ, OVER, OFF])
KEY = ("event_id", "user_id")


def test_they_are_hosted_or_visited_or_over() -> None:
    going, maybe = RsvpStatus.GOING, RsvpStatus.MAYBE
    rsvps = snapshot([rsvp(QUIZ, ANN, going), rsvp(FEAST, ANN, going), rsvp(WALK, BOB, maybe)], KEY)
    nobody: Snapshot[EventCohost] = snapshot([], KEY)
    assert plans_of(ANN.id, EVENTS, rsvps, nobody, VIEWING) == Plans((QUIZ,), (FEAST,), (OVER,))
    helps = snapshot([EventCohost(QUIZ.id, BOB.id, 1, NOW, NOW)], KEY)
    assert plans_of(BOB.id, EVENTS, rsvps, helps, VIEWING) == Plans((FEAST, QUIZ, WALK), (), ())


def test_they_lead_to_the_events() -> None:
    html = plans_html(Plans((event(HOSTILE, ANN, id="e1", cancelled_at=NOW),), (), ()), VIEWING)
    assert 'href="event?id=e1"' in html
    assert HOSTILE_HTML in html
    assert "Cancelled" in html
    assert "Goes to" not in html


def test_without_events_there_is_nothing_to_show() -> None:
    assert not Plans((), (), ())
    assert Plans((), (), (OVER,))
