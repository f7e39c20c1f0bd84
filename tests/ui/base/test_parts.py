"""What of the tables concerns the viewer alone."""

from dataclasses import replace

from db.hub.models import EventCohost, RsvpStatus
from tests.ui.samples import NOW, event, rsvp, snapshot, user
from ui.base.parts import MY_COHOSTING, MY_PROFILE, MY_RSVPS

ANN, BOB = user("Ann"), user("Bob")
QUIZ = event("Quiz", ANN)


def test_of_people_only_the_viewer_counts() -> None:
    before, after = snapshot([ANN, BOB]), snapshot([ANN, replace(BOB, bio="Sings")])
    assert MY_PROFILE.value(before, ANN.id) == MY_PROFILE.value(after, ANN.id) == ANN
    assert MY_PROFILE.value(before, BOB.id) != MY_PROFILE.value(after, BOB.id)
    assert MY_PROFILE.value(before, None) is None


def test_of_answers_only_the_viewers_count() -> None:
    key = ("event_id", "user_id")
    mine, theirs = rsvp(QUIZ, ANN, RsvpStatus.GOING), rsvp(QUIZ, BOB, RsvpStatus.MAYBE)
    before, after = snapshot([mine], key), snapshot([mine, theirs], key)
    assert MY_RSVPS.value(before, ANN.id) == MY_RSVPS.value(after, ANN.id) == frozenset({mine})
    assert MY_RSVPS.value(before, BOB.id) != MY_RSVPS.value(after, BOB.id)
    assert MY_RSVPS.value(after, None) == frozenset()


def test_of_cohosts_only_the_viewers_events_count() -> None:
    cohosts = snapshot(
        [EventCohost(event_id=QUIZ.id, user_id=BOB.id, version=1, created_at=NOW, updated_at=NOW)],
        ("event_id", "user_id"),
    )
    assert MY_COHOSTING.value(cohosts, BOB.id) == frozenset({QUIZ.id})
    assert MY_COHOSTING.value(cohosts, ANN.id) == frozenset()
