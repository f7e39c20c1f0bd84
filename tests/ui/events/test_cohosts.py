"""Co-hosts are written with the form: only those whom the person has added or removed."""

from __future__ import annotations

from livetables.overlays import Expected
from ui.events import cohosts
from ui.events.cohosts import Change, Offer

OFFER = Offer(("ann", "bo", "cy"), frozenset({"ann", "bo"}))


def test_a_change_names_whom_the_person_adds_and_removes() -> None:
    assert cohosts.change_to("feast", OFFER, ["ann", "cy"]) == Change(
        "feast", added=frozenset({"cy"}), removed=frozenset({"bo"})
    )


def test_nothing_is_written_for_the_same_cohosts() -> None:
    change = cohosts.change_to("feast", OFFER, ["bo", "ann"])
    assert change == Change("feast")
    assert change.expected() == []


def test_the_change_is_expected_in_the_table() -> None:
    added, removed = cohosts.change_to("feast", OFFER, ["ann", "cy"]).expected()
    assert (added.table, added.key, added.new) == ("event_cohosts", ("feast", "cy"), True)
    assert removed == Expected("event_cohosts", ("feast", "bo"), None)
