"""Who is here, as it is shown."""

from datetime import timedelta

from live.presence import Here, Present, Spot, merge
from tests.ui.samples import HOSTILE, NOW, event, snapshot, user
from ui import here
from ui.sidebar import Place
from ui.text import as_html

ADA, BO, CY = user("Ada"), user("Bo"), user("Cy")
QUIZ = event("Quiz", ADA)
USERS, EVENTS = snapshot([ADA, BO, CY]), snapshot([QUIZ])


def present(*tabs: Here) -> Present:
    """Who is here, from these tabs."""
    return merge(tabs, {}, 0.0)


def at(minutes: float, page: str, item: str = "") -> Spot:
    """A spot that somebody came to so many minutes after NOW."""
    return Spot(page, item, NOW + timedelta(minutes=minutes))


def test_people_are_listed_with_their_page_and_visitors_counted() -> None:
    shown = here.here_html(
        present(Here(ADA.id, at(0, "events")), Here(BO.id, at(1, "inbox")), Here(None, at(0, "tavern"), 2)),
        USERS,
    )
    assert "4 here now" in shown
    assert "2 visitors" in shown
    assert shown.index("Bo</bdi><small>Inbox") < shown.index("Ada</bdi><small>Events")


def test_every_page_for_members_has_a_name_beside_who_is_on_it() -> None:
    for place in set(Place) - {Place.SIGN_IN, Place.CREATE_ACCOUNT}:
        shown = here.here_html(present(Here(ADA.id, at(0, place.value))), USERS)
        assert f"<small>{place.value.title()}</small>" in shown


def test_several_tabs_of_one_person_count_once() -> None:
    shown = here.here_html(present(Here(ADA.id, at(0, "events")), Here(ADA.id, at(1, "people"))), USERS)
    assert "1 here now" in shown
    assert shown.count("<bdi>Ada") == 1
    assert "People" in shown


def test_who_is_not_known_and_pages_that_are_none_are_not_shown() -> None:
    shown = here.here_html(present(Here("made up", at(0, "tavern")), Here(ADA.id, at(0, "<b>x</b>"))), USERS)
    assert "1 here now" in shown
    assert "<b>x" not in shown


def test_names_are_text() -> None:
    mallory = user(HOSTILE)
    shown = here.here_html(present(Here(mallory.id, at(0, "tavern"))), snapshot([mallory]))
    assert "<img" not in shown
    assert as_html(HOSTILE) in shown


def test_others_who_have_an_event_open_are_told_and_oneself_is_not() -> None:
    now = present(
        Here(ADA.id, at(0, "events", QUIZ.id)), Here(BO.id, at(1, "events", QUIZ.id)), Here(CY.id, at(2, "x"))
    )
    assert "Bo</bdi> is here too" in here.also_here_html(now, QUIZ.id, USERS, ADA.id)
    for_cy = here.editors_html(now, EVENTS, USERS, CY.id)
    assert "are editing <bdi>Quiz</bdi>" in for_cy
    assert for_cy.index("Ada") < for_cy.index("Bo")
    alone = present(Here(ADA.id, at(0, "events", QUIZ.id)), Here(None, at(0, "events", QUIZ.id)))
    assert here.also_here_html(alone, QUIZ.id, USERS, ADA.id) == ""
    assert here.editors_html(alone, EVENTS, USERS, ADA.id) == ""
