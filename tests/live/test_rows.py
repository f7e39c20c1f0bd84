"""Rows: any order and any duplication of the same changes gives the same rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from live.changes import Change, Key, Op
from live.rows import Rows
from live.tables import TableSpec

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""The machine may be busy with other things."""


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
    reborn=lambda row: row.created_at,
)


def _written(spec: TableSpec[Row], row: Row, at: datetime, position: int = 0) -> Change[Row]:
    return Change("things", Op.UPDATE, (row.id,), row, spec.stamp(row), at, position)


def _history(draw: st.DrawFn, spec: TableSpec[Row]) -> tuple[list[Change[Row]], dict[Key, Row]]:
    """Draw what a database might do, as the stream tells it, and what is in it in the end."""
    changes: list[Change[Row]] = []
    there: dict[Key, Row] = {}
    used: set[str] = set()
    now = BEGIN
    for position in range(1, draw(st.integers(1, 25))):
        now += timedelta(milliseconds=draw(st.integers(2, 50)))
        name = draw(st.sampled_from("abc"))
        old = there.get((name,))
        if old is None:
            if spec.reborn is None and name in used:
                continue
            used.add(name)
            there[name,] = Row(name, 1, now)
        elif draw(st.booleans()):
            there[name,] = Row(name, old.version + 1, old.created_at)
        else:
            del there[name,]
            changes.append(spec.deleted((name,), committed_at=now, position=position))
            continue
        changes.append(_written(spec, there[name,], now, position))
    return changes, there


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]]:
    """Draw a history, the same changes in another order with some of them twice, and the outcome."""
    changes, there = _history(draw, draw(st.sampled_from([GENERATED, NATURAL])))
    repeated = changes + draw(st.lists(st.sampled_from(changes), max_size=10)) if changes else []
    return changes, draw(st.permutations(repeated)), there


def _applied(changes: list[Change[Row]]) -> Rows[Row]:
    rows: Rows[Row] = Rows()
    for change in changes:
        rows = rows.apply(change)
    return rows


@UNHURRIED
@given(histories())
def test_any_order_and_any_duplication_give_what_the_database_holds(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    changes, shuffled, there = history
    assert dict(_applied(changes)) == there
    assert dict(_applied(shuffled)) == there


@UNHURRIED
@given(histories())
def test_rows_agree_with_themselves(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    rows = _applied(history[1])
    assert len(rows) == len(list(rows)) == len(dict(rows))
    assert all(key in rows and rows.get(key) is rows[key] for key in rows)


@UNHURRIED
@given(histories())
def test_a_known_change_changes_nothing(
    history: tuple[list[Change[Row]], list[Change[Row]], dict[Key, Row]],
) -> None:
    rows = _applied(history[0])
    again = rows
    for change in history[1]:
        again = again.apply(change)
    assert again is rows


def test_an_older_version_never_replaces_a_newer_one() -> None:
    new = _written(GENERATED, Row("a", 3, BEGIN), BEGIN)
    rows = _applied([new, _written(GENERATED, Row("a", 2, BEGIN), BEGIN, position=9)])
    assert rows["a",].version == 3


def test_a_deleted_key_stays_deleted_against_late_versions_without_a_position() -> None:
    late = _written(GENERATED, Row("a", 7, BEGIN), BEGIN)
    assert not _applied([GENERATED.deleted(("a",)), late])


def test_a_natural_key_inserted_again_is_there_though_its_version_starts_anew() -> None:
    first = _written(NATURAL, Row("a", 5, BEGIN), BEGIN, 1)
    gone = NATURAL.deleted(("a",), committed_at=BEGIN + timedelta(seconds=1), position=2)
    again = _written(NATURAL, Row("a", 1, BEGIN + timedelta(seconds=2)), BEGIN, 3)
    assert _applied([again, gone, first])["a",].version == 1


def test_the_writers_own_reinsertion_is_not_undone_by_the_echo_of_the_deletion() -> None:
    own = _written(NATURAL, Row("a", 1, BEGIN + timedelta(seconds=2)), BEGIN, position=0)
    echo = NATURAL.deleted(("a",), committed_at=BEGIN + timedelta(seconds=1), position=9)
    assert ("a",) in _applied([own, echo])


def test_deletion_and_reinsertion_in_one_transaction_end_with_the_row() -> None:
    """Both commit at once and the row was born before, so only what is seen later tells them apart."""
    moment = BEGIN + timedelta(seconds=5)
    gone = NATURAL.deleted(("a",), committed_at=moment, position=1)
    again = _written(NATURAL, Row("a", 1, BEGIN), moment, position=2)
    assert ("a",) in _applied([gone, again])
    assert ("a",) in _applied([again, gone])


def test_a_read_after_a_deletion_brings_back_what_is_there() -> None:
    gone = GENERATED.deleted(("a",), position=3)
    row = Row("a", 1, BEGIN)
    assert not _applied([gone, _written(GENERATED, row, BEGIN, position=2)])
    assert ("a",) in _applied([gone, _written(GENERATED, row, BEGIN, position=4)])


def test_a_deletion_of_a_known_version_holds_whatever_is_seen_later() -> None:
    echo = _written(GENERATED, Row("a", 2, BEGIN), BEGIN, position=9)
    assert not _applied([GENERATED.deleted(("a",), version=2, position=3), echo])


def test_only_a_visible_change_raises_the_revision() -> None:
    row = Row("a", 1, BEGIN)
    rows = _applied([_written(GENERATED, row, BEGIN, 1)])
    seen_again = rows.apply(_written(GENERATED, Row("a", 1, BEGIN), BEGIN, 2))
    assert seen_again.revision == rows.revision
    assert seen_again["a",] is row
    assert seen_again.apply(GENERATED.deleted(("a",), position=3)).revision > rows.revision


def test_old_deletions_can_be_forgotten() -> None:
    rows = _applied(
        [_written(GENERATED, Row("a", 1, BEGIN), BEGIN, 1), GENERATED.deleted(("b",), position=2)]
    )
    kept = rows.forget_deleted(before=3)
    assert dict(kept) == dict(rows)
    assert kept.revision == rows.revision
    assert ("b",) in kept.apply(_written(GENERATED, Row("b", 1, BEGIN), BEGIN, 1))


def test_many_rows_are_kept_apart_from_small_patches() -> None:
    rows = _applied([_written(GENERATED, Row(str(n), 1, BEGIN), BEGIN, n) for n in range(1, 3000)])
    before = dict(rows)
    after = rows.apply(GENERATED.deleted(("7",), position=5000))
    assert dict(rows) == before
    assert len(after) == len(rows) - 1
    assert ("7",) not in after
