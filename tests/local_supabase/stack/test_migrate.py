import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from local_supabase.errors import ProjectError
from local_supabase.keys import Login, load_keys
from local_supabase.stack import ports
from local_supabase.stack.config import load_config
from local_supabase.stack.datadir import DataDir
from local_supabase.stack.machine import machine_time_zone
from local_supabase.stack.migrate import BOOTSTRAP, bootstrap, migrate, migrations
from local_supabase.stack.postgres import Server
from tests.local_supabase.launch import launched, make_project, run

FIRST = "create table public.one (id int primary key);\ninsert into public.one values (1);"
SECOND = "create table public.two (id int primary key);"
SEED = """
insert into public.one values (100);
create table public.zone as select current_setting('local_supabase.time_zone', true) as name;
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Give a Postgres with an empty database."""
    data_dir = DataDir(tmp_path / "data")
    data_dir.prepare()
    server = Server(data_dir, load_keys(data_dir, {}))
    server.create()
    server.start(ports.free_port(0, 0))
    yield server
    server.stop()


def test_migrations_are_applied_in_order_and_recorded_like_the_clis(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", FIRST, SECOND)
    with launched(project, tmp_path / "data") as stack:
        history = stack.sql(
            "select version, name, statements from supabase_migrations.schema_migrations order by 1"
        )
    assert history == [
        (
            "20260101000001",
            "step_1",
            ["create table public.one (id int primary key)", "insert into public.one values (1)"],
        ),
        ("20260101000002", "step_2", ["create table public.two (id int primary key)"]),
    ]


def test_a_later_start_applies_new_migrations_but_not_the_seed_again(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", FIRST, seed=SEED)
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select id from public.one order by 1") == [(1,), (100,)]
        assert stack.sql("select name from public.zone") == [(machine_time_zone(),)]
        stack.sql("delete from public.one")
    make_project(project, FIRST, SECOND, seed=SEED)
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select id from public.one") == []
        assert stack.sql("select id from public.two") == []


def test_a_project_without_migrations_is_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    with launched(tmp_path / "project", tmp_path / "data") as stack:
        assert stack.sql("select tablename from pg_tables where schemaname = 'public'") == []


def test_a_failing_migration_is_named_and_rolled_back(tmp_path: Path) -> None:
    wrong = "create table public.three (id int);\n\nalter table public.three\n  add column id int;"
    project = make_project(tmp_path / "project", FIRST, wrong)
    result = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert result.returncode != 0
    file = project / "migrations" / "20260101000002_step_2.sql"
    assert f'{file}, line 3: column "id" of relation "three" already exists [42701]' in result.stderr
    make_project(project, FIRST, "")
    with launched(project, tmp_path / "data") as stack:
        tables = stack.sql("select tablename from pg_tables where schemaname = 'public'")
        assert tables == [("one",)]


def test_the_line_of_an_error_inside_a_statement_is_reported(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "select 1;\nselect\n  nonsense\nfrom pg_class;")
    result = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert 'line 3: column "nonsense" does not exist' in result.stderr


def test_a_failing_seed_is_named(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", FIRST, seed="insert into public.one values (1);")
    result = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert f"{project / 'seed.sql'}, line 1: duplicate key value" in result.stderr


def test_a_data_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    with launched(project, tmp_path / "data") as stack:
        stack.sql(
            "insert into _local_supabase.bootstrap (name) values ('99_from_the_future.sql')", superuser=True
        )
    result = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert result.returncode != 0
    assert "newer version of the embedded Supabase (it has 99_from_the_future.sql)" in result.stderr


def test_two_migrations_of_one_version_are_refused(tmp_path: Path) -> None:
    for name in ("1_a.sql", "1_b.sql"):
        (tmp_path / "migrations").mkdir(exist_ok=True)
        (tmp_path / "migrations" / name).write_text("")
    with pytest.raises(ProjectError, match="same version"):
        migrations(tmp_path)


def test_files_that_are_no_migrations_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for name in ("notes.sql", "1_real.sql", "README.md"):
        (tmp_path / "migrations" / name).write_text("")
    assert [migration.name for migration in migrations(tmp_path)] == ["real"]


def test_the_settings_of_a_migration_do_not_reach_the_next(tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "project", "set search_path = 'auth'; set role anon;", "create table three (id int);"
    )
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select tableowner from pg_tables where schemaname = 'public'") == [("postgres",)]


def test_an_older_database_gets_new_bootstrap_files_once(server: Server, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(BOOTSTRAP, newer)
    (newer / "99_more.sql").write_text("create table extensions.more (id int);")
    with server.session() as superuser, superuser.cursor() as cursor:
        bootstrap(superuser)
        bootstrap(superuser, newer)
        bootstrap(superuser, newer)
        cursor.execute("select count(*) from extensions.more")
        assert cursor.fetchall() == [(0,)]


def admit_the_owner(server: Server, tmp_path: Path) -> None:
    """Give `postgres` its password, as the supervisor does."""
    keys = load_keys(DataDir(tmp_path / "data"), {})
    with server.session() as superuser, superuser.cursor() as cursor:
        cursor.execute("alter role postgres password %s", (keys.passwords[Login.POSTGRES],))


def test_the_owner_of_an_older_data_folder_is_no_superuser_any_more(server: Server, tmp_path: Path) -> None:
    older = tmp_path / "older"
    older.mkdir()
    for file in BOOTSTRAP.glob("[1-6]*.sql"):
        shutil.copy(file, older)
    with server.session() as superuser, superuser.cursor() as cursor:
        bootstrap(superuser, older)
        cursor.execute("alter role postgres superuser")
        cursor.execute(
            "set role postgres; create table public.seen (by text); create extension pgjwt;"
            "create function public.note() returns event_trigger language plpgsql as "
            "'begin insert into public.seen values (current_user); end';"
            "create extension moddatetime; create or replace function public.moddatetime() returns trigger "
            "language plpgsql as 'begin return new; end';"
            "create event trigger noted on ddl_command_end execute function public.note(); reset role;"
        )
        bootstrap(superuser)
        cursor.execute("select rolsuper from pg_roles where rolname = 'postgres'")
        assert cursor.fetchone() == (False,)
        cursor.execute("truncate public.seen; create table public.made ()")
        cursor.execute("select distinct by from public.seen")
        assert cursor.fetchall() == [("postgres",)], "an event trigger of the owner runs with its rights"
        cursor.execute(
            "select lanname from pg_proc join pg_language l on l.oid = prolang where proname = 'moddatetime'"
        )
        assert cursor.fetchone() == ("c",), "the stand-in of older versions is replaced"
    admit_the_owner(server, tmp_path)
    with server.session(Login.POSTGRES) as owner, owner.cursor() as cursor:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("alter function public.note() security invoker")
        cursor.execute("drop extension pgjwt; drop extension pg_graphql; create extension pg_graphql")
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("create function public.f() returns int language c as 'libc', 'abs'")


SECURED = """
create function public.secure() returns event_trigger language plpgsql as $$
declare
    made record;
begin
    for made in select * from pg_event_trigger_ddl_commands() loop
        execute format('alter table %s enable row level security', made.object_identity);
    end loop;
end $$;
drop event trigger if exists secured;
create event trigger secured on ddl_command_end when tag in ('CREATE TABLE') execute function public.secure();
create table public.safe (id int);
"""


def test_a_migration_may_make_event_triggers_that_run_with_its_rights(server: Server, tmp_path: Path) -> None:
    with server.session() as superuser:
        bootstrap(superuser)
    admit_the_owner(server, tmp_path)
    project = make_project(
        tmp_path / "project", SECURED, "drop event trigger secured; create table public.open ();"
    )
    with server.session(Login.POSTGRES) as owner, owner.cursor() as cursor:
        migrate(owner, project, load_config(project), progress=lambda _: None)
        cursor.execute(
            "select relname from pg_class where relrowsecurity and relnamespace = 'public'::regnamespace"
        )
        assert cursor.fetchall() == [("safe",)]
        cursor.execute("select prosecdef from pg_proc where proname = 'secure'")
        assert cursor.fetchone() == (True,)
        make = (
            "select _local_supabase.create_event_trigger('mine', 'ddl_command_end', '{}', %s::regprocedure)"
        )
        for sql, values in (
            ("select _local_supabase.drop_event_trigger('guard_managed_drops')", ()),
            ("select _local_supabase.switch_event_trigger('guard_managed_drops', 'disable')", ()),
            (make, ("extensions.pgrst_ddl_watch()",)),
        ):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute(sql, values)
