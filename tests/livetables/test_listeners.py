"""The functions that an engine calls when sessions have something new to show."""

from livetables.faults import FAULTS
from livetables.listeners import Listeners

ADA, THINGS = frozenset({"ada's tab"}), frozenset({"things"})

Call = tuple[frozenset[str], frozenset[str]]


def test_listeners_are_called_until_they_are_removed() -> None:
    calls: list[Call] = []
    listeners = Listeners()
    remove = listeners.add(lambda sessions, tables: calls.append((sessions, tables)))
    listeners.notify(ADA, THINGS)
    remove()
    listeners.notify(ADA, THINGS)
    assert calls == [(ADA, THINGS)]


def test_a_change_that_no_session_shows_calls_nobody() -> None:
    calls: list[Call] = []
    listeners = Listeners()
    listeners.add(lambda sessions, tables: calls.append((sessions, tables)))
    listeners.notify(frozenset(), THINGS)
    assert calls == []


def test_an_error_in_one_listener_is_counted_and_the_others_are_called() -> None:
    before = FAULTS.counts.get("listeners", 0)

    def fail(_sessions: frozenset[str], _tables: frozenset[str]) -> None:
        raise RuntimeError

    calls: list[Call] = []
    listeners = Listeners()
    listeners.add(fail)
    listeners.add(lambda sessions, tables: calls.append((sessions, tables)))
    listeners.notify(ADA, THINGS)
    assert calls == [(ADA, THINGS)]
    assert FAULTS.counts["listeners"] == before + 1
