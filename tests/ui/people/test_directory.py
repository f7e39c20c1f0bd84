"""The directory of people, and the search in it."""

import re

import pytest

from tests.ui.samples import HOSTILE, HOSTILE_HTML, snapshot, user
from ui.people import directory


@pytest.mark.parametrize(
    ("query", "found"), [("", True), ("ann", True), ("SOUP ann", True), ("ann bread", False)]
)
def test_a_search_matches_every_word_in_name_or_bio(query: str, found: bool) -> None:
    people = snapshot([user("Ann", bio="Makes soup")])
    assert bool(directory.search(people, query)) is found


def test_a_search_finds_names_without_their_accents_and_sorts_them() -> None:
    people = snapshot([user("Zoë"), user("Josephine"), user("José"), user("Łukasz"), user("Jose\u0301 B")])
    found = [each.display_name for each in directory.search(people, "jose")]
    assert found == ["José", "Jose\u0301 B", "Josephine"]


def test_names_and_bios_are_escaped() -> None:
    html = directory.cards_html([user("Ann", display_name=HOSTILE, bio=HOSTILE)])
    assert "<img src=x" not in html
    assert HOSTILE_HTML in html


def test_the_card_leads_to_the_person_and_to_a_message_to_them() -> None:
    html = directory.cards_html([user("Ann")])
    assert re.findall(r'href="([^"]+)"', html) == ["person?id=id-Ann", "inbox?with=id-Ann"]


def names(shown: directory.Directory) -> list[str]:
    """Return the names on the cards, in their order."""
    return re.findall(r'data-row="id-(\w+)"', "".join(shown.pieces))


def test_who_is_here_comes_first_and_then_the_names_keep_their_order() -> None:
    people = [user("Ann"), user("Bob"), user("Cat"), user("Dan")]
    shown = directory.Directory.of(people, frozenset({"id-Dan", "id-Bob"}), most=4)
    assert names(shown) == ["Bob", "Dan", "Ann", "Cat"]
    assert shown.more == 0


def test_of_many_people_the_first_are_shown_and_everybody_who_is_here() -> None:
    people = [user(name) for name in "ABCDEFGH"]
    shown = directory.Directory.of(people, frozenset({"id-H"}), most=6)
    assert names(shown) == ["H", "A", "B", "C", "D", "E", "F"]
    assert shown.more == 1


def test_somebody_who_comes_changes_two_pieces() -> None:
    people = [user(name) for name in "ABCDEFGH"]
    before = directory.Directory.of(people, frozenset({"id-H"}), most=6).pieces
    after = directory.Directory.of(people, frozenset({"id-H", "id-E"}), most=6).pieces
    assert len(before) == len(after)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 2


def test_only_who_is_here_is_marked_as_online() -> None:
    shown = directory.Directory.of([user("Ann"), user("Bob")], frozenset({"id-Bob"}), most=2)
    assert re.findall(r'class="tv-person( online)?" data-row="id-(\w+)"', "".join(shown.pieces)) == [
        (" online", "Bob"),
        ("", "Ann"),
    ]
