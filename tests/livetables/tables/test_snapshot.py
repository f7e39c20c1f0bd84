"""Snapshots: a value derived from the rows is computed once for all sessions."""

import threading

from livetables.tables.rows import Rows
from livetables.tables.snapshot import EMPTY, Snapshot
from tests.livetables.things import Thing, record, spec


def _snapshot() -> Snapshot[Thing]:
    things = spec("things")
    rows: Rows[Thing] = Rows()
    for number in range(3):
        rows = rows.apply(things.written(record(str(number), f"text {number}")))
    return Snapshot(rows, 1)


def test_a_snapshot_is_a_collection_of_rows() -> None:
    snapshot = _snapshot()
    assert len(snapshot) == 3
    assert {thing.text for thing in snapshot} == {thing.text for thing in snapshot.values()}
    assert ("1",) in snapshot
    assert snapshot.get(("1",)) == Thing("1", "text 1", 1)
    assert snapshot.get(("9",)) is None
    assert snapshot.get(("9",), "default") == "default"
    assert len(EMPTY) == 0


def test_a_derived_value_is_computed_once_for_many_threads() -> None:
    snapshot, computed = _snapshot(), []
    start = threading.Barrier(8)
    results: list[int] = []

    def compute(rows: Rows[Thing]) -> int:
        computed.append(rows)
        return len(rows)

    def session() -> None:
        start.wait()
        results.append(snapshot.derived("count", compute))

    threads = [threading.Thread(target=session) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [3] * 8
    assert len(computed) == 1


def test_derived_values_are_kept_by_name_and_may_build_on_one_another() -> None:
    snapshot = _snapshot()

    def doubled(_: Rows[Thing]) -> int:
        return 2 * snapshot.derived("count", len)

    assert snapshot.derived(("doubled", "UTC"), doubled) == 6
    assert snapshot.derived("count", lambda _: -1) == 3
