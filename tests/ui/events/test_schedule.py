"""Upcoming and past events, RSVPs and co-hosts by event."""

from db.hub.models import EventCohost, RsvpStatus
from tests.ui.samples import NOW, event, rsvp, snapshot, user
from ui.events import schedule
from ui.events.schedule import Attendance

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")


def test_an_event_is_past_once_it_has_ended() -> None:
    over, now, soon, later = (event(f"{hours}", ANN, hours=hours) for hours in (-5, -1, 3, 30))
    events = snapshot([later, over, now, soon])
    assert schedule.upcoming(events, NOW) == [now, soon, later]
    assert schedule.past(events, NOW) == [over]


def test_rsvps_are_grouped_by_event_and_status() -> None:
    quiz, feast = event("Quiz", ANN), event("Feast", ANN)
    going, maybe = rsvp(quiz, BOB, RsvpStatus.GOING), rsvp(quiz, CAT, RsvpStatus.MAYBE)
    declined = rsvp(feast, BOB, RsvpStatus.DECLINED)
    found = schedule.attendance_by_event(snapshot([declined, maybe, going], ("event_id", "user_id")))
    assert found == {
        quiz.id: Attendance(going=(going,), maybe=(maybe,)),
        feast.id: Attendance(declined=(declined,)),
    }


def test_cohosts_are_grouped_by_event() -> None:
    cohosts = [EventCohost("quiz", each.id, 1, NOW, NOW) for each in (BOB, CAT)]
    found = schedule.cohosts_by_event(snapshot(cohosts, ("event_id", "user_id")))
    assert found == {"quiz": tuple(cohosts)}


def test_hosts_are_the_organizer_and_the_cohosts_of_this_event() -> None:
    quiz, keys = event("Quiz", ANN), ("event_id", "user_id")
    cohosts = snapshot(
        [EventCohost(quiz.id, BOB.id, 1, NOW, NOW), EventCohost("event-Feast", CAT.id, 1, NOW, NOW)], keys
    )
    assert [schedule.is_host(quiz, cohosts, each.id) for each in (ANN, BOB, CAT)] == [True, True, False]
    assert not schedule.is_host(quiz, cohosts, None)


def test_somebody_in_line_has_a_place_in_it() -> None:
    quiz = event("Quiz", ANN)
    waiting = (rsvp(quiz, CAT, RsvpStatus.WAITLISTED), rsvp(quiz, BOB, RsvpStatus.WAITLISTED))
    line = Attendance(waiting=waiting)
    assert [line.place_in_line(each.id) for each in (CAT, BOB, ANN)] == [1, 2, 0]
