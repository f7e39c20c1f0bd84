"""The sections of the home page that concern one person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from db.hub.models import Event, EventCohost, Rsvp, RsvpStatus
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, event, private, rsvp, snapshot, user
from ui.base.html import Markup
from ui.base.people import finder
from ui.events.cards import Viewing
from ui.shell import home_mine
from ui.shell.home_mine import Mine

ADA, BO, CY = user("Ada"), user("Bo"), user("Cy")
VIEWING = Viewing(BERLIN, NOW)
QUIZ = event("Quiz", ADA)
FIND = finder(snapshot([ADA, BO, CY]))


def _mine(*answers: Rsvp, cohosting: tuple[Event, ...] = ()) -> Mine:
    cohosts = [EventCohost(each.id, BO.id, 1, NOW, NOW) for each in cohosting]
    return Mine.of(BO.id, _answers(*answers), snapshot(cohosts, ("event_id", "user_id")))


def _answers(*answers: Rsvp) -> Snapshot[Rsvp]:
    return snapshot(answers, ("event_id", "user_id"))


@pytest.mark.parametrize(
    ("status", "guests", "standing"),
    [
        (RsvpStatus.GOING, 0, "You are going"),
        (RsvpStatus.GOING, 2, "You are going with 2 guests"),
        (RsvpStatus.WAITLISTED, 1, "You are 1st on the waitlist with 1 guest"),
        (RsvpStatus.MAYBE, 0, "You said maybe"),
        (RsvpStatus.DECLINED, 0, "You can't go"),
    ],
)
def test_it_says_how_one_stands_with_an_event(status: RsvpStatus, guests: int, standing: str) -> None:
    mine = _mine(rsvp(QUIZ, BO, status, guests=guests), rsvp(QUIZ, CY, RsvpStatus.GOING))
    assert home_mine.notes(mine, [QUIZ, event("Other", ADA)], BERLIN) == {QUIZ.id: standing}


def test_the_place_in_line_counts_those_before() -> None:
    first = replace(rsvp(QUIZ, CY, RsvpStatus.WAITLISTED), waitlisted_at=NOW - timedelta(minutes=1))
    mine = _mine(rsvp(QUIZ, BO, RsvpStatus.WAITLISTED), first)
    assert mine.standing(QUIZ, BERLIN) == "You are 2nd on the waitlist"


def test_who_runs_an_event_hosts_it_whether_they_planned_it_or_help() -> None:
    own = event("Own", BO)
    assert _mine().standing(own, BERLIN) == "You host"
    assert _mine(cohosting=(QUIZ,)).standing(QUIZ, BERLIN) == "You host"
    assert _mine(rsvp(own, BO, RsvpStatus.GOING)).standing(own, BERLIN) == "You host · You are going"


def test_ones_events_are_those_one_runs_or_may_come_to_soonest_first() -> None:
    off = event("Off", ADA, hours=9, cancelled_at=NOW)
    over, not_mine, refused = event("Over", BO, hours=-9), event("Alien", ADA), event("Refused", ADA)
    answers = [rsvp(each, BO, RsvpStatus.GOING) for each in (off, over)]
    mine = _mine(*answers, rsvp(refused, BO, RsvpStatus.DECLINED), rsvp(QUIZ, BO, RsvpStatus.MAYBE))
    events = snapshot([QUIZ, over, not_mine, refused, off])
    shown = home_mine.my_events_html(mine, events, VIEWING)
    assert shown.index("Off") < shown.index("Quiz")
    assert shown.count("Cancelled") == 1
    assert not {"Over", "Alien", "Refused"} & set(shown.replace("<", " ").replace(">", " ").split())
    assert "None yet." in home_mine.my_events_html(_mine(), events, VIEWING)


def _for_you(mine: Mine, *messages: object, events: tuple[Event, ...] = (QUIZ,)) -> Markup:
    return home_mine.for_you_html(mine, snapshot(events), snapshot(messages), FIND, VIEWING)  # type: ignore[arg-type]


def test_places_to_confirm_come_first_the_next_deadline_before_the_others() -> None:
    feast = event("Feast", ADA)
    late = rsvp(feast, BO, RsvpStatus.GOING, confirm_by=NOW + timedelta(hours=9))
    soon = rsvp(QUIZ, BO, RsvpStatus.GOING, confirm_by=NOW + timedelta(hours=1))
    shown = _for_you(_mine(late, soon), private("Hi", ADA, BO), events=(QUIZ, feast))
    assert shown.index("Quiz") < shown.index("Feast") < shown.index("unread")
    assert "Confirm it until Friday, 20 November 2026, 20:30 (Europe/Berlin)" in shown


def test_unread_messages_are_counted_by_person_and_lead_to_the_conversation() -> None:
    shown = _for_you(
        _mine(),
        private("First", ADA, BO),
        private("Second", ADA, BO, minutes=1),
        private("Known", CY, BO, minutes=2, read=True),
        private("Mine", BO, CY, minutes=3),
    )
    assert "<bdi>Ada</bdi> · 2 unread messages" in shown
    assert 'href="inbox?with=id-Ada"' in shown
    assert "Second" in shown
    assert "Cy" not in shown


def test_of_many_who_wrote_the_newest_are_shown_and_the_others_counted() -> None:
    people = [user(f"Guest {number}") for number in range(7)]
    shown = _for_you(_mine(), *(private("Hi", one, BO, minutes=n) for n, one in enumerate(people)))
    assert shown.count("1 unread message") == 5
    assert "2 more people have written to you" in shown


def test_whom_nothing_waits_for_is_told_so() -> None:
    assert "You are up to date" in _for_you(_mine())


def test_what_people_wrote_is_text() -> None:
    hostile = event(HOSTILE, BO)
    shown = _for_you(_mine(), private(HOSTILE, ADA, BO)) + home_mine.my_events_html(
        _mine(), snapshot([hostile]), VIEWING
    )
    assert shown.count(HOSTILE_HTML) == 2
    assert "<img" not in shown
