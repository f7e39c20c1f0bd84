"""What a session is shown, and which of its fragments show something old."""

from collections.abc import Hashable, Iterator

import pytest

from livetables.engine import Engine
from livetables.shown import Moment, Rendered, ShownSession
from livetables.tables.filters import parse
from tests.livetables.things import idle_engine, record


@pytest.fixture
def engine() -> Iterator[Engine]:
    """Return an engine without feeds."""
    engine = idle_engine()
    yield engine
    engine.stop()


def showing(engine: Engine, name: str, variant: Hashable = None) -> ShownSession:
    """Return a session with one fragment that shows the newest things."""
    session = ShownSession(engine, engine.attach(name, None))
    session.fragments["list"] = Rendered(("things",), session.versions(["things"]), variant)
    return session


def test_a_fragment_is_stale_once_a_table_of_it_changes(engine: Engine) -> None:
    session = showing(engine, "tab")
    engine.apply_written("others", record("1", "else"))
    assert session.stale_tables(Moment()) == frozenset()
    engine.apply_written("things", record("1", "new"))
    assert session.stale_tables(Moment()) == {"things"}
    assert session.stale_fragments(frozenset({"things"}), Moment()) == ["list"]
    assert session.stale_fragments(frozenset({"others"}), Moment()) == []


def test_only_a_shared_fragment_has_a_group(engine: Engine) -> None:
    assert showing(engine, "tab").group("list", Moment()) is None
    assert showing(engine, "other tab", ("UTC",)).group("list", Moment()) is not None


def test_sessions_that_see_the_same_are_one_group(engine: Engine) -> None:
    one, two, far = (showing(engine, name, (zone,)) for name, zone in (("a", 1), ("b", 1), ("c", 2)))
    assert one.group("list", Moment()) == two.group("list", Moment()) != far.group("list", Moment())
    engine.apply_written("things", record("1", "new"))
    assert one.group("list", Moment()) == two.group("list", Moment())


def test_a_moment_looks_up_the_tables_of_one_user_once(engine: Engine) -> None:
    moment = Moment()
    one, two = showing(engine, "a"), showing(engine, "b")
    before = moment.versions(one, ("things",))
    engine.apply_written("things", record("1", "new"))
    assert moment.versions(two, ("things",)) is before
    assert Moment().versions(two, ("things",)) != before


def test_a_session_with_a_view_is_looked_up_by_itself(engine: Engine) -> None:
    moment = Moment()
    one, two = showing(engine, "a"), showing(engine, "b")
    two.attached.choose("things", parse("text=like.a%"))
    two.filtered.add("things")
    assert moment.versions(one, ("things",)) != moment.versions(two, ("things",))


def test_an_item_of_a_visitors_session_makes_only_its_own_fragments_stale(engine: Engine) -> None:
    one, other = showing(engine, "a"), showing(engine, "b")
    for session in (one, other):
        session.fragments["drafts"] = Rendered(("drafts",), session.versions(["drafts"]))
    engine.own_changed("drafts", "a", 7)
    moment = Moment()
    assert other.stale_tables(moment) == frozenset()
    assert one.stale_tables(moment) == {"drafts"}
    assert other.stale_tables(moment) == frozenset()
