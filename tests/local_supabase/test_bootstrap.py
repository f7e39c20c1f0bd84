"""A new database equals a new Supabase project, so SQL that was written for a hosted one runs unchanged."""

import hashlib
import hmac
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import bcrypt
import jwt
import psycopg2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection  # noqa: N812 - psycopg2's class has a lower-case name

from local_supabase.stack.runtime import StackInfo
from tests.local_supabase.launch import launched, make_project

# The beginning of a dump by `supabase db pull`, and statements that are common in hosted projects.
DUMPED = """
SET statement_timeout = 0;
SET transaction_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
CREATE EXTENSION IF NOT EXISTS "pg_graphql" WITH SCHEMA "graphql";
CREATE EXTENSION IF NOT EXISTS "pg_stat_statements" WITH SCHEMA "extensions";
CREATE EXTENSION IF NOT EXISTS "pgcrypto" WITH SCHEMA "extensions";
CREATE EXTENSION IF NOT EXISTS "pgjwt" WITH SCHEMA "extensions";
CREATE EXTENSION IF NOT EXISTS "supabase_vault" WITH SCHEMA "vault";
CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA "extensions";
ALTER SCHEMA "public" OWNER TO "pg_database_owner";
CREATE TABLE IF NOT EXISTS "public"."todos" (
    "id" "uuid" DEFAULT "extensions"."uuid_generate_v4"() PRIMARY KEY,
    "user_id" "uuid" REFERENCES "auth"."users"("id") ON DELETE CASCADE
);
ALTER TABLE "public"."todos" OWNER TO "postgres";
ALTER TABLE "public"."todos" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own" ON "public"."todos" TO "authenticated" USING (("auth"."uid"() = "user_id"));
ALTER PUBLICATION "supabase_realtime" OWNER TO "postgres";
ALTER PUBLICATION "supabase_realtime" ADD TABLE ONLY "public"."todos";
GRANT USAGE ON SCHEMA "public" TO "postgres";
GRANT USAGE ON SCHEMA "public" TO "anon";
GRANT ALL ON TABLE "public"."todos" TO "service_role";
ALTER DEFAULT PRIVILEGES FOR ROLE "postgres" IN SCHEMA "public" GRANT ALL ON TABLES TO "anon";
RESET ALL;
"""
HAND_WRITTEN = """
create extension if not exists "uuid-ossp";
create extension if not exists moddatetime schema extensions;
create table public.pages (id uuid primary key default uuid_generate_v4(), updated_at timestamptz);
create trigger touched before update on public.pages
    for each row execute procedure extensions.moddatetime(updated_at);
create function public.on_new_user() returns trigger
language plpgsql security definer set search_path = '' as $$
begin
    insert into public.pages (id) values (new.id);
    return new;
end $$;
create trigger on_auth_user_created after insert on auth.users
    for each row execute function public.on_new_user();
insert into auth.users (id, instance_id, aud, role, email, encrypted_password, email_confirmed_at)
values ('00000000-0000-4000-8000-000000000001', '00000000-0000-0000-0000-000000000000', 'authenticated',
    'authenticated', 'someone@example.com', crypt('a password', gen_salt('bf')), now());
"""


@pytest.fixture(scope="module")
def database(stack: StackInfo) -> Iterator[Connection]:
    connection = psycopg2.connect(stack.database_url)
    connection.autocommit = True
    yield connection
    connection.close()


def one(database: Connection, sql: str, *values: object) -> object:
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        row = cursor.fetchone()
        return None if row is None else row[0]


def octets(value: object) -> bytes:
    assert isinstance(value, memoryview)
    return bytes(value)


