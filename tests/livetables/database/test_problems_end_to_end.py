"""What the check names: the table, what is missing, and the SQL that mends it, which is run here."""

from typing import Any, cast

import pytest

from local_supabase.stack.runtime import StackInfo
from tests.livetables.database.tables import ITEMS, NOTES, described, watched
from tests.supabase_schema.database import Session, session

TRIGGER = "A trigger of livetables on items is missing or disabled"
PART = "has only a part of items"
BREAKS = {
    "no log trigger": ("drop trigger livetables_log on items", "no_log", "items is not watched"),
    "a disabled log": ("alter table items disable trigger livetables_log", "no_log", TRIGGER),
    "no version trigger": ("drop trigger zz_livetables_version on items", "no_log", TRIGGER),
    "no truncate trigger": ("drop trigger livetables_truncate on items", "no_log", TRIGGER),
    "no version column": ("alter table items drop column version", "no_version", "has lost its version"),
    "another key": (
        "alter table items drop constraint items_pkey; alter table items add column a int not null default 1;"
        " alter table items add primary key (id, a)",
        "no_log",
        "items has other columns than when it was watched",
    ),
    "no publication": ("drop publication supabase_realtime", "not_published", "There is no publication"),
    "not in the publication": (
        "alter publication supabase_realtime drop table items",
        "not_published",
        "items is not in the publication supabase_realtime",
    ),
    "some columns in the publication": (
        "alter publication supabase_realtime drop table items;"
        " alter publication supabase_realtime add table items (id)",
        "not_published",
        PART,
    ),
    "some rows in the publication": (
        "alter publication supabase_realtime drop table items;"
        " alter publication supabase_realtime add table items where (version > 3)",
        "not_published",
        PART,
    ),
    "some verbs in the publication": (
        "alter publication supabase_realtime set (publish = 'insert')",
        "not_published",
        "does not have insert, update and delete",
    ),
    "no grant": ("revoke select on items from anon", "no_grant", "anon may not select from items"),
    "a grant of some columns": (
        "revoke select on items from anon; grant select (id, title) on items to anon",
        "no_grant",
        "anon may not select these columns of items: version",
    ),
    "no policy": ('drop policy "Anybody may read" on items', "no_policy", "no policy that lets anon select"),
    "a policy for others": (
        'alter policy "Anybody may read" on items to authenticated',
        "no_policy",
        "no policy that lets anon select",
    ),
}  # fmt: skip


def problems(db: Session, table: str = "items") -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], described(db, table)["problems"])


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_what_is_missing_is_named_and_its_sql_mends_it(db: Session, name: str) -> None:
    broken, code, said = BREAKS[name]
    watched(db, ITEMS, "items")
    db.run(broken)
    [problem] = [each for each in problems(db) if each["code"] == code]
    assert said in problem["message"]
    assert "items" in problem["message"] + problem["mend"]
    assert problem["severity"] == "error"
    for _ in range(3):  # the mend of a key is to watch again, which may show the next thing
        for each in problems(db):
            db.run(each["mend"])
    assert problems(db) == []


def test_a_schema_that_is_closed_is_named(plain: StackInfo) -> None:
    # Of a hosted project only Supabase can close it.
    with session(plain.database_url) as db:
        watched(db, ITEMS, "items")
        db.run("revoke usage on schema public from anon, public")
        [problem] = problems(db)
        assert (problem["code"], problem["mend"]) == ("no_grant", "grant usage on schema public to anon;")


@pytest.mark.parametrize(
    ("broken", "code", "said"),
    [
        ("revoke select on notes from authenticated", "no_grant", "authenticated may not select from notes"),
        ('drop policy "Own notes" on notes', "no_policy", "no policy that lets authenticated select"),
    ],
)
def test_of_a_private_table_its_people_count(db: Session, broken: str, code: str, said: str) -> None:
    watched(db, NOTES, "notes")
    db.run("revoke select on notes from anon")
    assert problems(db, "notes") == []
    db.run(broken)
    [problem] = problems(db, "notes")
    assert (problem["code"], said in problem["message"]) == (code, True)
    db.run(problem["mend"])
    assert problems(db, "notes") == []


def test_a_table_without_a_key_gets_one(db: Session) -> None:
    db.run("create table public.keyless (a int); alter table keyless enable row level security")
    db.run("create policy p on keyless for select using (true)")
    for problem in problems(db, "keyless"):
        db.run(problem["mend"])
    assert problems(db, "keyless") == []
    assert described(db, "keyless")["key"] == ["id"]


@pytest.mark.parametrize(
    "made", ["create view seen as select 1 as id", "create table seen (id int) partition by list (id)"]
)
def test_a_view_is_no_table(db: Session, made: str) -> None:
    db.run(made)
    assert [problem["code"] for problem in problems(db, "seen")] == ["no_table"]


def test_a_table_that_is_open_to_writing_is_a_warning(db: Session) -> None:
    watched(db, "create table public.items (id int primary key)", "items")
    [problem] = problems(db)
    assert (problem["code"], problem["severity"]) == ("no_rls", "warning")


def test_a_private_table_that_logs_whole_rows_is_a_warning(db: Session) -> None:
    watched(db, NOTES + "alter table notes replica identity full", "notes")
    [problem] = problems(db, "notes")
    assert (problem["code"], problem["severity"]) == ("full_identity", "warning")
    db.run(problem["mend"])
    assert problems(db, "notes") == []


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("drop function public.changes_since(text)", "The function public.changes_since is missing"),
        (
            "revoke execute on function public.changes_since(text) from anon",
            "anon may not call public.changes_since",
        ),
    ],
)
def test_what_the_whole_database_lacks_is_named(db: Session, broken: str, said: str) -> None:
    db.run(broken)
    found = cast(list[dict[str, str]], db.value("select public.livetables_tables() -> 'problems'"))
    [problem] = [each for each in found if each["code"] == "no_changes_since"]
    assert problem["message"].startswith(said)
