import shutil
from pathlib import Path

import psycopg2
import pytest

from local_supabase.errors import ProjectError
from local_supabase.migrate import BOOTSTRAP, bootstrap, migrations
from tests.local_supabase.launch import launched, make_project, run

FIRST = "create table public.one (id int primary key);\ninsert into public.one values (1);"
SECOND = "create table public.two (id int primary key);"
SEED = "insert into public.one values (100);"


def test_migrations_are_applied_in_order_and_recorded_as_the_cli_does(tmp_path: Path) -> None:
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


def test_a_later_start_applies_what_is_new_and_the_seed_only_once(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", FIRST, seed=SEED)
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select id from public.one order by 1") == [(1,), (100,)]
        stack.sql("delete from public.one")
    make_project(project, FIRST, SECOND, seed=SEED)
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select id from public.one") == []
        assert stack.sql("select id from public.two") == []


def test_a_project_without_migrations_is_an_empty_database(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    with launched(tmp_path / "project", tmp_path / "data") as stack:
        assert stack.sql("select tablename from pg_tables where schemaname = 'public'") == []


def test_a_failing_migration_is_named_and_the_database_stays_at_the_one_before(tmp_path: Path) -> None:
    wrong = "create table public.three (id int);\n\nalter table public.three\n  add column id int;"
    project = make_project(tmp_path / "project", FIRST, wrong)
    answer = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert answer.returncode != 0
    file = project / "migrations" / "20260101000002_step_2.sql"
    assert f'{file}, line 3: column "id" of relation "three" already exists [42701]' in answer.stderr
    make_project(project, FIRST, "")
    with launched(project, tmp_path / "data") as stack:
        tables = stack.sql("select tablename from pg_tables where schemaname = 'public'")
        assert tables == [("one",)]


def test_the_line_of_a_mistake_inside_a_statement_is_found(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "select 1;\nselect\n  nonsense\nfrom pg_class;")
    answer = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert 'line 3: column "nonsense" does not exist' in answer.stderr


def test_a_failing_seed_is_named(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", FIRST, seed="insert into public.one values (1);")
    answer = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert f"{project / 'seed.sql'}, line 1: duplicate key value" in answer.stderr


def test_a_data_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project")
    with launched(project, tmp_path / "data") as stack:
        stack.sql("insert into _local_supabase.bootstrap (name) values ('99_from_the_future.sql')")
    answer = run("start", project, tmp_path / "data", "--port=0", "--db-port=0")
    assert answer.returncode != 0
    assert "newer version of the embedded Supabase (it has 99_from_the_future.sql)" in answer.stderr


def test_two_migrations_of_one_version_are_refused(tmp_path: Path) -> None:
    for name in ("1_a.sql", "1_b.sql"):
        (tmp_path / "migrations").mkdir(exist_ok=True)
        (tmp_path / "migrations" / name).write_text("")
    with pytest.raises(ProjectError, match="same version"):
        migrations(tmp_path)


def test_files_that_are_no_migrations_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "migrations").mkdir()
    for name in ("notes.sql", "1_real.sql", "README.md"):
        (tmp_path / "migrations" / name).write_text("")
    assert [migration.name for migration in migrations(tmp_path)] == ["real"]


def test_settings_of_one_migration_do_not_reach_the_next(tmp_path: Path) -> None:
    project = make_project(
        tmp_path / "project", "set search_path = 'auth'; set role anon;", "create table three (id int);"
    )
    with launched(project, tmp_path / "data") as stack:
        assert stack.sql("select tableowner from pg_tables where schemaname = 'public'") == [("postgres",)]


def test_an_older_database_gets_what_a_newer_bootstrap_adds_once(tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    shutil.copytree(BOOTSTRAP, newer)
    (newer / "99_more.sql").write_text("create table extensions.more (id int);")
    with launched(make_project(tmp_path / "project"), tmp_path / "data") as stack:
        connection = psycopg2.connect(stack.value("DATABASE_URL"))
        connection.autocommit = True
        try:
            bootstrap(connection, newer)
            bootstrap(connection, newer)
        finally:
            connection.close()
        assert stack.sql("select count(*) from extensions.more") == [(0,)]
