"""`livetables.watch`: one line makes a table live, whatever it had before, and again changes nothing."""

import pytest

from tests.livetables.database.tables import (
    ANN,
    BOB,
    ITEMS,
    NOTES,
    changes,
    codes,
    cursor_of,
    described,
    watched,
)
from tests.supabase_schema.database import Session, message


def identity(db: Session, table: str) -> object:
    return db.value("select livetables.identity_of(%s::regclass)", f"public.{table}")


def test_one_line_makes_a_table_live(db: Session) -> None:
    db.run(ITEMS)
    assert codes(db, "items") == ["no_log", "no_version", "not_published"]
    db.run("select livetables.watch('items')")
    assert described(db, "items") == {
        "name": "items",
        "key": ["id"],
        "version": "version",
        "visibility": "public",
        "filters": [],
        "columns": {"id": "uuid", "title": "text", "version": "bigint"},
        "problems": [],
    }


def test_watching_again_changes_nothing(db: Session) -> None:
    watched(db, ITEMS + NOTES, "items", "notes")
    before = described(db, "items"), described(db, "notes"), identity(db, "notes")
    told = db.value("select livetables.watch('items')")
    db.run("select livetables.watch('notes')")
    assert (described(db, "items"), described(db, "notes"), identity(db, "notes")) == before
    assert told == "public.items: visible to everybody; key id; version version"


def test_only_watched_tables_are_described_unless_one_is_named(db: Session) -> None:
    watched(db, ITEMS + NOTES, "notes")
    answer = db.value("select public.livetables_tables() -> 'tables' -> 0 ->> 'name'")
    assert answer == "notes"
    assert described(db, "items")["version"] is None


def test_versions_grow_also_across_an_insertion_of_the_same_key(db: Session) -> None:
    watched(db, ITEMS, "items")
    first = db.value("insert into items default values returning version")
    key, second = db.rows("update items set title = 'x', version = 1 returning id, version")[0]
    db.run("delete from items")
    third = db.value("insert into items (id, version) values (%s, 1) returning version", key)
    assert isinstance(first, int)
    assert isinstance(second, int)
    assert isinstance(third, int)
    assert 0 < first < second < third


def test_a_version_column_of_the_projects_own_keeps_its_numbers(db: Session) -> None:
    watched(db, ITEMS + "alter table items add column version int not null default 1", "items")
    key = db.value("insert into items default values returning id")
    assert db.value("update items set title = 'x' returning version") == 2
    assert db.value("update items set version = 7 returning version") == 7
    db.run("delete from items")
    assert db.value("insert into items (id) values (%s) returning version", key) == 8


def test_a_version_of_text_is_refused_with_the_mend(db: Session) -> None:
    db.run(ITEMS + "alter table items add column version text")
    error = db.refusal("select livetables.watch('items')")
    assert message(error) == "The column version of public.items is text, not a whole number"
    assert error.diag.message_hint is not None
    assert "version_column => 'row_version'" in error.diag.message_hint
    db.run("select livetables.watch('items', version_column => 'row_version')")
    assert described(db, "items")["version"] == "row_version"
    assert db.value("insert into items default values returning row_version > 1") is True


@pytest.mark.parametrize(
    ("table", "told", "hint"),
    [
        ("itmes", "There is no table itmes in the schema public.", "Did you mean items?"),
        ("keyless", "public.keyless has no primary key", "add column id uuid primary key"),
        ("seen", "public.seen is not an ordinary table", "Watch the tables behind the view."),
        ("closed", "public.closed has no policy for SELECT, so nobody can read it", "create policy"),
    ],
)
def test_what_cannot_be_live_is_refused_with_the_mend(db: Session, table: str, told: str, hint: str) -> None:
    db.run(ITEMS)
    db.run("create table keyless (a int); create view seen as select 1 as id")
    db.run("create table closed (id int primary key); alter table closed enable row level security")
    error = db.refusal("select livetables.watch(%s)", table)
    assert message(error) == told
    assert hint in (error.diag.message_hint or "")


def test_names_that_need_quotes_are_watched(db: Session) -> None:
    db.run('create table "Team \'Notes\'" ("Schlüssel" int primary key)')
    db.run("select livetables.watch('Team ''Notes''')")
    cursor = cursor_of(db)
    db.run("insert into \"Team 'Notes'\" values (1)")
    assert described(db, "Team 'Notes'")["key"] == ["Schlüssel"]
    assert db.changes_since(cursor)["changes"] == [
        {"table": "Team 'Notes'", "key": {"Schlüssel": 1}, "op": "INSERT"}
    ]


def test_the_identity_of_a_private_row_is_its_key_and_whose_it_is(db: Session) -> None:
    watched(db, ITEMS + NOTES, "items", "notes")
    assert identity(db, "items") == ["id"]
    assert identity(db, "notes") == ["id", "user_id"]
    assert described(db, "notes")["filters"] == ["user_id"]


def test_an_owner_that_may_be_null_is_no_filter(db: Session) -> None:
    watched(db, NOTES + "alter table notes alter user_id drop not null", "notes")
    assert identity(db, "notes") == ["id"]
    assert described(db, "notes")["filters"] == []


def test_truncating_a_watched_table_means_resync_once(db: Session) -> None:
    watched(db, ITEMS, "items")
    cursor = cursor_of(db)
    db.run("truncate items")
    answer = db.changes_since(cursor)
    assert (answer["resync"], answer["changes"]) == (True, [])


def test_unwatching_undoes_all_but_the_version_column(db: Session) -> None:
    watched(db, ITEMS + NOTES, "items", "notes")
    db.run("insert into notes (user_id) values (%s)", ANN)
    db.run("select livetables.unwatch('notes')")
    assert identity(db, "notes") == ["id"]
    assert codes(db, "notes") == ["no_log", "not_published"]
    assert db.value("select count(*) from livetables.change_log where table_name = 'notes'") == 0
    assert codes(db, "items") == []


def test_unwatching_leaves_a_publication_of_the_projects_own(db: Session) -> None:
    watched(db, ITEMS + "alter publication supabase_realtime add table items", "items")
    db.run("select livetables.unwatch('items')")
    assert codes(db, "items") == ["no_log"]


def test_a_dropped_owner_column_is_named_by_the_write_that_meets_it(db: Session) -> None:
    watched(db, NOTES, "notes")
    db.run('drop policy "Own notes" on notes; alter table notes rename user_id to owner_id')
    error = db.refusal("insert into notes (owner_id) values (%s)", BOB)
    assert message(error) == "livetables logs public.notes by columns that it no longer has"
    assert error.diag.message_hint == "Run: select livetables.watch('notes');"
    assert "no_log" in codes(db, "notes")


def test_a_changed_key_is_told_under_both_keys(db: Session) -> None:
    watched(db, ITEMS, "items")
    db.run("insert into items default values")
    cursor = cursor_of(db)
    db.run("update items set id = gen_random_uuid()")
    assert changes(db, cursor, None) == [("UPDATE", "items"), ("DELETE", "items")]
