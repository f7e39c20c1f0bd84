"""Who is editing which event."""

from livetables.presence.model import Present, Spot, Tabs, merge
from tests.ui.samples import HOSTILE, NOW, event, snapshot, user
from ui.events.editors import editors_html

ADA, BO, CY = user("Ada"), user("Bo"), user("Cy")
QUIZ, FEAST = event("Quiz", ADA), event(HOSTILE, ADA)
USERS, EVENTS = snapshot([ADA, BO, CY]), snapshot([QUIZ, FEAST])


def present(*tabs: Tabs) -> Present:
    """Return who is here, from these tabs."""
    return merge(tabs, {}, 0.0)


def editing(user_id: str | None, event_id: str) -> Tabs:
    """Return a tab with the dialog of an event open."""
    return Tabs(user_id, Spot("events", event_id, NOW))


def test_others_are_named_with_the_event() -> None:
    html = editors_html(present(editing(ADA.id, QUIZ.id), editing(BO.id, QUIZ.id)), EVENTS, USERS, CY.id)
    assert "<bdi>Quiz</bdi>" in html.partition("are editing")[2]
    assert html.index("Ada") < html.index("Bo")


def test_neither_visitors_nor_oneself_are_named() -> None:
    alone = present(editing(ADA.id, QUIZ.id), editing(None, QUIZ.id))
    assert editors_html(alone, EVENTS, USERS, ADA.id) == ""


def test_titles_are_text() -> None:
    html = editors_html(present(editing(BO.id, FEAST.id)), EVENTS, USERS, ADA.id)
    assert "<img" not in html


def test_an_event_that_is_gone_is_not_named() -> None:
    assert editors_html(present(editing(BO.id, "gone")), EVENTS, USERS, ADA.id) == ""
