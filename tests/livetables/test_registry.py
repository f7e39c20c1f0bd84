"""Attached sessions and their audiences, on an engine without feeds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from livetables.config import EngineConfig
from livetables.engine import Engine
from livetables.errors import FilterError, LiveError
from livetables.tables.filters import parse
from livetables.tables.spec import Visibility
from livetables.timing import Timing
from tests.livetables.support import SignedOut
from tests.livetables.things import idle_engine, record, spec
from tests.support.wait import wait_for


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = idle_engine(Timing(linger=0.0))
    yield engine
    engine.stop()


def test_attaching_again_as_the_same_user_keeps_what_the_session_has_chosen(engine: Engine) -> None:
    ada = SignedOut("ada")
    engine.attach("tab", ada).choose("things", parse("text=eq.a"))
    assert engine.attach("tab", ada).is_loading("things")
    assert engine.sessions == {"tab": "ada"}


def test_a_new_sign_in_of_the_same_user_replaces_the_old_one(engine: Engine) -> None:
    before, after = SignedOut("ada"), SignedOut("ada")
    engine.attach("tab", before)
    engine.attach("tab", after)
    assert list(engine.audience("ada").users.values()) == [after]
    assert engine.audience("ada").users["tab"] is after


def test_another_user_in_the_same_session_sees_none_of_the_first_ones_rows(engine: Engine) -> None:
    engine.attach("tab", SignedOut("ada"))
    engine.apply_written("secrets", record("1", "psst"), "ada")
    bo = engine.attach("tab", SignedOut("bo"))
    assert engine.sessions == {"tab": "bo"}
    assert len(bo.tables()["secrets"]) == 0
    assert "secrets" not in engine.attach("tab", None).tables()


def test_only_an_attached_session_can_choose(engine: Engine) -> None:
    tab = engine.attach("tab", None)
    engine.detach("tab")
    with pytest.raises(LiveError):
        tab.choose("things", parse("text=eq.a"))
    assert not engine.views


def test_a_session_chooses_only_among_its_own_tables_and_filterable_columns(engine: Engine) -> None:
    tab = engine.attach("tab", None)
    with pytest.raises(LiveError):
        tab.choose("secrets", parse("text=eq.a"))
    with pytest.raises(FilterError):
        tab.choose("things", parse("id=eq.a"))
    assert not engine.views


def test_equivalent_filters_are_one_choice(engine: Engine) -> None:
    one, two = engine.attach("one", None), engine.attach("two", None)
    assert one.choose("things", parse("text=gt.a,text=lt.c"))
    assert two.choose("things", parse("text=lt.c,text=gt.a"))
    assert not two.choose("things", parse("text=gt.a,text=lt.c"))
    assert len(engine.views) == 1


def test_a_change_names_the_sessions_that_see_the_table(engine: Engine) -> None:
    ada, visitor = engine.attach("ada's tab", SignedOut("ada")), engine.attach("a visitor's tab", None)
    calls: list[frozenset[str]] = []
    engine.listen(lambda sessions, _tables: calls.append(sessions))
    engine.apply_written("things", record("1", "a"))
    engine.apply_written("secrets", record("1", "a"), "ada")
    assert calls == [frozenset({ada.id, visitor.id}), frozenset({ada.id})]


def test_no_feed_stays_open_after_many_tabs_have_come_and_gone() -> None:
    """Tabs of the same few users, on several threads, with feeds that close at once: a late opening leaks."""
    specs = [spec("things"), spec("secrets", Visibility.USER)]
    engine = Engine.start(EngineConfig("http://127.0.0.1:9", "key"), specs, Timing(linger=0.0005))

    def come_and_go(thread: int) -> None:
        for number in range(400):
            engine.attach(f"tab {thread}-{number % 3}", SignedOut(f"user {(thread + number) % 5}"))
            engine.detach(f"tab {thread}-{number % 3}")

    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(come_and_go, range(4)))
        wait_for(lambda: engine.feeds == {None}, what="the feeds of all users to close")
        assert engine.sessions == {}
    finally:
        engine.stop()


def test_a_private_table_followed_later_is_there_for_those_who_are_here_and_who_come(engine: Engine) -> None:
    here = engine.attach("tab", SignedOut("ada"))
    engine.follow(spec("notes", Visibility.USER))
    comes = engine.attach("other tab", SignedOut("bo"))
    engine.apply_written("notes", record("1", "psst"), "ada")
    assert [len(tab.tables()["notes"]) for tab in (here, comes)] == [1, 0]
    assert "notes" not in engine.attach("visitor", None).tables()


def test_a_view_of_a_table_that_is_followed_in_another_way_follows_too(engine: Engine) -> None:
    tab = engine.attach("tab", None)
    tab.choose("things", parse("text=eq.a"))
    engine.apply_written("things", record("1", "a"))
    engine.follow(spec("things"))
    assert len(tab.tables()["things"]) == 0
    engine.apply_written("things", record("1", "a"))
    assert len(tab.tables()["things"]) == 1
