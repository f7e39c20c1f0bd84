"""What a first visit says."""

from __future__ import annotations

from livetables.presence.model import Present, Spot
from tests.ui.samples import BERLIN, HOSTILE, HOSTILE_HTML, NOW, event, snapshot, user
from ui.events.cards import Viewing
from ui.shell.welcome import next_event, welcome_html

ADA = user("Ada")
VIEWING = Viewing(BERLIN, NOW)
NOBODY = Present()


def test_a_first_visit_says_what_this_is_what_is_next_and_who_is_here() -> None:
    quiz = event(HOSTILE, ADA, hours=24)
    here = Present({ADA.id: (Spot("tavern"),), "somebody unknown": (Spot("tavern"),)}, visitors=2)
    shown = welcome_html(quiz, 3, here, snapshot([ADA]), VIEWING)
    assert "Tavern is a live meeting place" in shown
    assert f"<bdi>{HOSTILE_HTML}</bdi></a></b>, Tomorrow, 19:30 – 21:30 · 3 going" in shown
    assert "<bdi>Ada</bdi>" in shown
    assert "2 visitors" in shown
    assert "<img" not in shown


def test_an_event_that_has_begun_is_on_now_and_without_one_it_says_so() -> None:
    begun = event("Quiz", ADA, hours=-1)
    assert "<dt>On now</dt>" in welcome_html(begun, 0, NOBODY, snapshot([ADA]), VIEWING)
    assert "Nothing is planned yet." in welcome_html(None, 0, NOBODY, snapshot([ADA]), VIEWING)
    assert "going" not in welcome_html(begun, 0, NOBODY, snapshot([ADA]), VIEWING)


def test_the_next_event_is_neither_over_nor_cancelled() -> None:
    over, off, quiz, later = (
        event("Over", ADA, hours=-5),
        event("Off", ADA, hours=1, cancelled_at=NOW),
        event("Quiz", ADA, hours=2),
        event("Later", ADA, hours=3),
    )
    assert next_event(snapshot([later, over, quiz, off]), VIEWING) == quiz
    assert next_event(snapshot([over, off]), VIEWING) is None
