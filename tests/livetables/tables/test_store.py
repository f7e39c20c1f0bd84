"""Stores: changes become moments of all tables together."""

import dataclasses
import threading

import pytest

from livetables.faults import FAULTS
from livetables.tables.changes import Change
from livetables.tables.rows import Rows
from livetables.tables.spec import TableSpec
from livetables.tables.store import Store
from tests.livetables.things import Thing, record, spec

THINGS, OTHERS = spec("things"), spec("others")


class Calls:
    """Records the tables that a store reports as looking different."""

    def __init__(self) -> None:
        self.tables: list[frozenset[str]] = []

    def __call__(self, tables: frozenset[str]) -> None:
        self.tables.append(tables)


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def store(calls: Calls) -> Store:
    return Store([THINGS, OTHERS], calls)


def test_what_is_applied_together_is_one_moment(store: Store, calls: Calls) -> None:
    before = store.moment
    store.apply([THINGS.written(record("1", "a")), OTHERS.written(record("1", "b"))])
    assert calls.tables == [frozenset({"things", "others"})]
    assert store.moment.number == before.number + 1
    assert len(before.tables["things"]) == 0


def test_tables_that_look_the_same_keep_their_snapshot(store: Store, calls: Calls) -> None:
    store.apply([THINGS.written(record("1", "a"))])
    things, others = store.moment.tables["things"], store.moment.tables["others"]
    store.apply([OTHERS.written(record("1", "b")), THINGS.written(record("1", "a"), position=9)])
    assert store.moment.tables["things"] is things
    assert store.moment.tables["others"].revision != others.revision
    assert calls.tables[-1] == {"others"}


def test_a_snapshot_holds_the_stores_own_rows_though_nothing_looks_different(store: Store) -> None:
    """A row seen again, or a forgotten deletion, must not leave a second copy of the table in memory."""
    store.apply([THINGS.written(record("1", "a")), THINGS.deleted(("2",), position=1)])
    things = store.moment.tables["things"]
    store.apply([THINGS.written(record("1", "a"), position=9)])
    store.forget_deleted(before=5)
    assert store.moment.tables["things"] is things
    assert things.rows.position(("1",)) == 9
    assert things.rows.apply(THINGS.written(record("2", "b"))).get(("2",)) is not None


def test_a_fresh_load_drops_what_is_gone_but_not_what_came_after_it(store: Store) -> None:
    store.apply([THINGS.written(record("gone", "a"), position=store.position())])
    asked = store.position()
    store.apply([THINGS.written(record("later", "b"), position=store.position())])
    store.replace(
        THINGS, [THINGS.written(record("kept", "c"), position=asked)], position=asked, complete=True
    )
    store.apply(())
    assert set(store.moment.tables["things"].rows) == {("later",), ("kept",)}


def test_old_rows_outside_the_window_do_not_leave_a_gap(calls: Calls) -> None:
    windowed = dataclasses.replace(THINGS, order="text", window=2)
    store = Store([windowed], calls)
    loaded = [windowed.written(record(name, name)) for name in ("m", "n")]
    store.replace(windowed, loaded, position=1, complete=False)
    store.apply([windowed.written(record("a", "a", 2)), windowed.written(record("z", "z"))])
    assert set(store.moment.tables["things"].rows) == {("m",), ("n",), ("z",)}
    store.extend(windowed, [windowed.written(record("a", "a", 2))], complete=True)
    assert ("a",) in store.moment.tables["things"]


def test_only_changes_that_would_be_visible_are_counted(store: Store) -> None:
    store.apply([THINGS.written(record("1", "a"))])
    known = THINGS.written(record("1", "a"), position=5)
    assert store.count_visible([known, THINGS.deleted(("none",), position=6)]) == 0
    assert store.count_visible([THINGS.written(record("1", "b", 2)), THINGS.written(record("2", "c"))]) == 2
    assert len(store.moment.tables["things"]) == 1


def test_a_handler_that_fails_does_not_stop_the_others(calls: Calls) -> None:
    before = FAULTS.counts.get("rows of things", 0)

    def fail(rows: Rows[Thing], change: Change[Thing]) -> Rows[Thing]:
        if change.key == ("bad",):
            raise RuntimeError("no")
        return rows.apply(change)

    broken: TableSpec[Thing] = dataclasses.replace(THINGS, handler=fail)
    store = Store([broken, OTHERS], calls)
    store.apply([broken.written(record("bad", "x")), broken.written(record("good", "y"))])
    store.apply([OTHERS.written(record("1", "z"))])
    assert set(store.moment.tables["things"].rows) == {("good",)}
    assert len(store.moment.tables["others"]) == 1
    assert FAULTS.counts["rows of things"] == before + 1


