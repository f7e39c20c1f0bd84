"""A person as a page of their own."""

import re

from db.hub.models import Role
from livetables.presence.model import Spot
from tests.ui.samples import HOSTILE, HOSTILE_HTML, user
from ui.people.person import person_html

ANN = user("Ann", bio="Makes soup.", role=Role.ORGANIZER)


def test_it_tells_whether_they_are_here_and_on_which_page() -> None:
    assert "Here now · Events" in person_html(ANN, [Spot("events"), Spot("inbox")], None)
    assert "Here now</span>" in person_html(ANN, [Spot("<b>made up</b>")], None)
    assert "Not here now" in person_html(ANN, [], None)


def test_one_writes_to_others_and_edits_oneself() -> None:
    assert re.findall(r'href="([^"]+)"', person_html(ANN, [], "id-Bob")) == ["inbox?with=id-Ann"]
    assert re.findall(r'href="([^"]+)"', person_html(ANN, [], ANN.id)) == ["profile"]
    assert 'data-copy="person?id=id-Ann"' in person_html(ANN, [], None)


def test_text_is_never_markup() -> None:
    html = person_html(user("Ann", display_name=HOSTILE, bio=HOSTILE), [], None)
    assert "<img src=x" not in html
    assert HOSTILE_HTML in html
