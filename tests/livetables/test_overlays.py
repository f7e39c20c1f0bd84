"""Snapshots with rows as writes will make them."""

from livetables.overlays import Expected, overlaid
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from tests.livetables.things import Thing, record, spec

THINGS = spec("things")


def snapshot() -> Snapshot[Thing]:
    rows: Rows[Thing] = Rows()
    return Snapshot(rows.apply(THINGS.written(record("1", "old", 7))), 1)


def expected(name: str, text: str | None, *, new: bool = False) -> Expected:
    return Expected("things", (name,), None if text is None else Thing(name, text, 1), new)


def texts(shown: Snapshot[Thing]) -> set[str]:
    return {thing.text for thing in shown}


def test_expected_rows_stand_over_the_newest_ones_in_their_order() -> None:
    shown = overlaid(snapshot(), [expected("1", "a"), expected("1", "b"), expected("2", "new", new=True)])
    assert texts(shown) == {"b", "new"}
    assert texts(overlaid(snapshot(), [expected("1", None)])) == set()


def test_what_has_arrived_or_is_gone_is_not_expected_any_more() -> None:
    shown = overlaid(
        snapshot(), [expected("1", "again", new=True), expected("9", "changed"), expected("8", None)]
    )
    assert texts(shown) == {"old"}


def test_the_snapshot_itself_stays_and_each_overlay_has_a_revision_of_its_own() -> None:
    base = snapshot()
    one, other = (overlaid(base, [expected("1", "a")]) for _ in range(2))
    assert texts(base) == {"old"}
    assert len({base.revision, one.revision, other.revision}) == 3
