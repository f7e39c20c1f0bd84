"""How people are shown."""

import pytest

from db.hub.models import Role
from tests.ui.samples import HOSTILE, snapshot, user
from ui.base import people, pictures


def test_everybody_is_sorted_by_name_without_regard_to_case_and_accents() -> None:
    users = snapshot([user("cat"), user("Bob"), user("ann"), user("Ángel"), user("Čapek"), user("Angel")])
    names = [each.display_name for each in people.by_name(users)]
    assert names == ["Angel", "Ángel", "ann", "Bob", "Čapek", "cat"]


def test_a_select_box_names_people_with_their_plain_spelling() -> None:
    assert people.option_of(user("Łukasz")) == "Łukasz (Lukasz)"
    assert people.option_of(None) == people.SOMEBODY


def test_an_avatar_is_an_emoji_or_a_letter() -> None:
    assert "🦊" in people.avatar_html(user("Ann", avatar="🦊"))
    assert ">A<" in people.avatar_html(user("ann"))
    assert ">?<" in people.avatar_html(None)


def test_a_picture_covers_the_emoji_or_the_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "address_of", lambda shown: f"avatars/{shown.id}/1.webp")
    image = '<img src="avatars/id-Ann/1.webp" alt="" loading="lazy" decoding="async"></span>'
    assert f">🦊{image}" in people.avatar_html(user("Ann", avatar="🦊"))
    assert f">A{image}" in people.avatar_html(user("Ann"))
    assert "<img" not in people.avatar_html(None)


@pytest.mark.parametrize(
    "avatar",
    [
        "javascript:alert(1)", "http://insecure.example/a.png", "https://example.org/a.png", "https://",
        "data:text/html,x", HOSTILE,
    ],
)  # fmt: skip
def test_no_address_is_loaded(avatar: str) -> None:
    html = people.avatar_html(user("Ann", avatar=avatar))
    assert "<img" not in html
    assert "example" not in html


def test_only_those_with_more_rights_have_a_mark() -> None:
    assert people.role_html(user("Ann")) == ""
    assert "admin" in people.role_html(user("Ann", role=Role.ADMIN))


def test_a_name_of_spaces_is_somebody() -> None:
    assert people.name_of(user("Ann", display_name="   ")) == people.SOMEBODY


def test_names_avatars_and_chips_lead_to_the_person() -> None:
    ann = user("Ann")
    for html in (people.linked_name_html(ann), people.linked_avatar_html(ann), people.names_html([ann], 3)):
        assert 'href="person?id=id-Ann"' in html
    nobody = (people.linked_name_html(None), people.linked_avatar_html(None), people.names_html([None], 3))
    assert "href" not in "".join(nobody)


def test_the_rest_of_a_long_list_leads_to_all_of_it() -> None:
    crowd = [user(f"Guest {number}") for number in range(5)]
    assert '<a class="tv-link tv-chip more" href="event?id=1">and 2 more</a>' in people.names_html(
        crowd, 3, "event?id=1"
    )
    assert '<span class="tv-chip more">and 2 more</span>' in people.names_html(crowd, 3)
