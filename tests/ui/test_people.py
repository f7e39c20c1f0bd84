"""How people are shown."""

import pytest

from db.models import Role
from tests.ui.samples import HOSTILE, snapshot, user
from ui import people
from ui.text import as_html


def test_everybody_is_sorted_by_name_without_regard_to_case() -> None:
    users = snapshot([user("cat"), user("Bob"), user("ann")])
    assert [each.display_name for each in people.by_name(users)] == ["ann", "Bob", "cat"]


@pytest.mark.parametrize(
    ("wanted", "found"), [("", True), ("ann", True), ("SOUP ann", True), ("ann bread", False)]
)
def test_search_takes_every_word_of_name_and_bio(wanted: str, found: bool) -> None:
    assert people.matches(user("Ann", bio="Makes soup"), wanted) is found


def test_an_avatar_is_a_picture_an_emoji_or_a_letter() -> None:
    assert '<img src="https://example.org/a.png"' in people.avatar_html(
        user("Ann", avatar="https://example.org/a.png")
    )
    assert "🦊" in people.avatar_html(user("Ann", avatar="🦊"))
    assert ">A<" in people.avatar_html(user("ann"))
    assert ">?<" in people.avatar_html(None)


@pytest.mark.parametrize(
    "avatar",
    ["javascript:alert(1)", "http://insecure.example/a.png", "https://", "data:text/html,x", HOSTILE],
)
def test_nothing_else_is_loaded(avatar: str) -> None:
    html = people.avatar_html(user("Ann", avatar=avatar))
    assert "<img" not in html


def test_a_picture_cannot_leave_its_attribute() -> None:
    html = people.avatar_html(user("Ann", avatar='https://x.example/"onload="alert(1)'))
    assert '"onload' not in html


def test_only_those_with_more_rights_have_a_mark() -> None:
    assert people.role_html(user("Ann")) == ""
    assert "admin" in people.role_html(user("Ann", role=Role.ADMIN))


def test_the_directory_escapes_names_and_bios() -> None:
    html = people.directory_html([user("Ann", display_name=HOSTILE, bio=HOSTILE)])
    assert "<img src=x" not in html
    assert as_html(HOSTILE) in html


def test_a_name_of_spaces_is_somebody() -> None:
    assert people.name_of(user("Ann", display_name="   ")) == people.SOMEBODY
