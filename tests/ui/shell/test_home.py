"""The sections of the home page that are the same for everybody."""

from __future__ import annotations

from db.hub.models import Rsvp, RsvpStatus
from livetables.presence.model import Present, Spot
from livetables.tables.snapshot import Snapshot
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, event, message, rsvp, snapshot, user
from ui.events.cards import Viewing
from ui.shell import home

ADA, BO = user("Ada"), user("Bo")
USERS = snapshot([ADA, BO])
VIEWING = Viewing(BERLIN, NOW)
NO_ANSWERS: Snapshot[Rsvp] = snapshot([], ("event_id", "user_id"))


def test_it_shows_what_is_on_and_next_and_leaves_out_what_is_over_or_cancelled() -> None:
    on, later = event("On", ADA, hours=-1), event("Later", ADA, hours=30, location="The garden")
    over, off = event("Over", ADA, hours=-9), event("Off", ADA, hours=2, cancelled_at=NOW)
    answers = snapshot([rsvp(later, BO, RsvpStatus.GOING)], ("event_id", "user_id"))
    shown = home.coming_up_html(snapshot([later, over, off, on]), answers, VIEWING)
    assert home.coming_up(snapshot([later, over, off, on]), VIEWING) == [on, later]
    assert "<h2>Today and next</h2>" in shown
    assert shown.count("On now") == 1
    assert "The garden · 1 going" in shown


def test_without_an_event_today_it_says_coming_up_and_without_any_what_to_do() -> None:
    later = snapshot([event("Later", ADA, hours=30)])
    assert "<h2>Coming up</h2>" in home.coming_up_html(later, NO_ANSWERS, VIEWING)
    assert "Nothing is planned yet." in home.coming_up_html(snapshot([]), NO_ANSWERS, VIEWING)


def test_it_leads_to_the_event_and_leaves_room_for_the_viewers_note() -> None:
    quiz = event("Quiz", ADA)
    shown = home.coming_up_html(snapshot([quiz]), NO_ANSWERS, VIEWING)
    assert f'data-row="{quiz.id}"' in shown
    assert f'href="event?id={quiz.id}"' in shown
    assert "<em data-note></em>" in shown


def test_it_shows_who_is_here() -> None:
    here = Present({ADA.id: (Spot("tavern"),), "somebody unknown": (Spot("tavern"),)}, visitors=2)
    shown = home.who_is_here_html(here, USERS)
    assert "<bdi>Ada</bdi>" in shown
    assert "2 visitors" in shown
    assert "Nobody just now." in home.who_is_here_html(Present(), USERS)


def test_it_shows_the_newest_messages_that_are_not_hidden_in_their_order() -> None:
    said = [message(f"Number {n}", BO, minutes=n) for n in range(6)]
    hidden = message(None, ADA, minutes=9, hidden_at=NOW)
    shown = home.room_html(snapshot([hidden, *reversed(said)]), USERS, VIEWING)
    assert [f"Number {n}" in shown for n in range(6)] == [False, False, True, True, True, True]
    assert shown.index("Number 2") < shown.index("Number 5")
    assert "Write the first message." in home.room_html(snapshot([]), USERS, VIEWING)


def test_what_people_wrote_is_text() -> None:
    events = snapshot([event(HOSTILE, ADA, id="x", location=HOSTILE)])
    shown = home.coming_up_html(events, NO_ANSWERS, VIEWING)
    said = home.room_html(snapshot([message(HOSTILE, user(HOSTILE))]), USERS, VIEWING)
    assert shown.count(HOSTILE_HTML) == 2
    assert HOSTILE_HTML in said
    assert "<img" not in shown + said
