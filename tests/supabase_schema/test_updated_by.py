"""`updated_by`: the database sets it, and nobody else can."""

import pytest

from tests.supabase_schema.database import Session, World

CHANGES = {
    "users": ("owner", "bio = 'x'", "id = %(owner)s"),
    "events": ("cohost", "location = 'x'", "id = %(event)s"),
}


def updated_by(db: Session, world: World, table: str) -> object:
    return db.value(world.fill(f"select updated_by::text from public.{table} where {CHANGES[table][2]}"))


@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.parametrize("forged", ["", ", updated_by = %(admin)s", ", updated_by = null"])
def test_it_is_the_person_who_changed_the_row_whatever_they_send(
    db: Session, world: World, table: str, forged: str
) -> None:
    person, change, row = CHANGES[table]
    db.act_as(world.people[person])
    assert db.run(world.fill(f"update public.{table} set {change}{forged} where {row}")) == 1
    assert updated_by(db, world, table) == world.people[person]


def test_a_new_row_has_the_person_who_inserted_it(db: Session, world: World) -> None:
    db.act_as(world.people["other"])
    db.run(
        "insert into public.events (title, starts_at, ends_at, updated_by)"
        " values ('Mine', now(), now() + interval '1 hour', %s)",
        world.people["admin"],
    )
    mine = db.value(
        "select updated_by::text from public.events where organizer_id = %s", world.people["other"]
    )
    assert mine == world.people["other"]


@pytest.mark.parametrize("table", CHANGES)
def test_an_update_of_this_column_alone_sets_the_person_who_updates(
    db: Session, world: World, table: str
) -> None:
    person, _, row = CHANGES[table]
    db.act_as(world.people[person])
    assert db.run(world.fill(f"update public.{table} set updated_by = %(admin)s where {row}")) == 1
    assert updated_by(db, world, table) == world.people[person]


@pytest.mark.parametrize("table", CHANGES)
def test_direct_sql_sets_null(db: Session, world: World, table: str) -> None:
    _, change, row = CHANGES[table]
    db.run(world.fill(f"update public.{table} set {change}, updated_by = %(other)s where {row}"))
    assert updated_by(db, world, table) is None


def test_the_service_role_sets_null(db: Session, world: World) -> None:
    db.act_as(None, "service_role")
    db.run(world.fill("update public.events set location = 'x', updated_by = %(other)s where id = %(event)s"))
    assert updated_by(db, world, "events") is None


def test_deleting_the_person_changes_no_version(db: Session, world: World) -> None:
    db.act_as(world.people["cohost"])
    db.run(world.fill("update public.events set location = 'x' where id = %(event)s"))
    db.act_as_owner()
    before = db.value(world.fill("select version from public.events where id = %(event)s"))
    db.run("delete from auth.users where id = %s", world.people["cohost"])
    assert db.value(world.fill("select version from public.events where id = %(event)s")) == before
