"""Rows: any order and any duplication of the same changes give the same rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livetables.tables.changes import Change, Key, Op
from livetables.tables.rows import Rows
from livetables.tables.spec import TableSpec

START = datetime(2026, 1, 1, tzinfo=UTC)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other work."""


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    version: int
    created_at: datetime


def _parse(record: object) -> Row:
    raise NotImplementedError


GENERATED = TableSpec[Row](
    name="things", key=("id",), parse=_parse, version=lambda row: row.version, handler=Rows.apply
)
NATURAL = TableSpec[Row](
    name="things",
    key=("id",),
    parse=_parse,
    version=lambda row: row.version,
    handler=Rows.apply,
    recreated_at=lambda row: row.created_at,
)


def _written(spec: TableSpec[Row], row: Row, at: datetime, position: int = 0) -> Change[Row]:
    return Change("things", Op.UPDATE, (row.id,), row, spec.stamp(row), at, position)


def _history(draw: st.DrawFn, spec: TableSpec[Row]) -> tuple[list[Change[Row]], dict[Key, Row]]:
    """Draw changes of a database as its stream reports them, and the rows it holds in the end."""
    changes: list[Change[Row]] = []
    existing: dict[Key, Row] = {}
    used: set[str] = set()
    now = START
    for position in range(1, draw(st.integers(1, 25))):
        now += timedelta(milliseconds=draw(st.integers(2, 50)))
        name = draw(st.sampled_from("abc"))
        old = existing.get((name,))
        if old is None:
            if spec.recreated_at is None and name in used:
                continue
            used.add(name)
            existing[name,] = Row(name, 1, now)
        elif draw(st.booleans()):
            existing[name,] = Row(name, old.version + 1, old.created_at)
        else:
            del existing[name,]
            changes.append(spec.deleted((name,), committed_at=now, position=position))
            continue
        changes.append(_written(spec, existing[name,], now, position))
    return changes, existing


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]]:
    """Draw a history, the same changes in another order with some of them twice, and the outcome."""
    changes, existing = _history(draw, draw(st.sampled_from([GENERATED, NATURAL])))
    repeated = changes + draw(st.lists(st.sampled_from(changes), max_size=10)) if changes else []
    return changes, draw(st.permutations(repeated)), existing


def _applied(changes: list[Change[Row]]) -> Rows[Row]:
    rows: Rows[Row] = Rows()
    for change in changes:
        rows = rows.apply(change)
    return rows


@UNHURRIED
@given(histories())
def test_any_order_and_any_duplication_give_the_rows_of_the_database(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    changes, shuffled, existing = history
    assert dict(_applied(changes)) == existing
    assert dict(_applied(shuffled)) == existing


@UNHURRIED
@given(histories())
def test_length_iteration_and_lookup_agree(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    rows = _applied(history[1])
    assert len(rows) == len(list(rows)) == len(dict(rows))
    assert all(key in rows and rows.get(key) is rows[key] for key in rows)


@UNHURRIED
@given(histories())
def test_applying_a_change_again_changes_nothing(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    rows = _applied(history[0])
    again = rows
    for change in history[1]:
        again = again.apply(change)
    assert again is rows


def test_an_older_version_never_replaces_a_newer_one() -> None:
    new = _written(GENERATED, Row("a", 3, START), START)
    rows = _applied([new, _written(GENERATED, Row("a", 2, START), START, position=9)])
    assert rows["a",].version == 3


def test_a_deleted_key_stays_deleted_against_late_versions_without_a_position() -> None:
    late = _written(GENERATED, Row("a", 7, START), START)
    assert not _applied([GENERATED.deleted(("a",)), late])


def test_a_natural_key_can_be_inserted_again_though_its_version_restarts() -> None:
    first = _written(NATURAL, Row("a", 5, START), START, 1)
    gone = NATURAL.deleted(("a",), committed_at=START + timedelta(seconds=1), position=2)
    again = _written(NATURAL, Row("a", 1, START + timedelta(seconds=2)), START, 3)
    assert _applied([again, gone, first])["a",].version == 1


def test_a_late_deletion_does_not_undo_the_writers_own_reinsertion() -> None:
    own = _written(NATURAL, Row("a", 1, START + timedelta(seconds=2)), START, position=0)
    echo = NATURAL.deleted(("a",), committed_at=START + timedelta(seconds=1), position=9)
    assert ("a",) in _applied([own, echo])


def test_deletion_and_reinsertion_in_one_transaction_end_with_the_row() -> None:
    """Both have one commit time and the row was created before it, so only their order on the wire counts."""
    moment = START + timedelta(seconds=5)
    gone = NATURAL.deleted(("a",), committed_at=moment, position=1)
    again = _written(NATURAL, Row("a", 1, START), moment, position=2)
    assert ("a",) in _applied([gone, again])
    assert ("a",) in _applied([again, gone])


def test_a_row_read_after_its_deletion_exists() -> None:
    gone = GENERATED.deleted(("a",), position=3)
    row = Row("a", 1, START)
    assert not _applied([gone, _written(GENERATED, row, START, position=2)])
    assert ("a",) in _applied([gone, _written(GENERATED, row, START, position=4)])


def test_a_deletion_of_a_known_version_holds_against_later_sightings_of_it() -> None:
    echo = _written(GENERATED, Row("a", 2, START), START, position=9)
    assert not _applied([GENERATED.deleted(("a",), version=2, position=3), echo])


def test_only_a_visible_change_raises_the_revision() -> None:
    row = Row("a", 1, START)
    rows = _applied([_written(GENERATED, row, START, 1)])
    seen_again = rows.apply(_written(GENERATED, Row("a", 1, START), START, 2))
    assert seen_again.revision == rows.revision
    assert seen_again["a",] is row
    assert seen_again.apply(GENERATED.deleted(("a",), position=3)).revision > rows.revision


def test_old_deletions_can_be_forgotten() -> None:
    rows = _applied(
        [_written(GENERATED, Row("a", 1, START), START, 1), GENERATED.deleted(("b",), position=2)]
    )
    kept = rows.forget_deleted(before=3)
    assert dict(kept) == dict(rows)
    assert kept.revision == rows.revision
    assert kept.forget_deleted(before=3) is kept
    assert ("b",) in kept.apply(_written(GENERATED, Row("b", 1, START), START, 1))


def test_applying_a_change_leaves_earlier_rows_untouched() -> None:
    rows = _applied([_written(GENERATED, Row(str(n), 1, START), START, n) for n in range(1, 3000)])
    before = dict(rows)
    after = rows.apply(GENERATED.deleted(("7",), position=5000))
    assert dict(rows) == before
    assert len(after) == len(rows) - 1
    assert ("7",) not in after


def test_a_write_that_arrives_after_a_deletion_revives_the_row() -> None:
    """It may be newer than the deletion, or may have been delayed. Only reading can tell."""
    write = _written(GENERATED, Row("a", 1, START), START, position=3)
    assert not Rows[Row]().revives(write)
    deleted = Rows[Row]().apply(GENERATED.deleted(("a",), position=2))
    assert deleted.revives(write)
    assert not deleted.apply(write).revives(write)
    assert not deleted.apply(GENERATED.deleted(("a",), position=4)).revives(write)


def test_a_row_that_was_certainly_inserted_again_is_not_revived() -> None:
    later = START + timedelta(minutes=1)
    deleted = Rows[Row]().apply(NATURAL.deleted(("a",), committed_at=START, position=2))
    assert not deleted.revives(_written(NATURAL, Row("a", 1, later), later, position=3))
