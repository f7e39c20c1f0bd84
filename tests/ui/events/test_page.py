"""An event as a page of its own."""

import re
from collections.abc import Sequence

import pytest

from db.hub.models import Event, EventCohost, Rsvp, RsvpStatus
from tests.ui.samples import HOSTILE, HOSTILE_HTML, NOW, event, rsvp, snapshot, user
from ui.base import pictures, times
from ui.base.region import Region
from ui.events.cards import Viewing
from ui.events.page import page_html

ANN, BOB, CAT = user("Ann"), user("Bob"), user("Cat")
PEOPLE = snapshot([ANN, BOB, CAT])
VIEWING = Viewing(Region(times.zone_named("America/New_York"), "US"), NOW)


def page(shown: Event, answers: Sequence[Rsvp] = (), cohosts: Sequence[EventCohost] = ()) -> str:
    return page_html(shown, snapshot(answers, ("event_id", "user_id")), PEOPLE, cohosts, VIEWING)


def test_the_calendar_file_is_offered_where_the_server_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "Add to calendar" not in page(event("Quiz", ANN))
    monkeypatch.setattr(pictures, "server_has_api", lambda: True)
    assert 'href="api/events/event-Quiz.ics"' in page(event("Quiz", ANN))


def test_it_tells_when_in_both_zones_where_they_differ() -> None:
    night = page(event("Night", ANN, hours=5))
    assert "Today, 18:30 – 20:30" in night
    assert "Tomorrow, 00:30 – 02:30 in Europe/Berlin" in night
    assert " in America/Toronto" not in page(event("Montréal", ANN, time_zone="America/Toronto"))


def test_it_tells_where_and_who_hosts_and_leads_to_them() -> None:
    html = page(
        event("Quiz", ANN, location="Cellar"), cohosts=[EventCohost("event-Quiz", BOB.id, 1, NOW, NOW)]
    )
    assert "<dt>Where</dt><dd><bdi>Cellar</bdi>" in html
    assert "<dt>Hosts</dt>" in html
    assert re.findall(r'href="person\?id=([^"]+)"', html) == [ANN.id, BOB.id]
    alone = page(event("Quiz", ANN))
    assert "<dt>Host</dt>" in alone
    assert "Where" not in alone


def test_a_place_has_a_link_to_a_map_which_learns_nothing_of_the_page() -> None:
    html = page(event("Quiz", ANN, location="Café & Bar, Main St. 5"))
    assert (
        '<a class="tv-map" href="https://www.openstreetmap.org/search?query=Caf%C3%A9+%26+Bar%2C+Main+St.+5" '
        'target="_blank" rel="noopener noreferrer">Show on a map</a>'
    ) in html


@pytest.mark.parametrize(
    "address", ["https://meet.example.org/quiz", "HTTP://example.org", "www.example.org"]
)
def test_an_address_on_the_web_is_on_no_map(address: str) -> None:
    html = page(event("Quiz", ANN, location=address))
    assert f"<dd><bdi>{address}</bdi></dd>" in html
    assert "Show on a map" not in html


def test_a_long_description_is_there_at_once() -> None:
    html = page(event("Quiz", ANN, description="Bring a spoon. " * 100))
    assert html.count("Bring a spoon.") == 100
    assert "Show more" not in html


def test_everybody_who_has_answered_is_named_by_answer() -> None:
    quiz = event("Quiz", ANN, capacity=5)
    html = page(quiz, [rsvp(quiz, BOB, RsvpStatus.GOING), rsvp(quiz, CAT, RsvpStatus.DECLINED)])
    assert "Going<small>1 · 4 places left</small>" in html
    assert "Maybe</h2>" not in html
    assert html.index("Bob") < html.index("<h2>Can&#39;t go<small>1</small>") < html.index("Cat")
    assert "Nobody yet." in page(quiz)


def test_the_buttons_are_those_of_the_card_and_one_to_copy_the_link() -> None:
    html = page(event("Quiz", ANN))
    assert re.findall(r'data-action="(\w+)"', html) == [
        "confirm",
        "going",
        "maybe",
        "declined",
        "more_guests",
        "fewer_guests",
        "withdraw",
        "edit",
        "cancel",
    ]
    assert 'data-copy="event?id=event-Quiz"' in html
    assert "data-action" not in page(event("Quiz", ANN, version=0))


def test_text_is_never_markup() -> None:
    html = page(
        event("Quiz", ANN, description=HOSTILE, location=HOSTILE, cancelled_at=NOW, cancel_reason=HOSTILE)
    )
    assert "<img src=x" not in html
    assert html.count(HOSTILE_HTML) == 3
