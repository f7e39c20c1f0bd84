"""From the database's description of a table and the app's wishes to the engine's."""

from dataclasses import dataclass
from typing import Any

import pytest

from livetables.database.description import WatchedTable
from livetables.errors import LiveError
from livetables.library.specs import Order, Wanted, in_order, parse_order, spec_of
from livetables.tables.changes import Change
from livetables.tables.column_types import ColumnType
from livetables.tables.rows import Rows
from livetables.tables.snapshot import Snapshot
from livetables.tables.spec import Visibility

COLUMNS = {
    "id": "uuid",
    "title": "character varying(50)",
    "done": "boolean",
    "price": "numeric(10,2)",
    "made_at": "timestamp with time zone",
    "tags": "text[]",
    "version": "bigint",
}


def table(visibility: Visibility = Visibility.PUBLIC, filters: tuple[str, ...] = ()) -> WatchedTable:
    return WatchedTable("items", ("id",), "version", visibility, filters, COLUMNS, ())


def item(name: str, title: str | None, version: int = 1) -> dict[str, object]:
    return {"id": name, "title": title, "version": version}


def test_key_version_and_visibility_are_the_databases() -> None:
    spec = spec_of(table(Visibility.USER), Wanted())
    assert (spec.key, spec.visibility, spec.filters) == (("id",), Visibility.USER, None)
    assert spec.written(item("1", "Tea", 7)).version == 7


def test_own_rows_are_followed_with_a_filter_on_the_users_id() -> None:
    spec = spec_of(table(Visibility.USER, ("user_id",)), Wanted())
    assert spec.filters is not None
    assert spec.filters("ada", {}) == ("user_id=eq.ada",)


def test_columns_of_comparable_types_can_be_filtered() -> None:
    assert spec_of(table(), Wanted()).filterable == {
        "id": ColumnType.UUID,
        "title": ColumnType.TEXT,
        "done": ColumnType.BOOLEAN,
        "price": ColumnType.NUMBER,
        "made_at": ColumnType.TIME,
        "version": ColumnType.INTEGER,
    }


def test_an_order_is_written_as_postgrest_writes_it() -> None:
    assert parse_order("title") == (Order("title"),)
    assert parse_order(("done.asc", "made_at.desc")) == (Order("done"), Order("made_at", descending=True))
    with pytest.raises(LiveError, match=r"title\.asc or title\.desc"):
        parse_order("title.down")


def test_rows_are_sorted_as_people_sort_with_empty_values_last() -> None:
    spec = spec_of(table(), Wanted())
    rows: Rows[Any] = Rows()
    for name, title in (("1", "banana"), ("2", None), ("3", "Apple"), ("4", "cherry")):
        rows = rows.apply(spec.written(item(name, title)))
    snapshot = Snapshot(rows, 1)
    assert [row["title"] for row in in_order(snapshot, parse_order("title"), ("id",))] == [
        "Apple",
        "banana",
        "cherry",
        None,
    ]
    assert [row["title"] for row in in_order(snapshot, parse_order("title.desc"), ("id",))] == [
        "cherry",
        "banana",
        "Apple",
        None,
    ]
    assert in_order(snapshot, (), ("id",)) is not in_order(snapshot, (), ("id",))


def test_rows_that_are_equal_in_their_order_stand_by_their_key_as_a_number() -> None:
    spec = spec_of(table(), Wanted())
    rows: Rows[Any] = Rows()
    for number in (10, 2, 1):
        rows = rows.apply(spec.written({"id": number, "title": "same", "version": 1}))
    ordered = in_order(Snapshot(rows, 1), parse_order("title.desc"), ("id",))
    assert [row["id"] for row in ordered] == [1, 2, 10]


def test_a_misspelt_column_is_refused_with_the_nearest() -> None:
    with pytest.raises(LiveError, match="Do you mean 'title'"):
        spec_of(table(), Wanted(parse_order("titel")))


@dataclass
class Short:
    """A row without its version."""

    id: str
    title: str


def test_a_row_type_has_to_have_what_the_engine_needs() -> None:
    with pytest.raises(LiveError, match="Short lacks version"):
        spec_of(table(), Wanted(row_type=Short))


@pytest.mark.parametrize("wanted", [Wanted(window=10), Wanted(parse_order("title"), window=0)])
def test_a_window_needs_an_order_and_a_size(wanted: Wanted) -> None:
    with pytest.raises(LiveError, match="window="):
        spec_of(table(), wanted)


def test_a_handler_that_returns_none_is_refused_at_once() -> None:
    def forgetful(rows: Rows[Any], change: Change[Any]) -> Any:
        rows.apply(change)

    with pytest.raises(TypeError, match=r"return rows\.apply"):
        spec_of(table(), Wanted(handler=forgetful))


def test_a_handler_decides_what_a_change_does() -> None:
    def without_tea(rows: Rows[Any], change: Change[Any]) -> Rows[Any]:
        return rows if change.row is not None and change.row["title"] == "Tea" else rows.apply(change)

    spec = spec_of(table(), Wanted(handler=without_tea))
    rows = spec.handler(spec.handler(Rows(), spec.written(item("1", "Tea"))), spec.written(item("2", "Milk")))
    assert [row["title"] for row in rows.values()] == ["Milk"]
