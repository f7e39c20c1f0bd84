"""`postgres`, whose connection URL functions and programs get: it owns the project, and not the server."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class has a lower-case name

from local_supabase.extensions.privileged import PRIVILEGED
from local_supabase.stack.migrate import BOOTSTRAP
from local_supabase.stack.runtime import StackInfo
from tests.support.stack import superuser_url

FUNCTION = "create function public.f() returns trigger language plpgsql as 'begin return null; end'"
LISTED = "create policy p on {} using (true)"
# What migrations of hosted projects do, each in a transaction that is rolled back.
ALLOWED = {
    "a trigger on auth.users": f"{FUNCTION}; create trigger t after insert on auth.users for each row "
    "execute function public.f(); create or replace trigger t after update on auth.users for each row "
    "execute function public.f(); drop trigger t on auth.users",
    "the end of a function with a trigger": f"{FUNCTION}; create trigger t after insert on auth.users for "
    "each row execute function public.f(); drop function public.f cascade",
    "policies on storage.objects": f"{LISTED.format('storage.objects')}; alter policy p on storage.objects "
    "using (false); comment on policy p on storage.objects is 'x'; drop policy p on storage.objects",
    "a policy on realtime.messages": LISTED.format("realtime.messages"),
    "a reference to auth.users": "create table public.t (id uuid references auth.users on delete cascade)",
    "a bucket": "insert into storage.buckets (id, name) values ('b', 'b')",
    "an account": "insert into auth.users (id) values (gen_random_uuid())",
    "another publication": "drop publication supabase_realtime; create publication supabase_realtime; "
    "alter publication supabase_realtime add table public.users",
    "roles": "create role app login bypassrls; grant authenticated to app; grant app to authenticator; "
    "alter role anon set statement_timeout = '4s'; drop role app",
    "PostgREST's settings": "alter role authenticator set pgrst.db_aggregates_enabled = 'true'",
    "data without triggers": "set local session_replication_role = replica",
    "a schema": "create schema app; create table app.t (id int); drop schema app cascade",
    "default privileges": "alter default privileges in schema public grant all on tables to anon",
    "extensions that need no superuser": "create extension if not exists pgjwt with schema extensions",
    "extensions that hosted projects allow": "create extension vector with schema extensions; "
    "create table public.t (v extensions.vector(3)); drop extension vector cascade",
    "a wrapper for other servers": "create extension postgres_fdw with schema extensions; "
    "create server other foreign data wrapper postgres_fdw options (host 'db.example')",
    "statistics of statements": "select from extensions.pg_stat_statements; "
    "select extensions.pg_stat_statements_reset()",
    "no extension": "drop extension if exists pg_stat_statements",
    "statistics of all sessions": "select query from pg_stat_activity",
    "everybody's rows": "select from auth.users, auth.refresh_tokens, _local_supabase.bootstrap",
    "the end of all sessions": "truncate auth.sessions cascade",
    "reading auth's tables": "grant select on auth.users to authenticated; "
    "revoke select on auth.users from authenticated",
    "rights that exist": "grant usage on schema auth to anon; grant execute on function auth.uid() to anon",
    "Storage for a role of its own": "create role app; grant usage on schema storage to app; "
    "grant select on storage.objects to app; revoke select on storage.objects from app",
    "a temporary table of a function that visitors call": "set role anon; create temp table t (id int)",
}
REFUSED = {
    "a superuser": "alter role postgres superuser",
    "a new superuser": "create role s superuser",
    "another role": "set role supabase_admin",
    "the role of Auth": "set role supabase_auth_admin",
    "the role of Storage": "set role supabase_storage_admin",
    "another's password": "alter role supabase_auth_admin password 'mine'",
    "a program": "copy (select 1) to program 'id'",
    "a file": "copy (select 1) to '/tmp/x'",
    "reading a file": "select pg_read_file('/etc/passwd')",
    "the right to run programs": "grant pg_execute_server_program to postgres",
    "native code": "create function public.f() returns int language c as 'libc', 'abs'",
    "a library": "load '/tmp/x.so'",
    "no event triggers": "set event_triggers = off",
    "other control files": "set extension_control_path = '/tmp'",
    "a column of auth.users": "alter table auth.users add column x int",
    "a column without origin": "set session_replication_role = replica; alter table auth.users add x int",
    "a column from a block": "do $$ begin execute 'alter table auth.users add x int'; end $$",
    "no row security": "alter table storage.objects disable row level security",
    "no triggers": "alter table storage.objects disable trigger all",
    "an index": "create index on auth.users (aud)",
    "a rule": "create rule r as on delete to auth.users do instead nothing",
    "a table in auth": "create table auth.mine (id int)",
    "another auth.uid": "create or replace function auth.uid() returns uuid language sql return null::uuid",
    "no auth.users": "drop table auth.users cascade",
    "no auth.uid": "drop function auth.uid cascade",
    "no storage": "drop schema storage cascade",
    "another name of auth": "alter schema auth rename to mine",
    "auth itself": "alter schema auth owner to postgres",
    "nothing of Storage": "drop owned by supabase_storage_admin cascade",
    "nothing of Auth": "drop owned by supabase_auth_admin cascade",
    "what Auth owns": "reassign owned by supabase_auth_admin to postgres",
    "what Storage owns": "reassign owned by supabase_storage_admin to anon",
    "what Realtime owns": "reassign owned by supabase_realtime_admin, anon to postgres",
    "what all services own": "reassign owned by authenticator, supabase_auth_admin to postgres",
    "what Auth owns, without its guard": "drop foreign data wrapper owner_stays_supabase_auth_admin cascade",
    "another guard": "alter foreign data wrapper owner_stays_supabase_auth_admin rename to x",
    "a trigger that Realtime runs": f"{FUNCTION}; create trigger t after insert on realtime.messages "
    "for each row execute function public.f()",
    "writing auth's tables": "grant insert on auth.users to anon",
    "writing a column of auth": "grant update (email) on auth.users to authenticated",
    "writing auth's tables with a new schema": "create schema x create table t (id int) "
    "grant insert on auth.users to anon",
    "auth for everybody": "grant usage on schema auth to public",
    "auth without its service": "revoke all on auth.users from supabase_auth_admin",
    "auth without its callers": "revoke usage on schema auth from authenticated",
    "the rights on next tables": "alter default privileges for role supabase_auth_admin in schema auth "
    "grant all on tables to anon",
    "Storage without its callers": "drop owned by authenticated",
    "the records of Auth's migrations": "truncate auth.schema_migrations",
    "the records of Storage's migrations": "delete from storage.migrations",
    "no guard": "drop event trigger guard_managed_changes",
    "no records": "drop schema _local_supabase cascade",
    "the stack's records": "delete from _local_supabase.bootstrap",
}  # fmt: skip


@pytest.fixture
def owner(stack: StackInfo) -> Iterator[Connection]:
    """Give a connection with the URL that `start` prints, in a transaction that is rolled back."""
    connection = psycopg2.connect(stack.database_url)
    yield connection
    connection.rollback()
    connection.close()


def test_the_owner_has_the_attributes_of_a_hosted_project(owner: Connection) -> None:
    with owner.cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls "
            "from pg_roles where rolname = current_user"
        )
        assert cursor.fetchone() == ("postgres", False, True, True, True, True)
        cursor.execute(
            "select roleid::regrole::text from pg_auth_members where member = 'postgres'::regrole and "
            "admin_option and inherit_option and set_option order by 1"
        )
        assert [name for (name,) in cursor.fetchall()] == [
            "anon", "authenticated", "authenticator", "pg_create_subscription", "pg_monitor",
            "pg_read_all_data", "pg_signal_backend", "service_role",
        ]  # fmt: skip


@pytest.mark.parametrize("sql", ALLOWED.values(), ids=ALLOWED)
def test_the_owner_may_do_what_migrations_do(owner: Connection, sql: str) -> None:
    with owner.cursor() as cursor:
        cursor.execute(sql)
        assert cursor.statusmessage


@pytest.mark.parametrize("sql", REFUSED.values(), ids=REFUSED)
def test_the_owner_may_not_have(owner: Connection, sql: str) -> None:
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(sql)


def test_the_owner_may_create_every_extension_that_a_hosted_project_allows(owner: Connection) -> None:
    with owner.cursor() as cursor:
        cursor.execute("select name from pg_available_extensions where name = any(%s)", (list(PRIVILEGED),))
        available = [name for (name,) in cursor.fetchall()]
        assert {"citext", "hstore", "pg_trgm", "postgres_fdw", "unaccent", "vector"} <= set(available)
        for name in available:
            cursor.execute(f'create extension if not exists "{name}" with schema extensions cascade')
        cursor.execute("select extname from pg_extension where extowner <> 'postgres'::regrole")
        assert cursor.fetchall() == [("plpgsql",)]


@pytest.mark.parametrize("name", ["file_fdw", "pageinspect", "pg_surgery", "pg_visibility", "amcheck"])
def test_the_owner_may_not_create_an_extension_that_reads_the_server(owner: Connection, name: str) -> None:
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(f"create extension {name}")


def test_what_was_reassigned_before_goes_back_to_its_owners(stack: StackInfo) -> None:
    owners = (
        "select 'relation', c.oid::regclass::text, c.relowner::regrole::text from pg_class c "
        "where c.relnamespace in ('auth'::regnamespace, 'storage'::regnamespace) "
        "union all select 'function', p.oid::regprocedure::text, p.proowner::regrole::text from pg_proc p "
        "where p.pronamespace in ('auth'::regnamespace, 'storage'::regnamespace) "
        "union all select 'type', t.oid::regtype::text, t.typowner::regrole::text from pg_type t "
        "where t.typnamespace in ('auth'::regnamespace, 'storage'::regnamespace) "
        "union all select 'schema', nspname, nspowner::regrole::text from pg_namespace order by 1, 2"
    )
    connection = psycopg2.connect(superuser_url(stack.database_url, stack.data_dir))
    try:
        with connection.cursor() as cursor:
            cursor.execute(owners)
            before = cursor.fetchall()
            # As in a data folder of the version before.
            cursor.execute(
                "drop event trigger guard_wrapper_changes; drop event trigger guard_wrapper_drops;"
                "drop function _local_supabase.guard_wrapper_changes, _local_supabase.guard_wrapper_drops;"
                "drop foreign data wrapper owner_stays_supabase_auth_admin;"
                "drop foreign data wrapper owner_stays_supabase_storage_admin;"
                "drop foreign data wrapper owner_stays_supabase_realtime_admin;"
                "reassign owned by supabase_auth_admin, supabase_storage_admin to postgres"
            )
            cursor.execute(owners)
            assert cursor.fetchall() != before
            cursor.execute((BOOTSTRAP / "95_owners_stay.sql").read_text())
            cursor.execute(owners)
            assert cursor.fetchall() == before
    finally:
        connection.rollback()
        connection.close()
