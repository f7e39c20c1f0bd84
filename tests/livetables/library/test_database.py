"""What an app watches and writes, outside of Streamlit, on a real stack."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from livetables.config import EngineConfig
from livetables.errors import LiveError, SetupError, WriteError
from livetables.library.database import Database, as_json
from local_supabase.stack.runtime import StackInfo
from tests.support.people import Person, sign_up
from tests.support.wait import wait_for


@dataclass
class Item:
    """An item with types."""

    id: UUID
    title: str
    done: bool
    made_at: datetime
    version: int


def titles(db: Database) -> list[str]:
    return [item["title"] for item in db.rows("items")]


def test_what_is_written_is_in_the_rows_in_their_order(db: Database) -> None:
    for title in ("Milk", "apples"):
        assert db.insert("items", title=title).wait(30)
    mine = [title for title in titles(db) if title in ("Milk", "apples")]
    assert mine == ["apples", "Milk"]
    milk = next(item for item in db.rows("items") if item["title"] == "Milk")
    assert db.update("items", milk["id"], done=True).wait(30)
    assert next(item for item in db.rows("items") if item["id"] == milk["id"])["done"] is True
    assert db.delete("items", milk["id"]).wait(30)
    assert "Milk" not in titles(db)


def test_what_others_write_arrives(db: Database, shop: StackInfo) -> None:
    other = Database(EngineConfig(shop.url, shop.anon_key))
    other.watch("items")
    try:
        assert other.insert("items", title="From afar").wait(30)
        wait_for(lambda: "From afar" in titles(db), what="the other's row")
    finally:
        other.engine.stop()


def test_a_refused_write_says_why(db: Database) -> None:
    write = db.insert("items", title="forbidden")
    assert write.wait(30)
    assert isinstance(write.error, WriteError)
    assert "forbidden" not in titles(db)


def test_watching_again_costs_nothing_and_in_another_way_uses_the_same_engine(db: Database) -> None:
    engine = db.engine
    db.watch("items", order="title")
    assert db.engine.wait_loaded(0)
    assert db.insert("items", title="Typed").wait(30)
    db.watch("items", order="title", row_type=Item)
    assert db.engine is engine
    assert engine.wait_loaded(30)
    item = next(item for item in db.rows("items") if item.title == "Typed")
    assert isinstance(item.id, UUID)
    assert db.update("items", item.id, done=True).wait(30)
    assert next(each for each in db.rows("items") if each.id == item.id).done is True


def test_a_key_of_several_columns_is_a_tuple(db: Database) -> None:
    db.watch("seats")
    assert db.insert("seats", hall="A", number=1).wait(30)
    assert db.update("seats", ("A", 1), taken=True).wait(30)
    assert [seat["taken"] for seat in db.rows("seats")] == [True]
    with pytest.raises(LiveError, match="hall, number"):
        db.delete("seats", "A")


def test_a_key_that_the_database_chooses_appears_with_the_answer(db: Database, shop: StackInfo) -> None:
    ada: Person = sign_up(shop, "Ada")
    db.watch("notes")
    write = db.insert("notes", user_id=ada.user_id, body="psst")
    assert write.wait(30)
    assert write.expected is None
    assert isinstance(write.error, WriteError)  # a visitor has no notes


@pytest.mark.parametrize(
    ("table", "told"),
    [("itmes", "items"), ("unwatched", r"select livetables\.watch\('unwatched'\)")],
    ids=["misspelt", "unwatched"],
)
def test_watching_raises_with_the_mend(db: Database, table: str, told: str) -> None:
    with pytest.raises(SetupError, match=told):
        db.watch(table)


def test_a_table_has_to_be_watched_and_a_column_to_exist(db: Database) -> None:
    with pytest.raises(LiveError, match=r"db\.watch\('others'\)"):
        db.rows("others")
    with pytest.raises(LiveError, match="no column 'titel'"):
        db.update("items", "1", titel="x")


def test_a_function_of_the_database_is_called_and_what_it_changes_arrives(db: Database) -> None:
    assert db.insert("items", title="Unticked").wait(30)
    call = db.call("tick_all")
    assert call.wait(30)
    assert (call.error, call.row) == (None, 42)
    wait_for(lambda: all(item["done"] for item in db.rows("items")), what="all items to be ticked")


@pytest.mark.parametrize(("function", "told"), [("refuse", r"Not today\."), ("missing", "missing")])
def test_a_function_that_refuses_or_is_missing_says_so(db: Database, function: str, told: str) -> None:
    call = db.call(function)
    assert call.wait(30)
    assert re.search(told, str(call.error))


def test_values_are_written_as_json() -> None:
    day = datetime.fromisoformat("2026-12-02T08:00:00+00:00")
    value = {"at": day, "price": Decimal("1.50"), "tags": ("a", "b")}
    assert as_json(value) == {"at": "2026-12-02T08:00:00+00:00", "price": "1.50", "tags": ["a", "b"]}
