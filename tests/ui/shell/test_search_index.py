"""What quick search finds on the server: lines that lead somewhere, with texts as people wrote them."""

from datetime import timedelta

import pytest

from db.hub.models import PrivateMessage
from db.hub.search import FoundMessage, FoundMessages, FoundPrivateMessage
from tests.ui.samples import BERLIN, HOSTILE, NOW, event, message, snapshot, user
from ui.base.people import finder
from ui.events.cards import Viewing
from ui.shell import search_index
from ui.shell.quick_search import Asked

ADA, BO = user("Ada"), user("Bo")
VIEWING = Viewing(BERLIN, NOW)
FIND = finder(snapshot([ADA, BO]))


def letter(body: str, minutes: float = 0) -> PrivateMessage:
    """Return a message from Bo to Ada."""
    at = NOW + timedelta(minutes=minutes)
    return PrivateMessage(f"p{minutes}", BO.id, ADA.id, body, None, 1, at, at)


def test_people_and_events_are_found_by_any_spelling() -> None:
    people = search_index.people(snapshot([user("Łukasz", bio="Bakes"), ADA]))
    assert [entry.title for entry in search_index.matching(people, "LUK")] == ["Łukasz"]
    events = search_index.events(snapshot([event("Fête", ADA, location="Łódź")]), VIEWING)
    assert [entry.title for entry in search_index.matching(events, "lodz fete")] == ["Fête"]


def test_events_to_come_stand_before_those_that_are_over() -> None:
    found = snapshot(
        [event("Old", ADA, hours=-48), event("Later", ADA, hours=48), event("Soon", ADA, hours=2)]
    )
    assert [entry.title for entry in search_index.events(found, VIEWING)] == ["Soon", "Later", "Old"]


def test_loaded_messages_are_found_by_all_words_and_hidden_ones_are_not() -> None:
    room = snapshot(
        [message("Mead and cake", ADA), message(None, ADA, minutes=1), message("Mead", BO, minutes=2)]
    )
    private = snapshot([letter("Cake with mead"), letter("Cake", 3)])
    found = search_index.loaded("mead CAKE", room, private, ADA.id)
    assert {said.id for said in found} == {"m0", "p0"}


def test_a_message_that_is_loaded_and_stored_is_shown_once_and_leads_to_itself() -> None:
    room = snapshot([message("Mead", BO, minutes=5)])
    stored = FoundMessages(
        [
            FoundMessage("m5", BO.id, "Mead", NOW + timedelta(minutes=5)),
            FoundMessage("m0", ADA.id, "Mead!", NOW),
        ],
        [FoundPrivateMessage("p1", ADA.id, BO.id, "Mead?", NOW + timedelta(minutes=9))],
    )
    found = [*search_index.loaded("mead", room, snapshot([]), ADA.id), *search_index.stored(stored, ADA.id)]
    lines = search_index.messages(found, "mead", FIND, ADA.id, VIEWING)
    assert [(line.href, line.title.partition(" · ")[0]) for line in lines] == [
        (f"inbox?with={BO.id}&message=p1", "You to Bo"),
        ("tavern?message=m5", "Bo in the common room"),
        ("tavern?message=m0", "You in the common room"),
    ]


def test_a_text_stays_a_text() -> None:
    (line,) = search_index.messages(
        search_index.loaded("onerror", snapshot([message(HOSTILE, BO)]), snapshot([]), None),
        "onerror", FIND, None, VIEWING,
    )  # fmt: skip
    assert line.detail == HOSTILE


def test_a_long_message_shows_the_part_that_was_found() -> None:
    shown = search_index.snippet("word " * 100 + "treasure island " + "word " * 100, "TREASURE")
    assert "treasure island" in shown
    assert shown.startswith("…word")
    assert shown.endswith("…")
    assert len(shown) < 100


@pytest.mark.parametrize(
    "value", [None, "text", {}, {"nonce": "1", "open": 1, "query": "a", "everywhere": True}]
)
def test_what_no_browser_of_ours_sends_asks_nothing(value: object) -> None:
    assert Asked.parse(value) == Asked()


def test_a_query_is_cut_to_its_longest_and_short_ones_look_for_no_messages() -> None:
    sent = {"nonce": "1", "open": True, "query": "  a   b" + "x" * 500, "everywhere": False}
    asked = Asked.parse(sent)
    assert len(asked.query) <= search_index.LONGEST_QUERY
    assert asked.query.startswith("a b")
    assert asked.wants_messages
    assert not Asked.parse({**sent, "query": "a"}).wants_messages
    assert not Asked.parse({**sent, "open": False}).wants_messages
