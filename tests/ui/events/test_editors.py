"""Who is editing which event."""

from livetables.presence.model import Present, Spot, Tabs, merge
from tests.ui.samples import HOSTILE, NOW, event, snapshot, user
from ui.events.editors import editors_html

ADA, BO = user("Ada"), user("Bo")
QUIZ, FEAST = event("Quiz", ADA), event(HOSTILE, ADA)
USERS, EVENTS = snapshot([ADA, BO]), snapshot([QUIZ, FEAST])


def present(*tabs: Tabs) -> Present:
    """Return who is here, from these tabs."""
    return merge(tabs, {}, 0.0)


def editing(user_id: str | None, event_id: str) -> Tabs:
    """Return a tab with the dialog of an event open."""
    return Tabs(user_id, Spot("events", event_id, NOW))


def test_everybody_is_named_with_the_event() -> None:
    html = editors_html(present(editing(ADA.id, QUIZ.id), editing(BO.id, QUIZ.id)), EVENTS, USERS)
    assert html.count("is editing") == html.count("<bdi>Quiz</bdi>") == 2
    assert html.index("Ada") < html.index("Bo")


def test_each_line_names_its_person_for_the_style_sheet_to_hide_it_from_them() -> None:
    html = editors_html(present(editing(BO.id, QUIZ.id)), EVENTS, USERS)
    assert f'data-owner="{BO.id}"' in html


def test_visitors_are_not_named() -> None:
    assert editors_html(present(editing(None, QUIZ.id)), EVENTS, USERS) == ""


def test_titles_are_text() -> None:
    html = editors_html(present(editing(BO.id, FEAST.id)), EVENTS, USERS)
    assert "<img" not in html


def test_an_event_that_is_gone_is_not_named() -> None:
    assert editors_html(present(editing(BO.id, "gone")), EVENTS, USERS) == ""
