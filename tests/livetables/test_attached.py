"""The handle of an attached session, on an engine without feeds."""

from collections.abc import Iterator

import pytest

from livetables.engine import STATUS, Engine
from livetables.errors import LiveError
from livetables.feed.status import FeedState
from livetables.presence.model import PRESENCE
from livetables.tables.filters import parse
from tests.livetables.support import SignedOut
from tests.livetables.things import idle_engine, record


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = idle_engine()
    yield engine
    engine.stop()


def test_a_session_sees_the_public_tables_and_its_users_own(engine: Engine) -> None:
    assert engine.attach("a visitor's tab", None).tables().keys() == {"things", "others"}
    ada = engine.attach("ada's tab", SignedOut("ada"))
    assert ada.tables().keys() == {"things", "others", "secrets"}


def test_a_view_takes_the_place_of_its_table_in_the_session_that_chose_it(engine: Engine) -> None:
    engine.apply_written("things", record("1", "banana"))
    tab, other = engine.attach("tab", None), engine.attach("other", None)
    before = tab.version("things")
    assert tab.choose("things", parse("text=like.a%"))
    assert tab.is_loading("things")
    assert not other.is_loading("things")
    assert len(tab.tables()["things"]) == 0
    assert len(other.tables()["things"]) == 1
    assert tab.version("things") != before
    assert tab.choose("things", ())
    assert tab.version("things") == before


def test_pseudo_tables_have_versions_too(engine: Engine) -> None:
    ada = engine.attach("tab", SignedOut("ada"))
    engine.own_changed("drafts", "ada", 7)
    before = ada.version(STATUS)
    engine.sign_in_changed("ada")
    assert ada.version("drafts") == ("ada", 7)
    assert ada.version(STATUS) != before
    assert ada.version(PRESENCE) == 0


def test_the_connection_of_one_person_concerns_nobody_else(engine: Engine) -> None:
    ada, bo, visitor = (
        engine.attach(name, SignedOut(name) if name != "visitor" else None)
        for name in ("ada", "bo", "visitor")
    )
    before = [tab.version(STATUS) for tab in (ada, bo, visitor)]
    engine.sign_in_changed("ada")
    assert [tab.version(STATUS) for tab in (bo, visitor)] == before[1:]
    assert ada.version(STATUS) != before[0]
    assert engine.attach("another visitor", None).version(STATUS) == visitor.version(STATUS)


def test_the_public_connection_concerns_everybody(engine: Engine) -> None:
    ada, visitor = engine.attach("ada", SignedOut("ada")), engine.attach("visitor", None)
    before = ada.version(STATUS), visitor.version(STATUS)
    engine.audience().status_changed()
    assert ada.version(STATUS) != before[0]
    assert visitor.version(STATUS) != before[1]


def test_the_connection_of_a_view_concerns_those_who_have_chosen_it(engine: Engine) -> None:
    tab, other = engine.attach("tab", None), engine.attach("other", None)
    tab.choose("things", parse("text=eq.a"))
    before = tab.version(STATUS), other.version(STATUS)
    [view] = engine.views.values()
    view.status_changed()
    assert tab.version(STATUS) != before[0]
    assert other.version(STATUS) == before[1]


def test_a_new_view_does_not_make_the_connection_look_worse(engine: Engine) -> None:
    tab = engine.attach("tab", None)
    since = engine.status().since
    tab.choose("things", parse("text=eq.a"))
    assert tab.status() == engine.status()
    assert (tab.status().state, tab.status().since) == (FeedState.CONNECTING, since)


def test_a_table_the_user_does_not_have_is_an_error(engine: Engine) -> None:
    visitor = engine.attach("tab", None)
    for read in (visitor.is_loading, visitor.refusal, visitor.load_older):
        with pytest.raises(LiveError, match="secrets"):
            read("secrets")