def test_the_writers_deletion_holds_against_the_late_echo_of_the_write(store: Store) -> None:
    store.apply_written("things", record("1", "mine", 2))
    store.apply_deleted("things", ("1",))
    store.apply([THINGS.written(record("1", "mine", 2), position=store.position())])
    assert ("1",) not in store.moment.tables["things"]


def test_a_written_row_that_was_inserted_again_stays(store: Store) -> None:
    store.apply([THINGS.deleted(("1",), position=store.position())])
    store.apply([THINGS.written(record("1", "again"), position=store.position())])
    store.apply_written("things", record("1", "changed", 2))
    found = store.moment.tables["things"].get(("1",))
    assert found is not None
    assert found.text == "changed"


def test_threads_may_write_at_the_same_time(store: Store) -> None:
    def write(who: int) -> None:
        for number in range(50):
            store.apply_written("things", record(f"{who}-{number}", "x"))

    threads = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.moment.tables["things"]) == 200


def test_a_cleared_table_is_empty(store: Store) -> None:
    store.apply([THINGS.written(record("1", "a"))])
    store.clear("things")
    assert len(store.moment.tables["things"]) == 0


def test_clearing_drops_rows_that_are_loaded_and_not_visible_yet(store: Store, calls: Calls) -> None:
    store.replace(THINGS, [THINGS.written(record("1", "a"))], position=1, complete=True)
    store.clear("things")
    store.clear("others")
    store.apply([OTHERS.written(record("1", "b"))])
    assert len(store.moment.tables["things"]) == 0
    assert calls.tables == [{"others"}]


def test_a_window_that_has_grown_is_trimmed_and_pages_back() -> None:
    aged = dataclasses.replace(THINGS, order="text", window=2)
    store = Store([aged], lambda _: None)
    store.replace(aged, [aged.written(record("a", "a"))], position=1, complete=True)
    for letter in "bcdef":
        store.apply([aged.written(record(letter, letter))])
    assert {thing.text for thing in store.moment.tables["things"]} == set("abcdef")
    assert store.oldest_kept("things") is None
    store.apply([aged.written(record("g", "g"))])
    assert {thing.text for thing in store.moment.tables["things"]} == set("defg")
    kept = store.oldest_kept("things")
    assert kept is not None
    assert kept[0] == ("d",)
    store.apply([aged.written(record("b", "b", 2))])
    assert ("b",) not in store.moment.tables["things"]
    store.extend(aged, [aged.written(record(letter, letter)) for letter in "bc"], complete=False)
    assert store.oldest_kept("things") is None
    for letter in "hi":
        store.apply([aged.written(record(letter, letter))])
    assert {thing.text for thing in store.moment.tables["things"]} == set("bcdefghi")


def test_rows_outside_of_the_newest_and_the_oldest_no_longer_exist(store: Store) -> None:
    """Only rows between the oldest row and the newest ones may still exist."""
    aged = dataclasses.replace(THINGS, order="text")
    store.apply([aged.written(record(letter, letter)) for letter in "abcdefgh"])
    oldest = store.moment.tables["things"].get(("c",))
    assert set(store.keys_outside(aged, [("f",), ("h",)], oldest)) == {("a",), ("b",), ("g",)}
    assert set(store.keys_outside(aged, [("h",)], None)) == {(letter,) for letter in "abcdefg"}


def test_a_table_followed_later_is_empty_and_not_loaded(store: Store, calls: Calls) -> None:
    store.finish_loading()
    store.follow(spec("more"))
    assert not store.loaded.is_set()
    assert len(store.moment.tables["more"]) == 0
    assert calls.tables[-1] == {"more"}


def test_a_window_of_rows_that_are_mappings_has_an_order_too() -> None:
    mapped: TableSpec[dict[str, object]] = TableSpec(
        "things", ("id",), dict, lambda row: int(str(row["version"])), order="text", window=1
    )
    store = Store([mapped], lambda _: None)
    newest = [mapped.written(record("2", "b"))]
    store.replace(mapped, newest, position=1, complete=False)
    store.apply([mapped.written(record("1", "a")), mapped.written(record("3", "c"))])
    assert {row["text"] for row in store.moment.tables["things"]} == {"b", "c"}
