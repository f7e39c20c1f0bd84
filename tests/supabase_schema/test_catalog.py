"""Rules for every table, including those that are added later."""

import pytest

from tests.supabase_schema.database import Session, session

TABLES = (
    "select c.oid from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"
)


def names(db: Session, sql: str) -> list[object]:
    """Return the only column of a query."""
    return [row[0] for row in db.rows(sql)]


def test_row_level_security_is_on_everywhere(db: Session) -> None:
    schemas = "('public'::regnamespace, 'private'::regnamespace)"
    tables = f"select relname from pg_class where relkind in ('r', 'p') and relnamespace in {schemas}"
    assert len(names(db, tables)) == 34
    assert names(db, f"{tables} and not relrowsecurity") == []


def test_every_table_has_policies_that_name_role_and_verb(db: Session) -> None:
    without = (
        f"select t.oid::regclass::text from ({TABLES}) t"
        " where not exists (select from pg_policy where polrelid = t.oid)"
    )
    assert names(db, without) == []
    vague = (
        "select policyname from pg_policies"
        " where schemaname = 'public' and (cmd = 'ALL' or 'public' = any (roles))"
    )
    assert names(db, vague) == []


def test_policies_evaluate_the_caller_once_per_query(db: Session) -> None:
    # (select auth.uid()) is evaluated once, as an init plan; a bare call is evaluated for every row.
    for clause in ("qual", "with_check"):
        bare = (
            f"select policyname from pg_policies where schemaname = 'public'"
            f" and regexp_replace({clause}, 'SELECT (auth\\.uid|private\\.\\w+)\\(\\)', '', 'g')"
            f" ~ '(auth\\.uid|private\\.\\w+)\\('"
        )
        assert names(db, bare) == []


def test_what_members_may_do_needs_their_second_factor(db: Session) -> None:
    # Restrictive policies, for each verb of each table in which members may do what visitors may not.
    unguarded = (
        "select p.schemaname || '.' || p.tablename || ' ' || p.cmd from pg_policies p"
        " where p.schemaname in ('public', 'storage') and p.permissive = 'PERMISSIVE'"
        " and 'authenticated' = any (p.roles) and not 'anon' = any (p.roles) and not exists ("
        "  select from pg_policies r where r.schemaname = p.schemaname and r.tablename = p.tablename"
        "   and r.cmd = p.cmd and r.permissive = 'RESTRICTIVE' and 'authenticated' = any (r.roles)"
        "   and coalesce(r.qual, r.with_check) ~ '^\\( SELECT private\\.is_assured\\(\\) AS is_assured\\)$')"
    )
    assert names(db, unguarded) == [], "Call private.require_second_factor() in the table's migration."


def test_functions_that_bypass_row_security_ask_for_the_second_factor(db: Session) -> None:
    sql = (
        "select proname from pg_proc where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
        " and prosecdef and prorettype <> 'trigger'::regtype and prosrc ~ 'auth\\.uid\\(\\)' order by 1"
    )
    # The two that tell whether the code was entered, and the one for who cannot enter it.
    assert names(db, sql) == ["is_assured", "me", "use_recovery_code"], "Call private.me(), not auth.uid()."


def test_every_table_has_a_primary_key(db: Session) -> None:
    sql = (
        f"select t.oid::regclass::text from ({TABLES}) t"
        " where not exists (select from pg_index where indrelid = t.oid and indisprimary)"
    )
    assert names(db, sql) == []


@pytest.mark.parametrize("column", ["version", "created_at", "updated_at"])
def test_every_table_but_the_log_has_its_stamps(db: Session, column: str) -> None:
    sql = (
        f"select t.oid::regclass::text from ({TABLES}) t where not exists (select from pg_attribute"
        f" where attrelid = t.oid and attname = '{column}' and attnotnull)"
    )
    assert names(db, sql) in (["change_log"], ["public.change_log"])


@pytest.mark.parametrize("trigger", ["stamp_row", "log_change", "log_truncate"])
def test_every_table_but_the_log_has_its_triggers(db: Session, trigger: str) -> None:
    sql = (
        f"select t.oid::regclass::text from ({TABLES}) t"
        f" where not exists (select from pg_trigger where tgrelid = t.oid and tgname = '{trigger}')"
    )
    assert names(db, sql) in (["change_log"], ["public.change_log"])


