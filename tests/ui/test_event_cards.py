"""Events as HTML, and who may do what to them."""

import re
from collections.abc import Sequence
from datetime import timedelta

from db.models import Event, EventCohost, Rsvp, RsvpStatus
from tests.ui.samples import HOSTILE, NOW, event, rsvp, snapshot, user
from ui import event_cards, times
from ui.event_cards import Viewing
from ui.text import as_html

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")
PEOPLE = snapshot([ANN, BOB, CAT])
VIEWING = Viewing(times.zone_named("America/New_York"), NOW)


def card(shown: Event, answers: Sequence[Rsvp] = (), cohosts: Sequence[EventCohost] = ()) -> str:
    by_event = {shown.id: tuple(cohosts)}
    keyed = snapshot(answers, ("event_id", "user_id"))
    return event_cards.cards_html([shown], keyed, PEOPLE, by_event, VIEWING)


def actions(html: str) -> list[str]:
    return re.findall(r'data-action="(\w+)"', html)


def test_what_is_over_moves_to_the_past() -> None:
    over, now, soon, later = (event(f"{hours}", ANN, hours=hours) for hours in (-5, -1, 3, 30))
    events = snapshot([later, over, now, soon])
    assert event_cards.upcoming(events, NOW) == [now, soon, later]
    assert event_cards.past(events, NOW) == [over]


def test_times_are_the_viewers_and_the_organizers_are_told_too() -> None:
    html = card(event("Quiz", ANN, hours=0))
    assert "Today, 13:30 – 15:30" in html
    assert "19:30 (Europe/Berlin)" in html


def test_who_comes_is_counted_and_named() -> None:
    quiz = event("Quiz", ANN, capacity=5)
    answers = [
        rsvp(quiz, BOB, RsvpStatus.GOING),
        rsvp(quiz, CAT, RsvpStatus.MAYBE),
        rsvp(quiz, ANN, RsvpStatus.DECLINED),
    ]
    html = card(quiz, answers)
    for words in ("1 going", "1 maybe", "1 can&#x27;t", "4 places left"):
        assert words.replace("&#x27;", "'") in html
    assert "Bob" in html


def test_a_full_event_takes_nobody_else() -> None:
    quiz = event("Quiz", ANN, capacity=1)
    html = card(quiz, [rsvp(quiz, BOB, RsvpStatus.GOING)])
    assert "full" in html
    assert re.search(r'data-action="going"[^>]*data-full', html)
    assert not re.search(r'data-action="maybe"[^>]*data-full', html)


def test_the_buttons_fit_the_state() -> None:
    answering = ["going", "maybe", "declined"]
    assert actions(card(event("Quiz", ANN))) == [*answering, "edit", "cancel"]
    assert actions(card(event("Quiz", ANN, cancelled_at=NOW))) == ["edit", "reinstate"]
    assert actions(card(event("Quiz", ANN, hours=-9))) == ["edit"]


def test_text_is_never_markup() -> None:
    html = card(event(HOSTILE, ANN, description=HOSTILE, location=HOSTILE))
    assert "<img src=x" not in html
    assert html.count(as_html(HOSTILE)) >= 3


def test_my_answers_and_the_events_i_help_with_are_marked() -> None:
    quiz, feast = event("Quiz", ANN), event("Feast", ANN)
    rsvps = snapshot(
        [rsvp(quiz, BOB, RsvpStatus.MAYBE), rsvp(feast, CAT, RsvpStatus.GOING)], ("event_id", "user_id")
    )
    cohosts = snapshot([EventCohost(feast.id, BOB.id, 1, NOW, NOW)], ("event_id", "user_id"))
    assert event_cards.my_marks(rsvps, cohosts, BOB.id) == {quiz.id: ["maybe"], feast.id: ["host"]}
    assert event_cards.my_marks(rsvps, cohosts, None) == {}


def test_names_beyond_a_dozen_are_counted() -> None:
    quiz = event("Quiz", ANN)
    guests = [user(f"Guest {number:02}") for number in range(20)]
    html = card(quiz, [rsvp(quiz, guest, RsvpStatus.GOING) for guest in guests])
    assert "20 going" in html
    assert "and 8 more" in html


def test_a_span_over_midnight_names_both_days() -> None:
    long = event("Night", ANN, hours=0, ends_at=NOW + timedelta(hours=12))
    assert "Today, 13:30 – Tomorrow, 01:30" in card(long)
