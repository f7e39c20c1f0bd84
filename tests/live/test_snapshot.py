"""Snapshots: what is derived from rows is worked out once for everybody."""

import threading

from live.rows import Rows
from live.snapshot import EMPTY, Snapshot
from tests.live.tables import Thing, record, spec


def _snapshot() -> Snapshot[Thing]:
    things = spec("things")
    rows: Rows[Thing] = Rows()
    for number in range(3):
        rows = rows.apply(things.written(record(str(number), f"text {number}")))
    return Snapshot(rows, 1)


def test_it_is_read_like_a_collection_of_rows() -> None:
    snapshot = _snapshot()
    assert len(snapshot) == 3
    assert {thing.text for thing in snapshot} == {thing.text for thing in snapshot.values()}
    assert ("1",) in snapshot
    assert snapshot.get(("1",)) == Thing("1", "text 1", 1)
    assert snapshot.get(("9",)) is None
    assert snapshot.get(("9",), "nobody") == "nobody"
    assert len(EMPTY) == 0


def test_what_is_derived_is_computed_once_for_many_threads() -> None:
    snapshot, computed = _snapshot(), []
    begin = threading.Barrier(8)
    results: list[int] = []

    def compute(rows: Rows[Thing]) -> int:
        computed.append(rows)
        return len(rows)

    def session() -> None:
        begin.wait()
        results.append(snapshot.derived("count", compute))

    threads = [threading.Thread(target=session) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [3] * 8
    assert len(computed) == 1


def test_derived_values_are_kept_apart_by_name_and_may_build_on_one_another() -> None:
    snapshot = _snapshot()

    def doubled(_: Rows[Thing]) -> int:
        return 2 * snapshot.derived("count", len)

    assert snapshot.derived(("doubled", "UTC"), doubled) == 6
    assert snapshot.derived("count", lambda _: -1) == 3