def test_the_log_trigger_gets_the_primary_key_of_every_table(db: Session) -> None:
    for table, arguments in db.rows(
        "select tgrelid::regclass::text, tgargs from pg_trigger where tgname = 'log_change'"
    ):
        key = db.rows(
            "select a.attname from pg_index i join pg_attribute a on a.attrelid = i.indrelid"
            " and a.attnum = any (i.indkey)"
            " where i.indrelid = %s::regclass and i.indisprimary order by a.attnum",
            table,
        )
        assert isinstance(arguments, memoryview)
        assert bytes(arguments).decode().split("\0")[1:-1] == [column for (column,) in key], table


def test_every_table_is_published(db: Session) -> None:
    sql = (
        f"select t.oid::regclass::text from ({TABLES}) t where not exists (select from pg_publication_rel r"
        " join pg_publication p on p.oid = r.prpubid"
        " where p.pubname = 'supabase_realtime' and r.prrelid = t.oid)"
    )
    assert names(db, sql) == []


def test_old_values_are_published_where_they_matter(db: Session) -> None:
    full = (
        f"select t.oid::regclass::text from ({TABLES}) t join pg_class c using (oid)"
        " where c.relreplident = 'f'"
    )
    published = {str(name).removeprefix("public.") for name in names(db, full)}
    assert published == {"users", "events", "rsvps"}  # test_private_identities.py has the private ones


def test_every_foreign_key_has_an_index(db: Session) -> None:
    sql = (
        "select conname from pg_constraint k where contype = 'f'"
        " and connamespace in ('public'::regnamespace, 'private'::regnamespace) and not exists ("
        " select from pg_index i where i.indrelid = k.conrelid and i.indkey[0] = k.conkey[1])"
    )
    assert names(db, sql) == []


def test_json_that_people_write_is_no_deeper_than_clients_can_read(db: Session) -> None:
    sql = (
        f"select t.oid::regclass || '.' || attname from ({TABLES}) t join pg_attribute on attrelid = t.oid"
        " where atttypid = 'jsonb'::regtype and ("
        "   has_column_privilege('authenticated', t.oid, attnum, 'INSERT')"
        "   or has_column_privilege('authenticated', t.oid, attnum, 'UPDATE')"
        " ) and not exists (select from pg_constraint k where k.conrelid = t.oid"
        "   and pg_get_constraintdef(k.oid) ~ (attname || '.*\\*\\*\\{100\\}'))"
    )
    # A list of texts has no levels.
    assert [str(name).removeprefix("public.") for name in names(db, sql)] == ["campaigns.task_types"]


def test_functions_that_bypass_row_security_fix_their_search_path(db: Session) -> None:
    sql = (
        "select proname from pg_proc where pronamespace in ('public'::regnamespace, 'private'::regnamespace)"
        " and not coalesce(array_to_string(proconfig, ','), '') like '%search_path=\"\"%'"
    )
    assert names(db, sql) == []


def test_only_select_insert_update_and_delete_are_granted(db: Session) -> None:
    sql = (
        "select distinct grantee || ' ' || privilege_type from information_schema.table_privileges"
        " where table_schema = 'public' and grantee in ('anon', 'authenticated', 'service_role', 'PUBLIC')"
        " and (privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')"
        "      or (grantee in ('anon', 'PUBLIC') and privilege_type <> 'SELECT'))"
    )
    assert names(db, sql) == []


def test_the_owner_is_no_superuser(db: Session) -> None:
    assert db.value("select rolsuper from pg_roles where rolname = current_user") is False


def test_the_second_postgres_has_the_version_of_a_hosted_project(hosted: str) -> None:
    with session(hosted) as owner:
        assert owner.value("select current_setting('server_version_num')::int / 10000") in (15, 17)


@pytest.mark.parametrize(
    ("table", "order"),
    [
        ("tavern_messages", "created_at desc, id desc"),
        ("event_messages", "created_at desc, id desc"),
        ("change_log", "id desc"),
        ("agent_runs", "created_at desc, id desc"),
        ("agent_run_events", "created_at desc, id desc"),
        ("routing_metrics", '"timestamp" desc, id desc'),
        ("routing_daily", "day desc, id desc"),
        ("rating_tasks", "created_at desc, id desc"),
        ("task_leases", "created_at desc, id desc"),
        ("judgments", "created_at desc, id desc"),
    ],
)
def test_the_newest_rows_are_found_by_an_index(db: Session, table: str, order: str) -> None:
    db.run("set local enable_seqscan = off")
    plan = db.rows(f"explain select * from public.{table} order by {order} limit 500")
    assert "Index Scan" in str(plan)
    assert "Sort" not in str(plan)
