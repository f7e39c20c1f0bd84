"""Who is here, in the sidebar and in a dialog."""

from datetime import timedelta

from livetables.presence.model import (
    Present,
    Spot,
    Tabs,
    merge,
)
from tests.ui.samples import HOSTILE, HOSTILE_HTML, NOW, event, snapshot, user
from ui.base import presence
from ui.base.navigation import Place

ADA, BO, CY = user("Ada"), user("Bo"), user("Cy")
QUIZ = event("Quiz", ADA)
USERS = snapshot([ADA, BO, CY])


def present(*tabs: Tabs) -> Present:
    """Who is here, from these tabs."""
    return merge(tabs, {}, 0.0)


def at(minutes: float, page: str, item: str = "") -> Spot:
    """A spot that somebody came to so many minutes after NOW."""
    return Spot(page, item, NOW + timedelta(minutes=minutes))


def test_people_are_listed_with_their_page_and_visitors_counted() -> None:
    shown = presence.here_html(
        present(Tabs(ADA.id, at(0, "events")), Tabs(BO.id, at(1, "inbox")), Tabs(None, at(0, "tavern"), 2)),
        USERS,
    )
    assert "4 here now" in shown
    assert "2 visitors" in shown
    assert shown.index("Bo</bdi></a><small>Inbox") < shown.index("Ada</bdi></a><small>Events")


def test_every_page_for_members_has_a_name_in_the_list() -> None:
    for place in set(Place) - {Place.SIGN_IN, Place.CREATE_ACCOUNT, Place.NOT_FOUND}:
        shown = presence.here_html(present(Tabs(ADA.id, at(0, place.value))), USERS)
        assert f"<small>{place.value.title()}</small>" in shown


def test_several_tabs_of_one_person_count_once() -> None:
    shown = presence.here_html(present(Tabs(ADA.id, at(0, "events")), Tabs(ADA.id, at(1, "people"))), USERS)
    assert "1 here now" in shown
    assert shown.count("<bdi>Ada") == 1
    assert "People" in shown


def test_unknown_people_and_pages_are_not_shown() -> None:
    shown = presence.here_html(
        present(Tabs("made up", at(0, "tavern")), Tabs(ADA.id, at(0, "<b>x</b>"))), USERS
    )
    assert "1 here now" in shown
    assert "<b>x" not in shown


def test_names_are_text() -> None:
    mallory = user(HOSTILE)
    shown = presence.here_html(present(Tabs(mallory.id, at(0, "tavern"))), snapshot([mallory]))
    assert "<img" not in shown
    assert HOSTILE_HTML in shown


def test_it_says_who_else_has_a_row_open() -> None:
    now = present(
        Tabs(ADA.id, at(0, "events", QUIZ.id)), Tabs(BO.id, at(1, "events", QUIZ.id)), Tabs(CY.id, at(2, "x"))
    )
    assert "Bo</bdi> is here too" in presence.also_here_html(now, QUIZ.id, USERS, ADA.id)
    for_cy = presence.also_here_html(now, QUIZ.id, USERS, CY.id)
    assert "are here too" in for_cy
    assert for_cy.index("Ada") < for_cy.index("Bo")


def test_neither_visitors_nor_oneself_are_somebody_else() -> None:
    now = present(Tabs(ADA.id, at(0, "events", QUIZ.id)), Tabs(None, at(0, "events", QUIZ.id)))
    assert presence.also_here_html(now, QUIZ.id, USERS, ADA.id) == ""


def test_it_says_who_looks_at_the_page_of_an_event() -> None:
    spot = at(0, "event", presence.page_item(QUIZ.id))
    now = present(
        Tabs(ADA.id, spot), Tabs(BO.id, spot), Tabs(None, spot, 2), Tabs(CY.id, at(1, "event", "x"))
    )
    shown = presence.looking_html(now, QUIZ.id, USERS, ADA.id)
    assert "Bo</bdi> and 2 visitors" in shown
    assert "Ada" not in shown
    assert "Cy" not in shown
    assert "and 1 visitor<" in presence.looking_html(now, QUIZ.id, USERS, None)


def test_whoever_edits_an_event_does_not_look_at_it_as_well() -> None:
    page = at(0, "event", presence.page_item(QUIZ.id))
    now = present(Tabs(BO.id, page), Tabs(BO.id, at(1, "event", QUIZ.id)))
    assert presence.looking_html(now, QUIZ.id, USERS, ADA.id) == ""
    assert "Bo</bdi> is editing" in presence.editing_html(now, QUIZ.id, USERS, ADA.id)


def test_many_others_are_counted() -> None:
    crowd = [user(f"Guest {number:02}") for number in range(12)]
    now = present(*(Tabs(each.id, at(0, "events", QUIZ.id)) for each in crowd))
    html = presence.also_here_html(now, QUIZ.id, snapshot(crowd), None)
    assert "and 4 others are here too" in html
