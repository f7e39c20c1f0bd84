"""Parts of tables as what fragments depend on."""

from livetables.engine import Engine
from livetables.tables.part import Part, table_names
from livetables.tables.snapshot import Snapshot
from tests.livetables.things import Thing, record


def _longest(things: Snapshot[Thing], _user_id: str | None) -> int:
    return max((len(thing.text) for thing in things), default=0)


def test_the_names_are_those_of_the_tables() -> None:
    assert table_names(["others", Part("things", _longest), "things"]) == {"others", "things"}


def test_the_version_of_a_part_changes_only_with_its_value(engine: Engine) -> None:
    session, part = engine.attach("tab", None), Part("things", _longest)
    engine.apply_written("things", record("1", "four"))
    whole, version = session.version("things"), session.version(part)
    engine.apply_written("things", record("2", "two"))
    assert session.version("things") != whole
    assert session.version(part) == version
    engine.apply_written("things", record("3", "longer"))
    assert session.version(part) != version