def test_migrations_of_a_hosted_project_run_unchanged(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", DUMPED, HAND_WRITTEN)
    with launched(project, tmp_path / "data") as stack:
        stack.sql("update public.pages set id = id")
        assert stack.sql("select updated_at is not null from public.pages") == [(True,)]
        assert stack.sql(
            "select encrypted_password = extensions.crypt('a password', encrypted_password) from auth.users"
        ) == [(True,)]


def test_a_seed_may_hash_passwords_where_postgres_cannot_execute_python(tmp_path: Path) -> None:
    seed = "create table public.hashes as select crypt('a password', gen_salt('bf')) as hash;"
    # pytest's own folders are closed. In one that Postgres' user may enter, it gets no right to read others.
    with tempfile.TemporaryDirectory(prefix="tavern-open-") as folder:
        os.chmod(folder, 0o755)
        with launched(make_project(tmp_path / "project", seed=seed), Path(folder) / "data") as stack:
            [(made,)] = stack.sql("select hash from public.hashes")
    assert bcrypt.checkpw(b"a password", str(made).encode())


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_the_api_roles_may_use_what_a_migration_creates_in_public(database: Connection, role: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("create table public.made_by_a_migration (id int); create sequence public.made_too")
        cursor.execute(
            "select has_table_privilege(%s, 'public.made_by_a_migration', 'insert'),"
            " has_sequence_privilege(%s, 'public.made_too', 'usage')",
            (role, role),
        )
        assert cursor.fetchone() == (True, True)
        cursor.execute("rollback")


def test_only_the_service_role_bypasses_row_level_security(database: Connection) -> None:
    roles = "select array_agg(rolname::text) from pg_roles where rolbypassrls and rolname = any(%s)"
    assert one(database, roles, ["anon", "authenticated", "authenticator", "service_role"]) == [
        "service_role"
    ]


@pytest.mark.parametrize("role", ["anon", "authenticated"])
@pytest.mark.parametrize(
    "table", ["auth.users", "auth.refresh_tokens", "vault.secrets", "_local_supabase.bootstrap"]
)
def test_the_api_roles_cannot_read_internal_tables(database: Connection, role: str, table: str) -> None:
    schema = table.split(".")[0]
    open_ = one(
        database,
        "select has_schema_privilege(%s, %s, 'usage') and has_table_privilege(%s, %s::regclass, 'select')",
        role, schema, role, table,
    )  # fmt: skip
    assert open_ is False


def test_the_auth_functions_return_the_callers_claims(database: Connection) -> None:
    user_id = str(uuid.uuid4())
    claims = f'{{"sub": "{user_id}", "role": "authenticated", "email": "a@b.example"}}'
    with database.cursor() as cursor:
        cursor.execute("begin; select set_config('request.jwt.claims', %s, true)", (claims,))
        cursor.execute("select auth.uid()::text, auth.role(), auth.email(), auth.jwt() ->> 'sub'")
        assert cursor.fetchone() == (user_id, "authenticated", "a@b.example", user_id)
        cursor.execute("rollback")
        cursor.execute("select auth.uid(), auth.role(), auth.jwt()")
        assert cursor.fetchone() == (None, None, None)


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
@settings(max_examples=25, deadline=None)
@given(message=st.binary(max_size=300), key=st.binary(max_size=200))
def test_digests_and_macs_equal_pythons(
    database: Connection, algorithm: str, message: bytes, key: bytes
) -> None:
    digest = one(database, "select extensions.digest(%s::bytea, %s)", message, algorithm)
    assert octets(digest) == hashlib.new(algorithm, message).digest()
    mac = one(database, "select extensions.hmac(%s::bytea, %s::bytea, %s)", message, key, algorithm)
    assert octets(mac) == hmac.new(key, message, algorithm).digest()


@settings(max_examples=25, deadline=None)
@given(name=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=80))
def test_named_uuids_equal_pythons(database: Connection, name: str) -> None:
    for version, expected in (
        (3, uuid.uuid3(uuid.NAMESPACE_URL, name)),
        (5, uuid.uuid5(uuid.NAMESPACE_URL, name)),
    ):
        sql = f"select extensions.uuid_generate_v{version}(extensions.uuid_ns_url(), %s)::text"
        assert one(database, sql, name) == str(expected)


@pytest.mark.parametrize(
    ("function", "version"), [("uuid_generate_v1", 1), ("uuid_generate_v1mc", 1), ("uuid_generate_v4", 4)]
)
def test_generated_uuids_are_unique_and_have_their_version(
    database: Connection, function: str, version: int
) -> None:
    made = one(database, f"select array_agg(extensions.{function}()::text) from generate_series(1, 100)")
    assert isinstance(made, list)
    assert len(set(made)) == 100
    assert {uuid.UUID(text).version for text in made} == {version}
    assert {uuid.UUID(text).variant for text in made} == {uuid.RFC_4122}


@pytest.mark.parametrize(
    "password", ["tavern-demo", "ünïcødé ☂", "'; drop table x; --", "$(touch /tmp/x) `id`", "x" * 100, ""]
)
def test_bcrypt_hashes_work_with_another_bcrypt(database: Connection, password: str) -> None:
    made = one(database, "select extensions.crypt(%s, extensions.gen_salt('bf', 5))", password)
    assert isinstance(made, str)
    assert made.startswith("$2a$05$")
    assert bcrypt.checkpw(password.encode()[:72], made.encode())
    assert one(database, "select extensions.crypt(%s, %s)", password, made) == made
    assert one(database, "select extensions.crypt(%s, %s)", f"not {password}", made) != made


def test_random_bytes_are_unique(database: Connection) -> None:
    made = {octets(one(database, "select extensions.gen_random_bytes(40)")) for _ in range(10)}
    assert len(made) == 10
    assert {len(value) for value in made} == {40}


def test_tokens_signed_in_the_database_verify_outside(database: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("create extension if not exists pgjwt with schema extensions")
    token = one(database, 'select extensions.sign(\'{"sub": "me"}\', %s)', "s" * 40)
    assert isinstance(token, str)
    assert jwt.decode(token, "s" * 40, algorithms=["HS256"]) == {"sub": "me"}
    assert one(database, "select valid from extensions.verify(%s, %s)", token, "s" * 40) is True
    assert one(database, "select valid from extensions.verify(%s, %s)", token, "t" * 40) is False


@pytest.mark.parametrize(
    "call",
    [
        "extensions.pgp_sym_encrypt('a', 'b')",
        "extensions.encrypt('a', 'b', 'aes')",
        "extensions.crypt('a', 'ab')",
        "extensions.gen_salt('md5')",
        "graphql_public.graphql(query => '{ a }')",
        "vault.create_secret('a')",
    ],
)
def test_an_unsupported_function_is_refused_by_name(database: Connection, call: str) -> None:
    with pytest.raises(psycopg2.errors.FeatureNotSupported, match="not supported by the embedded Supabase"):
        one(database, f"select {call}")
