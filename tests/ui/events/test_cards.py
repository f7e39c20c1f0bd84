"""Events as cards."""

import re
from collections.abc import Sequence
from datetime import timedelta

from db.hub.models import (
    Event,
    EventCohost,
    Rsvp,
    RsvpStatus,
)
from tests.ui.samples import HOSTILE, HOSTILE_HTML, NOW, event, rsvp, snapshot, user
from ui.base import times
from ui.base.region import Region
from ui.events import cards
from ui.events.cards import Viewing, description_html

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")
PEOPLE = snapshot([ANN, BOB, CAT])
VIEWING = Viewing(Region(times.zone_named("America/New_York"), "US"), NOW)


def card(shown: Event, answers: Sequence[Rsvp] = (), cohosts: Sequence[EventCohost] = ()) -> str:
    by_event = {shown.id: tuple(cohosts)}
    keyed = snapshot(answers, ("event_id", "user_id"))
    return cards.cards_html([shown], keyed, PEOPLE, by_event, VIEWING)


def actions(html: str) -> list[str]:
    return re.findall(r'data-action="(\w+)"', html)


def test_a_long_description_is_folded() -> None:
    assert "tv-fold" not in description_html("Bring a spoon.")
    for text in ("Bring a spoon. " * 60, "Bring\n" * 9):
        assert "Show more" in description_html(text)


def test_times_are_the_viewers_with_the_organizers_as_a_hint() -> None:
    html = card(event("Quiz", ANN, hours=0))
    assert "Today, 13:30 – 15:30" in html
    assert "19:30 (Europe/Berlin)" in html


def test_the_time_in_the_events_own_zone_stands_beside_the_viewers_where_they_differ() -> None:
    night = event("Night", ANN, hours=5)
    assert "18:30 – 20:30</span><span>🌍 Saturday, 00:30 in Europe/Berlin</span>" in card(night)
    evening = event("Quiz", ANN, hours=0)
    assert "🌍 19:30 in Europe/Berlin" in card(evening)
    same_clock = event("Montréal", ANN, hours=0, time_zone="America/Toronto")
    assert "🌍" not in card(same_clock)


def test_attendance_is_counted_and_named() -> None:
    quiz = event("Quiz", ANN, capacity=5)
    answers = [
        rsvp(quiz, BOB, RsvpStatus.GOING),
        rsvp(quiz, CAT, RsvpStatus.MAYBE),
        rsvp(quiz, ANN, RsvpStatus.DECLINED),
    ]
    html = card(quiz, answers)
    for count in ("1 going", "1 maybe", "1 can&#39;t", "4 places left"):
        assert count in html
    assert "Bob" in html


def test_nobody_can_go_to_a_full_event() -> None:
    quiz = event("Quiz", ANN, capacity=1)
    html = card(quiz, [rsvp(quiz, BOB, RsvpStatus.GOING)])
    assert "full" in html
    assert re.search(r'data-action="going"[^>]*data-full', html)
    assert not re.search(r'data-action="maybe"[^>]*data-full', html)
    assert "waitlisted" in actions(html)


def test_guests_take_places_and_those_who_wait_are_counted() -> None:
    quiz = event("Quiz", ANN, capacity=4)
    html = card(quiz, [rsvp(quiz, BOB, RsvpStatus.GOING, guests=2)])
    for count in ("1 going", "with 2 guests", "1 place left"):
        assert count in html
    assert "waitlisted" not in actions(html)
    full = [rsvp(quiz, BOB, RsvpStatus.GOING, guests=3), rsvp(quiz, CAT, RsvpStatus.WAITLISTED)]
    assert "full · 1 waiting" in card(quiz, full)


def test_the_buttons_fit_the_state() -> None:
    answers = ["going", "maybe", "declined"]
    answering = ["confirm", *answers, "more_guests", "fewer_guests", "withdraw"]
    assert actions(card(event("Quiz", ANN))) == [*answering, "edit", "cancel"]
    assert actions(card(event("Quiz", ANN, cancelled_at=NOW))) == ["edit", "reinstate"]
    assert actions(card(event("Quiz", ANN, hours=-9))) == ["edit"]


def test_the_reason_stands_on_a_cancelled_event_only() -> None:
    assert "The cook is ill." in card(event("Quiz", ANN, cancelled_at=NOW, cancel_reason="The cook is ill."))
    assert "Why" not in card(event("Quiz", ANN, cancelled_at=NOW))
    assert "The cook is ill." not in card(event("Quiz", ANN, cancel_reason="The cook is ill."))


def test_text_is_never_markup() -> None:
    html = card(
        event(HOSTILE, ANN, description=HOSTILE, location=HOSTILE, cancelled_at=NOW, cancel_reason=HOSTILE)
    )
    assert "<img src=x" not in html
    assert html.count(HOSTILE_HTML) >= 4


def test_names_beyond_a_dozen_are_counted() -> None:
    quiz = event("Quiz", ANN)
    guests = [user(f"Guest {number:02}") for number in range(20)]
    html = card(quiz, [rsvp(quiz, guest, RsvpStatus.GOING) for guest in guests])
    assert "20 going" in html
    assert "and 8 more" in html


def test_a_span_over_midnight_names_both_days() -> None:
    long = event("Night", ANN, hours=0, ends_at=NOW + timedelta(hours=12))
    assert "Today, 13:30 – Tomorrow, 01:30" in card(long)
