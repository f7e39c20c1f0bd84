"""The answers to an event as a file for its hosts."""

import csv
import io

from db.hub.models import Rsvp, RsvpStatus
from tests.ui.samples import NOW, event, rsvp, snapshot, user
from ui.base.export import BYTE_ORDER_MARK
from ui.events.attendees import COLUMNS, as_csv
from ui.events.schedule import NO_RSVPS, attendance_by_event

ANN, BOB, CAT, DAN = user("Ann"), user("Bob"), user("Cat"), user("=1+1", id="id-Dan")
PEOPLE = snapshot([ANN, BOB, CAT, DAN])
QUIZ = event("Quiz", ANN, capacity=3)


def rows(*answers: Rsvp) -> list[list[str]]:
    """Return the lines of the file, read by the standard library."""
    attendance = attendance_by_event(snapshot(answers, ("event_id", "user_id"))).get(QUIZ.id, NO_RSVPS)
    return list(csv.reader(io.StringIO(as_csv(attendance, PEOPLE).removeprefix(BYTE_ORDER_MARK))))


def test_who_comes_is_first_then_the_line_then_the_others() -> None:
    found = rows(
        rsvp(QUIZ, DAN, RsvpStatus.DECLINED),
        rsvp(QUIZ, CAT, RsvpStatus.WAITLISTED),
        rsvp(QUIZ, ANN, RsvpStatus.WAITLISTED, guests=1),
        rsvp(QUIZ, BOB, RsvpStatus.GOING, guests=2),
    )
    assert found[0] == list(COLUMNS)
    assert [line[:4] for line in found[1:]] == [
        ["Bob", "going", "2", ""],
        ["Ann", "waitlisted", "1", "1"],
        ["Cat", "waitlisted", "0", "2"],
        ["'=1+1", "declined", "0", ""],
    ]
    assert {line[4] for line in found[1:]} == {NOW.isoformat()}


def test_answers_to_other_events_are_not_in_it() -> None:
    assert rows(rsvp(event("Feast", ANN), BOB, RsvpStatus.GOING)) == [list(COLUMNS)]


def test_somebody_whose_account_is_gone_is_somebody() -> None:
    assert rows(rsvp(QUIZ, user("Eve"), RsvpStatus.MAYBE))[1][:2] == ["Somebody", "maybe"]
