"""What the roles of the API may use of the database's side: two functions, and nothing of the schema."""

import pytest

from tests.livetables.database.tables import ANN, ITEMS, watched
from tests.supabase_schema.database import Session

ROLES = ("anon", "authenticated", "service_role")


@pytest.mark.parametrize("role", ROLES)
def test_the_schema_is_closed_to_the_api(db: Session, role: str) -> None:
    assert db.value("select has_schema_privilege(%s, 'livetables', 'usage')", role) is False


@pytest.mark.parametrize("role", ROLES)
def test_no_table_sequence_or_function_of_it_is_granted(db: Session, role: str) -> None:
    granted = db.rows(
        "select relname from pg_class where relnamespace = 'livetables'::regnamespace and case relkind"
        "   when 'r' then has_table_privilege(%(r)s, oid, 'select, insert, update, delete, truncate')"
        "   when 'S' then has_sequence_privilege(%(r)s, oid, 'usage, select, update') else false end"
        " union all select proname from pg_proc where pronamespace = 'livetables'::regnamespace"
        "   and has_function_privilege(%(r)s, oid, 'execute')".replace("%(r)s", f"'{role}'")
    )
    assert granted == []


@pytest.mark.parametrize("role", ROLES)
def test_the_two_functions_of_the_api_may_be_called(db: Session, role: str) -> None:
    watched(db, ITEMS, "items")
    db.act_as(ANN, role)
    assert db.changes_since(None)["changes"] == []
    assert db.value("select public.livetables_tables() -> 'tables' -> 0 ->> 'name'") == "items"


def test_another_role_may_not_call_them(db: Session) -> None:
    db.run("create role somebody; grant usage on schema public to somebody")
    for call in ("changes_since(text)", "livetables_tables(text[])"):
        assert db.value("select has_function_privilege('somebody', %s, 'execute')", f"public.{call}") is False


def test_all_functions_run_with_an_empty_search_path(db: Session) -> None:
    others = db.rows(
        "select proname from pg_proc where (pronamespace = 'livetables'::regnamespace"
        " or proname in ('changes_since', 'livetables_tables'))"
        " and coalesce(proconfig[1], '') <> 'search_path=\"\"'"
    )
    assert others == []


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_a_member_cannot_write_the_version_or_the_log(db: Session, role: str) -> None:
    watched(db, ITEMS + "create policy w on items for all using (true)", "items")
    db.act_as(ANN if role == "authenticated" else None)
    assert db.value("insert into items (version) values (999999) returning version < 999999") is True
    assert (
        db.refusal("insert into livetables.change_log (table_name, op) values ('items', 'DELETE')").pgcode
        == "42501"
    )
    assert db.refusal("select livetables.watch('items')").pgcode == "42501"
    assert db.refusal("select livetables.trim('0')").pgcode == "42501"


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_a_table_that_the_api_does_not_show_is_told_apart_from_none_by_nobody(db: Session, role: str) -> None:
    db.run("create table public.hidden (id int primary key); revoke all on hidden from anon, authenticated")
    db.act_as(ANN, role)
    (one, other) = (
        db.value("select public.livetables_tables(%s) -> 'tables' -> 0", [name])
        for name in ("hidden", "absent")
    )
    assert str(one).replace("hidden", "absent") == str(other)


def test_the_number_of_tables_in_a_question_is_bounded(db: Session) -> None:
    db.act_as(None)
    assert db.refusal("select public.livetables_tables(%s)", ["x"] * 101).pgcode == "22023"


@pytest.mark.parametrize("length", [63, 64, 1_000_000])
def test_long_names_and_cursors_cost_little(db: Session, length: int) -> None:
    watched(db, ITEMS, "items")
    db.act_as(None)
    db.run("set local statement_timeout = '10s'")
    [problem] = db.rows(
        "select jsonb_array_length(public.livetables_tables(%s) -> 'tables' -> 0 -> 'problems')",
        ["x" * length],
    )
    answer = db.changes_since("1:9:" + ",".join(["1"] * (length // 2)))
    assert problem == (1,)
    assert answer["resync"] is True
