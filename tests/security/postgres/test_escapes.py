"""What code of the project reaches when the services call it: policies, functions, and triggers of Auth."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class has a lower-case name

from local_supabase.stack.runtime import StackInfo
from tests.security.postgres.escape import ESCAPE
from tests.support.people import anonymous_client, sign_up


@pytest.fixture
def sql(stack: StackInfo) -> Iterator[Connection]:
    connection = psycopg2.connect(stack.database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(ESCAPE)
    yield connection
    with connection.cursor() as cursor:
        cursor.execute("drop function public.escape() cascade")
    connection.close()


def test_a_function_called_over_rest_reaches_no_rights_of_the_stack(
    stack: StackInfo, sql: Connection
) -> None:
    assert anonymous_client(stack).rpc("escape", {}).execute().data is False


def test_a_policy_of_files_reaches_no_rights_of_the_stack(stack: StackInfo, sql: Connection) -> None:
    with sql.cursor() as cursor:
        cursor.execute("insert into storage.buckets (id, name) values ('escapes', 'escapes')")
        cursor.execute("insert into storage.objects (bucket_id, name) values ('escapes', 'a.txt')")
        cursor.execute(
            "create policy escape on storage.objects for select to anon"
            " using (bucket_id = 'escapes' and public.escape())"
        )
        assert anonymous_client(stack).storage.from_("escapes").list() == []
        cursor.execute(
            "drop policy escape on storage.objects; set storage.allow_delete_query = 'true';"
            "delete from storage.objects where bucket_id = 'escapes';"
            "delete from storage.buckets where id = 'escapes'"
        )


def test_a_trigger_of_accounts_becomes_no_superuser(stack: StackInfo, sql: Connection) -> None:
    with sql.cursor() as cursor:
        cursor.execute(
            "create function public.note_rights() returns trigger language plpgsql set search_path = '' as $$"
            " begin perform public.escape();"
            " new.raw_app_meta_data := new.raw_app_meta_data || pg_catalog.jsonb_build_object('superuser', ("
            " select bool_or(rolsuper) from pg_catalog.pg_roles"
            " where rolname in (current_user, session_user))); return new; end $$;"
            "create trigger note_rights before insert on auth.users"
            " for each row execute function public.note_rights()"
        )
        try:
            person = sign_up(stack, "Signs up")
        finally:
            cursor.execute("drop function public.note_rights() cascade")
        noted = "select raw_app_meta_data ->> 'superuser' from auth.users where id = %s"
        cursor.execute(noted, (person.user_id,))
        assert cursor.fetchone() == ("false",)
