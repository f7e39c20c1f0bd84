"""The address that a visitor asked for is carried through the account pages, and is always one of the app."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui.base.navigation import Place
from ui.shell.destination import Destination

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NO_DESTINATIONS = (Place.SIGN_IN, Place.CREATE_ACCOUNT, Place.NOT_FOUND)
MEMBERS_PAGES = [place for place in Place if place not in NO_DESTINATIONS]


@given(st.sampled_from(MEMBERS_PAGES), st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=5))
def test_a_destination_is_read_as_it_was_written(place: Place, query: list[tuple[str, str]]) -> None:
    destination = Destination(place, tuple(query))
    assert Destination.parse(str(destination)) == destination


def test_it_is_readable() -> None:
    assert str(Destination(Place.AGENTS, (("run", "17"), ("of", "a b")))) == "agents?run=17&of=a+b"
    assert str(Destination(Place.EVENTS)) == "events"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://elsewhere.example/ratings",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "javascript:alert(1)",
        "ratings/../../elsewhere",
        "sign_in",
        "create_account?next=ratings",
        "no page",
        "not_found?next=ratings",
    ],
)
def test_no_text_leads_out_of_the_app(text: str) -> None:
    assert Destination.parse(text) == Destination(Place.TAVERN)


def test_what_no_address_can_hold_is_left_out() -> None:
    long = Destination(Place.RATINGS, (("code", "x" * 5000),))
    assert str(long) == "ratings"
    many = "ratings?" + "&".join(f"a={number}" for number in range(200))
    assert Destination.parse(many) == Destination(Place.RATINGS)
