"""The access table: every table x role x verb, tested as PostgREST acts for a token."""

import re
import uuid

import psycopg2
import pytest

from tests.supabase_schema import people_access, ratings_access
from tests.supabase_schema.access import VERBS, Case
from tests.supabase_schema.database import Session, World
from tests.support.stack import PROJECT

TABLE = people_access.TABLE


def make_room(db: Session, case: Case, name: str) -> None:
    """Delete the row whose key the insert uses, so that only a missing right can refuse it."""
    if case.table == "users":
        db.run("delete from public.users where id = %s", name)
    if case.table == "rsvps":
        db.run("delete from public.rsvps where user_id = %s", name)


def wrong_cells(db: Session, world: World) -> list[str]:
    """Try every cell, each in a savepoint; return those that differ from the table."""
    wrong = []
    for case in TABLE.cells:
        db.run("savepoint cell")
        if touches_a_row(db, world, case) is not case.allowed:
            wrong.append(str(case))
        db.run("rollback to savepoint cell")
        db.act_as_owner()
    return wrong


def touches_a_row(db: Session, world: World, case: Case) -> bool:
    """Whether the statement touches a row. If it does not, a missing right must be the reason."""
    me = world.people.get(case.role)
    name = me or world.people["recipient"]
    if case.verb == "forge":
        name = next(world.people[role] for role in ("other", "recipient") if role != case.role)
    third = next(person for person in world.people.values() if person != name)
    if case.verb in {"insert", "forge"}:
        make_room(db, case, name)
    db.act_as(me)
    values = {**world.values, "name": name, "third": third, "fresh": str(uuid.uuid4())}
    try:
        sql, parameters = TABLE.statement(case, values)
        return db.run(sql, *parameters) > 0
    except psycopg2.errors.InsufficientPrivilege:
        return False


def test_every_cell_of_the_access_table(db: Session, world: World) -> None:
    assert wrong_cells(db, world) == []


def test_every_table_is_in_an_access_table(db: Session) -> None:
    tables = {name for (name,) in db.rows("select tablename from pg_tables where schemaname = 'public'")}
    listed = TABLE.tables | ratings_access.TABLE.tables
    assert tables - listed == set(), (
        "Say who may do what with these tables: add lines to ACCESS, and an entry each to ROWS, SETS"
        " and INSERTS, in tests/supabase_schema/people_access.py (or ratings_access.py, for a tenant's)."
    )
    assert listed - tables == set(), "Take these tables out of people_access.py or ratings_access.py."
    for table in TABLE.tables:
        verbs = {(case.role, case.verb) for case in TABLE.cells if case.table == table}
        for role in ("anon", "owner", "other", "admin"):
            assert {verb for who, verb in verbs if who == role} >= set(VERBS), (table, role)


def test_an_admin_reads_the_log_of_private_messages_to_them_without_content(
    db: Session, world: World
) -> None:
    admin = world.people["admin"]
    db.run(
        "insert into public.private_messages (sender_id, recipient_id, body) values (%s, %s, 'For you')",
        world.people["owner"],
        admin,
    )
    db.act_as(admin)
    logged = db.rows("select old, new from public.change_log where table_name = 'private_messages'")
    assert logged == [(None, None)]


@pytest.mark.parametrize("name", ["private.is_admin()", "private.via_api()", "private.prune_batch(now(), 1)"])
def test_nobody_can_call_the_private_helpers(db: Session, world: World, name: str) -> None:
    for person in (None, world.people["owner"], world.people["admin"]):
        db.act_as_owner()
        db.act_as(person)
        assert db.refusal(f"select {name}").pgcode == "42501"


@pytest.mark.parametrize("call", ["prune_change_log()", "prune_change_log('1 day')"])
def test_only_the_owner_prunes_the_log(db: Session, world: World, call: str) -> None:
    db.act_as(world.people["admin"])
    assert db.refusal(f"select public.{call}").pgcode == "42501"
    db.act_as_owner()
    db.act_as(None, role="service_role")
    assert isinstance(db.value(f"select public.{call}"), int)


def test_a_visitor_can_call_only_what_is_for_everybody(db: Session) -> None:
    callable_by_visitors = db.rows(
        "select p.proname from pg_proc p where p.pronamespace = 'public'::regnamespace"
        " and has_function_privilege('anon', p.oid, 'execute')"
    )
    assert sorted(callable_by_visitors) == [("changes_since",), ("search_messages",), ("settle_waitlists",)]


def test_the_private_schema_is_not_exposed() -> None:
    schemas = re.search(r"^schemas = (.*)$", (PROJECT / "config.toml").read_text(), re.MULTILINE)
    assert schemas is not None
    assert "private" not in schemas[1]
